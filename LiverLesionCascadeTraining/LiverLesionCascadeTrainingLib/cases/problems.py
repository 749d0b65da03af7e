"""What is wrong with training data: collected for all cases, said at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from LiverLesionCascadeLib.engine.errors import InputError


@dataclass(frozen=True)
class Problem:
    """What keeps a case from being used.

    Attributes:
        case: The case's name; "" where the problem is none of a single case.
        message: What is wrong, and the remedy.
    """

    case: str
    message: str

    def __str__(self) -> str:
        return f"case {self.case}: {self.message}" if self.case else self.message


class DataProblems(InputError):
    """Some cases cannot be used; ``problems`` names every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(str(self.problems[0]))
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            super().__init__(f"{len(self.problems)} problems in the training data:{lines}")
