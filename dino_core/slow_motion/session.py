"""What a step is made of: a copy of a pair, a picture and its companions, and what was chosen.

    session = Session(pair, config, [picture, *companions], Choices(learning_rate=1e-4))
    first, second = session.step(), session.step()       # each on crops of its own, as in a run

The copy learns with all its weights, whatever was frozen when the pair was trained. Its place in
the schedules is nine tenths through: what is called small there is small. Two things a run would
have by then are made good:

    the centres     moving averages over batches in a run; here the teacher's mean logits of the
                    first batch, as if it had been like all those before it
    AdamW's memory  of gradients before: empty. In the first step every weight moves by the learning
                    rate, however large its gradient is
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from PIL import Image
from torch import Tensor

from dino_core.config import GLOBAL_CROPS, LossConfig, TrainConfig
from dino_core.crops import Crop, sample_crops, stack_crops
from dino_core.masks import sample_masks
from dino_core.schedules import StepValues, values_at
from dino_core.slow_motion.recorded import RecordedStep, record_step
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, teacher_outputs
from dino_core.step.loader import generator_for
from dino_core.step.train_step import StepResult, train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser

Target = Literal["centering", "sinkhorn_knopp"]
TARGETS: tuple[Target, ...] = get_args(Target)
THROUGH = 0.9  # of its schedules: where the step stands
MOST_WEIGHT = 100.0


@dataclass(frozen=True)
class Choices:
    """What may be changed of a step; None leaves what the pair was trained with.

    Targets come by centring unless something else is chosen, however the pair was trained:
    Sinkhorn-Knopp shares out all prototypes among the batch, and nine pictures leave it little to
    share. The weights are the paper's: a pair whose backbone stood still was trained without KoLeo.
    """

    seed: int = 0
    targets: str = TARGETS[0]
    temperature: float | None = None  # of the teacher
    learning_rate: float | None = None
    dino_weight: float = LossConfig.dino_weight
    ibot_weight: float = LossConfig.ibot_weight
    koleo_weight: float = LossConfig.koleo_weight

    def settle(self, config: TrainConfig) -> tuple[TrainConfig, StepValues]:
        """The step's configuration and its scheduled values. ValueError for odd ones."""
        targets = next((one for one in TARGETS if one == self.targets), None)
        if targets is None:
            raise ValueError(
                f"Targets come by one of {', '.join(TARGETS)}, not by {self.targets!r}."
            )
        values = values_at(int(THROUGH * config.schedule.steps), config.schedule)
        if self.temperature is not None:
            if not 0 < self.temperature <= 1:
                raise ValueError("The teacher's temperature is a number above 0, up to 1.")
            values = replace(values, teacher_temperature=self.temperature)
        if self.learning_rate is not None:
            if not 0 <= self.learning_rate <= 1:
                raise ValueError("The learning rate is a number from 0 to 1.")
            rate = self.learning_rate
            values = replace(values, learning_rate=rate, last_layer_learning_rate=rate)
        weights = (self.dino_weight, self.ibot_weight, self.koleo_weight)
        if not all(0 <= weight <= MOST_WEIGHT for weight in weights):
            raise ValueError(f"The weight of a loss is a number from 0 to {MOST_WEIGHT:.0f}.")
        if not any(weights):
            raise ValueError("Without any loss there is nothing to learn from: give one a weight.")
        loss = replace(
            config.loss,
            centering=targets,
            dino_weight=self.dino_weight,
            ibot_weight=self.ibot_weight,
            koleo_weight=self.koleo_weight,
        )
        return replace(config, loss=loss), values


@dataclass(frozen=True, eq=False)
class Drawn:
    """The batch of a step, and the first picture's part of it."""

    batch: Batch
    crops: tuple[Crop, ...]  # of the first picture, the global ones first
    grid: tuple[int, int]  # patches of a global crop


def draw_batch(
    pictures: Sequence[Image.Image], config: TrainConfig, seed: int, step: int = 0
) -> Drawn:
    """Crops and masks of all pictures; the first one's crops are those of the seed `seed + step`.

    Half of the global crops are masked, whichever these are; but the first picture's first one is
    always among them, so that there is something to see.
    """
    first = torch.Generator().manual_seed(seed + step)
    generators = [first] + [
        generator_for(seed, f"companion {i}", step) for i in range(1, len(pictures))
    ]
    drawn = [
        sample_crops(picture, config.crops, generator)
        for picture, generator in zip(pictures, generators, strict=True)
    ]
    by_crop = list(zip(*drawn, strict=True))  # crop by crop, as a batch lies
    stacked = [stack_crops(crops) for crops in by_crop]
    side = config.crops.global_size // config.vit.patch_size
    grid, count = (side, side), GLOBAL_CROPS * len(pictures)
    masks = sample_masks(count, grid, config.masks, generator_for(seed, "masks", step)).masks
    local = stacked[GLOBAL_CROPS:]
    batch = Batch.from_crops(
        torch.cat(stacked[:GLOBAL_CROPS]),
        torch.cat(local) if local else torch.empty(0),
        first_masked(masks),
    )
    return Drawn(batch, tuple(drawn[0]), grid)


def first_masked(masks: Tensor) -> Tensor:
    """Masks [n, P], of which the first, if it is empty, has changed places with one that is not."""
    order, filled = list(range(len(masks))), masks.any(dim=1).nonzero().flatten().tolist()
    if filled:
        order[0], order[filled[0]] = filled[0], 0
    return masks[order]


class Session:
    """A copy of a pair that makes one step after the other. The pair itself is left as it is.

    ValueError for choices that do not go together, and for less than two pictures.
    """

    def __init__(
        self,
        pair: StudentTeacher,
        config: TrainConfig,
        pictures: Sequence[Image.Image],
        choices: Choices = Choices(),
    ) -> None:
        if len(pictures) < 2:
            raise ValueError("Targets and KoLeo need a batch: bring at least one other picture.")
        self.choices, self.pictures = choices, tuple(pictures)
        self.config, self.values = choices.settle(config)
        self.steps = 0  # done
        self.pair = copy.deepcopy(pair).requires_grad_(True).train()
        self.pair.teacher.requires_grad_(False)
        self.optimiser = build_optimiser(self.pair.student.parts, self.config.optim)
        self.centers: Centers | None = None

    def draw(self) -> Drawn:
        """The batch of the next step."""
        return draw_batch(self.pictures, self.config, self.choices.seed, self.steps)

    def step(
        self, drawn: Drawn | None = None, check: Callable[[], None] = lambda: None
    ) -> RecordedStep:
        """The next step, recorded. What `check` raises leaves a session that is not to be used."""
        recorded = record_step(*self._asked(drawn), generator=self._paths(), check=check)
        self._done(recorded.result)
        return recorded

    def pass_over(self) -> StepResult:
        """The next step, not recorded: in a third of the time, with the same weights behind it."""
        result = train_step(*self._asked(None), generator=self._paths())
        self._done(result)
        return result

    def _asked(
        self, drawn: Drawn | None
    ) -> tuple[StudentTeacher, Batch, torch.optim.Optimizer, StepValues, TrainConfig, Centers]:
        """What the next step is made of, as `train_step` takes it."""
        device = self.pair.student.backbone.pos_embed.device
        batch = (self.draw() if drawn is None else drawn).batch.to(device)
        centers = self._centers(batch)
        return self.pair, batch, self.optimiser, self.values, self.config, centers

    def _done(self, result: StepResult) -> None:
        self.centers = result.centers
        self.steps += 1

    def _centers(self, batch: Batch) -> Centers:
        if self.centers is not None:
            return self.centers
        teacher = teacher_outputs(self.pair.teacher, batch, self.config)
        start = Centers.zeros(self.config, batch.global_crops.device)
        patches = teacher.patch_logits
        return Centers(
            dino=teacher.logits.float().mean(dim=(0, 1)),
            ibot=start.ibot if patches is None or not len(patches) else patches.float().mean(dim=0),
        )

    def _paths(self) -> torch.Generator:
        return generator_for(self.choices.seed, "drop path", self.steps)
