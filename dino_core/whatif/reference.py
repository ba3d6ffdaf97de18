"""What usually stands at every site: mean and standard deviation over reference pictures.

By kind of token: the class token has its own, each register its own, and all patches of all
pictures have one. The standard deviation is that of each channel over the same tokens, divided by
their number and not by one less (population). Computed once and kept, by the content of weights,
pictures and preparation.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dino_core.analysis.inspection import Inspection, inspect
from dino_core.datasets import Pictures
from dino_core.embedding.cache import cache_folder, model_key
from dino_core.embedding.preparation import Fit, Preparation
from dino_core.embedding.reading import Group, Reader, batches
from dino_core.jobs import replacing
from dino_core.vit import Edit, SiteName, VisionTransformer
from dino_core.weights import Backbone

MEASURED: tuple[SiteName, ...] = ("tokens", "head", "attention", "mlp", "neuron")
FORMAT = 1  # goes up when the same pictures give other numbers than before
AT_ONCE = 8  # pictures in a forward

Progress = Callable[[int], None]  # pictures done since the last call; may raise to stop


@dataclass(frozen=True)
class Statistics:
    """Over the reference pictures, float32. A site's tokens are the kinds: class token, R
    registers, patches, so that n = 2 + R."""

    mean: Mapping[SiteName, Tensor]  # by site [T, n, width]; of `head` [T, A, n, d]
    std: Mapping[SiteName, Tensor]  # of the same shapes
    pictures: int


@dataclass(frozen=True)
class Reference:
    """Reference pictures, prepared as the picture is that they are compared with."""

    pictures: Pictures
    preparation: Preparation  # of exactly one size

    @cached_property
    def digests(self) -> list[str]:
        """Of the files' contents, in ascending order; "" for what cannot be read."""
        return sorted(_digest(self.pictures, index) for index in range(len(self.pictures)))


def reference_for(pictures: Pictures, seen: Inspection, fit: Fit = "resize") -> Reference:
    """The pictures at the size of one that was looked at: `other` needs the same places."""
    h, w = seen.grid
    return Reference(pictures, Preparation((h * seen.patch_size, w * seen.patch_size), fit))


def statistics_of(
    backbone: Backbone, reference: Reference, progress: Progress = lambda done: None
) -> Statistics:
    """Those of every site, from where they are kept or from one forward a picture.

    ValueError when no picture can be read.
    """
    key = reference_key(backbone, reference)
    path = kept_at(backbone, "reference", key, "safetensors")
    if path.is_file():
        with suppress(Exception):  # a file cut short is one that is not there
            return _read(path)
    found = measure(backbone.vit, reference, progress)
    with suppress(OSError):  # where nothing can be kept it is computed again
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            _write(partial, found)
    return found


@torch.inference_mode()
def measure(
    vit: VisionTransformer, reference: Reference, progress: Progress = lambda done: None
) -> Statistics:
    """The statistics, computed: every site is looked at by an edit that leaves it as it is."""
    blocks, first_patch = range(vit.config.depth), 1 + vit.config.registers
    sums: dict[tuple[SiteName, int], _Sums] = {
        (site, block): _Sums(first_patch) for site in MEASURED for block in blocks
    }
    looks = [Edit(site, sums[site, block].look, block=block) for site, block in sums]
    pictures, why = 0, ""
    reader = Reader(reference.pictures, reference.preparation, vit.config.patch_size)
    for found in batches(reader, AT_ONCE, once=False):
        if isinstance(found, Group):
            vit(reference.preparation.images(found.pixels(), vit.pos_embed), edits=looks)
            pictures += len(found.seen)
            progress(len(found.seen))
        else:
            why = why or found.broken
            progress(1)
    if not pictures:
        raise _none_readable(reference, why or "there is none.")
    mean, std = {}, {}
    for site in MEASURED:
        of_site = [sums[site, block].result() for block in blocks]
        mean[site], std[site] = (torch.stack(parts) for parts in zip(*of_site, strict=True))
    return Statistics(mean, std, pictures)


class _Sums:
    """Running sums at one place, in float64: channels may be large and hardly vary."""

    def __init__(self, first_patch: int) -> None:
        self.first_patch = first_patch
        self.counts: Tensor | None = None
        self.total: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def look(self, there: Tensor) -> Tensor:
        """[B, (A,) N, width] -> itself; what it holds is added to the sums by kind of token."""
        values = there.double() if there.device.type != "mps" else there.cpu().double()
        self.total = self.total + self._by_kind(values)
        self.squares = self.squares + self._by_kind(values.square())
        B, patches = values.shape[0], values.shape[-2] - self.first_patch
        counts = torch.tensor([B] * self.first_patch + [B * patches]).to(values)[:, None]
        self.counts = counts if self.counts is None else self.counts + counts
        return there

    def _by_kind(self, values: Tensor) -> Tensor:
        """[B, (A,) N, width] -> [(A,) 2 + R, width], summed over pictures and patches."""
        summed = values.sum(0)
        patches = summed[..., self.first_patch :, :].sum(-2, keepdim=True)
        return torch.cat([summed[..., : self.first_patch, :], patches], dim=-2)

    def result(self) -> tuple[Tensor, Tensor]:
        """(mean, standard deviation), float32 on the CPU."""
        assert self.counts is not None
        assert isinstance(self.total, Tensor)
        mean = self.total / self.counts
        variance = (self.squares / self.counts - mean.square()).clamp_min(0)
        return mean.float().cpu(), variance.sqrt().float().cpu()


# --- another picture


def other_picture(
    vit: VisionTransformer, reference: Reference, seen: Inspection, seed: int = 0
) -> Inspection:
    """The first reference picture, from number `seed` on, that is not the picture itself.

    Itself, where there is no other. ValueError when none can be read.
    """
    reader = Reader(reference.pictures, reference.preparation, vit.config.patch_size)
    n = len(reference.pictures)
    why, itself = "there is none.", None
    for index in ((seed + step) % n for step in range(n)):
        found = reader.look(index)
        if found.pixels is None:
            why = found.broken or why
        elif np.array_equal(found.pixels, seen.pixels.numpy()):
            itself = seen
        else:
            pixels = np.stack([found.pixels])
            return inspect(vit, reference.preparation.images(pixels, vit.pos_embed))
    if itself is None:
        raise _none_readable(reference, why)
    return itself


def _none_readable(reference: Reference, why: str) -> ValueError:
    return ValueError(
        f"None of the reference pictures in {reference.pictures.source} can be read. The first "
        f"says: {why}"
    )


# --- kept by content


def reference_key(backbone: Backbone, reference: Reference) -> dict[str, Any]:
    """What the statistics follow from. Files count by their content, whatever they are called."""
    pictures = reference.pictures
    return {
        "format": FORMAT,
        **model_key(backbone),
        "preparation": reference.preparation.as_json(),
        "stretch": pictures.stretch,
        "pictures": reference.digests,
    }


def _digest(pictures: Pictures, index: int) -> str:
    try:
        return hashlib.blake2b(pictures.read(index), digest_size=16).hexdigest()
    except (ValueError, OSError):  # it is not read for the statistics either
        return ""


def kept_at(backbone: Backbone, what: str, key: Mapping[str, Any], ending: str) -> Path:
    """Where something that follows from a key is kept, beside the features of many pictures."""
    text = json.dumps(key, sort_keys=True).encode()
    digest = hashlib.blake2b(text, digest_size=12).hexdigest()
    return cache_folder() / f"{what}-{backbone.name}-{digest}.{ending}"


def _read(path: Path) -> Statistics:
    tensors = load_file(path)
    mean = {site: tensors[f"mean.{site}"] for site in MEASURED}
    std = {site: tensors[f"std.{site}"] for site in MEASURED}
    return Statistics(mean, std, int(tensors["pictures"]))


def _write(path: Path, found: Statistics) -> None:
    tensors = {"pictures": torch.tensor(found.pictures)}
    for name, by_site in (("mean", found.mean), ("std", found.std)):
        tensors |= {f"{name}.{site}": tensor.contiguous() for site, tensor in by_site.items()}
    save_file(tensors, path)
