"""finetuning/backbone.py: when it ends, and what an interruption leaves. An update only counts."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import tiny_vit

from dino_core.config import ViTConfig
from dino_core.finetuning import backbone
from dino_core.finetuning.backbone import StopRequested
from dino_core.finetuning.checkpoints import BackboneCheckpoints, epochs_done
from dino_core.finetuning.classifier import Classifier
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs.checkpoints import model_file, steps_in
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder, read_metrics, request_action

SMALLEST = ViTConfig(dim=12, depth=1, heads=2, image_size=28)
SETUP = FinetuneSetup("-", part="blocks", blocks=1, epochs=7, patience=2, rate=1.0)


class KilledError(Exception):
    """As a process that is gone."""


LOSSES = [9.0, 8.0, 8.5, 7.0, 7.0, 7.5, 6.0, 6.0]  # of the validation, by epoch


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """Steps that only note themselves in the head's bias; (step, rate) of each that was made."""
    made: list[tuple[int, float]] = []

    class Maker:
        per_pass = 3

        def __init__(self, *_: object) -> None: ...

        def make(self, step: int) -> tuple[int, list[int]]:
            return step, [0] * (2 if step % 3 == 2 else 4)  # as long as labels are

    def update(
        classifier: Classifier, optimiser: torch.optim.Optimizer, step: int, *_: object
    ) -> float:
        made.append((step, optimiser.param_groups[0]["lr"]))
        with torch.no_grad():
            classifier.head.bias += 1
        return float(step)

    def validated(classifier: Classifier, *_: object) -> tuple[float, float]:
        epoch = int(classifier.head.bias[0]) // 3
        return LOSSES[epoch], epoch / 10

    monkeypatch.setattr(backbone, "CropMaker", Maker)
    monkeypatch.setattr(backbone, "update", update)
    monkeypatch.setattr(backbone, "validated", validated)
    return made


def counted_run(run: RunFolder, setup: FinetuneSetup = SETUP) -> tuple[int, float]:
    """From its newest checkpoint on: the best epoch, and the steps that its weights have seen."""
    classifier = Classifier(tiny_vit(SMALLEST), ("a", "b"), 28)
    run.cut_metrics(epochs_done(run))
    ten: Any = range(10)  # pictures to learn from
    best = backbone.train_backbone(run, setup, ten, ten, classifier, Control(run))
    return best, classifier.head.bias[0].item()


@pytest.mark.parametrize(
    ("patience", "epochs", "ends", "best"), [(1, 7, 2, 1), (2, 7, 5, 3), (3, 7, 7, 6), (9, 2, 2, 1)]
)
def test_it_ends_when_the_validation_loss_has_not_fallen_for_so_many_epochs(
    run: RunFolder,
    counting: list[tuple[int, float]],
    patience: int,
    epochs: int,
    ends: int,
    best: int,
) -> None:
    setup = replace(SETUP, patience=patience, epochs=epochs)
    assert counted_run(run, setup) == (best, 3 * best), "the best weights stay"
    assert [step for step, _ in counting] == [*range(3 * ends)]
    steps, warmup = 3 * epochs, max(3 * epochs // 10, 1)
    for step, rate in counting:
        turn = math.pi * (step - warmup) / (steps - warmup)
        falling = 0.01 + 0.99 * (1 + math.cos(turn)) / 2
        climbing = step / max(warmup - 1, 1)
        assert rate == pytest.approx(climbing if step < warmup else falling), step
    lines = read_metrics(run.path)
    assert [line["step"] for line in lines] == [*range(ends + 1)]
    assert {line["steps"] for line in lines} == {epochs}
    assert [line["validation_loss"] for line in lines] == LOSSES[: ends + 1]
    for epoch, line in enumerate(lines[1:], 1):  # batches of 4, 4 and 2, whose loss is their number
        first = 3 * epoch - 3
        assert line["train_loss"] == pytest.approx((4 * first + 4 * first + 4 + 2 * first + 4) / 10)
        assert 0 < line["seconds"] < 60
    assert f"lowest after {best} epochs" in (run.path / "log.txt").read_text()
    assert epochs_done(run) == ends
    assert steps_in(run.checkpoints, to_resume=True) == [ends - 1, ends]


def test_it_goes_on_after_a_kill_between_any_two_writes(
    tmp_path: Path, counting: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes first is the better weights, then the line, then the checkpoint."""
    left: list[int] = []

    def dying(kind: type, name: str) -> None:
        write = getattr(kind, name)

        def kill_after_so_many(self: Any, *rest: Any) -> None:
            write(self, *rest)
            left[0] -= 1
            if not left[0]:
                raise KilledError

        monkeypatch.setattr(kind, name, kill_after_so_many)

    for kind, name in (
        (BackboneCheckpoints, "keep_best"),
        (BackboneCheckpoints, "store"),
        (RunFolder, "add_metrics"),
    ):
        dying(kind, name)
    ends = 0
    shorter = replace(SETUP, patience=1)
    for count in range(1, 10):
        run = RunFolder(tmp_path / str(count))
        run.create({"kind": "fine-tuning"})
        left[:] = [count]
        try:
            counted_run(run, shorter)
            ends += 1
        except KilledError:
            left[:] = [99]
            assert counted_run(run, shorter) == (1, 3), count
        lines = read_metrics(run.path)
        assert [line["validation_loss"] for line in lines] == LOSSES[:3], count
    assert ends == 2, "of 7 writes"


def test_a_stop_in_an_epoch_goes_on_after_the_one_before(
    run: RunFolder, counting: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    update = backbone.update

    def asking(*arguments: Any) -> float:
        if len(counting) == 7:
            request_action(run.path, "stop")
        return update(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(backbone, "update", asking)
        with pytest.raises(StopRequested):
            counted_run(run)
    assert [step for step, _ in counting] == [*range(8)]
    assert epochs_done(run) == 2
    run.clear_action()
    counting.clear()
    assert counted_run(run) == (3, 9)
    assert [step for step, _ in counting] == [*range(6, 15)]
    assert "Going on after epoch 2." in (run.path / "log.txt").read_text()
    assert [line["step"] for line in read_metrics(run.path)] == [0, 1, 2, 3, 4, 5]


def test_a_damaged_newest_checkpoint_costs_its_epoch_and_is_said(
    run: RunFolder, counting: list[tuple[int, float]]
) -> None:
    assert counted_run(run) == (3, 9)
    damaged = model_file(run.checkpoints, 5)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    counting.clear()
    assert counted_run(run) == (3, 9)
    assert [step for step, _ in counting] == [12, 13, 14], "of the fifth epoch"
    log = (run.path / "log.txt").read_text()
    assert damaged.name in log
    assert "Going on after epoch 4." in log
