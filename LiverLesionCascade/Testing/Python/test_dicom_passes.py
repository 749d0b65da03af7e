"""Several passes of the scanner in one series are never taken for one scan."""

import numpy as np
import pytest
from fixtures.dicom_files import body_phantom, write_series, write_slice
from LiverLesionCascadeLib.engine.errors import InputError
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files

STORED = body_phantom()
HU = STORED.astype(np.int16) - 1024
COUNT = len(STORED)
SECOND = np.clip(STORED + 25, 0, 4000)


def stack(start: float = -30.0) -> np.ndarray:
    return np.array([-100.0, -50.0, start]) + np.arange(COUNT)[:, None] * np.array([0.0, 0.0, 2.0])


def write_passes(folder, apart: float, first: list[dict], second: list[dict]) -> None:
    for name, stored, start, tags in (("a", STORED, -30.0, first), ("b", SECOND, -30.0 + apart, second)):
        names = [f"{name}{n:03}" for n in range(COUNT)]
        numbers = {"InstanceNumber": None} if "InstanceNumber" not in tags[0] else {}
        write_series(folder, stored, "1.2.1", stack(start), names=names, per_slice=tags, **numbers)


def each(**tags) -> list[dict]:
    return [dict(tags) for _ in range(COUNT)]


def clock(begin: int, step: float) -> list[dict]:
    return [{"AcquisitionTime": f"{begin + step * n:013.6f}"} for n in range(COUNT)]


PASSES = {
    "acquisition numbers": (each(AcquisitionNumber=1), each(AcquisitionNumber=2), "acquisitions"),
    "phases": (each(TemporalPositionIdentifier=1), each(TemporalPositionIdentifier=2), "phases"),
    "times": (each(AcquisitionTime="101000"), each(AcquisitionTime="102000"), "passes"),
    "times of each slice": (clock(101000, 0.2), clock(101030, 0.2), "passes"),
    "times of each slice, back and forth": (clock(101000, 0.2), clock(101030, -0.2), "passes"),
    "times of a few slices each": (
        [{"AcquisitionTime": f"10100{n // 4}"} for n in range(COUNT)],
        [{"AcquisitionTime": f"10102{n // 4}"} for n in range(COUNT)],
        "passes",
    ),
    "content times": (each(ContentTime="101000"), each(ContentTime="10:20:00"), "passes"),
    "instance numbers": (
        [{"InstanceNumber": n + 1} for n in range(COUNT)],
        [{"InstanceNumber": COUNT + n + 1} for n in range(COUNT)],
        "passes",
    ),
}


# Where nothing but the numbers tells them apart, slices of one place are two images of it.
@pytest.mark.parametrize(
    ("kind", "apart"),
    [(kind, apart) for kind in PASSES for apart in (1.0, 0.4, 0.0) if apart or kind != "instance numbers"],
)
def test_passes_within_each_other_are_refused_with_the_choices_and_one_can_be_taken(kind, apart, tmp_path) -> None:
    first, second, what = PASSES[kind]
    write_passes(tmp_path, apart, first, second)
    with pytest.raises(InputError, match=rf"holds 2 {what} \(1, 2\) (.|\n)*--acquisition(.|\n)*2: 24 slices"):
        read_dicom_files([tmp_path])
    np.testing.assert_array_equal(read_dicom_files([tmp_path], acquisition="1").hu, HU)
    chosen = read_dicom_files([tmp_path], acquisition="2")
    np.testing.assert_array_equal(chosen.hu, SECOND.astype(np.int16) - 1024)
    assert chosen.name.endswith(" 2")
    with pytest.raises(InputError, match=r"no acquisition 7\. It holds:(.|\n)*1: 24"):
        read_dicom_files([tmp_path], acquisition="7")


def test_acquisitions_that_follow_each_other_are_one_scan(tmp_path) -> None:
    tags = [{"AcquisitionNumber": 1 + n // 8, "AcquisitionTime": f"1010{n // 8:02}"} for n in range(COUNT)]
    write_series(tmp_path, STORED, per_slice=tags)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


@pytest.mark.parametrize("direction", [1, -1])
def test_slices_each_of_their_own_acquisition_are_one_scan(tmp_path, direction) -> None:
    order = range(COUNT)[::direction]
    tags = [{"AcquisitionNumber": n + 1, "AcquisitionTime": f"1010{n:02}.5", "InstanceNumber": n + 1} for n in order]
    write_series(tmp_path, STORED, per_slice=tags)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


def test_several_slices_of_one_moment_are_no_passes(tmp_path) -> None:
    tags = [{"AcquisitionTime": f"1010{n // 4:02}"} for n in range(COUNT)][::-1]
    write_series(tmp_path, STORED, per_slice=tags)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


def test_one_slice_of_another_number_is_a_slice_of_the_scan(tmp_path) -> None:
    write_series(tmp_path, STORED, per_slice=[{"AcquisitionNumber": 2 if n == 9 else 1} for n in range(COUNT)])
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


def test_a_single_acquisition_can_be_asked_for(tmp_path) -> None:
    write_series(tmp_path, STORED, AcquisitionNumber=4)
    np.testing.assert_array_equal(read_dicom_files([tmp_path], acquisition="4").hu, HU)


def test_whoever_says_that_all_is_one_scan_is_believed(tmp_path) -> None:
    tags = [{"AcquisitionNumber": 1 + n % 2} for n in range(COUNT)]
    write_series(tmp_path, STORED, per_slice=tags)
    with pytest.raises(InputError, match="2 acquisitions"):
        read_dicom_files([tmp_path])
    np.testing.assert_array_equal(read_dicom_files([tmp_path], acquisition="all").hu, HU)


@pytest.mark.parametrize("apart", [1.0, 0.7])
def test_passes_that_only_the_images_tell_apart_are_refused(apart, tmp_path) -> None:
    write_passes(tmp_path, apart, each(InstanceNumber=None), each(InstanceNumber=None))
    with pytest.raises(InputError, match="every second slice shows something else"):
        read_dicom_files([tmp_path])
    assert len(read_dicom_files([tmp_path], acquisition="all").slices) == 2 * COUNT


# Images that share what should be theirs alone.


def test_slices_with_one_uid_are_all_read(tmp_path) -> None:
    write_series(tmp_path / "all", STORED, SOPInstanceUID="1.2.3.4.5")
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "all"]).hu, HU)
    write_series(tmp_path / "half", STORED, per_slice=[{"SOPInstanceUID": f"1.2.3.{n % 9}"} for n in range(COUNT)])
    np.testing.assert_array_equal(read_dicom_files([tmp_path / "half"]).hu, HU)


def test_a_second_series_that_shares_the_uids_of_the_first_is_not_lost(tmp_path) -> None:
    uids = [{"SOPInstanceUID": f"1.2.3.{n}"} for n in range(COUNT)]
    write_series(tmp_path, STORED, "1.2.1", per_slice=uids)
    write_series(tmp_path, SECOND, "1.2.2", per_slice=uids)
    with pytest.raises(InputError, match="2 CT series"):
        read_dicom_files([tmp_path])
    np.testing.assert_array_equal(read_dicom_files([tmp_path], "1.2.2").hu, SECOND.astype(np.int16) - 1024)


def test_a_true_copy_is_read_once_whatever_its_uid_and_said(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1")
    write_slice(tmp_path / "again", STORED[3], stack()[3], "1.2.1")
    ct = read_dicom_files([tmp_path])
    np.testing.assert_array_equal(ct.hu, HU)
    assert "copies" in {note.code for note in ct.notes}


def test_an_image_of_the_same_uid_and_place_that_differs_is_no_copy(tmp_path) -> None:
    write_series(tmp_path, STORED, "1.2.1", per_slice=[{"SOPInstanceUID": f"1.2.3.{n}"} for n in range(COUNT)])
    write_slice(tmp_path / "again", SECOND[3], stack()[3], "1.2.1", SOPInstanceUID="1.2.3.3")
    with pytest.raises(InputError, match="again"):
        read_dicom_files([tmp_path])
