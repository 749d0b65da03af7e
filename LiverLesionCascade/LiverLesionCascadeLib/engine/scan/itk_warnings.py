"""Warnings of ITK's readers, read instead of printed: some say that what was read is not what the file meant."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def itk_warnings() -> Iterator[list[str]]:
    """What ITK warns of meanwhile, one sentence each, without its own file names and addresses."""
    import SimpleITK as sitk

    texts: list[str] = []

    class Logger(sitk.LoggerBase):
        def DisplayWarningText(self, text: str) -> None:
            line = " ".join(re.sub(r"^WARNING: In \S+, line \d+\s+\S+ \(0x[0-9a-f]+\): ", "", text.strip()).split())
            if line not in texts:
                texts.append(line)

        DisplayGenericOutputText = DisplayWarningText

        def DisplayText(self, text: str) -> None:
            """Not a warning."""

        DisplayErrorText = DisplayDebugText = DisplayText

    logger = Logger()
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    before = logger.SetAsGlobalITKLogger()
    sitk.ProcessObject.SetGlobalWarningDisplay(True)
    try:
        yield texts
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
        before.SetAsGlobalITKLogger()


@contextmanager
def prints_logged() -> Iterator[None]:
    """What C++ prints on standard error meanwhile goes to the log: ITK's libraries for NIfTI and MHA, and
    VTK, print about each thing that they dislike, where the error that is raised says what is wrong and what to do."""
    with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # closed
        yield
        return
    with tempfile.TemporaryFile() as prints:
        os.dup2(prints.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            prints.seek(0)
            for line in prints.read().decode("utf-8", errors="replace").splitlines():
                logging.debug("Printed: %s", line)
