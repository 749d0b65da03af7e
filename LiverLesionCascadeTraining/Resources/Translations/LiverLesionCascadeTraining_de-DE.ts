<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de-DE" sourcelanguage="en-US">
    <context>
        <name>LiverLesionCascadeTraining</name>
        <message>
            <source>A pseudonym, the same for all scans of a patient, so that they are never split between training and validation. No names or hospital numbers: it is written into the folder. Empty: a patient of its own</source>
            <translation>Ein Pseudonym, für alle Aufnahmen eines Patienten dasselbe, damit sie nie auf Training und Validierung verteilt werden. Keine Namen oder Patientennummern: Es wird in den Ordner geschrieben. Leer: ein eigener Patient</translation>
        </message>
        <message>
            <source>Add this case</source>
            <translation>Diesen Fall hinzufügen</translation>
        </message>
        <message>
            <source>An evaluation is at work</source>
            <translation>Eine Auswertung läuft</translation>
        </message>
        <message>
            <source>CT volume:</source>
            <translation>CT-Volumen:</translation>
        </message>
        <message>
            <source>Check data</source>
            <translation>Daten prüfen</translation>
        </message>
        <message>
            <source>Check the data, then train</source>
            <translation>Die Daten prüfen, dann trainieren</translation>
        </message>
        <message>
            <source>Choose the folder of training cases.</source>
            <translation>Wählen Sie den Ordner mit den Trainingsfällen.</translation>
        </message>
        <message>
            <source>Copy the model to a folder of your choice</source>
            <translation>Das Modell in einen Ordner Ihrer Wahl kopieren</translation>
        </message>
        <message>
            <source>Device:</source>
            <translation>Gerät:</translation>
        </message>
        <message>
            <source>Evaluate</source>
            <translation>Auswerten</translation>
        </message>
        <message>
            <source>Evaluate on:</source>
            <translation>Auswerten an:</translation>
        </message>
        <message>
            <source>Export bundle...</source>
            <translation>Modellpaket exportieren...</translation>
        </message>
        <message>
            <source>Folder for checkpoints, curves and the model. A folder with an interrupted training goes on, one with a training at work shows it</source>
            <translation>Ordner für Zwischenstände, Kurven und das Modell. Ein Ordner mit unterbrochenem Training wird fortgesetzt, ein laufendes Training wird angezeigt</translation>
        </message>
        <message>
            <source>Folder for the model</source>
            <translation>Ordner für das Modell</translation>
        </message>
        <message>
            <source>Folder of a model bundle whose networks are trained on. Empty: from the beginning</source>
            <translation>Ordner eines Modellpakets, dessen Netze weitertrainiert werden. Leer: von Anfang an</translation>
        </message>
        <message>
            <source>Folder of cases of other patients, on which the progress is measured. Empty: a tenth of the patients is drawn, or the data set's own are taken</source>
            <translation>Ordner mit Fällen anderer Patienten, an denen der Fortschritt gemessen wird. Leer: Ein Zehntel der Patienten wird ausgelost, oder die eigenen des Datensatzes werden genommen</translation>
        </message>
        <message>
            <source>Folder of labelled CTs that the model has not seen, or a prepared data set, of which the validation cases are taken</source>
            <translation>Ordner mit annotierten CTs, die das Modell nicht gesehen hat, oder ein vorbereiteter Datensatz, dessen Validierungsfälle genommen werden</translation>
        </message>
        <message>
            <source>Folder of labelled CTs: LiTS (volume-N.nii.gz with segmentation-N.nii.gz), Medical Segmentation Decathlon, CT with .seg.nrrd saved from Slicer, DICOM CT with DICOM SEG, or a prepared data set</source>
            <translation>Ordner mit annotierten CTs: LiTS (volume-N.nii.gz mit segmentation-N.nii.gz), Medical Segmentation Decathlon, CT mit aus Slicer gespeicherter .seg.nrrd, DICOM-CT mit DICOM SEG, oder ein vorbereiteter Datensatz</translation>
        </message>
        <message>
            <source>Folder that the case is added to, as volume-N.nii.gz and segmentation-N.nii.gz; nothing in it is overwritten</source>
            <translation>Ordner, zu dem der Fall als volume-N.nii.gz und segmentation-N.nii.gz hinzugefügt wird; nichts darin wird überschrieben</translation>
        </message>
        <message>
            <source>Go on when Slicer is closed</source>
            <translation>Weiterlaufen, wenn Slicer endet</translation>
        </message>
        <message>
            <source>Its corrected segmentation: liver and lesions are found by their terminology, then by their names</source>
            <translation>Dessen korrigierte Segmentierung: Leber und Läsionen werden an ihrer Terminologie erkannt, sonst an ihren Namen</translation>
        </message>
        <message>
            <source>Lesion Dice</source>
            <translation>Dice der Läsionen</translation>
        </message>
        <message>
            <source>Liver Dice</source>
            <translation>Dice der Leber</translation>
        </message>
        <message>
            <source>Liver Lesion Cascade Training</source>
            <translation>Liver Lesion Cascade Training</translation>
        </message>
        <message>
            <source>Loss</source>
            <translation>Verlust</translation>
        </message>
        <message>
            <source>Measures of each case and their means</source>
            <translation>Messwerte jedes Falls und ihre Mittelwerte</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>Modell</translation>
        </message>
        <message>
            <source>Model:</source>
            <translation>Modell:</translation>
        </message>
        <message>
            <source>Network whose curves and slices are shown</source>
            <translation>Netz, dessen Kurven und Schichten gezeigt werden</translation>
        </message>
        <message>
            <source>Outlines of the liver and, within it, of lesions</source>
            <translation>Umrisse der Leber und, darin, der Läsionen</translation>
        </message>
        <message>
            <source>Patient:</source>
            <translation>Patient:</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Pause</translation>
        </message>
        <message>
            <source>Pause after this step, or go on</source>
            <translation>Nach diesem Schritt pausieren oder weitermachen</translation>
        </message>
        <message>
            <source>Read all cases and report what they are and what is wrong with them; nothing is trained</source>
            <translation>Alle Fälle lesen und berichten, was sie sind und was an ihnen falsch ist; es wird nichts trainiert</translation>
        </message>
        <message>
            <source>Recipe:</source>
            <translation>Rezept:</translation>
        </message>
        <message>
            <source>Report on the data</source>
            <translation>Bericht über die Daten</translation>
        </message>
        <message>
            <source>Results of an evaluation</source>
            <translation>Ergebnisse einer Auswertung</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>Fortsetzen</translation>
        </message>
        <message>
            <source>Run folder:</source>
            <translation>Laufordner:</translation>
        </message>
        <message>
            <source>Save the last step and end the training; it can be continued</source>
            <translation>Den letzten Schritt speichern und das Training beenden; es kann fortgesetzt werden</translation>
        </message>
        <message>
            <source>Segment every case with the model and compare with its reference</source>
            <translation>Jeden Fall mit dem Modell segmentieren und mit seiner Referenz vergleichen</translation>
        </message>
        <message>
            <source>Segment with this model in the module Liver Lesion Cascade</source>
            <translation>Mit diesem Modell im Modul Liver Lesion Cascade segmentieren</translation>
        </message>
        <message>
            <source>Segmentation:</source>
            <translation>Segmentierung:</translation>
        </message>
        <message>
            <source>Show curves</source>
            <translation>Kurven anzeigen</translation>
        </message>
        <message>
            <source>Show loss and validation Dice in the plot view and keep them up to date</source>
            <translation>Verlust und Dice der Validierung in der Diagrammansicht zeigen und aktuell halten</translation>
        </message>
        <message>
            <source>Start from model:</source>
            <translation>Start mit Modell:</translation>
        </message>
        <message>
            <source>Start training</source>
            <translation>Training starten</translation>
        </message>
        <message>
            <source>Steps of the network that is being trained</source>
            <translation>Schritte des Netzes, das trainiert wird</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>Beenden</translation>
        </message>
        <message>
            <source>The CT of the case</source>
            <translation>Das CT des Falls</translation>
        </message>
        <message>
            <source>The cascade of residual networks is that of Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</source>
            <translation>Die Kaskade residualer Netze ist die von Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</translation>
        </message>
        <message>
            <source>The model that is evaluated, exported and used</source>
            <translation>Das Modell, das ausgewertet, exportiert und verwendet wird</translation>
        </message>
        <message>
            <source>The training goes on when Slicer is closed, and is found again the next time. Otherwise it is stopped then, its last step saved</source>
            <translation>Das Training läuft weiter, wenn Slicer geschlossen wird, und wird beim nächsten Mal wiedergefunden. Sonst wird es dann beendet und sein letzter Schritt gespeichert</translation>
        </message>
        <message>
            <source>Time left, speed, device and memory</source>
            <translation>Restzeit, Geschwindigkeit, Gerät und Speicher</translation>
        </message>
        <message>
            <source>Training</source>
            <translation>Training</translation>
        </message>
        <message>
            <source>Training cases:</source>
            <translation>Trainingsfälle:</translation>
        </message>
        <message>
            <source>Training folder:</source>
            <translation>Trainingsordner:</translation>
        </message>
        <message>
            <source>Trains the cascade of the Liver Lesion Cascade module on cases of your own, and evaluates it. Choose a folder of labelled CTs and a run folder, and click Start training. Add this case collects cases that were corrected in Slicer.</source>
            <translation>Trainiert die Kaskade des Moduls Liver Lesion Cascade mit Ihren eigenen Fällen und wertet sie aus. Wählen Sie einen Ordner mit annotierten CTs und einen Laufordner und klicken Sie auf „Training starten“. „Diesen Fall hinzufügen“ sammelt Fälle, die in Slicer korrigiert wurden.</translation>
        </message>
        <message>
            <source>Use in Liver Lesion Cascade</source>
            <translation>In Liver Lesion Cascade verwenden</translation>
        </message>
        <message>
            <source>Validation cases:</source>
            <translation>Validierungsfälle:</translation>
        </message>
        <message>
            <source>Validation slices. Blue: reference. Orange: network.</source>
            <translation>Validierungsschichten. Blau: Referenz. Orange: Netz.</translation>
        </message>
        <message>
            <source>What the data hold, or what is wrong with them; after a training ended unexpectedly, its last output</source>
            <translation>Was die Daten enthalten oder was an ihnen falsch ist; nach einem unerwarteten Ende des Trainings dessen letzte Ausgabe</translation>
        </message>
        <message>
            <source>What the training does</source>
            <translation>Was das Training tut</translation>
        </message>
        <message>
            <source>What was done, or what is missing</source>
            <translation>Was getan wurde oder was fehlt</translation>
        </message>
        <message>
            <source>What was done, or what went wrong</source>
            <translation>Was getan wurde oder was schiefging</translation>
        </message>
        <message>
            <source>What went wrong</source>
            <translation>Was schiefging</translation>
        </message>
        <message>
            <source>Where the networks are trained; auto takes the first graphics card that works, else the processor</source>
            <translation>Wo die Netze trainiert werden; auto nimmt die erste funktionierende Grafikkarte, sonst den Prozessor</translation>
        </message>
        <message>
            <source>Why a training cannot be started</source>
            <translation>Warum kein Training gestartet werden kann</translation>
        </message>
        <message>
            <source>Write CT and segmentation into the training folder</source>
            <translation>CT und Segmentierung in den Trainingsordner schreiben</translation>
        </message>
        <message>
            <source>compact: networks like the shipped ones, trained in hours on a graphics card. paper: the full width and schedule of Bi et al., days on a CUDA workstation</source>
            <translation>compact: Netze wie die mitgelieferten, in Stunden auf einer Grafikkarte trainiert. paper: volle Breite und voller Zeitplan von Bi et al., Tage auf einer CUDA-Workstation</translation>
        </message>
    </context>
    <context>
        <name>gui.case_panel</name>
        <message>
            <source>Added as case {name} to {folder}.</source>
            <translation>Als Fall {name} zu {folder} hinzugefügt.</translation>
        </message>
        <message>
            <source>Choose its corrected segmentation.</source>
            <translation>Wählen Sie dessen korrigierte Segmentierung.</translation>
        </message>
        <message>
            <source>Choose the CT volume.</source>
            <translation>Wählen Sie das CT-Volumen.</translation>
        </message>
        <message>
            <source>Choose the training folder that the case is added to.</source>
            <translation>Wählen Sie den Trainingsordner, zu dem der Fall hinzugefügt wird.</translation>
        </message>
        <message>
            <source>Left out, neither liver nor lesion: {names}.</source>
            <translation>Ausgelassen, weder Leber noch Läsion: {names}.</translation>
        </message>
        <message>
            <source>Not added: {reason}</source>
            <translation>Nicht hinzugefügt: {reason}</translation>
        </message>
        <message>
            <source>Write CT and segmentation into the training folder</source>
            <translation>CT und Segmentierung in den Trainingsordner schreiben</translation>
        </message>
        <message>
            <source>Writing the case</source>
            <translation>Fall wird geschrieben</translation>
        </message>
        <message>
            <source>it left no message</source>
            <translation>er hat keine Meldung hinterlassen</translation>
        </message>
    </context>
    <context>
        <name>gui.curve_view</name>
        <message>
            <source>Lesion Dice</source>
            <translation>Dice der Läsionen</translation>
        </message>
        <message>
            <source>Liver Dice</source>
            <translation>Dice der Leber</translation>
        </message>
        <message>
            <source>Loss</source>
            <translation>Verlust</translation>
        </message>
        <message>
            <source>Loss, Dice</source>
            <translation>Verlust, Dice</translation>
        </message>
        <message>
            <source>Training curves</source>
            <translation>Trainingskurven</translation>
        </message>
        <message>
            <source>Training loss</source>
            <translation>Verlust im Training</translation>
        </message>
        <message>
            <source>Training validation</source>
            <translation>Validierung im Training</translation>
        </message>
    </context>
    <context>
        <name>gui.result_panel</name>
        <message>
            <source>A training has to finish first</source>
            <translation>Zuerst muss ein Training abgeschlossen sein</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>Abbrechen</translation>
        </message>
        <message>
            <source>Cancelled</source>
            <translation>Abgebrochen</translation>
        </message>
        <message>
            <source>Choose a folder of cases to evaluate on</source>
            <translation>Wählen Sie einen Ordner mit Fällen zur Auswertung</translation>
        </message>
        <message>
            <source>Copy the model to a folder of your choice</source>
            <translation>Das Modell in einen Ordner Ihrer Wahl kopieren</translation>
        </message>
        <message>
            <source>Evaluate</source>
            <translation>Auswerten</translation>
        </message>
        <message>
            <source>Evaluating.</source>
            <translation>Auswertung läuft.</translation>
        </message>
        <message>
            <source>Evaluating. {progress}</source>
            <translation>Auswertung läuft. {progress}</translation>
        </message>
        <message>
            <source>Segment every case with the model and compare with its reference</source>
            <translation>Jeden Fall mit dem Modell segmentieren und mit seiner Referenz vergleichen</translation>
        </message>
        <message>
            <source>Segment with this model in the module Liver Lesion Cascade</source>
            <translation>Mit diesem Modell im Modul Liver Lesion Cascade segmentieren</translation>
        </message>
        <message>
            <source>The evaluation could not be started: {reason}</source>
            <translation>Die Auswertung konnte nicht gestartet werden: {reason}</translation>
        </message>
        <message>
            <source>The evaluation failed: {reason}</source>
            <translation>Die Auswertung ist fehlgeschlagen: {reason}</translation>
        </message>
        <message>
            <source>The model is in {folder}</source>
            <translation>Das Modell liegt in {folder}</translation>
        </message>
        <message>
            <source>The model that comes with the extension, until a training has finished</source>
            <translation>Das Modell, das mit der Erweiterung kommt, bis ein Training abgeschlossen ist</translation>
        </message>
        <message>
            <source>it left no message</source>
            <translation>er hat keine Meldung hinterlassen</translation>
        </message>
        <message>
            <source>{folder} cannot be written ({reason}): choose a folder that you can write to.</source>
            <translation>{folder} ist nicht beschreibbar ({reason}): Wählen Sie einen Ordner, in den Sie schreiben können.</translation>
        </message>
        <message>
            <source>{folder} exists already: choose another folder.</source>
            <translation>{folder} existiert bereits: Wählen Sie einen anderen Ordner.</translation>
        </message>
        <message>
            <source>{model} in {folder}</source>
            <translation>{model} in {folder}</translation>
        </message>
    </context>
    <context>
        <name>gui.status_text</name>
        <message>
            <source>1 minute</source>
            <translation>1 Minute</translation>
        </message>
        <message>
            <source>Finished: the model can be evaluated, exported and used.</source>
            <translation>Abgeschlossen: Das Modell kann ausgewertet, exportiert und verwendet werden.</translation>
        </message>
        <message>
            <source>GPU memory {gigabytes:.1f} GB</source>
            <translation>GPU-Speicher {gigabytes:.1f} GB</translation>
        </message>
        <message>
            <source>Lesion network, from the image alone</source>
            <translation>Läsionsnetz, allein aus dem Bild</translation>
        </message>
        <message>
            <source>Lesion network, with estimates and corrections</source>
            <translation>Läsionsnetz, mit Schätzungen und Korrekturen</translation>
        </message>
        <message>
            <source>Liver network</source>
            <translation>Lebernetz</translation>
        </message>
        <message>
            <source>Liver network without part {number} of the patients</source>
            <translation>Lebernetz ohne Teil {number} der Patienten</translation>
        </message>
        <message>
            <source>Paused. {job}: {step}</source>
            <translation>Pausiert. {job}: {step}</translation>
        </message>
        <message>
            <source>Preparing the slices</source>
            <translation>Schichten werden vorbereitet</translation>
        </message>
        <message>
            <source>Stopped and saved: Continue training goes on from here.</source>
            <translation>Beendet und gespeichert: „Training fortsetzen“ macht von hier aus weiter.</translation>
        </message>
        <message>
            <source>The training failed: {message}</source>
            <translation>Das Training ist fehlgeschlagen: {message}</translation>
        </message>
        <message>
            <source>The training's process has ended unexpectedly: {message}</source>
            <translation>Der Prozess des Trainings wurde unerwartet beendet: {message}</translation>
        </message>
        <message>
            <source>about {duration} left</source>
            <translation>noch etwa {duration}</translation>
        </message>
        <message>
            <source>device {device}</source>
            <translation>Gerät {device}</translation>
        </message>
        <message>
            <source>half a minute</source>
            <translation>eine halbe Minute</translation>
        </message>
        <message>
            <source>it left no message</source>
            <translation>er hat keine Meldung hinterlassen</translation>
        </message>
        <message>
            <source>step {step} of {steps}</source>
            <translation>Schritt {step} von {steps}</translation>
        </message>
        <message>
            <source>{days} days</source>
            <translation>{days} Tage</translation>
        </message>
        <message>
            <source>{hours} h {minutes} min</source>
            <translation>{hours} h {minutes} min</translation>
        </message>
        <message>
            <source>{job}: validating at {step}</source>
            <translation>{job}: Validierung bei {step}</translation>
        </message>
        <message>
            <source>{job}: {step}</source>
            <translation>{job}: {step}</translation>
        </message>
        <message>
            <source>{minutes} minutes</source>
            <translation>{minutes} Minuten</translation>
        </message>
        <message>
            <source>{number:.1f} images/s</source>
            <translation>{number:.1f} Bilder/s</translation>
        </message>
    </context>
    <context>
        <name>gui.training_panel</name>
        <message>
            <source>Checking the data</source>
            <translation>Daten werden geprüft</translation>
        </message>
        <message>
            <source>Checking the data: {case}</source>
            <translation>Daten werden geprüft: {case}</translation>
        </message>
        <message>
            <source>Not started: {count} problem(s) in the data, listed below.</source>
            <translation>Nicht gestartet: {count} Problem(e) in den Daten, siehe unten.</translation>
        </message>
        <message>
            <source>The check of the data could not be started: {reason}</source>
            <translation>Die Prüfung der Daten konnte nicht gestartet werden: {reason}</translation>
        </message>
        <message>
            <source>The data could not be checked: {reason}</source>
            <translation>Die Daten konnten nicht geprüft werden: {reason}</translation>
        </message>
        <message>
            <source>The network that is being trained</source>
            <translation>Das Netz, das trainiert wird</translation>
        </message>
        <message>
            <source>no message</source>
            <translation>keine Meldung</translation>
        </message>
    </context>
    <context>
        <name>gui.training_state</name>
        <message>
            <source>A training is at work in this run folder</source>
            <translation>In diesem Laufordner arbeitet ein Training</translation>
        </message>
        <message>
            <source>Check the data, then train; it goes on when this module is closed</source>
            <translation>Die Daten prüfen, dann trainieren; es läuft weiter, wenn dieses Modul geschlossen wird</translation>
        </message>
        <message>
            <source>Choose a folder for the training's files.</source>
            <translation>Wählen Sie einen Ordner für die Dateien des Trainings.</translation>
        </message>
        <message>
            <source>Choose the folder of training cases.</source>
            <translation>Wählen Sie den Ordner mit den Trainingsfällen.</translation>
        </message>
        <message>
            <source>Continue training</source>
            <translation>Training fortsetzen</translation>
        </message>
        <message>
            <source>Go on from the last checkpoint in the run folder</source>
            <translation>Vom letzten Zwischenstand im Laufordner aus weitermachen</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>Pause</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>Fortsetzen</translation>
        </message>
        <message>
            <source>Start training</source>
            <translation>Training starten</translation>
        </message>
        <message>
            <source>The data are being checked</source>
            <translation>Die Daten werden geprüft</translation>
        </message>
        <message>
            <source>The folder of training cases {folder} does not exist.</source>
            <translation>Der Ordner mit Trainingsfällen {folder} existiert nicht.</translation>
        </message>
        <message>
            <source>The folder of validation cases {folder} does not exist.</source>
            <translation>Der Ordner mit Validierungsfällen {folder} existiert nicht.</translation>
        </message>
        <message>
            <source>The training in this run folder has finished: choose another run folder for the next one</source>
            <translation>Das Training in diesem Laufordner ist abgeschlossen: Wählen Sie für das nächste einen anderen Laufordner</translation>
        </message>
        <message>
            <source>{folder} holds no model to start from: choose the folder of a bundle, or none.</source>
            <translation>{folder} enthält kein Modell, von dem aus gestartet werden kann: Wählen Sie den Ordner eines Modellpakets oder keinen.</translation>
        </message>
    </context>
</TS>
