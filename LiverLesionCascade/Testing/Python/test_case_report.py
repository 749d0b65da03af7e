"""Reports of a result as a person left it: HTML, CSV, DICOM SEG and SR, and the section that writes them."""

import codecs
import csv
import dataclasses
import html.parser
import io
import subprocess

import numpy as np
import pydicom
import pytest
import slicer_harness

slicer_harness.install()

import highdicom  # noqa: E402
import slicer  # noqa: E402
from fakes.panel_fakes import makeCT, resultOf  # noqa: E402
from fixtures import scene_cases as cases  # noqa: E402
from fixtures.dicom_files import write_series  # noqa: E402
from LiverLesionCascadeLib.engine.errors import InputError  # noqa: E402
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files  # noqa: E402
from LiverLesionCascadeLib.gui.install import highdicom_installation  # noqa: E402
from LiverLesionCascadeLib.gui.install.highdicom_installation import HighdicomInstaller  # noqa: E402
from LiverLesionCascadeLib.gui.lesions.lesion_columns import statusText  # noqa: E402
from LiverLesionCascadeLib.gui.runs import stepwise  # noqa: E402
from LiverLesionCascadeLib.gui.sections.report_section import ReportSection  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import arrayFromImage  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.representations import BINARY_LABELMAP  # noqa: E402
from LiverLesionCascadeLib.scene.tools.case_report import INSTANCE_UIDS, CaseReport  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import Review  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult, segmentMask  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402
from slicer_harness.ui_loader import PROBLEMS  # noqa: E402

_alive = []  # PySide deletes what Slicer keeps


@pytest.fixture(autouse=True)
def emptyScene():
    slicer.mrmlScene.Clear()
    PROBLEMS.clear()
    yield
    closeWorkspaces()
    assert PROBLEMS == []


class Case:
    """A phantom that came from DICOM files, with its result."""

    def __init__(self, folder):
        phantom = arrayFromImage(makeCT().GetImageData())
        slicer.mrmlScene.Clear()
        write_series(
            folder / "ct",
            (phantom + 1024).astype(np.uint16),
            FrameOfReferenceUID="1.2.3.9",
            PatientID="17",
            PixelSpacing=[1.6, 1.6],
            positions=[(-100.0, -50.0, 5.0 * n) for n in range(len(phantom))],
        )
        ct = read_dicom_files([folder / "ct"])
        self.files = {
            str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID): str(path)
            for path in (folder / "ct").iterdir()
        }
        self.volume = cases.volumeNodeFromArray(slicer.mrmlScene, np.array(ct.hu), ct.source, "Portal CT")
        self.volume.SetAttribute(INSTANCE_UIDS, " ".join(self.files))
        self.node = segmentationNodeFromResult(resultOf(self.volume), self.volume)
        self.workspace = workspaceOf(self.node)
        self.segmentation = self.node.GetSegmentation()

    def fileForInstance(self, uid):
        return self.files.get(uid, "")

    def report(self):
        return CaseReport(self.workspace, self.fileForInstance)

    def erase(self, segmentId, rows):
        """What a person does with the eraser: the segment's first rows go."""
        labelmap = slicer.vtkOrientedImageData()
        self.node.GetBinaryLabelmapRepresentation(segmentId, labelmap)
        array = arrayFromImage(labelmap).copy()
        first = np.flatnonzero(array.any(axis=(0, 2)))[0]
        array[:, : first + rows] = 0
        slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(
            _image(labelmap, array), self.node, segmentId
        )


def _image(like, array):
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(like)
    arrayFromImage(image)[:] = array
    image.Modified()
    return image


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def rowsOf(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


class Reader(html.parser.HTMLParser):
    """Text, images and everything that a page would load."""

    def __init__(self, path):
        super().__init__()
        self.text, self.images, self.loaded = "", 0, []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "img":
            self.images += values["src"].startswith("data:image/jpeg;base64,")
        self.loaded += [v for k, v in values.items() if k in ("src", "href") and not v.startswith("data:")]

    def handle_data(self, data):
        self.text += data


def test_the_table_is_of_the_segments_as_they_are_and_without_those_that_were_rejected(case, tmp_path):
    case.report().writeCsv(tmp_path / "before.csv")
    assert (tmp_path / "before.csv").read_bytes().startswith(codecs.BOM_UTF8), "as Excel knows UTF-8 by"
    before = rowsOf(tmp_path / "before.csv")
    assert [row["lesion"] for row in before] == ["1", "2"]
    case.erase("lesion_1", 4)
    case.segmentation.GetSegment("lesion_1").SetName("Dome")
    case.workspace.tool(Review).accept("lesion_1")
    case.workspace.tool(Review).reject("lesion_2")
    report = case.report()
    report.writeCsv(tmp_path / "after.csv")
    (row,) = rowsOf(tmp_path / "after.csv")
    assert (row["lesion"], row["name"], row["status"], row["edited"]) == ("1", "Dome", "accepted", "yes")
    assert float(row["volume_ml"]) < float(before[0]["volume_ml"])
    assert int(row["voxels"]) == segmentMask(case.node, "lesion_1", case.volume).sum()
    assert report.leftOut == ["Lesion 2"]


def test_the_page_shows_the_present_lesions_and_says_what_was_left_out(case, tmp_path):
    case.workspace.tool(Review).reject("lesion_2")
    case.report().writeHtml(tmp_path / "report.html")
    page = Reader(tmp_path / "report.html")
    assert page.loaded == []  # it needs no other file
    assert page.images == 1
    assert "left out of this report: Lesion 2." in page.text
    assert "Portal CT" in page.text
    assert "unreviewed" in page.text
    case.workspace.tool(Review).undo()
    case.report().writeHtml(tmp_path / "both.html")
    both = Reader(tmp_path / "both.html")
    assert both.images == 2
    assert "left out" not in both.text


def test_the_page_marks_lesions_in_doubt_until_somebody_decides_and_says_verdicts_in_the_readers_language(
    case, tmp_path
):
    report = case.report()
    report.rows = [
        dataclasses.replace(row, measures=dataclasses.replace(row.measures, confidence=0.3)) for row in report.rows
    ]
    words = {"unreviewed": "Zu prüfen", "accepted": "Angenommen"}

    def page():
        report.writeHtml(tmp_path / "report.html", statusText=lambda row: words[row.status])
        return (tmp_path / "report.html").read_text("utf-8")

    assert page().count('class="doubt"') == 2 and "2 in doubt" in page() and page().count(">Zu prüfen<") == 2
    report.rows[0] = dataclasses.replace(report.rows[0], status="accepted")
    assert page().count('class="doubt"') == 1 and "1 in doubt" in page() and page().count(">Angenommen<") == 1


def test_the_page_counts_a_voxel_of_two_lesions_once(case, tmp_path):
    twin = slicer.vtkSegment()
    twin.DeepCopy(case.segmentation.GetSegment("lesion_1"))
    case.segmentation.AddSegment(twin, "twin")
    report = case.report()
    assert len(report.rows) == 3
    alone = report.rows[0].measures.volume_ml + report.rows[1].measures.volume_ml
    result = report._result(read_dicom_files([tmp_path / "ct"]))
    assert result.lesion_volume_ml == pytest.approx(alone)


def test_segments_become_dicom_segments_with_their_terminology_and_how_they_came_about(case, tmp_path):
    case.erase("lesion_1", 4)
    drawn = slicer.vtkSegment()
    drawn.SetName("Cyst")
    drawn.AddRepresentation(BINARY_LABELMAP, case.segmentation.GetSegment("liver").GetRepresentation(BINARY_LABELMAP))
    tag = drawn.GetTerminologyEntryTagName()
    general = "Segmentation category and type - 3D Slicer General Anatomy list"
    drawn.SetTag(
        tag,
        f"{general}~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~SCT^255232004^Polycystic"
        "~Anatomic codes - DICOM master list~SCT^10200004^Liver~SCT^24028007^Right",
    )
    case.segmentation.AddSegment(drawn, "cyst")
    case.workspace.tool(Review).reject("lesion_2")
    case.report().writeDicomSegmentation(tmp_path / "a.seg.dcm")
    dataset = pydicom.dcmread(tmp_path / "a.seg.dcm")
    items = {str(item.SegmentLabel): item for item in dataset.SegmentSequence}
    assert list(items) == ["Liver", "Lesion 1", "Cyst"]
    assert [item.SegmentAlgorithmType for item in items.values()] == ["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]
    assert items["Liver"].SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Liver"
    cyst = items["Cyst"].SegmentedPropertyTypeCodeSequence[0]
    assert cyst.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Polycystic"
    region = items["Cyst"].AnatomicRegionSequence[0]
    assert region.AnatomicRegionModifierSequence[0].CodeMeaning == "Right"
    voxels = dict.fromkeys(range(1, 4), 0)
    for frame, place in zip(dataset.pixel_array, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        voxels[int(place.SegmentIdentificationSequence[0].ReferencedSegmentNumber)] += int(frame.sum())
    masks = [segmentMask(case.node, each, case.volume).sum() for each in ("liver", "lesion_1", "cyst")]
    assert list(voxels.values()) == masks


def test_the_dicom_report_measures_what_the_table_does_and_keeps_the_tracking_names(case, tmp_path):
    report = case.report()
    report.writeDicomReport(tmp_path / "a.sr.dcm", tmp_path / "a.seg.dcm")
    case.report().writeDicomReport(tmp_path / "b.sr.dcm", tmp_path / "b.seg.dcm")
    first, second = (
        highdicom.sr.srread(tmp_path / name).content.get_volumetric_roi_measurement_groups()
        for name in ("a.sr.dcm", "b.sr.dcm")
    )
    assert [group.tracking_uid for group in first] == [group.tracking_uid for group in second]
    lengths = [group.get_measurements()[1].value for group in first[1:]]
    assert lengths == pytest.approx([row.measures.long_axis_mm for row in report.rows], rel=1e-5)


def test_a_copied_lesion_gets_a_tracking_name_of_its_own(case, tmp_path):
    case.report().writeDicomSegmentation(tmp_path / "a.seg.dcm")
    copied = slicer.vtkSegment()
    copied.DeepCopy(case.segmentation.GetSegment("lesion_1"))
    case.segmentation.AddSegment(copied, "copied")
    case.report().writeDicomSegmentation(tmp_path / "b.seg.dcm")
    a, b = (pydicom.dcmread(tmp_path / name).SegmentSequence for name in ("a.seg.dcm", "b.seg.dcm"))
    uids = [str(item.TrackingUID) for item in b]
    assert len(set(uids)) == len(uids) == 4
    assert {str(item.TrackingUID) for item in a} < set(uids)


def test_without_its_dicom_files_a_volume_has_no_dicom_export(case, tmp_path):
    report = CaseReport(case.workspace, lambda uid: "")
    with pytest.raises(InputError, match="Import the series again"):
        report.writeDicomSegmentation(tmp_path / "a.seg.dcm")
    case.volume.RemoveAttribute(INSTANCE_UIDS)
    with pytest.raises(InputError, match="not loaded by the DICOM module"):
        case.report().writeDicomSegmentation(tmp_path / "a.seg.dcm")


# -- the section


@dataclasses.dataclass
class Installer:
    there: bool = True
    asked: int = 0

    def ensure(self):
        self.asked += 1
        return self.there


class Section:
    def __init__(self, case, folder, installer=None):
        self.installer = installer or Installer()
        self.folder = folder
        self.later = []
        self.section = ReportSection(
            lambda _s, call: self.later.append(call), self.installer, self.ask, case.fileForInstance
        )
        self.ui = self.section.ui
        _alive.append(self.section)
        self.section.show(case.workspace)

    def turn(self):
        """Let what was put off until later be done; how many steps that were."""
        steps = 0
        while self.later:
            self.later.pop(0)()
            steps += 1
        return steps

    def ask(self, title, suggestion, kinds, ending):
        return str(self.folder / f"out{ending}") if self.folder else ""

    @property
    def message(self):
        return self.ui.reportMessageLabel.text


def test_each_button_writes_its_file_and_says_where(case, tmp_path):
    section = Section(case, tmp_path)
    case.workspace.tool(Review).reject("lesion_2")
    for button, names in (
        (section.ui.writeHtmlButton, ["out.html"]),
        (section.ui.writeCsvButton, ["out.csv"]),
        (section.ui.writeSegmentationButton, ["out.seg.dcm"]),
        (section.ui.writeMeasuresButton, ["out.sr.dcm", "out.seg.dcm"]),
    ):
        button.click()
        section.turn()
        for name in names:
            assert (tmp_path / name).stat().st_size > 0
            assert name in section.message
        assert "Lesion 2" in section.message
    assert section.installer.asked == 2  # only for DICOM


def test_the_segmentation_beside_a_report_is_not_overwritten_without_a_question(case, tmp_path, monkeypatch):
    section = Section(case, tmp_path)
    (tmp_path / "out.seg.dcm").write_text("of another patient")
    asked = []
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text, **_: asked.append(text), raising=False)
    section.ui.writeMeasuresButton.click()
    assert len(asked) == 1 and "out.seg.dcm" in asked[0]
    assert (tmp_path / "out.seg.dcm").read_text() == "of another patient" and not (tmp_path / "out.sr.dcm").exists()


def test_the_page_is_written_in_steps_between_which_the_panel_lives(case, tmp_path, monkeypatch):
    monkeypatch.setattr(stepwise, "SECONDS", 0)  # one step at a time
    section = Section(case, tmp_path)
    case.report().writeHtml(tmp_path / "at once.html", statusText=statusText)
    section.ui.writeHtmlButton.click()
    assert section.message == "Writing the report..." and not section.ui.writeHtmlButton.enabled
    section.later.pop(0)()
    section.section.show(case.workspace)  # as after every edit
    assert section.message == "Writing the report..." and not (tmp_path / "out.html").exists()
    slices = section.turn()
    assert slices > 24 and section.ui.writeHtmlButton.enabled  # one a slice, and more
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "at once.html", tmp_path / "out.html")]
    assert len(pages[0]) == len(pages[1]) and "out.html" in section.message


def test_a_report_of_a_result_that_is_no_longer_shown_is_not_written(case, tmp_path):
    section = Section(case, tmp_path)
    section.ui.writeHtmlButton.click()
    section.section.show(None)
    assert section.turn() == 1 and not (tmp_path / "out.html").exists() and section.message == ""


def test_a_folder_that_is_not_there_is_said_after_the_last_step(case, tmp_path):
    section = Section(case, tmp_path / "missing")
    section.ui.writeHtmlButton.click()
    section.turn()
    assert "Choose another folder" in section.message and section.ui.writeHtmlButton.enabled


def test_the_dicom_buttons_say_why_they_are_disabled(case, tmp_path):
    section = Section(case, tmp_path)
    assert section.ui.writeSegmentationButton.enabled
    assert section.ui.writeMeasuresButton.enabled
    case.volume.RemoveAttribute(INSTANCE_UIDS)
    section.section.enter()
    assert section.ui.writeHtmlButton.enabled
    assert not section.ui.writeSegmentationButton.enabled
    assert not section.ui.writeMeasuresButton.enabled
    assert "not loaded by the DICOM module" in section.ui.dicomReasonLabel.text
    section.section.show(None)
    assert not section.ui.writeHtmlButton.enabled
    assert section.ui.dicomReasonLabel.text == ""


def test_nothing_is_written_without_consent_or_path_and_an_unwritable_folder_is_said(case, tmp_path):
    declined = Section(case, tmp_path, Installer(there=False))
    declined.ui.writeSegmentationButton.click()
    nowhere = Section(case, None)
    nowhere.ui.writeHtmlButton.click()
    assert [path.name for path in tmp_path.iterdir()] == ["ct"]
    missing = Section(case, tmp_path / "missing")
    missing.ui.writeCsvButton.click()
    assert "Choose another folder" in missing.message


def test_highdicom_is_installed_only_with_consent(monkeypatch):
    class Missing(HighdicomInstaller):
        installed = False

        def isInstalled(self):
            return self.installed

    installer, ran = Missing(), []

    def install(requirements):
        ran.append(requirements)
        installer.installed = True

    monkeypatch.setattr(slicer.util, "pip_install", install, raising=False)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *a, **k: False, raising=False)
    assert not installer.ensure()
    assert ran == []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *a, **k: True, raising=False)
    assert installer.ensure()
    assert ran == [[highdicom_installation.REQUIREMENT]]


def test_a_failed_installation_is_explained(monkeypatch):
    class Missing(HighdicomInstaller):
        def isInstalled(self):
            return False

    def fail(requirements):
        raise subprocess.CalledProcessError(1, "pip")

    shown = []
    monkeypatch.setattr(slicer.util, "pip_install", fail, raising=False)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *a, **k: True, raising=False)
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *a, **k: shown.append(text), raising=False)
    assert not Missing().ensure()
    assert "PythonSlicer -m pip install" in shown[0]
