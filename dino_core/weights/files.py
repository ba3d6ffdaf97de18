"""A file or folder -> its tensors, without ever running code from it; files written to the side.

Two kinds are read: safetensors, and what `torch.save` wrote (with `weights_only=True`, so that a
pickle that would call functions is refused), whole or in the shards of a Hugging Face folder. What
a file is follows from its first bytes, not from its name. Nothing here knows what tensors mean.
"""

import argparse
import hashlib
import json
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from dino_core.vit import VisionTransformer
from dino_core.weights.variants import sha256
from dino_core.writing import replacing

# What a Hugging Face folder calls its weights, the first that is there; INDEX names its shards.
FOLDER_FILES = ("model.safetensors", "pytorch_model.bin", "backbone.safetensors")
INDEX = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
CONFIG = "config.json"  # also the key under which its text comes among the metadata

MAX_DEPTH = 8  # dicts within dicts
MAX_JSON = 64 * 2**20  # bytes of a config or an index
SHARED = 4  # times that a file's bytes may be counted: weights that are tied are stored once
SLACK = 2**20  # bytes that a small file may claim beyond that

# Plain records without behaviour, which trainers put beside the weights.
HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [argparse.Namespace]

# First bytes of files that people mistake for weights.
MISTAKEN = {
    b"<": "It is a web page: the download ended at a login or error page. Download it again",
    b"version https://git-lfs": "It is a Git LFS pointer, not the file. Run `git lfs pull`",
    b"{": "It is a JSON file. Name the weights file that lies beside it",
    b"GGUF": "It is a GGUF file, quantised for another program",
    b"\x89HDF": "It is an HDF5 file (Keras): not PyTorch weights",
    b"\x08": "By its first bytes it is an ONNX graph, whose weights have lost their names",
}


def read_state_dict(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A checkpoint's tensors by name, and its metadata.

    The metadata are those of a safetensors file, and under "config.json" the text of the file of
    that name where one lies in the same folder. The tensors may be mapped from the file rather than
    read: copy what is to outlive it. Dicts within dicts come with dotted names,
    {"teacher": {"backbone.norm.bias": ...}} -> "teacher.backbone.norm.bias".

    A folder is read as Hugging Face writes it, in one file or in shards with an index.

    Raises ValueError in a sentence for anything that is not a checkpoint, is damaged, or would
    have to run code to be read.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return _read_folder(path)
    tensors, metadata = _read_file(path)
    return tensors, _with_config(path.parent, metadata)


def _read_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    kind = _kind(path)
    try:
        if kind == "safetensors":
            with safe_open(path, framework="pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
        with torch.serialization.safe_globals(HARMLESS):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=kind == "zip")
    except pickle.UnpicklingError as error:
        raise ValueError(f"{path} was not loaded: {_why_refused(str(error))}") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(
            f"{path} could not be read: it is damaged, incomplete ({path.stat().st_size:,} bytes), "
            f"or no checkpoint. If it was downloaded, get it again."
        ) from error
    tensors = _flatten(content, path)
    _check_claims(tensors, path)
    return tensors, {}


def _check_claims(tensors: Mapping[str, Tensor], path: Path) -> None:
    """ValueError for tensors that are no plain arrays, or larger than what the file holds: a few
    bytes that are repeated along every axis would fill the memory."""
    for name, tensor in tensors.items():
        if tensor.is_nested or tensor.layout != torch.strided:
            raise ValueError(f"{path} holds {name}, which is sparse or nested: save it dense.")
    real = [tensor for tensor in tensors.values() if not tensor.is_meta]
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in real)
    held = path.stat().st_size
    if claimed > SHARED * held + SLACK:
        raise ValueError(
            f"{path} claims {claimed / 1e6:,.0f} MB of weights and holds {held / 1e6:,.1f} MB: its "
            f"tensors repeat few numbers. Save them with .contiguous() or .clone()."
        )


def _why_refused(error: str) -> str:
    """What the restricted reader met, in words for the person who brought the file."""
    found = re.search(r"GLOBAL ([\w.]+)", error) or re.search(r"global ([\w.]+)", error)
    name = found[1] if found else ""
    if re.search(r"(^|\.)(models?|nn|modules|vision_transformer|timm|transformers)(\.|$)", name):
        return (
            f"it is a whole pickled model ({name}), and reading that could run code hidden in the "
            f"file. Load it where its code is at home and save model.state_dict() with torch.save, "
            f"or as safetensors."
        )
    held = f" ({name})" if name else ""
    return (
        f"it holds more than tensors{held}, and reading that could run code hidden in the file, or "
        f"it is damaged. Ask for it as safetensors, or save its state dict alone with torch.save."
    )


def _read_folder(folder: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The weights of a Hugging Face folder, from one file or from all shards of its index."""
    index, files = _folder_files(folder)
    if index is None:
        tensors, metadata = _read_file(files[0])
        return tensors, _with_config(folder, metadata)
    tensors = {}
    for file in files:
        tensors |= _read_file(file)[0]
    absent = [name for name in _homes(index) if name not in tensors]
    if absent:
        raise ValueError(f"{folder}: the shards lack {len(absent)} tensors, as {absent[0]}.")
    return tensors, _with_config(folder, {})


def _folder_files(folder: Path) -> tuple[Path | None, list[Path]]:
    """(index, its shards), or (None, [the file]). ValueError when something is missing."""
    for name in INDEX:
        if (folder / name).is_file():
            return folder / name, _shards(folder, folder / name)
    for name in FOLDER_FILES:
        if (folder / name).is_file():
            return None, [folder / name]
    raise ValueError(
        f"{folder} is a folder without weights in it: wanted is a file, or a folder with "
        f"{FOLDER_FILES[0]}, {FOLDER_FILES[1]} or {INDEX[0]}."
    )


def _homes(index: Path) -> dict[str, str]:
    """The shard of each tensor, by its name."""
    try:
        return {
            name: str(shard) for name, shard in json.loads(_read_json(index))["weight_map"].items()
        }
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{index} is no index of shards: its weight_map is missing.") from error


def _shards(folder: Path, index: Path) -> list[Path]:
    names = sorted(set(_homes(index).values()))
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise ValueError(f"{index} names {outside[0]!r}, which does not lie in the same folder.")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ValueError(
            f"{folder} lacks {len(missing)} of {len(names)} shards, first of all {missing[0]}. "
            f"Get them again."
        )
    return [folder / name for name in names]


def content_digest(path: Path) -> str:
    """What a checkpoint's numbers follow from: SHA-256 in hexadecimal of the file, or of the names
    and digests of a folder's weight files. ValueError for a folder without weights."""
    if not path.is_dir():
        return sha256(path)
    files = [(file.name, sha256(file)) for file in _folder_files(path)[1]]
    return hashlib.sha256(repr(files).encode()).hexdigest()


def _with_config(folder: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata with the text of the folder's config.json, where there is a readable one."""
    path = folder / CONFIG
    if CONFIG in metadata or not path.is_file():
        return dict(metadata)
    try:
        return {**metadata, CONFIG: _read_json(path)}
    except (OSError, ValueError):
        return dict(metadata)


def _read_json(path: Path) -> str:
    if path.stat().st_size > MAX_JSON:
        raise ValueError(f"{path} is too large for a JSON file beside weights.")
    return path.read_text(encoding="utf-8")


def _kind(path: Path) -> str:
    """ "safetensors", "zip" (torch.save since 1.6) or "pickle" (before), from the first bytes."""
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    # A length of 8 bytes, then a JSON header. Asked first: a length may begin as the others do.
    if start[8:9] == b"{":
        return "safetensors"
    if start.startswith(b"PK"):
        _check_archive(path)
        return "zip"
    if start.startswith(b"\x80"):
        return "pickle"
    reason = next(
        (reason for first, reason in MISTAKEN.items() if start.lstrip().startswith(first)),
        "It is empty. Get it again" if not start else "Its first bytes are those of neither",
    )
    raise ValueError(
        f"{path} is no checkpoint. {reason}. Wanted is a safetensors file or one that torch.save "
        f"wrote (.pth, .pt, .bin)."
    )


def _check_archive(path: Path) -> None:
    """ValueError for a zip that `torch.save` did not write: it packs nothing, and holds no code."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return  # damaged: said when it is read
    names = [entry.filename for entry in entries]
    if any("/code/" in name for name in names) or any(n.endswith("/constants.pkl") for n in names):
        raise ValueError(
            f"{path} is a TorchScript archive: a program with its weights. Load it with "
            f"torch.jit.load where you trust it, and save its state_dict() with torch.save."
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise ValueError(
            f"{path} is a zip of {len(names)} files and no checkpoint: unpack it, and name the "
            f"file of the weights in it."
        )
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise ValueError(
            f"{path} holds compressed data, which torch.save does not write: unpack it first."
        )


def _flatten(content: Any, path: Path) -> dict[str, Tensor]:
    """Dicts within dicts -> dotted names. What is no tensor, and state under numbers (that of
    optimisers), is left out."""
    flat: dict[str, Tensor] = {}

    def walk(mapping: Mapping[Any, Any], prefix: str, depth: int) -> None:
        for key, value in mapping.items():
            if not isinstance(key, str):
                continue
            if isinstance(value, Tensor):
                flat[prefix + key] = value
            elif isinstance(value, Mapping) and depth < MAX_DEPTH:
                walk(value, f"{prefix}{key}.", depth + 1)

    if isinstance(content, Mapping):
        walk(content, "", 1)
        if flat:
            return flat
        found = "a dict with " + (", ".join(map(str, list(content)[:5])) or "nothing in it")
    else:
        found = f"a {type(content).__name__}"
    raise ValueError(f"{path} holds no named tensors but {found}. Wanted is a state dict.")


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
    with replacing(path) as partial:
        save_file(tensors, partial, metadata=words)
    return path
