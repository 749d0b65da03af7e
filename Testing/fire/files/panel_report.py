"""The panel's section that writes reports, while files fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import slicer_harness

from .scenarios import OLD, Scenario, require_whole

NAMES = ("report.html", "report.csv", "report.seg.dcm", "report.sr.dcm")


class Report(Scenario):
    """All four files over earlier ones: each is the old one or the new one. The harness starts in the child process."""

    name = "reports of the panel"

    def prepare(self, place: Path) -> None:
        slicer_harness.install()
        import slicer
        from fixtures import scene_cases as cases
        from fixtures.dicom_files import write_series
        from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files
        from LiverLesionCascadeLib.gui.sections.report_section import ReportSection
        from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode
        from LiverLesionCascadeLib.scene.tools.case_report import INSTANCE_UIDS
        from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
        from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf

        closeWorkspaces()
        slicer.mrmlScene.Clear()
        hu, liver, instances = cases.abdomen((12, 32, 30))
        write_series(place / "ct", (hu + 1024).astype(np.uint16), FrameOfReferenceUID="1.2.3.9", PatientID="17")
        files = {str(pydicom.dcmread(each).SOPInstanceUID): str(each) for each in (place / "ct").iterdir()}
        ct = read_dicom_files([place / "ct"])
        volume = cases.volumeNodeFromArray(slicer.mrmlScene, np.array(ct.hu), ct.source, "CT")
        volume.SetAttribute(INSTANCE_UIDS, " ".join(files))
        result = cases.resultOf(ctVolumeFromNode(volume), liver, instances)
        self._later: list = []
        self._section = ReportSection(
            lambda _seconds, function: self._later.append(function),
            askPath=lambda _title, _suggestion, _kinds, ending: str(place / "out" / f"report{ending}"),
            fileForInstance=lambda uid: files.get(uid, ""),
        )
        self._section.show(workspaceOf(segmentationNodeFromResult(result, volume)))
        self._left_before: set[str] = set()
        (place / "out").mkdir()
        for name in NAMES:
            (place / "out" / name).write_bytes(OLD)

    def act(self, place: Path) -> str | None:
        from slicer_harness import errors

        self._left_before = {path.name for path in (place / "out").glob(".writing-*")}  # by one that was killed: stays
        ui = self._section.ui
        for button in (ui.writeHtmlButton, ui.writeCsvButton, ui.writeSegmentationButton, ui.writeMeasuresButton):
            button.click()
            while self._later:
                self._later.pop(0)()
            printed = errors.taken()
            assert not printed, printed[0][-300:]
            if not ui.reportMessageLabel.text.startswith("Written to"):
                return str(ui.reportMessageLabel.text)
        return None

    def broken(self, place: Path) -> str | None:
        for name in NAMES:
            path = place / "out" / name
            if not path.is_file():
                return f"{name} is gone"
            if path.read_bytes() != OLD:
                require_whole(path)
        return None

    def wrong(self, place: Path, done: bool) -> str | None:
        if broken := self.broken(place):
            return broken
        if not done:
            return None
        left = sorted({path.name for path in (place / "out").iterdir()} - self._left_before - set(NAMES))
        if left:
            return f"left behind: {left}"
        old = [name for name in NAMES if (place / "out" / name).read_bytes() == OLD]
        return f"{old} are the old ones" if old else None
