"""A backbone for others: official, transformers, timm or ONNX, each checked before it counts.

    export_backbone(backbone.vit, "transformers", "exported")

The other library opens what was written and computes two pictures, one of them not square. Where it
interpolates positions in its own way, it is compared with a model of ours that does the same, and
how far that is from the official way is told in a note. Nothing bears its final name before.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from safetensors.torch import save_file
from torch import Tensor

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights.architecture import load_state
from dino_core.weights.files import CONFIG, read_state_dict
from dino_core.weights.layouts import convert
from dino_core.weights.peers import (
    hugging_face_config,
    hugging_face_processor,
    hugging_face_state,
    official_state,
    timm_model,
    timm_state,
)
from dino_core.writing import replacing

Target = Literal["official", "transformers", "timm", "onnx"]
TARGETS: tuple[Target, ...] = get_args(Target)
ENDINGS = {
    "official": (".pth", ".safetensors"),
    "transformers": ("",),
    "timm": (".pth", ".safetensors"),
    "onnx": (".onnx",),
}
NEEDED = {
    "transformers": ("transformers",),
    "timm": ("timm",),
    "onnx": ("onnxscript", "onnxruntime"),
}
TOLERANCE = 1e-4  # of the largest token, in float32

# A peer: normalised pictures [B, C, H, W] -> class token [B, D] and patches [B, P, D].
Peer = Callable[[Tensor], tuple[Tensor, Tensor]]
Positions = tuple[float, bool]  # how they are interpolated: (offset, antialiasing)


@dataclass(frozen=True)
class Check:
    """One picture, computed by both: how far apart, as a share of the largest number."""

    size: tuple[int, int]  # (height, width) in pixels
    difference: float


@dataclass(frozen=True)
class Exported:
    """What was written, how well it agrees, and what a person should know about it."""

    path: Path
    target: Target
    checks: tuple[Check, ...]
    notes: tuple[str, ...]


def export_backbone(
    vit: VisionTransformer,
    target: Target,
    path: str | Path,
    *,
    attention: bool = False,
    stage: Callable[[str], object] = lambda words: None,
) -> Exported:
    """Writes the backbone for another library and has that library prove it.

    official      a .pth or .safetensors file with the official names
    transformers  a folder for `AutoModel.from_pretrained`, processor included
    timm          a .pth or .safetensors file for `timm.create_model(..., checkpoint_path=)`
    onnx          an .onnx file with free batch, height and width; with `attention` also the class
                  token's row in every block and head

    `stage` is told in words what begins. Raises ValueError in a sentence: an unknown target, an
    ending that does not fit, a library that is not here, a model that the other has no place for,
    or numbers that do not agree.
    """
    path = Path(path).expanduser()
    _check_request(target, path)
    vit = _plain(vit)
    write, open_peer = PARTS[target]
    with _replacing(path, folder=target == "transformers") as partial:
        stage(f"Writing for {target}.")
        write(vit, partial, attention)
        stage(f"Opening it as {target} does.")
        peer, theirs = open_peer(vit, partial)
        ours = _with_positions(vit, theirs)
        stage("Comparing what both compute of two pictures.")
        checks = tuple(_compare(ours, peer, picture) for picture in _pictures(vit.config))
        # What is no number is no agreement, and is neither smaller nor larger than any.
        worst = next((check for check in checks if not check.difference <= TOLERANCE), None)
        if worst is not None:
            raise ValueError(
                f"What {target} computes from the export differs by {worst.difference:.1e} at "
                f"{worst.size[0]} x {worst.size[1]} px; nothing was written."
            )
        notes = _notes(vit, target, theirs)
    return Exported(path, target, checks, notes)


def _check_request(target: str, path: Path) -> None:
    if target not in TARGETS:
        raise ValueError(f"There is no export to {target!r}: it is one of {', '.join(TARGETS)}.")
    endings = ENDINGS[target]
    if target == "transformers":
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ValueError(f"{path} is there already: name a folder that is new or empty.")
    elif path.suffix not in endings:
        raise ValueError(f"{path} should end with {' or '.join(endings)}, for {target}.")
    missing = [name for name in NEEDED.get(target, ()) if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"An export to {target} is checked by {' and '.join(missing)}, which is not installed "
            f"here: pip install 'inside-dinov2[export]'."
        )


def _plain(vit: VisionTransformer) -> VisionTransformer:
    """A copy in float32 on the CPU, in evaluation mode."""
    state = {name: tensor.detach().cpu() for name, tensor in vit.state_dict().items()}
    return load_state(replace(vit.config, drop_path=0.0), state)


@contextmanager
def _replacing(path: Path, folder: bool) -> Iterator[Path]:
    """A name in the same folder, with the same ending, that becomes `path` if all goes well."""
    if not folder:
        with replacing(path) as partial:
            named = partial.with_name(f"{partial.name}{path.suffix}")
            try:
                yield named
                named.replace(partial)
            finally:
                named.unlink(missing_ok=True)
        return
    partial = path.with_name(f"{path.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            path.rmdir()  # empty, or it would have been refused
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


# --- writing


def _write_file(state: dict[str, Tensor], path: Path) -> None:
    if path.suffix == ".safetensors":
        save_file(state, path, metadata={"format": "pt"})
    else:
        torch.save(state, path)


def _write_official(vit: VisionTransformer, path: Path, _: bool) -> None:
    _write_file(official_state(vit), path)


def _write_timm(vit: VisionTransformer, path: Path, _: bool) -> None:
    timm_model(vit)  # refuses what timm has no place for
    _write_file(timm_state(vit), path)


def _write_transformers(vit: VisionTransformer, folder: Path, _: bool) -> None:
    config, processor = hugging_face_config(vit.config), hugging_face_processor(vit.config)
    save_file(hugging_face_state(vit), folder / "model.safetensors", metadata={"format": "pt"})
    for name, facts in ((CONFIG, config), ("preprocessor_config.json", processor)):
        text = json.dumps(facts, indent=2)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")


def _write_onnx(vit: VisionTransformer, path: Path, attention: bool) -> None:
    from dino_core.weights.onnx import write_onnx

    write_onnx(vit, path, attention)


# --- the other library, and how it interpolates positions: (offset, antialiasing)


def _open_official(vit: VisionTransformer, path: Path) -> tuple[Peer, Positions]:
    again = load_state(vit.config, convert(read_state_dict(path)[0]).tensors)
    return _as_peer(again), (vit.config.position_offset, vit.config.position_antialias)


def _open_transformers(vit: VisionTransformer, path: Path) -> tuple[Peer, Positions]:
    transformers: Any = import_module("transformers")
    model = transformers.AutoModel.from_pretrained(str(path), local_files_only=True).eval()
    first = 1 + vit.config.registers

    def peer(images: Tensor) -> tuple[Tensor, Tensor]:
        tokens = model(images).last_hidden_state
        return tokens[:, 0], tokens[:, first:]

    return peer, (0.0, vit.config.registers > 0)


def _open_timm(vit: VisionTransformer, path: Path) -> tuple[Peer, Positions]:
    timm: Any = import_module("timm")
    name, arguments = timm_model(vit)
    model = timm.create_model(name, checkpoint_path=str(path), **arguments).eval()
    first = 1 + vit.config.registers

    def peer(images: Tensor) -> tuple[Tensor, Tensor]:
        tokens = model.forward_features(images)
        return tokens[:, 0], tokens[:, first:]

    return peer, (0.0, True)


def _open_onnx(vit: VisionTransformer, path: Path) -> tuple[Peer, Positions]:
    onnxruntime: Any = import_module("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def peer(images: Tensor) -> tuple[Tensor, Tensor]:
        cls, patches = session.run(["cls", "patches"], {"images": images.numpy()})
        return torch.from_numpy(cls), torch.from_numpy(patches).flatten(2).transpose(1, 2)

    return peer, (vit.config.position_offset, vit.config.position_antialias)


Write = Callable[[VisionTransformer, Path, bool], None]
Open = Callable[[VisionTransformer, Path], tuple[Peer, Positions]]
PARTS: dict[Target, tuple[Write, Open]] = {
    "official": (_write_official, _open_official),
    "transformers": (_write_transformers, _open_transformers),
    "timm": (_write_timm, _open_timm),
    "onnx": (_write_onnx, _open_onnx),
}


# --- comparing


def _as_peer(vit: VisionTransformer) -> Peer:
    def peer(images: Tensor) -> tuple[Tensor, Tensor]:
        out = vit(images)
        return out.cls, out.patches

    return peer


def _with_positions(vit: VisionTransformer, how: Positions) -> Peer:
    """The same weights with positions interpolated as the other library does."""
    config = replace(vit.config, position_offset=how[0], position_antialias=how[1])
    return _as_peer(load_state(config, vit.state_dict()))


def _pictures(config: ViTConfig) -> list[Tensor]:
    """A square of about 224 px and a wide one, in whole patches: each [1, C, H, W]."""
    patch = config.patch_size
    side = max(224 // patch, 4)
    generator = torch.Generator().manual_seed(0)
    sizes = ((side * patch, side * patch), ((side - 3) * patch, (side + 2) * patch))
    return [torch.randn(1, config.channels, *size, generator=generator) for size in sizes]


@torch.inference_mode()
def _compare(ours: Peer, theirs: Peer, images: Tensor) -> Check:
    pairs = list(zip(ours(images), theirs(images), strict=True))
    largest = float(torch.stack([a.abs().max() for a, _ in pairs]).max())
    apart = float(torch.stack([(a - b).abs().max() for a, b in pairs]).max())  # NaN stays NaN
    H, W = images.shape[-2:]
    return Check((H, W), apart / max(largest, 1e-12))


def _notes(vit: VisionTransformer, target: Target, how: Positions) -> tuple[str, ...]:
    notes = []
    config = vit.config
    if how != (config.position_offset, config.position_antialias):
        square = _pictures(config)[0]
        apart = _compare(_as_peer(vit), _with_positions(vit, how), square).difference
        r, c = config.position_grid
        native = f"{r * config.patch_size} x {c * config.patch_size}"
        notes.append(
            f"{target} interpolates positions in its own way: at {square.shape[-1]} px its tokens "
            f"differ from the official ones by up to {100 * apart:.1f} % of the largest number. At "
            f"{native} px, where the positions were learned, they are equal."
        )
    if target == "timm":
        name, arguments = timm_model(vit)
        listed = "".join(f", {key}={value!r}" for key, value in arguments.items())
        notes.append(f"Open it with timm.create_model({name!r}, checkpoint_path=...{listed}).")
    return tuple(notes)
