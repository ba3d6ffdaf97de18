"""losses and step: all that each says and writes."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_commands import asked_with_pair, files_in, holds, run
from tiny_steps import SMALL

from dino_core.cli.files import read_with_others
from dino_core.cli.losses import as_table
from dino_core.cli.step import as_table as step_table
from dino_core.config import CropConfig
from dino_core.figures import step as figures
from dino_core.images import open_picture
from dino_core.runs.pretrained_heads import OWN, load_heads
from dino_core.slow_motion import Choices, RecordedStep, Session
from dino_core.step.loss_inspection import break_down, picture_logits, reference_batch

Said = pytest.CaptureFixture[str]


# --- losses


@pytest.mark.parametrize(
    ("words", "targets", "temperature"),
    [
        ([], "centering", None),
        (["--targets", "sinkhorn_knopp", "--temperature", "0.5"], "sinkhorn_knopp", 0.5),
    ],
)
def test_losses(
    words: list[str],
    targets: str,
    temperature: float | None,
    folder: Path,
    tmp_path: Path,
    capsys: Said,
) -> None:
    target = tmp_path / "new" / "a.npz"
    ran = run(capsys, *asked_with_pair("losses", folder, "--seed", "3", *words, "--output", target))
    pair, config = load_heads(folder / "pair.safetensors")
    first, *others = [open_picture(folder / f"{number}.png") for number in range(3)]
    found = break_down(
        picture_logits(pair, config, first, 3),
        reference_batch(pair, config, others),
        replace(config.loss, centering=targets),  # type: ignore[arg-type]
        config.schedule.teacher_temperature if temperature is None else temperature,
    )
    names = ("dino", "teacher", "student", "ibot", "teacher_patches", "student_patches")
    arrays = {name: getattr(found, name).numpy() for name in (*names, "koleo", "distances")}
    holds(target, **arrays)
    assert ran.out == [*as_table(found.terms, found.uniform), f"Losses -> {target}"]
    assert (ran.code, ran.err) == (0, [])


def test_losses_of_several_are_told_apart(folder: Path, capsys: Said) -> None:
    ran = run(capsys, *asked_with_pair("losses", folder, pictures=2))
    places = [i for i, line in enumerate(ran.out) if line.endswith(".png")]
    assert [ran.out[i] for i in places] == [str(folder / "0.png"), str(folder / "1.png")]
    assert places == [0, len(ran.out) // 2]


def test_the_table_of_losses() -> None:
    lines = as_table({"dino": 1.25, "koleo": -0.5}, {"dino": 2.0})
    assert lines == [
        "                 here  uniform",
        "dino            1.250    2.000",
        "koleo          -0.500        -",
        "loss            0.750    2.000",
    ]


def test_without_a_pair_the_bundled_heads_get_the_official_crops(
    folder: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    asked_for: list[CropConfig] = []

    def open_pair(path: str) -> Any:
        opened.append(Path(path).name)
        return (*load_heads(folder / "pair.safetensors"), OWN)

    def look(*_: Any, crops: CropConfig) -> None:
        asked_for.append(crops)
        raise ValueError("That is all.")

    monkeypatch.setattr("dino_core.runs.progress.open_pair", open_pair)
    monkeypatch.setattr("dino_core.step.loss_inspection.picture_logits", look)
    for words in (["--pair", folder / "pair.safetensors"], []):
        assert run(capsys, "losses", folder / "0.png", *words).err == ["That is all."]
    from dino_core.runs.pretrained_heads import PREVIEW_HEADS

    assert opened == ["pair.safetensors", PREVIEW_HEADS.name]
    assert asked_for == [SMALL.crops, CropConfig()]


def test_the_rest_of_a_batch_is_the_samples_but_for_the_picture_itself(folder: Path) -> None:
    from dino_core.assets import SAMPLES

    samples = sorted(SAMPLES.glob("*.jpg"))
    args = SimpleNamespace(stretch=False, references=None)
    picture, others = read_with_others(str(samples[1]), args)  # type: ignore[arg-type]
    assert picture.size == open_picture(samples[1]).size
    assert len(others) == len(samples) - 1
    assert others[0].tobytes() == open_picture(samples[0]).tobytes()
    assert others[1].tobytes() == open_picture(samples[2]).tobytes()


# --- step


CHOSEN = ["--seed", "4", "--learning-rate", "0.002", "--dino-weight", "0.5", "--ibot-weight", "2"]
CHOSEN += ["--koleo-weight", "0.3", "--targets", "sinkhorn_knopp", "--temperature", "0.3"]
CHOICES = Choices(
    4, "sinkhorn_knopp", 0.3, 0.002, dino_weight=0.5, ibot_weight=2.0, koleo_weight=0.3
)


def two_steps(folder: Path) -> list[RecordedStep]:
    """What the library makes of the same choices."""
    pair, config = load_heads(folder / "pair.safetensors")
    pictures = [open_picture(folder / f"{number}.png") for number in range(3)]
    session = Session(pair, config, pictures, CHOICES)
    return [session.step(), session.step()]


def test_step(folder: Path, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    target, page = tmp_path / "a.npz", tmp_path / "a.html"
    charts: list[Any] = []
    monkeypatch.setattr("dino_core.figures.files.save", lambda *a, **k: charts.append((a, k)))
    words = asked_with_pair("step", folder, *CHOSEN, "--steps", "2")
    ran = run(capsys, *words, "--output", target, "--figure", page)
    steps = two_steps(folder)
    first = f"step 0: loss {steps[0].result.loss:.4f} -> {steps[0].loss_after:.4f}"
    assert ran.out == [first, *step_table(steps[1]), f"Step -> {target}"]
    holds_steps(target, steps)
    (((made, path), options),) = charts
    assert (path, options) == (page, {})
    draws_steps(made, steps)


def holds_steps(target: Path, steps: list[RecordedStep]) -> None:
    """The file has every number of the last step, what its lines left behind, and all losses."""
    last = steps[-1]
    moved, gradients, result = last.moved, last.gradients, last.result
    said = ["; ".join(f"{v.name} = {v.words()}" for v in one.values) for one in last.visits]
    with np.load(target) as file:
        values = list(file["values"])
    assert [without_numbers(one) for one in values] == [without_numbers(one) for one in said]
    holds(
        target,
        gradient_norms=last.gradient_norms.numpy(),
        term_norms=gradients.norms.numpy(),
        shares=gradients.shares.numpy(),
        cosines=gradients.cosines.numpy(),
        weights=moved.weights.numpy(),
        moved=moved.student.numpy(),
        teacher_moved=moved.teacher.numpy(),
        apart=moved.apart.numpy(),
        dino=result.dino_terms.numpy(),
        ibot=result.ibot_terms.numpy(),
        koleo=result.koleo_terms.numpy(),
        masks=last.batch.masks.numpy(),
        layers=last.layers,
        terms=list(result.terms),
        before=np.array([*result.terms.values()], np.float32),
        after=np.array([last.terms_after[name] for name in result.terms], np.float32),
        loss_before=np.array([one.result.loss for one in steps], np.float32),
        loss_after=np.array([one.loss_after for one in steps], np.float32),
        lines=[f"{last.functions[one.function].file}:{one.first}" for one in last.visits],
        values=values,
    )


def without_numbers(words: str) -> str:
    return re.sub(r"[-\d.e]+", "", words)


def draws_steps(made: dict[str, Any], steps: list[RecordedStep]) -> None:
    """The charts are those of the last step, and that of all losses."""
    last = steps[-1]
    moved, gradients, result = last.moved, last.gradients, last.result
    lengths = {"student": moved.student, "teacher": moved.teacher, "weights": moved.weights}
    named = {name: tensor.numpy() for name, tensor in lengths.items()}
    losses = [one.result.loss for one in steps], [one.loss_after for one in steps]
    wanted = {
        "losses": figures.before_and_after(result.terms, last.terms_after),
        "gradients": figures.gradient_norms(last.layers, last.gradient_norms.numpy()),
        "shares": figures.loss_shares(last.layers, gradients.terms, gradients.shares.numpy()),
        "moved": figures.movements(last.layers, **named),
        "steps": figures.losses_in_a_row(*losses),
    }
    assert list(made) == list(wanted)
    for name, chart in wanted.items():
        for ours, theirs in zip(made[name].data, chart.data, strict=True):
            assert ours.name == theirs.name
            heights = np.array(ours.y, float), np.array(theirs.y, float)
            np.testing.assert_allclose(*heights, rtol=1e-3, atol=1e-5)


def test_the_table_of_a_step() -> None:
    result = SimpleNamespace(
        terms={"dino_global": 1.5, "koleo": -0.25},
        loss=1.25,
        gradient_norms={"backbone": 2.0, "dino_head": 0.5},
    )
    recorded: Any = SimpleNamespace(
        result=result,
        terms_after={"dino_global": 1.25, "koleo": -0.5},
        loss_after=0.75,
        clipped={"backbone": 0.5, "dino_head": 1.0},
    )
    assert step_table(recorded) == [
        "                before     after",
        "dino_global     1.5000    1.2500",
        "koleo          -0.2500   -0.5000",
        "loss            1.2500    0.7500",
        "              gradient      kept",
        "backbone        2.0000     50.0%",
        "dino_head       0.5000    100.0%",
    ]


def test_one_step_has_no_row_of_steps_and_several_pictures_are_named(
    folder: Path, tmp_path: Path, capsys: Said
) -> None:
    charts: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dino_core.figures.files.save", lambda *a, **k: charts.append(a[0]))
        alone = run(capsys, *asked_with_pair("step", folder), "--figure", tmp_path / "a.html")
    assert list(charts[0]) == ["losses", "gradients", "shares", "moved"]
    several = run(
        capsys, *asked_with_pair("step", folder, "--output", tmp_path / "two", pictures=2)
    )
    assert several.out[0] == str(folder / "0.png")
    assert several.out[1 : len(alone.out) + 1] == alone.out
    assert several.out[len(alone.out) + 2] == str(folder / "1.png")
    assert files_in(tmp_path) == ["two/0.npz", "two/1.npz"]
