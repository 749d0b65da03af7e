"""Image files that are no CT to segment: how each is written, and words that tell what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from phantom import phantom_hu, phantom_image, write_phantom


def write_array(path: Path, array: np.ndarray, spacing: tuple[float, ...] | None = None) -> None:
    image = sitk.GetImageFromArray(array, isVector=False)
    if spacing is not None:
        image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))


def with_voxel(value: float) -> np.ndarray:
    hu = phantom_hu().astype(np.float32)
    hu[3, 4, 5] = value
    return hu


def mr() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.clip(np.where(phantom_hu() > -200, 900, 20) + rng.normal(0, 120, phantom_hu().shape), 0, None).astype(
        np.float32
    )


def nrrd_header(path: Path, **fields: str) -> None:
    """A NRRD file whose header says what no writer would: SimpleITK itself refuses to make such an image."""
    lines = {
        "type": "short",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "130 100 24",
        "space directions": "(2,0,0) (0,2,0) (0,0,3)",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(0,0,0)",
    } | {name.replace("_", " "): value for name, value in fields.items()}
    header = "NRRD0004\n" + "".join(f"{name}: {value}\n" for name, value in lines.items()) + "\n"
    path.write_bytes(header.encode() + phantom_hu().astype("<i2").tobytes())


def mha_header(path: Path, spacing: str, matrix: str = "1 0 0 0 1 0 0 0 1") -> None:
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"TransformMatrix = {matrix}\nOffset = 0 0 0\nElementSpacing = {spacing}\nDimSize = 130 100 24\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + phantom_hu().astype("<i2").tobytes())


def truncated(path: Path) -> None:
    write_phantom(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BAD_FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "NaN voxel": ("a.nrrd", lambda path: write_array(path, with_voxel(np.nan)), "NaN"),
    "infinite voxel": ("a.nrrd", lambda path: write_array(path, with_voxel(np.inf)), "infinite"),
    "2D image": ("a.nrrd", lambda path: write_array(path, phantom_hu()[12]), "2D|one slice|slice"),
    "4D image": (
        "a.nii.gz",
        lambda path: sitk.WriteImage(sitk.JoinSeries([phantom_image(), phantom_image()]), str(path)),
        "4D",
    ),
    "one slice": ("a.nii", lambda path: write_array(path, phantom_hu()[12:13]), "slice"),
    "zero spacing": ("a.mha", lambda path: mha_header(path, "2 2 0"), "spacing|voxel"),
    "negative spacing": ("a.mha", lambda path: mha_header(path, "-2 2 3"), "spacing|voxel|truncated|damaged"),
    "singular direction": (
        "a.nrrd",
        lambda path: nrrd_header(path, space_directions="(2,0,0) (2,0,0) (0,0,3)"),
        "axes|direction",
    ),
    "singular MHA direction": ("a.mha", lambda path: mha_header(path, "2 2 3", "1 0 0 1 0 0 0 0 1"), "axes|direction"),
    "uint8 picture": ("a.nrrd", lambda path: write_array(path, (phantom_hu() % 256).astype(np.uint8)), "8-bit"),
    "all air": ("a.nii.gz", lambda path: write_array(path, np.where(phantom_hu() > -500, -1001, -1000)), "air"),
    "an MR": ("a.nii.gz", lambda path: write_array(path, mr(), (2, 2, 3)), "no CT|not a CT|HU|Hounsfield"),
    "truncated NIfTI": ("a.nii.gz", truncated, "truncated"),
    "truncated NRRD": ("a.nrrd", truncated, "truncated"),
    "truncated MHA": ("a.mha", truncated, "truncated"),
    "empty file": ("a.nii.gz", lambda path: path.write_bytes(b""), "empty"),
    "text file": ("a.txt", lambda path: path.write_text("hello"), "format"),
    "text named NIfTI": ("a.nii", lambda path: path.write_text("hello"), "damaged|truncated|not a NIfTI"),
}
