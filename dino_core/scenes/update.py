"""The update screen: what the schedules say at every step, and how far the teacher lags. No torch.

The formulas are in `dino_core/schedules.py` and `dino_core/analysis/distance.py`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from dino_core.analysis.distance import teacher_distance
from dino_core.config import ScheduleConfig
from dino_core.figures.curves import SCHEDULES, schedules
from dino_core.figures.theme import Theme
from dino_core.runs.folder import RunFolder
from dino_core.runs.presets import PRESET_WORDS, RunConfig, find_preset, from_plain, with_steps
from dino_core.schedules import values_at

if TYPE_CHECKING:
    import plotly.graph_objects as go

POINTS = 601  # of the curves; corners are always among them


@dataclass(frozen=True)
class ScheduleScene:
    """The scheduled values at some steps [n] of a run."""

    steps: np.ndarray  # [n] int32, counted from 0
    learning_rate: np.ndarray  # [n] float32
    last_layer_learning_rate: np.ndarray  # [n] float32
    weight_decay: np.ndarray  # [n] float32
    momentum: np.ndarray  # [n] float32, of the teacher's average
    teacher_temperature: np.ndarray  # [n] float32
    preset: str
    words: str
    total: int
    batch: int
    warmup: int  # steps
    frozen: int  # steps in which the prototypes stand still
    temperature_warmup: int
    peak: float
    config: Annotated[dict[str, Any], ScheduleConfig]

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """Each value by step; the cursor stands where the warm-up ends."""
        values = {name: getattr(self, name).tolist() for name in SCHEDULES}
        return schedules(self.steps.tolist(), values, at=self.warmup, theme=theme)


def schedule_scene(preset: str, steps: int | None = None) -> ScheduleScene:
    """The curves of a preset, over its own number of steps or another one."""
    run = find_preset(preset)
    if steps is not None:
        run = with_steps(run, steps)
    return _scene(run, PRESET_WORDS[preset])


def run_schedule_scene(folder: Path) -> ScheduleScene:
    """The curves by which a run without labels learns, with its own steps, batch and switches.

    ValueError, in a sentence, for a run that has none, and for a damaged one.
    """
    stored = RunFolder(folder).read_config()
    if stored.get("kind") != "pretraining":
        raise ValueError("Only a run without labels has these schedules.")
    try:
        run = from_plain(RunConfig, stored["setup"]["run"])
        steps = f"{run.steps} steps of {run.batch_size} pictures"
        return _scene(run, f"as the run has them: preset {run.preset}, {steps}")
    except (KeyError, TypeError, AttributeError):
        raise ValueError("The config.json of this run is damaged.") from None


def _scene(run: RunConfig, words: str) -> ScheduleScene:
    config = run.train.schedule
    chosen = chosen_steps(config)
    values = [values_at(step, config) for step in chosen]

    def curve(name: str) -> np.ndarray:
        return np.array([getattr(value, name) for value in values], np.float32)

    return ScheduleScene(
        steps=np.array(chosen, np.int32),
        learning_rate=curve("learning_rate"),
        last_layer_learning_rate=curve("last_layer_learning_rate"),
        weight_decay=curve("weight_decay"),
        momentum=curve("momentum"),
        teacher_temperature=curve("teacher_temperature"),
        preset=run.preset,
        words=words,
        total=config.steps,
        batch=config.batch_size,
        warmup=config.warmup_epochs * config.epoch_length,
        frozen=config.freeze_last_layer_epochs * config.epoch_length,
        temperature_warmup=config.teacher_temperature_epochs * config.epoch_length,
        peak=max(value.learning_rate for value in values),
        config=asdict(config),
    )


def chosen_steps(config: ScheduleConfig) -> list[int]:
    """Evenly spread steps, and both sides of every corner."""
    last = config.steps - 1
    corners = (
        config.warmup_epochs,
        config.freeze_last_layer_epochs,
        config.teacher_temperature_epochs,
    )
    steps = {round(i * last / (POINTS - 1)) for i in range(POINTS)}
    for corner in corners:
        steps |= {corner * config.epoch_length + side for side in (-1, 0)}
    return sorted(step for step in steps if 0 <= step <= last)


def distance_facts(folder: Path) -> dict[str, Any]:
    """The newest checkpoint of a run: its step, and the distance of each layer.

    ValueError, in a sentence, when there is none to look at.
    """
    from dino_core.runs.checkpoints import model_file, steps_in

    run = RunFolder(folder)
    if run.read_config().get("kind") != "pretraining":
        raise ValueError(
            "Neither in fine-tuning nor in distillation does a teacher follow: open a run without "
            "labels."
        )
    steps = steps_in(run.checkpoints)
    if not steps:
        raise ValueError("This run has no checkpoint yet: the first milestone writes one.")
    layers = teacher_distance(model_file(run.checkpoints, steps[-1]))
    return {
        "step": steps[-1],
        "layers": [{**asdict(layer), "relative": layer.relative} for layer in layers],
    }
