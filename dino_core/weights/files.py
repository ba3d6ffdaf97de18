"""A file -> its tensors, without ever running code from it; and files written to the side.

Two kinds are read: safetensors, and what `torch.save` wrote (with `weights_only=True`, so that a
pickle that would call functions is refused). What a file is follows from its first bytes, not from
its name. Nothing here knows what the tensors mean.
"""

import hashlib
import json
import os
import pickle
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from dino_core.vit import VisionTransformer

# A state dict may be wrapped: {"model": ..., "optimizer": ...} in training checkpoints.
WRAPPERS = ("model", "state_dict")
BRANCHES = ("teacher", "student")

# First bytes of files that people mistake for weights.
MISTAKEN = {
    b"<": "It is a web page: the download ended at a login or error page. Download it again",
    b"version https://git-lfs": "It is a Git LFS pointer, not the file. Run `git lfs pull`",
    b"{": "It is a JSON file. Name the weights file that lies beside it",
}


def read_state_dict(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A checkpoint's tensors by name, and the metadata of a safetensors file ({} otherwise).

    The tensors may be mapped from the file rather than read: copy what is to outlive it. Wrapping
    is removed, {"teacher": {"backbone.norm.bias": ...}} -> "teacher.backbone.norm.bias".

    Raises ValueError in a sentence for anything that is not a checkpoint, is damaged, or would
    have to run code to be read.
    """
    path = Path(path).expanduser()
    kind = _kind(path)
    try:
        if kind == "safetensors":
            with safe_open(path, framework="pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=kind == "zip")
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} was not loaded: it holds more than tensors, and reading that could run code "
            f"hidden in the file, or it is damaged. Ask for it as safetensors, or save its state "
            f"dict alone with torch.save."
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(
            f"{path} could not be read: it is damaged, incomplete ({path.stat().st_size:,} bytes), "
            f"or no checkpoint. If it was downloaded, get it again."
        ) from error
    return _unwrap(content, path), {}


def _kind(path: Path) -> str:
    """ "safetensors", "zip" (torch.save since 1.6) or "pickle" (before), from the first bytes."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Name the weights file in it.")
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    if start.startswith(b"PK"):
        return "zip"
    if start.startswith(b"\x80"):
        return "pickle"
    if len(start) > 8 and start[8:9] == b"{":  # a length of 8 bytes, then a JSON header
        return "safetensors"
    reason = next(
        (reason for first, reason in MISTAKEN.items() if start.lstrip().startswith(first)),
        "It is empty. Get it again" if not start else "Its first bytes are those of neither",
    )
    raise ValueError(
        f"{path} is no checkpoint. {reason}. Wanted is a safetensors file or one that torch.save "
        f"wrote (.pth, .pt, .bin)."
    )


def _unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """Nested dicts of a checkpoint -> flat names; what is no tensor is left out."""
    if isinstance(content, Mapping):
        for wrapper in WRAPPERS:
            if isinstance(content.get(wrapper), Mapping):
                content = content[wrapper]
        flat = {key: value for key, value in content.items() if isinstance(value, Tensor)}
        for branch in BRANCHES:
            inner = content.get(branch)
            if isinstance(inner, Mapping):
                flat |= {f"{branch}.{k}": v for k, v in inner.items() if isinstance(v, Tensor)}
        if flat and all(isinstance(key, str) for key in flat):
            return flat
        found = "a dict with " + (", ".join(map(str, list(content)[:5])) or "nothing in it")
    else:
        found = f"a {type(content).__name__}"
    raise ValueError(f"{path} holds no named tensors but {found}. Wanted is a state dict.")


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Yields a name in the same folder; what was written there becomes `path` at the end, whole.

    After an error nothing is left and `path` is as it was. Every caller has a name of its own, so
    two who write the same file do not meet; the last one to finish stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def save_backbone(
    vit: VisionTransformer, path: str | Path, metadata: Mapping[str, str] | None = None
) -> Path:
    """Writes the weights and the ViTConfig as one safetensors file that loads without questions.

    `metadata` may add words of yours, such as "source" and "licence". Raises ValueError when it
    claims the names kept for the project.
    """
    reserved = {"config", "format"} & set(metadata or {})
    if reserved:
        raise ValueError(f"The metadata name {min(reserved)!r} is written by save_backbone itself.")
    path = Path(path).expanduser()
    words = {**(metadata or {}), "format": "pt", "config": json.dumps(asdict(vit.config))}
    tensors = {name: tensor.detach().contiguous() for name, tensor in vit.state_dict().items()}
    with written_beside(path) as partial:
        save_file(tensors, partial, metadata=words)
    return path
