"""load_backbone: a name or a file -> a model that is ready, and the truth about its weights."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights import fetch
from dino_core.weights.architecture import (
    config_from_hugging_face,
    config_from_metadata,
    infer_config,
    load_state,
    stated_grid,
)
from dino_core.weights.classifiers import LinearClassifier, find_classifier
from dino_core.weights.devices import check_device
from dino_core.weights.fetch import Progress
from dino_core.weights.files import CONFIG, read_state_dict
from dino_core.weights.layouts import Converted, Layout, convert
from dino_core.weights.untold import Untold
from dino_core.weights.variants import (
    VARIANTS,
    Standing,
    Variant,
    default_model,
    find_variant,
    not_on_disk,
    sha256,
    standing_of,
    weights_folder,
)


@dataclass(frozen=True)
class WeightsInfo:
    """What a person should know about the weights that were loaded."""

    title: str
    path: Path
    layout: Layout
    official: bool  # verified, or said by name, layout and architecture: `standing` says which
    standing: Standing
    parameters: int
    licence: str
    source: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Backbone:
    """A model in evaluation mode, its name, and where its weights come from."""

    vit: VisionTransformer
    name: str
    info: WeightsInfo
    classifier: LinearClassifier | None = None  # that lay beside it in the file


def load_backbone(
    model: str | None = None,
    weights: str | Path | None = None,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    heads: int | None = None,
    grid: tuple[int, int] | None = None,
    branch: str | None = None,
    download: bool = False,
    progress: Progress | None = None,
) -> Backbone:
    """Loads a backbone, strictly: every tensor is named, shaped and used as it should be.

    model     a name from the catalogue; without it and without a file, `default_model()`
    weights   a file instead: official, training checkpoint, Hugging Face (also its folder), timm,
              or our own
    heads     for a file of an unusual width, which does not say how many heads it has
    grid      rows and columns of the learned positions, for a file where they are no square
    branch    which of several networks in a checkpoint: "teacher" (the moving average, and what is
              taken without it), "student", or a prefix as the checkpoint has it
    download  may go to the network when the model is not on this disk; never otherwise

    Raises ValueError, in words for the person who asked, when anything is not as it should be, and
    of those Untold where heads, grid or branch would help.
    """
    check_device(device)
    asked = find_variant(model or default_model()) if model or weights is None else None
    path = _find_file(asked, weights, download, progress)
    try:
        config, converted, metadata = _read(path, asked, branch, heads=heads, grid=grid)
        vit = load_state(config, converted.tensors, device=device, dtype=dtype)
    except Untold as error:
        raise error.of_file(path) from error
    except ValueError as error:
        known = str(error).startswith(str(path))
        raise ValueError(str(error) if known else f"{path}: {error}") from error

    classifier, said = find_classifier(converted, config, metadata)
    converted = replace(converted, notes=(*converted.notes, *said))
    variant = _recognise(path, config, converted)
    if weights is None and asked is not None and asked.sha256 and variant is None:
        raise ValueError(
            f"{path} is not the file it should be for {asked.name}: its checksum differs. Restore "
            f"it, or load it as a file of your own."
        )
    parameters = sum(parameter.numel() for parameter in vit.parameters())
    if variant is not None:
        found = weights is None  # on this disk, and not named by the person
        info = _known_file(variant, path, converted, parameters=parameters, found=found)
        return Backbone(vit, variant.name, info, classifier)
    info = _own_file(path, config, converted, parameters, metadata)
    return Backbone(vit, path.stem, info, classifier)


def _find_file(
    asked: Variant | None,
    weights: str | Path | None,
    may_download: bool,
    progress: Progress | None,
) -> Path:
    """The given file, or that of a model from the catalogue, fetched first where allowed."""
    if weights is not None:
        return Path(weights).expanduser()
    assert asked is not None
    if asked.path is not None:
        return asked.path
    if may_download:
        return fetch.download(asked.name, progress=progress)
    raise ValueError(not_on_disk(asked))


def _read(
    path: Path,
    asked: Variant | None,
    branch: str | None,
    *,
    heads: int | None,
    grid: tuple[int, int] | None,
) -> tuple[ViTConfig, Converted, dict[str, str]]:
    """A file -> its architecture (the asked one, the stored one, or the inferred one), its weights
    under the official names, and its metadata."""
    tensors, metadata = read_state_dict(path)
    converted = convert(tensors, branch)
    stored = config_from_metadata(metadata)
    if stored is not None:
        converted = replace(converted, layout="own")
    if asked is not None:
        config = asked.config
    elif stored is not None:
        config = stored
    else:
        config = _infer(converted, metadata.get(CONFIG), heads, grid)
    return replace(config, heads=heads or config.heads), converted, metadata


def _infer(
    converted: Converted, text: str | None, heads: int | None, grid: tuple[int, int] | None
) -> ViTConfig:
    """The architecture from the shapes, and from a config.json where one lies beside the file."""
    tensors = converted.tensors
    if text is None or converted.layout != "Hugging Face":
        return infer_config(tensors, heads, grid)
    patch_size = tensors["patch_embed.proj.weight"].shape[-1]
    grid = grid or stated_grid(text, patch_size)
    # Any divisor serves until the config has said how many heads there are.
    config = infer_config(tensors, heads or 1, grid)
    stated = config_from_hugging_face(text, config)
    if stated == config and heads is None:
        return infer_config(tensors, None, grid)
    return stated


def _recognise(path: Path, config: ViTConfig, converted: Converted) -> Variant | None:
    """The catalogue's entry for this file, None for a person's own. A name alone is not enough."""
    for variant in VARIANTS:
        if path.name not in variant.file_names or config != variant.config:
            continue
        if variant.official:
            known = converted.layout == "official" and standing_of(path, variant) != "other"
            return variant if known else None
        return variant if sha256(path) == variant.sha256 else None
    return None


def _known_file(
    variant: Variant, path: Path, converted: Converted, *, parameters: int, found: bool
) -> WeightsInfo:
    standing = standing_of(path, variant)
    notes = [*variant.notes, *converted.notes]
    if standing == "claimed":
        notes.append(
            "It says that it is official, by its name and by the name and shape of every tensor. "
            "No checksum is known to verify it by."
        )
    if found and variant.official and path.parent != weights_folder():
        notes.append(f"Found in {path.parent}, where another program keeps its downloads.")
    return WeightsInfo(
        title=variant.title,
        path=path,
        layout=converted.layout,
        official=variant.official,
        standing=standing,
        parameters=parameters,
        licence=variant.licence,
        source=variant.source,
        notes=tuple(notes),
    )


def _own_file(
    path: Path, config: ViTConfig, converted: Converted, parameters: int, metadata: dict[str, str]
) -> WeightsInfo:
    """A person's own file is never called official, whatever its architecture."""
    named = [one for one in VARIANTS if one.official and path.name in one.file_names]
    notes = converted.notes
    if named and sha256(path) != named[0].sha256 and path.name == named[0].file:
        notes += (f"It bears the name of {named[0].title}, but it is not the published file.",)
    return WeightsInfo(
        title=f"{path.name} ({architecture_name(config)})",
        path=path,
        layout=converted.layout,
        official=False,
        standing="other",
        parameters=parameters,
        licence=metadata.get("licence") or metadata.get("license") or "not stated in the file",
        source=metadata.get("source") or "a file of your own",
        notes=notes,
    )


def architecture_name(config: ViTConfig) -> str:
    """What an architecture is called: by the official model that has it, or by its numbers."""
    same = [variant.title for variant in VARIANTS if variant.config == config and variant.official]
    if same:
        return same[0].removeprefix("DINOv2 ")
    return f"width {config.dim}, {config.depth} blocks, patch {config.patch_size}"
