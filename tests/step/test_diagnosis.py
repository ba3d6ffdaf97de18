"""step/diagnosis.py: what is said of a run; and collapse, provoked and recognised."""

import math
from dataclasses import replace
from itertools import product

import pytest
from PIL import Image
from tiny_runs import coloured, files, noise_folder, setup, step_lines

from dino_core.assets import SAMPLES
from dino_core.runs.experiments import with_experiments
from dino_core.runs.folder import read_metrics
from dino_core.runs.presets import TINY, with_batch, with_steps
from dino_core.runs.pretraining import train
from dino_core.step.diagnosis import Teacher, collapses_of, diagnose, has_collapsed

# --- collapse, on purpose


def nothing_in_common(folder):
    return noise_folder(folder, 24)


def samples(folder):
    """The eight that come with the project, as small as the crops."""
    folder.mkdir()
    for path in SAMPLES.glob("*.jpg"):
        with Image.open(path) as opened:
            opened.convert("RGB").resize((24, 20)).save(folder / f"{path.stem}.png")
    return folder


def three_colours(folder):
    """Of 24 pictures each has one of three colours, and noise of its own."""
    return files(folder, coloured(8))


def run_and_diagnose(tmp_path, run, pictures=nothing_in_common):
    """What is said of a run on 24 pictures."""
    run = replace(run, measure_every=5)
    train(tmp_path / "run", setup(pictures(tmp_path / "pictures"), run))
    return diagnose(read_metrics(tmp_path / "run"))


def tiny(*switches, steps=40):
    """The preset tiny, and its recipe, on pictures of 16 px by a network of two narrow blocks."""
    train = TINY.train
    vit = replace(train.vit, dim=48, depth=2, heads=2, patch_size=4, image_size=16)
    crops = replace(train.crops, global_size=16, local_size=8, local_count=2)
    run = replace(TINY, train=replace(train, vit=vit, crops=crops))
    return with_experiments(with_batch(with_steps(run, steps), 24), switches)


def few_prototypes(run):
    """Of 64 an answer may be one on 24 pictures: with 512 it is nearly flat here anyway."""
    heads = replace(run.train.dino_head, prototypes=64)
    return replace(run, train=replace(run.train, dino_head=heads, ibot_head=heads))


@pytest.mark.slow
def test_without_centring_one_prototype_wins(tmp_path):
    found = run_and_diagnose(tmp_path, tiny("no-centring"))
    assert found.kind == "one-prototype", found.message
    assert "Collapsed to one prototype" in found.message
    assert step_lines(tmp_path / "run")[-1]["measured"]["commonest_prototype"]["dino"] > 0.9


@pytest.mark.slow
def test_without_centring_eight_pictures_end_on_three_prototypes(tmp_path):
    """With another seed on one: either way the loss falls, and it is not called learning."""
    run = replace(tiny("no-centring"), seed=2)
    found = run_and_diagnose(tmp_path, run, samples)
    assert found.kind == "few-prototypes", found.message
    assert "for 8 different pictures its answers fall on" in found.message
    measured = step_lines(tmp_path / "run")[-1]["measured"]
    assert measured["commonest_prototype"]["dino"] < 0.5
    assert 512 ** measured["teacher_entropy_marginal"]["dino"] < 4


@pytest.mark.slow
def test_without_sharpening_everything_becomes_uniform(tmp_path):
    found = run_and_diagnose(tmp_path, tiny("no-sharpening"))
    assert found.kind == "uniform", found.message
    assert "sits at ln K" in found.message


@pytest.mark.slow
def test_without_koleo_at_a_high_rate_directions_are_lost_and_nothing_else(tmp_path):
    """The answers tell the three colours apart, evenly and sharply: it is not their collapse."""
    run = few_prototypes(tiny("no-koleo", "rate-x10"))
    found = run_and_diagnose(tmp_path, run, three_colours)
    assert found.kind == "dimensional", found.message
    assert found.message.startswith("Collapsed in dimension: the class tokens of 24 pictures")
    measured = step_lines(tmp_path / "run")[-1]["measured"]
    assert measured["pictures"] == 24
    assert measured["effective_rank"] < 4.58  # log2(24)
    assert measured["teacher_entropy"]["dino"] < 0.9
    assert measured["teacher_entropy_marginal"]["dino"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("pictures", [nothing_in_common, three_colours])
def test_a_healthy_run_of_the_same_recipe_is_not_called_collapsed(tmp_path, pictures):
    found = run_and_diagnose(tmp_path, few_prototypes(tiny()), pictures)
    assert found.kind in ("early", "learning"), found.message
    assert not has_collapsed(read_metrics(tmp_path / "run"))


# --- words


def line(step, ratio=0.9, flat=0.6, marginal=0.95, cosine=0.3):
    return {
        "step": step,
        "steps": 400,
        "loss": 1.0,
        "logged": {"dino_local_crops_loss": 4 * ratio, "dino_global_crops_loss": ratio},
        "uniform": {"dino_local_crops_loss": 4.0, "dino_global_crops_loss": 1.0},
        "measured": {
            "teacher_entropy": {"dino": flat},
            "teacher_entropy_marginal": {"dino": marginal},
            "cosine": cosine,
        },
    }


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([], "nothing"),
        ([{"step": 0, "knn": {"cls": 30.0}}], "nothing"),
        ([line(1) | {"loss": None}], "nan"),
        ([line(i, ratio=1.0) for i in range(1, 9)], "early"),
        ([line(i, ratio=0.999) for i in range(1, 300)], "flat"),
        ([line(i, ratio=0.999, flat=0.99, marginal=1.0) for i in range(1, 300)], "uniform"),
        ([line(i, ratio=0.05, flat=0.02, marginal=0.03) for i in range(1, 300)], "one-prototype"),
        ([line(i, ratio=0.7, flat=0.7, marginal=0.7) for i in range(1, 300)], "same"),
        ([line(i, cosine=0.999) for i in range(1, 300)], "same"),
        ([line(i, ratio=1 - i / 1000) for i in range(1, 300)], "learning"),
    ],
)
def test_every_diagnosis(lines, kind):
    found = diagnose(lines)
    assert found.kind == kind, found.message


LOOKS = {
    "one-prototype": {"ratio": 0.05, "flat": 0.02, "marginal": 0.03},
    "uniform": {"ratio": 0.999, "flat": 0.99, "marginal": 1.0},
    "same": {"ratio": 0.7, "cosine": 0.999},
}


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize(
    ("steps", "early", "late"),
    [(40, 19, 20), (400, 19, 20), (2000, 99, 100), (125_000, 999, 1000), (None, 19, 20)],
)
def test_the_first_steps_are_not_called_a_collapse(kind, steps, early, late):
    """An untrained teacher answers all pictures alike: what it looks like is said, and no more."""

    def found(last):
        lines = [
            line(i, **LOOKS[kind]) | {"steps": steps} for i in range(max(last - 30, 0), last + 1)
        ]
        return diagnose([{k: v for k, v in one.items() if v is not None} for one in lines])

    before = found(early)
    assert before.kind == "early"
    assert before.message.startswith(f"Too early to say, after {early} steps: so far ")
    assert "Collapsed" not in before.message
    assert found(late).kind == kind
    assert found(late).message.startswith("Collapsed")


@pytest.mark.parametrize(("slope", "word"), [(-1e-3, "falling"), (1e-3, "rising"), (0, "level")])
def test_the_trend_is_named(slope, word):
    found = diagnose([line(i, ratio=0.7 + slope * i) for i in range(100)])
    assert word in found.message


# --- the thresholds, where they come from


def teacher(**changes):
    healthy = {"flat": 0.7, "marginal": 0.95, "commonest": 0.05, "cosine": 0.2}
    return Teacher(**healthy | {"rank": 20.0, "pictures": 64} | changes)


def kinds(one):
    return [found.kind for found in collapses_of(one, 0.9)]


def test_a_prototype_wins_when_it_gets_more_than_half():
    """Four pictures, told apart perfectly: three prototypes are hardly any of 512, and no harm."""
    few = teacher(flat=0.0, marginal=math.log(4) / math.log(512), commonest=0.25, pictures=4)
    assert kinds(few) == []
    assert kinds(replace(few, commonest=0.51)) == ["one-prototype"]
    assert kinds(replace(few, commonest=None)) == ["one-prototype"]  # of an older run: not noted


def test_prototypes_are_few_when_two_pictures_share_each():
    """Eight pictures, sharply: each with a prototype of its own, in pairs, and just below that."""

    def answers(count):
        return teacher(
            flat=0.0, marginal=math.log(count) / math.log(512), commonest=1 / count,
            pictures=8, prototypes=512.0, rank=7.0,
        )  # fmt: skip

    assert [kinds(answers(count)) for count in (8, 4.01, 3.99)] == [[], [], ["few-prototypes"]]
    assert kinds(replace(answers(3), commonest=0.51)) == ["one-prototype"]
    assert kinds(replace(answers(3), pictures=7)) == []  # too few to say
    assert kinds(replace(answers(3), prototypes=None)) == []  # of an older run: not noted
    even = teacher(flat=0.9, marginal=1.0, prototypes=12.0, pictures=64)
    assert kinds(even) == [], "there are no more prototypes than that"


def test_the_first_steps_do_not_count_once_there_are_later_ones():
    """What was measured of an untrained teacher would hide for long what came of it."""
    lines = [line(1, marginal=1.0), line(20, marginal=0.2), line(40, marginal=0.2)]
    assert Teacher.of(lines).marginal == pytest.approx(0.2)
    assert Teacher.of(lines[:1]).marginal == 1.0


@pytest.mark.parametrize("pictures", [8, 24, 64, 2048])
def test_directions_are_enough_when_their_sides_tell_the_pictures_apart(pictures):
    enough = next(d for d in range(1, 12) if len(list(product("+-", repeat=d))) >= pictures)
    assert kinds(teacher(rank=float(enough), pictures=pictures)) == []
    assert kinds(teacher(rank=enough - 1.01, pictures=pictures)) == ["dimensional"]


def test_few_pictures_and_old_runs_are_not_judged_by_their_rank():
    assert kinds(teacher(rank=1.0, pictures=7)) == []
    assert kinds(teacher(rank=None)) == []


def test_both_are_said_where_both_are_so():
    assert kinds(teacher(flat=0.99, marginal=1.0, rank=2.0)) == ["uniform", "dimensional"]
    lines = [line(i, ratio=1.0, flat=0.99, marginal=1.0) for i in range(1, 40)]
    for one in lines:
        one["measured"] |= {"effective_rank": 2.0, "effective_rank_limit": 63}
    found = diagnose(lines)
    assert found.kind == "uniform"
    assert "Collapsed in dimension: the class tokens of 64 pictures" in found.message
