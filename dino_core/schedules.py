"""What changes from step to step: pure functions of the step and the configuration.

Official files `utils/utils.py` (CosineScheduler) and `train/train.py`. With the default 100 epochs
of 1250 steps: the learning rate climbs for 12 500 steps and falls for 112 500; the teacher's
temperature climbs for 37 500. A step beyond the end gets the final value.
"""

import math
from dataclasses import dataclass

from dino_core.config import ScheduleConfig


@dataclass(frozen=True)
class StepValues:
    """The scheduled values of one step."""

    learning_rate: float
    last_layer_learning_rate: float  # of the prototypes
    weight_decay: float
    momentum: float  # of the teacher
    teacher_temperature: float


def values_at(step: int, config: ScheduleConfig) -> StepValues:
    """Everything the schedules say about one step, counted from 0."""
    return StepValues(
        learning_rate=learning_rate(step, config),
        last_layer_learning_rate=last_layer_learning_rate(step, config),
        weight_decay=weight_decay(step, config),
        momentum=momentum(step, config),
        teacher_temperature=teacher_temperature(step, config),
    )


def warmup_cosine(step: int, *, start: float, end: float, steps: int, warmup: int = 0) -> float:
    """Linear from 0 to `start` in `warmup` steps, then half a cosine down, or up, to `end`.

        step < warmup:   start * step / (warmup - 1)                                     `linear`
        step < steps:    end + (start - end) / 2 * (1 + cos(pi * i / n)),
                         i = step - warmup,  n = steps - warmup
        otherwise:       end

    The last step of the warm-up and the first of the cosine both have the start value.
    """
    if warmup > steps:
        raise ValueError(
            f"A warm-up of {warmup} steps does not fit into a run of {steps}. "
            f"Shorten it or train for longer."
        )
    if step >= steps:
        return end
    if step < warmup:
        return linear(step, start=0.0, end=start, steps=warmup)
    turn = math.pi * (step - warmup) / (steps - warmup)
    return end + 0.5 * (start - end) * (1 + math.cos(turn))


def linear(step: int, *, start: float, end: float, steps: int) -> float:
    """From `start` at step 0 to `end` at the last of the steps, steps - 1, and constant from there.

    The official code's `linspace`, which reaches both ends.
    """
    if step >= steps:
        return end
    return start + (end - start) * step / max(steps - 1, 1)


def learning_rate(step: int, config: ScheduleConfig) -> float:
    """Warm-up from 0 to the peak, cosine to the end value."""
    return warmup_cosine(
        step,
        start=config.base_learning_rate * math.sqrt(config.batch_size / 1024),
        end=config.end_learning_rate,
        steps=config.steps,
        warmup=config.warmup_epochs * config.epoch_length,
    )


def last_layer_learning_rate(step: int, config: ScheduleConfig) -> float:
    """The same, but 0 at first. DINO's code says that it helps (`main_dino.py`), and not why.

    Our reading: prototypes that move while features say nothing let the student learn "uniform".
    """
    frozen = min(config.freeze_last_layer_epochs * config.epoch_length, config.steps)
    return 0.0 if step < frozen else learning_rate(step, config)


def weight_decay(step: int, config: ScheduleConfig) -> float:
    """Cosine, upwards."""
    return warmup_cosine(
        step, start=config.weight_decay, end=config.end_weight_decay, steps=config.steps
    )


def momentum(step: int, config: ScheduleConfig) -> float:
    """Of the teacher's moving average: cosine up to 1, where the teacher stands still."""
    return warmup_cosine(step, start=config.momentum, end=config.end_momentum, steps=config.steps)


def teacher_temperature(step: int, config: ScheduleConfig) -> float:
    """Linear from the start value, constant afterwards."""
    return linear(
        step,
        start=config.start_teacher_temperature,
        end=config.teacher_temperature,
        steps=config.teacher_temperature_epochs * config.epoch_length,
    )
