"""Checkpoints of a run: whole or not there, checked when read, the newest two and milestones kept.

    checkpoints/step-00000400.optimiser.safetensors    written first
    checkpoints/step-00000400.safetensors              written last: with it the checkpoint exists

The second file is the model, under the names of the official training checkpoints (`teacher.*`,
`student.*`, `dino_loss.center`), and `load_backbone` reads it as it is. The first one is only good
for going on; old milestones lose it. Each file carries a digest of its tensors, so that one that
was damaged on the disk is found out instead of trained on.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dino_core.step.sharding import shard_of
from dino_core.weights.files import read_state_dict
from dino_core.writing import replacing

KEPT = 2
MODEL = re.compile(r"step-(\d{8,})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """What one step left behind."""

    step: int  # steps done
    model: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    facts: dict[str, Any]  # whatever plain values were stored beside


def model_file(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08}.safetensors"


def optimiser_file(folder: Path, step: int) -> Path:
    return folder / f"step-{step:08}.optimiser.safetensors"


def steps_in(folder: Path, *, to_resume: bool = False) -> list[int]:
    """Steps with a checkpoint, oldest first; those from which a run can go on if asked."""
    if not folder.is_dir():
        return []
    found = (MODEL.fullmatch(path.name) for path in folder.iterdir())
    steps = sorted(int(match[1]) for match in found if match)
    return [s for s in steps if not to_resume or optimiser_file(folder, s).exists()]


def save_checkpoint(
    folder: Path,
    checkpoint: Checkpoint,
    *,
    keep: Callable[[int], bool] = lambda step: False,
    whole: int | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Writes both files to the side, then tidies up. An OSError leaves older checkpoints alone.

    `keep` says which steps are milestones, whose models stay for good; `whole` is a step whose
    memory of the optimiser stays as well.
    """
    step = checkpoint.step
    facts = json.dumps({"step": step, **checkpoint.facts})
    _write(optimiser_file(folder, step), checkpoint.optimiser, {"facts": facts})
    path = model_file(folder, step)
    _write(path, checkpoint.model, {**(metadata or {}), "facts": facts})
    _tidy(folder, keep, whole)
    return path


def load_checkpoint(folder: Path, step: int) -> Checkpoint:
    """ValueError, with the file's name, for one that is damaged or incomplete."""
    model, facts = _read(model_file(folder, step))
    optimiser, others = _read(optimiser_file(folder, step))
    if facts["step"] != step or others["step"] != step:
        raise ValueError(f"{model_file(folder, step)} belongs to another step.")
    return Checkpoint(step, model, optimiser, facts)


def newest_checkpoint(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest one that is whole, and a sentence for each that had to be passed over."""
    complaints: list[str] = []
    for step in reversed(steps_in(folder, to_resume=True)):
        try:
            return load_checkpoint(folder, step), complaints
        except ValueError as error:
            complaints.append(str(error))
    return None, complaints


def remove_after(folder: Path, step: int) -> None:
    """Takes away what is newer than the checkpoint a run goes on from, and half-written files."""
    for newer in [s for s in steps_in(folder) if s > step]:
        model_file(folder, newer).unlink()
        optimiser_file(folder, newer).unlink(missing_ok=True)
    for partial in folder.glob("step-*.part"):
        partial.unlink(missing_ok=True)


def _tidy(folder: Path, keep: Callable[[int], bool], whole: int | None) -> None:
    steps = [step for step in steps_in(folder) if step != whole]
    for step in steps[:-KEPT]:
        optimiser_file(folder, step).unlink(missing_ok=True)
        if not keep(step):
            model_file(folder, step).unlink(missing_ok=True)


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as partial:
        try:
            save_file(ready, partial, {**metadata, "format": "pt", "digest": digest(ready)})
        except Exception as error:  # safetensors has an exception of its own for a full disk
            if isinstance(error, OSError):
                raise
            raise as_os_error(error, path) from error


def as_os_error(error: Exception, path: Path) -> Exception:
    """`I/O error: File too large (os error 27)` -> OSError(27, ...); anything else as it is."""
    match = re.search(r"(.*?)\(os error (\d+)\)", str(error))
    if match is None:
        return error
    return OSError(int(match[2]), match[1].split(":")[-1].strip(), str(path))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    mapped, metadata = read_state_dict(path)
    # Copied: mapped memory changes with the file, and is not aligned as the arithmetic likes it.
    tensors = {name: tensor.clone() for name, tensor in mapped.items()}
    if metadata.get("digest") != digest(tensors):
        raise ValueError(f"{path} is damaged: its contents are not those that were written.")
    return tensors, json.loads(metadata["facts"])


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A fingerprint of names, shapes, types and every byte."""
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu()
        total.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


# --- optimisers under the names of their parameters


def optimiser_tensors(optimiser: torch.optim.Optimizer, module: nn.Module) -> dict[str, Tensor]:
    """The optimiser's memory by name, such as `exp_avg/backbone.norm.weight`."""
    names: dict[Any, str] = {parameter: name for name, parameter in module.named_parameters()}
    return {
        f"{kind}/{names[parameter]}": torch.as_tensor(value)
        for parameter, state in optimiser.state.items()
        for kind, value in state.items()
    }


@torch.no_grad()
def load_optimiser(
    optimiser: torch.optim.Optimizer, module: nn.Module, tensors: Mapping[str, Tensor]
) -> None:
    """Puts it back. ValueError for a name that no parameter has."""
    parameters = dict(module.named_parameters())
    fused = {id(one): group["fused"] for group in optimiser.param_groups for one in group["params"]}
    optimiser.state.clear()
    for key, tensor in tensors.items():
        kind, _, name = key.partition("/")
        if name not in parameters or (parameters[name].shape != tensor.shape and kind != "step"):
            raise ValueError(f"The optimiser's memory has {key}, which does not fit the model.")
        parameter = parameters[name]
        if kind == "step":
            # The fused AdamW counts beside the parameter, the plain one on the processor.
            value = tensor.to(parameter.device if fused[id(parameter)] else "cpu", copy=True)
        else:
            value = shard_of(tensor, parameter).to(parameter.device, copy=True)
        optimiser.state[parameter][kind] = value
