"""Charts, whole: every trace, name, number, axis, label and cursor for a small input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_out import assert_written, read, write

from dino_core import figures
from dino_core.figures import step
from dino_core.figures.charts import Frame, Series, bar_chart, line_chart, tick
from dino_core.figures.curves import SCHEDULES
from dino_core.figures.runs import QUANTITIES, Run, measured, runs_together
from dino_core.figures.shares import shares_over_run
from dino_core.figures.theme import template

FILE = Path(__file__).parent / "written" / "charts.json"
LAYERS = ("patch embedding", "class token", "block 0", "block 1", "final norm", "DINO head")


def line(at: int) -> dict[str, Any]:
    """A line of metrics.jsonl in which every curve has a number of its own."""
    terms = ("dino_local_crops_loss", "dino_global_crops_loss", "ibot_loss", "koleo_loss")
    nets = ("backbone", "dino_head", "ibot_head", "cls_map", "patch_map")
    shares = {"patch embedding": 0.5 - at / 8, "block 0": 0.25, "final norm": 1.125}
    return {
        "step": 10 * at,
        "epoch": at,
        "seconds": 30.0 + at,
        "loss": 9.0 - at,
        "logged": {name: i + at / 4 for i, name in enumerate(terms)},
        "uniform": {name: 4.0 + i for i, name in enumerate(terms)},
        "measured": {
            "teacher_entropy": {"dino": 0.5 + at / 8, "ibot": 0.25},
            "teacher_entropy_marginal": {"dino": 0.875},
        },
        "gradient_norms": {name: 2.0**i + at for i, name in enumerate(nets)},
        "gradient_shares": {"ibot": shares, "cls": {"block 3": 0.75}},
        "knn": {"cls": 40.0 + at, "mean_patch": 30.0, "both": 50.0},
        "patch_knn": 20.0 + at,
        "piece_knn": dict.fromkeys(("cls", "mean_patch", "both", "teacher", "pixels"), 60.0 + at)
        | {"chance": 12.5},
        "matching": 35.0,
        "patch_cosine": 0.625,
        "agreement": {"cls": 0.5 + at / 8, "patches": 0.375},
        "train_loss": 3.0 - at,
        "validation_loss": 2.5,
        "validation_accuracy": 0.5 + at / 8,
    }


LINES = [line(1), line(2)]
RUNS = [
    Run("one", LINES, batch=8, pictures=40),
    *(Run(f"run {i}", [line(i), line(i + 1), line(i + 3)], 32, 64) for i in range(6)),
    Run("long", [{"step": i, "loss": float(i % 7)} for i in range(13)], batch=4, pictures=8),
]
VALUES = {name: [float(i), i + 0.123456789] for i, name in enumerate(SCHEDULES)}
NORMS = np.arange(4 * 9).reshape(4, 9) ** 1.5 + 1  # 3 blocks; class token, 2 registers, 6 patches
UPDATES = np.arange(3 * 2 * 9).reshape(3, 2, 9) / 16 + 0.5
SHARES = np.array([[0.25, 0.5], [np.nan, 0.75], [1.0, 0.875]])
EFFECTS = np.arange(2 * 2 * 3 * 2).reshape(2, 2, 3, 2) ** 2 / 64
TERMS = ("dino_global", "dino_local", "koleo", "ibot")
BEFORE = {"dino_global": 2.0, "dino_local": 3.0, "koleo": -0.5, "ibot": 1.25}
INTERVAL = Series("b", [2, None], 1, low=[1, None], high=[4, 5], details=["x", "y"], hover="%{y}")
MARKED = Series("a", [1, 3], -1, "dot", 1.25, {"part": "p"}, marked=True)

CASES: dict[str, Callable[[], Any]] = {
    "template": lambda: [template("light"), template("dark")],
    "pretraining": lambda: figures.pretraining_curves(LINES),
    "pretraining, taught": lambda: {
        key: chart
        for key, chart in figures.pretraining_curves(LINES[:1], "dark", taught=True).items()
        if key in ("loss", "piece_knn")
    },
    "distillation": lambda: {
        key: chart
        for key, chart in figures.distillation_curves(LINES).items()
        if key in ("loss", "agreement", "gradient", "piece_knn")
    },
    "finetuning": lambda: figures.finetuning_curves(LINES),
    "schedules": lambda: figures.schedules([0, 10], VALUES),
    "schedules with a cursor": lambda: figures.schedules([0, 10], VALUES, 10, "dark"),
    "stack": lambda: figures.stack(figures.finetuning_curves(LINES)),
    "stack of one": lambda: figures.stack({"a": figures.block_updates(UPDATES, 2)}, "dark"),
    "stack with a cursor": lambda: figures.stack(figures.schedules([0, 10], VALUES, 10)),
    "lines over names": lambda: line_chart(
        Frame("Title", "note", "layer", "cursor", ceiling=1, log=False),
        ["one", "two"],
        [MARKED, INTERVAL],
        "light",
    ),
    "lines over numbers": lambda: line_chart(Frame("T", floor=0), [1, 2], [INTERVAL], "dark"),
    "bars": lambda: tick(
        bar_chart(Frame("T", floor=0, ceiling=2, log=True), "xy", [MARKED, INTERVAL], "light"),
        [-0.5, 1],
        ["left", "right"],
    ),
    "lengths": lambda: figures.token_lengths(NORMS, 2, 3),
    "lengths without registers": lambda: figures.token_lengths(NORMS, 0, theme="dark"),
    "updates": lambda: figures.block_updates(UPDATES, 2),
    "updates of forty blocks": lambda: figures.block_updates(np.ones((40, 2, 3)), 0),
    "variance": lambda: figures.explained_variance(np.array([0.5, 0.25, 0.125]), (1, 0, 0)),
    "variance of thirteen": lambda: figures.explained_variance(np.full(13, 0.0625), theme="dark"),
    "variance of twelve": lambda: figures.explained_variance(np.full(12, 0.0625)),
    "probes": lambda: figures.probe_accuracy(
        SHARES, SHARES / 2, SHARES / 2 + 0.5, kinds=("cls", "other"), chance=0.125, note="a note"
    ),
    "probes of thirty layers": lambda: figures.probe_accuracy(
        *[np.full((30, 1), part) for part in (0.5, 0.25, 0.75)], kinds=("both",), theme="dark"
    ),
    "confusion": lambda: figures.confusion([[3, 1], [0, 0]], ["cat", "a" * 25 + "b"], "dark"),
    "change by layer": lambda: figures.change_by_layer(
        np.array([1, 0.75, 0.5]), np.array([1, 0.875, 0.25])
    ),
    "change of thirty layers": lambda: figures.change_by_layer(np.ones(30), np.ones(30), "dark"),
    "screening": lambda: figures.screening(
        EFFECTS, EFFECTS[::-1] / 2, values=("zero", "mean"), units=("a", "b", "c")
    ),
    "screening of one value": lambda: figures.screening(
        0 * EFFECTS[:1, ..., :1],
        EFFECTS[:1, ..., :1],
        values=("zero",),
        units=("a", "b", "c"),
        theme="dark",
    ),
    "mask counts": lambda: figures.mask_counts([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7]),
    "mask counts near the target": lambda: figures.mask_counts([0] * 8 + [3, 5], "dark"),
    "mask counts of few": lambda: figures.mask_counts([0, 0, 4]),
    "mask counts of many": lambda: figures.mask_counts([1] + [0] * 14 + [2]),
    "mask counts of no draw": lambda: figures.mask_counts([0, 0]),
    "mask blocks": lambda: figures.mask_blocks([0, 3, 1]),
    "mask blocks of many": lambda: figures.mask_blocks([1] * 14, "dark"),
    "mask blocks of no draw": lambda: figures.mask_blocks([0, 0]),
    "crop areas": lambda: figures.crop_areas([0.0, 0.25, 0.5, 1.0], [1, 2, 1], [6, 2, 0]),
    "crop aspects": lambda: figures.crop_aspects([0.75, 1, 1.25], [1, 3], [0, 0], "dark"),
    "gradients": lambda: step.gradient_norms(LAYERS, np.array([1.5, 20, 0, 1, 2, 3])),
    "shares of losses": lambda: step.loss_shares(
        LAYERS, TERMS[2:], np.arange(12).reshape(6, 2) / 8 - 0.25, "dark"
    ),
    "movements": lambda: step.movements(
        LAYERS,
        student=np.arange(6.0),
        teacher=np.arange(6.0) / 8,
        weights=np.array([4.0, 0, 2, 1, 1, 8]),
    ),
    "movements of many layers": lambda: step.movements(
        [*LAYERS[:2], *(f"block {i}" for i in range(23))],
        student=np.ones(25),
        teacher=np.ones(25),
        weights=np.ones(25),
        theme="dark",
    ),
    "before and after": lambda: step.before_and_after(BEFORE, BEFORE | {"ibot": 0.75}),
    "losses in a row": lambda: step.losses_in_a_row([3.0, 2.0], [2.5, 1.5], "dark"),
    "shares over a run": lambda: shares_over_run([*LINES, {"step": 3}]),
    "shares of a long run": lambda: shares_over_run(
        [line(i) | {"gradient_shares": {"koleo": {"block 0": i / 500}}} for i in range(482)], "dark"
    ),
    "shares of many layers": lambda: shares_over_run(
        [line(0) | {"gradient_shares": {"x": {f"block {i}": 0.5 for i in range(21)}, "y": 1}}]
    ),
    "quantities": lambda: [QUANTITIES, measured(RUNS)],
    "runs": lambda: runs_together(RUNS, "loss"),
    "runs by pictures": lambda: runs_together(RUNS[:1], "knn", axis="pictures", theme="dark"),
    "runs by epochs": lambda: runs_together(RUNS[:1], "ibot_loss", axis="epoch", log=True),
    "runs by minutes, smooth": lambda: runs_together(
        RUNS[:2], "entropy", axis="minutes", smoothing=0.5
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_chart_draws_what_is_written_out(name: str) -> None:
    assert_written(FILE, name, CASES[name]())


def test_every_chart_that_is_written_out_is_drawn() -> None:
    assert list(read(FILE)) == list(CASES)


if __name__ == "__main__":
    write(FILE, CASES)
