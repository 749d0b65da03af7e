"""Every block of Python in Docs/recipes.md is run as it is written, and has to do what its recipe says."""

import argparse
import contextlib
import csv
import io
import re
import shlex
import subprocess
import types
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import slicer_harness
from fixtures import scene_cases as cases
from scipy import ndimage

slicer_harness.install()

import slicer  # noqa: E402
from fixtures.dicom_files import write_series  # noqa: E402
from fixtures.follow_up_cases import AFTER, BEFORE, addResult  # noqa: E402
from fixtures.phantom import LESION_HU, SPACING_KJI, PhantomSegmenter, phantom_hu, phantom_image  # noqa: E402
from LiverLesionCascadeLib import cli  # noqa: E402
from LiverLesionCascadeLib.engine.corrections.refine import Refined  # noqa: E402
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume  # noqa: E402
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files  # noqa: E402
from LiverLesionCascadeLib.gui.runs.segmentation_runs import SegmentationRuns  # noqa: E402
from LiverLesionCascadeLib.sample import fetch_sample  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import shownVolumes  # noqa: E402
from LiverLesionCascadeLib.scene.tools.case_report import INSTANCE_UIDS  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.provenance import resultSegmentIds  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import REJECTED, Review  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentMask  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "Docs"
MODULE = REPOSITORY / "LiverLesionCascade" / "LiverLesionCascade.py"


def recipes():
    """{heading: program} of the page."""
    sections = re.split(r"^## (.+)$", (DOCS / "recipes.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = zip(sections[1::2], sections[2::2], strict=True)
    return {heading: "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)) for heading, text in found}


class Phantom(PhantomSegmenter):
    """Finds the phantom's lesions by their density, and carries a mark on by two voxels."""

    def __init__(self):
        super().__init__()
        self.bundle = types.SimpleNamespace(name="phantom", version="1")

    def __call__(self, bundle, device):
        return self

    def refine(self, ct, corrections, preset, progress=None, cancel=None):
        grown = ndimage.binary_dilation(corrections.lesions_painted, iterations=2)
        return Refined(corrections.start, corrections.liver, corrections.lesions | grown)


class Client:
    """Stands in for the worker; `compute` does what was submitted."""

    def submit(self, volume, options, handlers):
        self._submitted = volume, handlers
        self.run = types.SimpleNamespace(state="queued", cancel=handlers.on_cancelled)
        return self.run

    def compute(self):
        volume, handlers = self._submitted
        handlers.on_progress(0.5, "Lesions", 3.0)
        self.run.state = "ended"
        ct = CTVolume.from_array(volume.array, volume.ijk_to_lps, volume.name)
        handlers.on_finished(Phantom().segment(ct, "fast").on_source(ct, keep_probabilities=True))


class Kitchen:
    """What a recipe finds, and its names afterwards."""

    def __init__(self, monkeypatch, folder, capsys):
        self.monkeypatch, self.folder, self.capsys = monkeypatch, folder, capsys
        self.client = Client()
        loaded = slicer_harness.LOADED.get("LiverLesionCascade") or slicer_harness.load(MODULE)
        self.logic = loaded.module.LiverLesionCascadeLogic(Phantom(), SegmentationRuns(lambda: self.client))
        monkeypatch.setattr(slicer.util, "getModuleLogic", lambda name: {"LiverLesionCascade": self.logic}[name])
        self.volume = cases.addVolumeNode(
            slicer.mrmlScene, phantom_hu(), np.diag([-1.0, -1.0, 1.0]), SPACING_KJI[::-1], (130, 100, 500), "CT"
        )

    def cook(self, heading, **names):
        """Run a recipe with a result in the scene; what it printed."""
        self.node = self.logic.segment(self.volume)
        start = {"slicer": slicer, "logic": self.logic, "volumeNode": self.volume, "segmentationNode": self.node}
        self.names = {**start, **names}
        self.capsys.readouterr()
        exec(compile(recipes()[heading], heading, "exec"), self.names)
        return self.capsys.readouterr().out

    def lesions(self):
        return {each: segmentMask(self.node, each, self.volume) for each in workspaceOf(self.node).lesionIds()}


@pytest.fixture
def kitchen(monkeypatch, tmp_path, capsys):
    slicer.mrmlScene.Clear()
    monkeypatch.chdir(tmp_path)
    yield Kitchen(monkeypatch, tmp_path, capsys)
    closeWorkspaces()
    slicer.mrmlScene.Clear()


def segment(kitchen):
    kitchen.cook("Segment and wait")
    assert kitchen.names["segmentationNode"] is not kitchen.node
    assert len(resultSegmentIds(kitchen.names["segmentationNode"])) == 3


def background(kitchen):
    kitchen.cook("Segment in the background")
    assert kitchen.names["run"] in kitchen.logic.runs.runs
    kitchen.client.compute()
    printed = kitchen.capsys.readouterr().out
    assert "Lesions: 50%" in printed and re.search(r"CT liver and lesions_1: 2 lesions, \d+\.\d mL", printed)


def measure(kitchen):
    printed = kitchen.cook("Measure the lesions")
    rows = list(csv.DictReader((kitchen.folder / "lesions.csv").open(encoding="utf-8")))
    masks = list(kitchen.lesions().values())
    assert [row["lesion"] for row in rows] == ["Lesion 1", "Lesion 2"]
    for row, mask in zip(rows, masks, strict=True):
        assert float(row["volume_ml"]) == pytest.approx(mask.sum() * np.prod(SPACING_KJI) / 1000)
        assert float(row["long_axis_mm"]) >= float(row["short_axis_mm"]) > 5
        assert float(row["mean_hu"]) == pytest.approx(LESION_HU, abs=1)
    assert re.match(r"2 lesions, \d+\.\d mL, \d+\.\d % of the liver", printed)


def reviewed(kitchen):
    printed = kitchen.cook("Review from Python")
    review = workspaceOf(kitchen.node).tool(Review)
    assert printed == "accepted 0\n"
    assert sorted(map(review.status, kitchen.lesions())) == ["accepted", "unreviewed"]
    review.redo()
    assert REJECTED in map(review.status, kitchen.lesions())


def threshold(kitchen):
    printed = kitchen.cook("Another threshold")
    assert re.match(r"2 lesions, \d+\.\d mL; 0 kept", printed)
    settings = kitchen.names["threshold"].settings
    assert (settings.threshold, settings.minimumMm) == (0.3, 8.0)


def refine(kitchen):
    printed = kitchen.cook("Refine from a correction")
    mark = kitchen.names["mark"] > 0
    refined = kitchen.lesions()[kitchen.names["segmentId"]]
    assert refined[mark].all() and refined.sum() > 3 * mark.sum()
    added = (refined & ~mark).sum() * np.prod(SPACING_KJI) / 1000
    assert printed == f"{added:.2f} mL more, 0.00 mL less, 0 new lesions\n"
    kitchen.logic.undoRefinement(kitchen.node)
    np.testing.assert_array_equal(kitchen.lesions()[kitchen.names["segmentId"]], mark)


def follow(kitchen):
    earlier, later = (addResult(slicer.mrmlScene, *each)[1] for each in (("Before", BEFORE), ("After", AFTER)))
    printed = kitchen.cook("Compare two time points", earlierNode=earlier, laterNode=later)
    assert [line.split()[0] for line in printed.splitlines()] == ["matched", "matched", "new", "gone"]
    text = (kitchen.folder / "follow-up.csv").read_text(encoding="utf-8")
    assert text.count("matched") == 2 and "new" in text and "gone" in text


def report(kitchen):
    folder = kitchen.folder / "ct"
    stored = (phantom_hu() + 1024).astype(np.uint16)
    positions = [(-100.0, -50.0, 3.0 * n) for n in range(len(stored))]
    frame = {"FrameOfReferenceUID": "1.2.3.9", "PatientID": "17", "PixelSpacing": [2, 2]}
    write_series(folder, stored, positions=positions, **frame)
    ct = read_dicom_files([folder])
    files = {pydicom.dcmread(each, stop_before_pixels=True).SOPInstanceUID: str(each) for each in folder.iterdir()}
    kitchen.volume = cases.volumeNodeFromArray(slicer.mrmlScene, np.array(ct.hu), ct.source, "Portal CT")
    kitchen.volume.SetAttribute(INSTANCE_UIDS, " ".join(files))
    database = types.SimpleNamespace(isOpen=True, fileForInstance=lambda uid: files.get(uid, ""))
    kitchen.monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    kitchen.cook("Write the report, DICOM SEG and SR")
    assert "Lesion 2" in (kitchen.folder / "report.csv").read_text(encoding="utf-8-sig")
    assert "<table" in (kitchen.folder / "report.html").read_text(encoding="utf-8")
    segmentation, measures = (pydicom.dcmread(kitchen.folder / n) for n in ("segments.seg.dcm", "measures.sr.dcm"))
    assert [each.SegmentLabel for each in segmentation.SegmentSequence] == ["Liver", "Lesion 1", "Lesion 2"]
    assert measures.Modality == "SR" and segmentation.SOPInstanceUID in str(measures)


def writeScans(kitchen):
    (kitchen.folder / "scans").mkdir()
    for name in ("a", "b"):
        sitk.WriteImage(phantom_image(), str(kitchen.folder / "scans" / f"{name}.nrrd"))


def folderInSlicer(kitchen):
    writeScans(kitchen)
    kitchen.cook("Every scan of a folder, in Slicer")
    for name in ("a", "b"):
        image = sitk.ReadImage(str(kitchen.folder / "scans" / f"{name}.seg.nrrd"))
        assert image.GetMetaData("Segment2_Name") == "Lesion 2"
    assert shownVolumes(slicer.mrmlScene) == [kitchen.volume]
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == [kitchen.node]


def folderByCommand(kitchen):
    writeScans(kitchen)
    (kitchen.folder / "scans" / "c.nrrd").write_bytes(b"")

    def run(words, stdout, text):
        assert words[0] == cli.PROGRAM and stdout == subprocess.PIPE and text
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            cli.main(words[1:], PhantomSegmenter())
        return types.SimpleNamespace(stdout=printed.getvalue())

    kitchen.monkeypatch.setattr(subprocess, "run", run)
    printed = kitchen.cook("Every scan of a folder, by the command").splitlines()
    assert [re.match(r"(\w)\.nrrd 2 lesions \d+\.\d mL", line)[1] for line in printed[:2]] == ["a", "b"]
    assert printed[2].startswith("c.nrrd ") and "c.nrrd" in printed[2][7:]
    assert (kitchen.folder / "results" / "b" / "lesions.csv").is_file()


def engine(kitchen):
    # The shipped networks know real scans only.
    sample = fetch_sample(kitchen.folder)
    sitk.WriteImage(sitk.ReadImage(str(sample.image)), str(kitchen.folder / "scan.nii.gz"))
    printed = kitchen.cook("The engine without Slicer")
    ct, result = kitchen.names["ct"], kitchen.names["result"]
    assert result.bundle_name == "lits-compact" and result.liver_volume_ml > 100
    assert len(printed.splitlines()) == len(result.table) > 0
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(kitchen.folder / "lesions.nii.gz")))
    np.testing.assert_array_equal(written, ct.to_source(result.lesions.full(ct.hu.shape)))


EXPECTED = {
    "Segment and wait": segment,
    "Segment in the background": background,
    "Measure the lesions": measure,
    "Review from Python": reviewed,
    "Another threshold": threshold,
    "Refine from a correction": refine,
    "Compare two time points": follow,
    "Write the report, DICOM SEG and SR": report,
    "Every scan of a folder, in Slicer": folderInSlicer,
    "Every scan of a folder, by the command": folderByCommand,
    "The engine without Slicer": engine,
}


def test_every_recipe_is_tried():
    assert list(recipes()) == list(EXPECTED) and all(recipes().values())


@pytest.mark.parametrize("heading", EXPECTED)
def test_the_recipe_does_what_it_says(kitchen, heading):
    EXPECTED[heading](kitchen)


def commands():
    """The lines of the pages that start our command, as words."""
    for page in sorted(DOCS.rglob("*.md")):
        for block in re.findall(r"^```(?:sh|bash|yaml)[^\n]*\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            block = re.sub(r"\[(liver-lesion-cascade, [^]]*)\]", lambda found: found[1].replace(",", ""), block)  # YAML
            for line in block.replace("\\\n", " ").splitlines():
                found = re.search(r"(?:liver-lesion-cascade|-m LiverLesionCascadeLib\.cli) ([a-z].*)$", line)
                if found:
                    yield page.name, shlex.split(found[1], comments=True)


@pytest.mark.parametrize(("page", "words"), list(commands()))
def test_the_commands_of_the_pages_are_understood(page, words):
    assert isinstance(cli._parser(words).parse_args(words), argparse.Namespace)
