"""runs/head_training.py: what is looked up is what would be computed, and it learns."""

from dataclasses import replace

import pytest
import torch
from tiny_runs import RUN, TRAIN, coloured, files

from dino_core.datasets import find_pictures
from dino_core.runs import head_training
from dino_core.runs.head_training import (
    CacheConfig,
    cache_features,
    heads_config,
    train_heads,
)
from dino_core.step.loader import BatchMaker, generator_for, to_batch
from dino_core.student_teacher import StudentTeacher

CACHE = CacheConfig(steps_a_batch=3, masked_crops=5, extra_patches=20)
# No warm-up, or the few steps of a test would move nothing.
SCHEDULE = replace(
    TRAIN.schedule, warmup_epochs=0, freeze_last_layer_epochs=0, base_learning_rate=0.1, epochs=40
)
CONFIG = replace(
    RUN,
    train=replace(TRAIN, vit=replace(TRAIN.vit, drop_path=0.0), schedule=SCHEDULE),
    mask_token_rate=5.0,
)


@pytest.fixture
def pictures(tmp_path):
    return find_pictures(files(tmp_path / "data", coloured(4)))


@pytest.fixture
def vit():
    return StudentTeacher(CONFIG.train, generator=generator_for(0, "weights", 0)).teacher.backbone


def test_a_cached_batch_is_what_single_forwards_give(pictures, vit):
    batch = to_batch(BatchMaker(pictures, CONFIG.train, 0).make(0))
    cached = cache_features(vit.eval(), batch, at_once=5)
    n = batch.pictures
    crops = [*batch.global_crops.split(n), *batch.local_crops.split(n)]
    for view, some in enumerate(crops):
        for i, crop in enumerate(some):
            with torch.no_grad():
                out = vit(crop[None])
            torch.testing.assert_close(cached.cls[view, i], out.cls[0], rtol=1e-4, atol=1e-5)
            if view < 2:
                torch.testing.assert_close(
                    cached.patches[view * n + i], out.patches[0], rtol=1e-4, atol=1e-5
                )


def test_heads_and_mask_token_learn_and_the_backbone_does_not(pictures, vit):
    lines = []
    pair = train_heads(vit, pictures, CONFIG, CACHE, report=lines.append)
    assert [line["step"] for line in lines] == list(range(1, 41))
    fresh = StudentTeacher(CONFIG.train, generator=generator_for(CONFIG.seed, "weights", 0))
    for name, tensor in vit.state_dict().items():
        for side in (pair.student, pair.teacher):
            if name != "mask_token":
                assert torch.equal(side.backbone.state_dict()[name], tensor), name
    assert not torch.equal(pair.student.backbone.mask_token, vit.mask_token)
    for head in ("dino_head", "ibot_head"):
        for name, tensor in getattr(fresh.student, head).state_dict().items():
            for side in (pair.student, pair.teacher):
                if "weight_g" not in name:
                    assert not torch.equal(getattr(side, head).state_dict()[name], tensor), name
    first, last = lines[:5], lines[-5:]
    for term in ("dino", "ibot"):
        assert sum(line[term] for line in last) < sum(line[term] for line in first)


def test_a_step_weighs_its_terms_as_a_training_step_does(pictures, vit, monkeypatch):
    """Few crops are masked, but those few count as all: the mean over their masked patches."""
    update, steps = head_training.apply_update, []

    def recorded(pair, optimiser, values, losses, **options):
        steps.append(losses)
        return update(pair, optimiser, values, losses, **options)

    monkeypatch.setattr(head_training, "apply_update", recorded)
    lines = []
    train = replace(CONFIG.train, schedule=replace(SCHEDULE, epochs=2))
    train_heads(vit, pictures, replace(CONFIG, train=train), CACHE, report=lines.append)
    loss, patches = CONFIG.train.loss, 16
    for losses, line in zip(steps, lines, strict=True):
        assert losses.masked.item() == pytest.approx(1)
        assert 0 < len(losses.ibot_terms) <= CACHE.masked_crops * patches  # none that is in sight
        # Masks of nearly the same size: the mean of the crops' means is near that of all patches.
        ibot = losses.terms["ibot"].item() / loss.ibot_weight
        assert losses.ibot_terms.min() < ibot < losses.ibot_terms.max()
        assert line["ibot"] == pytest.approx(losses.ibot_terms.mean().item())
        different = [losses.dino_terms[s, t].mean() for s in range(4) for t in range(2) if s != t]
        assert line["dino"] == pytest.approx(sum(different).item() / 6, rel=1e-5)
        assert losses.terms["koleo"] == 0
        assert losses.total.item() == pytest.approx(
            loss.dino_weight * line["dino"] + loss.ibot_weight * ibot, rel=1e-5
        )


def test_the_same_seed_gives_the_same_heads(pictures, vit):
    config = replace(CONFIG, train=replace(CONFIG.train, schedule=replace(SCHEDULE, epochs=4)))
    one, other = (train_heads(vit, pictures, config, CACHE).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_no_step_draws_what_a_step_of_another_seed_draws(pictures, vit, monkeypatch):
    """Seed 0's step 1 is not seed 1's step 0, as it was when seed and step were added up."""
    drawn = []

    def head_step(*args, generator, **kwargs):
        drawn.append(generator.initial_seed())
        return {}

    monkeypatch.setattr(head_training, "head_step", head_step)
    for seed in (0, 1):
        train = replace(CONFIG.train, schedule=replace(SCHEDULE, epochs=4))
        train_heads(vit, pictures, replace(CONFIG, train=train, seed=seed), CACHE)
    assert len(set(drawn)) == len(drawn) == 8


def test_a_loss_that_is_not_finite_stops_it(pictures, vit):
    with torch.no_grad():
        vit.blocks[0].mlp.fc1.bias.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="the DINO and the iBOT term"):
        train_heads(vit, pictures, CONFIG, CACHE)


def test_the_recipe_has_its_rate_for_any_length():
    from dino_core.schedules import values_at

    config = heads_config(200, seed=4)
    assert config.seed == 4
    assert config.steps == 200
    peak = max(values_at(step, config.train.schedule).learning_rate for step in range(200))
    assert peak == pytest.approx(1e-3, rel=0.02)
