"""The plugin of Segment Statistics: analytic ellipsoids on turned, stretched grids, codes, registration."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer_harness
from hypothesis import given, settings
from hypothesis import strategies as st

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib.gui.registered import segment_statistics  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.representations import BINARY_LABELMAP  # noqa: E402
from LiverLesionCascadeLib.scene.tools.segment_diameters import segmentDiameters  # noqa: E402
from SegmentStatistics import SegmentStatisticsLogic  # noqa: E402

PREFIX = "AxialDiameterSegmentStatisticsPlugin."


def rotation(seed):
    """A rotation matrix (3, 3), any."""
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turn * np.sign(np.linalg.det(turn))


def axialSections(halfAxes, axes):
    """Analytic long axis in mm of an ellipsoid over all axial planes, and the axis perpendicular to it there.

    Parallel sections of an ellipsoid are similar; the one through its centre is the largest.
    """
    matrix = axes @ np.diag(1 / np.square(halfAxes)) @ axes.T
    smallest, largest = np.linalg.eigvalsh(matrix[:2, :2])
    return 2 / math.sqrt(smallest), 2 / math.sqrt(largest)


def ellipsoidNode(halfAxes, axes, directions, spacing, extra=()):
    """A segmentation node with an ellipsoid, its axes the columns of ``axes`` in RAS, on a grid of these directions."""
    reach = [math.ceil(max(halfAxes) / mm) + 2 for mm in spacing]
    ijkToRas = np.eye(4)
    ijkToRas[:3, :3] = directions * spacing
    ijkToRas[:3, 3] = np.array([20.0, -35.0, 60.0]) - ijkToRas[:3, :3] @ reach
    k, j, i = np.meshgrid(*[np.arange(-n, n + 1) for n in reach[::-1]], indexing="ij")
    positions = np.stack([i, j, k], axis=-1) @ ijkToRas[:3, :3].T
    mask = (np.square(positions @ axes / halfAxes).sum(axis=-1) <= 1).astype(np.uint8)
    return nodeWith({"a": mask, **dict(extra)}, ijkToRas)


def nodeWith(masks, ijkToRas):
    slicer.mrmlScene.Clear()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    for name, mask in masks.items():
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.AddRepresentation(BINARY_LABELMAP, orientedImage(mask, ijkToRas))
        node.GetSegmentation().AddSegment(segment, name)
    return node


def statisticsOf(node, **parameters):
    segment_statistics.register()
    logic = SegmentStatisticsLogic()
    logic.getParameterNode().SetParameter("Segmentation", node.GetID())
    for name, value in parameters.items():
        logic.getParameterNode().SetParameter(name, value)
    logic.computeStatistics()
    return logic.getStatistics()


half_axes = st.tuples(st.floats(8, 16), st.floats(0.5, 0.9), st.floats(0.5, 0.9)).map(
    lambda x: np.array([x[0], x[0] * x[1], x[0] * x[2]])
)
spacings = st.tuples(st.floats(0.6, 1.2), st.floats(0.6, 1.2), st.floats(0.8, 2.5)).map(np.array)


@settings(max_examples=25, deadline=None)
@given(
    half_axes, spacings, st.integers(0, 10_000), st.permutations([0, 1, 2]), st.tuples(*[st.sampled_from([-1, 1])] * 3)
)
def test_ellipsoids_on_axial_sagittal_and_coronal_grids_have_their_diameters_within_a_voxel(
    halfAxes, spacing, seed, order, signs
):
    directions = np.eye(3)[:, order] * signs
    along = int(np.argmax(abs(directions[2])))
    # The plane through the centre is a slice of the grid, so that the largest section is measured.
    axes = rotation(seed)
    found = segmentDiameters(ellipsoidNode(halfAxes, axes, directions, spacing), "a")
    inPlane = np.delete(spacing, along)
    longMm, shortMm = axialSections(halfAxes, axes)
    voxel = math.hypot(*inPlane)
    assert found.long_axis_mm == pytest.approx(longMm, abs=voxel)
    assert found.short_axis_mm == pytest.approx(shortMm, abs=voxel)


@settings(max_examples=20, deadline=None)
@given(half_axes, spacings, st.integers(0, 10_000), st.integers(0, 10_000))
def test_ellipsoids_on_turned_grids_have_their_diameters_within_a_voxel(halfAxes, spacing, seed, gridSeed):
    axes, directions = rotation(seed), rotation(gridSeed)
    found = segmentDiameters(ellipsoidNode(halfAxes, axes, directions, spacing), "a")
    voxel = math.hypot(*spacing)
    assert (found.long_axis_mm, found.short_axis_mm) == pytest.approx(axialSections(halfAxes, axes), abs=voxel)
    for points, length in (
        (found.long_axis_points, found.long_axis_mm),
        (found.short_axis_points, found.short_axis_mm),
    ):
        start, end = np.array(points)
        assert np.linalg.norm(end - start) == pytest.approx(length, rel=1e-4)
        assert start[2] == pytest.approx(end[2], abs=1e-3)  # in an axial plane
        middle = (start + end) / 2 * [-1, -1, 1] - [20, -35, 60]
        assert np.linalg.norm(middle) < max(halfAxes)


def test_a_transform_of_the_segmentation_counts_and_only_diameters_are_asked_for():
    halfAxes, quarter = np.array([12.0, 8.0, 6.0]), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    node = ellipsoidNode(halfAxes, np.eye(3), np.eye(3), np.ones(3))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, :3] = quarter
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    before = statisticsOf(node)["a", PREFIX + "short_axis_mm"]
    node.SetAndObserveTransformNodeID(transform.GetID())
    statistics = statisticsOf(node)
    assert before == pytest.approx(16, abs=1)
    assert statistics["a", PREFIX + "long_axis_mm"] == pytest.approx(24, abs=1)
    assert statistics["a", PREFIX + "short_axis_mm"] == pytest.approx(12, abs=1.2)
    assert segmentDiameters(node, "a").short_axis_mm == pytest.approx(12, abs=1.2)
    assert ("a", PREFIX + "slice_s_mm") not in statistics
    asked = statisticsOf(node, **{PREFIX + "slice_s_mm.enabled": "True"})
    assert asked["a", PREFIX + "slice_s_mm"] == pytest.approx(-35, abs=1)


def test_segments_that_share_a_layer_or_are_empty_are_measured_alone():
    first, second = np.zeros((3, 9, 30), np.uint8), np.zeros((3, 9, 30), np.uint8)
    first[1, 2, 3:12] = 1
    second[1, 5, 3:25] = 1
    node = nodeWith({"first": first, "second": second, "empty": first * 0}, np.eye(4))
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    statistics = statisticsOf(node)
    assert statistics["first", PREFIX + "long_axis_mm"] == pytest.approx(9)
    assert statistics["second", PREFIX + "long_axis_mm"] == pytest.approx(22)
    assert ("empty", PREFIX + "long_axis_mm") not in statistics


def test_the_measures_say_what_they_are_in_dicom_codes():
    info = statisticsOf(nodeWith({"a": np.ones((1, 2, 5), np.uint8)}, np.eye(4)))["MeasurementInfo"]
    for key, value, meaning in (
        ("long_axis_mm", "103339001", "Long axis"),
        ("short_axis_mm", "103340004", "Short axis"),
    ):
        quantity, units = slicer.vtkCodedEntry(), slicer.vtkCodedEntry()
        assert quantity.SetFromString(info[PREFIX + key]["DICOM.QuantityCode"])
        assert units.SetFromString(info[PREFIX + key]["DICOM.UnitsCode"])
        assert (quantity.GetCodingSchemeDesignator(), quantity.GetCodeValue()) == ("SCT", value)
        assert quantity.GetCodeMeaning() == meaning
        assert (units.GetCodingSchemeDesignator(), units.GetCodeValue()) == ("UCUM", "mm")


def test_registering_again_replaces_the_plugin():
    segment_statistics.register()
    segment_statistics.register()
    names = [plugin.__name__ for plugin in SegmentStatisticsLogic.registeredPlugins]
    assert names.count("AxialDiameterSegmentStatisticsPlugin") == 1


def test_slicer_registers_the_plugin_at_startup_without_torch():
    root = Path(__file__).resolve().parents[3]
    code = (
        "import sys; sys.path.insert(0, 'Testing'); import slicer_harness; slicer_harness.install();"
        "from slicer_harness import modules; loaded = modules.load('LiverLesionCascade/LiverLesionCascade.py');"
        "loaded.module.registerSegmentStatistics(); from SegmentStatistics import SegmentStatisticsLogic as Logic;"
        "print([p.__name__ for p in Logic.registeredPlugins], 'torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[-2] == "['AxialDiameterSegmentStatisticsPlugin'] False"
