"""The left rail: which models can be chosen, and loading one, which alone imports torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dino_core.draw.colours import ANCHORS, colour_table
from dino_core.weights import catalogue, default_model

if TYPE_CHECKING:
    from dino_core.weights import Backbone


@dataclass(frozen=True)
class ModelChoice:
    """One line of the list of models."""

    name: str
    label: str
    on_disk: bool


def model_choices() -> list[ModelChoice]:
    """The bundled preview and the official models; those that are not on disk say their size."""
    return [
        ModelChoice(
            name=variant.name,
            label=variant.title
            + ("" if variant.on_disk else f" ({variant.megabytes} MB to download)"),
            on_disk=variant.on_disk,
        )
        for variant in catalogue()
    ]


def first_model() -> str:
    """What is shown before anybody chooses: official weights if they are on disk."""
    return default_model()


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


def describe_model(backbone: "Backbone") -> list[str]:
    """What the weights are, in honest lines of which the first is short."""
    info = backbone.info
    first = "Official weights" if info.official else "Not the official weights"
    return [
        f"{first}: {info.title}",
        f"{info.parameters / 1e6:.1f} million parameters, width {backbone.vit.config.dim}, "
        f"{backbone.vit.config.depth} layers of {backbone.vit.config.heads} heads",
        f"Source: {info.source}. Licence: {info.licence}.",
        *info.notes,
    ]


def colour_maps() -> dict[str, list[list[int]]]:
    """The colour maps, 256 x RGB each: one table for pictures drawn in Python and on the page."""
    return {name: colour_table(name).tolist() for name in ANCHORS}
