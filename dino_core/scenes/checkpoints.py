"""A checkpoint that a visitor brings: read as strictly as any, and what there is to say of it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from dino_core.weights.untold import Field, Untold
from dino_core.weights.variants import VARIANTS

if TYPE_CHECKING:
    from dino_core.weights import Backbone

__all__ = ["CheckpointFacts", "Field", "Untold", "read_checkpoint", "rewritten", "unpacked"]


class CheckpointFacts(TypedDict):
    """What a page tells about a checkpoint. The names are those of its JSON."""

    layout: str  # whose names its tensors have: "official", "Hugging Face", ...
    architecture: str  # "ViT-S/14", or its numbers
    parameters: int  # of the backbone
    dim: int
    depth: int
    heads: int
    patch_size: int  # px
    image_size: tuple[int, int]  # px, (height, width) at which its positions were learned
    registers: int
    pair: bool  # student and teacher with their heads: its losses can be looked at
    licence: str
    source: str
    notes: list[str]  # what was set aside, made up or chosen
    classifier: NotRequired[str]  # what a classifier beside the backbone reads; absent without one


def read_checkpoint(path: Path, digest: str) -> CheckpointFacts:
    """Loads the backbone of a file, whatever its layout, and lets it go again.

    `digest`: SHA-256 of the file, by which an official one is known under any name. ValueError in
    one sentence, in which the file has its name and no folder, for whatever is no checkpoint; of
    those Untold for one that can be read once more is said of it: see `rewritten`.
    """
    from dino_core.runs.checkpoint_pairs import holds_pair
    from dino_core.weights.backbone import architecture_name

    backbone = _loaded(path)
    info, config = backbone.info, backbone.vit.config
    same = next((one for one in VARIANTS if one.official and one.sha256 == digest), None)
    notes = [*info.notes]
    if same is not None and not info.official:
        notes.append(f"By its checksum it is the published file of {same.title}.")
    facts: CheckpointFacts = {
        "layout": info.layout,
        "architecture": architecture_name(config),
        "parameters": info.parameters,
        "dim": config.dim,
        "depth": config.depth,
        "heads": config.heads,
        "patch_size": config.patch_size,
        "image_size": config.image_sides,
        "registers": config.registers,
        "pair": holds_pair(path),
        "licence": info.licence,
        "source": info.source,
        "notes": notes,
    }
    if backbone.classifier is not None:
        facts["classifier"] = backbone.classifier.words
    return facts


def unpacked(path: Path, most: int) -> Path:
    """A Hugging Face folder in a zip -> the file of its weights, its config.json beside it; the zip
    is gone then. Any other file as it is. ValueError in a sentence."""
    from dino_core.weights.zipped import unpack_folder

    return unpack_folder(path, most) or path


def rewritten(path: Path, said: Mapping[str, str]) -> Path:
    """The backbone of a file as one of ours, and a classifier beside it, which needs no words:
    heads, grid and branch as a person has `said` them. The file itself is gone then.

    ValueError as of `read_checkpoint`, and where what was said cannot be.
    """
    from dino_core.finetuning.classifier import save_brought
    from dino_core.weights import save_backbone

    backbone = _loaded(path, **_arguments(said))
    words = ", ".join(f"{name} {value or '(no prefix)'}" for name, value in said.items())
    own = path.with_name(f"{path.stem}.own.safetensors")
    source, licence = f"{path.name}, read with {words}", backbone.info.licence
    if backbone.classifier is None:
        save_backbone(backbone.vit, own, {"source": source, "licence": licence})
    else:
        save_brought(backbone, own, source)
    path.unlink()
    return own.rename(path.with_name(f"{path.stem}.safetensors"))


def _arguments(said: Mapping[str, str]) -> dict[str, Any]:
    """Words as the command line takes them -> arguments of `load_backbone`."""
    found: dict[str, Any] = dict(said)
    try:
        if "heads" in said:
            found["heads"] = int(said["heads"])
        if "grid" in said:
            rows, columns = map(int, said["grid"].split("x"))
            found["grid"] = rows, columns
    except ValueError:
        raise ValueError("Heads are a whole number, and a grid is ROWSxCOLUMNS.") from None
    if found.get("heads", 1) < 1:
        raise ValueError("A model has at least one head.")
    return found


def _loaded(path: Path, **arguments: Any) -> "Backbone":
    from dino_core.weights import load_backbone

    try:
        return load_backbone(weights=path, **arguments)
    except Untold as error:
        what = error.what.replace(str(path), path.name)
        raise Untold(what, error.advice, error.field, error.choices) from None
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), path.name)) from None
    except MemoryError:
        raise ValueError(f"{path.name} is too large for the memory of this machine.") from None
    except Exception as error:  # what nobody thought of is no reason to fall over
        print(f"A checkpoint could not be read: {error!r}", file=sys.stderr, flush=True)
        raise ValueError(
            f"{path.name} could not be read as a checkpoint: it holds what no trainer writes."
        ) from error
