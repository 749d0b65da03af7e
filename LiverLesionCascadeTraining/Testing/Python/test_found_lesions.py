"""Lesions of a result as the fit of the filter and the FROC curve see them."""

import numpy as np
import pytest
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions, measure_lesions
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeTrainingLib.evaluation.evaluation import evaluate_case
from LiverLesionCascadeTrainingLib.studies.found_lesions import found_lesions


@pytest.mark.parametrize("slice_mm", [1.0, 15.0])
def test_the_section_that_decides_on_rejection_is_axial_however_far_apart_the_slices_are(slice_mm):
    geometry = ImageGeometry.from_axes((6, 20, 24), (0.8, 1.2, slice_mm))
    hu = np.linspace(0.0, 100.0, 2880, dtype=np.float32).reshape(geometry.shape)
    ct = CTVolume.from_array(hu, geometry.ijk_to_lps, "a")
    liver, lesion = np.zeros(geometry.shape, bool), np.zeros(geometry.shape, bool)
    liver[1:5, 2:18, 2:22] = True
    lesion[2:4, 5:11, 6:14] = True  # 8 by 6 pixels
    lesions = label_lesions(lesion)
    probability = Boxed.of(np.full(geometry.shape, 0.9, np.float16), (0, 0, 0))
    table = measure_lesions(lesions, ct.hu, ct.geometry, probability)
    words = dict.fromkeys(("bundle_name", "bundle_version", "preset", "device"), "")
    result = SegmentationResult.of(ct, liver, lesions, table=table, lesion_probability=probability, **words)
    reference = liver.astype(np.uint8) + lesion

    (found,) = found_lesions("a", result, evaluate_case(liver, lesions, reference, ct.spacing, "a").lesions)

    assert found.section_mm == pytest.approx(2 * np.sqrt(8 * 0.8 * 6 * 1.2 / np.pi))
    assert found.correct and found.mean_probability == pytest.approx(0.9, abs=1e-3)
