"""A command that runs beside Slicer and ends with it: its output is read when it is there, nothing waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .training_process import own_group


class BackgroundCommand:
    """Starts at once; ask :meth:`ended` from a timer.

    Args:
        command: Program and arguments.

    Raises:
        OSError: If the program cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="liver-lesion-cascade-")
        self._output, self._errors = (Path(self._folder.name) / name for name in ("output", "errors"))
        try:
            with self._output.open("wb") as output, self._errors.open("wb") as errors:
                # PythonSlicer is a launcher: the program is its child, so both are to be ended together.
                self._process = subprocess.Popen(
                    list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=errors, **own_group()
                )
        except OSError:
            self._folder.cleanup()
            raise

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def succeeded(self) -> bool:
        return self._process.poll() == 0

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return _text(self._output)

    @property
    def error(self) -> str:
        """Why it failed: the last line it wrote on standard error, without the word ``error``."""
        lines = [line for line in _text(self._errors).splitlines() if line.strip()]
        return lines[-1].strip().removeprefix("error: ") if lines else ""

    def close(self) -> None:
        """Ends it if it still runs, and removes its files. To be called once nothing more is asked of it."""
        if not self.ended:
            self._end_group()
        self._process.wait()
        self._folder.cleanup()

    def _end_group(self) -> None:
        pid = self._process.pid
        if sys.platform == "win32":
            subprocess.run(
                ["taskkill", "/T", "/F", "/PID", str(pid)],  # noqa: S607 - Windows has it where it looks for programs
                check=False,
                capture_output=True,
                creationflags=subprocess.CREATE_NO_WINDOW,
            )
        else:
            os.killpg(pid, signal.SIGKILL)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
