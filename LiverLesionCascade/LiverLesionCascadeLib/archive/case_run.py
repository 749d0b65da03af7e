"""One case in a worker process, which loads the bundle once and keeps it on its device."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import warnings
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..engine.errors import BundleError, CascadeError, OutputError, is_out_of_memory
from ..engine.files import write_atomically
from ..engine.model.bundle import ModelBundle
from ..outputs.output_folder import OutputFolder
from ..outputs.result_files import OUTPUT_FILES, summary, write_outputs
from .dicom_folder import dicom_files
from .doubts import doubts
from .entries import Entry
from .records import DONE, FAILED, Record, Settings, model_identity, new_record

if TYPE_CHECKING:
    from ..engine.results.result import SegmentationResult
    from ..engine.scan.ct_volume import CTVolume
    from ..engine.segmenter import Segmenter

#: A case that has ended this many worker processes is not tried again in the run.
MAX_ATTEMPTS = 3
PICTURE_FILE = "key-image.jpg"
_PICTURE_PIXELS = 360

#: A worker may have several threads; its device and its memory are for one case at a time.
ONE_AT_A_TIME = threading.Lock()


def run_case(entry: Entry, settings: Settings) -> Record:
    """Segments the case and puts its files into place; whatever goes wrong with it is in the record that it returns."""
    with ONE_AT_A_TIME:
        return _run_case(entry, settings)


def _run_case(entry: Entry, settings: Settings) -> Record:
    attempts = attempts_of(entry, settings)
    if len(attempts) >= MAX_ATTEMPTS:
        return crashed(entry, settings, attempts)
    started = time.perf_counter()
    try:
        if not os.path.isdir(settings.attempts_file(entry).parent):
            where = f"{settings.output} is not there on {socket.gethostname()}"
            raise OutputError(f"{where}: choose a folder that the workers' computers have under the same path")
        _note_attempt(entry, settings, attempts)
        state, values = DONE, _segment(entry, settings)
    except CascadeError as error:
        state, values = FAILED, {"error": " ".join(str(error).split())}
    # One case must never end the run, whatever a library raises for it.
    except Exception as error:  # noqa: BLE001
        reason = f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        if is_out_of_memory(error):
            reason = "The worker has too little memory for this scan."
        else:
            _leave_broken_device(entry, settings, attempts, reason)
        state, values = FAILED, {"error": reason}
    return new_record(entry, settings, state, **values, seconds=time.perf_counter() - started, finished=_now())


def attempts_of(entry: Entry, settings: Settings) -> list[dict[str, Any]]:
    """Every time that a worker began the case in this run: host, pid, and the error where it could still say one."""
    try:
        attempts = json.loads(settings.attempts_file(entry).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [each for each in attempts if isinstance(each, dict) and "pid" in each] if isinstance(attempts, list) else []


def crashed(entry: Entry, settings: Settings, attempts: list[dict[str, Any]], why: str = "") -> Record:
    """The record of a case whose worker did not outlive it."""
    said = [each["error"] for each in attempts if each.get("error")]
    why = said[-1] if said else why or "it was killed or crashed, as when a computer runs out of memory"
    error = f"The worker process ended {len(attempts)} times at this case: {why}."
    return new_record(entry, settings, FAILED, error=error, finished=_now())


@lru_cache(maxsize=1)
def segmenter_of_process(bundle: str | None, model: str, device: str) -> Segmenter:
    """The bundle in the memory of this process, loaded once.

    Raises:
        BundleError: If it cannot be used, or is not the model that the run was started with.
        DeviceError: If the device cannot be used.
    """
    from ..engine.segmenter import Segmenter

    loaded = ModelBundle.of(bundle)
    if model_identity(loaded) != model:
        raise BundleError(f"The bundle {bundle} has changed since the run was started: start it again")
    return Segmenter(loaded, _own_device(device))


def _segmenter_of(settings: Settings) -> Segmenter:
    return segmenter_of_process(settings.options.bundle, settings.model, settings.options.device)


def _own_device(device: str) -> str:
    """With several GPUs, each of this computer's workers takes its own."""
    import torch

    worker = sys.modules.get("distributed.worker")
    if device != "auto" or worker is None or torch.cuda.device_count() < 2:
        return device
    try:
        name = str(worker.get_worker().name)
    except ValueError:  # not in a worker
        return device
    # Only a cluster of our own numbers its workers; elsewhere whoever starts them says which GPU they see.
    return f"cuda:{int(name) % torch.cuda.device_count()}" if name.isdecimal() else device


def _segment(entry: Entry, settings: Settings) -> dict[str, Any]:
    files = (*OUTPUT_FILES, PICTURE_FILE)
    with warnings.catch_warnings(), OutputFolder(settings.case_folder(entry), files, force=True) as output:
        warnings.simplefilter("ignore")
        begun = time.perf_counter()
        ct = _read(entry)
        reading = time.perf_counter() - begun
        result = _segmenter_of(settings).segment(ct, settings.options.resolved_preset())
        result.timings = {"reading": reading, **result.timings}
        write_outputs(
            ct, result, output.staging, entry.source, settings.options.keep_probabilities, report=settings.report
        )
        (output.staging / PICTURE_FILE).write_bytes(_picture(ct, result))
        # From here on the earlier record is no longer of the files: a run that ends now must not leave it behind.
        settings.record_file(entry).unlink(missing_ok=True)
        written = output.commit()
    values = summary(ct, result, [], written)
    values |= {"outputs": [path.name for path in written], "doubts": doubts(result)}
    return {key: value for key, value in values.items() if key not in ("status", "version", "input")}


def _read(entry: Entry) -> CTVolume:
    import SimpleITK

    from ..engine.scan.dicom.dicom_io import read_dicom_files
    from ..engine.scan.image_io import read_input

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    files = dicom_files(entry.paths) if os.path.isdir(entry.paths[0]) else []
    if not files:
        return read_input(entry.paths, entry.series)
    ct = read_dicom_files(files, entry.series)
    ct.require_ct_like()
    return ct


def _picture(ct: CTVolume, result: SegmentationResult) -> bytes:
    from ..engine.progress import finish
    from ..engine.reports.key_images import encode_jpeg, key_image_steps

    return encode_jpeg(finish(key_image_steps(ct, result, limit=1, size=_PICTURE_PIXELS))[0].pixels)


def _note_attempt(entry: Entry, settings: Settings, earlier: list[dict[str, Any]], **values: str) -> None:
    attempts = [*earlier, {"host": socket.gethostname(), "pid": os.getpid(), **values}]
    write_atomically(settings.attempts_file(entry), json.dumps(attempts).encode())


def _leave_broken_device(entry: Entry, settings: Settings, earlier: list[dict[str, Any]], reason: str) -> None:
    """Some errors of a GPU stay with the process: it ends then, so that its next cases get one that works."""
    if segmenter_of_process.cache_info().currsize == 0 or "distributed.worker" not in sys.modules:
        return
    from ..engine.model.device import device_problem

    if device_problem(str(_segmenter_of(settings).device)):
        _note_attempt(entry, settings, earlier, error=reason)
        os._exit(1)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
