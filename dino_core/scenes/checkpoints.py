"""A checkpoint that a visitor brings: read as strictly as any, and what there is to say of it."""

import sys
from pathlib import Path
from typing import TypedDict

from dino_core.weights.variants import VARIANTS


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


def read_checkpoint(path: Path, digest: str) -> CheckpointFacts:
    """Loads the backbone of a file, whatever its layout, and lets it go again.

    `digest`: SHA-256 of the file, by which an official one is known under any name. ValueError in
    one sentence, in which the file has its name and no folder, for whatever is no checkpoint.
    """
    from dino_core.runs.checkpoint_pairs import holds_pair
    from dino_core.weights import load_backbone
    from dino_core.weights.backbone import architecture_name

    try:
        backbone = load_backbone(weights=path)
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), path.name)) from None
    except MemoryError:
        raise ValueError(f"{path.name} is too large for the memory of this machine.") from None
    except Exception as error:  # what nobody thought of is no reason to fall over
        print(f"A checkpoint could not be read: {error!r}", file=sys.stderr, flush=True)
        raise ValueError(
            f"{path.name} could not be read as a checkpoint: it holds what no trainer writes."
        ) from error
    info, config = backbone.info, backbone.vit.config
    same = next((one for one in VARIANTS if one.official and one.sha256 == digest), None)
    notes = [*info.notes]
    if same is not None and not info.official:
        notes.append(f"By its checksum it is the published file of {same.title}.")
    return {
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
