"""What the screens of training are given, whole: losses, and what can be started."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import TRAIN, differing_pair
from tiny_steps import small_pictures
from written_out import assert_written, read, write

from dino_core.config import ScheduleConfig
from dino_core.scenes import losses, training, update
from dino_core.scenes.pairs import OpenPair, ReferenceSample, pair_outputs
from dino_core.step.loss_inspection import reference_batch

FILE = Path(__file__).parent / "written" / "training.json"


@cache
def opened() -> OpenPair:
    return OpenPair(differing_pair(TRAIN).eval(), TRAIN, TRAIN.crops, "Title", "small.safetensors")


@cache
def references() -> tuple[ReferenceSample, ...]:
    """Four pictures, the third of which is the one that is looked at."""
    answers = reference_batch(opened().pair, TRAIN, small_pictures(4))
    return tuple(ReferenceSample(f"{i}.jpg", f"Title {i}", one) for i, one in enumerate(answers))


def lost(**more: Any) -> Any:
    own = pair_outputs(opened(), small_pictures(4)[2], 3)
    return losses.losses_scene(opened(), references(), own, 3, sample="2.jpg", **more)


def without_words(choices: list[dict[str, Any]]) -> list[list[Any]]:
    return [[value for name, value in one.items() if name != "words"] for one in choices]


CASES: dict[str, Callable[[], Any]] = {
    "losses": lost,
    "losses, chosen": lambda: lost(chosen=losses.Chosen("sinkhorn_knopp", 0.05, 0.2)),
    "presets": lambda: without_words(training.preset_choices("cpu")),
    "presets of a card": lambda: without_words(training.preset_choices("cuda:1")),
    "students": lambda: without_words(training.student_choices("cpu")),
    "students of a card": lambda: without_words(training.student_choices("cuda", "paper")),
    "experiments": lambda: without_words(training.experiment_choices()),
    "a line": lambda: training.compact(
        {
            "step": 7,
            "loss": 1.23456789,
            "logged": {"ibot_loss": float("nan"), "koleo_loss": 0.123456789},
            "gradient_shares": {"ibot": {"block 0": 1.0}},
            "time": 5.0,
            "knn": None,
            "seconds": float("inf"),
        }
    ),
    "a line without shares": lambda: training.compact({"step": 1, "gradient_shares": {}}),
    "steps of a schedule": lambda: update.chosen_steps(
        ScheduleConfig(
            epochs=10,
            epoch_length=1000,
            warmup_epochs=2,
            freeze_last_layer_epochs=1,
            teacher_temperature_epochs=3,
        )
    )[50:200],
}


@pytest.mark.parametrize("name", CASES)
def test_what_training_shows_is_what_is_written_out(name: str) -> None:
    assert_written(FILE, name, CASES[name]())


def test_all_that_is_written_out_is_made() -> None:
    assert list(read(FILE)) == list(CASES)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(FILE, CASES)
