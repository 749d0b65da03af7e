<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de-DE" sourcelanguage="en-US">
    <context>
        <name>LiverLesionCascade</name>
        <message>
            <source> mm</source>
            <translation> mm</translation>
        </message>
        <message>
            <source>Adjust outlines to the image</source>
            <translation>Umrisse an das Bild anpassen</translation>
        </message>
        <message>
            <source>Advanced</source>
            <translation>Erweitert</translation>
        </message>
        <message>
            <source>All segments</source>
            <translation>Alle Segmente</translation>
        </message>
        <message>
            <source>Also add volumes that show how sure the networks are, voxel by voxel</source>
            <translation>Auch Volumen hinzufügen, die Voxel für Voxel zeigen, wie sicher die Netze sind</translation>
        </message>
        <message>
            <source>As published (slow)</source>
            <translation>Wie veröffentlicht (langsam)</translation>
        </message>
        <message>
            <source>As published: a fully connected 3D conditional random field (CRF); slower</source>
            <translation>Wie veröffentlicht: ein vollständig verbundenes 3D-Conditional-Random-Field (CRF); langsamer</translation>
        </message>
        <message>
            <source>As published: the average of five magnifications; about five times slower</source>
            <translation>Wie veröffentlicht: der Mittelwert aus fünf Vergrößerungen; etwa fünfmal langsamer</translation>
        </message>
        <message>
            <source>Back to the results</source>
            <translation>Zurück zu den Ergebnissen</translation>
        </message>
        <message>
            <source>Bring back the result that Undo replace took out</source>
            <translation>Stellt das Ergebnis wieder her, das durch „Ersetzen rückgängig“ entfernt wurde</translation>
        </message>
        <message>
            <source>Bring back the result that was replaced, with your edits</source>
            <translation>Stellt das ersetzte Ergebnis mit Ihren Bearbeitungen wieder her</translation>
        </message>
        <message>
            <source>CT volume:</source>
            <translation>CT-Volumen:</translation>
        </message>
        <message>
            <source>Choices that are rarely needed</source>
            <translation>Selten benötigte Einstellungen</translation>
        </message>
        <message>
            <source>Clean up the result</source>
            <translation>Ergebnis bereinigen</translation>
        </message>
        <message>
            <source>Click on a scan to choose it; Cancel then stops its run</source>
            <translation>Klicken Sie auf eine Aufnahme, um sie zu wählen; „Abbrechen“ beendet dann ihren Lauf</translation>
        </message>
        <message>
            <source>Click on one to show it</source>
            <translation>Klicken Sie auf eine, um sie anzuzeigen</translation>
        </message>
        <message>
            <source>Contrast-enhanced CT of the abdomen, portal venous phase if there is one</source>
            <translation>Kontrastmittel-CT des Abdomens, nach Möglichkeit in portalvenöser Phase</translation>
        </message>
        <message>
            <source>Correct the selected segment with the Segment Editor</source>
            <translation>Das gewählte Segment mit dem Segment Editor korrigieren</translation>
        </message>
        <message>
            <source>Details...</source>
            <translation>Details...</translation>
        </message>
        <message>
            <source>Device:</source>
            <translation>Gerät:</translation>
        </message>
        <message>
            <source>Edit</source>
            <translation>Bearbeiten</translation>
        </message>
        <message>
            <source>Fast</source>
            <translation>Schnell</translation>
        </message>
        <message>
            <source>Fast looks at as many slices as it needs; as published looks at every slice at five sizes and takes much longer</source>
            <translation>„Schnell“ betrachtet so viele Schichten wie nötig; „Wie veröffentlicht“ betrachtet jede Schicht in fünf Größen und dauert viel länger</translation>
        </message>
        <message>
            <source>Fill holes</source>
            <translation>Löcher füllen</translation>
        </message>
        <message>
            <source>Fill holes of the liver and of lesions, slice by slice</source>
            <translation>Löcher der Leber und der Läsionen Schicht für Schicht füllen</translation>
        </message>
        <message>
            <source>For a report of the error</source>
            <translation>Für eine Fehlermeldung an die Entwickler</translation>
        </message>
        <message>
            <source>How long the run that made this result took, and what it was computed on</source>
            <translation>Wie lange der Lauf dauerte, der dieses Ergebnis gemacht hat, und worauf es berechnet wurde</translation>
        </message>
        <message>
            <source>How much of the run is done</source>
            <translation>Wie weit der Lauf ist</translation>
        </message>
        <message>
            <source>Keep probability volumes</source>
            <translation>Wahrscheinlichkeitsvolumen behalten</translation>
        </message>
        <message>
            <source>Leave the editor; your edits stay</source>
            <translation>Den Editor verlassen; Ihre Bearbeitungen bleiben</translation>
        </message>
        <message>
            <source>Lesions that have grown together get a segment each; no voxel of the lesions changes</source>
            <translation>Läsionen, die zusammengewachsen sind, bekommen je ein Segment; kein Voxel der Läsionen ändert sich</translation>
        </message>
        <message>
            <source>Liver Lesion Cascade</source>
            <translation>Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>Liver region</source>
            <translation>Leberregion</translation>
        </message>
        <message>
            <source>Load a contrast-enhanced CT of the abdomen first.</source>
            <translation>Laden Sie zuerst ein Kontrastmittel-CT des Abdomens.</translation>
        </message>
        <message>
            <source>Look for lesions at five sizes</source>
            <translation>Läsionen in fünf Größen suchen</translation>
        </message>
        <message>
            <source>Model card</source>
            <translation>Modellkarte</translation>
        </message>
        <message>
            <source>Model:</source>
            <translation>Modell:</translation>
        </message>
        <message>
            <source>New segmentation</source>
            <translation>Neue Segmentierung</translation>
        </message>
        <message>
            <source>On what the model was trained, how good it is, and where it fails</source>
            <translation>Woran das Modell trainiert wurde, wie gut es ist und wo es versagt</translation>
        </message>
        <message>
            <source>Only in region:</source>
            <translation>Nur in Region:</translation>
        </message>
        <message>
            <source>Only lesions inside the liver</source>
            <translation>Nur Läsionen innerhalb der Leber</translation>
        </message>
        <message>
            <source>Only likely lesions</source>
            <translation>Nur wahrscheinliche Läsionen</translation>
        </message>
        <message>
            <source>Only the largest piece of liver</source>
            <translation>Nur das größte Stück Leber</translation>
        </message>
        <message>
            <source>Output segmentation:</source>
            <translation>Ausgabesegmentierung:</translation>
        </message>
        <message>
            <source>PyTorch is not installed. Install the extension PyTorch (Extensions Manager), restart Slicer, and install PyTorch in its module PyTorch Utils.</source>
            <translation>PyTorch ist nicht installiert. Installieren Sie die Erweiterung PyTorch (Erweiterungsmanager), starten Sie Slicer neu und installieren Sie PyTorch in ihrem Modul PyTorch Utils.</translation>
        </message>
        <message>
            <source>Quality:</source>
            <translation>Qualität:</translation>
        </message>
        <message>
            <source>Redo replace</source>
            <translation>Ersetzen wiederholen</translation>
        </message>
        <message>
            <source>Remove lesions of a smaller diameter; 0 keeps all</source>
            <translation>Läsionen mit kleinerem Durchmesser entfernen; 0 behält alle</translation>
        </message>
        <message>
            <source>Remove lesions that lie mostly outside of the liver; the others become part of it</source>
            <translation>Läsionen entfernen, die größtenteils außerhalb der Leber liegen; die anderen werden Teil von ihr</translation>
        </message>
        <message>
            <source>Remove lesions that the model's filter, where it has one, finds unlikely; a lower threshold can bring them back</source>
            <translation>Läsionen entfernen, die der Filter des Modells, falls es einen hat, für unwahrscheinlich hält; ein niedrigerer Schwellenwert kann sie zurückbringen</translation>
        </message>
        <message>
            <source>Remove pieces of liver that lie apart from the largest one</source>
            <translation>Stücke der Leber entfernen, die getrennt vom größten liegen</translation>
        </message>
        <message>
            <source>Results</source>
            <translation>Ergebnisse</translation>
        </message>
        <message>
            <source>Scans being segmented, one after the other:</source>
            <translation>Aufnahmen, die nacheinander segmentiert werden:</translation>
        </message>
        <message>
            <source>Segment</source>
            <translation>Segmentieren</translation>
        </message>
        <message>
            <source>Segment only this region; it should hold the whole liver</source>
            <translation>Nur diese Region segmentieren; sie sollte die ganze Leber enthalten</translation>
        </message>
        <message>
            <source>Segments the liver and its lesions on contrast-enhanced CT of the abdomen. Load a CT, select it and click Segment. For research use only, not a medical device.</source>
            <translation>Segmentiert die Leber und ihre Läsionen auf Kontrastmittel-CTs des Abdomens. Laden Sie ein CT, wählen Sie es und klicken Sie auf „Segmentieren“. Nur für die Forschung, kein Medizinprodukt.</translation>
        </message>
        <message>
            <source>Select a segment to jump to it; double-click a status to change it</source>
            <translation>Wählen Sie ein Segment, um zu ihm zu springen; doppelklicken Sie auf einen Status, um ihn zu ändern</translation>
        </message>
        <message>
            <source>Show liver and lesions in the 3D view; the menu sets the smoothing</source>
            <translation>Leber und Läsionen in der 3D-Ansicht zeigen; das Menü stellt die Glättung ein</translation>
        </message>
        <message>
            <source>Smallest lesion:</source>
            <translation>Kleinste Läsion:</translation>
        </message>
        <message>
            <source>Tell confluent lesions apart</source>
            <translation>Verwachsene Läsionen trennen</translation>
        </message>
        <message>
            <source>The cascade of residual networks is that of Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</source>
            <translation>Die Kaskade residualer Netze ist die von Bi et al., Automatic Liver Lesion Detection using Cascaded Deep Residual Networks, 2017.</translation>
        </message>
        <message>
            <source>The segmentation that is shown here</source>
            <translation>Die Segmentierung, die hier gezeigt wird</translation>
        </message>
        <message>
            <source>The trained networks: those that come with the extension, or your own</source>
            <translation>Die trainierten Netze: die mit der Erweiterung gelieferten oder Ihre eigenen</translation>
        </message>
        <message>
            <source>Undo replace</source>
            <translation>Ersetzen rückgängig</translation>
        </message>
        <message>
            <source>Visibility, colour and name of every segment, the liver's too</source>
            <translation>Sichtbarkeit, Farbe und Name jedes Segments, auch der Leber</translation>
        </message>
        <message>
            <source>What computes: Automatic takes a graphics card where one can be used, else the processor</source>
            <translation>Was rechnet: „Automatisch“ nimmt eine Grafikkarte, wo eine nutzbar ist, sonst den Prozessor</translation>
        </message>
        <message>
            <source>What is being done, and how long it will take</source>
            <translation>Was gerade geschieht und wie lange es dauern wird</translation>
        </message>
        <message>
            <source>What was done last</source>
            <translation>Was zuletzt getan wurde</translation>
        </message>
        <message>
            <source>What was found in the chosen CT volume</source>
            <translation>Was im gewählten CT-Volumen gefunden wurde</translation>
        </message>
        <message>
            <source>What went wrong, and what to do</source>
            <translation>Was schiefging und was zu tun ist</translation>
        </message>
        <message>
            <source>What you should know about this result</source>
            <translation>Was Sie über dieses Ergebnis wissen sollten</translation>
        </message>
        <message>
            <source>What you should know about this scan before it is segmented</source>
            <translation>Was Sie über diese Aufnahme wissen sollten, bevor sie segmentiert wird</translation>
        </message>
        <message>
            <source>Where liver and lesions go: into a new segmentation beside the CT, or into one that exists</source>
            <translation>Wohin Leber und Läsionen kommen: in eine neue Segmentierung neben dem CT oder in eine vorhandene</translation>
        </message>
        <message>
            <source>Whole volume</source>
            <translation>Ganzes Volumen</translation>
        </message>
        <message>
            <source>Why Segment is disabled</source>
            <translation>Warum „Segmentieren“ nicht möglich ist</translation>
        </message>
        <message>
            <source>Why the graphics card is not used</source>
            <translation>Warum die Grafikkarte nicht genutzt wird</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionDividing</name>
        <message>
            <source>How many lesions the selected one is split into; the slice views show which</source>
            <translation>In wie viele Läsionen die ausgewählte geteilt wird; die Schichtansichten zeigen, in welche</translation>
        </message>
        <message>
            <source>Make a lesion of each part that the preview shows; the largest keeps the number, all keep the verdict</source>
            <translation>Aus jedem Teil, den die Vorschau zeigt, eine Läsion machen; der größte behält die Nummer, alle behalten das Urteil</translation>
        </message>
        <message>
            <source>Make a lesion of each piece that does not hang together with the others, after a cut with Scissors or Erase</source>
            <translation>Aus jedem Stück, das nicht mit den anderen zusammenhängt, eine Läsion machen, nach einem Schnitt mit Schere oder Radierer</translation>
        </message>
        <message>
            <source>Make one lesion, that of the lowest number, of the rows that are selected in the table (Ctrl or Shift for several)</source>
            <translation>Aus den Zeilen, die in der Tabelle ausgewählt sind (mehrere mit Strg oder Umschalt), eine Läsion machen, die mit der niedrigsten Nummer</translation>
        </message>
        <message>
            <source>Make several lesions of one, or one of several: no voxel changes, only whose it is</source>
            <translation>Aus einer Läsion mehrere machen oder aus mehreren eine: Kein Voxel ändert sich, nur seine Zugehörigkeit</translation>
        </message>
        <message>
            <source>Merge</source>
            <translation>Vereinigen</translation>
        </message>
        <message>
            <source>Parts:</source>
            <translation>Teile:</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Wiederholen</translation>
        </message>
        <message>
            <source>Split</source>
            <translation>Teilen</translation>
        </message>
        <message>
            <source>Split and merge</source>
            <translation>Teilen und vereinigen</translation>
        </message>
        <message>
            <source>Split at gaps</source>
            <translation>An Lücken teilen</translation>
        </message>
        <message>
            <source>Split or merge again what was undone</source>
            <translation>Wieder teilen oder vereinigen, was zurückgenommen wurde</translation>
        </message>
        <message>
            <source>Take the last split or merge back; not where one of its lesions was edited or reviewed since</source>
            <translation>Die letzte Teilung oder Vereinigung zurücknehmen; nicht, wenn eine ihrer Läsionen seither bearbeitet oder beurteilt wurde</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Rückgängig</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionFollowUp</name>
        <message>
            <source>Align by:</source>
            <translation>Ausrichten nach:</translation>
        </message>
        <message>
            <source>Click a row to go to the lesion; choose in the lists of the rows which lesion it was. What is not chosen is a proposal.</source>
            <translation>Klicken Sie auf eine Zeile, um zur Läsion zu gelangen; wählen Sie in den Listen der Zeilen, welche Läsion es war. Was nicht gewählt ist, ist ein Vorschlag.</translation>
        </message>
        <message>
            <source>Compare the lesions with those of an earlier scan of the same patient</source>
            <translation>Die Läsionen mit denen einer früheren Aufnahme desselben Patienten vergleichen</translation>
        </message>
        <message>
            <source>Earlier result:</source>
            <translation>Früheres Ergebnis:</translation>
        </message>
        <message>
            <source>Export CSV...</source>
            <translation>CSV exportieren...</translation>
        </message>
        <message>
            <source>Follow-up</source>
            <translation>Verlaufskontrolle</translation>
        </message>
        <message>
            <source>Forget the matches that were chosen for this earlier result, and propose all of them</source>
            <translation>Die für dieses frühere Ergebnis gewählten Zuordnungen vergessen und alle neu vorschlagen</translation>
        </message>
        <message>
            <source>How the earlier scan is laid on this one</source>
            <translation>Wie die frühere Aufnahme auf diese gelegt wird</translation>
        </message>
        <message>
            <source>How the earlier scan is laid on this one: rigidly by the shape of the livers, as both lie in the scene, or by a transform of your own</source>
            <translation>Wie die frühere Aufnahme auf diese gelegt wird: starr nach der Form der Lebern, wie beide in der Szene liegen, oder durch eine eigene Transformation</translation>
        </message>
        <message>
            <source>Propose again</source>
            <translation>Neu vorschlagen</translation>
        </message>
        <message>
            <source>Result of an earlier scan of the same patient</source>
            <translation>Ergebnis einer früheren Aufnahme desselben Patienten</translation>
        </message>
        <message>
            <source>Takes the earlier scan to where this one lies</source>
            <translation>Bringt die frühere Aufnahme dorthin, wo diese liegt</translation>
        </message>
        <message>
            <source>Takes the earlier scan to where this one lies, as if that scan were put under it</source>
            <translation>Bringt die frühere Aufnahme dorthin, wo diese liegt, als wäre sie der Transformation untergeordnet</translation>
        </message>
        <message>
            <source>Transform:</source>
            <translation>Transformation:</translation>
        </message>
        <message>
            <source>Write the table to a file that spreadsheets read</source>
            <translation>Die Tabelle in eine Datei schreiben, die Tabellenkalkulationen lesen</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionRefine</name>
        <message>
            <source>Accept</source>
            <translation>Annehmen</translation>
        </message>
        <message>
            <source>Accept again what was undone</source>
            <translation>Wieder annehmen, was rückgängig gemacht wurde</translation>
        </message>
        <message>
            <source>Bring back the lesions from before Accept; what you edited or reviewed since stays as it is</source>
            <translation>Stellt die Läsionen von vor dem Annehmen wieder her; was Sie seitdem bearbeitet oder beurteilt haben, bleibt wie es ist</translation>
        </message>
        <message>
            <source>Carry what you painted and erased on to the neighbouring slices</source>
            <translation>Überträgt, was Sie gemalt und gelöscht haben, auf die Nachbarschichten</translation>
        </message>
        <message>
            <source>Carry your edits on: mark a missed lesion or erase a false one in one slice, and let the cascade do the others</source>
            <translation>Führen Sie Ihre Bearbeitungen weiter: Markieren Sie eine übersehene oder löschen Sie eine falsche Läsion in einer Schicht; die Kaskade übernimmt die übrigen</translation>
        </message>
        <message>
            <source>Change the lesions as the preview shows</source>
            <translation>Ändert die Läsionen so, wie die Vorschau zeigt</translation>
        </message>
        <message>
            <source>Discard</source>
            <translation>Verwerfen</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Wiederholen</translation>
        </message>
        <message>
            <source>Refine</source>
            <translation>Verfeinern</translation>
        </message>
        <message>
            <source>Refine from edits</source>
            <translation>Aus Bearbeitungen verfeinern</translation>
        </message>
        <message>
            <source>Take the preview away; nothing changes</source>
            <translation>Die Vorschau entfernen; es ändert sich nichts</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Rückgängig</translation>
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
            <translation>Leber und Läsionen als eine DICOM-Segmentierung der Studie der Aufnahme</translation>
        </message>
        <message>
            <source>Measures as a DICOM structured report (TID 1500), with the segmentation that it refers to beside it</source>
            <translation>Messwerte als strukturierter DICOM-Bericht (TID 1500), daneben die Segmentierung, auf die er sich bezieht</translation>
        </message>
        <message>
            <source>Report</source>
            <translation>Bericht</translation>
        </message>
        <message>
            <source>Report with key images, in one file that any browser shows</source>
            <translation>Bericht mit Schlüsselbildern, in einer Datei, die jeder Browser anzeigt</translation>
        </message>
        <message>
            <source>Table of the lesions, for spreadsheets</source>
            <translation>Tabelle der Läsionen für Tabellenkalkulationen</translation>
        </message>
        <message>
            <source>Write the lesions as they are now; those that were rejected are left out</source>
            <translation>Schreibt die Läsionen, wie sie jetzt sind; verworfene werden ausgelassen</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionTable</name>
        <message>
            <source>Click on a lesion to see it in all views; click on a heading to sort</source>
            <translation>Klicken Sie auf eine Läsion, um sie in allen Ansichten zu sehen; klicken Sie auf eine Überschrift, um zu sortieren</translation>
        </message>
        <message>
            <source>Counted in the segments as they are now, your edits included. Rejected lesions do not count, and where lesions overlap each voxel counts once. Tumour burden: volume of the lesions in percent of the liver and the lesions together, also where a lesion was painted outside the liver.</source>
            <translation>Gemessen in den Segmenten, wie sie jetzt sind, einschließlich Ihrer Bearbeitungen. Verworfene Läsionen zählen nicht, und wo Läsionen sich überlappen, zählt jedes Voxel einmal. Tumorlast: Volumen der Läsionen in Prozent von Leber und Läsionen zusammen, auch wo eine Läsion außerhalb der Leber gemalt wurde.</translation>
        </message>
        <message>
            <source>Diameters</source>
            <translation>Durchmesser</translation>
        </message>
        <message>
            <source>Draw the long and short diameters in the slices where they were measured</source>
            <translation>Lang- und Kurzdurchmesser in die Schichten zeichnen, in denen sie gemessen wurden</translation>
        </message>
        <message>
            <source>Go to the lesion above in the table (Alt+Up, also in the views)</source>
            <translation>Zur Läsion darüber in der Tabelle gehen (Alt+Auf, auch in den Ansichten)</translation>
        </message>
        <message>
            <source>Go to the lesion below in the table (Alt+Down, also in the views)</source>
            <translation>Zur Läsion darunter in der Tabelle gehen (Alt+Ab, auch in den Ansichten)</translation>
        </message>
        <message>
            <source>Hide all lesions but the selected one; what was visible before comes back</source>
            <translation>Alle Läsionen außer der gewählten ausblenden; was vorher sichtbar war, kommt zurück</translation>
        </message>
        <message>
            <source>Isolate</source>
            <translation>Isolieren</translation>
        </message>
        <message>
            <source>Next</source>
            <translation>Nächste</translation>
        </message>
        <message>
            <source>Previous</source>
            <translation>Vorherige</translation>
        </message>
        <message>
            <source>The selected lesion: name, verdict, slice of the diameters (its index in the volume, from 0, as in the Data Probe), density, place</source>
            <translation>Die gewählte Läsion: Name, Urteil, Schicht der Durchmesser (ihr Index im Volumen, ab 0, wie im Data Probe), Dichte, Lage</translation>
        </message>
    </context>
    <context>
        <name>LiverLesionThreshold</name>
        <message>
            <source>Apply</source>
            <translation>Anwenden</translation>
        </message>
        <message>
            <source>Apply again what was undone</source>
            <translation>Wieder anwenden, was rückgängig gemacht wurde</translation>
        </message>
        <message>
            <source>Bring back the lesions from before Apply; what you edited or reviewed since stays as it is</source>
            <translation>Stellt die Läsionen von vor dem Anwenden wieder her; was Sie seitdem bearbeitet oder beurteilt haben, bleibt wie es ist</translation>
        </message>
        <message>
            <source>Discard</source>
            <translation>Verwerfen</translation>
        </message>
        <message>
            <source>Find more or fewer lesions in the probabilities of this result, without segmenting again</source>
            <translation>Mehr oder weniger Läsionen in den Wahrscheinlichkeiten dieses Ergebnisses finden, ohne erneut zu segmentieren</translation>
        </message>
        <message>
            <source>Lesion probability above:</source>
            <translation>Wahrscheinlichkeit über:</translation>
        </message>
        <message>
            <source>Lesions with less volume than a sphere of this diameter are left out</source>
            <translation>Läsionen mit kleinerem Volumen als eine Kugel dieses Durchmessers werden ausgelassen</translation>
        </message>
        <message>
            <source>Lower finds more and larger lesions, higher only what is more certain</source>
            <translation>Niedriger findet mehr und größere Läsionen, höher nur sicherere</translation>
        </message>
        <message>
            <source>Rebuild the lesions as the preview shows them; those that you edited, refined or reviewed stay as they are</source>
            <translation>Bildet die Läsionen so neu, wie die Vorschau sie zeigt; die von Ihnen bearbeiteten, verfeinerten oder beurteilten bleiben wie sie sind</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Wiederholen</translation>
        </message>
        <message>
            <source>Smallest lesion:</source>
            <translation>Kleinste Läsion:</translation>
        </message>
        <message>
            <source>Take the preview away; nothing changes</source>
            <translation>Die Vorschau entfernen; es ändert sich nichts</translation>
        </message>
        <message>
            <source>Threshold</source>
            <translation>Schwellenwert</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Rückgängig</translation>
        </message>
    </context>
    <context>
        <name>Report</name>
        <message>
            <source>% of the liver</source>
            <translation>% der Leber</translation>
        </message>
        <message>
            <source>Axial</source>
            <translation>Axial</translation>
        </message>
        <message>
            <source>Axial diameters</source>
            <translation>Axiale Durchmesser</translation>
        </message>
        <message>
            <source>Axial {place}: {seen} outlined</source>
            <translation>Axial, {place}: {seen} umrandet</translation>
        </message>
        <message>
            <source>Check</source>
            <translation>Prüfen</translation>
        </message>
        <message>
            <source>Confidence</source>
            <translation>Konfidenz</translation>
        </message>
        <message>
            <source>Coronal</source>
            <translation>Koronal</translation>
        </message>
        <message>
            <source>Coronal, A {mm} mm</source>
            <translation>Koronal, A {mm} mm</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Gerät</translation>
        </message>
        <message>
            <source>Diameters: longest in an axial slice, and the longest perpendicular to it in that slice. Slice: of the long diameter, counted from 0 as in Slicer's Data Probe; S: its position in Slicer. Confidence: how likely it is a lesion, by the network's probability; below 50 % it is in doubt (?). To surface: shortest distance to the liver's surface.</source>
            <translation>Durchmesser: der längste in einer axialen Schicht und der längste senkrecht dazu in dieser Schicht. Schicht: die des langen Durchmessers, ab 0 gezählt wie in Slicers Data Probe; S: ihre Position in Slicer. Konfidenz: wie wahrscheinlich es eine Läsion ist, nach der Wahrscheinlichkeit des Netzes; unter 50 % ist sie im Zweifel (?). Zur Oberfläche: kürzester Abstand zur Leberoberfläche.</translation>
        </message>
        <message>
            <source>Dragging changes</source>
            <translation>Ziehen ändert</translation>
        </message>
        <message>
            <source>Error</source>
            <translation>Fehler</translation>
        </message>
        <message>
            <source>Findings</source>
            <translation>Befunde zum Scan</translation>
        </message>
        <message>
            <source>Fit</source>
            <translation>Einpassen</translation>
        </message>
        <message>
            <source>For research use only. This is no medical device: outlines and measures were made automatically and have to be checked by a qualified person before anything follows from them.</source>
            <translation>Nur für Forschungszwecke. Dies ist kein Medizinprodukt: Umrisse und Maße wurden automatisch erstellt und müssen von einer qualifizierten Person geprüft werden, bevor etwas aus ihnen folgt.</translation>
        </message>
        <message>
            <source>How it was made</source>
            <translation>Wie es entstand</translation>
        </message>
        <message>
            <source>Key images</source>
            <translation>Schlüsselbilder</translation>
        </message>
        <message>
            <source>Lesion</source>
            <translation>Läsion</translation>
        </message>
        <message>
            <source>Lesion volume</source>
            <translation>Läsionsvolumen</translation>
        </message>
        <message>
            <source>Lesion {lesion}, {where}</source>
            <translation>Läsion {lesion}, {where}</translation>
        </message>
        <message>
            <source>Lesions</source>
            <translation>Läsionen</translation>
        </message>
        <message>
            <source>Level</source>
            <translation>Mitte</translation>
        </message>
        <message>
            <source>Liver</source>
            <translation>Leber</translation>
        </message>
        <message>
            <source>Liver with lesions</source>
            <translation>Leber mit Läsionen</translation>
        </message>
        <message>
            <source>Longest diameter</source>
            <translation>Längster Durchmesser</translation>
        </message>
        <message>
            <source>Mean ± SD</source>
            <translation>Mittel ± SD</translation>
        </message>
        <message>
            <source>Model bundle</source>
            <translation>Modellpaket</translation>
        </message>
        <message>
            <source>Mouse and keys</source>
            <translation>Maus und Tasten</translation>
        </message>
        <message>
            <source>No lesion was found.</source>
            <translation>Es wurde keine Läsion gefunden.</translation>
        </message>
        <message>
            <source>Note</source>
            <translation>Hinweis</translation>
        </message>
        <message>
            <source>Outlines</source>
            <translation>Umrisse</translation>
        </message>
        <message>
            <source>Own</source>
            <translation>Eigenes</translation>
        </message>
        <message>
            <source>Picture of the scan</source>
            <translation>Bild des Scans</translation>
        </message>
        <message>
            <source>Plane</source>
            <translation>Ebene</translation>
        </message>
        <message>
            <source>Position</source>
            <translation>Position</translation>
        </message>
        <message>
            <source>Preset</source>
            <translation>Voreinstellung</translation>
        </message>
        <message>
            <source>Review</source>
            <translation>Durchsicht</translation>
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
            <translation>Scan</translation>
        </message>
        <message>
            <source>Slice</source>
            <translation>Schicht</translation>
        </message>
        <message>
            <source>Slice {slice}, S {mm} mm</source>
            <translation>Schicht {slice}, S {mm} mm</translation>
        </message>
        <message>
            <source>Soft tissue</source>
            <translation>Weichteile</translation>
        </message>
        <message>
            <source>The other lesion is in the table.</source>
            <translation>Die andere Läsion steht in der Tabelle.</translation>
        </message>
        <message>
            <source>The other {count} lesions are in the table.</source>
            <translation>Die anderen {count} Läsionen stehen in der Tabelle.</translation>
        </message>
        <message>
            <source>The slices cannot be shown: this browser cannot read their pictures, or keeps them from the page to guard against fingerprinting. The key images are below; another browser may show the slices.</source>
            <translation>Die Schichten können nicht gezeigt werden: Dieser Browser kann ihre Bilder nicht lesen oder hält sie zum Schutz vor Fingerprinting vor der Seite zurück. Die Schlüsselbilder stehen unten; ein anderer Browser zeigt die Schichten vielleicht.</translation>
        </message>
        <message>
            <source>The slices on which the largest lesions are measured.</source>
            <translation>Die Schichten, in denen die größten Läsionen gemessen sind.</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>Zeit</translation>
        </message>
        <message>
            <source>To surface</source>
            <translation>Zur Oberfläche</translation>
        </message>
        <message>
            <source>Tumour burden</source>
            <translation>Tumorlast</translation>
        </message>
        <message>
            <source>Unnamed scan</source>
            <translation>Scan ohne Namen</translation>
        </message>
        <message>
            <source>Viewer</source>
            <translation>Betrachter</translation>
        </message>
        <message>
            <source>Volume</source>
            <translation>Volumen</translation>
        </message>
        <message>
            <source>Wheel or arrow up and down: next slice. Page up and down: ten slices. Ctrl and wheel, plus and minus: zoom. 0: fit. Middle button, Shift and dragging, or Shift and arrows: move. O: outlines. N and P: next and previous lesion. Click: choose a lesion. Two fingers: zoom and move.</source>
            <translation>Rad oder Pfeil auf und ab: nächste Schicht. Bild auf und ab: zehn Schichten. Strg und Rad, Plus und Minus: vergrößern. 0: einpassen. Mittlere Taste, Umschalt und Ziehen oder Umschalt und Pfeile: verschieben. O: Umrisse. N und P: nächste und vorige Läsion. Klick: Läsion wählen. Zwei Finger: vergrößern und verschieben.</translation>
        </message>
        <message>
            <source>Width</source>
            <translation>Breite</translation>
        </message>
        <message>
            <source>Window</source>
            <translation>Fenster</translation>
        </message>
        <message>
            <source>Window of the key images</source>
            <translation>Fenster der Schlüsselbilder</translation>
        </message>
        <message>
            <source>Zoom in</source>
            <translation>Vergrößern</translation>
        </message>
        <message>
            <source>Zoom out</source>
            <translation>Verkleinern</translation>
        </message>
        <message>
            <source>en</source>
            <translation>de</translation>
        </message>
        <message>
            <source>found</source>
            <translation>gefunden</translation>
        </message>
        <message>
            <source>found, {count} in doubt</source>
            <translation>gefunden, {count} im Zweifel</translation>
        </message>
        <message>
            <source>in doubt</source>
            <translation>im Zweifel</translation>
        </message>
        <message>
            <source>lesion {numbers}</source>
            <translation>Läsion {numbers}</translation>
        </message>
        <message>
            <source>lesions</source>
            <translation>Läsionen</translation>
        </message>
        <message>
            <source>lesions {numbers}</source>
            <translation>Läsionen {numbers}</translation>
        </message>
        <message>
            <source>liver</source>
            <translation>Leber</translation>
        </message>
        <message>
            <source>liver and {lesions}</source>
            <translation>Leber und {lesions}</translation>
        </message>
        <message>
            <source>longest diameter and the longest across it</source>
            <translation>längster Durchmesser und der längste quer dazu</translation>
        </message>
        <message>
            <source>mL in all</source>
            <translation>mL insgesamt</translation>
        </message>
        <message>
            <source>mm, axial</source>
            <translation>mm, axial</translation>
        </message>
        <message>
            <source>none found</source>
            <translation>keine gefunden</translation>
        </message>
        <message>
            <source>{low} to {high} HU</source>
            <translation>{low} bis {high} HU</translation>
        </message>
        <message>
            <source>{name}: liver and lesions</source>
            <translation>{name}: Leber und Läsionen</translation>
        </message>
        <message>
            <source>{place}; diameters of {lesions}</source>
            <translation>{place}; Durchmesser von {lesions}</translation>
        </message>
        <message>
            <source>{scan}, resampled to axial slices</source>
            <translation>{scan}, auf axiale Schichten umgerechnet</translation>
        </message>
        <message>
            <source>{size} voxels of {spacing} mm</source>
            <translation>{size} Voxel von {spacing} mm</translation>
        </message>
        <message>
            <source>{where}; lesions {lesions}</source>
            <translation>{where}; Läsionen {lesions}</translation>
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
            <translation>{path} konnte nicht geschrieben werden: {error}. Wählen Sie einen anderen Ordner.</translation>
        </message>
        <message>
            <source>{path} exists already. Overwrite it?</source>
            <translation>{path} existiert bereits. Überschreiben?</translation>
        </message>
    </context>
    <context>
        <name>install.highdicom_installation</name>
        <message>
            <source>Install highdicom</source>
            <translation>highdicom installieren</translation>
        </message>
        <message>
            <source>The DICOM export needs the Python package highdicom, which is not installed.

Download it from the Python package index and install it into Slicer's Python?</source>
            <translation>Der DICOM-Export benötigt das Python-Paket highdicom, das nicht installiert ist.

Möchten Sie es aus dem Python-Paketverzeichnis herunterladen und in das Python von Slicer installieren?</translation>
        </message>
        <message>
            <source>highdicom could not be installed: {reason}

Check the internet connection and the free disk space, or run with the PythonSlicer of this Slicer:
    PythonSlicer -m pip install "{requirement}"</source>
            <translation>highdicom konnte nicht installiert werden: {reason}

Prüfen Sie die Internetverbindung und den freien Speicherplatz, oder führen Sie mit dem PythonSlicer dieses Slicers aus:
    PythonSlicer -m pip install "{requirement}"</translation>
        </message>
    </context>
    <context>
        <name>install.torch_installation</name>
        <message>
            <source>PyTorch could not be installed: {reason}

Check the internet connection, the proxy settings and the free disk space, then click Segment again. The Python console shows what the installation said.

{byHand}</source>
            <translation>PyTorch konnte nicht installiert werden: {reason}

Prüfen Sie die Internetverbindung, die Proxy-Einstellungen und den freien Speicherplatz und klicken Sie dann erneut auf „Segmentieren“. Die Python-Konsole zeigt die Meldungen der Installation.

{byHand}</translation>
        </message>
        <message>
            <source>PyTorch {version} is installed, but {minimum} or newer is needed.

Open the module PyTorch Utils, click Uninstall PyTorch, restart Slicer, and click Segment again.</source>
            <translation>PyTorch {version} ist installiert, benötigt wird aber {minimum} oder neuer.

Öffnen Sie das Modul PyTorch Utils, klicken Sie auf „Uninstall PyTorch“, starten Sie Slicer neu und klicken Sie erneut auf „Segmentieren“.</translation>
        </message>
        <message>
            <source>The networks need PyTorch, and the extension that installs it is missing.

Open View &gt; Extensions Manager, install the extension PyTorch, restart Slicer, and click Segment again.

{byHand}</source>
            <translation>Die Netze benötigen PyTorch, und die Erweiterung, die es installiert, fehlt.

Öffnen Sie Ansicht &gt; Erweiterungsmanager, installieren Sie die Erweiterung PyTorch, starten Sie Slicer neu und klicken Sie erneut auf „Segmentieren“.

{byHand}</translation>
        </message>
        <message>
            <source>Without internet connection: on a connected computer with the same operating system, run
    python -m pip download "torch&gt;={minimum}" --python-version {python} --only-binary=:all: -d torch-files
copy the folder torch-files to this computer, and run with the PythonSlicer of this Slicer
    PythonSlicer -m pip install --no-index --find-links torch-files torch</source>
            <translation>Ohne Internetverbindung: Führen Sie auf einem verbundenen Computer mit demselben Betriebssystem aus:
    python -m pip download "torch&gt;={minimum}" --python-version {python} --only-binary=:all: -d torch-files
Kopieren Sie den Ordner torch-files auf diesen Computer und führen Sie mit dem PythonSlicer dieses Slicers aus:
    PythonSlicer -m pip install --no-index --find-links torch-files torch</translation>
        </message>
    </context>
    <context>
        <name>lesions.lesion_columns</name>
        <message>
            <source>1 lesion of {volume:.1f} mL</source>
            <translation>1 Läsion mit {volume:.1f} mL</translation>
        </message>
        <message>
            <source>Accepted</source>
            <translation>Angenommen</translation>
        </message>
        <message>
            <source>Conf.</source>
            <translation>Konf.</translation>
        </message>
        <message>
            <source>Confidence: how likely this is a lesion, 0 to 1, by the network's mean probability in it</source>
            <translation>Konfidenz: wie wahrscheinlich dies eine Läsion ist, 0 bis 1, nach der mittleren Wahrscheinlichkeit des Netzes in ihr</translation>
        </message>
        <message>
            <source>Diam.
mm</source>
            <translation>Ø
mm</translation>
        </message>
        <message>
            <source>Flagged</source>
            <translation>Vorgemerkt</translation>
        </message>
        <message>
            <source>Lesion</source>
            <translation>Läsion</translation>
        </message>
        <message>
            <source>Longest diameter in any axial slice in mm, as RECIST 1.1, and the longest perpendicular to it there</source>
            <translation>Längster Durchmesser in einer axialen Schicht in mm wie in RECIST 1.1, und der längste senkrecht dazu in derselben</translation>
        </message>
        <message>
            <source>No lesion</source>
            <translation>Keine Läsion</translation>
        </message>
        <message>
            <source>Number, colour, and the name where it was given another</source>
            <translation>Nummer, Farbe und, falls ein anderer vergeben wurde, der Name</translation>
        </message>
        <message>
            <source>Rejected</source>
            <translation>Verworfen</translation>
        </message>
        <message>
            <source>To review</source>
            <translation>Zu beurteilen</translation>
        </message>
        <message>
            <source>Vol.
mL</source>
            <translation>Vol.
mL</translation>
        </message>
        <message>
            <source>Volume of the segment in mL</source>
            <translation>Volumen des Segments in mL</translation>
        </message>
        <message>
            <source>Your verdict: ✓ accepted, ✗ rejected, ⚑ flagged, ? in doubt; ✎ edited</source>
            <translation>Ihr Urteil: ✓ angenommen, ✗ verworfen, ⚑ vorgemerkt, ? unsicher; ✎ bearbeitet</translation>
        </message>
        <message>
            <source>liver {volume} mL</source>
            <translation>Leber {volume} mL</translation>
        </message>
        <message>
            <source>tumour burden {percent:.1f} %</source>
            <translation>Tumorlast {percent:.1f} %</translation>
        </message>
        <message>
            <source>{count} lesions, {volume:.1f} mL together</source>
            <translation>{count} Läsionen, zusammen {volume:.1f} mL</translation>
        </message>
        <message>
            <source>{count} rejected, not counted</source>
            <translation>{count} verworfen, nicht gezählt</translation>
        </message>
        <message>
            <source>{distance:.0f} mm from the liver's surface</source>
            <translation>{distance:.0f} mm von der Leberoberfläche</translation>
        </message>
        <message>
            <source>{long:.1f} x {short:.1f} mm in slice {number}</source>
            <translation>{long:.1f} x {short:.1f} mm in Schicht {number}</translation>
        </message>
        <message>
            <source>{mean:.0f} HU, SD {sd:.0f}</source>
            <translation>{mean:.0f} HU, SD {sd:.0f}</translation>
        </message>
        <message>
            <source>{name}: no voxel</source>
            <translation>{name}: kein Voxel</translation>
        </message>
        <message>
            <source>{name}: {status}</source>
            <translation>{name}: {status}</translation>
        </message>
        <message>
            <source>{status}, edited</source>
            <translation>{status}, bearbeitet</translation>
        </message>
    </context>
    <context>
        <name>lesions.review_bar</name>
        <message>
            <source>Accept</source>
            <translation>Annehmen</translation>
        </message>
        <message>
            <source>Come back to the selected lesion; click again to take it back</source>
            <translation>Auf die gewählte Läsion zurückkommen; erneut klicken, um es zurückzunehmen</translation>
        </message>
        <message>
            <source>Flag</source>
            <translation>Vormerken</translation>
        </message>
        <message>
            <source>Give the verdict again that was undone</source>
            <translation>Das rückgängig gemachte Urteil wiederherstellen</translation>
        </message>
        <message>
            <source>Go to the lesion without a verdict that is least certain</source>
            <translation>Zur unsichersten Läsion ohne Urteil gehen</translation>
        </message>
        <message>
            <source>Next unreviewed</source>
            <translation>Nächste offene</translation>
        </message>
        <message>
            <source>Next unreviewed ({count})</source>
            <translation>Nächste offene ({count})</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>Wiederholen</translation>
        </message>
        <message>
            <source>Reject</source>
            <translation>Verwerfen</translation>
        </message>
        <message>
            <source>Take the last verdict back</source>
            <translation>Das letzte Urteil zurücknehmen</translation>
        </message>
        <message>
            <source>The selected lesion is none: it no longer counts, but stays; click again to take it back</source>
            <translation>Die gewählte Läsion ist keine: Sie zählt nicht mehr, bleibt aber erhalten; erneut klicken, um es zurückzunehmen</translation>
        </message>
        <message>
            <source>The selected lesion is right; click again to take it back</source>
            <translation>Die gewählte Läsion stimmt; erneut klicken, um es zurückzunehmen</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>Rückgängig</translation>
        </message>
    </context>
    <context>
        <name>panel.bundle_choice</name>
        <message>
            <source>Choose a file...</source>
            <translation>Datei wählen...</translation>
        </message>
        <message>
            <source>Choose a folder...</source>
            <translation>Ordner wählen...</translation>
        </message>
        <message>
            <source>The model {folder} cannot be read: choose another one in Advanced.</source>
            <translation>Das Modell {folder} kann nicht gelesen werden: Wählen Sie unter „Erweitert“ ein anderes.</translation>
        </message>
        <message>
            <source>The model {folder} is not there: choose another one in Advanced.</source>
            <translation>Das Modell {folder} ist nicht vorhanden: Wählen Sie unter „Erweitert“ ein anderes.</translation>
        </message>
    </context>
    <context>
        <name>panel.device_choice</name>
        <message>
            <source>Automatic</source>
            <translation>Automatisch</translation>
        </message>
        <message>
            <source>Processor (CPU)</source>
            <translation>Prozessor (CPU)</translation>
        </message>
        <message>
            <source>{device} (cannot be used)</source>
            <translation>{device} (nicht nutzbar)</translation>
        </message>
        <message>
            <source>{device} (not on this computer)</source>
            <translation>{device} (nicht an diesem Computer)</translation>
        </message>
    </context>
    <context>
        <name>panel.model_card_dialog</name>
        <message>
            <source>Model card of {bundle}</source>
            <translation>Modellkarte von {bundle}</translation>
        </message>
        <message>
            <source>The bundle in {folder} has no model card.</source>
            <translation>Das Modellpaket in {folder} hat keine Modellkarte.</translation>
        </message>
        <message>
            <source>{path} cannot be read: {reason}</source>
            <translation>{path} kann nicht gelesen werden: {reason}</translation>
        </message>
    </context>
    <context>
        <name>panel.panel</name>
        <message>
            <source>PyTorch is needed to refine, and was not installed.</source>
            <translation>Zum Verfeinern wird PyTorch benötigt; es wurde nicht installiert.</translation>
        </message>
        <message>
            <source>{name} is done.</source>
            <translation>{name} ist fertig.</translation>
        </message>
        <message>
            <source>{name} was cancelled.</source>
            <translation>{name} wurde abgebrochen.</translation>
        </message>
    </context>
    <context>
        <name>panel.panel_state</name>
        <message>
            <source>Cancel</source>
            <translation>Abbrechen</translation>
        </message>
        <message>
            <source>Cancelling...</source>
            <translation>Wird abgebrochen...</translation>
        </message>
        <message>
            <source>Load a contrast-enhanced CT of the abdomen first.</source>
            <translation>Laden Sie zuerst ein Kontrastmittel-CT des Abdomens.</translation>
        </message>
        <message>
            <source>Segment</source>
            <translation>Segmentieren</translation>
        </message>
        <message>
            <source>Segment the liver and its lesions in {name}</source>
            <translation>Leber und Läsionen in {name} segmentieren</translation>
        </message>
        <message>
            <source>Segment {name} as soon as the runs before it are done</source>
            <translation>{name} segmentieren, sobald die Läufe davor fertig sind</translation>
        </message>
        <message>
            <source>Select the CT volume to segment.</source>
            <translation>Wählen Sie das zu segmentierende CT-Volumen.</translation>
        </message>
        <message>
            <source>Stop segmenting {name}; the scene stays as it is</source>
            <translation>Segmentieren von {name} beenden; die Szene bleibt wie sie ist</translation>
        </message>
        <message>
            <source>The run is being cancelled.</source>
            <translation>Der Lauf wird abgebrochen.</translation>
        </message>
    </context>
    <context>
        <name>panel.questions</name>
        <message>
            <source>File of a model bundle</source>
            <translation>Datei eines Modellpakets</translation>
        </message>
        <message>
            <source>Folder of a model bundle</source>
            <translation>Ordner eines Modellpakets</translation>
        </message>
        <message>
            <source>Keep it and put the new result into a new segmentation, or replace it? Segments that you added stay either way, and a replaced result can be brought back, with your edits, by Undo replace.</source>
            <translation>Möchten Sie es behalten und das neue Ergebnis in eine neue Segmentierung legen, oder es ersetzen? Von Ihnen hinzugefügte Segmente bleiben in jedem Fall, und ein ersetztes Ergebnis lässt sich mit Ihren Bearbeitungen durch „Ersetzen rückgängig“ wiederherstellen.</translation>
        </message>
        <message>
            <source>Lay the views out for reading, with a large axial one? First results are treated alike from then on.</source>
            <translation>Die Ansichten zum Befunden anordnen, mit einer großen axialen? Erste Ergebnisse werden von da an ebenso behandelt.</translation>
        </message>
        <message>
            <source>Liver Lesion Cascade</source>
            <translation>Liver Lesion Cascade</translation>
        </message>
        <message>
            <source>New segmentation</source>
            <translation>Neue Segmentierung</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>Ersetzen</translation>
        </message>
        <message>
            <source>Segment again</source>
            <translation>Erneut segmentieren</translation>
        </message>
        <message>
            <source>Show {name} in the slice views? Scans that you choose here later are treated alike.</source>
            <translation>{name} in den Schichtansichten zeigen? Mit Aufnahmen, die Sie hier später wählen, geschieht dasselbe.</translation>
        </message>
        <message>
            <source>{name} holds a result already.</source>
            <translation>{name} enthält bereits ein Ergebnis.</translation>
        </message>
        <message>
            <source>{volume:.1f} mL of what you painted as lesion lie outside of the liver. Add them to the liver? Lesions outside of it count in the tumour burden, but the threshold and Refine look for lesions in the liver only.</source>
            <translation>{volume:.1f} mL von dem, was Sie als Läsion gemalt haben, liegen außerhalb der Leber. Zur Leber hinzufügen? Läsionen außerhalb zählen bei der Tumorlast mit, aber Schwelle und Verfeinern suchen Läsionen nur in der Leber.</translation>
        </message>
    </context>
    <context>
        <name>panel.run_list</name>
        <message>
            <source>Cancelling</source>
            <translation>Wird abgebrochen</translation>
        </message>
        <message>
            <source>Waiting</source>
            <translation>Wartet</translation>
        </message>
    </context>
    <context>
        <name>registered.sample_data</name>
        <message>
            <source>The sample CT could not be loaded.</source>
            <translation>Das Beispiel-CT konnte nicht geladen werden.</translation>
        </message>
    </context>
    <context>
        <name>registered.segment_statistics</name>
        <message>
            <source>Axial Diameter</source>
            <translation>Axialer Durchmesser</translation>
        </message>
        <message>
            <source>Axial long axis</source>
            <translation>Axiale Längsachse</translation>
        </message>
        <message>
            <source>Axial short axis</source>
            <translation>Axiale Kurzachse</translation>
        </message>
        <message>
            <source>Longest diameter in an axial slice, over all axial slices.</source>
            <translation>Längster Durchmesser in einer axialen Schicht, über alle axialen Schichten.</translation>
        </message>
        <message>
            <source>Longest diameter perpendicular to the long axis, in the same slice.</source>
            <translation>Längster zur Längsachse senkrechter Durchmesser, in derselben Schicht.</translation>
        </message>
        <message>
            <source>Slice of the axial diameters</source>
            <translation>Schicht der axialen Durchmesser</translation>
        </message>
        <message>
            <source>Superior coordinate of the slice in which the axial diameters were measured.</source>
            <translation>Superior-Koordinate der Schicht, in der die axialen Durchmesser gemessen wurden.</translation>
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
            <translation>Korrekturen werden auf die nächsten Schichten übertragen</translation>
        </message>
        <message>
            <source>Finding lesions</source>
            <translation>Läsionen werden gesucht</translation>
        </message>
        <message>
            <source>Finding lesions again, from the first result</source>
            <translation>Läsionen werden nochmals gesucht, ausgehend vom ersten Ergebnis</translation>
        </message>
        <message>
            <source>Finding the liver</source>
            <translation>Leber wird gesucht</translation>
        </message>
        <message>
            <source>Fitting the outlines to the image (3D-CRF)</source>
            <translation>Umrisse werden dem Bild angepasst (3D-CRF)</translation>
        </message>
        <message>
            <source>Handing the scan over</source>
            <translation>Die Aufnahme wird übergeben</translation>
        </message>
        <message>
            <source>Loading the trained networks</source>
            <translation>Trainierte Netze werden geladen</translation>
        </message>
        <message>
            <source>Looking again at the corrected slices</source>
            <translation>Die korrigierten Schichten werden nochmals betrachtet</translation>
        </message>
        <message>
            <source>Measuring liver and lesions</source>
            <translation>Leber und Läsionen werden vermessen</translation>
        </message>
        <message>
            <source>Preparing the result</source>
            <translation>Ergebnis wird vorbereitet</translation>
        </message>
        <message>
            <source>Reading the scan</source>
            <translation>Aufnahme wird gelesen</translation>
        </message>
        <message>
            <source>Starting (the first run after Slicer's start takes longer)</source>
            <translation>Wird gestartet (der erste Lauf nach dem Start von Slicer dauert länger)</translation>
        </message>
        <message>
            <source>a few seconds left</source>
            <translation>noch einige Sekunden</translation>
        </message>
        <message>
            <source>about 1 minute left</source>
            <translation>noch etwa 1 Minute</translation>
        </message>
        <message>
            <source>about {minutes} minutes left</source>
            <translation>noch etwa {minutes} Minuten</translation>
        </message>
        <message>
            <source>about {seconds} s left</source>
            <translation>noch etwa {seconds} s</translation>
        </message>
    </context>
    <context>
        <name>runs.run_request</name>
        <message>
            <source>No edit lies in {region}: choose Whole volume in Advanced, or move the region.</source>
            <translation>In {region} liegt keine Bearbeitung: Wählen Sie unter „Erweitert“ „Ganzes Volumen“, oder verschieben Sie die Region.</translation>
        </message>
        <message>
            <source>Select the CT to segment.</source>
            <translation>Wählen Sie das zu segmentierende CT.</translation>
        </message>
        <message>
            <source>The result is in the new node {name}. {reason}</source>
            <translation>Das Ergebnis liegt im neuen Knoten {name}. {reason}</translation>
        </message>
        <message>
            <source>{name} was removed or is another result by now. Refine again.</source>
            <translation>{name} wurde entfernt oder ist inzwischen ein anderes Ergebnis. Verfeinern Sie erneut.</translation>
        </message>
        <message>
            <source>{name} was removed.</source>
            <translation>{name} wurde entfernt.</translation>
        </message>
    </context>
    <context>
        <name>runs.segmentation_runs</name>
        <message>
            <source>The result of {name} could not be put into the scene because of an error in this extension.</source>
            <translation>Das Ergebnis von {name} konnte wegen eines Fehlers in dieser Erweiterung nicht in die Szene gebracht werden.</translation>
        </message>
        <message>
            <source>{name} was removed while it was being segmented. Load it again and segment it again.</source>
            <translation>{name} wurde während der Segmentierung entfernt. Laden Sie es erneut und segmentieren Sie es noch einmal.</translation>
        </message>
    </context>
    <context>
        <name>sections.dividing_section</name>
        <message>
            <source>Merge</source>
            <translation>Vereinigen</translation>
        </message>
        <message>
            <source>Merge ({count})</source>
            <translation>Vereinigen ({count})</translation>
        </message>
        <message>
            <source>Move the slider to see the parts.</source>
            <translation>Den Regler bewegen, um die Teile zu sehen.</translation>
        </message>
        <message>
            <source>One lesion was made of {count}.</source>
            <translation>Aus {count} Läsionen wurde eine.</translation>
        </message>
        <message>
            <source>Preview: {count} parts of {volumes} mL.</source>
            <translation>Vorschau: {count} Teile von {volumes} mL.</translation>
        </message>
        <message>
            <source>Select a lesion to split it, several rows to merge them.</source>
            <translation>Eine Läsion auswählen, um sie zu teilen, mehrere Zeilen, um sie zu vereinigen.</translation>
        </message>
        <message>
            <source>This lesion has no neck. Cut it with Scissors or Erase in the Segment Editor, then use Split at gaps.</source>
            <translation>Diese Läsion hat keine Engstelle. Mit Schere oder Radierer im Segment Editor schneiden, dann „An Lücken teilen“.</translation>
        </message>
        <message>
            <source>{count} lesions were made of one.</source>
            <translation>Aus einer Läsion wurden {count}.</translation>
        </message>
    </context>
    <context>
        <name>sections.follow_up_section</name>
        <message>
            <source>Change</source>
            <translation>Änderung</translation>
        </message>
        <message>
            <source>Comparing...</source>
            <translation>Wird verglichen...</translation>
        </message>
        <message>
            <source>Earlier</source>
            <translation>Früher</translation>
        </message>
        <message>
            <source>Export follow-up table</source>
            <translation>Verlaufstabelle exportieren</translation>
        </message>
        <message>
            <source>Long axis (mm)</source>
            <translation>Längsachse (mm)</translation>
        </message>
        <message>
            <source>Match</source>
            <translation>Zuordnung</translation>
        </message>
        <message>
            <source>None: gone</source>
            <translation>Keine: verschwunden</translation>
        </message>
        <message>
            <source>None: new</source>
            <translation>Keine: neu</translation>
        </message>
        <message>
            <source>Now</source>
            <translation>Jetzt</translation>
        </message>
        <message>
            <source>Place in the scene</source>
            <translation>Lage in der Szene</translation>
        </message>
        <message>
            <source>Rejected lesions left out: {count}.</source>
            <translation>Verworfene Läsionen ausgelassen: {count}.</translation>
        </message>
        <message>
            <source>Shape of the livers (rigid)</source>
            <translation>Form der Lebern (starr)</translation>
        </message>
        <message>
            <source>Sum of long diameters</source>
            <translation>Summe der Längsdurchmesser</translation>
        </message>
        <message>
            <source>Table (*.csv)</source>
            <translation>Tabelle (*.csv)</translation>
        </message>
        <message>
            <source>The livers' surfaces lie {distance:.1f} mm apart after alignment (median).</source>
            <translation>Die Leberoberflächen liegen nach der Ausrichtung {distance:.1f} mm auseinander (Median).</translation>
        </message>
        <message>
            <source>Transform</source>
            <translation>Transformation</translation>
        </message>
        <message>
            <source>Volume (mL)</source>
            <translation>Volumen (mL)</translation>
        </message>
        <message>
            <source>Volume of all lesions</source>
            <translation>Volumen aller Läsionen</translation>
        </message>
        <message>
            <source>Which lesion this is at the other time point. Unless you choose, it is a proposal.</source>
            <translation>Welche Läsion dies zum anderen Zeitpunkt ist. Solange Sie nicht wählen, ist es ein Vorschlag.</translation>
        </message>
        <message>
            <source>Written to {path}.</source>
            <translation>Nach {path} geschrieben.</translation>
        </message>
        <message>
            <source>chosen</source>
            <translation>gewählt</translation>
        </message>
        <message>
            <source>gone</source>
            <translation>verschwunden</translation>
        </message>
        <message>
            <source>merged into {name}</source>
            <translation>verschmolzen mit {name}</translation>
        </message>
        <message>
            <source>new</source>
            <translation>neu</translation>
        </message>
        <message>
            <source>new, chosen</source>
            <translation>neu, gewählt</translation>
        </message>
        <message>
            <source>proposed</source>
            <translation>vorgeschlagen</translation>
        </message>
        <message>
            <source>split from {name}</source>
            <translation>abgespalten von {name}</translation>
        </message>
        <message>
            <source>{count} gone</source>
            <translation>{count} verschwunden</translation>
        </message>
        <message>
            <source>{count} matched</source>
            <translation>{count} zugeordnet</translation>
        </message>
        <message>
            <source>{count} merged</source>
            <translation>{count} verschmolzen</translation>
        </message>
        <message>
            <source>{count} new</source>
            <translation>{count} neu</translation>
        </message>
        <message>
            <source>{count} split off</source>
            <translation>{count} abgespalten</translation>
        </message>
        <message>
            <source>{title}: {values} {unit}, change {difference}</source>
            <translation>{title}: {values} {unit}, Änderung {difference}</translation>
        </message>
    </context>
    <context>
        <name>sections.refine_section</name>
        <message>
            <source>Cancel</source>
            <translation>Abbrechen</translation>
        </message>
        <message>
            <source>Carry what you painted and erased on to the neighbouring slices; shown first, changed when you accept</source>
            <translation>Überträgt, was Sie gemalt und gelöscht haben, auf die Nachbarschichten; wird erst gezeigt und beim Annehmen geändert</translation>
        </message>
        <message>
            <source>Lesions: {added:.1f} mL added (green), {removed:.1f} mL removed (red); {new} new, {gone} gone.</source>
            <translation>Läsionen: {added:.1f} mL hinzugefügt (grün), {removed:.1f} mL entfernt (rot); {new} neu, {gone} verschwunden.</translation>
        </message>
        <message>
            <source>Liver: {added:.1f} mL added (blue), {removed:.1f} mL removed (orange).</source>
            <translation>Leber: {added:.1f} mL hinzugefügt (blau), {removed:.1f} mL entfernt (orange).</translation>
        </message>
        <message>
            <source>Nothing more would change.</source>
            <translation>Es würde sich nichts mehr ändern.</translation>
        </message>
        <message>
            <source>Paint a missed lesion or erase a false one in one slice first</source>
            <translation>Malen Sie zuerst in einer Schicht eine übersehene Läsion oder löschen Sie eine falsche</translation>
        </message>
        <message>
            <source>Refine from edits</source>
            <translation>Aus Bearbeitungen verfeinern</translation>
        </message>
        <message>
            <source>Starting</source>
            <translation>Wird gestartet</translation>
        </message>
        <message>
            <source>That is much for the {painted:.1f} mL that you painted: go through its slices first.</source>
            <translation>Das ist viel für die {painted:.1f} mL, die Sie gemalt haben: Sehen Sie erst seine Schichten durch.</translation>
        </message>
        <message>
            <source>What you painted, erased or reviewed stays as it is.</source>
            <translation>Was Sie gemalt, gelöscht oder beurteilt haben, bleibt wie es ist.</translation>
        </message>
        <message>
            <source>{stage}: {percent} %</source>
            <translation>{stage}: {percent} %</translation>
        </message>
    </context>
    <context>
        <name>sections.report_section</name>
        <message>
            <source>DICOM measurement report (*.dcm)</source>
            <translation>DICOM-Messbericht (*.dcm)</translation>
        </message>
        <message>
            <source>DICOM segmentation (*.dcm)</source>
            <translation>DICOM-Segmentierung (*.dcm)</translation>
        </message>
        <message>
            <source>No DICOM export: {reason}</source>
            <translation>Kein DICOM-Export: {reason}</translation>
        </message>
        <message>
            <source>Rejected lesions were left out: {names}.</source>
            <translation>Verworfene Läsionen wurden ausgelassen: {names}.</translation>
        </message>
        <message>
            <source>Report (*.html)</source>
            <translation>Bericht (*.html)</translation>
        </message>
        <message>
            <source>Table (*.csv)</source>
            <translation>Tabelle (*.csv)</translation>
        </message>
        <message>
            <source>The segmentation that it measures is in {path}.</source>
            <translation>Die Segmentierung, die er vermisst, liegt in {path}.</translation>
        </message>
        <message>
            <source>Write report</source>
            <translation>Bericht schreiben</translation>
        </message>
        <message>
            <source>Writing the report...</source>
            <translation>Der Bericht wird geschrieben ...</translation>
        </message>
        <message>
            <source>Written to {path}.</source>
            <translation>Nach {path} geschrieben.</translation>
        </message>
    </context>
    <context>
        <name>sections.result_summary</name>
        <message>
            <source>Cannot be segmented:</source>
            <translation>Kann nicht segmentiert werden:</translation>
        </message>
        <message>
            <source>For information:</source>
            <translation>Zur Information:</translation>
        </message>
        <message>
            <source>Made in {seconds:.0f} s on {device}</source>
            <translation>Erstellt in {seconds:.0f} s auf {device}</translation>
        </message>
        <message>
            <source>Please note:</source>
            <translation>Bitte beachten:</translation>
        </message>
        <message>
            <source>the graphics card (GPU)</source>
            <translation>der Grafikkarte (GPU)</translation>
        </message>
        <message>
            <source>the graphics processor</source>
            <translation>dem Grafikprozessor</translation>
        </message>
        <message>
            <source>the processor (CPU)</source>
            <translation>dem Prozessor (CPU)</translation>
        </message>
    </context>
    <context>
        <name>sections.threshold_section</name>
        <message>
            <source>Lesions that you edited, refined, split, merged, reviewed or added stay as they are: {count}.</source>
            <translation>Läsionen, die Sie bearbeitet, verfeinert, geteilt, vereinigt, beurteilt oder hinzugefügt haben, bleiben, wie sie sind: {count}.</translation>
        </message>
        <message>
            <source>No probabilities are stored with this result. Segment the volume again to try thresholds.</source>
            <translation>Mit diesem Ergebnis sind keine Wahrscheinlichkeiten gespeichert. Segmentieren Sie das Volumen erneut, um Schwellenwerte zu erproben.</translation>
        </message>
        <message>
            <source>Preview (yellow): 1 lesion, {volume:.1f} mL.</source>
            <translation>Vorschau (gelb): 1 Läsion, {volume:.1f} mL.</translation>
        </message>
        <message>
            <source>Preview (yellow): {count} lesions, {volume:.1f} mL.</source>
            <translation>Vorschau (gelb): {count} Läsionen, {volume:.1f} mL.</translation>
        </message>
        <message>
            <source>The segment of the liver was deleted: lesions are looked for within it only.</source>
            <translation>Das Segment der Leber wurde gelöscht: Läsionen werden nur darin gesucht.</translation>
        </message>
    </context>
</TS>
