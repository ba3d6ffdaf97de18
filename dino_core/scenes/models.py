"""The left rail: which models can be chosen, and loading one, which alone imports torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dino_core.draw.colours import ANCHORS, colour_table
from dino_core.weights import catalogue, default_model, find_variant
from dino_core.weights.variants import PREVIEW, Variant, standing_of

if TYPE_CHECKING:
    from dino_core.scenes.checkpoints import CheckpointFacts
    from dino_core.weights import Backbone


__all__ = [
    "PREVIEW",
    "ModelChoice",
    "check_device",
    "colour_maps",
    "describe_checkpoint",
    "describe_model",
    "first_model",
    "load_model",
    "model_choices",
    "weights_file",
]


STANDINGS = {
    "verified": "Official weights, checksum verified",
    "claimed": "Says it is official, not verified",
    "other": "Not the official weights",
}


@dataclass(frozen=True)
class ModelChoice:
    """One line of the list of models."""

    name: str
    label: str
    on_disk: bool


def check_device(name: str) -> None:
    """ValueError in a sentence unless models can be loaded there; waits for torch."""
    from dino_core.weights.devices import check_device as check

    check(name)


def model_choices() -> list[ModelChoice]:
    """The bundled preview and the official models, with what to know before one is chosen."""
    return [ModelChoice(one.name, one.title + _remark(one), one.on_disk) for one in catalogue()]


def _remark(variant: Variant) -> str:
    """What a line of the list adds: the size of a download, or a claim that nothing verifies."""
    if variant.path is None:
        return f" ({variant.megabytes} MB to download)"
    unknown = variant.sha256 is None or variant.path.name != variant.file
    return " (says it is official, not verified)" if variant.official and unknown else ""


def first_model() -> str:
    """What is shown before anybody chooses: official weights if they are on disk."""
    return default_model()


def weights_file(name: str) -> Path | None:
    """Where a model of the catalogue lies on this disk; None when it has to be downloaded."""
    return find_variant(name).path


def load_model(
    name: str | None,
    weights: str | Path | None = None,
    device: str = "cpu",
    download: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> "Backbone":
    """A model from the catalogue, or a file. ValueError in a plain sentence."""
    from dino_core.weights import load_backbone

    return load_backbone(name, weights, device=device, download=download, progress=progress)


def describe_model(name: str, backbone: "Backbone | None" = None) -> list[str]:
    """What the weights are, in honest lines of which the first is short.

    A model of the catalogue is described without loading it; a file of one's own needs `backbone`.
    """
    if backbone is not None:
        info, config = backbone.info, backbone.vit.config
        known = (info.title, info.parameters, info.source, info.licence, info.notes)
        standing = info.standing
    else:
        one = find_variant(name)
        config = one.config
        known = (one.title, one.parameters, one.source, one.licence, one.notes)
        standing = standing_of(one.path, one) if one.path else "other"
        if one.official and one.path is None:
            standing = "claimed"
    title, parameters, source, licence, notes = known
    first = STANDINGS[standing]
    return [
        first,
        f"{title}: {parameters / 1e6:.1f} million parameters, width {config.dim}, "
        f"{config.depth} layers of {config.heads} heads.",
        f"Source: {source}. Licence: {licence}.",
        *notes,
    ]


def describe_checkpoint(facts: "CheckpointFacts", digest: str, size: int) -> list[str]:
    """The same of a visitor's checkpoint of `size` bytes, read off what was noted of it."""
    height, width = facts["image_size"]
    learned = f"{width} x {height} px"
    patch = facts["patch_size"]
    return [
        f"Your checkpoint: {facts['architecture']}",
        f"{facts['parameters'] / 1e6:.1f} million parameters, width {facts['dim']}, "
        f"{facts['depth']} layers of {facts['heads']} heads, patches of {patch} px; its positions "
        f"were learned at {learned}.",
        f"File: {size / 1e6:,.1f} MB, layout: {facts['layout']}. SHA-256: {digest}.",
        f"Source: {facts['source']}. Licence: {facts['licence']}.",
        *facts["notes"],
    ]


def colour_maps() -> dict[str, list[list[int]]]:
    """The colour maps, 256 x RGB each: one table for pictures drawn in Python and on the page."""
    return {name: colour_table(name).tolist() for name in ANCHORS}
