"""Readers of what the product itself writes: bundles, messages of the worker and its files, records, lists of scans."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import queue
import tempfile
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import torch
from fakes.archive_tasks import Here, run_archive
from fixtures.phantom import write_phantom
from fixtures.small_bundle import write_tiny_bundle
from LiverLesionCascadeLib.archive.discovery import find_entries
from LiverLesionCascadeLib.archive.summary import write_summary
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.measures.lesions import label_lesions, measure_lesions
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.worker.connection import Connection
from LiverLesionCascadeLib.worker.devices import DeviceInfo
from LiverLesionCascadeLib.worker.exchange_folder import read_volume, write_volume
from LiverLesionCascadeLib.worker.process import ProcessEvents
from LiverLesionCascadeLib.worker.protocol import (
    VERSION,
    Hello,
    RunFailed,
    RunFinished,
    RunProgress,
    StartRun,
    encode,
)
from LiverLesionCascadeLib.worker.server import Server
from LiverLesionCascadeLib.worker.submitted_run import VolumeData

from .fuzzing import Files, Reader
from .scan_readers import HU, files_of


def _bundle() -> Files:
    with tempfile.TemporaryDirectory() as folder:
        return files_of(write_tiny_bundle(Path(folder), lesion_filter={
            "intercept": -1.0, "log_odds": 2.0, "reject_below": 0.2,
        }))  # fmt: skip


def bundle_metadata() -> Reader:
    def read(folder: Path) -> tuple[Hashable, bool]:
        bundle = ModelBundle.load(folder)
        _ = bundle.name, bundle.version, bundle.settings.metadata(), bundle.settings.lesion_pass.shift_hu(100.0)
        return 0, False

    return Reader("metadata.json of bundles", [_bundle()], read)


def bundle_weights() -> Reader:
    """With a checksum in the metadata that is right again: a bundle that somebody made so."""
    files = _bundle()

    def read(folder: Path) -> tuple[Hashable, bool]:
        digest = hashlib.sha256((folder / "weights.pt").read_bytes()).hexdigest()
        metadata = json.loads(files["metadata.json"])
        metadata["weights"]["sha256"] = digest
        (folder / "metadata.json").write_text(json.dumps(metadata))
        try:
            ModelBundle.load(folder).networks(torch.device("cpu"))
        finally:
            (folder / "metadata.json").unlink()
        return 0, False

    return Reader("weights of bundles", [{"weights.pt": files["weights.pt"]}], read)


class _SilentProcess:
    pid = 0

    def __init__(self, events: ProcessEvents) -> None:
        self.events = events

    def start(self) -> None: ...
    def write(self, data: bytes) -> None: ...
    def kill(self) -> None: ...
    def wait(self, seconds: float) -> None: ...


def messages_to_client() -> Reader:
    """Whatever a worker says, every message that comes out of it can be shown."""
    device = DeviceInfo("cpu", "CPU", True)
    said = [
        Hello(VERSION, "", (device,), ""), RunProgress(1, 0.5, "Liver", 3.5), RunFinished(1),
        RunFailed(1, "memory", "No memory.", "details"),
    ]  # fmt: skip
    seeds = [{"said.json": encode(message).strip()} for message in said]
    seeds += [{"said.bin": b"noise" + b"".join(map(encode, said)) + b"more \xff noise\r\n"}]

    def read(folder: Path) -> tuple[Hashable, bool]:
        told: list[object] = []
        processes: list[_SilentProcess] = []

        def make(events: ProcessEvents) -> _SilentProcess:
            processes.append(_SilentProcess(events))
            return processes[-1]

        Connection(make, told.append, told.append)
        data = next(folder.iterdir()).read_bytes() + b"\n"
        processes[0].events.on_output(data[: len(data) // 3])
        processes[0].events.on_output(data[len(data) // 3 :])
        processes[0].events.on_error_output(data)
        processes[0].events.on_ended(1, False)
        assert told and told[-1] is None or told[-1].message, "the end was not told"  # type: ignore[attr-defined]
        for message in told[:-1]:
            if isinstance(message, RunProgress):
                f"{message.run:d} {100 * message.fraction:.0f} % {message.stage.upper()}"
                assert message.seconds_left is None or int(message.seconds_left) >= 0
            elif isinstance(message, RunFailed):
                assert message.kind.islower() and isinstance(message.message + message.details, str)
            elif isinstance(message, Hello):
                assert all(each.id + each.name is not None for each in message.devices)
        return 0, False

    return Reader("messages to the client", seeds, read)


def messages_to_worker() -> Reader:
    """Whatever a client says, the worker goes on, and every run that it was asked for is answered."""
    seeds = [{"asked.json": encode(StartRun(1, "/nowhere/run-1")).strip()}]
    seeds += [{"asked.bin": b"noise" + b"".join(encode(StartRun(n, "/nowhere/run-1")) for n in (1, 2)) + b"\xff\r"}]

    def read(folder: Path) -> tuple[Hashable, bool]:
        replies = io.BytesIO()
        server = Server(io.BytesIO(next(folder.iterdir()).read_bytes() + b"\n"), replies)
        server._leave = lambda: None  # type: ignore[method-assign]  # the client is gone: ends the process
        server._read_requests()
        asked = 0
        while True:
            try:
                request = server._waiting.get_nowait()
            except queue.Empty:
                break
            asked += 1
            server.send(server._answer(request))
        assert replies.getvalue().count(b"RunFailed") == asked, f"{asked} runs, not as many answers"
        return 0, False

    logging.disable(logging.CRITICAL)
    return Reader("messages to the worker", seeds, read)


def exchanged_volumes() -> Reader:
    with tempfile.TemporaryDirectory() as folder:
        volume = VolumeData(HU, np.diag([0.8, 0.7, 2.0, 1.0]), "CT", Boxed(np.ones((2, 3, 4), np.uint8), (1, 2, 3)))
        for _ in write_volume(Path(folder) / "run", volume, RunOptions()):
            pass
        files = files_of(Path(folder) / "run")

    def read(place: Path) -> tuple[Hashable, bool]:
        try:
            volume, options = read_volume(place)
        except (OSError, ValueError):  # the worker tells that the folder cannot be used
            return 0, True
        CTVolume.from_array(volume.array, volume.ijk_to_lps, volume.name).require_ct_like()
        options.resolved_preset()
        return 0, False

    return Reader("volumes for the worker", [files], read)


def exchanged_results() -> Reader:
    lesions = label_lesions(HU > 90)
    with tempfile.TemporaryDirectory() as folder:
        ct = CTVolume.from_array(HU, np.diag([0.8, 0.7, 2.0, 1.0]), "CT")
        result = SegmentationResult.of(
            ct, HU > 0, lesions, table=measure_lesions(lesions, HU, ct.geometry)[:2], bundle_name="b",
            bundle_version="1", preset="fast", device="cpu", findings=ct.check(),
        )  # fmt: skip
        result.write(Path(folder))
        files = files_of(Path(folder))

    def read(place: Path) -> tuple[Hashable, bool]:
        try:
            found = SegmentationResult.read(place)
        except (OSError, ValueError):  # the client tells that the folder cannot be used
            return 0, True
        found.liver.full(found.grid.shape)
        found.lesions.full(found.grid.shape)
        for lesion in found.table:
            f"{lesion.volume_ml:.1f} {lesion.long_axis_mm:.1f} {lesion.number:d}"
        return 0, False

    return Reader("results of the worker", [files], read)


def lists_of_scans() -> Reader:
    scan = b"its content is read later"
    seeds = [
        {"list.csv": b'path,series\na.nii.gz,\nb.nii.gz,1.2.3\n"c d.nii.gz",\n', "a.nii.gz": scan},
        {"list.csv": "\ufeffpath;series\r\na.nii.gz;\r\nä.nii.gz;1.2\r\n".encode(), "a.nii.gz": scan},
    ]

    def read(folder: Path) -> tuple[Hashable, bool]:
        for entry in find_entries(folder / "list.csv"):
            assert entry.name and Path(entry.name).name == entry.name and (entry.problem is None or entry.problem)
        return 0, False

    return Reader("CSV lists of archives", seeds, read)


def archive_records() -> Reader:
    """A run that goes on with the records of an earlier one: what it cannot use is done again."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        write_phantom(Path(folder) / "in" / "a.nii.gz")
        run_archive(Path(folder) / "in", Path(folder) / "out", Here(), report="light")
        record = next((Path(folder) / "out" / "records").iterdir())
        files = {"record.json": record.read_bytes()}

    def read(place: Path) -> tuple[Hashable, bool]:
        from LiverLesionCascadeLib.archive.records import DONE, is_whole, read_record
        from LiverLesionCascadeLib.archive.tables import write_tables

        (place / "records").mkdir(exist_ok=True)
        (place / "record.json").rename(place / "records" / "record.json")
        try:
            found = read_record("record", place)
            if found is not None and found.get("state") == DONE and is_whole(found):
                record = found | {"name": "record"}
                write_tables([record], place)
                write_summary([record], place)
        finally:
            (place / "records" / "record.json").rename(place / "record.json")
            for made in ("cases.parquet", "lesions.parquet", "summary.html"):
                (place / made).unlink(missing_ok=True)
            (place / "records").rmdir()
        return 0, False

    return Reader("records of archives", [files], read)
