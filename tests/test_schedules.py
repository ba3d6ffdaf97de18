"""schedules.py against the official schedules, and the presets against the official files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dino_core.config import OFFICIAL_LONG, OFFICIAL_SHORT, ScheduleConfig
from dino_core.schedules import linear, values_at, warmup_cosine

GOLDEN = Path(__file__).parent / "golden"
STORED = json.loads((GOLDEN / "schedules.json").read_text())

# The stored schedules belong to one GPU.
CONFIGS = {
    "default_short": replace(OFFICIAL_SHORT.schedule, epochs=10, epoch_length=20, batch_size=64),
    "short_warmup": replace(
        OFFICIAL_SHORT.schedule,
        epochs=10,
        epoch_length=20,
        batch_size=64,
        warmup_epochs=2,
        teacher_temperature_epochs=3,
    ),
    "default_full_sampled": replace(OFFICIAL_SHORT.schedule, batch_size=64),
    "train_vitl16_short_sampled": replace(OFFICIAL_SHORT.schedule, batch_size=64),
    "train_vitl14_sampled": replace(OFFICIAL_LONG.schedule, batch_size=32),
    "train_vitg14_sampled": replace(OFFICIAL_LONG.schedule, batch_size=12),
}


def test_every_stored_schedule_is_compared():
    assert set(CONFIGS) == set(STORED)


@pytest.mark.parametrize("tag", CONFIGS)
def test_values_are_the_official_ones(tag):
    stored, config = STORED[tag], CONFIGS[tag]
    assert config.steps == stored["total_iters"]
    sampled = stored["iters"]
    steps = range(len(stored["lr"])) if isinstance(sampled, str) else sampled
    values = [values_at(step, config) for step in steps]
    ours = {
        "lr": [v.learning_rate for v in values],
        "wd": [v.weight_decay for v in values],
        "momentum": [v.momentum for v in values],
        "teacher_temp": [v.teacher_temperature for v in values],
        "last_layer_lr": [v.last_layer_learning_rate for v in values],
    }
    for name, numbers in ours.items():
        assert numbers == pytest.approx(stored[name], rel=1e-10, abs=1e-14), name


@pytest.mark.parametrize(
    ("preset", "tag"),
    [(OFFICIAL_SHORT, "train_vitl16_short_sampled"), (OFFICIAL_LONG, "train_vitl14_sampled")],
)
def test_presets_have_the_official_optimiser(preset, tag):
    optim = STORED[tag]["config"]["optim"]
    assert preset.optim.betas == (optim["adamw_beta1"], optim["adamw_beta2"])
    assert preset.optim.layer_decay == optim["layerwise_decay"]
    assert preset.optim.patch_embed_factor == optim["patch_embed_lr_mult"]
    assert preset.optim.clip == optim["clip_grad"]


def test_a_step_beyond_the_end_gets_the_final_value():
    config = ScheduleConfig(epochs=2, epoch_length=5, warmup_epochs=1, teacher_temperature_epochs=1)
    end = values_at(10, config)
    assert end == values_at(1000, config)
    assert (end.learning_rate, end.weight_decay, end.momentum) == (1e-6, 0.4, 1.0)
    assert end.teacher_temperature == 0.07


def test_a_freeze_longer_than_the_run_ends_with_it():
    config = ScheduleConfig(epochs=1, epoch_length=5, warmup_epochs=0, freeze_last_layer_epochs=3)
    assert values_at(4, config).last_layer_learning_rate == 0
    assert values_at(5, config).last_layer_learning_rate == 1e-6


def test_short_warm_ups_do_not_divide_by_zero():
    assert [warmup_cosine(i, start=1.0, end=0.0, steps=3, warmup=1) for i in range(4)] == [
        0.0,
        1.0,
        0.5,
        0.0,
    ]


def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(ValueError, match="does not fit into a run of 5"):
        values_at(0, ScheduleConfig(epochs=1, epoch_length=5, warmup_epochs=2))


def test_a_line_reaches_both_ends_and_stays():
    assert [linear(i, start=1.0, end=3.0, steps=3) for i in range(5)] == [1.0, 2.0, 3.0, 3.0, 3.0]
    assert linear(0, start=1.0, end=3.0, steps=0) == 3.0
    assert [linear(i, start=1.0, end=3.0, steps=1) for i in range(2)] == [1.0, 3.0]
