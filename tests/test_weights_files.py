"""Files: our own come back, and what is damaged, dangerous or something else is refused."""

import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_models import TINY, tiny_vit

from dino_core.weights import (
    convert,
    load_backbone,
    read_state_dict,
    save_backbone,
)
from dino_core.writing import replacing

# Our own


@pytest.mark.parametrize(
    "config",
    [TINY, replace(TINY, registers=2, ffn="swiglu", mlp_ratio=3.1, layer_scale_init=None)],
)
def test_own_checkpoint_comes_back(tmp_path, config):
    path = tmp_path / "deep" / "own.safetensors"
    vit = tiny_vit(config)
    save_backbone(vit, path, {"source": "a test", "licence": "free"})
    backbone = load_backbone(weights=path)
    assert backbone.vit.config == config
    assert (backbone.info.layout, backbone.info.official) == ("own", False)
    assert (backbone.info.source, backbone.info.licence) == ("a test", "free")
    for name, tensor in vit.state_dict().items():
        assert torch.equal(backbone.vit.state_dict()[name], tensor)
    assert os.listdir(path.parent) == ["own.safetensors"]
    assert convert(load_file(path)).notes == ()


def test_dtype_is_float32_unless_asked(tmp_path):
    path = save_backbone(tiny_vit().half(), tmp_path / "half.safetensors")
    with safe_open(path, framework="pt") as file:
        assert file.get_tensor("cls_token").dtype == torch.float16
    assert load_backbone(weights=path).vit.cls_token.dtype == torch.float32
    assert load_backbone(weights=path, dtype=torch.bfloat16).vit.cls_token.dtype == torch.bfloat16


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = save_backbone(tiny_vit(), tmp_path / "own.safetensors")
    before = path.read_bytes()

    def interrupted() -> None:
        with replacing(path) as partial:
            partial.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.glob("own*")] == ["own.safetensors"]


def test_reserved_metadata_is_refused(tmp_path):
    with pytest.raises(ValueError, match="config"):
        save_backbone(tiny_vit(), tmp_path / "own.safetensors", {"config": "{}"})


# Files that are not what they should be


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["safetensors", "zip", "pickle"])
def test_truncated_files_are_refused(tmp_path, kind, share):
    path = tmp_path / "weights"
    if kind == "safetensors":
        save_backbone(tiny_vit(), path)
    else:
        torch.save(tiny_vit().state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    read_state_dict(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match="weights "):
        read_state_dict(path)


@pytest.mark.parametrize("low", [0x80, 0x50])  # as a pickle and, with 0x4b behind it, a zip begins
def test_a_header_whose_length_looks_like_another_kind_is_read(tmp_path, low):
    """The first byte of a safetensors file is the low byte of its header's length."""
    path = tmp_path / "own.safetensors"
    for padding in range(64):
        save_file({"a": torch.zeros(1)}, path, {"padding": "x" * padding * 8})
        if path.read_bytes()[0] == low:
            break
    assert path.read_bytes()[0] == low
    assert list(read_state_dict(path)[0]) == ["a"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>not found</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS"),
        (b'{"weight_map": {}}', "JSON"),
        (b"PK\x03\x04 a zip of something else", "damaged"),
        (b"\x89PNG\r\n\x1a\n........", "neither"),
        (b"\x10\0\0\0\0\0\0\0{ broken header.", "damaged"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path, content, words):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load_backbone(weights=tmp_path / "file.pth")


def test_folders_and_missing_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        load_backbone(weights=tmp_path)
    with pytest.raises(ValueError, match="There is no file"):
        load_backbone(weights=tmp_path / "none.pth")


class Evil:
    """Unpickling it would create a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("kind", ["zip", "pickle", "plain"])
def test_code_in_a_pickle_never_runs(tmp_path, kind):
    target, path = tmp_path / "ran", tmp_path / "evil.pth"
    content = {"teacher": {"cls_token": torch.zeros(1)}, "evil": Evil(target)}
    if kind == "plain":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(ValueError, match="could run code"):
        load_backbone(weights=path)
    assert not target.exists()


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(2), {}])
def test_checkpoints_without_named_tensors_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(ValueError, match="no named tensors"):
        load_backbone(weights=tmp_path / "odd.pth")


@pytest.mark.parametrize("config", ["{", '{"width": 3}', "[1]", '{"dim": "a"}'])
def test_a_foreign_config_is_refused(tmp_path, config):
    save_file(tiny_vit().state_dict(), tmp_path / "own.safetensors", {"config": config})
    with pytest.raises(ValueError, match="config"):
        load_backbone(weights=tmp_path / "own.safetensors")


def test_archives_that_torch_did_not_write_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cats/1.jpg", b"no weights")
    with pytest.raises(ValueError, match="is a zip of 1 files and no checkpoint"):
        read_state_dict(tmp_path / "pictures.zip")
    torch.save({"cls_token": torch.zeros(10_000)}, tmp_path / "plain.pth")
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as plain,
        zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(ValueError, match="holds compressed data"):
        read_state_dict(tmp_path / "packed.pth")


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(1).expand(2**20, 4), "repeat few numbers"),
        (torch.zeros(2, 2).to_sparse(), "sparse or nested"),
    ],
)
def test_tensors_larger_than_their_file_are_refused(tmp_path, tensor, words):
    torch.save({"cls_token": tensor}, tmp_path / "odd.pth")
    with pytest.raises(ValueError, match=words):
        read_state_dict(tmp_path / "odd.pth")


def test_weights_that_are_tied_are_read(tmp_path):
    """As often as heads and the like are tied, whatever their size; not more often."""
    shared = torch.randn(600, 600)
    torch.save(dict.fromkeys("abcd", shared), tmp_path / "tied.pth")
    assert read_state_dict(tmp_path / "tied.pth")[0].keys() == set("abcd")
    torch.save(dict.fromkeys("abcdef", shared), tmp_path / "tied.pth")
    with pytest.raises(ValueError, match=r"claims 9 MB of weights and holds 1\.4 MB"):
        read_state_dict(tmp_path / "tied.pth")
