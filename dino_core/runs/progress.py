"""What changes from step to step: as it begins, onto the disk, and back."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from dino_core.config import TrainConfig
from dino_core.runs import checkpoints
from dino_core.runs.checkpoints import Checkpoint
from dino_core.runs.folder import RunFolder, read_metrics
from dino_core.runs.presets import RunConfig
from dino_core.runs.pretrained_heads import (
    OWN,
    copy_heads,
    fitting_heads,
    load_heads,
)
from dino_core.runs.request import (
    NEW_HEADS,
)
from dino_core.runs.setup import Setup, heads_file, start_weights, stored_setup
from dino_core.step import diagnosis
from dino_core.step.diagnosis import Metrics
from dino_core.step.distributed import World
from dino_core.step.forward import Centers
from dino_core.step.loader import generator_for
from dino_core.step.sharding import as_shards, gathered, shard_pair
from dino_core.student_teacher import Network, StudentTeacher
from dino_core.update import ParameterRule, build_optimiser, is_shard
from dino_core.weights.files import read_state_dict


class Counted(Protocol):
    """What a loop knows of any run: how far it is, and how fast."""

    step: int  # steps done
    durations: deque[float]  # seconds of the newest steps


@dataclass
class Progress:
    """What changes from step to step."""

    pair: StudentTeacher
    optimiser: torch.optim.Optimizer
    centers: Centers
    step: int = 0  # steps done
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=50))  # seconds a step


def begin(setup: Setup, device: torch.device, group: dist.ProcessGroup | None = None) -> Progress:
    """Networks, optimiser and centres of step 0: drawn from the seed, or from given weights.

    In shards if the setup says so; without a group always whole.
    """
    config = setup.run
    pair = StudentTeacher(config.train, generator=generator_for(config.seed, "weights", 0))
    backbone = start_weights(setup)
    if backbone is not None:
        pair.student.backbone.load_state_dict(backbone.vit.state_dict())
        pair.copy_student()
    if setup.heads not in (None, NEW_HEADS):
        copy_heads(fitting_heads(heads_file(str(setup.heads)), config.train), pair)
    if setup.shard and group is not None:
        shard_pair(pair, group, device)
    else:
        pair.to(device)
    return Progress(pair, run_optimiser(pair.student, config), Centers.zeros(config.train, device))


def run_optimiser(student: Network, config: RunConfig) -> torch.optim.Optimizer:
    """AdamW over everything that will ever move, the backbone at its own rate."""
    set_trainable(student, config, config.steps)
    optimiser = build_optimiser(student.parts, config.train.optim)
    body = set(student.backbone.parameters())
    for group in optimiser.param_groups:
        rule: ParameterRule = group["rule"]
        first, *others = group["params"]
        rate = rule.learning_rate
        if config.mask_token_rate and first is student.backbone.mask_token and not others:
            rate = config.mask_token_rate
        elif first in body:
            rate *= config.backbone_rate
        group["rule"] = replace(rule, learning_rate=rate)
        if is_shard(first):  # PyTorch takes shards one by one unless it is told otherwise
            group["foreach"], group["fused"] = True, False
    return optimiser


def set_trainable(student: Network, config: RunConfig, step: int) -> None:
    """Which parameters have a gradient at a step: a function of the step, so nothing is stored."""
    backbone = student.backbone
    if config.trainable_blocks is None and not config.head_steps:
        return
    everything = config.trainable_blocks is None and step >= config.head_steps
    backbone.requires_grad_(everything)
    if config.trainable_blocks and step >= config.head_steps:
        blocks = list(backbone.blocks)[-config.trainable_blocks :]
        for part in (*blocks, backbone.norm):
            part.requires_grad_(True)
    backbone.mask_token.requires_grad_(True)


# --- checkpoints


def save(run: RunFolder, progress: Progress, config: RunConfig, world: World) -> None:
    """All that the next step needs. The centres have the official names and shapes.

    The first process writes; the others must call it too, for it may need their shards.
    """
    pair = progress.pair
    model: dict[str, Tensor] = {
        **gathered(pair.kept(), world.first),
        "dino_loss.center": progress.centers.dino[None],
        "ibot_patch_loss.center": progress.centers.ibot[None, None],
    }
    memory = checkpoints.optimiser_tensors(progress.optimiser, pair.student)
    optimiser = gathered(memory, world.first)
    if not world.first:
        return
    checkpoints.save_checkpoint(
        run.checkpoints,
        Checkpoint(
            progress.step,
            model,
            optimiser,
            {"preset": config.preset, "steps": config.steps},
        ),
        keep=config.is_milestone,
        whole=next(good_steps(run, read_metrics(run.path)), None) if config.keep_good else None,
        metadata={"config": json.dumps(asdict(config.train.vit))},
    )


def good_steps(run: RunFolder, lines: Sequence[Metrics]) -> Iterator[int]:
    """Steps from which the run can go on and at which it had not collapsed, the newest first."""
    for step in reversed(checkpoints.steps_in(run.checkpoints, to_resume=True)):
        if not diagnosis.has_collapsed([line for line in lines if line["step"] <= step]):
            yield step


def restore(progress: Progress, found: Checkpoint) -> None:
    model = dict(found.model)
    device = progress.centers.dino.device
    dino, ibot = model.pop("dino_loss.center"), model.pop("ibot_patch_loss.center")
    progress.pair.load_kept(as_shards(model, progress.pair.kept()))
    progress.centers = Centers(dino[0].to(device), ibot[0, 0].to(device))
    checkpoints.load_optimiser(progress.optimiser, progress.pair.student, found.optimiser)
    progress.step = found.step


def open_pair(path: str | Path) -> tuple[StudentTeacher, TrainConfig, str]:
    """A run's folder, or a file of heads -> pair, configuration, and the name of the backbone."""
    if Path(path).is_file():
        pair, config = load_heads(path)
        return pair, config, read_state_dict(path)[1]["backbone"]
    run = RunFolder(Path(path))
    setup = stored_setup(run)
    found, problems = checkpoints.newest_checkpoint(run.checkpoints)
    if found is None:
        raise ValueError(" ".join([f"{path} has no checkpoint yet.", *problems]))
    progress = begin(setup, torch.device("cpu"))
    restore(progress, found)
    stood_still = setup.run.trainable_blocks == 0
    return progress.pair, setup.run.train, setup.model if stood_still and setup.model else OWN
