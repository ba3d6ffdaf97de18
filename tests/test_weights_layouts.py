"""Other layouts: the golden training checkpoints, and the peers' own models as outside truth."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import TINY, pictures, shake, tiny_vit

from dino_core.config import ViTConfig
from dino_core.vit import VisionTransformer
from dino_core.weights import (
    convert,
    infer_config,
    load_backbone,
    load_state,
    read_state_dict,
)

GOLDEN = Path(__file__).parent / "golden"

os.environ["HF_HUB_OFFLINE"] = "1"


# Official training checkpoints


def test_teacher_checkpoint_gives_the_golden_outputs():
    backbone = load_backbone(weights=GOLDEN / "teacher_checkpoint_tiny.pth", heads=3)
    assert backbone.info.layout == "official training checkpoint"
    assert any("dino_head" in note for note in backbone.info.notes)
    golden = load_file(GOLDEN / "vit_chunked_io.safetensors")
    for name in ("native", "rect"):
        with torch.inference_mode():
            out = backbone.vit(golden[f"{name}/image"].float())
        for key, ours in (("clstoken", out.cls), ("patchtokens", out.patches)):
            wanted = golden[f"{name}/nomask/x_norm_{key}"].float()
            torch.testing.assert_close(ours, wanted, rtol=0, atol=5e-5)


def test_teacher_checkpoint_keeps_its_head_beside():
    layout = json.loads((GOLDEN / "checkpoint_layouts.json").read_text())
    tensors, metadata = read_state_dict(GOLDEN / "teacher_checkpoint_tiny.pth")
    aside = convert(tensors).aside
    assert set(aside) == {f"dino_head.{name}" for name in layout["dino_head"]}
    assert metadata == {}


def test_undecidable_heads_are_asked_for():
    with pytest.raises(ValueError, match="heads="):
        load_backbone(weights=GOLDEN / "teacher_checkpoint_tiny.pth")


@pytest.mark.parametrize(
    ("prefix", "layout"),
    [
        ("", "official"),
        ("teacher.backbone.", "official training checkpoint"),
        ("teacher.", "official"),
    ],
)
def test_a_backbone_that_is_called_one_is_of_a_training(tmp_path, prefix, layout):
    state = {prefix + name: tensor for name, tensor in tiny_vit().state_dict().items()}
    torch.save(state, tmp_path / "own.pth")
    assert load_backbone(weights=tmp_path / "own.pth", heads=3).info.layout == layout


@pytest.mark.parametrize("branch", ["teacher", "student"])
def test_training_checkpoint_has_two_branches(tmp_path, branch):
    meta = json.loads((GOLDEN / "train_meta.json").read_text())
    init = load_file(GOLDEN / "train_init.safetensors")
    names = meta["model_state_dict_keys"]["separate"]
    model = {name: init.get(name, torch.zeros(1)) for name in names}
    path = tmp_path / "model_0000002.rank_0.pth"
    torch.save({"model": model, "optimizer": {"state": {}}, "iteration": 2}, path)
    backbone = load_backbone(weights=path, branch=branch, heads=2)
    assert backbone.info.layout == "official training checkpoint"
    state = backbone.vit.state_dict()
    prefix = f"{branch}.backbone."
    wanted = {k.removeprefix(prefix): v for k, v in init.items() if k.startswith(prefix)}
    wanted = {k: v for k, v in wanted.items() if k in state}
    assert len(wanted) > 20
    for name, tensor in wanted.items():
        assert torch.equal(state[name], tensor)


def test_a_missing_branch_is_named():
    tensors, _ = read_state_dict(GOLDEN / "teacher_checkpoint_tiny.pth")
    with pytest.raises(ValueError, match="no student"):
        convert(tensors, "student")


# Peers: the same random weights, the same outputs

HF_TINY = {
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "image_size": 56,
    "patch_size": 14,
}


@pytest.mark.parametrize("saved", [True, False], ids=["as saved", "as in memory"])
@pytest.mark.parametrize("swiglu", [False, True], ids=["mlp", "swiglu"])
@pytest.mark.parametrize("registers", [0, 4])
def test_equals_hugging_face(tmp_path, registers, swiglu, saved):
    hf = pytest.importorskip("transformers")
    if registers:
        config = hf.Dinov2WithRegistersConfig(
            **HF_TINY, use_swiglu_ffn=swiglu, num_register_tokens=registers
        )
        peer = hf.Dinov2WithRegistersModel(config).eval()
    else:
        peer = hf.Dinov2Model(hf.Dinov2Config(**HF_TINY, use_swiglu_ffn=swiglu)).eval()
    shake(peer)
    path = tmp_path / "model.safetensors"
    if saved:
        peer.save_pretrained(tmp_path)
    else:
        save_file(peer.state_dict(), path)
    backbone = load_backbone(weights=path, heads=3)
    assert backbone.info.layout == "Hugging Face"
    assert backbone.info.notes == ()
    with torch.inference_mode():
        theirs = peer(pictures()).last_hidden_state
        ours = backbone.vit(pictures()).normed
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    masks = torch.rand(2, 16, generator=torch.Generator().manual_seed(2)) < 0.5
    with torch.inference_mode():
        theirs = peer(pictures(), bool_masked_pos=masks).last_hidden_state
        ours = backbone.vit(pictures(), masks).normed
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_hugging_face_classifier_loads_without_its_head(tmp_path):
    hf = pytest.importorskip("transformers")
    peer = hf.Dinov2ForImageClassification(hf.Dinov2Config(**HF_TINY)).eval()
    shake(peer)
    save_file(peer.state_dict(), tmp_path / "model.safetensors")
    backbone = load_backbone(weights=tmp_path / "model.safetensors", heads=3)
    assert "classifier" in backbone.info.notes[0]
    with torch.inference_mode():
        theirs = peer.dinov2(pictures()).last_hidden_state
        ours = backbone.vit(pictures()).normed
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "notes"),
    [
        ("vit_small_patch14_dinov2", ["mask token"]),
        ("vit_small_patch14_reg4_dinov2", ["no position", "mask token"]),
        ("vit_giant_patch14_dinov2", ["mask token"]),
        ("vit_giant_patch14_reg4_dinov2", ["no position", "mask token"]),
    ],
)
def test_equals_timm(tmp_path, model, notes):
    timm = pytest.importorskip("timm")
    peer = timm.create_model(
        model, img_size=56, embed_dim=48, depth=2, num_heads=3, num_classes=0
    ).eval()
    shake(peer)
    torch.save(peer.state_dict(), tmp_path / "timm.pth")
    backbone = load_backbone(weights=tmp_path / "timm.pth", heads=3)
    assert backbone.info.layout == "timm"
    assert backbone.vit.config.ffn == ("swiglu" if "giant" in model else "mlp")
    assert len(backbone.info.notes) == len(notes)
    for note, words in zip(backbone.info.notes, notes, strict=True):
        assert words in note
    with torch.inference_mode():
        theirs, ours = peer.forward_features(pictures()), backbone.vit(pictures()).normed
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


# Architecture from the shapes


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        ViTConfig(dim=192, depth=3, heads=3, image_size=98),
        replace(TINY, patch_size=8, image_size=32, channels=1, mlp_ratio=2.5),
        replace(TINY, ffn="swiglu", position_offset=0.0, position_antialias=True, registers=1),
        replace(TINY, layer_scale_init=None),
    ],
)
def test_config_is_read_off_the_shapes(config):
    tensors = VisionTransformer(config, device="meta").state_dict()
    assert infer_config(tensors, config.heads) == config


def test_every_width_of_the_mlp_is_hit_exactly():
    tensors = VisionTransformer(TINY, device="meta").state_dict()
    for hidden in range(1, 1000):
        tensors["blocks.0.mlp.fc1.weight"] = torch.empty(hidden, 48, device="meta")
        assert int(48 * infer_config(tensors, 3).mlp_ratio) == hidden


def test_every_width_of_a_swiglu_is_hit_exactly():
    tensors = VisionTransformer(replace(TINY, ffn="swiglu"), device="meta").state_dict()
    for hidden in range(8, 1000, 8):
        tensors["blocks.0.mlp.w3.weight"] = torch.empty(48, hidden, device="meta")
        vit = VisionTransformer(infer_config(tensors, 3), device="meta")
        assert vit.blocks[0].mlp.w3.in_features == hidden


def test_a_grid_that_is_not_square_is_refused():
    tensors = tiny_vit().state_dict()
    tensors["pos_embed"] = torch.zeros(1, 1 + 4 * 5, 48)
    with pytest.raises(ValueError, match="21 rows"):
        infer_config(tensors, 3)


def test_strict_loading_lists_everything():
    tensors = tiny_vit().state_dict()
    del tensors["norm.bias"]
    tensors["extra"] = torch.zeros(1)
    tensors["cls_token"] = torch.zeros(1, 1, 7)
    with pytest.raises(ValueError) as error:
        load_state(TINY, tensors)
    words = str(error.value)
    assert "1 missing: norm.bias" in words
    assert "1 unexpected: extra" in words
    assert "cls_token is [1, 1, 7], wanted [1, 1, 48]" in words
    with pytest.raises(ValueError, match=r"29 missing: .* and 19 more"):
        load_state(replace(TINY, depth=4), {k: v for k, v in tensors.items() if k != "extra"})


def test_what_is_no_backbone_is_refused(tmp_path):
    save_file({"fc.weight": torch.zeros(2, 2)}, tmp_path / "resnet.safetensors")
    with pytest.raises(ValueError, match=r"resnet.safetensors: No DINOv2 backbone .*fc.weight"):
        load_backbone(weights=tmp_path / "resnet.safetensors")
