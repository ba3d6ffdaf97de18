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


def warmup_cosine(
    step: int, start: float, end: float, steps: int, warmup: int = 0, warmup_from: float = 0.0
) -> float:
    """Linear from `warmup_from` to `start` in `warmup` steps, then half a cosine down to `end`.

        step < warmup:   warmup_from + (start - warmup_from) * step / (warmup - 1)
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
        return warmup_from + (start - warmup_from) * step / max(warmup - 1, 1)
    turn = math.pi * (step - warmup) / (steps - warmup)
    return end + 0.5 * (start - end) * (1 + math.cos(turn))


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
    """The same, but 0 at first: prototypes that move too soon let the student learn "uniform"."""
    frozen = min(config.freeze_last_layer_epochs * config.epoch_length, config.steps)
    return 0.0 if step < frozen else learning_rate(step, config)


def weight_decay(step: int, config: ScheduleConfig) -> float:
    """Cosine, upwards."""
    return warmup_cosine(step, config.weight_decay, config.end_weight_decay, config.steps)


def momentum(step: int, config: ScheduleConfig) -> float:
    """Of the teacher's moving average: cosine up to 1, where the teacher stands still."""
    return warmup_cosine(step, config.momentum, config.end_momentum, config.steps)


def teacher_temperature(step: int, config: ScheduleConfig) -> float:
    """Linear from the start value, constant afterwards."""
    warmup = config.teacher_temperature_epochs * config.epoch_length
    final = config.teacher_temperature
    return warmup_cosine(step, final, final, warmup, warmup, config.start_teacher_temperature)
