"""What is reported of a result: its segments as they are now, without those that a person rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ...engine import codes
from ...engine.codes import NO_CODE, Code
from ...engine.errors import InputError
from ...engine.files import write_atomically
from ...engine.findings import Finding
from ...engine.grid.boxed import Boxed
from ...engine.measures.lesions import Lesion
from ...engine.progress import Steps, finish
from ...engine.reports.dicom_export import (
    ExportedSegment,
    measurement_report,
    new_uid,
    segmentation_object,
    write_report,
    write_segmentation,
)
from ...engine.reports.html_report import report_steps
from ...engine.reports.lesion_csv import lesion_csv
from ...engine.reports.page import Translate, english, write_page
from ...engine.results.result import SegmentationResult
from ...engine.scan.ct_volume import CTVolume
from ...engine.scan.dicom.dicom_source import SourceImage, source_images
from ..nodes.arrays import RAS_FROM_LPS
from ..nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from ..workspace.provenance import BUNDLE, PREFIX, PRESET, getTag, isOwnSegment
from ..workspace.review import UNREVIEWED
from ..workspace.workspace import Workspace
from .lesion_rows import LesionRow, LesionRows, Totals

TRACKING_UID = PREFIX + "TrackingUID"
"""Tag of a segment: the name by which DICOM reports know it, the same in each of them."""

INSTANCE_UIDS = "DICOM.instanceUIDs"
"""Attribute of a volume that Slicer's DICOM module loaded."""


def plainStatus(row: LesionRow) -> str:
    """What was done with a lesion, in English."""
    return f"{row.status}{', edited' if row.edited else ''}"


class CaseReport:
    """The segments of a workspace at this moment, measured; blocks until they are.

    :param workspace: of the result.
    :param fileForInstance: gives the file of a DICOM instance UID, "" where it is not known; Slicer's DICOM database
        if None.
    """

    def __init__(self, workspace: Workspace, fileForInstance: Callable[[str], str] | None = None):
        self._workspace, self._fileForInstance = workspace, fileForInstance
        present = workspace.tool(LesionRows).rows()
        self.totals: Totals = workspace.tool(LesionRows).totals()
        self.rows: list[LesionRow] = sorted((row for row in present if row.counts), key=lambda row: row.number)
        self.leftOut: list[str] = [row.name for row in present if row.measures is not None and not row.counts]

    # -- for people

    def writeHtml(
        self, path: Path, translate: Translate = english, statusText: Callable[[LesionRow], str] = plainStatus
    ) -> None:
        """The report as one file that needs nothing else. Raises OSError.

        :param translate: gives the page's own texts in the reader's language.
        :param statusText: gives what was done with a lesion in that language.
        """
        finish(self.writeHtmlInSteps(path, translate, statusText))

    def writeHtmlInSteps(
        self, path: Path, translate: Translate = english, statusText: Callable[[LesionRow], str] = plainStatus
    ) -> Steps[None]:
        """`writeHtml`, between whose steps Slicer can go on; the segments count as they are in the second."""
        ct = ctVolumeFromNode(self._workspace.volumeNode)
        yield
        result, name = self._result(ct), self._workspace.volumeNode.GetName() or ""
        yield
        page = yield from report_steps(
            ct,
            result,
            input_name=name,
            notes={row.number: statusText(row) for row in self.rows},
            undecided=frozenset(row.number for row in self.rows if row.status == UNREVIEWED),
            translate=translate,
        )
        write_page(path, page)

    def writeCsv(self, path: Path) -> None:
        """The lesions as a table. Raises OSError."""
        ct = ctVolumeFromNode(self._workspace.volumeNode)
        more = {
            "name": {row.number: row.name for row in self.rows},
            "status": {row.number: row.status for row in self.rows},
            "edited": {row.number: "yes" if row.edited else "no" for row in self.rows},
        }
        write_atomically(path, lesion_csv([row.measures for row in self.rows], ct, more).encode("utf-8-sig"))

    # -- DICOM

    def writeDicomSegmentation(self, path: Path) -> None:
        """Liver and lesions as one SEG. Needs highdicom. Raises InputError, OutputError, OSError."""
        self._writeSegmentation(path)

    def writeDicomReport(self, path: Path, segmentationPath: Path) -> None:
        """The measures as an SR, and the SEG that it refers to. Needs highdicom. As `writeDicomSegmentation`."""
        images, segments, segmentation = self._writeSegmentation(segmentationPath)
        grid = self._workspace.tool(LesionRows).grid
        write_report(path, measurement_report(images, segmentation, segments, self._description, grid), segmentation)

    def _writeSegmentation(self, path: Path) -> tuple[list[SourceImage], list[ExportedSegment], Any]:
        """What it is of, and the SEG."""
        volumeNode = self._workspace.volumeNode
        matrix = RAS_FROM_LPS @ ijkToRasMatrix(volumeNode)
        images = source_images(dicomFiles(volumeNode, self._fileForInstance), self._workspace.shape, matrix)
        segments = self._exportedSegments()
        segmentation = segmentation_object(images, segments, self._description)
        write_segmentation(path, segmentation, images, segments)
        return images, segments, segmentation

    @property
    def _description(self) -> str:
        return self._workspace.node.GetName() or ""

    def _exportedSegments(self) -> list[ExportedSegment]:
        workspace = self._workspace
        known: set[str] = set()
        segments = [self._exported(row.segmentId, row.measures, known) for row in self.rows]
        liverId = workspace.liverId()
        if liverId is not None:
            segments.insert(0, self._exported(liverId, None, known))
        return segments

    def _exported(self, segmentId: str, measures: Lesion | None, known: set[str]) -> ExportedSegment:
        workspace = self._workspace
        segment = workspace.segment(segmentId)
        mask = workspace.mask(segmentId)
        category, kind, modifier, region, regionModifier = _terminologyOf(segment)
        origin = "MANUAL"
        if isOwnSegment(workspace.segmentation, segmentId):
            origin = "SEMIAUTOMATIC" if workspace.isEdited(segmentId) else "AUTOMATIC"
        usual = (
            (codes.ANATOMICAL_STRUCTURE, codes.LIVER)
            if measures is None
            else (codes.MORPHOLOGICALLY_ALTERED_STRUCTURE, codes.MASS)
        )
        name, _, version = getTag(segment, BUNDLE).rpartition(" ")
        voxelMl = abs(np.linalg.det(ijkToRasMatrix(workspace.volumeNode)[:3, :3])) / 1000
        return ExportedSegment(
            label=segment.GetName(),
            mask=mask,
            category=usual[0] if category == NO_CODE else category,
            type=usual[1] if kind == NO_CODE else kind,
            type_modifier=modifier,
            region=region,
            region_modifier=regionModifier,
            color=tuple(segment.GetColor()),
            origin=origin,
            algorithm=(name, version) if name else None,
            tracking_uid=_trackingUid(segment, known),
            volume_ml=mask.count * voxelMl,
            measures=measures,
        )

    # -- as the engine's report wants it

    def _result(self, ct: CTVolume) -> SegmentationResult:
        workspace = self._workspace
        numbers = np.zeros(workspace.shape, np.uint16)
        for row in self.rows:
            mask = workspace.mask(row.segmentId)
            numbers[mask.box][mask.values] = row.number
        liver, lesions = map(ct.boxed_from_source, (workspace.liver(), Boxed.labels(numbers)))
        tagged = workspace.liverSegment()
        if tagged is None and self.rows:
            tagged = workspace.segment(self.rows[0].segmentId)
        return SegmentationResult(
            grid=ct.geometry,
            name=ct.name,
            liver=liver,
            lesions=lesions,
            liver_volume_ml=liver.count * ct.geometry.voxel_volume_ml,
            table=[row.measures for row in self.rows],
            bundle_name=getTag(tagged, BUNDLE),
            bundle_version="",
            preset=getTag(tagged, PRESET),
            device="",
            findings=[*self._remarks(), *ct.notes, *ct.check()],
            lesions_ml=self.totals.lesionMl,  # a voxel in two lesions, as a person may draw them, counts once
        )

    def _remarks(self) -> list[Finding]:
        remarks = []
        if self.leftOut:
            names = ", ".join(self.leftOut)
            remarks.append(Finding("rejected", "info", f"Rejected in review and left out of this report: {names}."))
        edited = [row.name for row in self.rows if row.edited]
        if edited:
            remarks.append(Finding("edited", "info", f"Changed or drawn by hand: {', '.join(edited)}."))
        if self.totals.unreviewed:
            remarks.append(
                Finding("unreviewed", "warning", f"{self.totals.unreviewed} of the lesions have not been reviewed.")
            )
        return remarks


def dicomFiles(
    volumeNode: slicer.vtkMRMLScalarVolumeNode, fileForInstance: Callable[[str], str] | None = None
) -> list[str]:
    """The files that Slicer's DICOM module loaded a volume from. Raises InputError, with the reason, without them."""
    uids = (volumeNode.GetAttribute(INSTANCE_UIDS) or "").split()
    if not uids:
        raise InputError(
            f"{volumeNode.GetName()} was not loaded by the DICOM module: without its DICOM files nothing says which "
            "patient and study it belongs to."
        )
    files = [(fileForInstance or _fileInDatabase)(uid) for uid in uids]
    if not all(files):
        raise InputError(
            f"DICOM files of {volumeNode.GetName()} are no longer in Slicer's DICOM database. Import the series again."
        )
    return files


def _fileInDatabase(uid: str) -> str:
    database = getattr(slicer, "dicomDatabase", None)
    return database.fileForInstance(uid) if database is not None and database.isOpen else ""


def _terminologyOf(segment: slicer.vtkSegment) -> list[Code]:
    """What a segment is said to be: category, type, its modifier, region, its modifier; NO_CODE where nothing is."""
    fields = getTag(segment, segment.GetTerminologyEntryTagName()).split("~")

    def code(index: int) -> Code:
        parts = fields[index].split("^") if index < len(fields) else []
        return Code(*parts) if len(parts) == 3 and all(parts) else NO_CODE

    return [code(index) for index in (1, 2, 3, 5, 6)]


def _trackingUid(segment: slicer.vtkSegment, known: set[str]) -> str:
    """The segment's own; a copy of a segment gets another."""
    uid = getTag(segment, TRACKING_UID)
    if not uid or uid in known:
        uid = new_uid()
        segment.SetTag(TRACKING_UID, uid)
    known.add(uid)
    return uid
