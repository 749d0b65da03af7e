"""One worker process as seen from the client: messages instead of bytes, and why it ended in plain words."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable

from .process import ProcessEvents, ProcessFactory
from .protocol import VERSION, Hello, LineReader, Message, decode, encode
from .submitted_run import MEMORY_REMEDY, RunFailure

#: How many of the worker's last other lines are told with a failure.
_LOG_LINES = 100
#: The signal by which Unix systems end a process when memory runs out.
_KILLED = 9
#: PythonSlicer is a launcher: what it says, before it ends with code 1, where the Python that it started was ended.
_LAUNCHER_REPORT = "exit abnormally"


class Connection:
    """A worker process that is started here, until its end.

    Args:
        on_message: Gets each of its messages, its hello only where the worker can be used.
        on_ended: Told once why it ended; None where it ended itself: idle for long, or with its GPU lost.

    Attributes:
        ready: Whether it has said hello and takes runs.
        log: The last lines that were no messages.
    """

    def __init__(
        self,
        make_process: ProcessFactory,
        on_message: Callable[[Message], None],
        on_ended: Callable[[RunFailure | None], None],
    ) -> None:
        self.ready = False
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self._on_message = on_message
        self._on_ended = on_ended
        self._problem: RunFailure | None = None
        self._closed = False
        self._output, self._errors = LineReader(), LineReader()
        self._process = make_process(
            ProcessEvents(self._read_output, self._read_errors, self._ended, self._failed_to_start)
        )
        self._process.start()

    def send(self, message: Message) -> None:
        self._process.write(encode(message))

    def kill(self) -> None:
        """Ends the process; ``on_ended`` follows."""
        self._process.kill()

    def close(self, seconds: float) -> None:
        """Ends the process and waits for that, at most so long; nothing is told any more."""
        self._closed = True
        self._process.kill()
        self._process.wait(seconds)

    def _read_output(self, data: bytes) -> None:
        for line in self._output.lines(data):
            message = decode(line)
            if message is None:
                self._note([line])
            elif isinstance(message, Hello):
                self._greet(message)
            elif not self._closed:
                self._on_message(message)

    def _greet(self, hello: Hello) -> None:
        if hello.version != VERSION:
            self._problem = RunFailure("start", "The extension was updated while Slicer was running: restart Slicer.")
        elif hello.torch_error:
            self._problem = RunFailure("torch", hello.torch_error)
        if self._problem is not None:
            self._process.kill()
        elif not self._closed:
            self.ready = True
            self._on_message(hello)

    def _read_errors(self, data: bytes) -> None:
        self._note(self._errors.lines(data))

    def _note(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            text = line.decode("utf-8", "replace")
            self.log.append(text)
            logging.debug("Worker: %s", text)

    def _failed_to_start(self, reason: str) -> None:
        self._tell_end(
            RunFailure(
                "start",
                f"The segmentation process cannot be started ({reason}): restart Slicer, or install the extension "
                "again.",
            )
        )

    def _ended(self, code: int, crashed: bool) -> None:
        self._read_output(b"\n")  # completes a last line
        self._read_errors(b"\n")
        idle = self.ready and not crashed and code == 0
        self._tell_end(self._problem or (None if idle else self._unexpected_end(code, crashed)))

    def _unexpected_end(self, code: int, crashed: bool) -> RunFailure:
        details = "\n".join(self.log)
        if (crashed and code == _KILLED and os.name != "nt") or any(_LAUNCHER_REPORT in line for line in self.log):
            return RunFailure(
                "memory",
                f"The segmentation process was ended by the system, most often because memory ran out. {MEMORY_REMEDY}",
                details,
            )
        return RunFailure(
            "worker",
            f"The segmentation process ended unexpectedly ({'crash' if crashed else 'exit'} code {code}). Segment "
            "again; if that happens again, choose the CPU and the quality Fast, and report it with the details.",
            details,
        )

    def _tell_end(self, failure: RunFailure | None) -> None:
        if not self._closed:
            self._on_ended(failure)
