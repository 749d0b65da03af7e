<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr-FR" sourcelanguage="en-US">
    <context>
        <name>LiverLesionCascade</name>
        <message>
            <source> mm</source>
            <translation> mm</translation>
        </message>
        <message>
            <source>Adjust outlines to the image</source>
            <translation>Ajuster les contours à l'image</translation>
        </message>
        <message>
            <source>Advanced</source>
            <translation>Avancé</translation>
        </message>
        <message>
            <source>All segments</source>
            <translation>Tous les segments</translation>
        </message>
        <message>
            <source>Also add volumes that show how sure the networks are, voxel by voxel</source>
            <translation>Ajouter aussi des volumes qui montrent, voxel par voxel, à quel point les réseaux sont sûrs</translation>
        </message>
        <message>
            <source>As published (slow)</source>
            <translation>Comme publié (lent)</translation>
        </message>
        <message>
            <source>As published: a fully connected 3D conditional random field (CRF); slower</source>
            <translation>Comme publié : un champ aléatoire conditionnel 3D entièrement connecté (CRF) ; plus lent</translation>
        </message>
        <message>
            <source>As published: the average of five magnifications; about five times slower</source>
            <translation>Comme publié : la moyenne de cinq agrandissements ; environ cinq fois plus lent</translation>
        </message>
        <message>
            <source>Back to the results</source>
            <translation>Retour aux résultats</translation>
        </message>
        <message>
            <source>Bring back the result that Undo replace took out</source>
            <translation>Rétablit le résultat retiré par « Annuler le remplacement »</translation>
        </message>
        <message>
            <source>Bring back the result that was replaced, with your edits</source>
            <translation>Rétablit le résultat remplacé, avec vos modifications</translation>
        </message>
        <message>
            <source>CT volume:</source>
            <translation>Volume TDM :</translation>
        </message>
        <message>
            <source>Choices that are rarely needed</source>
            <translation>Choix rarement nécessaires</translation>
        </message>
        <message>
            <source>Clean up the result</source>
            <translation>Nettoyer le résultat</translation>
        </message>
        <message>
            <source>Click on a scan to choose it; Cancel then stops its run</source>
            <translation>Cliquez sur un examen pour le choisir ; « Annuler » arrête alors son exécution</translation>
        </message>
        <message>
            <source>Click on one to show it</source>
            <translation>Cliquez sur l'un d'eux pour l'afficher</translation>
        </message>
        <message>
            <source>Contrast-enhanced CT of the abdomen, portal venous phase if there is one</source>
            <translation>TDM abdominale avec injection de produit de contraste, si possible en phase portale</translation>
        </message>
        <message>
            <source>Correct the selected segment with the Segment Editor</source>
            <translation>Corriger le segment sélectionné avec l'éditeur de segments</translation>
        </message>
        <message>
            <source>Details...</source>
            <translation>Détails...</translation>
        </message>
        <message>
            <source>Device:</source>
            <translation>Périphérique :</translation>
        </message>
        <message>
            <source>Edit</source>
            <translation>Modifier</translation>
        </message>
        <message>
            <source>Fast</source>
            <translation>Rapide</translation>
        </message>
        <message>
            <source>Fast looks at as many slices as it needs; as published looks at every slice at five sizes and takes much longer</source>
            <translation>« Rapide » examine autant de coupes que nécessaire ; « Comme publié » examine chaque coupe à cinq tailles et dure beaucoup plus longtemps</translation>
        </message>
        <message>
            <source>Fill holes</source>
            <translation>Combler les trous</translation>
        </message>
        <message>
            <source>Fill holes of the liver and of lesions, slice by slice</source>
            <translation>Combler les trous du foie et des lésions, coupe par coupe</translation>
        </message>
        <message>
            <source>For a report of the error</source>
            <translation>Pour signaler l'erreur</translation>
        </message>
        <message>
            <source>How long the run that made this result took, and what it was computed on</source>
            <translation>Durée de l'exécution qui a produit ce résultat, et le matériel utilisé pour le calcul</translation>
        </message>
        <message>
            <source>How much of the run is done</source>
            <translation>Part de l'exécution accomplie</translation>
        </message>
        <message>
            <source>Keep probability volumes</source>
            <translation>Garder les volumes de probabilité</translation>
        </message>
        <message>
            <source>Leave the editor; your edits stay</source>
            <translation>Quitter l'éditeur ; vos modifications restent</translation>
        </message>
        <message>
            <source>Lesions that have grown together get a segment each; no voxel of the lesions changes</source>
            <translation>Les lésions qui se sont rejointes reçoivent chacune un segment ; aucun voxel des lésions ne change</translation>
        </message>
        <message>
            <source>Liver Lesion Cascade</source>
            <translation>Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>Liver region</source>
            <translation>Région du foie</translation>
        </message>
        <message>
            <source>Load a contrast-enhanced CT of the abdomen first.</source>
            <translation>Chargez d'abord une TDM abdominale avec injection de produit de contraste.</translation>
        </message>
        <message>
            <source>Look for lesions at five sizes</source>
            <translation>Chercher les lésions à cinq tailles</translation>
        </message>
        <message>
            <source>Model card</source>
            <translation>Fiche du modèle</translation>
        </message>
        <message>
            <source>Model:</source>
            <translation>Modèle :</translation>
        </message>
        <message>
            <source>New segmentation</source>
            <translation>Nouvelle segmentation</translation>
        </message>
        <message>
            <source>On what the model was trained, how good it is, and where it fails</source>
            <translation>Sur quoi le modèle a été entraîné, quelle est sa qualité et où il échoue</translation>
        </message>
        <message>
            <source>Only in region:</source>
            <translation>Seulement dans la région :</translation>
        </message>
        <message>
            <source>Only lesions inside the liver</source>
            <translation>Seulement les lésions dans le foie</translation>
        </message>
        <message>
            <source>Only likely lesions</source>
            <translation>Seulement les lésions probables</translation>
        </message>
        <message>
            <source>Only the largest piece of liver</source>
            <translation>Seulement la plus grande partie du foie</translation>
        </message>
        <message>
            <source>Output segmentation:</source>
            <translation>Segmentation de sortie :</translation>
        </message>
        <message>
            <source>PyTorch is not installed. Install the extension PyTorch (Extensions Manager), restart Slicer, and install PyTorch in its module PyTorch Utils.</source>
            <translation>PyTorch n'est pas installé. Installez l'extension PyTorch (gestionnaire d'extensions), redémarrez Slicer et installez PyTorch dans son module PyTorch Utils.</translation>
        </message>
        <message>
            <source>Quality:</source>
            <translation>Qualité :</translation>
        </message>
        <message>
            <source>Redo replace</source>
            <translation>Rétablir le remplacement</translation>
        </message>
        <message>
            <source>Remove lesions of a smaller diameter; 0 keeps all</source>
            <translation>Retirer les lésions de diamètre inférieur ; 0 les garde toutes</translation>
        </message>
        <message>
            <source>Remove lesions that lie mostly outside of the liver; the others become part of it</source>
            <translation>Retirer les lésions situées en majeure partie hors du foie ; les autres en font partie</translation>
        </message>
        <message>
            <source>Remove lesions that the model's filter, where it has one, finds unlikely; a lower threshold can bring them back</source>
            <translation>Retirer les lésions que le filtre du modèle, s'il en a un, juge improbables ; un seuil plus bas peut les faire revenir</translation>
        </message>
        <message>
            <source>Remove pieces of liver that lie apart from the largest one</source>
            <translation>Retirer les parties du foie séparées de la plus grande</translation>
        </message>
        <message>
            <source>Results</source>
            <translation>Résultats</translation>
        </message>
        <message>
            <source>Scans being segmented, one after the other:</source>
            <translation>Examens segmentés l'un après l'autre :</translation>
        </message>
        <message>
            <source>Segment</source>
            <translation>Segmenter</translation>
        </message>
        <message>
            <source>Segment only this region; it should hold the whole liver</source>
            <translation>Segmenter seulement cette région ; elle devrait contenir tout le foie</translation>
        </message>
        <message>
            <source>Segments the liver and its lesions on contrast-enhanced CT of the abdomen. Load a CT, select it and click Segment. For research use only, not a medical device.</source>
            <translation>Segmente le foie et ses lésions sur des TDM abdominales avec injection de produit de contraste. Chargez une TDM, sélectionnez-la et cliquez sur « Segmenter ». Pour la recherche uniquement, pas un dispositif médical.</translation>
        </message>
        <message>
            <source>Select a segment to jump to it; double-click a status to change it</source>
            <translation>Sélectionnez un segment pour y aller ; double-cliquez sur un état pour le changer</translation>
        </message>
        <message>
            <source>Show liver and lesions in the 3D view; the menu sets the smoothing</source>
            <translation>Montrer le foie et les lésions dans la vue 3D ; le menu règle le lissage</translation>
        </message>
        <message>
            <source>Smallest lesion:</source>
            <translation>Plus petite lésion :</translation>
        </message>
        <message>
            <source>Tell confluent lesions apart</source>
            <translation>Séparer les lésions confluentes</translation>
        </message>
        <message>
            <source>The cascade of residual networks is that of Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</source>
            <translation>La cascade de réseaux résiduels est celle de Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</translation>
        </message>
        <message>
            <source>The segmentation that is shown here</source>
            <translation>La segmentation montrée ici</translation>
        </message>
        <message>
            <source>The trained networks: those that come with the extension, or your own</source>
            <translation>Les réseaux entraînés : ceux fournis avec l'extension, ou les vôtres</translation>
        </message>
        <message>
            <source>Undo replace</source>
            <translation>Annuler le remplacement</translation>
        </message>
        <message>
            <source>Visibility, colour and name of every segment, the liver's too</source>
            <translation>Visibilité, couleur et nom de chaque segment, y compris du foie</translation>
        </message>
        <message>
            <source>What computes: Automatic takes a graphics card where one can be used, else the processor</source>
            <translation>Ce qui calcule : « Automatique » prend une carte graphique s'il y en a une utilisable, sinon le processeur</translation>
        </message>
        <message>
            <source>What is being done, and how long it will take</source>
            <translation>Ce qui est en cours et combien de temps cela durera</translation>
        </message>
        <message>
            <source>What was done last</source>
            <translation>Ce qui a été fait en dernier</translation>
        </message>
        <message>
            <source>What was found in the chosen CT volume</source>
            <translation>Ce qui a été trouvé dans le volume TDM choisi</translation>
        </message>
        <message>
            <source>What went wrong, and what to do</source>
            <translation>Ce qui a échoué, et que faire</translation>
        </message>
        <message>
            <source>What you should know about this result</source>
            <translation>Ce que vous devriez savoir sur ce résultat</translation>
        </message>
        <message>
            <source>What you should know about this scan before it is segmented</source>
            <translation>Ce que vous devriez savoir sur cet examen avant qu'il soit segmenté</translation>
        </message>
        <message>
            <source>Where liver and lesions go: into a new segmentation beside the CT, or into one that exists</source>
            <translation>Où vont le foie et les lésions : dans une nouvelle segmentation à côté de la TDM, ou dans une segmentation existante</translation>
        </message>
        <message>
            <source>Whole volume</source>
            <translation>Volume entier</translation>
        </message>
        <message>
            <source>Why Segment is disabled</source>
            <translation>Pourquoi « Segmenter » est désactivé</translation>
        </message>
        <message>
            <source>Why the graphics card is not used</source>
            <translation>Pourquoi la carte graphique n'est pas utilisée</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionDividing</name>
        <message>
            <source>How many lesions the selected one is split into; the slice views show which</source>
            <translation>En combien de lésions la lésion sélectionnée est divisée ; les vues de coupe montrent lesquelles</translation>
        </message>
        <message>
            <source>Make a lesion of each part that the preview shows; the largest keeps the number, all keep the verdict</source>
            <translation>Faire une lésion de chaque partie de l'aperçu ; la plus grande garde le numéro, toutes gardent le verdict</translation>
        </message>
        <message>
            <source>Make a lesion of each piece that does not hang together with the others, after a cut with Scissors or Erase</source>
            <translation>Faire une lésion de chaque morceau qui ne tient pas aux autres, après une coupe aux ciseaux ou à la gomme</translation>
        </message>
        <message>
            <source>Make one lesion, that of the lowest number, of the rows that are selected in the table (Ctrl or Shift for several)</source>
            <translation>Faire une seule lésion, celle du plus petit numéro, des lignes sélectionnées dans le tableau (Ctrl ou Maj pour plusieurs)</translation>
        </message>
        <message>
            <source>Make several lesions of one, or one of several: no voxel changes, only whose it is</source>
            <translation>Faire plusieurs lésions d'une seule, ou une seule de plusieurs : aucun voxel ne change, seulement son appartenance</translation>
        </message>
        <message>
            <source>Merge</source>
            <translation>Fusionner</translation>
        </message>
        <message>
            <source>Parts:</source>
            <translation>Parties :</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Refaire</translation>
        </message>
        <message>
            <source>Split</source>
            <translation>Diviser</translation>
        </message>
        <message>
            <source>Split and merge</source>
            <translation>Diviser et fusionner</translation>
        </message>
        <message>
            <source>Split at gaps</source>
            <translation>Diviser aux interruptions</translation>
        </message>
        <message>
            <source>Split or merge again what was undone</source>
            <translation>Diviser ou fusionner à nouveau ce qui a été annulé</translation>
        </message>
        <message>
            <source>Take the last split or merge back; not where one of its lesions was edited or reviewed since</source>
            <translation>Annuler la dernière division ou fusion ; pas si une de ses lésions a été modifiée ou revue depuis</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Défaire</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionFollowUp</name>
        <message>
            <source>Align by:</source>
            <translation>Aligner par :</translation>
        </message>
        <message>
            <source>Click a row to go to the lesion; choose in the lists of the rows which lesion it was. What is not chosen is a proposal.</source>
            <translation>Cliquez sur une ligne pour aller à la lésion ; choisissez dans les listes des lignes de quelle lésion il s'agissait. Ce qui n'est pas choisi est une proposition.</translation>
        </message>
        <message>
            <source>Compare the lesions with those of an earlier scan of the same patient</source>
            <translation>Comparer les lésions avec celles d'un examen antérieur du même patient</translation>
        </message>
        <message>
            <source>Earlier result:</source>
            <translation>Résultat antérieur :</translation>
        </message>
        <message>
            <source>Export CSV...</source>
            <translation>Exporter en CSV...</translation>
        </message>
        <message>
            <source>Follow-up</source>
            <translation>Suivi</translation>
        </message>
        <message>
            <source>Forget the matches that were chosen for this earlier result, and propose all of them</source>
            <translation>Oublier les correspondances choisies pour ce résultat antérieur et les proposer toutes de nouveau</translation>
        </message>
        <message>
            <source>How the earlier scan is laid on this one</source>
            <translation>Comment l'examen antérieur est superposé à celui-ci</translation>
        </message>
        <message>
            <source>How the earlier scan is laid on this one: rigidly by the shape of the livers, as both lie in the scene, or by a transform of your own</source>
            <translation>Comment l'examen antérieur est superposé à celui-ci : de façon rigide selon la forme des foies, tels que les deux se trouvent dans la scène, ou par une transformation de votre choix</translation>
        </message>
        <message>
            <source>Propose again</source>
            <translation>Proposer de nouveau</translation>
        </message>
        <message>
            <source>Result of an earlier scan of the same patient</source>
            <translation>Résultat d'un examen antérieur du même patient</translation>
        </message>
        <message>
            <source>Takes the earlier scan to where this one lies</source>
            <translation>Amène l'examen antérieur là où se trouve celui-ci</translation>
        </message>
        <message>
            <source>Takes the earlier scan to where this one lies, as if that scan were put under it</source>
            <translation>Amène l'examen antérieur là où se trouve celui-ci, comme s'il était placé sous elle</translation>
        </message>
        <message>
            <source>Transform:</source>
            <translation>Transformation :</translation>
        </message>
        <message>
            <source>Write the table to a file that spreadsheets read</source>
            <translation>Écrire le tableau dans un fichier que lisent les tableurs</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionRefine</name>
        <message>
            <source>Accept</source>
            <translation>Accepter</translation>
        </message>
        <message>
            <source>Accept again what was undone</source>
            <translation>Accepter de nouveau ce qui a été annulé</translation>
        </message>
        <message>
            <source>Bring back the lesions from before Accept; what you edited or reviewed since stays as it is</source>
            <translation>Rétablit les lésions d'avant l'acceptation ; ce que vous avez modifié ou évalué depuis reste tel quel</translation>
        </message>
        <message>
            <source>Carry what you painted and erased on to the neighbouring slices</source>
            <translation>Étendre ce que vous avez peint et effacé aux coupes voisines</translation>
        </message>
        <message>
            <source>Carry your edits on: mark a missed lesion or erase a false one in one slice, and let the cascade do the others</source>
            <translation>Prolongez vos modifications : marquez une lésion manquée ou effacez une fausse lésion sur une coupe, et laissez la cascade faire les autres</translation>
        </message>
        <message>
            <source>Change the lesions as the preview shows</source>
            <translation>Modifier les lésions comme le montre l'aperçu</translation>
        </message>
        <message>
            <source>Discard</source>
            <translation>Abandonner</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Refaire</translation>
        </message>
        <message>
            <source>Refine</source>
            <translation>Affiner</translation>
        </message>
        <message>
            <source>Refine from edits</source>
            <translation>Affiner d'après les modifications</translation>
        </message>
        <message>
            <source>Take the preview away; nothing changes</source>
            <translation>Retirer l'aperçu ; rien ne change</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Défaire</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionReport</name>
        <message>
            <source>CSV...</source>
            <translation>CSV...</translation>
        </message>
        <message>
            <source>DICOM SEG...</source>
            <translation>DICOM SEG...</translation>
        </message>
        <message>
            <source>DICOM SR...</source>
            <translation>DICOM SR...</translation>
        </message>
        <message>
            <source>HTML...</source>
            <translation>HTML...</translation>
        </message>
        <message>
            <source>Liver and lesions as one DICOM segmentation of the scan's study</source>
            <translation>Foie et lésions en une segmentation DICOM de l'étude de l'examen</translation>
        </message>
        <message>
            <source>Measures as a DICOM structured report (TID 1500), with the segmentation that it refers to beside it</source>
            <translation>Mesures sous forme de rapport structuré DICOM (TID 1500), avec à côté la segmentation à laquelle il se réfère</translation>
        </message>
        <message>
            <source>Report</source>
            <translation>Rapport</translation>
        </message>
        <message>
            <source>Report with key images, in one file that any browser shows</source>
            <translation>Rapport avec images clés, en un fichier que tout navigateur affiche</translation>
        </message>
        <message>
            <source>Table of the lesions, for spreadsheets</source>
            <translation>Tableau des lésions, pour les tableurs</translation>
        </message>
        <message>
            <source>Write the lesions as they are now; those that were rejected are left out</source>
            <translation>Écrire les lésions telles qu'elles sont maintenant ; celles qui ont été rejetées sont laissées de côté</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionTable</name>
        <message>
            <source>Click on a lesion to see it in all views; click on a heading to sort</source>
            <translation>Cliquez sur une lésion pour la voir dans toutes les vues ; cliquez sur un en-tête pour trier</translation>
        </message>
        <message>
            <source>Counted in the segments as they are now, your edits included. Rejected lesions do not count, and where lesions overlap each voxel counts once. Tumour burden: volume of the lesions in percent of the liver and the lesions together, also where a lesion was painted outside the liver.</source>
            <translation>Mesuré dans les segments tels qu'ils sont maintenant, vos modifications comprises. Les lésions rejetées ne comptent pas, et là où des lésions se chevauchent, chaque voxel compte une seule fois. Charge tumorale : volume des lésions en pour cent du foie et des lésions réunis, même là où une lésion a été peinte hors du foie.</translation>
        </message>
        <message>
            <source>Diameters</source>
            <translation>Diamètres</translation>
        </message>
        <message>
            <source>Draw the long and short diameters in the slices where they were measured</source>
            <translation>Tracer le grand et le petit diamètre sur les coupes où ils ont été mesurés</translation>
        </message>
        <message>
            <source>Go to the lesion above in the table (Alt+Up, also in the views)</source>
            <translation>Aller à la lésion au-dessus dans le tableau (Alt+Haut, aussi dans les vues)</translation>
        </message>
        <message>
            <source>Go to the lesion below in the table (Alt+Down, also in the views)</source>
            <translation>Aller à la lésion au-dessous dans le tableau (Alt+Bas, aussi dans les vues)</translation>
        </message>
        <message>
            <source>Hide all lesions but the selected one; what was visible before comes back</source>
            <translation>Masquer toutes les lésions sauf celle sélectionnée ; ce qui était visible auparavant revient</translation>
        </message>
        <message>
            <source>Isolate</source>
            <translation>Isoler</translation>
        </message>
        <message>
            <source>Next</source>
            <translation>Suivante</translation>
        </message>
        <message>
            <source>Previous</source>
            <translation>Précédente</translation>
        </message>
        <message>
            <source>The selected lesion: name, verdict, slice of the diameters (its index in the volume, from 0, as in the Data Probe), density, place</source>
            <translation>La lésion choisie : nom, verdict, coupe des diamètres (son indice dans le volume, à partir de 0, comme dans Data Probe), densité, emplacement</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionThreshold</name>
        <message>
            <source>Apply</source>
            <translation>Appliquer</translation>
        </message>
        <message>
            <source>Apply again what was undone</source>
            <translation>Appliquer de nouveau ce qui a été annulé</translation>
        </message>
        <message>
            <source>Bring back the lesions from before Apply; what you edited or reviewed since stays as it is</source>
            <translation>Rétablit les lésions d'avant l'application ; ce que vous avez modifié ou évalué depuis reste tel quel</translation>
        </message>
        <message>
            <source>Discard</source>
            <translation>Abandonner</translation>
        </message>
        <message>
            <source>Find more or fewer lesions in the probabilities of this result, without segmenting again</source>
            <translation>Trouver plus ou moins de lésions dans les probabilités de ce résultat, sans segmenter de nouveau</translation>
        </message>
        <message>
            <source>Lesion probability above:</source>
            <translation>Probabilité supérieure à :</translation>
        </message>
        <message>
            <source>Lesions with less volume than a sphere of this diameter are left out</source>
            <translation>Les lésions de volume inférieur à celui d'une sphère de ce diamètre sont laissées de côté</translation>
        </message>
        <message>
            <source>Lower finds more and larger lesions, higher only what is more certain</source>
            <translation>Plus bas trouve des lésions plus nombreuses et plus grandes, plus haut seulement ce qui est plus certain</translation>
        </message>
        <message>
            <source>Rebuild the lesions as the preview shows them; those that you edited, refined or reviewed stay as they are</source>
            <translation>Reconstruire les lésions comme l'aperçu les montre ; celles que vous avez modifiées, affinées ou évaluées restent telles quelles</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Refaire</translation>
        </message>
        <message>
            <source>Smallest lesion:</source>
            <translation>Plus petite lésion :</translation>
        </message>
        <message>
            <source>Take the preview away; nothing changes</source>
            <translation>Retirer l'aperçu ; rien ne change</translation>
        </message>
        <message>
            <source>Threshold</source>
            <translation>Seuil</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Défaire</translation>
        </message>
    </context>
    <context>
        <name>Report</name>
        <message>
            <source>% of the liver</source>
            <translation>% du foie</translation>
        </message>
        <message>
            <source>Axial</source>
            <translation>Axial</translation>
        </message>
        <message>
            <source>Axial diameters</source>
            <translation>Diamètres axiaux</translation>
        </message>
        <message>
            <source>Axial {place}: {seen} outlined</source>
            <translation>Axial, {place} : contours de {seen}</translation>
        </message>
        <message>
            <source>Check</source>
            <translation>Vérifier</translation>
        </message>
        <message>
            <source>Confidence</source>
            <translation>Confiance</translation>
        </message>
        <message>
            <source>Coronal</source>
            <translation>Coronal</translation>
        </message>
        <message>
            <source>Coronal, A {mm} mm</source>
            <translation>Coronal, A {mm} mm</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Périphérique</translation>
        </message>
        <message>
            <source>Diameters: longest in an axial slice, and the longest perpendicular to it in that slice. Slice: of the long diameter, counted from 0 as in Slicer's Data Probe; S: its position in Slicer. Confidence: how likely it is a lesion, by the network's probability; below 50 % it is in doubt (?). To surface: shortest distance to the liver's surface.</source>
            <translation>Diamètres : le plus long dans une coupe axiale, et le plus long qui lui est perpendiculaire dans cette coupe. Coupe : celle du grand diamètre, comptée à partir de 0 comme dans le Data Probe de Slicer ; S : sa position dans Slicer. Confiance : probabilité qu'il s'agisse d'une lésion, selon la probabilité du réseau ; au-dessous de 50 %, elle est douteuse (?). À la surface : plus courte distance à la surface du foie.</translation>
        </message>
        <message>
            <source>Dragging changes</source>
            <translation>Glisser modifie</translation>
        </message>
        <message>
            <source>Error</source>
            <translation>Erreur</translation>
        </message>
        <message>
            <source>Findings</source>
            <translation>Constats</translation>
        </message>
        <message>
            <source>Fit</source>
            <translation>Ajuster</translation>
        </message>
        <message>
            <source>For research use only. This is no medical device: outlines and measures were made automatically and have to be checked by a qualified person before anything follows from them.</source>
            <translation>Réservé à la recherche. Ceci n'est pas un dispositif médical : contours et mesures ont été produits automatiquement et doivent être vérifiés par une personne qualifiée avant toute conclusion.</translation>
        </message>
        <message>
            <source>How it was made</source>
            <translation>Comment il a été produit</translation>
        </message>
        <message>
            <source>Key images</source>
            <translation>Images clés</translation>
        </message>
        <message>
            <source>Lesion</source>
            <translation>Lésion</translation>
        </message>
        <message>
            <source>Lesion volume</source>
            <translation>Volume des lésions</translation>
        </message>
        <message>
            <source>Lesion {lesion}, {where}</source>
            <translation>Lésion {lesion}, {where}</translation>
        </message>
        <message>
            <source>Lesions</source>
            <translation>Lésions</translation>
        </message>
        <message>
            <source>Level</source>
            <translation>Niveau</translation>
        </message>
        <message>
            <source>Liver</source>
            <translation>Foie</translation>
        </message>
        <message>
            <source>Liver with lesions</source>
            <translation>Foie avec lésions</translation>
        </message>
        <message>
            <source>Longest diameter</source>
            <translation>Plus grand diamètre</translation>
        </message>
        <message>
            <source>Mean ± SD</source>
            <translation>Moyenne ± ET</translation>
        </message>
        <message>
            <source>Model bundle</source>
            <translation>Paquet de modèle</translation>
        </message>
        <message>
            <source>Mouse and keys</source>
            <translation>Souris et touches</translation>
        </message>
        <message>
            <source>No lesion was found.</source>
            <translation>Aucune lésion n'a été trouvée.</translation>
        </message>
        <message>
            <source>Note</source>
            <translation>Remarque</translation>
        </message>
        <message>
            <source>Outlines</source>
            <translation>Contours</translation>
        </message>
        <message>
            <source>Own</source>
            <translation>Personnalisée</translation>
        </message>
        <message>
            <source>Picture of the scan</source>
            <translation>Image de l'examen</translation>
        </message>
        <message>
            <source>Plane</source>
            <translation>Plan</translation>
        </message>
        <message>
            <source>Position</source>
            <translation>Position</translation>
        </message>
        <message>
            <source>Preset</source>
            <translation>Préréglage</translation>
        </message>
        <message>
            <source>Review</source>
            <translation>Relecture</translation>
        </message>
        <message>
            <source>S {mm} mm</source>
            <translation>S {mm} mm</translation>
        </message>
        <message>
            <source>Sagittal</source>
            <translation>Sagittal</translation>
        </message>
        <message>
            <source>Sagittal, R {mm} mm</source>
            <translation>Sagittal, R {mm} mm</translation>
        </message>
        <message>
            <source>Scan</source>
            <translation>Examen</translation>
        </message>
        <message>
            <source>Slice</source>
            <translation>Coupe</translation>
        </message>
        <message>
            <source>Slice {slice}, S {mm} mm</source>
            <translation>Coupe {slice}, S {mm} mm</translation>
        </message>
        <message>
            <source>Soft tissue</source>
            <translation>Tissus mous</translation>
        </message>
        <message>
            <source>The other lesion is in the table.</source>
            <translation>L'autre lésion figure dans le tableau.</translation>
        </message>
        <message>
            <source>The other {count} lesions are in the table.</source>
            <translation>Les {count} autres lésions figurent dans le tableau.</translation>
        </message>
        <message>
            <source>The slices cannot be shown: this browser cannot read their pictures, or keeps them from the page to guard against fingerprinting. The key images are below; another browser may show the slices.</source>
            <translation>Les coupes ne peuvent pas être affichées : ce navigateur ne peut pas lire leurs images, ou ne les laisse pas lire à la page pour empêcher le pistage par empreinte numérique. Les images clés figurent plus bas ; un autre navigateur affichera peut-être les coupes.</translation>
        </message>
        <message>
            <source>The slices on which the largest lesions are measured.</source>
            <translation>Les coupes sur lesquelles les plus grandes lésions sont mesurées.</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>Durée</translation>
        </message>
        <message>
            <source>To surface</source>
            <translation>À la surface</translation>
        </message>
        <message>
            <source>Tumour burden</source>
            <translation>Charge tumorale</translation>
        </message>
        <message>
            <source>Unnamed scan</source>
            <translation>Examen sans nom</translation>
        </message>
        <message>
            <source>Viewer</source>
            <translation>Visionneuse</translation>
        </message>
        <message>
            <source>Volume</source>
            <translation>Volume</translation>
        </message>
        <message>
            <source>Wheel or arrow up and down: next slice. Page up and down: ten slices. Ctrl and wheel, plus and minus: zoom. 0: fit. Middle button, Shift and dragging, or Shift and arrows: move. O: outlines. N and P: next and previous lesion. Click: choose a lesion. Two fingers: zoom and move.</source>
            <translation>Molette ou flèches haut et bas : coupe suivante. Page haut et bas : dix coupes. Ctrl et molette, plus et moins : zoom. 0 : ajuster. Bouton du milieu, Maj et glisser, ou Maj et flèches : déplacer. O : contours. N et P : lésion suivante et précédente. Clic : choisir une lésion. Deux doigts : zoom et déplacement.</translation>
        </message>
        <message>
            <source>Width</source>
            <translation>Largeur</translation>
        </message>
        <message>
            <source>Window</source>
            <translation>Fenêtre</translation>
        </message>
        <message>
            <source>Window of the key images</source>
            <translation>Fenêtre des images clés</translation>
        </message>
        <message>
            <source>Zoom in</source>
            <translation>Agrandir</translation>
        </message>
        <message>
            <source>Zoom out</source>
            <translation>Réduire</translation>
        </message>
        <message>
            <source>en</source>
            <translation>fr</translation>
        </message>
        <message>
            <source>found</source>
            <translation>trouvées</translation>
        </message>
        <message>
            <source>found, {count} in doubt</source>
            <translation>trouvées, douteuses : {count}</translation>
        </message>
        <message>
            <source>in doubt</source>
            <translation>douteuse</translation>
        </message>
        <message>
            <source>lesion {numbers}</source>
            <translation>lésion {numbers}</translation>
        </message>
        <message>
            <source>lesions</source>
            <translation>lésions</translation>
        </message>
        <message>
            <source>lesions {numbers}</source>
            <translation>lésions {numbers}</translation>
        </message>
        <message>
            <source>liver</source>
            <translation>foie</translation>
        </message>
        <message>
            <source>liver and {lesions}</source>
            <translation>foie et {lesions}</translation>
        </message>
        <message>
            <source>longest diameter and the longest across it</source>
            <translation>plus grand diamètre et le plus grand qui lui est perpendiculaire</translation>
        </message>
        <message>
            <source>mL in all</source>
            <translation>mL au total</translation>
        </message>
        <message>
            <source>mm, axial</source>
            <translation>mm, axial</translation>
        </message>
        <message>
            <source>none found</source>
            <translation>aucune trouvée</translation>
        </message>
        <message>
            <source>{low} to {high} HU</source>
            <translation>{low} à {high} HU</translation>
        </message>
        <message>
            <source>{name}: liver and lesions</source>
            <translation>{name} : foie et lésions</translation>
        </message>
        <message>
            <source>{place}; diameters of {lesions}</source>
            <translation>{place} ; diamètres : {lesions}</translation>
        </message>
        <message>
            <source>{scan}, resampled to axial slices</source>
            <translation>{scan}, rééchantillonné en coupes axiales</translation>
        </message>
        <message>
            <source>{size} voxels of {spacing} mm</source>
            <translation>{size} voxels de {spacing} mm</translation>
        </message>
        <message>
            <source>{where}; lesions {lesions}</source>
            <translation>{where} ; lésions {lesions}</translation>
        </message>
    </context>
    <context>
        <name>gui.widgets</name>
        <message>
            <source>Liver Lesion Cascade</source>
            <translation>Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>{path} could not be written: {error}. Choose another folder.</source>
            <translation>{path} n'a pas pu être écrit : {error}. Choisissez un autre dossier.</translation>
        </message>
        <message>
            <source>{path} exists already. Overwrite it?</source>
            <translation>{path} existe déjà. L'écraser ?</translation>
        </message>
    </context>
    <context>
        <name>install.highdicom_installation</name>
        <message>
            <source>Install highdicom</source>
            <translation>Installer highdicom</translation>
        </message>
        <message>
            <source>The DICOM export needs the Python package highdicom, which is not installed.

Download it from the Python package index and install it into Slicer's Python?</source>
            <translation>L'export DICOM nécessite le paquet Python highdicom, qui n'est pas installé.

Voulez-vous le télécharger depuis l'index des paquets Python et l'installer dans le Python de Slicer ?</translation>
        </message>
        <message>
            <source>highdicom could not be installed: {reason}

Check the internet connection and the free disk space, or run with the PythonSlicer of this Slicer:
    PythonSlicer -m pip install "{requirement}"</source>
            <translation>highdicom n'a pas pu être installé : {reason}

Vérifiez la connexion internet et l'espace disque libre, ou exécutez avec le PythonSlicer de ce Slicer :
    PythonSlicer -m pip install "{requirement}"</translation>
        </message>
    </context>
    <context>
        <name>install.torch_installation</name>
        <message>
            <source>PyTorch could not be installed: {reason}

Check the internet connection, the proxy settings and the free disk space, then click Segment again. The Python console shows what the installation said.

{byHand}</source>
            <translation>PyTorch n'a pas pu être installé : {reason}

Vérifiez la connexion internet, les réglages du proxy et l'espace disque libre, puis cliquez de nouveau sur « Segmenter ». La console Python montre les messages de l'installation.

{byHand}</translation>
        </message>
        <message>
            <source>PyTorch {version} is installed, but {minimum} or newer is needed.

Open the module PyTorch Utils, click Uninstall PyTorch, restart Slicer, and click Segment again.</source>
            <translation>PyTorch {version} est installé, mais {minimum} ou plus récent est nécessaire.

Ouvrez le module PyTorch Utils, cliquez sur « Uninstall PyTorch », redémarrez Slicer et cliquez de nouveau sur « Segmenter ».</translation>
        </message>
        <message>
            <source>The networks need PyTorch, and the extension that installs it is missing.

Open View &gt; Extensions Manager, install the extension PyTorch, restart Slicer, and click Segment again.

{byHand}</source>
            <translation>Les réseaux nécessitent PyTorch, et l'extension qui l'installe est absente.

Ouvrez Affichage &gt; Gestionnaire d'extensions, installez l'extension PyTorch, redémarrez Slicer et cliquez de nouveau sur « Segmenter ».

{byHand}</translation>
        </message>
        <message>
            <source>Without internet connection: on a connected computer with the same operating system, run
    python -m pip download "torch&gt;={minimum}" --python-version {python} --only-binary=:all: -d torch-files
copy the folder torch-files to this computer, and run with the PythonSlicer of this Slicer
    PythonSlicer -m pip install --no-index --find-links torch-files torch</source>
            <translation>Sans connexion internet : sur un ordinateur connecté avec le même système d'exploitation, exécutez
    python -m pip download "torch&gt;={minimum}" --python-version {python} --only-binary=:all: -d torch-files
copiez le dossier torch-files sur cet ordinateur, et exécutez avec le PythonSlicer de ce Slicer
    PythonSlicer -m pip install --no-index --find-links torch-files torch</translation>
        </message>
    </context>
    <context>
        <name>lesions.lesion_columns</name>
        <message>
            <source>1 lesion of {volume:.1f} mL</source>
            <translation>1 lésion de {volume:.1f} mL</translation>
        </message>
        <message>
            <source>Accepted</source>
            <translation>Acceptée</translation>
        </message>
        <message>
            <source>Conf.</source>
            <translation>Conf.</translation>
        </message>
        <message>
            <source>Confidence: how likely this is a lesion, 0 to 1, by the network's mean probability in it</source>
            <translation>Confiance : vraisemblance d'une lésion, de 0 à 1, d'après la probabilité moyenne du réseau dans celle-ci</translation>
        </message>
        <message>
            <source>Diam.
mm</source>
            <translation>Diam.
mm</translation>
        </message>
        <message>
            <source>Flagged</source>
            <translation>Signalée</translation>
        </message>
        <message>
            <source>Lesion</source>
            <translation>Lésion</translation>
        </message>
        <message>
            <source>Longest diameter in any axial slice in mm, as RECIST 1.1, and the longest perpendicular to it there</source>
            <translation>Plus long diamètre dans une coupe axiale en mm, comme RECIST 1.1, et le plus long qui lui est perpendiculaire dans cette coupe</translation>
        </message>
        <message>
            <source>No lesion</source>
            <translation>Aucune lésion</translation>
        </message>
        <message>
            <source>Number, colour, and the name where it was given another</source>
            <translation>Numéro, couleur, et le nom si un autre a été donné</translation>
        </message>
        <message>
            <source>Rejected</source>
            <translation>Rejetée</translation>
        </message>
        <message>
            <source>To review</source>
            <translation>À évaluer</translation>
        </message>
        <message>
            <source>Vol.
mL</source>
            <translation>Vol.
mL</translation>
        </message>
        <message>
            <source>Volume of the segment in mL</source>
            <translation>Volume du segment en mL</translation>
        </message>
        <message>
            <source>Your verdict: ✓ accepted, ✗ rejected, ⚑ flagged, ? in doubt; ✎ edited</source>
            <translation>Votre verdict : ✓ acceptée, ✗ rejetée, ⚑ signalée, ? douteuse ; ✎ modifiée</translation>
        </message>
        <message>
            <source>liver {volume} mL</source>
            <translation>foie {volume} mL</translation>
        </message>
        <message>
            <source>tumour burden {percent:.1f} %</source>
            <translation>charge tumorale {percent:.1f} %</translation>
        </message>
        <message>
            <source>{count} lesions, {volume:.1f} mL together</source>
            <translation>{count} lésions, {volume:.1f} mL en tout</translation>
        </message>
        <message>
            <source>{count} rejected, not counted</source>
            <translation>rejetées, non comptées : {count}</translation>
        </message>
        <message>
            <source>{distance:.0f} mm from the liver's surface</source>
            <translation>à {distance:.0f} mm de la surface du foie</translation>
        </message>
        <message>
            <source>{long:.1f} x {short:.1f} mm in slice {number}</source>
            <translation>{long:.1f} x {short:.1f} mm dans la coupe {number}</translation>
        </message>
        <message>
            <source>{mean:.0f} HU, SD {sd:.0f}</source>
            <translation>{mean:.0f} HU, écart-type {sd:.0f}</translation>
        </message>
        <message>
            <source>{name}: no voxel</source>
            <translation>{name} : aucun voxel</translation>
        </message>
        <message>
            <source>{name}: {status}</source>
            <translation>{name} : {status}</translation>
        </message>
        <message>
            <source>{status}, edited</source>
            <translation>{status}, modifiée</translation>
        </message>
    </context>
    <context>
        <name>lesions.review_bar</name>
        <message>
            <source>Accept</source>
            <translation>Accepter</translation>
        </message>
        <message>
            <source>Come back to the selected lesion; click again to take it back</source>
            <translation>Revenir plus tard à la lésion sélectionnée ; cliquez de nouveau pour retirer</translation>
        </message>
        <message>
            <source>Flag</source>
            <translation>Signaler</translation>
        </message>
        <message>
            <source>Give the verdict again that was undone</source>
            <translation>Rétablir l'avis qui a été annulé</translation>
        </message>
        <message>
            <source>Go to the lesion without a verdict that is least certain</source>
            <translation>Aller à la lésion sans avis la moins certaine</translation>
        </message>
        <message>
            <source>Next unreviewed</source>
            <translation>Suivante sans avis</translation>
        </message>
        <message>
            <source>Next unreviewed ({count})</source>
            <translation>Suivante sans avis ({count})</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Refaire</translation>
        </message>
        <message>
            <source>Reject</source>
            <translation>Rejeter</translation>
        </message>
        <message>
            <source>Take the last verdict back</source>
            <translation>Retirer le dernier avis</translation>
        </message>
        <message>
            <source>The selected lesion is none: it no longer counts, but stays; click again to take it back</source>
            <translation>La lésion sélectionnée n'en est pas une : elle ne compte plus, mais reste ; cliquez de nouveau pour revenir en arrière</translation>
        </message>
        <message>
            <source>The selected lesion is right; click again to take it back</source>
            <translation>La lésion sélectionnée est correcte ; cliquez de nouveau pour revenir en arrière</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Défaire</translation>
        </message>
    </context>
    <context>
        <name>panel.bundle_choice</name>
        <message>
            <source>Choose a file...</source>
            <translation>Choisir un fichier...</translation>
        </message>
        <message>
            <source>Choose a folder...</source>
            <translation>Choisir un dossier...</translation>
        </message>
        <message>
            <source>The model {folder} cannot be read: choose another one in Advanced.</source>
            <translation>Le modèle {folder} ne peut pas être lu : choisissez-en un autre dans « Avancé ».</translation>
        </message>
        <message>
            <source>The model {folder} is not there: choose another one in Advanced.</source>
            <translation>Le modèle {folder} est introuvable : choisissez-en un autre dans « Avancé ».</translation>
        </message>
    </context>
    <context>
        <name>panel.device_choice</name>
        <message>
            <source>Automatic</source>
            <translation>Automatique</translation>
        </message>
        <message>
            <source>Processor (CPU)</source>
            <translation>Processeur (CPU)</translation>
        </message>
        <message>
            <source>{device} (cannot be used)</source>
            <translation>{device} (inutilisable)</translation>
        </message>
        <message>
            <source>{device} (not on this computer)</source>
            <translation>{device} (absent de cet ordinateur)</translation>
        </message>
    </context>
    <context>
        <name>panel.model_card_dialog</name>
        <message>
            <source>Model card of {bundle}</source>
            <translation>Fiche du modèle de {bundle}</translation>
        </message>
        <message>
            <source>The bundle in {folder} has no model card.</source>
            <translation>Le paquet de modèle dans {folder} n'a pas de fiche du modèle.</translation>
        </message>
        <message>
            <source>{path} cannot be read: {reason}</source>
            <translation>{path} ne peut pas être lu : {reason}</translation>
        </message>
    </context>
    <context>
        <name>panel.panel</name>
        <message>
            <source>PyTorch is needed to refine, and was not installed.</source>
            <translation>PyTorch est nécessaire pour affiner et n'a pas été installé.</translation>
        </message>
        <message>
            <source>{name} is done.</source>
            <translation>{name} est terminé.</translation>
        </message>
        <message>
            <source>{name} was cancelled.</source>
            <translation>{name} a été annulé.</translation>
        </message>
    </context>
    <context>
        <name>panel.panel_state</name>
        <message>
            <source>Cancel</source>
            <translation>Annuler</translation>
        </message>
        <message>
            <source>Cancelling...</source>
            <translation>Annulation...</translation>
        </message>
        <message>
            <source>Load a contrast-enhanced CT of the abdomen first.</source>
            <translation>Chargez d'abord une TDM abdominale avec injection de produit de contraste.</translation>
        </message>
        <message>
            <source>Segment</source>
            <translation>Segmenter</translation>
        </message>
        <message>
            <source>Segment the liver and its lesions in {name}</source>
            <translation>Segmenter le foie et ses lésions dans {name}</translation>
        </message>
        <message>
            <source>Segment {name} as soon as the runs before it are done</source>
            <translation>Segmenter {name} dès que les exécutions précédentes sont terminées</translation>
        </message>
        <message>
            <source>Select the CT volume to segment.</source>
            <translation>Sélectionnez le volume TDM à segmenter.</translation>
        </message>
        <message>
            <source>Stop segmenting {name}; the scene stays as it is</source>
            <translation>Arrêter la segmentation de {name} ; la scène reste telle quelle</translation>
        </message>
        <message>
            <source>The run is being cancelled.</source>
            <translation>L'exécution est en cours d'annulation.</translation>
        </message>
    </context>
    <context>
        <name>panel.questions</name>
        <message>
            <source>File of a model bundle</source>
            <translation>Fichier d'un paquet de modèle</translation>
        </message>
        <message>
            <source>Folder of a model bundle</source>
            <translation>Dossier d'un paquet de modèle</translation>
        </message>
        <message>
            <source>Keep it and put the new result into a new segmentation, or replace it? Segments that you added stay either way, and a replaced result can be brought back, with your edits, by Undo replace.</source>
            <translation>Voulez-vous le garder et mettre le nouveau résultat dans une nouvelle segmentation, ou le remplacer ? Les segments que vous avez ajoutés restent dans les deux cas, et un résultat remplacé peut être rétabli, avec vos modifications, par « Annuler le remplacement ».</translation>
        </message>
        <message>
            <source>Lay the views out for reading, with a large axial one? First results are treated alike from then on.</source>
            <translation>Disposer les vues pour la lecture, avec une grande vue axiale ? Les premiers résultats seront ensuite traités de même.</translation>
        </message>
        <message>
            <source>Liver Lesion Cascade</source>
            <translation>Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>New segmentation</source>
            <translation>Nouvelle segmentation</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>Remplacer</translation>
        </message>
        <message>
            <source>Segment again</source>
            <translation>Segmenter de nouveau</translation>
        </message>
        <message>
            <source>Show {name} in the slice views? Scans that you choose here later are treated alike.</source>
            <translation>Afficher {name} dans les vues de coupe ? Les scanners que vous choisirez ici plus tard seront traités de même.</translation>
        </message>
        <message>
            <source>{name} holds a result already.</source>
            <translation>{name} contient déjà un résultat.</translation>
        </message>
        <message>
            <source>{volume:.1f} mL of what you painted as lesion lie outside of the liver. Add them to the liver? Lesions outside of it count in the tumour burden, but the threshold and Refine look for lesions in the liver only.</source>
            <translation>{volume:.1f} mL de ce que vous avez peint comme lésion se trouvent hors du foie. Les ajouter au foie ? Les lésions hors du foie comptent dans la charge tumorale, mais le seuil et Affiner ne cherchent des lésions que dans le foie.</translation>
        </message>
    </context>
    <context>
        <name>panel.run_list</name>
        <message>
            <source>Cancelling</source>
            <translation>Annulation</translation>
        </message>
        <message>
            <source>Waiting</source>
            <translation>En attente</translation>
        </message>
    </context>
    <context>
        <name>registered.sample_data</name>
        <message>
            <source>The sample CT could not be loaded.</source>
            <translation>La TDM d'exemple n'a pas pu être chargée.</translation>
        </message>
    </context>
    <context>
        <name>registered.segment_statistics</name>
        <message>
            <source>Axial Diameter</source>
            <translation>Diamètre axial</translation>
        </message>
        <message>
            <source>Axial long axis</source>
            <translation>Grand axe axial</translation>
        </message>
        <message>
            <source>Axial short axis</source>
            <translation>Petit axe axial</translation>
        </message>
        <message>
            <source>Longest diameter in an axial slice, over all axial slices.</source>
            <translation>Plus grand diamètre dans une coupe axiale, sur toutes les coupes axiales.</translation>
        </message>
        <message>
            <source>Longest diameter perpendicular to the long axis, in the same slice.</source>
            <translation>Plus grand diamètre perpendiculaire au grand axe, dans la même coupe.</translation>
        </message>
        <message>
            <source>Slice of the axial diameters</source>
            <translation>Coupe des diamètres axiaux</translation>
        </message>
        <message>
            <source>Superior coordinate of the slice in which the axial diameters were measured.</source>
            <translation>Coordonnée supérieure (S) de la coupe dans laquelle les diamètres axiaux ont été mesurés.</translation>
        </message>
        <message>
            <source>mm</source>
            <translation>mm</translation>
        </message>
    </context>
    <context>
        <name>runs.progress_text</name>
        <message>
            <source>Carrying the corrections on to the next slices</source>
            <translation>Report des corrections sur les coupes voisines</translation>
        </message>
        <message>
            <source>Finding lesions</source>
            <translation>Recherche des lésions</translation>
        </message>
        <message>
            <source>Finding lesions again, from the first result</source>
            <translation>Nouvelle recherche des lésions à partir du premier résultat</translation>
        </message>
        <message>
            <source>Finding the liver</source>
            <translation>Recherche du foie</translation>
        </message>
        <message>
            <source>Fitting the outlines to the image (3D-CRF)</source>
            <translation>Ajustement des contours à l'image (3D-CRF)</translation>
        </message>
        <message>
            <source>Handing the scan over</source>
            <translation>Transmission du scanner</translation>
        </message>
        <message>
            <source>Loading the trained networks</source>
            <translation>Chargement des réseaux entraînés</translation>
        </message>
        <message>
            <source>Looking again at the corrected slices</source>
            <translation>Nouvel examen des coupes corrigées</translation>
        </message>
        <message>
            <source>Measuring liver and lesions</source>
            <translation>Mesure du foie et des lésions</translation>
        </message>
        <message>
            <source>Preparing the result</source>
            <translation>Préparation du résultat</translation>
        </message>
        <message>
            <source>Reading the scan</source>
            <translation>Lecture de l'examen</translation>
        </message>
        <message>
            <source>Starting (the first run after Slicer's start takes longer)</source>
            <translation>Démarrage (la première exécution après le lancement de Slicer dure plus longtemps)</translation>
        </message>
        <message>
            <source>a few seconds left</source>
            <translation>encore quelques secondes</translation>
        </message>
        <message>
            <source>about 1 minute left</source>
            <translation>encore environ 1 minute</translation>
        </message>
        <message>
            <source>about {minutes} minutes left</source>
            <translation>encore environ {minutes} minutes</translation>
        </message>
        <message>
            <source>about {seconds} s left</source>
            <translation>encore environ {seconds} s</translation>
        </message>
    </context>
    <context>
        <name>runs.run_request</name>
        <message>
            <source>No edit lies in {region}: choose Whole volume in Advanced, or move the region.</source>
            <translation>Aucune modification ne se trouve dans {region} : choisissez « Volume entier » dans « Avancé », ou déplacez la région.</translation>
        </message>
        <message>
            <source>Select the CT to segment.</source>
            <translation>Sélectionnez la TDM à segmenter.</translation>
        </message>
        <message>
            <source>The result is in the new node {name}. {reason}</source>
            <translation>Le résultat est dans le nouveau nœud {name}. {reason}</translation>
        </message>
        <message>
            <source>{name} was removed or is another result by now. Refine again.</source>
            <translation>{name} a été retiré ou est entre-temps un autre résultat. Affinez de nouveau.</translation>
        </message>
        <message>
            <source>{name} was removed.</source>
            <translation>{name} a été retiré.</translation>
        </message>
    </context>
    <context>
        <name>runs.segmentation_runs</name>
        <message>
            <source>The result of {name} could not be put into the scene because of an error in this extension.</source>
            <translation>Le résultat de {name} n'a pas pu être mis dans la scène à cause d'une erreur de cette extension.</translation>
        </message>
        <message>
            <source>{name} was removed while it was being segmented. Load it again and segment it again.</source>
            <translation>{name} a été retiré pendant sa segmentation. Chargez-le et segmentez-le de nouveau.</translation>
        </message>
    </context>
    <context>
        <name>sections.dividing_section</name>
        <message>
            <source>Merge</source>
            <translation>Fusionner</translation>
        </message>
        <message>
            <source>Merge ({count})</source>
            <translation>Fusionner ({count})</translation>
        </message>
        <message>
            <source>Move the slider to see the parts.</source>
            <translation>Déplacez le curseur pour voir les parties.</translation>
        </message>
        <message>
            <source>One lesion was made of {count}.</source>
            <translation>Une seule lésion a été faite de {count}.</translation>
        </message>
        <message>
            <source>Preview: {count} parts of {volumes} mL.</source>
            <translation>Aperçu : {count} parties de {volumes} mL.</translation>
        </message>
        <message>
            <source>Select a lesion to split it, several rows to merge them.</source>
            <translation>Sélectionnez une lésion pour la diviser, plusieurs lignes pour les fusionner.</translation>
        </message>
        <message>
            <source>This lesion has no neck. Cut it with Scissors or Erase in the Segment Editor, then use Split at gaps.</source>
            <translation>Cette lésion n'a pas de rétrécissement. Coupez-la aux ciseaux ou à la gomme dans le Segment Editor, puis « Diviser aux interruptions ».</translation>
        </message>
        <message>
            <source>{count} lesions were made of one.</source>
            <translation>{count} lésions ont été faites d'une seule.</translation>
        </message>
    </context>
    <context>
        <name>sections.follow_up_section</name>
        <message>
            <source>Change</source>
            <translation>Variation</translation>
        </message>
        <message>
            <source>Comparing...</source>
            <translation>Comparaison...</translation>
        </message>
        <message>
            <source>Earlier</source>
            <translation>Antérieur</translation>
        </message>
        <message>
            <source>Export follow-up table</source>
            <translation>Exporter le tableau de suivi</translation>
        </message>
        <message>
            <source>Long axis (mm)</source>
            <translation>Grand axe (mm)</translation>
        </message>
        <message>
            <source>Match</source>
            <translation>Correspondance</translation>
        </message>
        <message>
            <source>None: gone</source>
            <translation>Aucune : disparue</translation>
        </message>
        <message>
            <source>None: new</source>
            <translation>Aucune : nouvelle</translation>
        </message>
        <message>
            <source>Now</source>
            <translation>Actuel</translation>
        </message>
        <message>
            <source>Place in the scene</source>
            <translation>Position dans la scène</translation>
        </message>
        <message>
            <source>Rejected lesions left out: {count}.</source>
            <translation>Lésions rejetées laissées de côté : {count}.</translation>
        </message>
        <message>
            <source>Shape of the livers (rigid)</source>
            <translation>Forme des foies (rigide)</translation>
        </message>
        <message>
            <source>Sum of long diameters</source>
            <translation>Somme des grands diamètres</translation>
        </message>
        <message>
            <source>Table (*.csv)</source>
            <translation>Tableau (*.csv)</translation>
        </message>
        <message>
            <source>The livers' surfaces lie {distance:.1f} mm apart after alignment (median).</source>
            <translation>Les surfaces des foies sont à {distance:.1f} mm l'une de l'autre après l'alignement (médiane).</translation>
        </message>
        <message>
            <source>Transform</source>
            <translation>Transformation</translation>
        </message>
        <message>
            <source>Volume (mL)</source>
            <translation>Volume (mL)</translation>
        </message>
        <message>
            <source>Volume of all lesions</source>
            <translation>Volume de toutes les lésions</translation>
        </message>
        <message>
            <source>Which lesion this is at the other time point. Unless you choose, it is a proposal.</source>
            <translation>De quelle lésion il s'agit à l'autre date. Tant que vous ne choisissez pas, c'est une proposition.</translation>
        </message>
        <message>
            <source>Written to {path}.</source>
            <translation>Écrit dans {path}.</translation>
        </message>
        <message>
            <source>chosen</source>
            <translation>choisie</translation>
        </message>
        <message>
            <source>gone</source>
            <translation>disparue</translation>
        </message>
        <message>
            <source>merged into {name}</source>
            <translation>fusionnée avec {name}</translation>
        </message>
        <message>
            <source>new</source>
            <translation>nouvelle</translation>
        </message>
        <message>
            <source>new, chosen</source>
            <translation>nouvelle, choisie</translation>
        </message>
        <message>
            <source>proposed</source>
            <translation>proposée</translation>
        </message>
        <message>
            <source>split from {name}</source>
            <translation>séparée de {name}</translation>
        </message>
        <message>
            <source>{count} gone</source>
            <translation>disparues : {count}</translation>
        </message>
        <message>
            <source>{count} matched</source>
            <translation>appariées : {count}</translation>
        </message>
        <message>
            <source>{count} merged</source>
            <translation>fusionnées : {count}</translation>
        </message>
        <message>
            <source>{count} new</source>
            <translation>nouvelles : {count}</translation>
        </message>
        <message>
            <source>{count} split off</source>
            <translation>séparées : {count}</translation>
        </message>
        <message>
            <source>{title}: {values} {unit}, change {difference}</source>
            <translation>{title} : {values} {unit}, variation {difference}</translation>
        </message>
    </context>
    <context>
        <name>sections.refine_section</name>
        <message>
            <source>Cancel</source>
            <translation>Annuler</translation>
        </message>
        <message>
            <source>Carry what you painted and erased on to the neighbouring slices; shown first, changed when you accept</source>
            <translation>Étendre ce que vous avez peint et effacé aux coupes voisines ; montré d'abord, modifié lorsque vous acceptez</translation>
        </message>
        <message>
            <source>Lesions: {added:.1f} mL added (green), {removed:.1f} mL removed (red); {new} new, {gone} gone.</source>
            <translation>Lésions : {added:.1f} mL ajoutés (vert), {removed:.1f} mL retirés (rouge) ; nouvelles : {new}, disparues : {gone}.</translation>
        </message>
        <message>
            <source>Liver: {added:.1f} mL added (blue), {removed:.1f} mL removed (orange).</source>
            <translation>Foie : {added:.1f} mL ajoutés (bleu), {removed:.1f} mL retirés (orange).</translation>
        </message>
        <message>
            <source>Nothing more would change.</source>
            <translation>Plus rien ne changerait.</translation>
        </message>
        <message>
            <source>Paint a missed lesion or erase a false one in one slice first</source>
            <translation>Peignez d'abord une lésion manquée ou effacez une fausse lésion sur une coupe</translation>
        </message>
        <message>
            <source>Refine from edits</source>
            <translation>Affiner d'après les modifications</translation>
        </message>
        <message>
            <source>Starting</source>
            <translation>Démarrage</translation>
        </message>
        <message>
            <source>That is much for the {painted:.1f} mL that you painted: go through its slices first.</source>
            <translation>C'est beaucoup pour les {painted:.1f} mL que vous avez peints : parcourez d'abord ses coupes.</translation>
        </message>
        <message>
            <source>What you painted, erased or reviewed stays as it is.</source>
            <translation>Ce que vous avez peint, effacé ou évalué reste tel quel.</translation>
        </message>
        <message>
            <source>{stage}: {percent} %</source>
            <translation>{stage} : {percent} %</translation>
        </message>
    </context>
    <context>
        <name>sections.report_section</name>
        <message>
            <source>DICOM measurement report (*.dcm)</source>
            <translation>Rapport de mesures DICOM (*.dcm)</translation>
        </message>
        <message>
            <source>DICOM segmentation (*.dcm)</source>
            <translation>Segmentation DICOM (*.dcm)</translation>
        </message>
        <message>
            <source>No DICOM export: {reason}</source>
            <translation>Pas d'export DICOM : {reason}</translation>
        </message>
        <message>
            <source>Rejected lesions were left out: {names}.</source>
            <translation>Les lésions rejetées ont été laissées de côté : {names}.</translation>
        </message>
        <message>
            <source>Report (*.html)</source>
            <translation>Rapport (*.html)</translation>
        </message>
        <message>
            <source>Table (*.csv)</source>
            <translation>Tableau (*.csv)</translation>
        </message>
        <message>
            <source>The segmentation that it measures is in {path}.</source>
            <translation>La segmentation qu'il mesure est dans {path}.</translation>
        </message>
        <message>
            <source>Write report</source>
            <translation>Écrire le rapport</translation>
        </message>
        <message>
            <source>Writing the report...</source>
            <translation>Écriture du rapport...</translation>
        </message>
        <message>
            <source>Written to {path}.</source>
            <translation>Écrit dans {path}.</translation>
        </message>
    </context>
    <context>
        <name>sections.result_summary</name>
        <message>
            <source>Cannot be segmented:</source>
            <translation>Ne peut pas être segmenté :</translation>
        </message>
        <message>
            <source>For information:</source>
            <translation>Pour information :</translation>
        </message>
        <message>
            <source>Made in {seconds:.0f} s on {device}</source>
            <translation>Réalisé en {seconds:.0f} s sur {device}</translation>
        </message>
        <message>
            <source>Please note:</source>
            <translation>Veuillez noter :</translation>
        </message>
        <message>
            <source>the graphics card (GPU)</source>
            <translation>la carte graphique (GPU)</translation>
        </message>
        <message>
            <source>the graphics processor</source>
            <translation>le processeur graphique</translation>
        </message>
        <message>
            <source>the processor (CPU)</source>
            <translation>le processeur (CPU)</translation>
        </message>
    </context>
    <context>
        <name>sections.threshold_section</name>
        <message>
            <source>Lesions that you edited, refined, split, merged, reviewed or added stay as they are: {count}.</source>
            <translation>Les lésions que vous avez modifiées, affinées, divisées, fusionnées, revues ou ajoutées restent telles quelles : {count}.</translation>
        </message>
        <message>
            <source>No probabilities are stored with this result. Segment the volume again to try thresholds.</source>
            <translation>Aucune probabilité n'est enregistrée avec ce résultat. Segmentez de nouveau le volume pour essayer des seuils.</translation>
        </message>
        <message>
            <source>Preview (yellow): 1 lesion, {volume:.1f} mL.</source>
            <translation>Aperçu (jaune) : 1 lésion, {volume:.1f} mL.</translation>
        </message>
        <message>
            <source>Preview (yellow): {count} lesions, {volume:.1f} mL.</source>
            <translation>Aperçu (jaune) : {count} lésions, {volume:.1f} mL.</translation>
        </message>
        <message>
            <source>The segment of the liver was deleted: lesions are looked for within it only.</source>
            <translation>Le segment du foie a été supprimé : les lésions ne sont recherchées qu'à l'intérieur de celui-ci.</translation>
        </message>
    </context>
</TS>
