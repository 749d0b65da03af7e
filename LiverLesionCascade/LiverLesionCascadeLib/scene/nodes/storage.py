"""Segmentations as .seg.nrrd files, by Slicer's own storage node."""

from __future__ import annotations

from pathlib import Path

import slicer

from ...engine.errors import OutputError
from ...engine.files import atomic_file

SUFFIX = ".seg.nrrd"


def saveSegmentation(node: slicer.vtkMRMLSegmentationNode, path: str | Path, compress: bool = True) -> Path:
    """Write all segments to ``path``, which must end in .seg.nrrd; a file that is there is replaced.

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
            storage.SetUseCompression(compress)
            storage.SetFileName(str(temporary))
            if not storage.WriteData(node):
                details = " ".join(storage.GetUserMessages().GetAllMessagesAsString().split())
                raise OutputError(f"{path} could not be written. Check that the disk is not full. {details}".rstrip())
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{path} cannot be written: {reason}. Choose a folder that you can write to.") from error
    return path
