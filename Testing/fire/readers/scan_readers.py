"""Readers of scans: NIfTI, NRRD, MHA, DICOM."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from fixtures.dicom_files import body_phantom, write_enhanced, write_series
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.scan.image_io import read_input

from .fuzzing import Files, Reader

SHAPE = (4, 10, 12)
HU = body_phantom(SHAPE).astype(np.int16) - 1024


def files_of(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def written(*images: tuple[str, np.ndarray, bool]) -> list[Files]:
    """Of each (name, array, whether it is compressed), the files that ITK writes."""
    seeds = []
    for name, array, compress in images:
        with tempfile.TemporaryDirectory() as folder:
            image = sitk.GetImageFromArray(array)
            image.SetSpacing((0.8, 0.7, 2.0))
            image.SetOrigin((-5.0, 3.0, 90.0))
            sitk.WriteImage(image, str(Path(folder) / name), compress)
            seeds.append(files_of(Path(folder)))
    return seeds


def read_scan(folder: Path) -> tuple[Hashable, bool]:
    """The folder's image file, or the folder as a DICOM series."""
    named = [path for path in folder.iterdir() if path.suffix in (".nii", ".nrrd", ".nhdr", ".mha", ".mhd")]
    named += folder.glob("*.nii.gz")
    ct = read_input(named[:1] or [folder])
    digest = hashlib.blake2b(np.ascontiguousarray(ct.hu).view(np.uint8)).digest()
    ct.check()
    return (digest, ct.hu.shape, ct.geometry.ijk_to_lps.tobytes()), warns(ct)


def warns(ct: CTVolume) -> bool:
    """Whether it was said that something is odd; which series was read is said of each."""
    return any(note.severity != "info" for note in ct.notes)


def checked_by_format(name: str, old: bytes, new: bytes) -> bool:
    """Whether the change lies within what a checksum covers."""
    if name.endswith(".gz"):
        return new[:2] == b"\x1f\x8b" and not _same_checksum(new)
    if name.endswith(".zraw"):
        return True
    for mark in (b"\n\n", b"ElementDataFile = LOCAL\n"):
        head, found, rest = old.partition(mark)
        if found and (b"encoding: gz" in head or b"CompressedData = True" in head):
            return new.startswith(head + found) and not _same_checksum(new[len(head + found) :])
    return False


def _same_checksum(stream: bytes) -> bool:
    """Whether it is a whole stream with a right checksum, as the mutations that know about it make."""
    import zlib

    try:
        zlib.decompressobj(47).decompress(stream)
    except zlib.error:
        return False
    return True


def nifti() -> Reader:
    seeds = written(("a.nii", HU, False), ("a.nii.gz", HU, True), ("a.nii.gz", HU.astype(np.float32) + 0.5, True))
    import nibabel

    with tempfile.TemporaryDirectory() as folder:
        affine = np.array([[-0.7, 0.0, 0, 20], [0.0, -0.7, 0, 30], [0, 0.2, 2.5, -40], [0, 0, 0, 1]])
        nibabel.save(nibabel.Nifti2Image(HU.T, affine), Path(folder) / "a.nii.gz")
        seeds.append(files_of(Path(folder)))
    return Reader("NIfTI", seeds, read_scan, checked_by_format)


def nrrd() -> Reader:
    seeds = written(
        ("a.nrrd", HU, False), ("a.nrrd", HU, True), ("a.nrrd", HU.astype(np.float64), True), ("a.nhdr", HU, False),
        ("a.nhdr", HU, True),
    )  # fmt: skip
    return Reader("NRRD", seeds, read_scan, checked_by_format)


def mha() -> Reader:
    seeds = written(("a.mha", HU, False), ("a.mha", HU, True), ("a.mhd", HU, False), ("a.mhd", HU, True))
    return Reader("MHA and MHD", seeds, read_scan, checked_by_format)


def dicom() -> Reader:
    seeds = []
    stored = body_phantom(SHAPE)
    makers = (
        lambda folder: write_series(folder, stored, "1.2.3.4"),
        lambda folder: write_series(folder, stored, "1.2.3.4", bare=True),
        lambda folder: write_series(folder, stored, "1.2.3.4", compress=True),
        lambda folder: write_enhanced(
            folder / "a.dcm", stored, [{"position": (0, 0, 2.0 * n)} for n in range(len(stored))]
        ),
    )
    for make in makers:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            seeds.append(files_of(Path(folder)))
    return Reader("DICOM", seeds, read_scan)
