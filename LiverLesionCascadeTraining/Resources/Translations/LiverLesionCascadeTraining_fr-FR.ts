<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr-FR" sourcelanguage="en-US">
    <context>
        <name>LiverLesionCascadeTraining</name>
        <message>
            <source>A pseudonym, the same for all scans of a patient, so that they are never split between training and validation. No names or hospital numbers: it is written into the folder. Empty: a patient of its own</source>
            <translation>Un pseudonyme, le même pour tous les examens d'un patient, afin qu'ils ne soient jamais répartis entre entraînement et validation. Ni noms ni numéros d'hôpital : il est écrit dans le dossier. Vide : un patient à part</translation>
        </message>
        <message>
            <source>Add this case</source>
            <translation>Ajouter ce cas</translation>
        </message>
        <message>
            <source>An evaluation is at work</source>
            <translation>Une évaluation est en cours</translation>
        </message>
        <message>
            <source>CT volume:</source>
            <translation>Volume TDM :</translation>
        </message>
        <message>
            <source>Check data</source>
            <translation>Vérifier les données</translation>
        </message>
        <message>
            <source>Check the data, then train</source>
            <translation>Vérifier les données, puis entraîner</translation>
        </message>
        <message>
            <source>Choose the folder of training cases.</source>
            <translation>Choisissez le dossier des cas d'entraînement.</translation>
        </message>
        <message>
            <source>Copy the model to a folder of your choice</source>
            <translation>Copier le modèle dans un dossier de votre choix</translation>
        </message>
        <message>
            <source>Device:</source>
            <translation>Périphérique :</translation>
        </message>
        <message>
            <source>Evaluate</source>
            <translation>Évaluer</translation>
        </message>
        <message>
            <source>Evaluate on:</source>
            <translation>Évaluer sur :</translation>
        </message>
        <message>
            <source>Export bundle...</source>
            <translation>Exporter...</translation>
        </message>
        <message>
            <source>Folder for checkpoints, curves and the model. A folder with an interrupted training goes on, one with a training at work shows it</source>
            <translation>Dossier pour les points de reprise, les courbes et le modèle. Un dossier avec un entraînement interrompu est poursuivi, celui d'un entraînement en cours l'affiche</translation>
        </message>
        <message>
            <source>Folder for the model</source>
            <translation>Dossier pour le modèle</translation>
        </message>
        <message>
            <source>Folder of a model bundle whose networks are trained on. Empty: from the beginning</source>
            <translation>Dossier d'un paquet de modèle dont l'entraînement des réseaux est poursuivi. Vide : depuis le début</translation>
        </message>
        <message>
            <source>Folder of cases of other patients, on which the progress is measured. Empty: a tenth of the patients is drawn, or the data set's own are taken</source>
            <translation>Dossier de cas d'autres patients, sur lesquels le progrès est mesuré. Vide : un dixième des patients est tiré au sort, ou ceux du jeu de données sont pris</translation>
        </message>
        <message>
            <source>Folder of labelled CTs that the model has not seen, or a prepared data set, of which the validation cases are taken</source>
            <translation>Dossier de TDM annotées que le modèle n'a pas vues, ou un jeu de données préparé, dont les cas de validation sont pris</translation>
        </message>
        <message>
            <source>Folder of labelled CTs: LiTS (volume-N.nii.gz with segmentation-N.nii.gz), Medical Segmentation Decathlon, CT with .seg.nrrd saved from Slicer, DICOM CT with DICOM SEG, or a prepared data set</source>
            <translation>Dossier de TDM annotées : LiTS (volume-N.nii.gz avec segmentation-N.nii.gz), Medical Segmentation Decathlon, TDM avec .seg.nrrd enregistrée depuis Slicer, TDM DICOM avec DICOM SEG, ou un jeu de données préparé</translation>
        </message>
        <message>
            <source>Folder that the case is added to, as volume-N.nii.gz and segmentation-N.nii.gz; nothing in it is overwritten</source>
            <translation>Dossier auquel le cas est ajouté, sous volume-N.nii.gz et segmentation-N.nii.gz ; rien n'y est écrasé</translation>
        </message>
        <message>
            <source>Go on when Slicer is closed</source>
            <translation>Continuer lorsque Slicer est fermé</translation>
        </message>
        <message>
            <source>Its corrected segmentation: liver and lesions are found by their terminology, then by their names</source>
            <translation>Sa segmentation corrigée : le foie et les lésions sont reconnus par leur terminologie, sinon par leurs noms</translation>
        </message>
        <message>
            <source>Lesion Dice</source>
            <translation>Dice des lésions</translation>
        </message>
        <message>
            <source>Liver Dice</source>
            <translation>Dice du foie</translation>
        </message>
        <message>
            <source>Liver Lesion Cascade Training</source>
            <translation>Liver Lesion Cascade Training</translation>
        </message>
        <message>
            <source>Loss</source>
            <translation>Perte</translation>
        </message>
        <message>
            <source>Measures of each case and their means</source>
            <translation>Mesures de chaque cas et leurs moyennes</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>Modèle</translation>
        </message>
        <message>
            <source>Model:</source>
            <translation>Modèle :</translation>
        </message>
        <message>
            <source>Network whose curves and slices are shown</source>
            <translation>Réseau dont les courbes et les coupes sont montrées</translation>
        </message>
        <message>
            <source>Outlines of the liver and, within it, of lesions</source>
            <translation>Contours du foie et, à l'intérieur, des lésions</translation>
        </message>
        <message>
            <source>Patient:</source>
            <translation>Patient :</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Pause</translation>
        </message>
        <message>
            <source>Pause after this step, or go on</source>
            <translation>Mettre en pause après cette étape, ou continuer</translation>
        </message>
        <message>
            <source>Read all cases and report what they are and what is wrong with them; nothing is trained</source>
            <translation>Lire tous les cas et indiquer ce qu'ils sont et leurs défauts ; rien n'est entraîné</translation>
        </message>
        <message>
            <source>Recipe:</source>
            <translation>Recette :</translation>
        </message>
        <message>
            <source>Report on the data</source>
            <translation>Rapport sur les données</translation>
        </message>
        <message>
            <source>Results of an evaluation</source>
            <translation>Résultats d'une évaluation</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>Reprendre</translation>
        </message>
        <message>
            <source>Run folder:</source>
            <translation>Dossier d'exécution :</translation>
        </message>
        <message>
            <source>Save the last step and end the training; it can be continued</source>
            <translation>Enregistrer la dernière étape et terminer l'entraînement ; il peut être continué</translation>
        </message>
        <message>
            <source>Segment every case with the model and compare with its reference</source>
            <translation>Segmenter chaque cas avec le modèle et comparer à sa référence</translation>
        </message>
        <message>
            <source>Segment with this model in the module Liver Lesion Cascade</source>
            <translation>Segmenter avec ce modèle dans le module Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>Segmentation:</source>
            <translation>Segmentation :</translation>
        </message>
        <message>
            <source>Show curves</source>
            <translation>Afficher les courbes</translation>
        </message>
        <message>
            <source>Show loss and validation Dice in the plot view and keep them up to date</source>
            <translation>Montrer la perte et le Dice de validation dans la vue graphique et les tenir à jour</translation>
        </message>
        <message>
            <source>Start from model:</source>
            <translation>Partir du modèle :</translation>
        </message>
        <message>
            <source>Start training</source>
            <translation>Entraîner</translation>
        </message>
        <message>
            <source>Steps of the network that is being trained</source>
            <translation>Étapes du réseau en cours d'entraînement</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>Arrêter</translation>
        </message>
        <message>
            <source>The CT of the case</source>
            <translation>La TDM du cas</translation>
        </message>
        <message>
            <source>The cascade of residual networks is that of Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</source>
            <translation>La cascade de réseaux résiduels est celle de Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</translation>
        </message>
        <message>
            <source>The model that is evaluated, exported and used</source>
            <translation>Le modèle qui est évalué, exporté et utilisé</translation>
        </message>
        <message>
            <source>The training goes on when Slicer is closed, and is found again the next time. Otherwise it is stopped then, its last step saved</source>
            <translation>L'entraînement continue lorsque Slicer est fermé et est retrouvé la fois suivante. Sinon il est alors arrêté, sa dernière étape enregistrée</translation>
        </message>
        <message>
            <source>Time left, speed, device and memory</source>
            <translation>Temps restant, vitesse, périphérique et mémoire</translation>
        </message>
        <message>
            <source>Training</source>
            <translation>Entraînement</translation>
        </message>
        <message>
            <source>Training cases:</source>
            <translation>Cas d'entraînement :</translation>
        </message>
        <message>
            <source>Training folder:</source>
            <translation>Dossier d'entraînement :</translation>
        </message>
        <message>
            <source>Trains the cascade of the Liver Lesion Cascade module on cases of your own, and evaluates it. Choose a folder of labelled CTs and a run folder, and click Start training. Add this case collects cases that were corrected in Slicer.</source>
            <translation>Entraîne la cascade du module Liver Lesion Cascade sur vos propres cas et l'évalue. Choisissez un dossier de TDM annotées et un dossier d'exécution, et cliquez sur « Démarrer l'entraînement ». « Ajouter ce cas » recueille les cas corrigés dans Slicer.</translation>
        </message>
        <message>
            <source>Use in Liver Lesion Cascade</source>
            <translation>Utiliser dans Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>Validation cases:</source>
            <translation>Cas de validation :</translation>
        </message>
        <message>
            <source>Validation slices. Blue: reference. Orange: network.</source>
            <translation>Coupes de validation. Bleu : référence. Orange : réseau.</translation>
        </message>
        <message>
            <source>What the data hold, or what is wrong with them; after a training ended unexpectedly, its last output</source>
            <translation>Ce que contiennent les données, ou leurs défauts ; après une fin inattendue de l'entraînement, sa dernière sortie</translation>
        </message>
        <message>
            <source>What the training does</source>
            <translation>Ce que fait l'entraînement</translation>
        </message>
        <message>
            <source>What was done, or what is missing</source>
            <translation>Ce qui a été fait, ou ce qui manque</translation>
        </message>
        <message>
            <source>What was done, or what went wrong</source>
            <translation>Ce qui a été fait, ou ce qui a échoué</translation>
        </message>
        <message>
            <source>What went wrong</source>
            <translation>Ce qui a échoué</translation>
        </message>
        <message>
            <source>Where the networks are trained; auto takes the first graphics card that works, else the processor</source>
            <translation>Où les réseaux sont entraînés ; auto prend la première carte graphique qui fonctionne, sinon le processeur</translation>
        </message>
        <message>
            <source>Why a training cannot be started</source>
            <translation>Pourquoi un entraînement ne peut pas être démarré</translation>
        </message>
        <message>
            <source>Write CT and segmentation into the training folder</source>
            <translation>Écrire la TDM et la segmentation dans le dossier d'entraînement</translation>
        </message>
        <message>
            <source>compact: networks like the shipped ones, trained in hours on a graphics card. paper: the full width and schedule of Bi et al., days on a CUDA workstation</source>
            <translation>compact : des réseaux comme ceux fournis, entraînés en quelques heures sur une carte graphique. paper : la largeur et le programme complets de Bi et al., des jours sur une station CUDA</translation>
        </message>
    </context>
    <context>
        <name>gui.case_panel</name>
        <message>
            <source>Added as case {name} to {folder}.</source>
            <translation>Ajouté comme cas {name} à {folder}.</translation>
        </message>
        <message>
            <source>Choose its corrected segmentation.</source>
            <translation>Choisissez sa segmentation corrigée.</translation>
        </message>
        <message>
            <source>Choose the CT volume.</source>
            <translation>Choisissez le volume TDM.</translation>
        </message>
        <message>
            <source>Choose the training folder that the case is added to.</source>
            <translation>Choisissez le dossier d'entraînement auquel le cas est ajouté.</translation>
        </message>
        <message>
            <source>Left out, neither liver nor lesion: {names}.</source>
            <translation>Laissés de côté, ni foie ni lésion : {names}.</translation>
        </message>
        <message>
            <source>Not added: {reason}</source>
            <translation>Non ajouté : {reason}</translation>
        </message>
        <message>
            <source>Write CT and segmentation into the training folder</source>
            <translation>Écrire la TDM et la segmentation dans le dossier d'entraînement</translation>
        </message>
        <message>
            <source>Writing the case</source>
            <translation>Écriture du cas</translation>
        </message>
        <message>
            <source>it left no message</source>
            <translation>il n'a laissé aucun message</translation>
        </message>
    </context>
    <context>
        <name>gui.curve_view</name>
        <message>
            <source>Lesion Dice</source>
            <translation>Dice des lésions</translation>
        </message>
        <message>
            <source>Liver Dice</source>
            <translation>Dice du foie</translation>
        </message>
        <message>
            <source>Loss</source>
            <translation>Perte</translation>
        </message>
        <message>
            <source>Loss, Dice</source>
            <translation>Perte, Dice</translation>
        </message>
        <message>
            <source>Training curves</source>
            <translation>Courbes d'entraînement</translation>
        </message>
        <message>
            <source>Training loss</source>
            <translation>Perte de l'entraînement</translation>
        </message>
        <message>
            <source>Training validation</source>
            <translation>Validation de l'entraînement</translation>
        </message>
    </context>
    <context>
        <name>gui.result_panel</name>
        <message>
            <source>A training has to finish first</source>
            <translation>Un entraînement doit d'abord être terminé</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>Annuler</translation>
        </message>
        <message>
            <source>Cancelled</source>
            <translation>Annulé</translation>
        </message>
        <message>
            <source>Choose a folder of cases to evaluate on</source>
            <translation>Choisissez un dossier de cas pour l'évaluation</translation>
        </message>
        <message>
            <source>Copy the model to a folder of your choice</source>
            <translation>Copier le modèle dans un dossier de votre choix</translation>
        </message>
        <message>
            <source>Evaluate</source>
            <translation>Évaluer</translation>
        </message>
        <message>
            <source>Evaluating.</source>
            <translation>Évaluation en cours.</translation>
        </message>
        <message>
            <source>Evaluating. {progress}</source>
            <translation>Évaluation en cours. {progress}</translation>
        </message>
        <message>
            <source>Segment every case with the model and compare with its reference</source>
            <translation>Segmenter chaque cas avec le modèle et comparer à sa référence</translation>
        </message>
        <message>
            <source>Segment with this model in the module Liver Lesion Cascade</source>
            <translation>Segmenter avec ce modèle dans le module Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>The evaluation could not be started: {reason}</source>
            <translation>L'évaluation n'a pas pu être démarrée : {reason}</translation>
        </message>
        <message>
            <source>The evaluation failed: {reason}</source>
            <translation>L'évaluation a échoué : {reason}</translation>
        </message>
        <message>
            <source>The model is in {folder}</source>
            <translation>Le modèle est dans {folder}</translation>
        </message>
        <message>
            <source>The model that comes with the extension, until a training has finished</source>
            <translation>Le modèle fourni avec l'extension, jusqu'à ce qu'un entraînement soit terminé</translation>
        </message>
        <message>
            <source>it left no message</source>
            <translation>il n'a laissé aucun message</translation>
        </message>
        <message>
            <source>{folder} cannot be written ({reason}): choose a folder that you can write to.</source>
            <translation>{folder} n'est pas accessible en écriture ({reason}) : choisissez un dossier dans lequel vous pouvez écrire.</translation>
        </message>
        <message>
            <source>{folder} exists already: choose another folder.</source>
            <translation>{folder} existe déjà : choisissez un autre dossier.</translation>
        </message>
        <message>
            <source>{model} in {folder}</source>
            <translation>{model} dans {folder}</translation>
        </message>
    </context>
    <context>
        <name>gui.status_text</name>
        <message>
            <source>1 minute</source>
            <translation>1 minute</translation>
        </message>
        <message>
            <source>Finished: the model can be evaluated, exported and used.</source>
            <translation>Terminé : le modèle peut être évalué, exporté et utilisé.</translation>
        </message>
        <message>
            <source>GPU memory {gigabytes:.1f} GB</source>
            <translation>mémoire GPU {gigabytes:.1f} Go</translation>
        </message>
        <message>
            <source>Lesion network, from the image alone</source>
            <translation>Réseau des lésions, à partir de l'image seule</translation>
        </message>
        <message>
            <source>Lesion network, with estimates and corrections</source>
            <translation>Réseau des lésions, avec estimations et corrections</translation>
        </message>
        <message>
            <source>Liver network</source>
            <translation>Réseau du foie</translation>
        </message>
        <message>
            <source>Liver network without part {number} of the patients</source>
            <translation>Réseau du foie sans la partie {number} des patients</translation>
        </message>
        <message>
            <source>Paused. {job}: {step}</source>
            <translation>En pause. {job} : {step}</translation>
        </message>
        <message>
            <source>Preparing the slices</source>
            <translation>Préparation des coupes</translation>
        </message>
        <message>
            <source>Stopped and saved: Continue training goes on from here.</source>
            <translation>Arrêté et enregistré : « Continuer l'entraînement » reprend à partir d'ici.</translation>
        </message>
        <message>
            <source>The training failed: {message}</source>
            <translation>L'entraînement a échoué : {message}</translation>
        </message>
        <message>
            <source>The training's process has ended unexpectedly: {message}</source>
            <translation>Le processus de l'entraînement s'est terminé de façon inattendue : {message}</translation>
        </message>
        <message>
            <source>about {duration} left</source>
            <translation>encore environ {duration}</translation>
        </message>
        <message>
            <source>device {device}</source>
            <translation>périphérique {device}</translation>
        </message>
        <message>
            <source>half a minute</source>
            <translation>une demi-minute</translation>
        </message>
        <message>
            <source>it left no message</source>
            <translation>il n'a laissé aucun message</translation>
        </message>
        <message>
            <source>step {step} of {steps}</source>
            <translation>étape {step} sur {steps}</translation>
        </message>
        <message>
            <source>{days} days</source>
            <translation>{days} jours</translation>
        </message>
        <message>
            <source>{hours} h {minutes} min</source>
            <translation>{hours} h {minutes} min</translation>
        </message>
        <message>
            <source>{job}: validating at {step}</source>
            <translation>{job} : validation à {step}</translation>
        </message>
        <message>
            <source>{job}: {step}</source>
            <translation>{job} : {step}</translation>
        </message>
        <message>
            <source>{minutes} minutes</source>
            <translation>{minutes} minutes</translation>
        </message>
        <message>
            <source>{number:.1f} images/s</source>
            <translation>{number:.1f} images/s</translation>
        </message>
    </context>
    <context>
        <name>gui.training_panel</name>
        <message>
            <source>Checking the data</source>
            <translation>Vérification des données</translation>
        </message>
        <message>
            <source>Checking the data: {case}</source>
            <translation>Vérification des données : {case}</translation>
        </message>
        <message>
            <source>Not started: {count} problem(s) in the data, listed below.</source>
            <translation>Non démarré : {count} problème(s) dans les données, voir ci-dessous.</translation>
        </message>
        <message>
            <source>The check of the data could not be started: {reason}</source>
            <translation>La vérification des données n'a pas pu être démarrée : {reason}</translation>
        </message>
        <message>
            <source>The data could not be checked: {reason}</source>
            <translation>Les données n'ont pas pu être vérifiées : {reason}</translation>
        </message>
        <message>
            <source>The network that is being trained</source>
            <translation>Le réseau en cours d'entraînement</translation>
        </message>
        <message>
            <source>no message</source>
            <translation>aucun message</translation>
        </message>
    </context>
    <context>
        <name>gui.training_state</name>
        <message>
            <source>A training is at work in this run folder</source>
            <translation>Un entraînement est en cours dans ce dossier d'exécution</translation>
        </message>
        <message>
            <source>Check the data, then train; it goes on when this module is closed</source>
            <translation>Vérifier les données, puis entraîner ; continue lorsque ce module est fermé</translation>
        </message>
        <message>
            <source>Choose a folder for the training's files.</source>
            <translation>Choisissez un dossier pour les fichiers de l'entraînement.</translation>
        </message>
        <message>
            <source>Choose the folder of training cases.</source>
            <translation>Choisissez le dossier des cas d'entraînement.</translation>
        </message>
        <message>
            <source>Continue training</source>
            <translation>Continuer l'entraînement</translation>
        </message>
        <message>
            <source>Go on from the last checkpoint in the run folder</source>
            <translation>Reprendre au dernier point de reprise du dossier d'exécution</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Pause</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>Reprendre</translation>
        </message>
        <message>
            <source>Start training</source>
            <translation>Entraîner</translation>
        </message>
        <message>
            <source>The data are being checked</source>
            <translation>Les données sont en cours de vérification</translation>
        </message>
        <message>
            <source>The folder of training cases {folder} does not exist.</source>
            <translation>Le dossier de cas d'entraînement {folder} n'existe pas.</translation>
        </message>
        <message>
            <source>The folder of validation cases {folder} does not exist.</source>
            <translation>Le dossier de cas de validation {folder} n'existe pas.</translation>
        </message>
        <message>
            <source>The training in this run folder has finished: choose another run folder for the next one</source>
            <translation>L'entraînement de ce dossier d'exécution est terminé : choisissez un autre dossier d'exécution pour le suivant</translation>
        </message>
        <message>
            <source>{folder} holds no model to start from: choose the folder of a bundle, or none.</source>
            <translation>{folder} ne contient aucun modèle de départ : choisissez le dossier d'un paquet de modèle, ou aucun.</translation>
        </message>
    </context>
</TS>
