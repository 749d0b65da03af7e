"""One JSON file a case, the only memory of a run: its result or its error, and what it was made from and with."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..engine.files import has_text_name, json_object, write_atomically, writing_to
from ..engine.model.bundle import ModelBundle
from ..engine.reports.lesion_csv import COLUMNS
from ..engine.run_options import RunOptions
from ..outputs.result_files import REPORTS
from .archive_folder import CASES, RECORDS
from .entries import Entry

DONE, FAILED, LEFT_OUT = "done", "failed", "left out"
FORMAT = 1
_HIGHEST = 1e15  # of a number; more is none that was measured

Record = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How all cases of a run are segmented; it travels to the workers.

    Attributes:
        output: The run's folder.
        model: What tells whether a result was made by the same model.
        options: The choices of all cases; their bundle is a folder that the workers know.
        report: One of ``result_files.REPORTS``.
    """

    output: str
    model: str
    options: RunOptions
    report: str = REPORTS[0]

    @property
    def made_with(self) -> dict[str, Any]:
        """What a result depends on besides the scan."""
        options = self.options.to_dict()
        made_with = {
            "model": self.model,
            "preset": options["preset"],
            "rules": options["postprocessing"],
            "probabilities": options["keep_probabilities"],
            "report": self.report,
        }
        # Only where they are chosen: records of runs that could not choose them do not name them.
        return made_with | {name: True for name in ("multi_scale", "crf") if options[name]}

    def case_folder(self, entry: Entry) -> Path:
        return Path(self.output) / CASES / entry.name

    def record_file(self, entry: Entry) -> Path:
        return Path(self.output) / RECORDS / f"{entry.name}.json"

    def attempts_file(self, entry: Entry) -> Path:
        """Where workers note that they began; it tells which case a lost worker was at."""
        return Path(self.output) / RECORDS / f"{entry.name}.attempts"


def model_identity(bundle: ModelBundle) -> str:
    """Of the weights and how they look at a scan; words for people in the metadata do not matter."""
    keys = ("network", "window_hu", "liver_pass", "lesion_pass", "lesion_filter")
    settings = json.dumps({key: bundle.metadata.get(key) for key in keys}, sort_keys=True)
    return f"{bundle.name} {bundle.version}, {bundle.metadata['weights']['sha256']}, {settings}"


def new_record(entry: Entry, settings: Settings, state: str, **values: Any) -> Record:
    return {
        "format": FORMAT,
        "name": entry.name,
        "source": entry.source,
        "series": entry.series,
        "state": state,
        "fingerprint": entry.fingerprint,
        "made_with": settings.made_with,
        "version": __version__,
        **values,
    }


def write_record(record: Record, output: Path) -> None:
    """Raises OutputError."""
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    with writing_to(output):
        write_atomically(output / RECORDS / f"{record['name']}.json", text.encode("utf-8", errors="replace"))


def read_record(name: str, output: Path) -> Record | None:
    """None where there is none, or one that cannot be read: the case is then done again."""
    record = json_object(output / RECORDS / f"{name}.json")
    return record if record.get("format") == FORMAT else None


_NUMBER = (int, float)
_MAYBE = (int, float, type(None))
_OR_NONE = (str, type(None))
#: What tables and summary take from the record of a case that was done: values by their types, lists by their items'.
_DONE_RECORD = {
    **dict.fromkeys(("name", "source", "fingerprint", "preset", "device", "finished"), str),
    **dict.fromkeys(("liver_volume_ml", "lesion_volume_ml", "seconds"), _NUMBER),
    "series": _OR_NONE,
    "tumour_burden_percent": _MAYBE,
    "outputs": [str],
    "lesions": [dict.fromkeys(COLUMNS, _MAYBE) | {"long_axis_mm": _NUMBER, "lesion": int, "slice": int, "voxels": int}],
    "findings": [{"code": str, "severity": str, "message": str}],
    "scan": {"voxels_ijk": [int], "spacing_ijk_mm": [_NUMBER]},
    "bundle": {"name": str, "version": str},
    "doubts": {"score": _NUMBER, "warnings": [str], "unsure_liver": _NUMBER, "unsure_lesions": _NUMBER},
}


def is_whole(record: Record) -> bool:
    """Whether a record of a case that was done has all that tables and summary take from it."""
    return _holds(record, _DONE_RECORD)


def _holds(value: Any, form: Any) -> bool:
    if isinstance(form, dict):
        return isinstance(value, dict) and all(key in value and _holds(value[key], part) for key, part in form.items())
    if isinstance(form, list):
        return isinstance(value, list) and all(_holds(each, form[0]) for each in value)
    if isinstance(value, str):
        return str in (form if isinstance(form, tuple) else (form,)) and has_text_name(value)
    return isinstance(value, form) and not isinstance(value, bool) and (value is None or abs(value) < _HIGHEST)


def is_done(record: Record, entry: Entry, settings: Settings) -> bool:
    """Whether the case was segmented from the same files, in the same way, and its results are still there."""
    return (
        record.get("state") == DONE
        and is_whole(record)
        and record["fingerprint"] == entry.fingerprint
        and record.get("made_with") == settings.made_with
        and all(os.path.exists(settings.case_folder(entry) / name) for name in record["outputs"])
    )
