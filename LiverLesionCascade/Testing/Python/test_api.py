"""The public functions: every example of their docstrings is run as it is written, one after the other."""

import inspect
import math
import re
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from fixtures.phantom import LESION_HU, LIVER_HU, SPACING_KJI, PhantomSegmenter, phantom_hu, write_phantom
from LiverLesionCascadeLib import api
from LiverLesionCascadeLib.engine.corrections.refine import Refined
from LiverLesionCascadeLib.engine.grid.boxed import EMPTY, Boxed
from LiverLesionCascadeLib.engine.grid.geometry import ImageGeometry
from LiverLesionCascadeLib.engine.scan.image_io import read_image, write_image
from scipy import ndimage


class Refiner(PhantomSegmenter):
    """Carries painted voxels on by one."""

    def load(self, bundle=None, device="auto"):
        return self(bundle, device)

    def refine(self, ct, corrections, preset, progress=None, cancel=None):
        self.corrections = corrections
        grown = ndimage.binary_dilation(corrections.lesions_painted)
        return Refined(corrections.start, corrections.liver, corrections.lesions | grown)


def example(function):
    """The code under ``Example::`` in a docstring."""
    found = re.search(r"Example::\n\n(.*)\Z", inspect.getdoc(function), re.S)
    assert found, f"{function.__name__} has no example"
    return textwrap.dedent(found[1])


def functions():
    """The public functions that are defined there, in the order of the file."""
    own = [each for each in vars(api).values() if inspect.isfunction(each) and each.__module__ == api.__name__]
    return [each for each in own if not each.__name__.startswith("_")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_phantom(tmp_path / "scan.nii.gz")
    hu = phantom_hu()
    geometry = ImageGeometry.from_axes(hu.shape, SPACING_KJI[::-1])
    (tmp_path / "cases").mkdir()
    write_image(tmp_path / "cases" / "volume-1.nii.gz", hu, geometry)
    lesion, liver = abs(hu - LESION_HU) < 10, abs(hu - LIVER_HU) < 20  # as the phantom is segmented
    labels = np.where(lesion, 2, liver).astype(np.uint8)
    write_image(tmp_path / "cases" / "segmentation-1.nii.gz", labels, geometry)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "load_segmenter", Refiner().load)
    return tmp_path


def test_what_is_replaced_takes_the_dicom_files_of_the_earlier_result_with_it(folder):
    ct = api.open_scan("scan.nii.gz")
    result = api.segment(ct, segmenter=Refiner())
    (folder / "out").mkdir()
    (folder / "out" / "segmentation.seg.dcm").write_text("of the earlier result")
    with pytest.raises(api.CascadeError, match=r"segmentation\.seg\.dcm exists .* or replace=True to replace"):
        api.write_outputs(ct, result, "out")
    written = api.write_outputs(ct, result, "out", replace=True)
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(path.name for path in written)
    assert not (folder / "out" / "segmentation.seg.dcm").exists()


def test_the_examples_run_in_their_order(folder, capsys):
    names = {}
    printed = {}
    for function in functions():
        exec(compile(example(function), function.__name__, "exec"), names)
        printed[function.__name__] = capsys.readouterr().out
    result, masks, ct = names["result"], names["masks"], names["ct"]
    assert printed["open_scan"].split()[0] == ct.name
    assert len(printed["segment"].splitlines()) == len(result.table) == 2
    assert int(printed["refine"].split()[0]) == masks.lesions.sum() - names["corrected"].sum() > 0
    assert len(printed["measure"].splitlines()) == 3
    assert set(printed["write_outputs"].split()) == {"segmentation.seg.nrrd", "lesions.csv", "report.html"}
    assert (folder / "results" / "lesions.csv").is_file()
    np.testing.assert_array_equal(
        read_labels(folder / "lesions.nii.gz"), ct.to_source(result.lesions.full(ct.hu.shape))
    )
    assert all(float(dice) > 0.99 for dice in printed["evaluate"].split()[:2])


def read_labels(path):
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_every_public_name_is_there_and_every_function_is_typed():
    assert {each.__name__ for each in functions()} <= set(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)
    for function in functions():
        signature = inspect.signature(function)
        parameters = signature.parameters.values()
        assert signature.return_annotation is not signature.empty
        assert all(parameter.annotation is not parameter.empty for parameter in parameters), function.__name__


def test_options_choose_the_networks_and_the_preset(folder, monkeypatch):
    segmenter = Refiner()
    monkeypatch.setattr(api, "load_segmenter", segmenter.load)
    result = api.segment(read_image("scan.nii.gz"), api.RunOptions(preset="paper", device="cuda:1", bundle="mine"))
    assert (segmenter.bundle, segmenter.device, result.preset) == ("mine", "cuda:1", "paper")


def test_what_was_erased_and_what_was_done_to_the_liver_is_told_too(folder):
    segmenter = Refiner()
    ct = read_image("scan.nii.gz")
    result = api.segment(ct, segmenter=segmenter)
    liver, lesions = result.liver.full(ct.hu.shape), result.lesions.full(ct.hu.shape)
    before, second = liver.copy(), lesions == 2
    lesions[lesions == 2] = 0
    liver[:12] = False
    api.refine(ct, result, lesions, liver, segmenter=segmenter)
    c = segmenter.corrections
    for told, done in ((c.lesions_erased, second), (c.touched, second), (c.liver_erased, before & ~liver)):
        assert Boxed.mask(told, c.start) == Boxed.mask(done)
    assert not c.liver_painted.any() and not c.lesions_painted.any()


def test_what_is_looked_at_is_the_box_of_the_masks_and_what_corrections_of_them_reach(folder):
    segmenter = Refiner()
    ct = read_image("scan.nii.gz")
    result = api.segment(ct, segmenter=segmenter)
    liver, lesions = result.liver.full(ct.hu.shape), result.lesions.full(ct.hu.shape)
    first = result.liver.start
    liver[first[0], first[1] - 2, 40] = True
    masks = api.refine(ct, result, lesions, liver, segmenter=segmenter)
    c = segmenter.corrections
    reach = [math.ceil(mm / step) for mm, step in zip((12.0, 3.0, 3.0), ct.spacing, strict=True)]
    assert c.start == (max(0, first[0] - reach[0]), first[1] - 2 - reach[1], first[2] - reach[2])
    assert c.liver.size < 0.5 * ct.hu.size
    np.testing.assert_array_equal(masks.liver, liver)
    np.testing.assert_array_equal(masks.lesions, lesions > 0)


def test_a_result_without_a_voxel_stays_empty(folder):
    ct = read_image("scan.nii.gz")
    result = replace(api.segment(ct), liver=EMPTY, lesions=EMPTY)
    masks = api.refine(ct, result, np.zeros(ct.hu.shape, bool))
    assert masks.liver.shape == masks.lesions.shape == ct.hu.shape
    assert not masks.liver.any() and not masks.lesions.any()


def test_masks_of_another_grid_are_refused(folder):
    ct = read_image("scan.nii.gz")
    result = api.segment(ct)
    whole = np.zeros(ct.hu.shape, bool)
    with pytest.raises(ValueError, match="not on one grid"):
        api.refine(ct, result, whole[:1])
    with pytest.raises(ValueError, match="not on one grid"):
        api.refine(ct, result, whole, whole[:, :, :1])


def test_results_are_not_replaced_unless_that_is_asked_for(folder):
    ct = api.open_scan("scan.nii.gz")
    result = api.segment(ct)
    api.write_outputs(ct, result, "results")
    with pytest.raises(api.CascadeError, match="results"):
        api.write_outputs(ct, result, "results")
    assert len(api.write_outputs(ct, result, "results", probabilities=True, replace=True)) == 5
