"""What is done once, a moment later, however often it is asked for before."""

from __future__ import annotations

from collections.abc import Callable

CallLater = Callable[[float, Callable[[], None]], None]
"""(seconds, function): the event loop calls the function once, later."""


class Later:
    """Calls a function later, once for all that asked for it meanwhile.

    :param callLater: None without an event loop: nothing is called then.
    """

    def __init__(self, callLater: CallLater | None, function: Callable[[], None]):
        self._callLater, self._function = callLater, function
        self.isAwaited = False

    def ask(self, seconds: float = 0) -> None:
        if not self.isAwaited:
            self.isAwaited = True
            if self._callLater is not None:
                self._callLater(seconds, self._call)

    def cancel(self) -> None:
        """It is done already, or not wanted any more."""
        self.isAwaited = False

    def _call(self) -> None:
        if self.isAwaited:
            self.isAwaited = False  # first: the function may ask again
            self._function()
