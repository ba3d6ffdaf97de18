"""The training step beside lightly-train's DINOv2, and how long a step waits for its pictures.

Both train on the same random crops with the same masks from the same weights, with the official
drop path of 0.3 and softmax centring; their losses are compared before their times. A step is all
between a batch and the next: teacher, student, losses, gradients, clipping, AdamW, moving average.
What lightly-train does around it (Lightning's hooks, logging, drawing the masks) is left out.

lightly-train pins other versions of our needs, so it is no part of requirements-dev.txt.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.crops import example
from benchmarks.results import Result, Skipped
from benchmarks.timing import race
from dino_core.config import CropConfig, HeadConfig, TrainConfig, ViTConfig
from dino_core.masks import sample_masks
from dino_core.schedules import StepValues
from dino_core.step.batch import Batch
from dino_core.step.forward import Centers
from dino_core.step.train_step import train_step
from dino_core.student_teacher import StudentTeacher
from dino_core.update import build_optimiser
from dino_core.vit import VisionTransformer

PEER = "lightly-train"
MISSING = (
    "the steps beside lightly-train need a second environment, for it pins other versions than "
    "this project: make one with requirements-dev.txt in it and `pip install lightly-train==0.18.0`"
)
BFLOAT16_FLAG = "avx512_bf16"  # without it, bfloat16 products are imitated
VALUES = StepValues(
    learning_rate=1e-5,
    last_layer_learning_rate=1e-5,
    weight_decay=0.04,
    momentum=0.992,
    teacher_temperature=0.04,
)
WAIT_STEPS, WAIT_FIRST = 30, 3  # the first batches cannot be made ahead, and are not counted


@dataclass(frozen=True)
class Case:
    """The size of a step."""

    name: str
    vit: ViTConfig
    crops: CropConfig
    pictures: int

    @property
    def config(self) -> TrainConfig:
        vit = replace(
            self.vit,
            layer_scale_init=1e-5,
            drop_path=0.3,
            image_size=self.crops.global_size,
            fused_attention=False,
        )
        return TrainConfig(vit=vit, dino_head=HeadConfig(prototypes=4096), crops=self.crops)

    def __str__(self) -> str:
        crops = self.crops
        return f"{self.name}, 2 x {crops.global_size} + {crops.local_count} x {crops.local_size} px"


TINY = Case(
    "ViT-Ti",
    ViTConfig(dim=192, heads=3),
    CropConfig(global_size=98, local_size=42, local_count=6),
    pictures=16,
)
SMALL = Case("ViT-S", ViTConfig(), CropConfig(), pictures=4)


def run(quick: bool) -> Iterator[Result]:
    yield waiting(steps=10 if quick else WAIT_STEPS)
    if find_spec("lightly_train") is None:
        raise Skipped(MISSING)
    for case in (TINY,) if quick else (TINY, SMALL):
        yield from against_lightly_train(case, seconds=5 if quick else 90)


def against_lightly_train(case: Case, seconds: float) -> Iterator[Result]:
    """float32 against float32, then our bfloat16 against float32."""
    native = has_bfloat16()
    ours, theirs = contestants(case)
    runners = {"ours": ours, PEER: theirs}
    if native or case is TINY:  # imitated, it takes longer than float32: once is enough to know
        runners["bfloat16"] = our_step(replace(case.config, bfloat16=True), random_batch(case))
    times = race(runners, seconds)
    yield Result(
        name=str(case),
        value=times.ratio("ours", PEER),
        unit=f"of {PEER}",
        at_most=1.0,
        note=f"{times.note('ours', PEER)}, {case.pictures} pictures, float32",
    )
    if "bfloat16" in runners:
        yield Result(
            name=f"{case}, bf16",
            value=times.ratio("bfloat16", PEER),
            unit="of its float32",
            at_most=0.6 if native else None,
            note=times.note("bfloat16", PEER)
            + ("" if native else ", no bar: this processor has no AVX512-BF16"),
        )


def contestants(case: Case) -> tuple[Callable[[], float], Callable[[], float]]:
    """Our step and theirs, on one batch from the same weights. ValueError unless they agree."""
    config, batch = case.config, random_batch(case)
    ours, theirs = our_step(config, batch), lightly_step(config, batch)
    torch.manual_seed(0)  # theirs draws its dropped paths from here, in the order of ours
    torch.testing.assert_close(ours(), theirs(), rtol=1e-4, atol=0)
    return ours, theirs


def random_batch(case: Case) -> Batch:
    generator = torch.Generator().manual_seed(0)
    crops, side = case.crops, case.crops.global_size // case.vit.patch_size

    def noise(count: int, size: int) -> Tensor:
        return torch.randn(count * case.pictures, 3, size, size, generator=generator)

    masks = sample_masks(2 * case.pictures, (side, side), case.config.masks, generator).masks
    return Batch.from_crops(
        noise(2, crops.global_size), noise(crops.local_count, crops.local_size), masks
    )


def our_step(
    config: TrainConfig,
    batch: Batch,
    device: str = "cpu",
    change: Callable[[VisionTransformer], object] | None = None,
) -> Callable[[], float]:
    """A call trains once and gives the loss; all start from the same weights.

    The batch is on that device. `change` is done to both backbones first.
    """
    pair = new_pair(config).to(device)
    if change:
        for side in (pair.student, pair.teacher):
            change(side.backbone)
    optimiser = build_optimiser(pair.student.parts, config.optim)
    centers = Centers.zeros(config, torch.device(device))
    generator = torch.Generator().manual_seed(0)

    def step() -> float:
        nonlocal centers
        result = train_step(pair, batch, optimiser, VALUES, config, centers, generator=generator)
        centers = result.centers
        return result.loss

    return step


def new_pair(config: TrainConfig) -> StudentTeacher:
    return StudentTeacher(config, generator=torch.Generator().manual_seed(1))


# --- lightly-train


def lightly_step(config: TrainConfig, batch: Batch) -> Callable[[], float]:
    """The same with lightly-train's method and optimiser; Lightning's trainer is left out."""
    dinov2 = import_module("lightly_train._methods.dinov2.dinov2")
    method = lightly_method(dinov2, config)
    (optimiser,), (schedule,) = method.configure_optimizers()
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    views = [
        *batch.global_crops.chunk(2),
        *batch.local_crops.chunk(config.crops.local_count),
    ]
    masks = {
        "collated_masks": batch.masks,
        "mask_indices_list": batch.mask_indices,
        "masks_weight": batch.mask_weights,
    }

    def step() -> float:
        with patch.object(dinov2, "create_collated_masks", return_value=masks):
            loss = method.training_step_impl({"views": views}, 0).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, method.method_args.gradient_clip_val)
        method.on_before_optimizer_step(optimiser)
        optimiser.step()
        schedule["scheduler"].step()
        method.on_train_batch_end(None, {"views": views}, 0)
        return loss.item()

    return step


def lightly_method(dinov2: Any, config: TrainConfig) -> Any:
    """lightly-train's DINOv2 with the weights of `new_pair`."""
    package = import_module("lightly_train._models.dinov2_vit.dinov2_vit")
    embedding = import_module("lightly_train._models.embedding_model")
    layers = import_module("lightly_train._models.dinov2_vit.dinov2_vit_src.layers")
    vit, head = config.vit, config.dino_head
    backbone = package.DinoVisionTransformer(
        img_size=vit.image_size,
        patch_size=vit.patch_size,
        embed_dim=vit.dim,
        depth=vit.depth,
        num_heads=vit.heads,
        init_values=vit.layer_scale_init,
        drop_path_rate=vit.drop_path,
        drop_path_uniform=True,
        block_chunks=0,
        block_fn=partial(layers.NestedTensorBlock, attn_class=layers.MemEffAttention),
        interpolate_offset=vit.position_offset,
        interpolate_antialias=vit.position_antialias,
    )
    arguments = dinov2.DINOv2Args(
        hidden_dim=head.hidden,
        dino_bottleneck_dim=head.bottleneck,
        output_dim=head.prototypes,
        weight_decay_start=VALUES.weight_decay,
    )

    class WithoutTrainer(dinov2.DINOv2):
        def _log_time_batch_end(self) -> None:
            """Goes to Lightning's loggers, which nobody asked for."""

    ours = new_pair(config).student
    backbone.load_state_dict(ours.backbone.state_dict())
    method = WithoutTrainer(
        method_args=arguments,
        optimizer_args=dinov2.DINOv2AdamWViTArgs(lr=VALUES.learning_rate),
        embedding_model=embedding.EmbeddingModel(package.DINOv2ViTModelWrapper(backbone)),
        global_batch_size=arguments.reference_batch_size,
        num_input_channels=vit.channels,
    )
    method._trainer = SimpleNamespace(
        global_step=0, estimated_stepping_batches=125_000, max_epochs=100
    )
    weights = {
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): value
        for name, value in ours.dino_head.state_dict().items()
    }
    for side in (method.student_head, method.teacher_head):
        side.dino_head.load_state_dict(weights)
    return method


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 numbers itself, where Linux tells."""
    try:
        return BFLOAT16_FLAG in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False


# --- waiting for pictures


def waiting(steps: int, pictures: int = 128) -> Result:
    """A run of preset tiny as a person starts it, on two cores, on photos of 500 x 375 px."""
    with TemporaryDirectory() as place:
        folder, out = Path(place, "pictures"), Path(place, "run")
        folder.mkdir()
        for i in range(pictures):
            example().rotate(i).save(folder / f"{i:03}.jpg", quality=90)
        words = f"-m dino_core train --preset tiny --steps {steps}".split()
        done = subprocess.run(
            [sys.executable, *words, "--data", folder, "--run", out],
            capture_output=True,
            text=True,
            preexec_fn=on_two_cores,
        )
        if done.returncode:
            raise RuntimeError(f"The run ended early: {done.stderr}")
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    clocked = [line for line in lines if "data_wait" in line][WAIT_FIRST:]
    seconds = sum(line["seconds"] for line in clocked)
    waited = sum(line["data_wait"] * line["seconds"] for line in clocked)
    return Result(
        name="waiting for pictures, preset tiny",
        value=waited / seconds,
        unit="of a step, two cores",
        at_most=0.10,
        note=f"{len(clocked)} steps of {seconds / len(clocked):.2f} s",
    )


def on_two_cores() -> None:
    """In the process to be started; systems without it keep all cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
