"""cli/training.py: the commands as a person types them."""

import json
import os
from dataclasses import asdict

import pytest
from tiny_models import TINY, tiny_vit
from tiny_runs import COLOURS, coloured, files, noise_folder, picture

from dino_core.__main__ import build_parser, main
from dino_core.config import OFFICIAL_LONG, OFFICIAL_SHORT
from dino_core.runs.exit_codes import INTERRUPTED, MISTAKE, NOT_FINITE
from dino_core.runs.folder import launch, read_state
from dino_core.runs.presets import PRESET_WORDS, PRESETS, from_plain, with_steps
from dino_core.runs.request import RunRequest
from dino_core.runs.request_io import given_options
from dino_core.runs.setup import Setup
from dino_core.weights import save_backbone


def test_every_preset_is_explained_and_comes_back_from_json():
    assert PRESETS.keys() == PRESET_WORDS.keys()
    for config in PRESETS.values():
        setup = Setup(run=config, data="x")
        assert from_plain(Setup, json.loads(json.dumps(asdict(setup)))) == setup
    assert PRESETS["official-short"].train is OFFICIAL_SHORT
    assert PRESETS["official-long"].train is OFFICIAL_LONG
    assert "destroys" in PRESET_WORDS["continue"]


def test_a_shorter_run_keeps_the_shares_of_its_phases():
    short = with_steps(PRESETS["official-short"], 1000).train.schedule
    assert (short.steps, short.warmup_epochs, short.teacher_temperature_epochs) == (1000, 100, 300)
    assert short.freeze_last_layer_epochs * short.epoch_length == 10
    assert with_steps(PRESETS["tiny"], 400) is PRESETS["tiny"]
    with pytest.raises(ValueError, match="at least 1 step"):
        with_steps(PRESETS["tiny"], 0)


def test_options_reach_the_configuration():
    words = [
        "train",
        "--data",
        "x",
        "--preset",
        "tiny",
        "--steps",
        "50",
        "--batch",
        "16",
        "--accumulate",
        "2",
        "--seed",
        "5",
    ]
    args = build_parser().parse_args([*words, "--dtype", "bfloat16"])
    setup = Setup.of(RunRequest(kind="pretraining", **given_options(args, "pretraining")))
    config = setup.run
    assert (config.steps, config.batch_size, config.accumulate, config.seed) == (50, 16, 2, 5)
    assert config.train.bfloat16
    assert setup.data == os.path.abspath("x"), "the run goes on from any folder"


@pytest.mark.slow
def test_train_resume_and_list(tmp_path, capsys):
    data, run = noise_folder(tmp_path / "data"), tmp_path / "runs" / "a"
    options = ["--data", str(data), "--steps", "2", "--batch", "4", "--threads", "1"]
    assert main(["train", *options, "--run", str(run)]) == 0
    assert main(["train", *options, "--run", str(run)]) == MISTAKE
    assert "--resume" in capsys.readouterr().err
    assert main(["train", "--run", str(run), "--resume", "--steps", "9"]) == MISTAKE
    assert "fixed since the run began" in capsys.readouterr().err
    assert main(["train", "--run", str(run), "--resume"]) == 0
    assert main(["runs", str(tmp_path / "runs")]) == 0
    assert "finished, 2 of 2" in capsys.readouterr().out
    assert main(["runs", str(run), "--ask", "pause"]) == 0
    assert (run / "control").read_text() == "pause\n"
    assert read_state(run).state == "finished"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "nowhere"], "There is no"),
        ([], "--data is missing"),
        (["--resume"], "--run is missing"),
        (["--data", "samples", "--preset", "continue"], "--model or --weights"),
        (["--data", "samples", "--batch", "5", "--accumulate", "2"], "multiple"),
        (["--data", "cifar10"], "--download"),
        (["--data", "samples", "--shard"], "torchrun"),
    ],
)
def test_mistakes_are_said_in_a_sentence(tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INSIDE_DINOV2_HOME", str(tmp_path / "home"))
    assert main(["train", *arguments]) == MISTAKE
    assert words in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [(FloatingPointError("The loss is nan."), NOT_FINITE), (KeyboardInterrupt(), INTERRUPTED)],
)
def test_what_ends_a_run_becomes_an_exit_code(monkeypatch, error, code):
    from dino_core.runs import pretraining

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(pretraining, "train", fail)
    assert main(["train", "--data", "samples"]) == code


def test_finetune_and_predict(tmp_path, capsys):
    weights = save_backbone(tiny_vit(TINY), tmp_path / "w.safetensors")
    data, run = files(tmp_path / "data", coloured(8)), tmp_path / "run"
    options = ["--data", str(data), "--weights", str(weights), "--size", "28", "--threads", "1"]
    assert main(["finetune", *options, "--run", str(run)]) == 0
    pictures = []
    for name, colour in COLOURS.items():
        pictures.append(str(tmp_path / f"{name}.png"))
        (tmp_path / f"{name}.png").write_bytes(picture(5, colour))
    assert main(["predict", *pictures, "--model", str(run), "--top", "1"]) == 0
    answers = capsys.readouterr().out.strip().splitlines()
    assert [line.split(": ")[1].split()[0] for line in answers] == list(COLOURS)
    assert main(["predict", "no.png", "--model", str(run)]) == MISTAKE


@pytest.mark.slow
def test_a_run_may_be_started_as_a_process_of_its_own(tmp_path, monkeypatch):
    data, run = noise_folder(tmp_path / "data"), tmp_path / "runs" / "a"
    monkeypatch.chdir(tmp_path)
    options = ["--data", "data", "--steps", "1", "--batch", "2", "--threads", "1"]
    pid = launch(["train", *options, "--run", str(run)], run)
    assert os.waitpid(pid, 0)[1] == 0
    assert read_state(run).state == "finished"
    assert read_state(run).pid == pid
    monkeypatch.chdir("/")
    assert main(["train", "--run", str(run), "--resume"]) == 0
    assert data.is_dir()
