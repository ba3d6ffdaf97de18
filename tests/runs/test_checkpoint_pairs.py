"""runs/checkpoint_pairs.py: a pair comes out of a checkpoint as it went in, or is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import TRAIN, differing_pair

from dino_core.config import HeadConfig, TrainConfig
from dino_core.runs.checkpoint_pairs import holds_pair, open_checkpoint_pair

WIDE = replace(TRAIN.vit, dim=64, heads=1, drop_path=0.0, layer_scale_init=1.0)
ONE_MAP = HeadConfig(prototypes=6, hidden=20, bottleneck=8, layers=1, mlp_bias=False)


def saved(config: TrainConfig, path: Path, prefix: str = "", **more: Any) -> dict[str, Any]:
    state = differing_pair(config).state_dict()
    torch.save({**{prefix + name: tensor for name, tensor in state.items()}, **more}, path)
    return state


@pytest.mark.parametrize(
    "heads",
    [
        (TRAIN.dino_head, TRAIN.ibot_head),
        (TRAIN.dino_head, None),
        (ONE_MAP, replace(TRAIN.dino_head, layers=4)),
    ],
    ids=["two heads", "a shared one", "one map and four"],
)
def test_a_pair_comes_out_as_it_went_in(tmp_path: Path, heads: Any) -> None:
    config = replace(TRAIN, vit=WIDE, dino_head=heads[0], ibot_head=heads[1])
    extra = {"dino_loss.center": torch.zeros(1, 12), "iteration": 3}
    state = saved(config, tmp_path / "x.pth", "module.", **extra)
    assert holds_pair(tmp_path / "x.pth")
    pair, found = open_checkpoint_pair(tmp_path / "x.pth")
    assert found.vit.depth == WIDE.depth
    assert found.dino_head.prototypes == heads[0].prototypes
    assert not pair.training
    for name, tensor in pair.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    tokens = torch.randn(3, 64)
    logits = differing_pair(config).eval().teacher.dino_head(tokens)
    torch.testing.assert_close(pair.teacher.dino_head(tokens), logits)


def test_what_is_no_pair_is_refused(tmp_path: Path) -> None:
    config, path = replace(TRAIN, vit=WIDE), tmp_path / "x.pth"
    state = saved(config, path)
    alone = {n: t for n, t in state.items() if n.startswith("teacher.")}
    headless = {n: t for n, t in state.items() if "_head." not in n}
    spoilt = {**state, "student.dino_head.mlp.0.bias": torch.full((20,), torch.nan)}
    odd = {**state, "teacher.dino_head.last_layer.weight_g": torch.zeros(5, 1)}
    other = {**state, "teacher.dino_head.last_layer.weight_v": torch.zeros(5, 8)}
    for tensors, words, held in (
        (alone, "has no student", False),
        (headless, "no pair of student and teacher", False),
        (spoilt, "no finite numbers", True),
        (odd, "not those of DINOv2", True),
        (other, "of different sizes", True),
    ):
        torch.save(tensors, path)
        assert holds_pair(path) == held
        with pytest.raises(ValueError, match=words):
            open_checkpoint_pair(path)
