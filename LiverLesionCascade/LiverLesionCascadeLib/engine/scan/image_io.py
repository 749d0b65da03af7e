"""Image files: scans and label maps in, result images out."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, InvalidVolumeError, OutputError, cannot_read, reason
from ..files import atomic_file, require_text_name
from ..findings import Finding
from ..grid.geometry import ImageGeometry, affine, shown_sizes
from ..grid.resampling import itk_array
from . import nifti
from .ct_volume import CTVolume, several_volumes
from .itk_warnings import itk_warnings, prints_logged
from .stored_voxels import check_stored_voxels, unusable_image

if TYPE_CHECKING:
    import SimpleITK

READABLE = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
WRITABLE = (".nii.gz", ".nii", ".nrrd", ".mha")


def image_stem(name: str) -> str:
    """The name of an image file without what says its format."""
    return next((name[: -len(suffix)] for suffix in READABLE if name.lower().endswith(suffix)), name)


def read_input(
    paths: Sequence[str | os.PathLike[str]],
    series_uid: str | None = None,
    acquisition: str | None = None,
    fill_gaps: int = 0,
) -> CTVolume:
    """The CT that the user means: an image file, a DICOM folder, or the files of a DICOM series.

    Args:
        series_uid, acquisition, fill_gaps: See :func:`dicom_io.read_dicom_files`.

    Refuses what is not CT-like. Raises InputError and InvalidVolumeError.
    """
    from .dicom.dicom_header import is_dicom
    from .dicom.dicom_io import read_dicom_files

    given = [Path(p) for p in paths]
    if not given:
        raise InputError("No input. Give an image file (NIfTI, NRRD, MHA) or a DICOM folder.")
    for path in given:
        _require_there(path)
    # The table of contents of a CD stands for what lies beside it.
    given = [path.parent if path.name.upper() == "DICOMDIR" and path.is_file() else path for path in given]
    if all(path.is_dir() or is_dicom(path) for path in given):
        ct = read_dicom_files(given, series_uid, acquisition, fill_gaps)
    elif len(given) == 1:
        ct = read_image(given[0])
    else:
        other = next(path for path in given if path.is_file() and not is_dicom(path))
        raise InputError(
            f"{other.name} is not a DICOM file. Give one image file, one folder, or the DICOM files of one series."
        )
    ct.require_ct_like()
    return ct


def read_image(path: str | os.PathLike[str], single_slices: bool = False) -> CTVolume:
    """A scan from a NIfTI, NRRD or MHA/MHD file. Raises InputError (the file) or InvalidVolumeError (its content).

    Args:
        single_slices: Whether it may be one slice alone, as cases for training may be.
    """
    path = Path(path)
    array, ijk_to_lps, remarks = read_array(path)
    ct = CTVolume.from_array(array, ijk_to_lps, path.name, single_slices)
    ct.notes += [Finding("file", "warning", f"{path.name}: {remark}") for remark in remarks]
    return ct


def read_labels(path: str | os.PathLike[str], like: ImageGeometry) -> np.ndarray:
    """A label map (k, j, i), uint8 or uint16, on the same grid as ``like``.

    Raises InputError where the file is on another grid or holds no labels.
    """
    path = Path(path)
    array, ijk_to_lps, _ = read_array(path)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 3:
        raise InputError(
            f"{path.name} is no 3D label map ({array.ndim}D; layers overlap or it is a picture). "
            "Export the segmentation as a label map."
        )
    geometry = ImageGeometry(array.shape, ijk_to_lps)
    if not geometry.matches(like):
        what = "sizes differ" if geometry.shape != like.shape else "position, spacing or directions differ"
        raise InputError(
            f"{path.name} is not on the scan's grid ({what}: {_describe(geometry)} against {_describe(like)}). "
            "Export the label map with the scan as reference."
        )
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= np.iinfo(np.uint16).max) or not all((slab == np.rint(slab)).all() for slab in array):
        raise InputError(f"{path.name} holds values that are no labels ({low:g} to {high:g}). Give a label map.")
    return array.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)


def write_image(path: str | os.PathLike[str], array_kji: np.ndarray, geometry: ImageGeometry) -> None:
    """Write an array (k, j, i) as NRRD, NIfTI or MHA, compressed; the file appears complete or not at all.

    bool is written as uint8, float16 as float32. Raises OutputError.
    """
    import SimpleITK as sitk

    path = Path(path)
    suffix = _suffix(path, WRITABLE)
    if suffix is None:
        choice = f"{', '.join(WRITABLE[:-1])} or {WRITABLE[-1]}"
        raise OutputError(f"{path.name}: this format cannot be written. Choose a name that ends in {choice}.")
    if array_kji.shape != geometry.shape:
        raise ValueError(f"expected an array of shape {geometry.shape}, not {array_kji.shape}")
    if not os.path.isdir(path.parent):
        raise OutputError(f"{path} cannot be written: its folder does not exist. Create it or choose another folder.")
    direction = geometry.direction
    if suffix.startswith(".nii") and np.abs(direction.T @ direction - np.eye(3)).max() > 1e-4:
        # ITK would straighten the grid without a word, and could not read it back
        raise OutputError(f"{path.name}: NIfTI cannot hold this sheared (tilted) grid. Choose a .nrrd name.")
    image = sitk.GetImageFromArray(itk_array(array_kji))
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(direction.ravel().tolist())
    try:
        with atomic_file(path, suffix) as temporary:
            open(temporary, "xb").close()  # says why it cannot be written in plainer words than ITK does
            sitk.WriteImage(image, os.fspath(temporary), True)
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"{path} cannot be written: {reason(error)}. Check the folder, its rights and the free space."
        ) from error


def read_array(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Array in numpy order, (4, 4) matrix to LPS, and what a person should know; 4D and vector images come as 4D
    arrays. Raises InputError, InvalidVolumeError."""
    _require_there(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give an image file, or use it as a DICOM folder.")
    if _suffix(path, READABLE) is None:
        raise InputError(
            f"{path.name}: this format cannot be read. Give a NIfTI, NRRD or MHA file, or the folder of a DICOM series."
        )
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty (0 bytes). Copy or export it again.")
        with itk_warnings() as warnings:
            array, ijk_to_lps, remarks = _read_nifti(path) if nifti.is_nifti(path) else _read_itk(path)
        return array, ijk_to_lps, [*remarks, *(f"ITK says: {text}" for text in warnings)]
    except OSError as error:
        raise cannot_read(path, error) from error


def _require_there(path: Path) -> None:
    require_text_name(path)
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise InputError(f"{path} does not exist. Check the path; put it in quotes if it has spaces.") from error
    except OSError as error:
        raise cannot_read(path, error) from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path} is neither a file nor a folder, but a pipe or a device. Save the scan as a file.")


def runs_down(path: Path) -> bool:
    """Whether the slices of an image file go from head to feet, by its header. Raises InputError, InvalidVolumeError,
    OSError."""
    to_z = (_nifti_matrix(path, nifti.read_header(path)) if nifti.is_nifti(path) else _matrix(_information(path)))[2]
    return bool(to_z[np.abs(to_z[:3]).argmax()] < 0)


def _read_nifti(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    header = nifti.read_header(path)
    if header.dtype is None or len(header.shape) > 4:
        return _read_itk(path)  # colours, vectors: for from_array to refuse
    _refuse_several_volumes(header.shape, path)
    return nifti.read_voxels(path, header), _nifti_matrix(path, header), header.remarks


def _nifti_matrix(path: Path, header: nifti.NiftiHeader) -> np.ndarray:
    if header.sheared_ijk_to_lps is not None:
        return header.sheared_ijk_to_lps
    try:
        return _itk_matrix(path, header)
    except InvalidVolumeError:
        if header.sform is None:
            raise
        return header.sform  # ITK is stricter than rounding of headers; from_array decides


def _itk_matrix(path: Path, header: nifti.NiftiHeader) -> np.ndarray:
    if header.version == 1:
        return _matrix(_information(path))
    with tempfile.TemporaryDirectory() as folder:
        translated = Path(folder) / "header.nii"
        translated.write_bytes(header.as_nifti1(path))
        return _matrix(_information(translated))


def _read_itk(path: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    import SimpleITK as sitk

    remarks = [] if nifti.is_nifti(path) else check_stored_voxels(path)
    reader = _information(path)
    shape = reader.GetSize()[::-1]
    _refuse_several_volumes(shape, path)
    if len(shape) >= 3:
        ImageGeometry(shape[-3:], _matrix(reader)).validate(path.name)
    try:
        with prints_logged():
            image = reader.Execute()
    except RuntimeError as error:
        raise unusable_image(path) from error
    return sitk.GetArrayFromImage(image), _matrix(reader), remarks


def _information(path: Path) -> SimpleITK.ImageFileReader:
    """The reader with the file's header read, the voxels not."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(os.fspath(path))
    try:
        with prints_logged():
            reader.ReadImageInformation()
    except RuntimeError as error:
        text = str(error)
        if any(phrase in text for phrase in ("orthonormal", "space direction")):
            raise InvalidVolumeError(
                f"{path.name}: its axes do not span a volume (singular or impossible directions). "
                "Correct the directions in the header or export the scan again."
            ) from error
        raise unusable_image(path) from error
    if min(reader.GetSpacing()) < 0:  # as a matrix it would pass for a flip
        shown = shown_sizes(reader.GetSpacing(), "g")
        raise InvalidVolumeError(
            f"{path.name}: its voxel spacing is negative ({shown} mm). Correct the header or export the scan again."
        )
    return reader


def _refuse_several_volumes(shape: tuple[int, ...], path: Path) -> None:
    """From the header, before gigabytes are read."""
    if len(shape) > 4 or (len(shape) == 4 and shape[0] > 1):
        raise several_volumes(path.name, shape)


def _matrix(reader: SimpleITK.ImageFileReader) -> np.ndarray:
    """(4, 4) to LPS of the first three axes."""
    size = reader.GetDimension()
    if size < 3:
        return np.eye(4)
    direction = np.reshape(reader.GetDirection(), (size, size))[:3, :3]
    return affine(direction * np.asarray(reader.GetSpacing()[:3]), reader.GetOrigin()[:3])


def _describe(geometry: ImageGeometry) -> str:
    size, spacing = shown_sizes(geometry.shape[::-1]), shown_sizes(geometry.spacing, ".4g")
    return f"{size} voxels of {spacing} mm at ({', '.join(f'{x:.1f}' for x in geometry.origin)})"


def _suffix(path: Path, known: tuple[str, ...]) -> str | None:
    return next((suffix for suffix in known if path.name.lower().endswith(suffix)), None)
