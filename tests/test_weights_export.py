"""weights/export.py, peers.py, onnx.py: opened by the libraries they are for, and equal."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import TINY, tiny_vit

from dino_core.vit import VisionTransformer, interpolate_positions
from dino_core.weights import export as module
from dino_core.weights import load_backbone
from dino_core.weights.export import export_backbone
from dino_core.weights.onnx import ExportableBackbone, antialiased_matrix, bicubic_matrix

PLAIN = replace(TINY, image_size=84)
REGISTERS = replace(PLAIN, registers=4, position_offset=0.0, position_antialias=True)
KINDS = {
    "plain": PLAIN,
    "registers": REGISTERS,
    "swiglu": replace(PLAIN, ffn="swiglu"),
    "swiglu, registers": replace(REGISTERS, ffn="swiglu"),
    "patch 8": replace(PLAIN, patch_size=8, image_size=48, mlp_ratio=2.0),
}


def kinds(*without: str) -> pytest.MarkDecorator:
    names = [name for name in KINDS if name not in without]
    return pytest.mark.parametrize("config", [KINDS[name] for name in names], ids=names)


def wide(vit: VisionTransformer) -> torch.Tensor:
    patch = vit.config.patch_size
    shape = (2, 3, 5 * patch, 9 * patch)
    return torch.randn(shape, generator=torch.Generator().manual_seed(3))


@kinds()
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_official_file_comes_back_bit_for_bit(tmp_path, config, ending):
    vit = tiny_vit(config)
    done = export_backbone(vit, "official", tmp_path / f"model{ending}")
    assert [check.difference for check in done.checks] == [0, 0]
    assert {check.size[0] == check.size[1] for check in done.checks} == {True, False}
    again = load_backbone(weights=done.path, heads=3).vit
    for name, tensor in vit.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert [path.name for path in tmp_path.iterdir()] == [done.path.name]


@kinds("patch 8")
@pytest.mark.slow
def test_transformers_opens_the_folder_and_computes_the_same(tmp_path, config):
    hf = pytest.importorskip("transformers")
    vit = tiny_vit(config)
    done = export_backbone(vit, "transformers", tmp_path / "folder")
    assert max(check.difference for check in done.checks) < 1e-5
    peer = hf.AutoModel.from_pretrained(str(tmp_path / "folder")).eval()
    images = torch.randn(2, 3, 84, 84, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        torch.testing.assert_close(
            peer(images).last_hidden_state, vit(images).normed, rtol=1e-4, atol=1e-4
        )
    own_way = any("in its own way" in note for note in done.notes)
    assert own_way == (config.registers == 0)
    processor = hf.AutoImageProcessor.from_pretrained(str(tmp_path / "folder"))
    assert list(processor.image_mean) == [0.485, 0.456, 0.406]
    assert load_backbone(weights=tmp_path / "folder").vit.config.heads == 3


@kinds()
def test_timm_opens_the_file_and_computes_the_same(tmp_path, config):
    timm = pytest.importorskip("timm")
    vit = tiny_vit(config)
    done = export_backbone(vit, "timm", tmp_path / "timm.safetensors")
    assert max(check.difference for check in done.checks) < 1e-5
    line = done.notes[-1].removeprefix("Open it with ").rstrip(".")
    line = line.replace("checkpoint_path=...", "checkpoint_path=str(done.path)")
    peer = eval(line, {"timm": timm, "done": done, "str": str}).eval()  # as a person would
    images = torch.randn(2, 3, *vit.config.image_sides, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        torch.testing.assert_close(
            peer.forward_features(images), vit(images).normed, rtol=1e-4, atol=1e-4
        )


@pytest.mark.slow
@pytest.mark.parametrize(  # blocks are the same with registers, and cost seconds each
    "config",
    [PLAIN, replace(REGISTERS, depth=1)],
    ids=["plain", "registers"],
)
def test_onnx_has_free_batch_height_and_width(tmp_path, config):
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    vit = tiny_vit(config)
    done = export_backbone(vit, "onnx", tmp_path / "model.onnx", attention=True)
    session = ort.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])
    for images in (wide(vit), wide(vit)[:1], torch.ones(3, 3, 84, 84), torch.ones(1, 3, 14, 28)):
        cls, patches, attention = session.run(None, {"images": images.numpy()})
        with torch.inference_mode():
            out = vit(images, rows=[0])
        h, w = out.grid
        assert patches.shape == (len(images), 48, h, w)
        np.testing.assert_allclose(cls, out.cls, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            patches.reshape(len(images), 48, -1), out.patches.transpose(1, 2), rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(attention, out.rows[:, :, :, 0], atol=1e-5)


@pytest.mark.parametrize("config", [PLAIN, REGISTERS], ids=["plain", "registers"])
def test_what_becomes_a_graph_is_the_model_at_any_size(config):
    """Also at the size that its positions were learned at, where they are as they are."""
    vit = tiny_vit(config)
    r, c = config.position_grid
    for attention, (h, w) in ((True, (r, c)), (False, (2, 5)), (True, (r + 1, c))):
        images = torch.randn(2, 3, 14 * h, 14 * w, generator=torch.Generator().manual_seed(h))
        cls, patches, *rows = ExportableBackbone(vit, attention)(images)
        with torch.inference_mode():
            out = vit(images, rows=[0])
        torch.testing.assert_close(cls, out.cls, rtol=1e-4, atol=1e-4)
        expected = out.patches.transpose(1, 2).unflatten(2, (h, w))
        torch.testing.assert_close(patches, expected, rtol=1e-4, atol=1e-4)
        assert len(rows) == attention
        if attention:
            torch.testing.assert_close(rows[0], out.rows[:, :, :, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("h", "w"), [(6, 6), (3, 5), (9, 4), (16, 22), (1, 7), (2, 2)])
@pytest.mark.parametrize(("offset", "antialias"), [(0.1, False), (0.0, False), (0.0, True)])
def test_the_matrices_are_the_bicubic_interpolation(h, w, offset, antialias):
    positions = torch.randn(1, 1 + 5 * 7, 8, generator=torch.Generator().manual_seed(0))
    wanted = interpolate_positions(
        positions, (h, w), offset=offset, antialias=antialias, learned=(5, 7)
    )
    matrix = antialiased_matrix if antialias else bicubic_matrix
    R = matrix(torch.arange(h), 5, torch.tensor(h + offset))
    C = matrix(torch.arange(w), 7, torch.tensor(w + offset))
    found = torch.einsum("ir,jc,rcd->ijd", R, C, positions[0, 1:].reshape(5, 7, 8))
    torch.testing.assert_close(found.flatten(0, 1), wanted[0, 1:], rtol=1e-4, atol=1e-5)


# What is refused


@pytest.mark.parametrize(
    ("target", "name", "words"),
    [
        ("torch", "a.pth", "no export to 'torch'"),
        ("official", "a.onnx", "should end with .pth or .safetensors"),
        ("timm", "a", "should end with"),
        ("onnx", "a.pth", "should end with .onnx"),
    ],
)
def test_a_wrong_target_or_ending_is_refused_before_the_work(tmp_path, target, name, words):
    with pytest.raises(ValueError, match=words):
        export_backbone(tiny_vit(), target, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_never_written_over(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="is there already"):
        export_backbone(tiny_vit(), "transformers", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("target", "changes", "words"),
    [
        ("transformers", {"layer_scale_init": None}, "without LayerScale"),
        ("transformers", {"image_size": (56, 84)}, "square grid only"),
        ("timm", {"activation": "relu"}, "this model relu"),
        ("timm", {"norm_eps": 1e-3}, "this model 0.001"),
    ],
)
def test_what_the_other_has_no_place_for_is_said(tmp_path, target, changes, words):
    pytest.importorskip(target)
    name = "folder" if target == "transformers" else "a.pth"
    with pytest.raises(ValueError, match=words):
        export_backbone(tiny_vit(replace(TINY, **changes)), target, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_numbers_that_do_not_agree_leave_nothing(tmp_path, monkeypatch):
    def wrong(vit: VisionTransformer) -> dict[str, torch.Tensor]:
        return {name: tensor * 1.001 for name, tensor in vit.state_dict().items()}

    monkeypatch.setattr(module, "official_state", wrong)
    old = tmp_path / "model.pth"
    old.write_bytes(b"old")
    with pytest.raises(ValueError, match="differs by"):
        export_backbone(tiny_vit(), "official", old)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("model.pth", b"old")]


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"checked by timm, which is not installed"):
        export_backbone(tiny_vit(), "timm", tmp_path / "a.pth")


def test_the_config_says_what_shapes_cannot(tmp_path):
    pytest.importorskip("transformers")
    vit = tiny_vit(replace(PLAIN, heads=6, norm_eps=1e-3, activation="gelu_tanh"))
    export_backbone(vit, "transformers", Path(tmp_path / "folder"))
    stated = json.loads((tmp_path / "folder" / "config.json").read_text())
    assert (stated["num_attention_heads"], stated["hidden_act"]) == (6, "gelu_pytorch_tanh")
    assert load_backbone(weights=tmp_path / "folder").vit.config == vit.config


@pytest.mark.parametrize(
    ("apart", "agrees"), [(0.0, True), (1e-4, True), (1.01e-4, False), (float("nan"), False)]
)
def test_numbers_agree_to_a_ten_thousandth_of_the_largest(tmp_path, monkeypatch, apart, agrees):
    """Of both pictures; what is no number is no agreement."""
    found = iter((module.Check((1, 1), 0.0), module.Check((1, 2), apart)))
    monkeypatch.setattr(module, "_compare", lambda *_: next(found))
    if agrees:
        export_backbone(tiny_vit(), "official", tmp_path / "a.pth")
    else:
        with pytest.raises(ValueError, match="at 1 x 2 px; nothing was written"):
            export_backbone(tiny_vit(), "official", tmp_path / "a.pth")
    assert (tmp_path / "a.pth").exists() == agrees


def test_one_number_that_is_none_among_many_is_found():
    there = (torch.ones(1, 4), torch.ones(1, 3, 4))
    spoilt = (torch.ones(1, 4), torch.ones(1, 3, 4))
    spoilt[1][0, 2, 1] = float("nan")
    check = module._compare(lambda _: there, lambda _: spoilt, torch.zeros(1, 3, 28, 42))
    assert (check.size, check.difference <= 1) == ((28, 42), False)
    half = (torch.ones(1, 4), torch.full((1, 3, 4), 0.5))
    assert module._compare(lambda _: there, lambda _: half, torch.zeros(1, 3, 28, 42)) == (
        module.Check((28, 42), 0.5)
    )
