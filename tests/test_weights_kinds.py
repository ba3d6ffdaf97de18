"""Checkpoints as they are saved: wrapped, prefixed, sharded, doubled, spoilt, of other models."""

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import TINY, pictures, shake, tiny_vit
from torch import Tensor, nn

from dino_core.vit import VisionTransformer
from dino_core.weights import infer_config, load_backbone, load_state
from dino_core.weights.architecture import (
    config_from_hugging_face,
    count_blocks,
    stated_grid,
)
from dino_core.weights.candidates import choose, find_backbone
from dino_core.weights.files import content_digest
from dino_core.weights.foreign import foreign_model
from dino_core.weights.peers import hugging_face_config
from dino_core.weights.untold import Untold

STATE = tiny_vit().state_dict()
OTHER = tiny_vit(seed=5).state_dict()


def prefixed(prefix: str, state: dict[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def loads(path: Path, **options) -> list[str]:
    """Loads a file that must hold STATE; its notes."""
    backbone = load_backbone(weights=path, heads=3, **options)
    for name, tensor in backbone.vit.state_dict().items():
        assert torch.equal(tensor, STATE[name]), name
    return list(backbone.info.notes)


# Wrappers and prefixes


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"model": STATE}, "model."),
        ({"state_dict": prefixed("backbone.")}, "state_dict.backbone."),
        ({"checkpoint": {"weights": {"net": STATE}}, "epoch": 3}, "checkpoint.weights.net."),
        ({"state_dict": prefixed("model.encoder.trunk.")}, "state_dict.model.encoder.trunk."),
        (prefixed("student_net."), "student_net."),
        (prefixed("module._orig_mod."), None),
        ({"model": STATE, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}}, "model."),
        ({"model": STATE, "args": argparse.Namespace(lr=0.1, data="here")}, "model."),
        ({"model": prefixed("_fsdp_wrapped_module.")}, "model."),
        ({"model": {"a": {"b": {"c": {"d": {"e": STATE}}}}}}, "model.a.b.c.d.e."),
    ],
)
def test_any_wrapper_and_any_prefix_is_found_and_said(tmp_path, content, word):
    torch.save(content, tmp_path / "wrapped.pth")
    notes = loads(tmp_path / "wrapped.pth")
    assert notes == ([f"In the file every name of the backbone begins with {word!r}."] * bool(word))


def test_wrapper_words_inside_names_are_taken_out(tmp_path):
    inside = {name.replace("blocks.1.", "blocks.1._orig_mod."): t for name, t in STATE.items()}
    save_file(inside, tmp_path / "compiled.safetensors")
    assert loads(tmp_path / "compiled.safetensors") == []


@pytest.mark.parametrize("head", ["head.", "linear_head.", "depth_decoder.layers.0.", "fc."])
@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_heads_beside_a_backbone_are_left_aside_and_named(tmp_path, prefix, head):
    content = prefixed(prefix) | {f"{head}weight": torch.zeros(2, 48)}
    torch.save(content, tmp_path / "tuned.pth")
    assert f"backbone: {head.split('.')[0]}." in loads(tmp_path / "tuned.pth")[0]


def test_a_norm_that_others_have_is_never_left_aside(tmp_path):
    save_file(STATE | {"norm_pre.weight": torch.ones(48)}, tmp_path / "odd.safetensors")
    with pytest.raises(ValueError, match=r"1 unexpected: norm_pre\.weight"):
        loads(tmp_path / "odd.safetensors")


# Two candidates


@pytest.mark.parametrize(
    ("average", "plain"),
    [
        ("teacher.backbone.", "student.backbone."),
        ("teacher.", "student.module."),
        ("state_dict_ema.", "state_dict."),
        ("model_ema.module.", "model."),
        ("momentum_encoder.", "encoder."),
        ("ema.", ""),
    ],
)
def test_a_model_and_its_average_are_told_apart(tmp_path, average, plain):
    save_file(prefixed(plain, OTHER) | prefixed(average), tmp_path / "two.safetensors")
    path = tmp_path / "two.safetensors"
    notes = loads(path)
    assert "the moving average" in notes[0]
    assert loads(path, branch="teacher") == notes
    trained = load_backbone(weights=path, heads=3, branch="student")
    assert torch.equal(trained.vit.norm.bias, OTHER["norm.bias"])
    assert "the trained network" in trained.info.notes[0]
    assert not any("Left aside" in note for note in trained.info.notes)


def test_two_of_a_kind_are_asked_for_by_name(tmp_path):
    path = tmp_path / "two.safetensors"
    save_file(prefixed("left.") | prefixed("right.", OTHER), path)
    with pytest.raises(ValueError, match=r"2 backbones: 'left', 'right'\. Say which"):
        loads(path)
    with pytest.raises(Untold) as untold:
        loads(path)
    assert (untold.value.field, untold.value.choices) == ("branch", ("left", "right"))
    loads(path, branch="left")
    with pytest.raises(ValueError, match=r"no middle, only 'left', 'right'"):
        loads(path, branch="middle")


def test_the_heads_of_the_chosen_branch_come_along_and_no_others():
    names = prefixed("teacher.backbone.") | prefixed("student.backbone.")
    for branch, value in (("teacher", 1.0), ("student", 2.0)):
        names[f"{branch}.dino_head.mlp.0.weight"] = torch.full((1,), value)
    names["dino_loss.center"] = torch.zeros(1)
    found = find_backbone(names, "student")
    assert set(found.extras) == {"dino_head.mlp.0.weight", "dino_loss.center"}
    assert found.extras["dino_head.mlp.0.weight"].item() == 2


# Folders and config.json


def hugging_face(tmp_path: Path, **changes) -> nn.Module:
    hf = pytest.importorskip("transformers")
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "image_size": 56, "patch_size": 14}
    config = hf.Dinov2Config(**({"num_attention_heads": 3} | sizes | changes))
    peer = hf.Dinov2Model(config).eval()
    shake(peer)
    return peer


def assert_equal_features(path: Path, peer: nn.Module, images: Tensor | None = None) -> None:
    images = pictures() if images is None else images
    with torch.inference_mode():
        ours = load_backbone(weights=path).vit(images).normed
        theirs = peer(images).last_hidden_state
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"num_attention_heads": 6},
        {"num_attention_heads": 12, "layer_norm_eps": 0.02},
        {"hidden_act": "gelu_pytorch_tanh"},
        {"hidden_act": "relu"},
        {"hidden_act": "quick_gelu"},
        {"hidden_act": "silu"},
    ],
)
def test_a_hugging_face_folder_says_what_shapes_cannot(tmp_path, changes):
    peer = hugging_face(tmp_path, **changes)
    peer.save_pretrained(tmp_path)
    assert_equal_features(tmp_path, peer)
    assert_equal_features(tmp_path / "model.safetensors", peer)


def test_shards_are_read_as_one(tmp_path):
    peer = hugging_face(tmp_path)
    peer.save_pretrained(tmp_path, max_shard_size="50KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    assert_equal_features(tmp_path, peer)
    digest = content_digest(tmp_path)
    second = next(tmp_path.glob("model-*2-of-*.safetensors"))
    second.write_bytes(second.read_bytes() + b" ")
    assert content_digest(tmp_path) != digest
    second.unlink()
    with pytest.raises(ValueError, match=r"lacks 1 of \d+ shards, first of all model-"):
        load_backbone(weights=tmp_path)


def test_what_a_checkpoint_holds_has_a_digest_wherever_it_lies(tmp_path):
    peer = hugging_face(tmp_path)
    peer.save_pretrained(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert content_digest(tmp_path / "one") == content_digest(tmp_path / "two")
    file = tmp_path / "two" / "model.safetensors"
    assert content_digest(file) == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("pos_embed", 3), ("patch_embed.proj.weight", 4), ("blocks.0.mlp.fc1.weight", 2)],
)
def test_a_tensor_of_other_dimensions_is_said(name, wanted):
    for odd in (STATE[name][None], STATE[name][0]):
        with pytest.raises(ValueError, match=rf"^{name} has shape .* wanted are {wanted} dim"):
            infer_config(STATE | {name: odd}, 3)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000, '{"hidden_size": 48}'])
def test_a_config_that_cannot_be_read_says_nothing(text):
    assert config_from_hugging_face(text, TINY) == TINY
    assert stated_grid(text, 14) is None


def test_what_is_exported_is_read_again_with_what_shapes_cannot_tell():
    for changes in ({}, {"norm_eps": 0.02}, {"heads": 6}, {"activation": "relu"}):
        config = replace(TINY, **changes)
        inferred = replace(TINY, heads=1, norm_eps=1e-6)
        text = json.dumps(hugging_face_config(config))
        assert config_from_hugging_face(text, inferred) == config


@pytest.mark.parametrize("name", ["../model.safetensors", "a/b.safetensors"])
def test_an_index_never_leads_out_of_its_folder(tmp_path, name):
    index = {"weight_map": {"cls_token": name}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="does not lie in the same folder"):
        load_backbone(weights=tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"weight_map": 3}', "{}"])
def test_a_damaged_index_is_refused_in_words(tmp_path, text):
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(ValueError, match="no index of shards"):
        load_backbone(weights=tmp_path)


def test_a_folder_without_weights_says_what_is_wanted(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"is a folder without weights.*model\.safetensors"):
        load_backbone(weights=tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{broken", '{"hidden_size": 7}', "[" * 5000])
def test_a_config_that_does_not_help_does_no_harm(tmp_path, text):
    save_file(STATE, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(text)
    loads(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "clip_vision_model"}, "CLIP"),
        ({"model_type": "dinov3_vit"}, "DINOv3"),
        ({"model_type": "vit_mae"}, "MAE"),
        ({"hidden_act": "mish"}, "activation 'mish'"),
        ({"num_attention_heads": 7}, "cannot be shared by 7 heads"),
        ({"num_attention_heads": "many"}, "does not fit"),
    ],
)
def test_a_config_of_something_else_is_refused_in_words(tmp_path, changes, words):
    peer = hugging_face(tmp_path)
    peer.save_pretrained(tmp_path)
    stated = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(stated | changes))
    with pytest.raises(ValueError, match=words):
        load_backbone(weights=tmp_path)


# Grids that are no square


@pytest.mark.parametrize("registers", [0, 4])
def test_positions_on_a_grid_that_is_no_square(tmp_path, registers):
    timm = pytest.importorskip("timm")
    model = f"vit_small_patch14_{'reg4_' if registers else ''}dinov2"
    sizes = {"embed_dim": 48, "depth": 2, "num_heads": 3, "num_classes": 0}
    peer = timm.create_model(model, img_size=(56, 84), **sizes).eval()
    shake(peer)
    save_file(peer.state_dict(), tmp_path / "wide.safetensors")
    with pytest.raises(ValueError, match=r"no square.*4x6 or 6x4"):
        load_backbone(weights=tmp_path / "wide.safetensors", heads=3)
    with pytest.raises(ValueError, match="not 5x5"):
        load_backbone(weights=tmp_path / "wide.safetensors", heads=3, grid=(5, 5))
    with pytest.raises(Untold) as untold:
        load_backbone(weights=tmp_path / "wide.safetensors", heads=3)
    assert untold.value.choices == ("4x6", "6x4", "3x8", "8x3", "2x12", "12x2")
    vit = load_backbone(weights=tmp_path / "wide.safetensors", heads=3, grid=(4, 6)).vit
    assert vit.config.position_grid == (4, 6)
    images = torch.randn(1, 3, 56, 84, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(
            vit(images).normed, peer.forward_features(images), rtol=1e-5, atol=1e-5
        )
        assert vit(pictures(70)).normed.shape[1] == 1 + registers + 25  # and any other size


def test_a_wide_grid_comes_back_from_our_own_file(tmp_path):
    from dino_core.weights import save_backbone

    vit = tiny_vit(replace(TINY, image_size=(56, 84)))
    again = load_backbone(weights=save_backbone(vit, tmp_path / "wide.safetensors")).vit
    assert again.config == vit.config
    assert torch.equal(again.pos_embed, vit.pos_embed)


# Other models


def names_of(*names: str) -> dict[str, Tensor]:
    return {name: torch.zeros(2) for name in names}


FOREIGN = {
    "DINOv3": [
        STATE | names_of("rope_embed.periods", "storage_tokens"),
        names_of("embeddings.patch_embeddings.weight", "layer.0.norm1.weight"),
    ],
    "CLIP": [
        names_of("visual.conv1.weight", "visual.transformer.resblocks.0.ln_1.weight"),
        names_of("vision_model.embeddings.class_embedding", "text_model.final_layer_norm.bias"),
    ],
    "MAE": [
        STATE | names_of("decoder_pos_embed", "decoder_blocks.0.norm1.weight"),
        {"model": STATE | names_of("decoder_embed.weight")},
    ],
    "SigLIP": [names_of("vision_model.head.probe", "vision_model.embeddings.patch_embedding.bias")],
    "BEiT": [STATE | names_of("blocks.0.gamma_1")],
    "Swin": [names_of("layers.0.blocks.0.attn.relative_position_bias_table")],
    "ResNet": [names_of("conv1.weight", "layer1.0.conv1.weight", "layer4.2.bn3.weight")],
    "ConvNeXt": [names_of("stages.0.0.gamma", "stages.0.0.conv_dw.weight")],
    "Segment Anything": [names_of("image_encoder.blocks.0.attn.rel_pos_h", "mask_decoder.x")],
}


@pytest.mark.parametrize("model", FOREIGN)
def test_other_models_are_named_as_what_they_are(tmp_path, model):
    for i, content in enumerate(FOREIGN[model]):
        path = tmp_path / f"{i}.pth"
        torch.save(content, path)
        with pytest.raises(ValueError, match=f"This is .*{model}.*not a DINOv2 backbone"):
            load_backbone(weights=path, heads=3)


def test_a_dinov2_is_not_mistaken_for_another():
    for config in (TINY, replace(TINY, registers=4, ffn="swiglu"), replace(TINY, depth=12)):
        assert foreign_model(VisionTransformer(config, device="meta").state_dict()) is None


@pytest.mark.parametrize("full", [False, True], ids=["backbone", "whole checkpoint"])
def test_dino_v1_is_computed_and_called_by_its_name(tmp_path, full):
    config = replace(TINY, patch_size=16, image_size=64, layer_scale_init=None)
    vit = tiny_vit(config)
    state = {name: t for name, t in vit.state_dict().items() if name != "mask_token"}
    content: dict = state
    if full:
        head = {"head.last_layer.weight_g": torch.ones(1), "head.mlp.0.weight": torch.ones(1)}
        content = {
            "student": {f"module.backbone.{n}": 2 * t for n, t in state.items()},
            "teacher": {f"backbone.{n}": t for n, t in state.items()} | head,
            "args": argparse.Namespace(arch="vit_small"),
            "dino_loss": {"center": torch.zeros(1)},
        }
    torch.save(content, tmp_path / "dino.pth")
    backbone = load_backbone(weights=tmp_path / "dino.pth", heads=3)
    assert backbone.info.layout == "plain ViT"
    assert any("DINO (v1)" in n and "not a DINOv2" in n for n in backbone.info.notes)
    with torch.inference_mode():
        assert torch.equal(backbone.vit(pictures(64)).normed, vit(pictures(64)).normed)


# Values


def spoilt(value: float) -> Callable[[dict[str, Tensor]], None]:
    def spoil(state: dict[str, Tensor]) -> None:
        state["blocks.1.mlp.fc1.bias"] = state["blocks.1.mlp.fc1.bias"].clone()
        state["blocks.1.mlp.fc1.bias"][3] = value

    return spoil


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_that_are_no_numbers_are_refused_when_loaded(tmp_path, dtype, value):
    state = {name: tensor.to(dtype) for name, tensor in STATE.items()}
    spoilt(value)(state)
    save_file(state, tmp_path / "spoilt.safetensors")
    with pytest.raises(
        ValueError, match=r"spoilt: 1 of \d+ tensors .* is blocks\.1\.mlp\.fc1\.bias"
    ):
        load_backbone(weights=tmp_path / "spoilt.safetensors", heads=3)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.bool])
def test_quantised_weights_are_refused_in_words(tmp_path, dtype):
    state = STATE | {"norm.weight": STATE["norm.weight"].to(dtype)}
    save_file(state, tmp_path / "int.safetensors")
    with pytest.raises(ValueError, match=r"norm\.weight holds \w+ numbers: quantised"):
        load_backbone(weights=tmp_path / "int.safetensors", heads=3)


def test_tensors_without_values_are_refused(tmp_path):
    state = STATE | {"norm.weight": STATE["norm.weight"].to("meta")}
    with pytest.raises(ValueError, match=r"norm\.weight has a shape but no values"):
        load_state(TINY, state)


@pytest.mark.parametrize("number", ["99999999", "7", "100000000000000000000"])
def test_a_claim_of_many_blocks_is_seen_before_any_is_built(number):
    tensors = STATE | {f"blocks.{number}.norm1.weight": torch.zeros(48)}
    with pytest.raises(ValueError, match=r"without a gap|unexpected"):
        load_state(infer_config(tensors, 3), tensors)


def test_a_stored_config_of_many_blocks_is_refused(tmp_path):
    config = json.dumps({"dim": 48, "heads": 3, "image_size": 56, "depth": 10**8})
    save_file(STATE, tmp_path / "own.safetensors", {"config": config, "format": "pt"})
    with pytest.raises(ValueError, match="100000000 blocks is claimed"):
        load_backbone(weights=tmp_path / "own.safetensors")


# Programs instead of weights


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


def scripted(path: Path) -> None:
    torch.jit.script(Wrapped()).save(str(path))


def traced(path: Path) -> None:
    torch.jit.trace(Wrapped(), torch.zeros(1, 4)).save(str(path))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("write", [scripted, traced])
def test_torchscript_is_refused_in_words(tmp_path, write):
    write(tmp_path / "model.pt")
    with pytest.raises(ValueError, match="is a TorchScript archive"):
        load_backbone(weights=tmp_path / "model.pt")


@pytest.mark.parametrize("module", [tiny_vit(), nn.Linear(2, 2)], ids=["ours", "torch's"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_whole_pickled_module_is_refused_in_words(tmp_path, module, wrapped):
    torch.save({"model": module} if wrapped else module, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"(whole pickled model|more than tensors) \([\w.]+\)"):
        load_backbone(weights=tmp_path / "model.pt")


@pytest.fixture(autouse=True)
def offline(monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("prefixes", [["student.backbone."], ["backbone."], ["", "left."]])
def test_what_is_no_average_is_not_given_out_as_one(prefixes: list[str]) -> None:
    with pytest.raises(ValueError, match="has no teacher"):
        choose(prefixes, "teacher")


def test_a_backbone_alone_is_everybody_s() -> None:
    """A file of one network without a prefix does not say which it was."""
    assert choose([""], "teacher") == choose([""], "student") == choose([""], None) == ""
    assert choose(["", "ema."], "teacher") == "ema."
    assert choose(["", "ema."], "student") == ""


@pytest.mark.parametrize("numbers", [[0, 2], [1, 2], [0, 1, 3, 4]])
def test_a_block_that_is_missing_is_said_as_such(numbers: list[int]) -> None:
    names = {f"blocks.{number}.norm1.weight": torch.ones(1) for number in numbers}
    with pytest.raises(ValueError, match=f"has the number {numbers[-1]}: .* without a gap"):
        count_blocks(names)
    assert count_blocks({f"blocks.{i}.x": torch.ones(1) for i in range(11)}) == 11
