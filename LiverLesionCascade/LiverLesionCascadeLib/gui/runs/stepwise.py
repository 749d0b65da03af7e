"""Work in short steps, between which Slicer goes on."""

import time

from ...engine.errors import CascadeError

SECONDS = 0.03
"""So long at a time: a person does not notice."""


class Stepwise:
    """Runs one generator at a time on the event loop; beginning another one drops what is under way.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param isWanted: asked before each go; what is no longer wanted is dropped.
    """

    def __init__(self, callLater, isWanted=lambda: True):
        self._callLater, self._isWanted = callLater, isWanted
        self._work = None

    @property
    def isBusy(self):
        return self._work is not None

    def begin(self, work, onDone, onFailed):
        """
        :param work: generator.
        :param onDone: called with what it returns.
        :param onFailed: called with the message of the `CascadeError` that it raises.
        """
        self._work = work
        self._callLater(0, lambda: self._goOn(work, onDone, onFailed))

    def stop(self):
        """Drop what is under way."""
        self._work = None

    def _goOn(self, work, onDone, onFailed):
        if work is not self._work:
            return
        if not self._isWanted():
            self.stop()
            return
        until = time.monotonic() + SECONDS
        try:
            next(work)
            while time.monotonic() < until:
                next(work)
        except StopIteration as end:
            self.stop()
            onDone(end.value)
        except CascadeError as error:
            self.stop()
            onFailed(str(error))
        except BaseException:
            self.stop()
            raise
        else:
            self._callLater(0, lambda: self._goOn(work, onDone, onFailed))
