"""The lines of a run as event files that TensorBoard opens, with its chosen pictures.

    RUN/tensorboard/events.out.tfevents.*      tensorboard --logdir runs

metrics.jsonl stays what counts; the events are a copy of its numbers, as float32. A run that goes
on begins a new file, whose first event says from which step on the others no longer hold. Wants the
extra `tensorboard`; nothing else does.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dino_core.draw.pictures import enlarge, heat_map, to_bytes
from dino_core.runs.folder import RunFolder

FOLDER = "tensorboard"
NO_QUANTITIES = ("step", "steps", "time", "seconds_left")  # where a line stands, not what it says
SIDE = 224  # px, about, of a map of patches


def check_installed(wanted: bool) -> None:
    """ValueError where event files are wanted and cannot be written."""
    if wanted and importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            '--tensorboard wants the package of that name: pip install "inside-dinov2[tensorboard]"'
            ", or leave it out; metrics.jsonl has the same numbers."
        )


class Events:
    """What is handed each line of a run, and what it made of its pictures at a milestone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def line(self, line: Mapping[str, Any]) -> None:
        for name, value in scalars(line):
            self._from(line["step"]).add_scalar(name, value, line["step"])

    def pictures(self, arrays: Mapping[str, np.ndarray], step: int) -> None:
        """Of each picture what the model sees, its attention (mean of the heads) and its PCA."""
        for i, name in enumerate(arrays["names"]):
            attention = arrays["attention"][i].mean(0)  # [A, h, w] -> [h, w]
            shown = {
                "picture": arrays["pictures"][i],
                "attention": heat_map(attention, 0.0, float(attention.max())),
                "pca": to_bytes(arrays["pca"][i]),
            }
            for kind, pixels in shown.items():
                large = enlarge(pixels, max(SIDE // len(pixels), 1))
                tag = f"{Path(str(name)).stem}/{kind}"
                self._from(step).add_image(tag, large, step, dataformats="HWC")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _from(self, step: int) -> Any:
        """The writer, made for the first event: from its step on older files no longer hold."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=step)
        return self._writer


@contextmanager
def events_of(run: RunFolder, wanted: bool) -> Iterator[None]:
    """While it is open, whatever the run notes goes into event files too."""
    if not wanted:
        yield
        return
    events = Events(run.path / FOLDER)
    run.events = events
    try:
        yield
    finally:
        run.events = None
        events.close()


def scalars(line: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a line by their names: `loss`, `logged/koleo_loss`, `knn/cls`."""
    for name, value in line.items():
        if isinstance(value, Mapping):
            yield from scalars(value, f"{before}{name}/")
        elif type(value) in (int, float) and (before or name not in NO_QUANTITIES):
            yield f"{before}{name}", float(value)
