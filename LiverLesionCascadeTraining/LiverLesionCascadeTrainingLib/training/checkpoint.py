"""Checkpoints: written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError, OutputError, reason
from LiverLesionCascadeLib.engine.model.tensor_file import read_tensors
from torch import nn

LAST, BEST = "last.pt", "best.pt"


class TrainingError(CascadeError):
    """Training cannot go on; the last good checkpoint is kept."""


class UnwritableError(TrainingError, OutputError):
    """What a training has to keep cannot be written."""


class DamagedError(TrainingError, InputError):
    """A checkpoint cannot be used."""


def save_atomically(state: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint beside its place and renames it, so that neither a kill nor a full disk leaves half a file.

    Raises:
        TrainingError: If it cannot be written; the checkpoint that was there is kept.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            # On the disk before it takes the old one's place: a power failure must not leave an empty file.
            os.fsync(file.fileno())
        os.replace(partial, path)
    # torch's writer turns an error of the disk into a RuntimeError of its own.
    except (OSError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise UnwritableError(
            f"The checkpoint {path} cannot be written ({why}): the one before is kept. "
            "Free disk space, then give the same command again"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Raises TrainingError, with the remedy, for what goes wrong with a checkpoint's content meanwhile."""
    try:
        yield
    except OSError as error:
        raise DamagedError(
            f"The checkpoint {path} cannot be read ({reason(error)}): check the disk and its rights"
        ) from error
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise DamagedError(
            f"The checkpoint {path} is damaged or of another version ({why}): delete it, and the same command "
            "trains that job again from its start"
        ) from error


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Reads a checkpoint; only tensors and plain values are ever unpickled. Raises TrainingError."""
    with usable(path):
        state = read_tensors(path, device)
        if not isinstance(state, dict):
            raise TypeError("it holds no state")
        return state


def steps_done(folder: Path) -> int:
    """How many steps the network of a job's folder was trained; 0 without a checkpoint. Raises TrainingError."""
    path = folder / LAST
    if not path.is_file():
        return 0
    state = load_checkpoint(path, torch.device("cpu"))
    with usable(path):
        return int(state["step"])


def load_finished(network: nn.Module, folder: Path, steps: int, remedy: str) -> None:
    """Gives a network the weights of a job that was trained to its end.

    Args:
        folder: The job's, named like the job.
        steps: How many steps its training has.
        remedy: What to do where it has not finished, for the message.

    Raises:
        TrainingError: If it has not, or its checkpoint cannot be used.
    """
    path = folder / LAST
    state: dict[str, Any] = load_checkpoint(path, torch.device("cpu")) if path.is_file() else {"step": 0}
    with usable(path):
        if int(state["step"]) < steps:
            raise TrainingError(f"Job {folder.name} has not finished: {remedy}")
        network.load_state_dict(state["average"])
