"""weights/: files, folders and shapes that are refused, each in its sentence."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import tiny_vit

from dino_core import weights
from dino_core.runs.checkpoint_pairs import head_config
from dino_core.weights.architecture import count_blocks, infer_config
from dino_core.weights.files import MAX_JSON, read_state_dict
from dino_core.weights.layouts import convert
from dino_core.weights.zipped import unpack_folder


def test_what_a_backbone_has_at_least() -> None:
    tensors = dict(tiny_vit().state_dict())
    with pytest.raises(ValueError, match="The weights have no blocks"):
        count_blocks({"norm.bias": torch.ones(1)})
    for name in ("pos_embed", "patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"):
        few = {key: tensor for key, tensor in tensors.items() if key != name}
        with pytest.raises(ValueError, match=f"This is no DINOv2 backbone: it has no {name}"):
            infer_config(few)
    flat = tensors | {"pos_embed": torch.ones(17, 48)}
    with pytest.raises(ValueError, match=r"pos_embed has shape \[17, 48\]; wanted are 3 dim"):
        infer_config(flat)


def test_shards_that_lack_a_tensor(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "one.safetensors")
    homes = {"a": "one.safetensors", "b": "one.safetensors", "c": "one.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": homes}))
    with pytest.raises(ValueError, match="the shards lack 2 tensors, as b"):
        read_state_dict(tmp_path)
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors"}}))
    assert list(read_state_dict(tmp_path)[0]) == ["a"]


def test_a_config_beside_weights_is_read_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, config = tmp_path / "w.safetensors", tmp_path / "config.json"
    save_file({"a": torch.ones(1)}, path, {"licence": "MIT"})
    assert read_state_dict(path)[1] == {"licence": "MIT"}
    config.write_text("{}")
    assert read_state_dict(path)[1] == {"licence": "MIT", "config.json": "{}"}
    assert MAX_JSON == 64 * 2**20
    monkeypatch.setattr("dino_core.weights.files.MAX_JSON", 2)
    assert "config.json" in read_state_dict(path)[1], "as much as is taken"
    monkeypatch.setattr("dino_core.weights.files.MAX_JSON", 1)
    assert read_state_dict(path)[1] == {"licence": "MIT"}
    index = tmp_path / "more" / "model.safetensors.index.json"
    index.parent.mkdir()
    index.write_text("{}")
    with pytest.raises(ValueError, match="too large for a JSON file"):
        read_state_dict(index.parent)
    monkeypatch.setattr("dino_core.weights.files.MAX_JSON", 2)
    for text in (b"{}", b"\xff"):
        index.write_bytes(text)
        with pytest.raises(ValueError, match="is no index of shards"):
            read_state_dict(index.parent)


def test_a_class_token_that_has_a_position_keeps_it() -> None:
    """timm's register models add it to the token, others do not: 17 rows are 4 x 4 and one."""
    tensors = {n: t for n, t in tiny_vit().state_dict().items() if n != "mask_token"}
    tensors |= {"reg_token": torch.ones(1, 2, 48)}
    found = convert(tensors)
    assert found.tensors["pos_embed"].equal(tensors["pos_embed"])
    assert found.tensors["register_tokens"].equal(tensors["reg_token"])
    cut = convert(tensors | {"pos_embed": tensors["pos_embed"][:, 1:]})
    assert cut.tensors["pos_embed"][:, 1:].equal(tensors["pos_embed"][:, 1:])
    assert not cut.tensors["pos_embed"][:, 0].any()
    assert "The class token has no position in the file (timm adds it to the token): zeros." in (
        cut.notes
    )


def test_what_is_no_zip_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(1)}, path)
    before = path.read_bytes()
    assert unpack_folder(path, 10**6) is None
    assert path.read_bytes() == before


def test_sizes_of_a_head_are_read_off_its_shapes() -> None:
    head = {
        "h.mlp.0.weight": torch.ones(20, 16),
        "h.mlp.0.bias": torch.ones(20),
        "h.mlp.2.weight": torch.ones(20, 20),
        "h.mlp.4.weight": torch.ones(8, 20),
        "h.last_layer.weight_v": torch.ones(12, 8),
    }
    found = head_config(head, "h.")
    assert found is not None
    assert (found.prototypes, found.hidden, found.bottleneck) == (12, 20, 8)
    assert (found.layers, found.mlp_bias) == (3, True)
    single = head_config({"h.mlp.weight": torch.ones(8, 16), "h.last_layer.weight_v":
                          torch.ones(5, 8)}, "h.")  # fmt: skip
    assert single is not None
    assert (single.layers, single.hidden, single.mlp_bias) == (1, 8, False)
    assert head_config(head, "other.") is None
    with pytest.raises(ValueError, match="has 1 dimensions; wanted are 2"):
        head_config(head | {"h.last_layer.weight_v": torch.ones(12)}, "h.")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no public name 'nothing'"):
        weights.nothing  # noqa: B018
