"""Heads and mask token for a backbone that stands still: the same method, most of it looked up.

A frozen backbone says the same about a crop every time, so its features are computed once and used
for many steps. `train_step` would compute them again at each; here a sheet of pictures is cropped
and seen once, and only the crops that the student sees through a mask go through the backbone anew:
the mask token in them is learning.

    for each sheet (new crops every few steps, or a fixed set would be learnt by heart)
        teacher's features of all crops of n pictures, without gradient
        for each step
            targets of all n pictures           Sinkhorn-Knopp over 2 n class tokens
            a few of the 2 n global crops, masked, through the student's backbone
            DINO on all crops, iBOT on the masked patches, one update, the teacher follows

What differs from `train_step`: only a few global crops of a step are masked instead of half of
them; Sinkhorn-Knopp for patches also counts patches that are not masked, which cost nothing here
and make the targets steadier; and KoLeo is left out, for it has no gradient for heads.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dino_core.config import TrainConfig
from dino_core.datasets import Pictures
from dino_core.losses import dino_terms, ibot_terms, reduce_ibot_terms, split_dino_terms
from dino_core.masks import sample_masks
from dino_core.runs.presets import HEADS, RunConfig, with_steps
from dino_core.runs.setup import run_optimiser, set_trainable
from dino_core.schedules import StepValues, values_at
from dino_core.step.loader import BatchMaker, background_batches, generator_for, to_batch
from dino_core.step.train_step import GLOBAL_CROPS, Batch, check_finite
from dino_core.student_teacher import StudentTeacher
from dino_core.targets import sinkhorn_knopp
from dino_core.update import apply_schedule, clip_gradients, update_teacher
from dino_core.vit import VisionTransformer

Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class Sheet:
    """n pictures in crops, and what the backbone makes of them."""

    crops: Tensor  # [2n, 3, H, W] the global ones, first of all pictures, then second
    cls: Tensor  # [2 + L, n, D]
    patches: Tensor  # [2n, P, D]


@dataclass(frozen=True)
class Pace:
    """How much is looked up, and how much computed."""

    steps_a_sheet: int = 20
    masked_crops: int = 24  # a step
    extra_patches: int = 1000  # that Sinkhorn-Knopp counts besides the masked ones


def heads_config(steps: int, seed: int = 0, pictures: int = 256) -> RunConfig:
    """The preset heads for sheets of so many pictures, at a rate of 1e-3 for 256."""
    config = replace(with_steps(HEADS, steps), seed=seed)
    schedule = replace(config.train.schedule, batch_size=pictures, base_learning_rate=2e-3)
    return replace(config, train=replace(config.train, schedule=schedule))


def train_heads(
    vit: VisionTransformer,
    pictures: Pictures,
    config: RunConfig,
    pace: Pace = Pace(),
    report: Report = lambda line: None,
) -> StudentTeacher:
    """Trains new heads and the mask token; a sheet has `config.batch_size` pictures.

    `report` gets each step's losses. Raises FloatingPointError when one is not finite.
    """
    train = replace(config.train, vit=replace(vit.config, drop_path=0.0, fused_attention=False))
    config = replace(config, train=train, trainable_blocks=0)
    pair = StudentTeacher(train, generator=generator_for(config.seed, "weights", 0))
    pair.student.backbone.load_state_dict(vit.state_dict())
    pair.copy_student()
    optimiser = run_optimiser(pair.student, config)
    maker = BatchMaker(pictures, train, config.seed)
    sheets = -(-config.steps // pace.steps_a_sheet)
    step = 0
    for raw in background_batches(maker, 0, sheets):
        sheet = look(pair.teacher.backbone, to_batch(raw))
        for _ in range(min(pace.steps_a_sheet, config.steps - step)):
            set_trainable(pair.student, config, step)
            values = values_at(step, train.schedule)
            losses = step_on(sheet, pair, optimiser, values, train, pace, config.seed + step)
            step += 1
            report({"step": step, **losses})
    return pair


@torch.inference_mode()
def look(backbone: VisionTransformer, batch: Batch, at_once: int = 64) -> Sheet:
    """Every crop through the backbone, without masks."""
    n = batch.pictures
    cls, patches = [], []
    for part in batch.global_crops.split(at_once):
        out = backbone(part)
        cls.append(out.cls)
        patches.append(out.patches)
    cls += [backbone(part).cls for part in batch.local_crops.split(4 * at_once)]
    features = torch.cat(cls)  # [(2 + L) n, D]
    return Sheet(batch.global_crops, features.unflatten(0, (-1, n)).clone(), torch.cat(patches))


def step_on(
    sheet: Sheet,
    pair: StudentTeacher,
    optimiser: torch.optim.Optimizer,
    values: StepValues,
    config: TrainConfig,
    pace: Pace,
    seed: int,
) -> dict[str, float]:
    """One update of heads and mask token. -> the losses in nats, per term."""
    student, teacher, loss = pair.student, pair.teacher, config.loss
    assert student.ibot_head is not None
    assert teacher.ibot_head is not None
    apply_schedule(optimiser, values)
    optimiser.zero_grad(set_to_none=True)
    generator = generator_for(seed, "frozen", 0)

    # Some crops, seen through masks.
    count = min(pace.masked_crops, len(sheet.crops))
    chosen = torch.randperm(len(sheet.crops), generator=generator)[:count]
    side = config.crops.global_size // config.vit.patch_size
    every = replace(config.masks, probability=1.0)
    drawn = sample_masks(count, (side, side), every, generator)
    out = student.backbone(sheet.crops[chosen], drawn.masks)

    with torch.no_grad():
        targets = sinkhorn_knopp(
            teacher.dino_head(sheet.cls[:GLOBAL_CROPS].flatten(0, 1)),
            values.teacher_temperature,
            loss.sinkhorn_iterations,
        ).unflatten(0, (GLOBAL_CROPS, -1))  # [2, n, K]
        hidden = sheet.patches[chosen][drawn.masks]  # [M, D]
        others = sheet.patches.flatten(0, 1)
        extra = torch.randint(len(others), (pace.extra_patches,), generator=generator)
        on_patches = sinkhorn_knopp(
            teacher.ibot_head(torch.cat([hidden, others[extra]])),
            values.teacher_temperature,
            loss.sinkhorn_iterations,
        )[: len(hidden)]  # [M, K]

    cls = sheet.cls.flatten(0, 1).index_copy(0, chosen, out.cls)  # [(2 + L) n, D]
    scores = student.dino_head(cls).unflatten(0, sheet.cls.shape[:2])
    terms = dino_terms(scores, targets, loss.student_temperature)  # [2 + L, 2, n]
    dino_global, dino_local = split_dino_terms(terms)
    of_masked = ibot_terms(
        student.ibot_head(out.patches[drawn.masks]), on_patches, loss.student_temperature
    )
    ibot = reduce_ibot_terms(of_masked, drawn.weights, count)
    total = loss.dino_weight * (dino_global + dino_local) + loss.ibot_weight * ibot
    total.backward()
    norms = clip_gradients(student.parts, config.optim.clip)
    check_finite(total, norms)
    optimiser.step()
    for part in ("dino_head", "ibot_head"):
        update_teacher(getattr(student, part), getattr(teacher, part), values.momentum)
    different = ~torch.eye(*terms.shape[:2], dtype=torch.bool)
    return {"dino": terms.detach()[different].mean().item(), "ibot": of_masked.mean().item()}
