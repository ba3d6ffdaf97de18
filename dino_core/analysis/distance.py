"""How far the teacher is from the student, layer by layer, read off a checkpoint. No torch.

    distance = ||teacher - student|| / ||student||

with all parameters of a layer as one long vector. The teacher is a moving average of the students
before (paper, section 4), so what a layer has learned lately shows as its distance.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BLOCK = re.compile(r"backbone\.blocks\.(\d+)\.")
PLACES = (  # start of the name -> what it is called, in the order of the data's way
    ("backbone.patch_embed.", "patch embedding"),
    ("backbone.pos_embed", "positions"),
    ("backbone.cls_token", "class token"),
    ("backbone.register_tokens", "registers"),
    ("backbone.mask_token", "mask token"),
    ("backbone.norm.", "final norm"),
    ("dino_head.mlp.", "DINO head"),
    ("dino_head.last_layer.", "DINO prototypes"),
    ("ibot_head.mlp.", "iBOT head"),
    ("ibot_head.last_layer.", "iBOT prototypes"),
    ("cls_map.", "map of the class token"),  # of a student that follows features
    ("patch_map.", "map of patches"),
)
BEFORE_BLOCKS = 5


@dataclass(frozen=True)
class LayerDistance:
    """One layer of the pair; lengths are Euclidean."""

    name: str
    parameters: int
    student: float  # length of the student's weights
    difference: float  # length of teacher - student

    @property
    def relative(self) -> float:
        return self.difference / self.student if self.student else 0.0


def teacher_distance(checkpoint: str | Path) -> list[LayerDistance]:
    """The layers of a training checkpoint (`student.*`, `teacher.*`), in the data's order.

    ValueError when the file cannot be read or is no such checkpoint.
    """
    from safetensors import SafetensorError, safe_open

    sums: dict[tuple[int, str], list[float]] = {}
    try:
        with safe_open(str(checkpoint), framework="numpy") as file:
            names = [n.removeprefix("student.") for n in file.keys() if n.startswith("student.")]  # noqa: SIM118
            for name in names:
                student = file.get_tensor(f"student.{name}").astype(np.float64)
                teacher = file.get_tensor(f"teacher.{name}").astype(np.float64)
                total = sums.setdefault(place_of(name), [0, 0.0, 0.0])
                total[0] += student.size
                total[1] += float(np.square(student).sum())
                total[2] += float(np.square(teacher - student).sum())
    except (SafetensorError, OSError) as error:
        raise ValueError(f"The checkpoint cannot be read ({error}).") from error
    if not sums:
        raise ValueError("This file has no student: only checkpoints of a training do.")
    return [
        LayerDistance(name, int(count), student**0.5, difference**0.5)
        for (_, name), (count, student, difference) in sorted(sums.items())
    ]


def place_of(parameter: str) -> tuple[int, str]:
    """Where a parameter belongs: a number to sort by, and the layer's name."""
    block = BLOCK.match(parameter)
    if block:
        return 100 + int(block[1]), f"block {int(block[1])}"
    for i, (start, name) in enumerate(PLACES):
        if parameter.startswith(start):
            return (i if i < BEFORE_BLOCKS else 10_000 + i), name
    return 100_000, "other"
