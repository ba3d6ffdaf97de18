"""runs/presets.py: what follows from a recipe's numbers, and which do not go together."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from tiny_runs import RUN, longer

from dino_core.config import ViTConfig
from dino_core.runs.presets import (
    LONG,
    PRESETS,
    RunConfig,
    find_preset,
    from_plain,
    with_batch,
    with_ready_heads,
    with_steps,
)
from dino_core.runs.students import RECIPES, STUDENTS, find_student, words_of


@pytest.mark.parametrize(
    ("steps", "milestones", "expected"),
    [
        (8, 2, [0, 4, 8]),
        (10, 4, [0, 2, 4, 6, 8, 10]),
        (7, 2, [0, 3, 6, 7]),
        (3, 4, [0, 1, 2, 3]),
        (5, 1, [0, 5]),
    ],
)
def test_milestones_are_evenly_spread_and_the_last_step_is_one(
    steps: int, milestones: int, expected: list[int]
) -> None:
    config = longer(steps, milestones=milestones)
    assert [step for step in range(steps + 1) if config.is_milestone(step)] == expected


@pytest.mark.parametrize("warmup", [0.0, 0.25, 0.26, 1.0])
def test_heads_move_alone_for_a_share_of_the_steps(warmup: float) -> None:
    assert longer(40, head_warmup=warmup).head_steps == round(40 * warmup)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accumulate": 0}, "accumulate must be at least 1, but is 0."),
        ({"measure_every": 0}, "measure_every must be at least 1, but is 0."),
        ({"checkpoint_every": -1}, "checkpoint_every must be at least 1, but is -1."),
        ({"milestones": 0}, "milestones must be at least 1, but is 0."),
        ({"accumulate": 4}, "A batch of 6 pictures cannot be shared by 4 parts"),
    ],
)
def test_numbers_that_do_not_go_together(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(RUN, **changes)


def test_a_run_has_a_step_and_a_picture_at_least() -> None:
    for config, steps in ((RUN, 0), (LONG, -1)):
        with pytest.raises(ValueError, match=f"at least 1 step, {steps} were asked for"):
            with_steps(config, steps)
    with pytest.raises(ValueError, match="at least 1 step, 0 were asked for"):
        longer(0)
    with pytest.raises(ValueError, match="A batch of 0 pictures"):
        with_batch(RUN, 0)
    assert (with_batch(RUN, 1).batch_size, with_steps(RUN, 1).steps) == (1, 1)


def test_another_length_keeps_the_share_of_every_phase() -> None:
    """ViT-L/14 trains for 500 epochs of 1250 steps: 80 to warm up, 1 with prototypes that stand
    still, 30 until the teacher's temperature is reached."""
    assert with_steps(LONG, LONG.steps) is LONG
    found = with_steps(LONG, 2000)
    assert found.steps == 2000
    assert found.train.schedule == replace(
        LONG.train.schedule,
        epochs=2000,
        epoch_length=1,
        warmup_epochs=320,
        freeze_last_layer_epochs=4,
        teacher_temperature_epochs=120,
    )
    assert replace(found, train=LONG.train) == LONG


def test_another_batch_changes_nothing_else() -> None:
    found = with_batch(RUN, 8, 2)
    assert (found.batch_size, found.accumulate) == (8, 2)
    schedule = replace(found.train.schedule, batch_size=6)
    assert replace(found, accumulate=1, train=replace(found.train, schedule=schedule)) == RUN


@pytest.mark.parametrize(("warmup", "left"), [(0.25, 0.05), (0.05, 0.05), (0.01, 0.01), (0.0, 0.0)])
def test_ready_heads_hardly_move_alone(warmup: float, left: float) -> None:
    found = with_ready_heads(replace(RUN, head_warmup=warmup))
    assert found == replace(RUN, head_warmup=left)


def test_names_that_there_are() -> None:
    assert [find_preset(name) for name in PRESETS] == list(PRESETS.values())
    with pytest.raises(ValueError, match=r"no preset 'huge'\. There are tiny, demo, small"):
        find_preset("huge")
    for recipe, students in RECIPES.items():
        assert list(students) == list(STUDENTS)
        assert [find_student(name, recipe) for name in students] == list(students.values())
    with pytest.raises(ValueError, match=r"no student 'huge'\. There are light, photos, tiny"):
        find_student("huge")
    assert words_of("light").endswith(": a quarter of an hour on two processor cores")
    assert "hour" not in words_of("light", "paper")
    assert words_of("vit-b") == "ViT-B/14, as the paper distilled it"


@pytest.mark.parametrize("name", [*PRESETS, *STUDENTS])
def test_a_recipe_comes_back_from_plain_values(name: str) -> None:
    """As config.json keeps it: lists for tuples."""
    config = PRESETS.get(name) or STUDENTS[name]

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, tuple) else value

    assert from_plain(RunConfig, plain(asdict(config))) == config


def test_plain_values_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="names 'hyper', which this version does not know"):
        from_plain(ViTConfig, {"dim": 48, "hyper": 1})
    with pytest.raises(ValueError, match="has 'moe' where one of"):
        from_plain(ViTConfig, {"ffn": "moe"})
