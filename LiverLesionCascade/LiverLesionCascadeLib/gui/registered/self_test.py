"""What the module's self-test needs: a phantom, a segmenter without networks, the sample's truth, and patience."""

import time

import numpy as np
import slicer
from scipy import ndimage

from ...engine.errors import CancelledError
from ...engine.grid.boxed import EMPTY, Boxed
from ...engine.measures.lesions import label_lesions, measure_lesions
from ...engine.results.result import SegmentationResult
from ...scene.nodes.arrays import orientedImage
from ...scene.nodes.volume import ijkToRasMatrix
from ...scene.workspace.lesion_change import LesionHistory
from ...scene.workspace.workspace import workspaceOf
from .sample_data import fetchSample


def addPhantom():
    """A volume node with a liver of 110 HU and two lesions of 60 HU; and the masks (k, j, i) by segment name."""
    k, j, i = np.ogrid[:24, :40, :36]
    liver = ((k - 12) / 9) ** 2 + ((j - 18) / 14) ** 2 + ((i - 15) / 11) ** 2 <= 1
    large = (k - 12) ** 2 + (j - 15) ** 2 + (i - 13) ** 2 <= 16
    small = (k - 14) ** 2 + (j - 24) ** 2 + (i - 18) ** 2 <= 5
    hu = np.full(liver.shape, 30, np.int16)
    hu[liver] = 110
    hu[large | small] = 60
    volumeNode = slicer.util.addVolumeFromArray(hu, name="CT")
    volumeNode.SetSpacing(1.2, 1.1, 2.5)
    volumeNode.SetOrigin(-40, 20, 300)
    return volumeNode, {"Liver": liver, "Lesion 1": large, "Lesion 2": small}


class ThresholdSegmenter:
    """Stands in for the engine's segmenter: 50..80 HU is lesion, 100..120 HU liver."""

    def segment(self, ct, preset="fast", progress=None, cancel=None, **_options):
        if cancel is not None and cancel():
            raise CancelledError("The run was cancelled.")
        lesion = (ct.hu > 50) & (ct.hu < 80)
        probability = Boxed(lesion.astype(np.float16), (0, 0, 0))
        instances = label_lesions(lesion)
        if progress is not None:
            progress(1.0, "done")
        return SegmentationResult.of(
            ct,
            ((ct.hu > 100) & (ct.hu < 120)) | lesion,
            instances,
            liver_probability=probability,
            lesion_probability=probability,
            table=measure_lesions(instances, ct.hu, ct.geometry, probability),
            bundle_name="threshold",
            bundle_version="1",
            preset="fast",
            device="cpu",
        )


def masksOf(segmentationNode, volumeNode):
    """Masks (k, j, i) on a volume's grid by segment name, in the node's order."""
    segmentation = segmentationNode.GetSegmentation()
    return {
        segmentation.GetSegment(segmentId).GetName(): slicer.util.arrayFromSegmentBinaryLabelmap(
            segmentationNode, segmentId, volumeNode
        )
        > 0
        for segmentId in segmentation.GetSegmentIDs()
    }


def sampleDice(masks):
    """Dice of liver and of all lesions together against the sample's reference."""
    referenceNode = slicer.util.loadLabelVolume(str(fetchSample().labels))
    reference = slicer.util.arrayFromVolume(referenceNode).copy()
    slicer.mrmlScene.RemoveNode(referenceNode)
    lesions = np.logical_or.reduce([mask for name, mask in masks.items() if name.startswith("Lesion")])
    return dice(masks["Liver"], reference > 0), dice(lesions, reference == 2)


def miss(segmentationNode):
    """Make a result one in which its thickest lesion was missed; its mask (k, j, i) and a person's mark of it, a disk
    of half its radius in the slice where it is largest.

    The largest one may be several that have grown together, which nobody would mark by one disk.
    """
    workspace = workspaceOf(segmentationNode)

    def thickness(segmentId):
        return ndimage.distance_transform_edt(np.pad(workspace.mask(segmentId).values, 1)).max()

    segmentId = max(workspace.lesionIds(), key=thickness)
    mask = workspace.mask(segmentId).full(workspace.shape)
    LesionHistory(workspace).change({segmentId: EMPTY})
    return mask, diskIn(mask)


def diskIn(mask):
    """A disk of half the radius of a mask (k, j, i), about the point deepest within its largest slice."""
    number = mask.sum(axis=(1, 2)).argmax()
    depth = ndimage.distance_transform_edt(mask[number])
    j, i = np.unravel_index(depth.argmax(), depth.shape)
    rows, columns = np.indices(depth.shape)
    disk = np.zeros(mask.shape, bool)
    disk[number] = (rows - j) ** 2 + (columns - i) ** 2 <= mask[number].sum() / np.pi / 4
    return disk & mask


def paintNew(segmentationNode, volumeNode, name, mask):
    """Draw a new segment, as a brush does: no more than the box of the stroke is given to Slicer; its ID."""
    segmentId = segmentationNode.GetSegmentation().AddEmptySegment("", name)
    stroke = Boxed.mask(mask)
    image = orientedImage(stroke.values.astype(np.uint8), ijkToRasMatrix(volumeNode), stroke.start)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(image, segmentationNode, segmentId, logic.MODE_MERGE_MAX)
    return segmentId


def dice(a, b):
    """Of two masks."""
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def waitUntil(condition, what, seconds=1800):
    """Let the event loop turn until a condition holds, also on a busy computer. Raises AssertionError, naming it."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"Waited {seconds} s in vain: {what}")
        slicer.app.processEvents()
        time.sleep(0.01)
