"""Files as scanners and programs wrote them: the test data that pydicom and nibabel bring go through the commands, each
alone and all in one archive. Hardly any is a CT of a liver; whatever each is, it ends in a result or a clear line."""

import json
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pydicom.data
import pytest
from fakes.archive_tasks import run_archive
from fixtures.phantom import PhantomSegmenter
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import list_series
from LiverLesionCascadeLib.engine.scan.dicom.dicom_pixels import hu_images
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeTrainingLib.datasets.prepare import prepare

DICOM = Path(pydicom.data.__file__).parent / "test_files"
NIFTI = Path(nibabel.__file__).parent / "tests" / "data"
FILES = sorted(
    path for folder in (DICOM, NIFTI) for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"
)
REFUSED = {InputError: 3, InvalidVolumeError: 3}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("named", ["as it is", "as DICOM", "as NIfTI"])
def test_each_file_gives_a_result_or_one_clear_line(path, named, tmp_path, capsys):
    copy = tmp_path / {"as it is": path.name, "as DICOM": "image.dcm", "as NIfTI": "image.nii"}[named]
    copy.write_bytes(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = main(["segment", str(copy), "-o", str(tmp_path / "out"), "--json", "-q"], PhantomSegmenter())
    output, error = capsys.readouterr()
    printed = json.loads(output)
    assert code in (0, 3), error
    assert code == 0 or printed["error"]["kind"] == "input"
    assert "Unexpected" not in error and "Traceback" not in error


def test_all_of_them_as_an_archive_are_cases_or_left_out_each_with_its_reason(tmp_path):
    class Here:
        def run(self, task, items, *arguments, again):
            yield from ((item, task(item, *arguments)) for item in items)

        def ended_for_memory(self):
            return set()

    for number, path in enumerate(FILES):
        (tmp_path / "in" / str(number)).mkdir(parents=True)
        (tmp_path / "in" / str(number) / path.name).write_bytes(path.read_bytes())
    records = run_archive(tmp_path / "in", tmp_path / "out", Here()).records
    assert len(records) >= len(FILES) // 2
    for record in records:
        assert "Unexpected" not in record.get("error", "") and "memory" not in record.get("error", "")


def test_all_of_them_as_training_data_are_problems_and_no_crash(tmp_path):
    for number, path in enumerate(FILES):
        suffix = ".nii.gz" if path.name.endswith(".gz") else ".nii" if path.suffix == ".nii" else path.suffix
        (tmp_path / f"volume-{number}{suffix}").write_bytes(path.read_bytes())
        (tmp_path / f"segmentation-{number}{suffix}").write_bytes(path.read_bytes())
    with pytest.raises(InputError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepare([tmp_path], tmp_path / "ds")
    assert "Unexpected" not in str(caught.value)


# What a library reads, we read likewise.


def test_nifti_files_are_where_nibabel_has_them():
    read = 0
    for path in sorted(NIFTI.glob("*.nii*")):
        try:
            ct = read_image(path)
        except (InputError, InvalidVolumeError):
            continue
        image = nibabel.load(path)
        affine = np.diag([-1, -1, 1, 1]) @ image.affine
        np.testing.assert_allclose(ct.source.ijk_to_lps, affine, atol=1e-3)
        np.testing.assert_allclose(ct.to_source(ct.hu), np.squeeze(image.get_fdata()).T, rtol=1e-4, atol=1)
        read += 1
    assert read >= 2


def test_grey_dicom_images_have_the_values_that_pydicom_reads():
    read = 0
    for path in sorted(DICOM.glob("*.dcm")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for series in list_series([path]).series:
                for one in series.slices:
                    try:
                        hu, _ = next(hu_images([one]))
                        dataset = pydicom.dcmread(path, force=True)
                        expected = pydicom.pixels.apply_modality_lut(dataset.pixel_array, dataset)
                    except (InputError, RuntimeError, AttributeError):
                        continue
                    np.testing.assert_array_equal(hu, expected)
                    read += 1
    assert read >= 1
