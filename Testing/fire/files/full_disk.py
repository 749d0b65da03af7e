"""A disk that is really full: a small one in memory, with little space left. It needs Linux and the right to mount."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..guard import Finding, findings_of
from .faults import judged
from .scenarios import Scenario

#: Space that is left, in parts of what is needed.
LEFT = tuple(tenths / 10 for tenths in range(12))
NO_DISKS = "SKIPPED: full disks, as nothing can be mounted here"
_DISK_BYTES = 256 << 20
_ALONE = "LIVER_LESION_CASCADE_ALONE"


def restart_where_disks_can_be_made() -> None:
    """Starts this program again with mounts of its own, which end with it; where that is not possible, it goes on."""
    if _ALONE in os.environ:
        return
    os.environ[_ALONE] = "0"
    for words in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        if subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
            os.environ[_ALONE] = "1"
            sys.exit(subprocess.run([*words, sys.executable, "-m", "fire", *sys.argv[1:]]).returncode)


def disks_can_be_made() -> bool:
    """Whether this program has mounts of its own; says so where it has not."""
    if os.environ.get(_ALONE) == "1":
        return True
    print(NO_DISKS, file=sys.stderr, flush=True)
    return False


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A new folder with a disk of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


@contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Meanwhile no more than so many bytes are free on it."""
    filler = disk / "filler"
    try:
        with open(filler, "wb") as file:
            while (size := free(disk) - left) > 0:
                with suppress(OSError):  # what runs there took some of it meanwhile
                    os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size + size)
        yield
    finally:
        filler.unlink()


def free(disk: Path) -> int:
    """Bytes."""
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


class OnFullDisk:
    """The task of a scenario: so much space is left as ``LEFT`` says by its number."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._needed = 0

    def __call__(self, number: int, place: Path) -> str | None:
        logging.disable(logging.CRITICAL)
        with small_disk(place / "disk") as disk:
            self._needed = self._needed or self._measured(disk)
            folder = disk / "work"
            folder.mkdir()
            self._scenario.prepare(folder)
            left = round(LEFT[number] * self._needed)
            return judged(self._scenario, folder, filled(disk, left), lambda: f"{left} of {self._needed} bytes left")

    def _measured(self, disk: Path) -> int:
        folder = disk / "needed"
        folder.mkdir()
        self._scenario.prepare(folder)
        before = free(disk)
        said = self._scenario.act(folder)
        assert said is None, said
        return before - free(disk)


def full_disks(scenario: Scenario, share: float) -> tuple[int, list[Finding]]:
    """How often it ran on a full disk, and what went wrong."""
    numbers = range(0, len(LEFT), max(1, round(1 / share) if share < 1 else 1))
    return len(numbers), findings_of(OnFullDisk(scenario), numbers, memory=None, seconds=120)
