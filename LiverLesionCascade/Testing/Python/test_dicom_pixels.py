"""Pixels of DICOM images: as many as the header says, in HU whatever way they are shown, padding recognised."""

import numpy as np
import pydicom
import pytest
from fixtures.dicom_files import body_phantom, write_series
from LiverLesionCascadeLib.engine.errors import InputError, InvalidVolumeError
from LiverLesionCascadeLib.engine.scan.dicom.dicom_io import read_dicom_files
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

STORED = body_phantom()
HU = STORED.astype(np.int16) - 1024
COUNT = len(STORED)


@pytest.mark.parametrize("compress", [False, True])
def test_monochrome1_changes_how_a_ct_is_shown_and_not_its_values(tmp_path, compress) -> None:
    write_series(
        tmp_path, STORED, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11, compress=compress
    )
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


@pytest.mark.parametrize("change", [-2, 2, -len(STORED[0].tobytes()) // 2])
def test_pixels_that_are_fewer_or_more_than_the_header_says_are_refused_by_name(tmp_path, change) -> None:
    data = STORED[7].tobytes()
    data = data[:change] if change < 0 else data + bytes(change)
    write_series(tmp_path, STORED, per_slice=[{"PixelData": data} if n == 7 else {} for n in range(COUNT)])
    with pytest.raises(InputError, match=r"007\.dcm is truncated or damaged: .* but it holds"):
        read_dicom_files([tmp_path])


def test_a_slice_without_pixels_is_refused_by_name(tmp_path) -> None:
    write_series(tmp_path, STORED, per_slice=[{"PixelData": None} if n == 7 else {} for n in range(COUNT)])
    with pytest.raises(InputError, match=r"007\.dcm: its pixels cannot be read"):
        read_dicom_files([tmp_path])


def test_a_header_that_claims_more_than_its_file_can_hold_is_refused_before_memory_is_taken(tmp_path) -> None:
    write_series(tmp_path, STORED, Rows=65535, Columns=65535)
    with pytest.raises(InputError, match="65535 x 65535 pixels, which a file of"):
        read_dicom_files([tmp_path])
    for path in tmp_path.iterdir():
        path.unlink()
    write_series(tmp_path, STORED, Rows=6500, Columns=6500, PixelData=b"\0" * 50_000)
    with pytest.raises(InvalidVolumeError, match="6500 x 6500 x 24 voxels"):
        read_dicom_files([tmp_path])


def test_the_sign_of_padding_in_an_unsigned_image_of_12_bits_is_understood(tmp_path) -> None:
    stored = STORED.copy()
    stored[:, :3] = 63536  # -2000
    write_series(tmp_path, stored, BitsStored=12, HighBit=11)
    expected = HU.copy()
    expected[:, :3] = -3024
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, expected)


def test_overlays_in_the_bits_above_the_pixels_are_no_values(tmp_path) -> None:
    stored = STORED.copy()
    stored[5, 4:9, 4:9] |= 0x1000
    stored[6, 4:9, 4:9] |= 0x8000
    write_series(tmp_path, stored, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


def test_signed_pixels_of_12_bits_keep_their_sign(tmp_path) -> None:
    stored = np.clip(HU, -2048, 2047).view(np.uint16) & 0x0FFF
    write_series(tmp_path, stored, BitsStored=12, HighBit=11, PixelRepresentation=1, RescaleIntercept=0)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, np.clip(HU, -2048, 2047))


def test_declared_padding_outside_of_the_field_of_view_is_air_and_the_same_value_in_the_body_is_not(tmp_path) -> None:
    stored = STORED.copy()
    stored[:, :3] = 4095
    stored[:, 15:17, 15:17] = 4095  # as bright metal
    write_series(tmp_path, stored, PixelPaddingValue=4095)
    ct = read_dicom_files([tmp_path])
    assert (ct.hu[:, :3] == -1024).all()
    assert (ct.hu[:, 15:17, 15:17] == 3071).all()
    assert "padding" in {note.code for note in ct.notes}


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_uncompressed_transfer_syntaxes_are_read(tmp_path, syntax) -> None:
    write_series(tmp_path, STORED)
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        big = syntax == ExplicitVRBigEndian
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2" if big else "<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.is_little_endian, dataset.is_implicit_VR = not big, False
        pydicom.dcmwrite(path, dataset, little_endian=not big, implicit_vr=False)
    np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu, HU)


@pytest.mark.parametrize("slope", ["0", "NaN", "abc"])
def test_a_rescale_that_is_none_is_refused_by_name(tmp_path, slope) -> None:
    write_series(tmp_path, STORED, RescaleSlope=None, raw={0x00281053: ("DS", slope)})
    with pytest.raises(InputError, match="no usable RescaleSlope"):
        read_dicom_files([tmp_path])


@pytest.mark.parametrize("name", ["MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm", "MR_small_RLE.dcm"])
@pytest.mark.parametrize("cut", [False, True])
def test_compressed_slices_are_read_exactly_and_refused_without_their_end(name, cut, tmp_path) -> None:
    dataset = pydicom.dcmread(pydicom.data.get_testdata_file(name, download=False))
    plain = pydicom.dcmread(pydicom.data.get_testdata_file("MR_small.dcm", download=False))
    (frame,) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    same = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    tags = {tag: dataset[tag].value for tag in same}
    blank = np.zeros((3, dataset.Rows, dataset.Columns), np.uint16)
    write_series(tmp_path, blank, names=["I0", "I1", "I2"], PhotometricInterpretation="MONOCHROME1", **tags)
    for path in tmp_path.iterdir():
        image = pydicom.dcmread(path)
        image.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
        short = cut and path.name == "I1"
        image.PixelData = pydicom.encaps.encapsulate([frame[: len(frame) // 2] if short else frame])
        image["PixelData"].is_undefined_length = True
        image.save_as(path)
    if cut:
        with pytest.raises(InputError, match="I1: its pixels cannot be read"):
            read_dicom_files([tmp_path])
    else:
        expected = np.frombuffer(plain.PixelData, "<i2").reshape(dataset.Rows, dataset.Columns)
        np.testing.assert_array_equal(read_dicom_files([tmp_path]).hu[1], expected.astype(int) - 1024)
