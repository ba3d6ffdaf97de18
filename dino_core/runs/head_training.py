"""Heads and mask token for a frozen backbone: the same method, most of it looked up.

A frozen backbone says the same about a crop every time, so its features are computed once and used
for many steps. `train_step` would compute them again at each; here the crops of many pictures are
seen once, and only those that the student sees through a mask go through the backbone anew: the
mask token in them is learning.

    for each cached batch (new crops every few steps, or a fixed set would be learnt by heart)
        features of all crops of n pictures, without gradient
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

from dino_core.config import GLOBAL_CROPS, TrainConfig
from dino_core.datasets import Pictures
from dino_core.masks import sample_masks
from dino_core.runs.presets import HEADS, RunConfig, with_steps
from dino_core.runs.progress import run_optimiser
from dino_core.schedules import StepValues, values_at
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers, Outputs, make_targets
from dino_core.step.loader import BatchMaker, background_batches, generator_for, to_batch
from dino_core.step.train_step import apply_update, compute_losses
from dino_core.student_teacher import Network, StudentTeacher
from dino_core.vit import VisionTransformer

Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class CachedBatch:
    """n pictures in crops, and what the frozen backbone makes of them."""

    crops: Tensor  # [2n, 3, H, W] the global ones, first of all pictures, then second
    cls: Tensor  # [2 + L, n, D]
    patches: Tensor  # [2n, P, D]


@dataclass(frozen=True)
class CacheConfig:
    """How much is looked up, and how much computed."""

    steps_a_batch: int = 20  # that each cached batch is used for
    masked_crops: int = 24  # a step
    extra_patches: int = 1000  # that Sinkhorn-Knopp counts besides the masked ones


def heads_config(steps: int, seed: int = 0, pictures: int = 256) -> RunConfig:
    """The preset heads for cached batches of so many pictures, at a rate of 1e-3 for 256."""
    config = replace(with_steps(HEADS, steps), seed=seed)
    schedule = replace(config.train.schedule, batch_size=pictures, base_learning_rate=2e-3)
    return replace(config, train=replace(config.train, schedule=schedule))


def train_heads(
    vit: VisionTransformer,
    pictures: Pictures,
    config: RunConfig,
    cache: CacheConfig = CacheConfig(),
    *,
    report: Report = lambda line: None,
) -> StudentTeacher:
    """Trains new heads and the mask token; a cached batch has `config.batch_size` pictures.

    `report` gets each step's losses. Raises FloatingPointError when one is not finite.
    """
    train = replace(config.train, vit=replace(vit.config, drop_path=0.0, fused_attention=False))
    config = replace(config, train=train, trainable_blocks=0)
    pair = StudentTeacher(train, generator=generator_for(config.seed, "weights", 0))
    pair.student.backbone.load_state_dict(vit.state_dict())
    pair.copy_student()
    optimiser = run_optimiser(pair.student, config)
    maker = BatchMaker(pictures, train, config.seed)
    step = 0
    for raw in background_batches(maker, 0, -(-config.steps // cache.steps_a_batch)):
        batch = cache_features(pair.teacher.backbone, to_batch(raw))
        for _ in range(min(cache.steps_a_batch, config.steps - step)):
            values = values_at(step, train.schedule)
            generator = generator_for(config.seed, "frozen", step)
            losses = head_step(
                batch, pair, optimiser, values, config=train, cache=cache, generator=generator
            )
            step += 1
            report({"step": step, **losses})
    return pair


@torch.inference_mode()
def cache_features(backbone: VisionTransformer, batch: Batch, at_once: int = 64) -> CachedBatch:
    """Every crop through the backbone, without masks."""
    n = batch.pictures
    cls, patches = [], []
    for part in batch.global_crops.split(at_once):
        out = backbone(part)
        cls.append(out.cls)
        patches.append(out.patches)
    cls += [backbone(part).cls for part in batch.local_crops.split(4 * at_once)]
    features = torch.cat(cls)  # [(2 + L) n, D]
    return CachedBatch(
        batch.global_crops, features.unflatten(0, (-1, n)).clone(), torch.cat(patches)
    )


def head_step(
    batch: CachedBatch,
    pair: StudentTeacher,
    optimiser: torch.optim.Optimizer,
    values: StepValues,
    *,
    config: TrainConfig,
    cache: CacheConfig,
    generator: torch.Generator,
) -> dict[str, float]:
    """One update of heads and mask token. -> the losses in nats, per term."""
    optimiser.zero_grad(set_to_none=True)
    loss = replace(config.loss, centering="sinkhorn_knopp", koleo_weight=0.0)

    # Some global crops, seen through masks.
    crops = len(batch.crops)
    count = min(cache.masked_crops, crops)
    chosen = torch.randperm(crops, generator=generator)[:count]
    side = config.crops.global_size // config.vit.patch_size
    every = replace(config.masks, probability=1.0)
    drawn = sample_masks(count, (side, side), every, generator)
    others = torch.randint(
        batch.patches.shape[:2].numel(), (cache.extra_patches,), generator=generator
    )

    # The teacher has seen the whole crops; patches that are not masked only steady its targets.
    hidden = batch.patches[chosen][drawn.masks]  # [M, D]
    visible = batch.patches.flatten(0, 1)[others]
    with torch.no_grad():
        teacher = outputs_of(pair.teacher, batch.cls[:GLOBAL_CROPS], torch.cat([hidden, visible]))
        centers = Centers.zeros(config)  # which Sinkhorn-Knopp leaves alone
        targets = make_targets(teacher, values.teacher_temperature, loss, centers)
    assert targets.patches is not None
    targets = replace(targets, patches=targets.patches[: len(hidden)])

    out = pair.student.backbone(batch.crops[chosen], drawn.masks)
    cls = batch.cls.flatten(0, 1).index_copy(0, chosen, out.cls)  # [(2 + L) n, D]
    student = outputs_of(pair.student, cls.view_as(batch.cls), out.patches[drawn.masks])

    # All of the crops that are masked count, as if there were no others.
    losses = compute_losses(student, targets, drawn.weights * (crops / count), loss)
    losses.total.backward()
    result = apply_update(pair, optimiser, values, losses, clip=config.optim.clip)
    return {
        "dino": result.logged["dino_global_crops_loss"] + result.logged["dino_local_crops_loss"],
        "ibot": result.ibot_terms.mean().item(),
    }


def outputs_of(network: Network, cls: Tensor, patches: Tensor) -> Outputs:
    """Features through the heads: class tokens [crops, n, D] and patches [M, D]."""
    logits, patch_logits = network.logits(cls.flatten(0, 1), patches)
    return Outputs(
        tokens=cls[:GLOBAL_CROPS].flatten(0, 1),
        logits=logits.unflatten(0, cls.shape[:2]),
        patch_logits=patch_logits,
    )
