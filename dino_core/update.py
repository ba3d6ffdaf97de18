"""From gradients to new weights: parameter groups, clipping, AdamW, the teacher's moving average.

Official files `utils/param_groups.py`, `train/train.py` and `train/ssl_meta_arch.py`. The teacher
of ViT-g was moved like this. ViT-S, B and L were distilled from that ViT-g, which stood still; the
moving average of their student, kept beside, is what was released (paper, section 5). In a step:

    apply_schedule(optimiser, values)
    ... backward ...
    clip_gradients(student.parts, 3.0)
    optimiser.step()
    update_teacher(student, teacher, momentum)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from dino_core.config import OptimConfig
from dino_core.schedules import StepValues

EMBEDDINGS = ("cls_token", "pos_embed", "register_tokens", "mask_token", "patch_embed")


@dataclass(frozen=True)
class ParameterRule:
    """How the scheduled values apply to one parameter."""

    learning_rate: float  # factor
    weight_decay: float  # factor, 0 or 1
    last_layer: bool  # follows the prototypes' learning rate


def parameter_rule(name: str, depth: int, config: OptimConfig) -> ParameterRule:
    """The rule for a parameter of a backbone with `depth` blocks, or of a head (depth 0).

    Learning rate, with layer decay r:   embeddings        r ** (depth + 1)
                                         block i           r ** (depth - i)
                                         final norm, head  1
    The patch embedding is slowed down once more. Biases, norms and LayerScale do not decay.
    """
    block = re.match(r"blocks\.(?:\d+\.)?(\d+)\.", name)  # the large official models chunk blocks
    distance = 0
    if name.startswith(EMBEDDINGS):
        distance = depth + 1
    elif block:
        distance = depth - int(block[1])
    factor = config.layer_decay**distance
    if name.startswith("patch_embed"):
        factor *= config.patch_embed_factor
    bias = name == "bias" or name.endswith(".bias")  # of a layer that stands by itself, or within
    decays = not (bias or "norm" in name or "gamma" in name)
    return ParameterRule(factor, float(decays), "last_layer" in name)


def parameter_groups(
    module: nn.Module, config: OptimConfig, depth: int = 0
) -> list[dict[str, Any]]:
    """A module's trainable parameters, those with the same rule together, for an optimiser.

    Each group: {"params": [...], "rule": ParameterRule}.
    """
    groups: dict[ParameterRule, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(parameter_rule(name, depth, config), []).append(parameter)
    return [{"params": parameters, "rule": rule} for rule, parameters in groups.items()]


def build_optimiser(parts: Mapping[str, nn.Module], config: OptimConfig) -> torch.optim.AdamW:
    """AdamW over the parts of a student. Learning rate and weight decay come from the schedule.

    Fused: one pass over the memory instead of one for each operation, in a quarter of the time.
    """
    groups = []
    for part in parts.values():
        blocks = getattr(part, "blocks", ())
        groups += parameter_groups(part, config, depth=len(blocks))
    return torch.optim.AdamW(groups, lr=0.0, weight_decay=0.0, betas=config.betas, fused=True)


def apply_schedule(optimiser: torch.optim.Optimizer, values: StepValues) -> None:
    """Writes this step's learning rate and weight decay into every group."""
    for group in optimiser.param_groups:
        rule: ParameterRule = group["rule"]
        rate = values.last_layer_learning_rate if rule.last_layer else values.learning_rate
        group["lr"] = rate * rule.learning_rate
        group["weight_decay"] = values.weight_decay * rule.weight_decay


@torch.no_grad()
def average_gradients(module: nn.Module, group: dist.ProcessGroup | None) -> None:
    """Mean of every gradient over the processes of a group; nothing to do for None.

    Gradients of shards (`step/sharding.py`) were averaged during the backward pass.
    """
    if group is None:
        return
    size = dist.get_world_size(group)
    for parameter in module.parameters():
        if parameter.requires_grad and not is_shard(parameter):
            # A parameter that was not used here may have been used by another process.
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad, group=group)
            parameter.grad /= size


def clip_gradients(parts: Mapping[str, nn.Module], limit: float | None) -> dict[str, Tensor]:
    """Scales each part's gradients to at most this norm; hands back the norms before.

    Backbone and heads are clipped one by one: large gradients of a head leave the backbone's alone.
    """
    bound = float("inf") if limit is None else limit
    return {
        name: whole(nn.utils.clip_grad_norm_(part.parameters(), bound))
        for name, part in parts.items()
    }


@torch.no_grad()
def update_teacher(student: nn.Module, teacher: nn.Module, momentum: float) -> None:
    """teacher = momentum * teacher + (1 - momentum) * student, for every parameter that learns.

    One that is frozen in the student is the same in both networks and left alone: in floating point
    m x + (1 - m) x is not quite x, and over a run the teacher would drift away.
    """
    leader: list[Tensor] = [p for p in student.parameters() if p.requires_grad]
    follower: list[Tensor] = [
        followed
        for p, followed in zip(student.parameters(), teacher.parameters(), strict=True)
        if p.requires_grad
    ]
    torch._foreach_mul_(follower, momentum)
    torch._foreach_add_(follower, leader, alpha=1 - momentum)


# --- tensors of which each process has a shard, see step/sharding.py


def is_shard(tensor: Tensor) -> bool:
    """Whether it is one, judged by its looks: importing its class, DTensor, takes a second."""
    return hasattr(tensor, "full_tensor")


def whole(tensor: Tensor) -> Tensor:
    """All of it, for which every process must ask; a tensor that is no shard as it is."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
