"""One model for N processes: each keeps a shard, an N-th, of every parameter, and of what goes with
it: its gradient, AdamW's two memories, the teacher's copy. `distributed.py` says what that saves.

PyTorch's FSDP2 does the work, unit by unit. A unit is a block, what else there is of a backbone, or
a head. In student and teacher alike

    before a unit's forward    its parameters are gathered from all processes
    after it                   they are let go; the backward pass gathers them once more
    after its backward         its gradients are averaged over the processes, and cut into shards

Between two passes every parameter is its shard (a `DTensor`), under its old name. AdamW and the
moving average go element by element and so take shards as they are; a gradient's norm is added up
over all of them. On disk there are none: what is written was gathered before, what is read is cut
up, and a checkpoint does not tell how many processes made it.

PyTorch's distributed tensors take a second to import; only a run with shards pays for it.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache

import torch
import torch.distributed as dist
from torch import Tensor, nn

from dino_core.student_teacher import Network, StudentTeacher
from dino_core.update import is_shard, whole
from dino_core.vit import VisionTransformer, ViTOutput


def shard_pair(pair: StudentTeacher, group: dist.ProcessGroup, device: torch.device) -> None:
    """Leaves each process of the group its shards, on `device`.

    The pair comes whole, the same in every process, and may lie in the computer's own memory: one
    unit after the other is on the device as a whole.
    """
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    show_tensors_of_output()
    mesh = DeviceMesh.from_group(group, device.type)
    for network in (pair.student, pair.teacher):
        for unit in units(network):
            # Left to itself FSDP lets the backbone and the heads, outermost as they are, stay whole
            # after their forward: the moving average would meet a teacher without shards.
            sharded = fully_shard(unit, mesh=mesh, reshard_after_forward=True)
            if device.type == "cpu":  # gloo adds up, but has no mean: divided afterwards
                sharded.set_force_sum_reduction_for_comms(True)
        for block in network.backbone.blocks:  # with drop path it is not `forward` that is called
            register_fsdp_forward_method(block, "train_forward")


def units(network: Network) -> list[nn.Module]:
    """What is gathered at once, inner ones first: the backbone is what its blocks leave over."""
    heads = [part for name, part in network.parts.items() if name != "backbone"]
    return [*network.backbone.blocks, network.backbone, *heads]


@cache  # a class can be registered once
def show_tensors_of_output() -> None:
    """FSDP gathers a unit for the backward pass when a gradient reaches a tensor that it gave out.
    It finds those in lists and dicts; that a ViTOutput holds some it must be told.
    """
    from torch.utils._pytree import register_dataclass

    register_dataclass(ViTOutput, field_names=[field.name for field in fields(ViTOutput)])


def gathered(tensors: Mapping[str, Tensor], keep: bool) -> dict[str, Tensor]:
    """The same with whole tensors for shards, in the computer's own memory; nothing if not kept.

    Where there are shards all processes must call it, with the same names in the same order. It
    goes one by one, so that a device needs room for a single whole tensor.
    """
    found = {}
    for name, tensor in tensors.items():
        one = whole(tensor.detach())
        if keep:
            found[name] = one.cpu() if is_shard(tensor) else one
    return found


def as_shards(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The way back: a shard of each tensor that is one in `like`, the others as they are."""
    return {
        name: shard_of(tensor, like[name]) if name in like else tensor
        for name, tensor in tensors.items()
    }


def shard_of(tensor: Tensor, like: Tensor) -> Tensor:
    """This process's shard of a tensor that all have whole; the tensor itself if `like` is none."""
    if not is_shard(like):
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)
    # Without a source everybody cuts up its own copy, and nothing is sent.
    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)


def whole_backbone(vit: VisionTransformer, keep: bool) -> VisionTransformer | None:
    """A backbone that a process can ask alone: `vit` itself, or of one in shards a whole copy; None
    if not kept. All processes must call it.
    """
    if not is_shard(vit.pos_embed):
        return vit if keep else None
    weights = gathered(vit.state_dict(), keep)
    if not keep:
        return None
    copy = VisionTransformer(vit.config, device="meta")
    copy.load_state_dict(weights, assign=True)
    return copy.requires_grad_(False).to(vit.pos_embed.device).train(vit.training)
