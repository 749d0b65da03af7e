"""Segmentations as .seg.nrrd files, by Slicer's own storage node."""

from __future__ import annotations

from pathlib import Path

import slicer

from ...engine.errors import InputError, InvalidVolumeError, OutputError, reason
from ...engine.files import atomic_file
from ...engine.scan.itk_warnings import prints_logged
from ...engine.scan.stored_voxels import check_stored_voxels

SUFFIX = ".seg.nrrd"


def saveSegmentation(node: slicer.vtkMRMLSegmentationNode, path: str | Path) -> Path:
    """Write all segments, compressed, to ``path``, which must end in .seg.nrrd; a file that is there is replaced.

    The file appears complete or not at all: it is written beside its place and then moved. Neither the node nor its
    storage node in the scene are changed. Raises OutputError.
    """
    path = Path(path)
    if not path.name.endswith(SUFFIX):
        raise OutputError(f"{path} cannot be written: the name of a segmentation file must end in {SUFFIX}.")
    try:
        with atomic_file(path, SUFFIX) as temporary:
            temporary.touch()  # shows before the work whether the folder can be written to
            storage = slicer.vtkMRMLSegmentationStorageNode()
            storage.SetUseCompression(True)
            storage.SetFileName(str(temporary))
            with prints_logged():
                written = storage.WriteData(node)
            if not written:
                details = " ".join(storage.GetUserMessages().GetAllMessagesAsString().split())
                raise OutputError(f"{path} could not be written. Check that the disk is not full. {details}".rstrip())
            _requireWhole(temporary, path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {reason(error)}. Choose a folder that you can write to."
        ) from error
    return path


def _requireWhole(written: Path, path: Path) -> None:
    """Raise OutputError where the file ends too early: the writer says nothing of a disk that was full at its end."""
    try:
        check_stored_voxels(written)
    except (InputError, InvalidVolumeError) as error:
        raise OutputError(f"{path} could not be written as a whole. Check that the disk is not full.") from error
