"""cli/training.py: `distil` as a person types it."""

import json
import os
from dataclasses import asdict

import pytest
from tiny_models import tiny_vit
from tiny_runs import noise_folder

from dino_core.__main__ import build_parser, main
from dino_core.distillation.setup import DistilSetup
from dino_core.runs.exit_codes import INTERRUPTED, MISTAKE
from dino_core.runs.folder import read_metrics, read_state
from dino_core.runs.presets import from_plain
from dino_core.runs.request import RunRequest
from dino_core.runs.request_io import given_options
from dino_core.runs.students import RECIPES, STUDENT_WORDS
from dino_core.schedules import learning_rate
from dino_core.weights import save_backbone


def test_every_student_is_explained_and_comes_back_from_json():
    assert RECIPES["features"].keys() == RECIPES["paper"].keys() == STUDENT_WORDS.keys()
    for name, config in [pair for recipe in RECIPES.values() for pair in recipe.items()]:
        assert config.preset == name
        assert config.train.vit.drop_path == 0
        setup = DistilSetup(run=config, data="x", teacher="preview_vits14")
        assert from_plain(DistilSetup, json.loads(json.dumps(asdict(setup)))) == setup


def test_the_released_models_are_taught_as_the_paper_says():
    """Table 16: no stochastic depth, 1e-3 at 2048 pictures, 625 000 steps, 100 000 of warm-up."""
    for name, dim in (("vit-s", 384), ("vit-b", 768), ("vit-l", 1024)):
        train = RECIPES["paper"][name].train
        schedule = train.schedule
        assert (train.vit.dim, train.vit.drop_path, train.vit.layer_scale_init) == (dim, 0, 1e-5)
        assert not train.masks.hide
        assert schedule.steps == 625_000
        assert learning_rate(100_000, schedule) == pytest.approx(1e-3)
        assert schedule.warmup_epochs * schedule.epoch_length == 100_000
        assert (schedule.weight_decay, schedule.end_weight_decay) == (0.04, 0.2)
        assert (schedule.momentum, schedule.end_momentum) == (0.994, 1.0)


def test_options_reach_the_configuration():
    words = ["distil", "--data", "x", "--preset", "photos", "--steps", "50", "--batch", "16"]
    args = build_parser().parse_args([*words, "--answers", "99", "--seed", "5", "--teacher", "t"])
    request = RunRequest(kind="distillation", **given_options(args, "distillation"))
    setup = DistilSetup.of(request)
    config = setup.run
    assert (config.preset, config.steps, config.batch_size, config.seed) == ("photos", 50, 16, 5)
    assert (setup.data, setup.teacher) == (os.path.abspath("x"), "t")
    assert config.follow is not None
    assert config.follow.answers == 99
    assert request.command() == (
        "python -m dino_core distil --data x --preset photos --teacher t --answers 99 --steps 50 "
        "--batch 16 --seed 5"
    )


def test_a_run_is_interrupted_goes_on_and_is_listed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    data, run = noise_folder(tmp_path / "data", 4), tmp_path / "runs" / "a"
    teacher = save_backbone(tiny_vit(), tmp_path / "teacher.safetensors")
    words = ["distil", "--data", str(data), "--teacher", str(teacher), "--steps", "3"]
    words += ["--preset", "demo", "--batch", "2", "--answers", "4", "--threads", "1"]
    words += ["--run", str(run)]
    from dino_core.distillation import features

    step = features.one_step

    def stop_at_two(progress, *rest, **more):
        if progress.step == 2:
            raise KeyboardInterrupt
        return step(progress, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(features, "one_step", stop_at_two)
        assert main(words) == INTERRUPTED
    assert read_state(run).state == "stopped"
    capsys.readouterr()
    assert main([*words, "--answers", "9", "--resume"]) == MISTAKE
    assert "--answers is fixed since the run began" in capsys.readouterr().err
    assert main(["train", "--run", str(run), "--resume"]) == MISTAKE
    assert "a run of another kind: distillation" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0
    assert [line["step"] for line in read_metrics(run) if "loss" in line] == [1, 2, 3]
    assert main(["runs", str(tmp_path / "runs")]) == 0
    assert "finished, 3 of 3 (distillation)" in capsys.readouterr().out
    assert main(["runs", str(run), "--figure", str(tmp_path / "curves.html")]) == 0
    assert "Agreement with the teacher" in (tmp_path / "curves.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--data is missing"),
        (["--data", "nowhere"], "There is no"),
        (["--data", "samples", "--teacher", "resnet50"], "There is no model called 'resnet50'"),
        (["--data", "samples", "--teacher", "dinov2_vitg14"], "are not on this disk"),
        (["--data", "samples", "--teacher", "notes.txt"], "no checkpoint"),
        (["--data", "samples", "--answers", "0"], "'0' is not a whole number from 1 on"),
        (["--data", "samples", "--preset", "continue"], "invalid choice: 'continue'"),
        (["--resume"], "--run is missing"),
    ],
)
def test_mistakes_are_said_in_a_sentence(tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    (tmp_path / "notes.txt").write_text("no weights at all, but many words " * 9)
    try:
        code = main(["distil", *arguments])
    except SystemExit as error:  # argparse
        code = error.code
    assert code == MISTAKE
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "runs").exists()
