"""What is done while files fail: each lays out a folder, works in it, and says whether all is whole afterwards."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pydicom
import SimpleITK as sitk
import torch
from fakes.archive_tasks import Here, run_archive
from fakes.worker_loop import EventLoop
from fixtures.dicom_files import write_series
from fixtures.lits_phantoms import phantom_case, write_case
from fixtures.phantom import PhantomSegmenter, phantom_image
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.archive.records import DONE
from LiverLesionCascadeLib.archive.summary import write_summary
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.errors import CascadeError
from LiverLesionCascadeLib.engine.files import writing_to
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.engine.scan.stored_voxels import check_stored_voxels
from LiverLesionCascadeLib.worker.client import WorkerClient
from LiverLesionCascadeLib.worker.process import ProcessEvents
from LiverLesionCascadeLib.worker.protocol import VERSION, Hello, LineReader, StartRun, decode, encode
from LiverLesionCascadeLib.worker.server import Server
from LiverLesionCascadeLib.worker.submitted_run import RunHandlers, VolumeData
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.bundles.export import default_card, export_bundle
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.checkpoint import LAST, load_checkpoint

CPU = torch.device("cpu")
OLD = b"old"
RESULT = {"segmentation.seg.nrrd", "lesions.csv", "report.html"}
OBJECTS = {"segmentation.seg.dcm", "lesions.sr.dcm"}
#: The earlier result that is replaced.
OLD_RESULT = RESULT | {"liver-probability.nrrd"}


def small_scan(path: Path, number: int = 0) -> None:
    """Every second voxel of the phantom. ``number``: in its header, so that no two are copies of one another."""
    image = sitk.Shrink(phantom_image(), (2, 2, 2))
    image.SetOrigin((float(number), 0.0, 500.0))
    sitk.WriteImage(image, str(path))


class Scenario(ABC):
    """Something that is done with files."""

    name: str

    def prepare(self, place: Path) -> None:  # noqa: B027
        """Lays out what it works on, if anything; files do not fail."""

    @abstractmethod
    def act(self, place: Path) -> str | None:
        """Works; the error's line, or None where all went well. Whatever else is raised is a finding."""

    @abstractmethod
    def broken(self, place: Path) -> str | None:
        """What a process that is killed may not leave either: a result that is neither the old nor the new one.

        What lies hidden beside it does not count: the next run tidies.
        """

    @abstractmethod
    def wrong(self, place: Path, done: bool) -> str | None:
        """What is broken, or left behind, or missing. ``done``: the result has to be the new one."""


def command(*words: object) -> str | None:
    """The line that a command ends with; raises where it is no error for people."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main([str(word) for word in words], PhantomSegmenter())
    lines = [line for line in said.getvalue().splitlines() if line.startswith("error: ")]
    if code == 0:
        return None
    if code == 1 or len(lines) != 1:
        raise AssertionError(f"exit code {code}: {said.getvalue()[-300:]}")
    return lines[0].removeprefix("error: ")


class Segment(Scenario):
    """A scan into a new folder, or over an earlier result."""

    def __init__(self, name: str, replaces: bool = False, dicom: bool = False) -> None:
        self.name, self._replaces, self._dicom = name, replaces, dicom

    def prepare(self, place: Path) -> None:
        if self._dicom:
            hu = (sitk.GetArrayFromImage(sitk.Shrink(phantom_image(), (2, 2, 1))) + 1024).clip(0).astype(np.uint16)
            write_series(place / "in", hu)
        else:
            (place / "in").mkdir()
            small_scan(place / "in" / "a.nii")
        if self._replaces:
            (place / "out").mkdir()
            for name in sorted(OLD_RESULT):
                (place / "out" / name).write_bytes(OLD)

    def act(self, place: Path) -> str | None:
        scan = place / "in" if self._dicom else place / "in" / "a.nii"
        more = (["--force"] if self._replaces or self._dicom else []) + (["--dicom"] if self._dicom else [])
        return command("segment", scan, "-o", place / "out", "-q", *more)

    def broken(self, place: Path) -> str | None:
        """A result is moved into place file by file: killed then, it lacks files until the next run."""
        out = place / "out"
        files = [path for path in out.rglob("*") if path.is_file()]
        old = [path for path in files if path.read_bytes() == OLD]
        new = sorted(path.name for path in out.glob("[!.]*") if path not in old)
        for name in new:
            require_whole(out / name)
        left = sorted(path.name for path in old if path.parent == out)
        if new and left:
            return f"a mix: old {left}, new {new}"
        # Hidden ones come back.
        lost = self._replaces and not RESULT <= set(new) and {path.name for path in old} != OLD_RESULT
        return "of the old result files are lost" if lost else None

    def wrong(self, place: Path, done: bool) -> str | None:
        if broken := self.broken(place):
            return broken
        out = place / "out"
        hidden = sorted(path.name for path in out.glob(".*"))
        # What could not be removed is removed by the next run.
        if done and hidden:
            return f"left behind: {hidden}"
        there = {path.name for path in out.glob("[!.]*")}
        if not done and all((out / name).read_bytes() == OLD for name in there):
            return "the old result is not whole" if self._replaces and there != OLD_RESULT else None
        # What can have no DICOM objects keeps its other results, and says so.
        expected = RESULT | (OBJECTS if self._dicom and (done or there & OBJECTS) else set())
        missing = sorted(expected - there)
        return f"of the new result {missing} are missing" if missing else None


def require_whole(path: Path) -> None:
    """Raises where a file of a result with two lesions ends too early or holds something else."""
    content = path.read_bytes()
    if path.name.endswith(".nrrd"):
        whole = read_labels_of(path) > 100
    elif path.suffix == ".dcm":
        # A reader complains of no cut: what it read is not all that the lengths in the file promise.
        read, again = pydicom.dcmread(path), io.BytesIO()
        read.save_as(again)
        whole = again.getvalue() == content and ("PixelData" in read or "ContentSequence" in read)
    elif path.suffix == ".csv":
        whole = content.endswith(b"\n") and content.count(b"\n") == 3
    elif path.suffix == ".jpg":
        whole = content.endswith(b"\xff\xd9")
    else:
        whole = content.rstrip().endswith(b"</html>")
    assert whole, f"{path.name} is not whole"


def read_labels_of(path: Path) -> int:
    """Voxels of an image file that are not zero; raises where it is damaged."""
    check_stored_voxels(path)
    return int(np.count_nonzero(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))))


class Archive(Scenario):
    """Two scans; their records, tables and summary."""

    name = "archive"

    def prepare(self, place: Path) -> None:
        (place / "in").mkdir()
        for number, name in enumerate(("a", "b")):
            small_scan(place / "in" / f"{name}.nii", number)

    def act(self, place: Path) -> str | None:
        try:
            with contextlib.redirect_stderr(io.StringIO()), writing_to(place / "out"):
                outcome = run_archive(place / "in", place / "out", Here(), report="light")
                write_summary(outcome.records, place / "out")
        except CascadeError as error:
            return str(error)
        failed = [record["error"] for record in outcome.records if record["state"] != DONE]
        return failed[0] if failed else None

    def broken(self, place: Path) -> str | None:
        for record in self._records(place):
            folder = place / "out" / "cases" / record["name"]
            for name in record["outputs"] if record["state"] == DONE else ():
                if not (folder / name).is_file():
                    return f"{record['name']} is recorded as done and lacks {name}"
                require_whole(folder / name)
        for path in (place / "out").glob("*.html"):
            require_whole(path)
        for path in (place / "out").glob("[!.]*.parquet"):
            parquet.read_table(path)
        return None

    def wrong(self, place: Path, done: bool) -> str | None:
        if broken := self.broken(place):
            return broken
        if not done:
            return None
        finished = [record["name"] for record in self._records(place) if record["state"] == DONE]
        left = [path for path in (place / "out").rglob(".*") if path.name != ".lock"]
        whole = len(finished) == 2 and not left and (place / "out" / "summary.html").is_file()
        return None if whole else f"{len(finished)} cases are done, left behind: {left}"

    def _records(self, place: Path) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in (place / "out" / "records").glob("[!.]*.json")]


class Train(Scenario):
    """Slices, one job of the training, its log and checkpoints."""

    name = "train"

    def prepare(self, place: Path) -> None:
        for seed, split in ((1, "train"), (2, "train"), (3, "val")):
            write_case(place / split, str(seed), *phantom_case(seed, slices=4, side=24))

    def act(self, place: Path) -> str | None:
        recipes.RECIPES["compact"] = tiny_recipe(1)
        sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]
        cases = (place / "train", "--validation", place / "val")
        jobs = ("--job", "prepare", "--job", "liver")
        return command("train", *cases, "-o", place / "run", "--device", "cpu", "--threads", "1", *jobs)

    def broken(self, place: Path) -> str | None:
        last = place / "run" / "liver" / LAST
        other = last.exists() and load_checkpoint(last, CPU)["step"] != 1
        return "the checkpoint is of another step" if other else None

    def wrong(self, place: Path, done: bool) -> str | None:
        if broken := self.broken(place):
            return broken
        left = [path.name for path in (place / "run").rglob("*") if ".partial" in path.name or ".writing" in path.name]
        if left:
            return f"left behind: {left}"
        job = place / "run" / "liver"
        if done and not ((job / LAST).exists() and (job / "log.csv").stat().st_size > 100):
            return "no checkpoint or log"
        return None


class Export(Scenario):
    """A bundle over an earlier one: it loads at every moment, as the one or the other."""

    name = "export"

    def __init__(self, run: Path) -> None:
        self._run = run

    def prepare(self, place: Path) -> None:
        for name in ("run", "train", "val", "bundle"):
            shutil.copytree(self._run / name, place / name)

    def act(self, place: Path) -> str | None:
        try:
            export(place, "2.0.0")
        except CascadeError as error:
            return str(error)
        return None

    def broken(self, place: Path) -> str | None:
        ModelBundle.load(place / "bundle").networks(CPU)
        return None

    def wrong(self, place: Path, done: bool) -> str | None:
        if broken := self.broken(place):
            return broken
        left = [path.name for path in (place / "bundle").iterdir() if path.name.startswith(".")]
        if left:
            return f"left behind: {left}"
        version = ModelBundle.load(place / "bundle").version
        return f"version {version}" if done and version != "2.0.0" else None


def export(place: Path, version: str) -> None:
    cases = find_splits([place / "train"], [place / "val"])
    training = CascadeTraining(place / "run", tiny_recipe(1), cases, CPU, lambda line: None)
    export_bundle(training, place / "bundle", default_card("compact") | {"version": version}, "lesion-image")


def trained_run(place: Path) -> Path:
    """A finished training and its bundle, with its cases."""
    for seed, split in ((1, "train"), (2, "train"), (3, "val")):
        write_case(place / split, str(seed), *phantom_case(seed, slices=4, side=24))
    cases = find_splits([place / "train"], [place / "val"])
    training = CascadeTraining(place / "run", tiny_recipe(1), cases, CPU, lambda line: None)
    training.prepare()
    for job in ("liver", "lesion-image"):
        training.run(job)
    export(place, "1.0.0")
    return place


class Exchange(Scenario):
    """A run through the worker's client and its server, on files; the server computes in this process."""

    name = "worker's exchange"

    def act(self, place: Path) -> str | None:
        loop, told = EventLoop(), []
        client = WorkerClient(lambda events: _ServerHere(loop, events), loop.call_later, place / "temporary")
        hu = sitk.GetArrayFromImage(sitk.Shrink(phantom_image(), (2, 2, 2)))
        handlers = RunHandlers(
            lambda *progress: None,
            lambda result: told.append(None),
            lambda failure: told.append(failure),
            lambda: told.append("cancelled"),
        )
        client.submit(VolumeData(hu, np.diag([2.0, 2.0, 3.0, 1.0]), "CT"), RunOptions(), handlers)
        loop.run_pending()
        client.close()
        assert len(told) == 1, f"told {told}"
        if told[0] is None:
            return None
        assert told[0].kind == "disk", f"{told[0].kind}: {told[0].message} {told[0].details[-300:]}"
        return str(told[0].message)

    def broken(self, place: Path) -> str | None:
        """The result is in the scene alone."""
        return None

    def wrong(self, place: Path, done: bool) -> str | None:
        left = [str(path) for path in place.rglob("*") if path.name != "temporary"]
        return f"left behind: {left}" if left else None


class _ServerHere:
    """A worker process that is this one."""

    pid = 1

    def __init__(self, loop: EventLoop, events: ProcessEvents) -> None:
        self._loop, self._events = loop, events
        self._lines = LineReader()
        self._server = Server(io.BytesIO(), io.BytesIO())
        self._server._models.get = lambda options: (PhantomSegmenter(), [])  # type: ignore[assignment,return-value]

    def start(self) -> None:
        hello = encode(Hello(VERSION, "", (), ""))
        self._loop.post(lambda: self._events.on_output(hello))

    def write(self, data: bytes) -> None:
        for line in self._lines.lines(data):
            message = decode(line)
            assert isinstance(message, StartRun)
            reply = encode(self._server._answer(message))
            self._loop.post(lambda reply=reply: self._events.on_output(reply))  # type: ignore[misc]

    def kill(self) -> None:
        self._loop.post(lambda: self._events.on_ended(9, True))

    def wait(self, seconds: float) -> None: ...


def scenarios(run: Path) -> list[Callable[[], Scenario]]:
    """``run``: a folder that ``trained_run`` filled."""
    return [
        lambda: Segment("segment"),
        lambda: Segment("segment over an earlier result", replaces=True),
        lambda: Segment("segment with DICOM objects", dicom=True),
        Archive,
        Train,
        lambda: Export(run),
        Exchange,
    ]
