"""Results of two scans of one patient, for the tests of the follow-up. Needs only slicer-core."""

import numpy as np
import scene_cases as cases
import vtk
from LiverLesionCascadeLib.scene.arrays import fillImage
from LiverLesionCascadeLib.scene.segmentation import segmentationNodeFromResult
from LiverLesionCascadeLib.scene.volume import ctVolumeFromNode, ijkToRasMatrix

SHAPE = (40, 48, 44)
SPACING = (3.5, 3.5, 4.0)


def addResult(scene, name, centres, toWorld=None, parent=None):
    """A liver and a ball of 10 mm about each centre (RAS mm of the patient), in a scan that lies elsewhere."""
    patient = cases.addVolumeNode(scene, np.zeros(SHAPE, np.int16), spacing=SPACING, origin=(-77, -84, -80), name=name)
    toRas = ijkToRasMatrix(patient)
    inverse = np.linalg.inv(np.eye(4) if toWorld is None else toWorld)
    positions = np.stack(np.indices(SHAPE)[::-1], -1) @ toRas[:3, :3].T + toRas[:3, 3]
    if toWorld is not None:
        # The scan's box goes with the patient, but is not turned: other voxels hold the same tissue.
        toRas = cases.affine(None, toWorld[:3, 3]) @ toRas
        patient.SetIJKToRASMatrix(cases.vtkMatrix(toRas))
        positions = positions + toWorld[:3, 3]
    positions = positions @ inverse[:3, :3].T + inverse[:3, 3]

    def ellipsoid(centre, radii):
        return (((positions - centre) / radii) ** 2).sum(-1) <= 1

    liver = (ellipsoid((-20, 0, 0), (40, 50, 55)) | ellipsoid((25, 12, 15), (42, 32, 25))) & ~ellipsoid(
        (10, -40, -40), (25, 25, 35)
    )
    instances = np.zeros(SHAPE, np.uint16)
    for number, (centre, radius) in enumerate(centres, start=1):
        instances[ellipsoid(centre, radius)] = number
    hu = np.where(instances > 0, 60, np.where(liver, 110, 0)).astype(np.int16)
    image = vtk.vtkImageData()
    fillImage(image, hu)
    patient.SetAndObserveImageData(image)
    result = cases.resultOf(ctVolumeFromNode(patient), liver, instances)
    node = segmentationNodeFromResult(result, patient)
    if parent is not None:
        for each in (patient, node):
            each.SetAndObserveTransformNodeID(parent.GetID())
    return patient, node


BEFORE = [((-30, 10, 10), 12.0), ((30, 12, 15), 9.0), ((-25, -20, -25), 8.0)]
AFTER = [((30, 13, 15), 12.0), ((-30, 10, 10), 8.0), ((-5, 20, 20), 9.0)]
