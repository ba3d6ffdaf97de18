"""runs/request.py: one value, whichever way it comes and goes."""

import json
import shlex
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest

from dino_core.__main__ import build_parser
from dino_core.distillation.setup import DistilSetup
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs.presets import PRESETS
from dino_core.runs.request import COMMANDS, DEFAULTS, RunRequest, full_path, options
from dino_core.runs.request_io import (
    as_plain,
    changes_for,
    given_options,
    parse_request,
    read_request,
    stored_request,
    write_request,
)
from dino_core.runs.setup import Setup, read_pictures
from dino_core.runs.students import RECIPES, STUDENTS

# Of every option another value than the default, as it comes in a form.
FORM = {
    "data": "/pictures/my own.zip",
    "include": ["masks"],
    "exclude": ["*_small.jpg"],
    "stretch": True,
    "folder": "/runs/-odd 'name'",
    "preset": "continue",
    "student": "photos",
    "teacher": "a teacher.pth",
    "answers": 90,
    "recipe": "paper",
    "part": "blocks",
    "blocks": 3,
    "steps": 77,
    "epochs": 9,
    "batch": 12,
    "accumulate": 4,
    "size": 98,
    "experiment": ["no-koleo", "small-batch"],
    "seed": 2**53 - 1,
    "model": "-strange-name",
    "weights": "/w/a b.pth",
    "heads": "new",
    "probes": ["/p/cat.jpg", "/p/a b.jpg"],
    "knn": "cifar10",
    "knn_per_class": [5, 7],
    "device": "cuda:1",
    "dtype": "bfloat16",
    "threads": 3,
    "workers": 2,
    "tensorboard": True,
    "gradient_shares": 5,
    "shard": True,
    "download": True,
}


def parsed(words):
    """What a command line asks for."""
    kind = {command: kind for kind, command in COMMANDS.items()}[words[0]]
    args = build_parser().parse_args(words)
    return RunRequest(kind=kind, **given_options(args, kind))


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_form_a_file_and_a_command_line_are_one_request(kind, tmp_path):
    known = [name for name, _ in options(kind)]
    assert set(FORM) >= set(known), "an option that this test does not know"
    form = {"kind": kind} | {name: FORM[name] for name in known}
    request = parse_request(json.loads(json.dumps(form)))
    for name in known:
        assert getattr(request, name) != DEFAULTS[name], name
    assert parsed(request.arguments()) == request
    python, minus_m, module, *words = shlex.split(request.command())
    assert (python, minus_m, module) == ("python", "-m", "dino_core")
    assert parsed(words) == request
    path = write_request(tmp_path / "run", request)
    assert read_request(path) == request
    assert parsed([COMMANDS[kind], "--request", str(path)]) == request
    assert parse_request(as_plain(request)) == request


@pytest.mark.parametrize("kind", COMMANDS)
def test_one_option_at_a_time(kind):
    assert parsed([COMMANDS[kind]]) == RunRequest(kind=kind)
    for name, _ in options(kind):
        request = parse_request({"kind": kind, name: FORM[name]})
        assert parsed(request.arguments()) == request, name
        assert as_plain(request).keys() == {"kind", name}


def test_every_field_is_an_option():
    """Or else it could not be said on a command line."""
    known = {name for kind in COMMANDS for name, _ in options(kind)}
    assert known == {one.name for one in fields(RunRequest)} - {"kind"}
    for kind in COMMANDS:
        flags = [option.flag for _, option in options(kind)]
        assert len(set(flags)) == len(flags)


def test_what_is_said_beside_a_file_counts(tmp_path):
    path = write_request(tmp_path, RunRequest("pretraining", data="/a", steps=5, shard=True))
    said = parsed(["train", "--request", str(path), "--steps", "6", "--no-shard"])
    assert said == RunRequest("pretraining", data="/a", steps=6)
    with pytest.raises(ValueError, match="use that command"):
        parsed(["finetune", "--request", str(path)])


def test_settled_is_what_will_happen():
    for recipe, name in product(RECIPES, STUDENTS):
        student = RECIPES[recipe][name]
        taught = RunRequest("distillation", data="samples", student=name, recipe=recipe)
        assert DistilSetup.of(taught).run == student
        assert DistilSetup.of(taught.settled()).run == student
        assert parse_request(as_plain(taught.settled())) == taught.settled()
    for name, preset in PRESETS.items():
        settled = RunRequest("pretraining", preset=name).settled()
        assert (settled.steps, settled.batch) == (preset.steps, preset.batch_size)
        assert settled.dtype == ("bfloat16" if preset.train.bfloat16 else "float32")
        assert settled.settled() == settled
        asked = RunRequest("pretraining", data="samples", preset=name)
        assert Setup.of(asked).run == preset
        assert Setup.of(replace(settled, data="samples")).run == preset
    tuned = FinetuneSetup.of(RunRequest("fine-tuning", data="/d", part="all", dtype="bfloat16"))
    assert (tuned.epochs, tuned.batch_size, tuned.bfloat16, tuned.threads) == (20, 32, True, 0)


def test_a_setup_holds_every_option_that_it_has_a_field_for():
    setups = {"pretraining": Setup, "fine-tuning": FinetuneSetup, "distillation": DistilSetup}
    for kind, setup in setups.items():
        form = {"kind": kind} | {name: FORM[name] for name, _ in options(kind)}
        request = parse_request(form)
        made = setup.of(request)
        for one in fields(setup):
            if one.name in FORM:
                assert getattr(made, one.name) == getattr(request, one.name), one.name


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": True}, "whole number"),
        ({"steps": 1.5}, "whole number"),
        ({"steps": 10**400}, "whole number"),
        ({"seed": -1}, "from 0"),
        ({"shard": 1}, "true or false"),
        ({"preset": "huge"}, "no preset 'huge'"),
        ({"kind": "fine-tuning", "part": "tail"}, "one of head, blocks, all"),
        ({"kind": "fine-tuning", "preset": "small"}, "no option 'preset'"),
        ({"kind": "distillation", "student": "continue"}, "one of light, photos, tiny"),
        ({"kind": "distillation", "preset": "small"}, "no option 'preset'"),
        ({"kind": "dreaming"}, "pretraining, fine-tuning or distillation"),
        ({"probes": "cat.jpg"}, "list"),
        ({"probes": [3]}, "list"),
        ({"knn_per_class": [1, 2, 3]}, "2 numbers"),
        ({"knn_per_class": [1, 0]}, "2 numbers"),
        ({"data": 3}, "text"),
        ({"data": "a\0b"}, "text"),
        ({"dream": 1}, "no option 'dream'"),
    ],
)
def test_what_is_no_request_is_said(values, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        parse_request(values)
    (tmp_path / "r.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"r\.json: "):
        read_request(tmp_path / "r.json")


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "\0", "[" * 100_000])
def test_a_damaged_file_is_said(text, tmp_path):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=r"r\.json is no request"):
        read_request(tmp_path / "r.json")
    with pytest.raises(ValueError, match="No such file"):
        read_request(tmp_path / "nothing.json")


def test_limits_of_a_page_are_lower():
    assert parse_request({"steps": 500}).steps == 500
    with pytest.raises(ValueError, match="from 1 to 400"):
        parse_request({"steps": 500}, {"steps": 400})


@pytest.mark.parametrize("words", [["--steps", "0"], ["--steps", "9" * 30], ["--batch", "many"]])
def test_numbers_are_checked_on_the_command_line_too(words):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", *words])


def test_paths_are_made_whole_and_words_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = RunRequest(
        "pretraining", data="samples", knn="sub/x.zip", heads="bundled", probes=("a.png",)
    ).with_full_paths()
    assert (request.data, request.heads) == ("samples", "bundled")
    assert request.knn == str(tmp_path / "sub" / "x.zip")
    assert request.probes == (str(tmp_path / "a.png"),)


def test_what_a_run_began_with_may_be_repeated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stored = RunRequest("pretraining", data=full_path("d"), probes=("/p/a.png",)).settled()
    words = [
        "--data",
        "d",
        "--preset",
        "tiny",
        "--steps",
        "400",
        "--seed",
        "0",
        "--device",
        "cuda",
        "--workers",
        "2",
    ]
    args = build_parser().parse_args(["train", *words, "--probe", "/p/a.png"])
    given = given_options(args, "pretraining")
    changes = changes_for(stored, given, "pretraining")
    assert changes == {"data": full_path("d"), "device": "cuda", "workers": 2}
    for name, value, words in (
        ("steps", 9, r"--steps is fixed since the run began \(--steps 400\)"),
        ("weights", "/w.pth", r"--weights is fixed since the run began \(without it\)"),
        ("seed", 1, "--seed is fixed"),
        ("preset", "demo", "--preset is fixed"),
    ):
        with pytest.raises(ValueError, match=words):
            changes_for(stored, {name: value}, "pretraining")
    with pytest.raises(ValueError, match="leave it out"):
        changes_for(None, {"steps": 400}, "pretraining")
    assert changes_for(None, {"device": "cuda"}, "pretraining") == {"device": "cuda"}


@pytest.mark.parametrize(
    "config",
    [{}, {"setup": 3}, {"setup": {"request": 3}}, {"setup": {"request": {"dream": 1}}}],
)
def test_a_damaged_config_is_said(config):
    with pytest.raises(ValueError, match=r"damaged|does not know"):
        stored_request(config)


def test_which_pictures_are_taken_is_asked_for_and_kept(tmp_path: Path) -> None:
    from tiny_runs import noise_folder

    from dino_core.datasets import sample_pictures

    data = noise_folder(tmp_path / "data", 4)
    parser = build_parser()
    words = ["train", "--data", str(data), "--exclude", "01.png", "*3.png", "--stretch"]
    asked = given_options(parser.parse_args(words), "pretraining")
    setup = Setup.of(RunRequest(kind="pretraining", **asked))
    pictures = read_pictures(setup)
    assert (pictures.names, pictures.stretch) == (("00.png", "02.png"), True)
    assert "01.png" in " ".join(pictures.summary())
    with pytest.raises(ValueError, match="--exclude is fixed since the run began"):
        changes_for(setup.request, {"exclude": ("00.png",)}, "pretraining")
    other = FinetuneSetup.of(RunRequest(kind="fine-tuning", **asked))
    assert (other.exclude, other.stretch) == (("01.png", "*3.png"), True)
    assert RunRequest("pretraining", exclude=("-draft*",)).arguments()[-1] == "./-draft*"
    assert sample_pictures().summary() == []
