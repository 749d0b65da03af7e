"""The worker's process on Qt's event loop."""

from __future__ import annotations

import qt

from ...worker.process import ProcessEvents, worker_command
from . import event_loop


class QtProcess:
    """A ``Process`` (see ``worker.process``) run by a QProcess.

    PythonQt keeps neither the QProcess nor what is connected to it alive: both are held here until the process has
    ended.

    :param command: program and arguments; the worker if not given.
    """

    def __init__(self, events: ProcessEvents, command: list[str] | None = None):
        self._events = events
        self._command = command or worker_command()
        self._process = qt.QProcess()
        self._connections = [
            ("readyReadStandardOutput()", self._onOutput),
            ("readyReadStandardError()", self._onErrorOutput),
            ("finished(int,QProcess::ExitStatus)", self._onFinished),
            ("errorOccurred(QProcess::ProcessError)", self._onError),
        ]
        for signal, slot in self._connections:
            self._process.connect(signal, slot)

    @property
    def pid(self) -> int:
        return 0 if self._process is None else int(self._process.processId())

    def start(self) -> None:
        program, *arguments = self._command
        self._process.start(program, arguments)

    def write(self, data: bytes) -> None:
        if self._process is not None:
            self._process.write(data)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def wait(self, seconds: float) -> None:
        if self._process is not None:
            self._process.waitForFinished(round(1000 * seconds))

    def _onOutput(self):
        self._events.on_output(self._process.readAllStandardOutput().data())

    def _onErrorOutput(self):
        self._events.on_error_output(self._process.readAllStandardError().data())

    def _onFinished(self, exitCode, exitStatus):
        self._onOutput()
        self._onErrorOutput()
        crashed = self._process.exitStatus() == qt.QProcess.CrashExit
        self._release()
        self._events.on_ended(int(exitCode), crashed)

    def _onError(self, error):
        # All other errors end the process, or are followed by its end.
        if self._process.error() == qt.QProcess.FailedToStart:
            reason = self._process.errorString()
            self._release()
            # Qt tells this from within start() on some systems.
            event_loop.shared.callLater(0, lambda: self._events.on_failed_to_start(reason))

    def _release(self):
        process, self._process = self._process, None
        for signal, slot in self._connections:
            process.disconnect(signal, slot)
        self._connections = []
        process.deleteLater()  # not at once: a signal of it is being handled
