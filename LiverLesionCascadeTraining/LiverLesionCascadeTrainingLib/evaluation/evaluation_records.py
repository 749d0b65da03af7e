"""What an evaluation knows of its cases: one JSON file each, so that the same command again goes on.

A case is measured again where it failed, its files have changed, or it was measured by another model; every preset has
a file of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from LiverLesionCascadeLib import __version__
from LiverLesionCascadeLib.archive.archive_folder import RECORDS, run_folder
from LiverLesionCascadeLib.archive.entries import entry_name
from LiverLesionCascadeLib.archive.records import DONE, FAILED, FORMAT, model_identity, read_record, write_record
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.passes.presets import Preset

from ..cases.training_case import TrainingCase
from .evaluation import CaseMetrics, SparseCaseMetrics
from .evaluation_task import Measured
from .metrics import LesionMatching, RegionMetrics

#: Changes when cases must be measured again, as a measure is computed otherwise or a new one is there.
MEASURES = 3


@dataclass(frozen=True)
class EvaluationRecord:
    """A case of an evaluation.

    Attributes:
        fingerprint: Of the case as it was before it was read.
        made_with: What its measures depend on besides the case.
    """

    case: str
    patient: str
    result: Measured
    fingerprint: str
    made_with: dict[str, Any]
    bundle: str
    bundle_version: str
    preset: str
    device: str
    version: str
    finished: str

    @property
    def state(self) -> str:
        return DONE if self.result.error is None else FAILED


@dataclass(frozen=True)
class EvaluationRecords:
    """The records of an evaluation, in its folder or, without one, only where they are given out.

    Attributes:
        fingerprints: Of the cases by their name, taken before any is read.
    """

    bundle: ModelBundle
    device: str
    fingerprints: dict[str, str]
    folder: Path | None

    def kept(self, case: TrainingCase, preset: Preset) -> EvaluationRecord | None:
        """The record of a case that need not be measured again."""
        content = None if self.folder is None else read_record(_file_name(case, preset), self.folder)
        fingerprint = self.fingerprints[case.name]
        if content is None or not fingerprint:
            return None
        try:
            record = _from_json(content)
        except (KeyError, TypeError):  # written by another version
            return None
        same = record.fingerprint == fingerprint and record.made_with == self._made_with(preset)
        return record if same and record.state == DONE else None

    def add(self, case: TrainingCase, preset: Preset, result: Measured) -> EvaluationRecord:
        """The case's new record, written at once. Raises OutputError."""
        record = EvaluationRecord(
            case=case.name,
            patient=case.patient,
            result=result,
            fingerprint=self.fingerprints[case.name],
            made_with=self._made_with(preset),
            bundle=self.bundle.name,
            bundle_version=self.bundle.version,
            preset=preset.name,
            device=self.device,
            version=__version__,
            finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        if self.folder is not None:
            content = {"format": FORMAT, "name": _file_name(case, preset), "state": record.state, **asdict(record)}
            write_record(content, self.folder)
        return record

    def _made_with(self, preset: Preset) -> dict[str, Any]:
        return {"measures": MEASURES, "model": model_identity(self.bundle), "preset": _settings(preset)}


@contextmanager
def evaluation_records(
    folder: Path | None, cases: Iterable[TrainingCase], bundle: ModelBundle, device: str
) -> Iterator[EvaluationRecords]:
    """The records of an evaluation of the cases, for this process alone.

    Raises:
        OutputError: If another run is at work in the folder, or it cannot be written, or holds other files.
    """
    fingerprints = {case.name: _fingerprint(case) for case in cases}
    with nullcontext() if folder is None else run_folder(folder, "evaluation", (RECORDS,)):
        yield EvaluationRecords(bundle, device, fingerprints, folder)


def _fingerprint(case: TrainingCase) -> str:
    """Empty where the case's files cannot be looked at: to read it will fail, with a reason."""
    try:
        return case.fingerprint()
    except OSError:
        return ""


def _file_name(case: TrainingCase, preset: Preset) -> str:
    return entry_name(case.name, json.dumps([case.name, _settings(preset)]))


def _settings(preset: Preset) -> dict[str, Any]:
    """As they are read back from JSON, which knows no tuples."""
    settings: dict[str, Any] = json.loads(json.dumps(asdict(preset)))
    return settings


def _from_json(content: dict[str, Any]) -> EvaluationRecord:
    """Raises KeyError, TypeError where it is not ours."""
    values = {key: value for key, value in content.items() if key not in ("format", "name", "state")}
    result = values["result"]
    measures = None if result["measures"] is None else _measures(result["measures"])
    return EvaluationRecord(**values | {"result": Measured(**result | {"measures": measures})})


def _measures(content: dict[str, Any]) -> CaseMetrics | SparseCaseMetrics:
    if "slices" in content:
        return SparseCaseMetrics(**content)
    lesions = {key: tuple(values) for key, values in content["lesions"].items()}
    lesions["pairs"] = tuple(map(tuple, lesions["pairs"]))
    return CaseMetrics(
        name=content["name"],
        liver=RegionMetrics(**content["liver"]),
        lesion=RegionMetrics(**content["lesion"]),
        lesions=LesionMatching(**lesions),
        lesions_known=content["lesions_known"],
    )
