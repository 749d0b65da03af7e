"""The module's logic: what scripts and the Python console call."""

import inspect
import logging
import re
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import slicer_harness
from fixtures import scene_cases as cases
from scipy import ndimage

slicer_harness.install()

import slicer  # noqa: E402
from fixtures.phantom import LESION_HU, PhantomSegmenter, phantom_hu  # noqa: E402
from LiverLesionCascadeLib.engine.corrections.edit_flags import LESION_PAINTED  # noqa: E402
from LiverLesionCascadeLib.engine.corrections.refine import Refined  # noqa: E402
from LiverLesionCascadeLib.engine.errors import CancelledError, InputError, OutputError  # noqa: E402
from LiverLesionCascadeLib.engine.passes.presets import PAPER_SCALES, PRESETS  # noqa: E402
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing  # noqa: E402
from LiverLesionCascadeLib.engine.run_options import RunOptions  # noqa: E402
from LiverLesionCascadeLib.engine.source_run import run_on_source  # noqa: E402
from LiverLesionCascadeLib.gui.runs import shared_runs  # noqa: E402
from LiverLesionCascadeLib.gui.runs.segmentation_runs import SegmentationRuns  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import ijkToRasMatrix, shownVolumes  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.provenance import resultSegmentIds  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentMask  # noqa: E402
from LiverLesionCascadeLib.worker.submitted_run import RunFailure  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[3]
MODULE = REPOSITORY / "LiverLesionCascade" / "LiverLesionCascade.py"
AXIAL_LPS = np.diag([-1.0, -1.0, 1.0])


class ImmediateClient:
    """Stands in for the worker's client: computes a run when the test says so."""

    def __init__(self, segmenter):
        self._segmenter = segmenter
        self.submitted, self.closed = [], 0

    def submit(self, volume, options, handlers):
        run = type("Run", (), {"state": "queued", "cancel": handlers.on_cancelled})()
        self.submitted.append((volume, options, handlers, run))
        return run

    def compute(self):
        from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume

        volume, options, handlers, run = self.submitted.pop(0)
        handlers.on_progress(0.5, "Lesions", 3.0)
        ct = CTVolume.from_array(volume.array, volume.ijk_to_lps, volume.name)
        run.state = "ended"
        handlers.on_finished(run_on_source(self._segmenter, ct, options, volume.edits))

    def close(self):
        self.closed += 1


class Presets(PhantomSegmenter):
    """Keeps the presets that it was asked for; carries a mark on by two voxels."""

    def __init__(self):
        super().__init__()
        self.bundle = type("Bundle", (), {"name": "phantom", "version": "1"})

    def __call__(self, bundle, device):
        return self

    def refine(self, ct, corrections, preset, progress=None, cancel=None):
        self.preset = preset
        if progress is not None:
            progress(0.5, "Looking again")
        grown = ndimage.binary_dilation(corrections.lesions_painted, iterations=2)
        return Refined(corrections.start, corrections.liver, corrections.lesions | grown)

    def segment(self, ct, preset, progress=None, cancel=None):
        self.asked = [*getattr(self, "asked", []), preset]
        return super().segment(ct, preset, progress, cancel)


@pytest.fixture
def segmenter():
    return Presets()


@pytest.fixture
def client(segmenter):
    return ImmediateClient(segmenter)


@pytest.fixture
def Logic():
    loaded = slicer_harness.LOADED.get("LiverLesionCascade") or slicer_harness.load(MODULE)
    return loaded.module.LiverLesionCascadeLogic


@pytest.fixture
def logic(Logic, segmenter, client):
    slicer.mrmlScene.Clear()
    yield Logic(segmenter, SegmentationRuns(lambda: client))
    slicer.mrmlScene.Clear()


def addVolume(name="CT"):
    return cases.addVolumeNode(slicer.mrmlScene, phantom_hu(), AXIAL_LPS, (2, 2, 3), (130, 100, 500), name)


def lesionsIn(hu):
    return (hu > LESION_HU - 10) & (hu < LESION_HU + 10)


def addRoi(volume, box):
    """A ROI whose sides lie between the voxels inside and outside of a box (k, j, i)."""
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    low, high = (np.array([getattr(axis, end) for axis in box[::-1]], float) for end in ("start", "stop"))
    roi.SetCenter(*(ijkToRasMatrix(volume) @ [*(low + high - 1) / 2, 1])[:3])
    roi.SetSize(*((high - low) * volume.GetSpacing()))
    return roi


# ------------------------------------------------------------------------------------------------------------ examples


def test_the_example_of_the_readme_runs_as_it_is_written(logic, monkeypatch):
    monkeypatch.setattr(slicer.util, "getModuleLogic", lambda name: {"LiverLesionCascade": logic}[name])
    addVolume()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names = {"slicer": slicer}
    exec(code, names)
    assert names["segmentationNode"].GetName() == "CT liver and lesions"


def test_the_examples_of_the_docstring_run_as_they_are_written(logic, client, monkeypatch, capsys):
    monkeypatch.setattr(slicer.util, "getModuleLogic", lambda name: {"LiverLesionCascade": logic}[name])
    addVolume()
    loaded = slicer_harness.LOADED.get("LiverLesionCascade") or slicer_harness.load(MODULE)
    text = inspect.getdoc(loaded.module.LiverLesionCascadeLogic)
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", text)
    code = "\n".join(textwrap.dedent(block) for block in blocks)
    assert code.count("logic.segment(") == 1 and code.count("logic.segmentAsync(") == 1
    names = {"slicer": slicer}
    exec(code, names)
    assert names["segmentationNode"].GetName() == "CT liver and lesions"
    assert names["run"] in logic.runs.runs
    client.compute()
    printed = capsys.readouterr().out
    assert "Lesions: 50%" in printed and re.search(r"CT liver and lesions_1: 2 lesions, \d+\.\d mL", printed)


def test_get_module_logic_gives_the_logic_that_the_panel_uses(Logic):
    slicer.util.selectModule("LiverLesionCascade")
    assert slicer.util.getModuleLogic("LiverLesionCascade") is slicer.modules.LiverLesionCascadeWidget.logic
    assert isinstance(slicer.util.getModuleLogic("LiverLesionCascade"), Logic)


# ------------------------------------------------------------------------------------------------------------ blocking


def test_segment_puts_the_result_into_the_scene(logic):
    volume = addVolume()
    stages = []
    node = logic.segment(volume, progress=lambda fraction, stage: stages.append(stage))
    lesions = segmentMask(node, "lesion_1", volume) | segmentMask(node, "lesion_2", volume)
    np.testing.assert_array_equal(lesions, lesionsIn(phantom_hu()))
    assert len(resultSegmentIds(node)) == 3, "the liver and two lesions"
    assert stages == ["Liver", "Lesions"]


def test_segment_within_a_region_leaves_the_rest_alone(logic):
    volume = addVolume()
    box = (slice(2, 13), slice(10, 80), slice(8, 80))  # holds the larger of the two lesions
    node = logic.segment(volume, roiNode=addRoi(volume, box))
    inside = np.zeros(phantom_hu().shape, bool)
    inside[box] = True
    assert len(resultSegmentIds(node)) == 2
    np.testing.assert_array_equal(segmentMask(node, "lesion_1", volume), lesionsIn(phantom_hu()) & inside)


def test_segment_adds_probability_volumes_if_asked(logic):
    volume = addVolume()
    logic.segment(volume)
    assert shownVolumes(slicer.mrmlScene) == [volume]
    logic.segment(volume, keepProbabilities=True)
    assert slicer.util.getNode("CT liver probability") and slicer.util.getNode("CT lesion probability")


def markedResult(logic):
    """A result with a segment of a person's, and the mark in it."""
    volume = addVolume()
    node = logic.segment(volume)
    mark = np.zeros(phantom_hu().shape, bool)
    mark[12, 54:57, 28:31] = True
    node.GetSegmentation().AddEmptySegment("mine", "Missed")
    image = orientedImage(mark.astype(np.uint8), ijkToRasMatrix(volume))
    segmentations = slicer.vtkSlicerSegmentationsModuleLogic
    assert segmentations.SetBinaryLabelmapToSegment(image, node, "mine", segmentations.MODE_REPLACE)
    return volume, node, mark


def test_refine_shows_what_would_change_and_accepting_it_can_be_undone(logic, segmenter):
    volume, node, mark = markedResult(logic)
    stages = []
    refinement = logic.refine(node, progress=lambda fraction, stage: stages.append(stage), preset="paper")
    assert stages == ["Looking again"] and segmenter.preset.name == "paper"
    np.testing.assert_array_equal(segmentMask(node, "mine", volume), mark)
    assert refinement.summary().added
    refinement.accept()
    assert np.count_nonzero(segmentMask(node, "mine", volume)) > 3 * np.count_nonzero(mark)
    logic.undoRefinement(node)
    np.testing.assert_array_equal(segmentMask(node, "mine", volume), mark)
    with pytest.raises(LookupError):
        logic.undoRefinement(node)


def test_refining_within_a_region_leaves_the_rest_alone(logic):
    volume, node, mark = markedResult(logic)
    box = (slice(12, 14), slice(10, 80), slice(8, 80))
    logic.refine(node, roiNode=addRoi(volume, box)).accept()
    inside = np.zeros(phantom_hu().shape, bool)
    inside[box] = True
    found = segmentMask(node, "mine", volume)
    assert found[13].any() and not (found & ~inside).any()


def test_a_region_without_an_edit_is_refused_whether_or_not_the_result_reaches_into_it(logic):
    volume, node, mark = markedResult(logic)
    for box in ((slice(4, 10), slice(10, 80), slice(8, 80)), (slice(0, 3), slice(0, 4), slice(0, 4))):
        with pytest.raises(InputError, match="No edit lies in Region: choose Whole volume"):
            logic.refine(node, roiNode=addRoi(volume, box))


def test_without_a_result_or_an_edit_there_is_nothing_to_refine(logic):
    volume = addVolume()
    with pytest.raises(InputError, match="segment a volume first"):
        logic.refine(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode"))
    node = logic.segment(volume)
    for refine in (logic.refine, logic.refineAsync):
        with pytest.raises(InputError, match="Nothing was edited yet"):
            refine(node)


def test_refine_async_sends_the_edits_and_hands_back_what_would_change(logic, client):
    volume, node, mark = markedResult(logic)
    found = []
    logic.refineAsync(node, onFinished=lambda *answer: found.append(answer), preset="paper")
    sent, options, *_ = client.submitted[0]
    assert options.preset == "paper"
    whole = np.zeros(phantom_hu().shape, np.uint8)
    whole[sent.edits.box] = sent.edits.values
    np.testing.assert_array_equal(whole & LESION_PAINTED > 0, mark)
    client.compute()
    ((answered, refinement),) = found
    assert answered is node and refinement.summary().added


def test_a_replaced_result_is_brought_back_with_its_edits(logic):
    volume = addVolume()
    node = logic.segment(volume)
    node.GetSegmentation().GetSegment("lesion_1").SetName("Metastasis")
    assert logic.segment(volume, node, replace=True) is node
    assert node.GetSegmentation().GetSegment("lesion_1").GetName() == "Lesion 1"
    logic.undoReplace(node)
    assert node.GetSegmentation().GetSegment("lesion_1").GetName() == "Metastasis"
    logic.redoReplace(node)
    assert node.GetSegmentation().GetSegment("lesion_1").GetName() == "Lesion 1"
    with pytest.raises(LookupError):
        logic.redoReplace(node)


def test_unfit_arguments_are_refused_before_the_model_is_loaded(Logic, client):
    def load(bundle, device):
        raise AssertionError("The model was loaded.")

    slicer.mrmlScene.Clear()
    logic = Logic(load, SegmentationRuns(lambda: client))
    volume = addVolume()
    region = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    with pytest.raises(InputError, match="Select the CT"):
        logic.segment(None)
    with pytest.raises(InputError, match="Region has no extent"):
        logic.segment(volume, roiNode=region)
    with pytest.raises(ValueError, match="Unknown preset 'best'"):
        logic.segment(volume, preset="best")
    with pytest.raises(TypeError, match="quality"):
        logic.segment(volume, quality="best")


def test_an_output_with_an_earlier_result_is_refused_before_the_run(logic, segmenter):
    volume = addVolume()
    node = logic.segment(volume)
    with pytest.raises(OutputError, match="holds an earlier result already"):
        logic.segment(volume, node)
    assert len(segmenter.asked) == 1


def test_a_cancelled_or_failed_segmentation_leaves_the_scene_as_it_was(logic, segmenter):
    volume = addVolume()
    count = slicer.mrmlScene.GetNumberOfNodes()
    segmenter.slow_s = 10
    started = time.monotonic()
    with pytest.raises(CancelledError):
        logic.segment(volume, cancel=lambda: time.monotonic() > started + 0.05)
    segmenter.fail = MemoryError()
    with pytest.raises(MemoryError):
        logic.segment(volume)
    assert slicer.mrmlScene.GetNumberOfNodes() == count


# --------------------------------------------------------------------------------------------------------- background


def test_segment_async_submits_what_was_asked_for(logic, client):
    volume = addVolume()
    rules = PostProcessing(min_lesion_mm=8.0)
    logic.segmentAsync(
        volume, preset="paper", device="cpu", bundle="/models/own", multiScale=True, crf=True, postProcessing=rules,
        keepProbabilities=True,
    )  # fmt: skip
    sent, options, *_ = client.submitted[0]
    assert options == RunOptions("paper", "cpu", "/models/own", True, True, rules, True)
    np.testing.assert_array_equal(sent.array, phantom_hu())


def test_choices_reach_the_segmenter_in_process_too(logic, segmenter):
    rules = PostProcessing(min_lesion_mm=8.0)
    logic.segment(addVolume(), multiScale=True, crf=True, postProcessing=rules)
    preset = segmenter.asked[0]
    assert preset.lesion_scales == PAPER_SCALES and preset.crf and preset.postprocessing == rules
    assert preset.lesion_step_mm == PRESETS["fast"].lesion_step_mm


def test_a_failure_that_nobody_asked_for_goes_to_the_log(logic, client, caplog):
    logic.segmentAsync(addVolume())
    handlers = client.submitted[0][2]
    with caplog.at_level(logging.ERROR):
        handlers.on_failed(RunFailure("memory", "Memory ran out: choose the quality Fast.", "what the worker said"))
    assert "Memory ran out" in caplog.text and "what the worker said" in caplog.text


def test_a_cancelled_run_says_so(logic):
    said = []
    run = logic.segmentAsync(addVolume(), onCancelled=lambda: said.append("cancelled"))
    run.cancel()
    assert said == ["cancelled"] and not logic.runs.runs


# --------------------------------------------------------------------------------------------- one worker for Slicer


@pytest.fixture
def freshSharedRuns(monkeypatch, client):
    monkeypatch.setattr(shared_runs, "_runs", None)
    monkeypatch.setattr(shared_runs, "_makeClient", lambda: client)


def test_all_logics_share_one_worker(Logic, freshSharedRuns, client):
    first, second = Logic(), Logic()
    assert first.runs is second.runs and first.runs.client is client


def test_closing_the_logic_ends_the_worker_and_a_later_run_starts_one_again(Logic, freshSharedRuns, client):
    logic = Logic()
    logic.close()  # nothing was started: nothing to end
    assert client.closed == 0
    logic.segmentAsync(addVolume())
    logic.close()
    assert client.closed == 1
    logic.segmentAsync(addVolume())
    assert len(client.submitted) == 2


def test_the_worker_ends_with_slicer(Logic, freshSharedRuns, client):
    Logic().segmentAsync(addVolume())
    slicer.app.aboutToQuit.emit()
    assert client.closed == 1
