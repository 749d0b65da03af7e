"""Runs from a volume node to a segmentation node, whatever happens to the scene and the worker on the way."""

import os
import types
from pathlib import Path

import numpy as np
import pytest
import slicer_harness
from fixtures import scene_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

slicer_harness.install()

import slicer  # noqa: E402
from fakes.worker_loop import EventLoop  # noqa: E402
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError, OutputError  # noqa: E402
from LiverLesionCascadeLib.engine.run_options import RunOptions  # noqa: E402
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume  # noqa: E402
from LiverLesionCascadeLib.gui.runs import run_request  # noqa: E402
from LiverLesionCascadeLib.gui.runs.segmentation_runs import RunObserver, SegmentationRuns  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import arrayFromImage, orientedImage  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.volume import ijkToRasMatrix, shownVolumes  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentMask  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces  # noqa: E402
from LiverLesionCascadeLib.worker.client import WorkerClient  # noqa: E402
from LiverLesionCascadeLib.worker.devices import DeviceInfo  # noqa: E402
from LiverLesionCascadeLib.worker.exchange_folder import RESULT, read_volume  # noqa: E402
from LiverLesionCascadeLib.worker.protocol import (  # noqa: E402
    VERSION,
    Hello,
    LineReader,
    RunFailed,
    RunFinished,
    RunProgress,
    decode,
    encode,
)

HU, LIVER, INSTANCES = cases.abdomen()


def resultOf(volume, options):
    """What the worker would find in the small abdomen, or a part of it, by its values."""
    lesions = np.where(volume.array == 60, INSTANCES.max(), 0)
    if volume.array.shape == INSTANCES.shape:
        lesions = INSTANCES
    ct = CTVolume.from_array(volume.array, volume.ijk_to_lps, volume.name)
    result = cases.resultOf(ct, (volume.array == 110) | (volume.array == 60), lesions)
    if not options.keep_probabilities:
        result.liver_probability = result.lesion_probability = None
    return result


class FakeWorker:
    """A worker process that does what the test says; speaks the protocol, runs in the test's event loop."""

    def __init__(self, loop, events):
        self._loop, self._events = loop, events
        self.pid = 0
        self.folder, self.run = "", 0
        self._reader = LineReader()
        self.alive = False

    def start(self):
        self.pid, self.alive = 4711, True
        self._say(Hello(VERSION, "", (DeviceInfo("cpu", "CPU", True),), ""))

    def write(self, data):
        for line in self._reader.lines(data):
            request = decode(line)
            self.run, self.folder = request.run, request.folder

    def kill(self):
        self.die(9)

    def wait(self, seconds):
        pass

    def die(self, signal=11):
        if self.alive:
            self.alive = False
            self._loop.post(lambda: self._events.on_ended(signal, True))

    def progress(self, fraction, stage="Liver"):
        self._say(RunProgress(self.run, fraction, stage, 4.0))

    def finish(self):
        folder = Path(self.folder)
        resultOf(*read_volume(folder)).write(folder / RESULT)
        self._say(RunFinished(self.run))
        self.folder = ""

    def fail(self, message):
        self._say(RunFailed(self.run, "device", message, "details of the device"))
        self.folder = ""

    def _say(self, message):
        data = encode(message)
        self._loop.post(lambda: self._events.on_output(data))


class Bench:
    """Runs with a fake worker, in an empty scene."""

    def __init__(self, folder):
        closeWorkspaces()
        slicer.mrmlScene.Clear()
        self.scene = slicer.mrmlScene
        self.loop, self.workers, self.folder = EventLoop(), [], folder
        self.observers = set()
        self.scene.AddObserver, self.scene.RemoveObserver = self._addObserver, self._removeObserver
        self.runs = SegmentationRuns(lambda: WorkerClient(self._makeWorker, self.loop.call_later, folder))

    def _makeWorker(self, events):
        self.workers.append(FakeWorker(self.loop, events))
        return self.workers[-1]

    def _addObserver(self, *arguments):
        self.observers.add(type(self.scene).AddObserver(self.scene, *arguments))
        return max(self.observers)

    def _removeObserver(self, tag):
        self.observers.remove(tag)
        type(self.scene).RemoveObserver(self.scene, tag)

    def close(self):
        self.runs.close()
        closeWorkspaces()
        del self.scene.AddObserver, self.scene.RemoveObserver
        self.scene.Clear()

    @property
    def worker(self):
        return self.workers[-1]

    def addVolume(self, name="CT", **options):
        return cases.addVolumeNode(self.scene, HU, name=name, **options)

    def submit(self, volume, options=None, outputNode=None, replace=False, roiNode=None):
        """A run; its ``ends`` lists how it ended: one entry (name, arguments)."""
        ends, progress = [], []
        run = self.runs.submit(
            run_request.SegmentationRequest(
                volume, options or RunOptions(), self.runs.history, outputNode, replace, roiNode
            ),
            RunObserver(
                lambda *values: progress.append(values),
                lambda *values: ends.append(("finished", *values)),
                lambda *values: ends.append(("failed", *values)),
                lambda *values: ends.append(("cancelled", *values)),
            ),
        )
        run.ends, run.progress = ends, progress
        return run

    def untilComputing(self):
        self.loop.run_until(lambda: self.workers and self.worker.alive and self.worker.folder, 10)

    def untilEnded(self, *runs):
        self.loop.run_until(lambda: all(run.ends for run in runs), 10)
        self.loop.run_for(0.02)  # nothing may follow
        assert all(len(run.ends) == 1 for run in runs)

    def finish(self, run):
        """The worker finishes the run; its node and result."""
        self.untilComputing()
        self.worker.finish()
        self.untilEnded(run)
        how, *rest = run.ends[0]
        assert how == "finished", rest
        return rest

    def segmentations(self):
        return list(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))

    def assertIdle(self):
        """No run, observer or file is left over, apart from those who follow the results."""
        closeWorkspaces()
        assert not self.runs.runs and not self.runs.client.runs
        assert not [name for _, _, names in os.walk(self.folder) for name in names if name.endswith(".npy")]
        assert not self.observers


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def paint(node, segmentId, mask, volume):
    image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(volume))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if node.GetSegmentation().GetSegment(segmentId) is None:
        node.GetSegmentation().AddEmptySegment(segmentId, segmentId)
    assert logic.SetBinaryLabelmapToSegment(image, node, segmentId, logic.MODE_REPLACE)


# ------------------------------------------------------------------------------------------------- the way of a result


def test_a_result_becomes_a_new_node_voxel_for_voxel(bench):
    volume = bench.addVolume(direction=cases.ORIENTATIONS[13])
    run = bench.submit(volume)
    assert run.state == "queued" and not run.ends
    node, result = bench.finish(run)
    assert run.state == "ended"
    assert bench.segmentations() == [node] and result.grid.shape == HU.shape
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), LIVER)
    np.testing.assert_array_equal(segmentMask(node, "lesion_2", volume), INSTANCES == 2)
    bench.assertIdle()


def test_progress_is_told_until_the_end(bench):
    run = bench.submit(bench.addVolume())
    bench.untilComputing()
    bench.worker.progress(0.25, "Liver")
    bench.worker.progress(0.75, "Lesions")
    bench.finish(run)
    assert run.progress[-2:] == [(0.25, "Liver", 4.0), (0.75, "Lesions", 4.0)]


def test_name_and_place_follow_the_submitted_volume_whatever_is_selected_meanwhile(bench):
    volume = bench.addVolume("Portal phase")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(bench.scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Study of 1999")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    run = bench.submit(volume)
    bench.untilComputing()
    other = bench.addVolume("Late phase", origin=(50, 60, 70))
    slicer.app.applicationLogic().GetSelectionNode().SetActiveVolumeID(other.GetID())
    node, _ = bench.finish(run)
    assert node.GetName() == "Portal phase liver and lesions"
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_volumes_wait_for_their_turn_and_each_gets_its_own_result(bench):
    volumes = [bench.addVolume(name) for name in ("First", "Second", "Third")]
    submitted = [bench.submit(volume) for volume in volumes]
    assert bench.runs.runs == submitted
    bench.untilComputing()
    assert [run.state for run in submitted] == ["running", "queued", "queued"]
    nodes = [bench.finish(run)[0] for run in submitted]
    assert [node.GetName() for node in nodes] == [f"{volume.GetName()} liver and lesions" for volume in volumes]
    assert len(bench.workers) == 1
    bench.assertIdle()


def test_only_the_region_is_sent_and_its_result_lies_in_the_whole_volume(bench):
    volume = bench.addVolume()
    roi = bench.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    centre = (ijkToRasMatrix(volume) @ [14.5, 17.5, 12, 1])[:3]
    roi.SetCenter(*centre)
    roi.SetSize(*(np.array([20, 26, 15]) * cases.SPACING))
    run = bench.submit(volume, roiNode=roi)
    bench.untilComputing()
    sent, _ = read_volume(Path(bench.worker.folder))
    assert sent.array.shape == (15, 26, 20)
    node, result = bench.finish(run)
    inside = np.zeros(HU.shape, bool)
    inside[5:20, 5:31, 5:25] = True
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), LIVER & inside)
    assert [finding.code for finding in result.findings] == ["restricted"]


def test_probability_volumes_come_where_they_were_asked_for(bench):
    volume = bench.addVolume(direction=cases.ORIENTATIONS[7])
    volume.SetAndObserveTransformNodeID(
        cases.addTransformNode(bench.scene, cases.affine(translation=(3, 4, 5))).GetID()
    )
    bench.finish(bench.submit(volume))
    assert shownVolumes(bench.scene) == [volume]
    bench.finish(bench.submit(volume, RunOptions(keep_probabilities=True)))
    liver = slicer.util.getNode("CT liver probability")
    lesion = slicer.util.getNode("CT lesion probability")
    for node in (liver, lesion):
        assert node.GetTransformNodeID() == volume.GetTransformNodeID()
        assert not node.GetDisplayNode().GetAutoWindowLevel()
        assert (node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) == (1, 0.5)
    # The same places in space: the lesions' voxels are those above a half.
    values = arrayFromImage(lesion.GetImageData())
    found = cases.voxelPositions(lesion, values > 0.5)
    np.testing.assert_allclose(found, cases.voxelPositions(volume, INSTANCES > 0), atol=1e-6)


# ------------------------------------------------------------------------------------------------------- where it goes


def test_a_chosen_node_gets_the_segments_before_its_own(bench):
    volume = bench.addVolume()
    output = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    paint(output, "cyst", INSTANCES == 1, volume)
    node, _ = bench.finish(bench.submit(volume, outputNode=output))
    assert node is output
    assert list(node.GetSegmentation().GetSegmentIDs()) == ["liver", "lesion_1", "lesion_2", "cyst"]


def test_edits_made_while_the_run_was_under_way_come_back_when_its_replacement_is_undone(bench):
    volume = bench.addVolume()
    node, _ = bench.finish(bench.submit(volume))
    run = bench.submit(volume, outputNode=node, replace=True)
    bench.untilComputing()
    edited = np.roll(LIVER, 3, axis=1)
    paint(node, "liver", edited, volume)
    assert bench.finish(run)[0] is node
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), LIVER)
    bench.runs.history.undo(node)
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), edited)


def test_a_removed_output_gives_a_new_node_and_a_word_about_it(bench):
    volume = bench.addVolume()
    output = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    run = bench.submit(volume, outputNode=output)
    bench.untilComputing()
    bench.scene.RemoveNode(output)
    node, result = bench.finish(run)
    assert bench.segmentations() == [node]
    assert "new node CT liver and lesions. Mine was removed" in result.findings[-1].message


def test_an_output_moved_elsewhere_meanwhile_is_left_alone(bench):
    volume = bench.addVolume()
    output, _ = bench.finish(bench.submit(volume))
    run = bench.submit(volume, outputNode=output, replace=True)
    bench.untilComputing()
    output.SetAndObserveTransformNodeID(cases.addTransformNode(bench.scene, np.eye(4)).GetID())
    paint(output, "liver", INSTANCES == 2, volume)
    node, result = bench.finish(run)
    assert node is not output and "not under the same transform" in result.findings[-1].message
    np.testing.assert_array_equal(segmentMask(output, "liver", volume), INSTANCES == 2)


def test_of_two_runs_for_one_empty_output_the_second_does_not_overwrite_the_first(bench):
    volume = bench.addVolume()
    output = bench.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Mine")
    first, second = (bench.submit(volume, outputNode=output) for _ in range(2))
    assert bench.finish(first)[0] is output
    node, result = bench.finish(second)
    assert node is not output and "holds an earlier result already" in result.findings[-1].message


def test_a_volume_moved_meanwhile_has_its_segments_on_the_anatomy(bench):
    volume = bench.addVolume()
    run = bench.submit(volume)
    bench.untilComputing()
    turn = cases.affine(cases.rotation((1, 1, 0), 30), (5, 6, 7))
    volume.SetAndObserveTransformNodeID(cases.addTransformNode(bench.scene, turn).GetID())
    node, _ = bench.finish(run)
    assert node.GetTransformNodeID() == volume.GetTransformNodeID()
    np.testing.assert_array_equal(segmentMask(node, "liver", volume), LIVER)


# ---------------------------------------------------------------------------------------------------- refused at once


def test_unfit_volumes_regions_and_outputs_are_refused_before_anything_is_sent(bench):
    volume = bench.addVolume()
    labels = bench.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    labels.SetAndObserveImageData(volume.GetImageData())
    roi = bench.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")
    output, _ = bench.finish(bench.submit(volume))
    removed = bench.addVolume("Removed")
    bench.scene.RemoveNode(removed)
    for error, words, node, arguments in (
        (InputError, "Select the CT", None, {}),
        (InputError, "Select the CT", removed, {}),
        (InvalidVolumeError, "Labels is a label map", labels, {}),
        (InputError, "Region has no extent", volume, {"roiNode": roi}),
        (OutputError, "holds an earlier result already", volume, {"outputNode": output}),
    ):
        with pytest.raises(error, match=words):
            bench.submit(node, **arguments)
    bench.assertIdle()


# ------------------------------------------------------------------------------------------------ what comes in between


def test_a_cancelled_run_leaves_nothing_behind(bench):
    run = bench.submit(bench.addVolume())
    bench.untilComputing()
    nodes = bench.scene.GetNumberOfNodes()
    bench.worker.progress(0.5)
    run.cancel()
    run.cancel()
    bench.untilEnded(run)
    assert run.ends == [("cancelled",)] and run.state == "ended"
    assert bench.scene.GetNumberOfNodes() == nodes and not bench.worker.alive
    assert not run.progress or run.progress[-1][0] == 0.0  # nothing was told after the cancellation
    run.cancel()
    bench.untilEnded(run)
    bench.assertIdle()


def test_a_queued_run_is_cancelled_without_disturbing_the_one_before_it(bench):
    first, second = bench.submit(bench.addVolume("First")), bench.submit(bench.addVolume("Second"))
    bench.untilComputing()
    second.cancel()
    bench.untilEnded(second)
    assert second.ends == [("cancelled",)] and not first.ends
    bench.finish(first)
    assert len(bench.workers) == 1
    bench.assertIdle()


def test_a_result_that_arrives_after_the_cancellation_is_not_shown(bench):
    """As where the worker had finished a moment before it was ended."""
    sent = []

    def submit(volume, options, handlers):
        sent.append(handlers)
        return types.SimpleNamespace(state="running", cancel=lambda: None)

    bench.runs = SegmentationRuns(lambda: types.SimpleNamespace(submit=submit, close=lambda: None))
    volume = bench.addVolume()
    run = bench.submit(volume)
    run.cancel()
    sent[0].on_progress(0.99, "Writing", 0.0)
    sent[0].on_finished(cases.resultOf(CTVolume.from_array(HU, np.eye(4)), LIVER, INSTANCES))
    assert run.ends == [("cancelled",)] and not run.progress
    assert not bench.segmentations() and not bench.runs.runs


def test_a_worker_that_dies_gives_a_message_and_the_next_volume_a_new_worker(bench):
    first, second = bench.submit(bench.addVolume("First")), bench.submit(bench.addVolume("Second"))
    bench.untilComputing()
    bench.worker.die()
    bench.untilEnded(first)
    how, message, _ = first.ends[0]
    assert how == "failed" and "ended unexpectedly" in message
    assert not bench.segmentations()
    bench.finish(second)
    assert len(bench.workers) == 2
    bench.assertIdle()


def test_the_worker_s_own_failure_is_passed_on_with_its_details(bench):
    run = bench.submit(bench.addVolume())
    bench.untilComputing()
    bench.worker.fail("The GPU is out of memory: choose the CPU.")
    bench.untilEnded(run)
    how, message, details = run.ends[0]
    assert (how, message) == ("failed", "The GPU is out of memory: choose the CPU.")
    assert "details of the device" in details
    bench.assertIdle()


@pytest.mark.parametrize("turn", ["running", "queued"])
def test_a_volume_removed_meanwhile_ends_its_run_with_a_message_and_no_other(bench, turn):
    volumes = [bench.addVolume(name) for name in ("First", "Second")]
    submitted = [bench.submit(volume) for volume in volumes]
    bench.untilComputing()
    gone, kept = (0, 1) if turn == "running" else (1, 0)
    bench.scene.RemoveNode(volumes[gone])
    bench.untilEnded(submitted[gone])
    how, message, _ = submitted[gone].ends[0]
    assert how == "failed" and f"{volumes[gone].GetName()} was removed while it was being segmented" in message
    bench.finish(submitted[kept])
    assert len(bench.segmentations()) == 1
    bench.assertIdle()


def test_other_nodes_may_come_and_go(bench):
    run, other = bench.submit(bench.addVolume()), bench.addVolume("Other")
    bench.untilComputing()
    bench.scene.RemoveNode(other)
    bench.finish(run)


def test_closing_the_scene_cancels_every_run_without_a_word_and_the_next_scene_starts_empty(bench):
    submitted = [bench.submit(bench.addVolume(name)) for name in ("First", "Second")]
    bench.untilComputing()
    bench.scene.Clear()
    bench.untilEnded(*submitted)
    assert [run.ends for run in submitted] == [[("cancelled",)], [("cancelled",)]]
    assert not bench.segmentations() and not bench.worker.alive
    bench.assertIdle()
    bench.finish(bench.submit(bench.addVolume()))


@pytest.mark.parametrize("change", ["cropped", "emptied", "given another spacing"])
def test_a_grid_changed_meanwhile_is_a_message_and_the_scene_stays(bench, change):
    volume = bench.addVolume()
    run = bench.submit(volume)
    bench.untilComputing()
    if change == "given another spacing":
        volume.SetSpacing(1, 1, 1)
    else:
        cropped = cases.addVolumeNode(bench.scene, HU[1:], name="Cropped").GetImageData()
        volume.SetAndObserveImageData(cropped if change == "cropped" else None)
    nodes = bench.scene.GetNumberOfNodes()
    bench.worker.finish()
    bench.untilEnded(run)
    how, message, _ = run.ends[0]
    assert how == "failed" and "CT has changed since it was segmented" in message
    assert bench.scene.GetNumberOfNodes() == nodes
    bench.assertIdle()


def test_an_error_in_the_scene_is_told_with_its_traceback_and_ends_the_run(bench, monkeypatch):
    def broken(*_arguments, **_options):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(run_request, "segmentationNodeFromResult", broken)
    run = bench.submit(bench.addVolume())
    bench.untilComputing()
    bench.worker.finish()
    bench.untilEnded(run)
    how, message, details = run.ends[0]
    assert how == "failed" and "CT could not be put into the scene" in message
    assert "no such thing" in details
    bench.assertIdle()


def test_closing_ends_the_worker_and_the_next_run_starts_another(bench):
    volume = bench.addVolume()
    run = bench.submit(volume)
    bench.untilComputing()
    bench.runs.close()
    bench.untilEnded(run)
    assert run.ends == [("cancelled",)] and not bench.worker.alive
    bench.runs.close()
    bench.finish(bench.submit(volume))
    assert len(bench.workers) == 2


def test_a_result_that_was_removed_is_let_go_of_once(bench):
    volume = bench.addVolume()
    node, _ = bench.finish(bench.submit(volume))
    bench.scene.RemoveNode(node)
    bench.finish(bench.submit(volume))
    bench.assertIdle()


ACTIONS = ["submit", "work", "finish", "fail", "die", "cancel", "remove volume", "remove output", "undo", "close scene"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3)), min_size=3, max_size=14))
def test_whatever_happens_each_run_ends_once_and_nothing_is_left_over(tmp_path_factory, actions):
    bench = Bench(tmp_path_factory.mktemp("runs"))
    runs = []
    for action, which in actions:
        volumes = shownVolumes(slicer.mrmlScene)
        if action == "submit":
            volume = volumes[which] if which < len(volumes) else bench.addVolume(f"CT {len(runs)}")
            output = next((node for node in bench.segmentations()[which:] if not node.GetTransformNodeID()), None)
            runs.append(bench.submit(volume, outputNode=output, replace=True))
        elif action == "work":
            bench.loop.run_for(0.005)
        elif action in ("finish", "fail", "die") and bench.workers and bench.worker.alive and bench.worker.folder:
            if action == "fail":
                bench.worker.fail("It failed.")
            elif os.path.isdir(bench.worker.folder):
                getattr(bench.worker, action)()
        elif action == "cancel" and which < len(runs):
            runs[which].cancel()
        elif action == "remove volume" and which < len(volumes):
            bench.scene.RemoveNode(volumes[which])
        elif action == "remove output" and which < len(bench.segmentations()):
            bench.scene.RemoveNode(bench.segmentations()[which])
        elif action == "undo":
            for node in bench.segmentations():
                if bench.runs.history.canUndo(node):
                    bench.runs.history.undo(node)
        elif action == "close scene":
            bench.scene.Clear()
    for run in runs:
        run.cancel()
    bench.untilEnded(*runs)
    bench.assertIdle()
    bench.finish(bench.submit(bench.addVolume("Last")))
    bench.close()
