"""What a checkpoint does not tell of itself, and whoever knows it may say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Field = Literal["heads", "grid", "branch"]


class Untold(ValueError):  # noqa: N818  it is said to a person
    """A checkpoint that can be read once one more thing is said of it.

    what      the sentence without the advice for who writes Python
    field     the argument of `load_backbone` that says it
    choices   what it can be, as the command line takes it: "3", "4x9", "student.backbone"
    """

    def __init__(self, what: str, advice: str, field: Field, choices: Sequence[str]) -> None:
        super().__init__(f"{what} {advice}")
        self.what, self.advice, self.field, self.choices = what, advice, field, tuple(choices)

    def of_file(self, path: Path) -> "Untold":
        """The same, named after a file."""
        return Untold(f"{path}: {self.what}", self.advice, self.field, self.choices)
