"""runs/pretrained_heads.py: heads in a file of their own, and back beside their backbone."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import TINY, tiny_vit
from tiny_runs import TRAIN, longer, noise_folder, setup

from dino_core.config import VIT_SMALL
from dino_core.datasets import find_pictures
from dino_core.evaluation.held_out import evaluate_heads
from dino_core.evaluation.knn import LabelledSet
from dino_core.runs.presets import find_preset, with_steps
from dino_core.runs.pretrained_heads import CIFAR_PAIR, OWN, PREVIEW_HEADS, load_heads, save_heads
from dino_core.runs.pretraining import train
from dino_core.runs.progress import begin, open_pair
from dino_core.runs.setup import BUNDLED_HEADS, NEW_HEADS, Setup, validated
from dino_core.step.loader import generator_for
from dino_core.student_teacher import StudentTeacher
from dino_core.weights import load_backbone, save_backbone
from dino_core.weights.variants import DISTILLED, find_variant, sha256

NAME = "preview_vits14"
CIFAR_TEST = Path(__file__).resolve().parents[3] / "shared" / "data" / "cifar10_test.zip"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Heads of random weights for the bundled backbone, saved."""
    config = replace(TRAIN, vit=VIT_SMALL)
    pair = StudentTeacher(config, generator=generator_for(0, "weights", 0))
    with torch.no_grad():
        pair.student.backbone.mask_token.fill_(0.25)
        pair.student.dino_head.last_layer.weight_v.mul_(2)
    path = tmp_path_factory.mktemp("heads") / "heads.safetensors"
    save_heads(pair, config, NAME, path)
    return pair, path


@pytest.mark.slow
def test_heads_come_back_beside_their_backbone(saved):
    pair, path = saved
    assert not any("backbone" in name for name in load_file(path)), "that is elsewhere"
    loaded, config = load_heads(path)
    backbone = load_backbone(NAME).vit.state_dict()
    for side in ("student", "teacher"):
        network = getattr(loaded, side)
        for name, tensor in network.backbone.state_dict().items():
            if name == "mask_token":
                assert (tensor == 0.25).all()
            else:
                assert torch.equal(tensor, backbone[name])
        for head in ("dino_head", "ibot_head"):
            wanted = getattr(getattr(pair, side), head).state_dict()
            for name, tensor in getattr(network, head).state_dict().items():
                torch.testing.assert_close(tensor, wanted[name], rtol=1e-3, atol=1e-6)
    assert config.dino_head == TRAIN.dino_head
    assert not any(parameter.requires_grad for parameter in loaded.teacher.parameters())


def test_other_files_are_refused_in_words(saved, tmp_path):
    _, path = saved
    tensors = load_file(path)
    other = tmp_path / "other.safetensors"
    save_file(tensors, other)
    with pytest.raises(ValueError, match="no heads of this project"):
        load_heads(other)
    config = replace(TRAIN, vit=VIT_SMALL)
    from dataclasses import asdict

    metadata = {"train": json.dumps(asdict(config)), "backbone": NAME}
    tensors.pop("teacher.dino_head.last_layer.weight_v")
    save_file(tensors, other, metadata=metadata)
    with pytest.raises(ValueError, match="does not fit"):
        load_heads(other)


def test_a_run_is_opened_too(tmp_path):
    chosen = setup(noise_folder(tmp_path / "data"), longer(2))
    train(tmp_path / "run", chosen)
    pair, config, backbone = open_pair(tmp_path / "run")
    assert config == chosen.run.train
    assert backbone == OWN
    save_heads(pair, config, OWN, tmp_path / "all.safetensors")
    again, same = load_heads(tmp_path / "all.safetensors")
    assert same == config
    for name, tensor in again.state_dict().items():
        torch.testing.assert_close(tensor, pair.state_dict()[name], rtol=1e-3, atol=1e-5)
    state = load_file(tmp_path / "run" / "checkpoints" / "step-00000002.safetensors")
    assert torch.equal(
        pair.teacher.dino_head.last_layer.weight_v, state["teacher.dino_head.last_layer.weight_v"]
    )
    with pytest.raises(ValueError):
        open_pair(tmp_path / "nothing")


@pytest.mark.slow
def test_heads_that_come_with_a_backbone_are_taken_for_continue_only(tmp_path):
    def prepare(preset, **changes):
        config = with_steps(find_preset(preset), 100)
        data = noise_folder(tmp_path / "data")
        return validated(Setup(run=config, data=str(data), model=NAME, **changes))[0]

    ready = prepare("continue")
    assert ready.heads == BUNDLED_HEADS
    assert ready.run.head_steps == 5
    new = prepare("continue", heads=NEW_HEADS)
    assert new.run.head_steps == 25
    assert prepare("heads").heads == NEW_HEADS

    with_theirs = begin(ready, torch.device("cpu")).pair
    bundled, _ = load_heads()
    for side in ("student", "teacher"):
        found, stored = getattr(with_theirs, side), getattr(bundled, side)
        assert torch.equal(found.backbone.mask_token, stored.backbone.mask_token)
        for part in ("dino_head", "ibot_head"):
            for name, tensor in getattr(stored, part).state_dict().items():
                assert torch.equal(getattr(found, part).state_dict()[name], tensor)
    vit = load_backbone(NAME).vit
    assert torch.equal(with_theirs.student.backbone.norm.weight, vit.norm.weight)
    with_new = begin(new, torch.device("cpu")).pair
    assert not torch.equal(
        with_new.student.dino_head.mlp[0].weight, with_theirs.student.dino_head.mlp[0].weight
    )


def test_a_network_that_goes_on_from_weights_drops_paths_as_the_recipe_says(tmp_path):
    chosen = with_steps(find_preset("continue"), 4)
    vit = replace(chosen.train.vit, drop_path=0.25, fused_attention=False)
    file = save_backbone(tiny_vit(), tmp_path / "tiny.safetensors")
    setup_of = Setup(
        run=replace(chosen, train=replace(chosen.train, vit=vit)),
        data=str(noise_folder(tmp_path / "data")),
        weights=str(file),
        heads=NEW_HEADS,
    )
    found = validated(setup_of)[0].run.train.vit
    assert (found.drop_path, found.fused_attention) == (0.25, False)
    assert (found.dim, found.depth, found.heads) == (TINY.dim, TINY.depth, TINY.heads)


def test_heads_of_another_size_are_refused(tmp_path, saved):
    chosen = with_steps(find_preset("continue"), 4)
    narrow = replace(chosen.train, dino_head=replace(chosen.train.dino_head, prototypes=64))
    setup_of = Setup(
        run=replace(chosen, train=narrow),
        data=str(noise_folder(tmp_path / "data")),
        model=NAME,
        heads=BUNDLED_HEADS,
    )
    with pytest.raises(ValueError, match="another size"):
        validated(setup_of)


def test_the_card_describes_the_files_that_are_there():
    card = (CIFAR_PAIR.parent / "README.md").read_text(encoding="utf-8")
    student = find_variant(DISTILLED).path
    for file, megabytes in ((PREVIEW_HEADS, 6), (CIFAR_PAIR, 30), (student, 12)):
        assert f"# Model card: `{file.name}`" in card
        assert sha256(file) in card
        assert file.stat().st_size <= megabytes * 1e6


@pytest.mark.slow
@pytest.mark.skipif(not CIFAR_TEST.is_file(), reason=f"{CIFAR_TEST} is not here")
def test_the_small_pair_has_learnt_what_its_card_says():
    pair, config = load_heads(CIFAR_PAIR)
    assert config.vit == find_preset("demo").train.vit
    assert config.crops == find_preset("demo").train.crops
    pictures = LabelledSet.of(find_pictures(CIFAR_TEST), 20, 20).test
    figures = evaluate_heads(pair, pictures, config)
    assert figures.dino_cross_entropy < 0.9 * math.log(512)
    assert figures.masked_top1 == pytest.approx(0.309, abs=0.03)
    assert figures.masked_top1 > 10 * figures.commonest
    assert figures.nearest_visible == pytest.approx(0.409, abs=0.04)
