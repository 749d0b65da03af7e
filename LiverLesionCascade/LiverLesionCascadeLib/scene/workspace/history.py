"""Undo and redo of whatever steps: who keeps a history says how a step is taken back and done again."""

from __future__ import annotations

from typing import Generic, TypeVar

Step = TypeVar("Step")


class History(Generic[Step]):
    """What was done, the last step first to be undone; a new step ends what could be redone.

    To be given by subclasses: `_apply`, and where a step may be impossible by now `_possible`.
    """

    MAXIMUM: int | None = None
    """Steps that are kept; None for all."""

    def __init__(self):
        self._undo: list[Step] = []
        self._redo: list[Step] = []

    def canUndo(self) -> bool:
        return self._next(self._undo, False) is not None

    def canRedo(self) -> bool:
        return self._next(self._redo, True) is not None

    def undo(self) -> Step:
        """Take the last step back, which is returned. Raises LookupError where there is none."""
        return self._move(self._undo, self._redo, forward=False)

    def redo(self) -> Step:
        """Take the step again that was undone last. Raises LookupError where there is none."""
        return self._move(self._redo, self._undo, forward=True)

    def forgetAll(self) -> None:
        """Nothing of it will be asked for again."""
        for steps in (self._undo, self._redo):
            while steps:
                self._forget(steps.pop())

    def _did(self, step: Step) -> None:
        """Remember a new step."""
        self._keep(self._undo, step)
        while self._redo:
            self._forget(self._redo.pop())

    def _apply(self, step: Step, forward: bool) -> Step:
        """Do a step again, or take it back; what leads back again. Where it raises, nothing has happened."""
        raise NotImplementedError

    def _possible(self, step: Step, forward: bool) -> bool:
        return True

    def _forget(self, step: Step) -> None:
        """A step that will never be asked for again."""

    def _nothing(self) -> str:
        """What is said where there is no step."""
        return "There is no other step."

    def _next(self, steps: list[Step], forward: bool) -> int | None:
        """The place of the step whose turn it is: the last one, if it is possible."""
        return len(steps) - 1 if steps and self._possible(steps[-1], forward) else None

    def _move(self, source: list[Step], target: list[Step], forward: bool) -> Step:
        place = self._next(source, forward)
        if place is None:
            raise LookupError(self._nothing())
        step = source[place]
        back = self._apply(step, forward)
        del source[place:]
        self._keep(target, back)
        return step

    def _keep(self, steps: list[Step], step: Step) -> None:
        steps.append(step)
        while self.MAXIMUM is not None and len(steps) > self.MAXIMUM:
            self._forget(steps.pop(0))
