"""Models by name: official architectures, the bundled preview, what may be called official."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import pictures, tiny_vit

from dino_core.config import VIT_SMALL
from dino_core.runs.students import STUDENTS
from dino_core.scenes.models import describe_model, model_choices
from dino_core.vit import VisionTransformer
from dino_core.weights import (
    catalogue,
    convert,
    default_model,
    find_variant,
    infer_config,
    load_backbone,
    load_state,
    save_backbone,
)
from dino_core.weights.variants import DISTILLED, PREVIEW, VARIANTS, sha256, torch_hub_folder

GOLDEN = Path(__file__).parent / "golden"
HUB = json.loads((GOLDEN / "hub_state_dicts.json").read_text())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """No test sees the weights that this machine happens to have."""
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


# Names, and what is on the disk


@pytest.mark.parametrize("name", HUB)
def test_official_architectures_are_exact(name):
    wanted, variant = HUB[name], find_variant(name)
    state = VisionTransformer(variant.config, device="meta").state_dict()
    assert {k: list(v.shape) for k, v in state.items()} == {
        k: s for k, s, _ in wanted["state_dict"]
    }
    assert sum(v.numel() for v in state.values()) == variant.parameters == wanted["n_params"]
    assert variant.config.heads == wanted["num_heads"]
    assert variant.config.position_antialias == wanted["kwargs"]["interpolate_antialias"]
    assert variant.config.position_offset == wanted["kwargs"]["interpolate_offset"]
    assert (variant.url, variant.file) == (wanted["url"], wanted["file"])


@pytest.mark.parametrize("name", HUB)
def test_official_architectures_are_inferred(name):
    tensors = VisionTransformer(find_variant(name).config, device="meta").state_dict()
    converted = convert(tensors)
    assert converted.layout == "official"
    assert infer_config(converted.tensors) == find_variant(name).config


def test_catalogue_names_all_and_calls_only_the_official_ones_official():
    entries = {variant.name: variant for variant in catalogue()}
    assert {name for name, variant in entries.items() if variant.official} == set(HUB)
    assert "not the official" in entries[PREVIEW].title
    assert entries[PREVIEW].url is None


def test_the_bundled_student_is_known_and_not_called_official():
    backbone = load_backbone(DISTILLED)
    assert (backbone.name, backbone.info.official, backbone.info.standing) == (
        DISTILLED,
        False,
        "other",
    )
    assert backbone.vit.config == STUDENTS["light"].train.vit
    assert (
        sum(one.numel() for one in backbone.vit.parameters()) == find_variant(DISTILLED).parameters
    )
    assert load_backbone(weights=backbone.info.path).name == DISTILLED
    assert "not the official" in backbone.info.title
    assert not any("another program" in note for note in backbone.info.notes)


def test_weights_are_found_in_the_chosen_home_and_in_torch_hubs_cache(home):
    assert default_model() == PREVIEW
    hub = torch_hub_folder()
    assert hub == Path(torch.hub.get_dir()) / "checkpoints"
    hub.mkdir(parents=True)
    (hub / "dinov2_vitg14_pretrain.pth").touch()
    assert find_variant("dinov2_vitg14").path == hub / "dinov2_vitg14_pretrain.pth"
    assert default_model() == PREVIEW  # another program's file, and nothing to check it by
    (home / "dinov2_vits14_pretrain.safetensors").touch()
    assert default_model() == "dinov2_vits14"
    assert find_variant("dinov2_vits14").path == home / "dinov2_vits14_pretrain.safetensors"


@pytest.mark.parametrize("name", ["dinov2_vits14", "dinov2_vitb14", "dinov2_vitl14"])
def test_a_file_of_another_length_is_not_the_published_one(home, name):
    variant = find_variant(name)
    assert variant.size is not None
    assert variant.size > 4 * variant.parameters  # four bytes each, and the names
    (home / variant.file).write_bytes(b"PK")
    assert find_variant(name).path is None
    assert default_model() == PREVIEW


def test_a_partial_download_is_never_found(home):
    (home / "dinov2_vits14_pretrain.pth.0badcafe.part").touch()
    assert not find_variant("dinov2_vits14").on_disk


@pytest.mark.slow
def test_the_list_needs_no_torch_and_knows_its_cache_without_it():
    code = (
        "import sys; from dino_core.weights import catalogue; catalogue()\n"
        "from dino_core.weights.variants import torch_hub_folder as folder\n"
        "before = folder(); assert 'torch' not in sys.modules\n"
        "import torch.hub; assert before == folder(), (before, folder())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=GOLDEN.parents[1])


def test_missing_weights_say_how_to_get_them(home):
    with pytest.raises(ValueError) as error:
        load_backbone("dinov2_vitl14_reg")
    words = str(error.value)
    assert "models --download dinov2_vitl14_reg" in words
    assert str(home / "dinov2_vitl14_reg4_pretrain.pth") in words
    assert find_variant("dinov2_vitl14_reg").url in words
    present = words.split("Present are: ")[1].rstrip(".").split(", ")
    assert present == ["distilled_vit8", "preview_vits14"], "those that come with the project"


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(ValueError, match="dinov2_vits14_reg"):
        load_backbone("vit_small")


def test_unusable_device_is_a_plain_sentence():
    with pytest.raises(ValueError, match="choose cpu"):
        load_backbone(device="no_such_device")


# The bundled preview


@pytest.mark.slow
def test_preview_is_the_file_it_should_be_and_equals_timm():
    timm = pytest.importorskip("timm")
    backbone = load_backbone()
    info = backbone.info
    assert sha256(info.path) == "1f70b0e8fc3841bf2725d9ef2f1e9a55dddd9838f1ebf91d1091bd3def8c719c"
    assert (backbone.name, info.official, info.parameters) == (PREVIEW, False, 22_056_576)
    assert backbone.vit.cls_token.dtype == torch.float32
    assert not backbone.vit.training
    assert not any(parameter.requires_grad for parameter in backbone.vit.parameters())
    # Both with the same 6 x 6 corner of the learned positions: quick, and nothing interpolated.
    peer = timm.create_model("vit_small_patch14_dinov2", num_classes=0, img_size=84).eval()
    state = {k: v.float() for k, v in load_file(info.path).items()}
    corner = state["pos_embed"][:, 1:].unflatten(1, (37, 37))[:, :6, :6].flatten(1, 2)
    state["pos_embed"] = torch.cat([state["pos_embed"][:, :1], corner], dim=1)
    vit = load_state(replace(VIT_SMALL, image_size=84), state)
    assert torch.equal(vit.blocks[11].attn.qkv.weight, backbone.vit.blocks[11].attn.qkv.weight)
    del state["mask_token"]  # timm has none
    peer.load_state_dict(state)
    with torch.inference_mode():
        ours, theirs = vit(pictures(84)).normed, peer.forward_features(pictures(84))
    assert theirs.std() > 0.5
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_changed_preview_is_refused_by_name_and_not_recognised_by_path(home):
    tensors = load_file(find_variant(PREVIEW).path)
    tensors["norm.bias"] = tensors["norm.bias"] + 1
    path = home / find_variant(PREVIEW).file
    save_file(tensors, path)
    with pytest.raises(ValueError, match="checksum differs"):
        load_backbone(PREVIEW)
    assert load_backbone(weights=path).info.source == "a file of your own"


def test_the_model_does_not_depend_on_its_file(tmp_path):
    path = save_backbone(tiny_vit(), tmp_path / "own.safetensors")
    vit = load_backbone(weights=path).vit
    path.write_bytes(b"\0" * path.stat().st_size)
    assert torch.equal(vit.cls_token, tiny_vit().cls_token)


# Official names are a claim


@pytest.fixture
def published(tmp_path_factory, monkeypatch) -> bytes:
    """A file that counts as the published ViT-S/14, random weights that it is."""
    path = tmp_path_factory.mktemp("publisher") / "dinov2_vits14_pretrain.pth"
    torch.save(VisionTransformer(VIT_SMALL).state_dict(), path)
    small = replace(VARIANTS[0], sha256=sha256(path), size=path.stat().st_size)
    assert small.name == "dinov2_vits14"
    changed = (small, *VARIANTS[1:])
    monkeypatch.setattr("dino_core.weights.variants.VARIANTS", changed)
    monkeypatch.setattr("dino_core.weights.backbone.VARIANTS", changed)
    return path.read_bytes()


def test_official_is_what_has_the_published_checksum(home, published):
    path = home / "dinov2_vits14_pretrain.pth"
    path.write_bytes(published)
    backbone = load_backbone()
    assert (backbone.name, backbone.info.official) == ("dinov2_vits14", True)
    assert backbone.info.standing == "verified"
    assert backbone.info.notes == ()
    other = path.rename(home / "mine.pth")
    backbone = load_backbone("dinov2_vits14", weights=other)
    assert (backbone.name, backbone.info.official) == ("mine", False)
    assert "ViT-S/14" in backbone.info.title


def test_a_verified_file_of_another_program_takes_over_and_says_where_it_lies(published):
    hub = torch_hub_folder()
    hub.mkdir(parents=True)
    (hub / "dinov2_vits14_pretrain.pth").write_bytes(published)
    backbone = load_backbone()
    assert backbone.info.standing == "verified"
    assert any(str(hub) in note for note in backbone.info.notes)


def test_the_name_of_an_official_file_makes_none(home, published):
    """Same length, other numbers: by name it is refused, as a file it is one's own."""
    path = home / "dinov2_vits14_pretrain.pth"
    path.write_bytes(published)
    tensors = torch.load(path, weights_only=True)
    tensors["norm.bias"] += 1
    torch.save(tensors, path)
    assert path.stat().st_size == len(published)
    assert default_model() == PREVIEW
    with pytest.raises(ValueError, match="checksum differs"):
        load_backbone("dinov2_vits14")
    info = load_backbone(weights=path).info
    assert (info.official, info.standing) == (False, "other")
    assert any("not the published file" in note for note in info.notes)


def test_without_a_known_checksum_official_is_a_claim(home, published):
    path = home / "dinov2_vits14_pretrain.safetensors"  # converted by somebody
    (home / "temporary.pth").write_bytes(published)
    save_file(torch.load(home / "temporary.pth", weights_only=True), path)
    info = load_backbone("dinov2_vits14").info
    assert (info.official, info.standing) == (True, "claimed")
    assert any("No checksum is known" in note for note in info.notes)
    assert describe_model("dinov2_vits14")[0] == "Says it is official, not verified"
    label = next(one.label for one in model_choices() if one.name == "dinov2_vits14")
    assert label == "DINOv2 ViT-S/14 (says it is official, not verified)"


def test_an_official_name_with_other_weights_is_refused_or_not_official(home):
    save_backbone(tiny_vit(), home / "dinov2_vits14_pretrain.safetensors")
    with pytest.raises(ValueError, match="do not fit"):
        load_backbone("dinov2_vits14")
    assert not load_backbone(weights=home / "dinov2_vits14_pretrain.safetensors").info.official


def test_a_checksum_is_that_of_the_file_as_it_is_now(tmp_path):
    path = tmp_path / "w.pth"
    known = []
    for contents, moment in ((b"one", 1), (b"two", 2), (b"three", 2)):
        path.write_bytes(contents)
        os.utime(path, (moment, moment))
        known.append(sha256(path))
    assert known == [hashlib.sha256(one).hexdigest() for one in (b"one", b"two", b"three")]
