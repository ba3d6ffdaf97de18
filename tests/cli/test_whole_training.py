"""heads, train, finetune, distil, predict, runs: all that each says and writes."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_commands import Drawn, run, same_calls
from tiny_runs import files, noise_folder, noted_run
from tiny_steps import SMALL

from dino_core.cli import training
from dino_core.datasets import find_pictures
from dino_core.evaluation.held_out import HeldOut, evaluate_heads
from dino_core.runs import pretraining
from dino_core.runs.exit_codes import DONE, INTERRUPTED
from dino_core.runs.pretrained_heads import load_heads

Said = pytest.CaptureFixture[str]


# --- heads


def test_heads(folder: Path, tmp_path: Path, capsys: Said) -> None:
    """The library's figures, printed and written, and heads that can be opened again."""
    data, pair = noise_folder(tmp_path / "data", 4), folder / "pair.safetensors"
    report, copy = tmp_path / "new" / "a.json", tmp_path / "b.safetensors"
    words = ["heads", pair, "--data", data, "--seed", "2"]
    ran = run(capsys, *words, "--output", report, "--save", copy)
    heads, config = load_heads(pair)
    wanted = asdict(evaluate_heads(heads, find_pictures(data), config, 2))
    found = json.loads("\n".join(ran.out))
    assert found.keys() == wanted.keys()
    assert found == pytest.approx({**wanted, "prototypes": [12, 10]}, rel=1e-3)
    assert report.read_text(encoding="utf-8") == "\n".join(ran.out) + "\n"
    assert ran.out[1].startswith('  "pictures": 4')
    again, config = load_heads(copy)
    assert config == SMALL
    for name, tensor in load_heads(pair)[0].state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    other = tmp_path / "c.safetensors"
    assert run(capsys, *words).out == ran.out, "neither file is needed"
    assert not other.exists()


def test_new_heads_are_trained_as_asked_with_pair(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, train = noise_folder(tmp_path / "data", 2), noise_folder(tmp_path / "train", 3)
    calls: list[Any] = []
    worth = HeldOut(2, (3, 4), *[0.5] * 10)

    def new(vit: Any, pictures: Any, config: Any, *, report: Callable[..., None]) -> str:
        report({"dino": 1.234, "ibot": 5.678})
        calls.append((vit, len(pictures), config.steps, config.seed))
        return "pair"

    def judge(pair: Any, pictures: Any, config: Any, seed: int) -> HeldOut:
        calls.append((pair, len(pictures), config.vit, seed))
        return worth

    model = SimpleNamespace(vit=SimpleNamespace(config=SMALL.vit))
    monkeypatch.setattr("dino_core.runs.head_training.train_heads", new)
    monkeypatch.setattr("dino_core.evaluation.held_out.evaluate_heads", judge)
    monkeypatch.setattr("dino_core.weights.load_backbone", lambda name: (model, name)[0])
    monkeypatch.setattr("dino_core.runs.pretrained_heads.save_heads", lambda *a: calls.append(a))
    words = ["heads", "name", "--data", data, "--train", train, "--steps", "7", "--seed", "5"]
    ran = run(capsys, *words, "--save", tmp_path / "a.safetensors")
    assert json.loads("\n".join(ran.out))["prototypes"] == [3, 4]
    assert "heads:  14%" in ran.err[-1]
    assert "1/7" in ran.err[-1]
    assert "dino=1.23, ibot=5.68" in ran.err[-1]
    (vit, *numbers), judged, saved = calls
    assert (vit, numbers) == (model.vit, [3, 7, 5])
    assert judged == ("pair", 2, SMALL.vit, 5)
    pair, config, backbone, path = saved
    assert (pair, config.vit, backbone, path) == (
        "pair",
        SMALL.vit,
        "name",
        tmp_path / "a.safetensors",
    )


# --- train, finetune, distil


KINDS = {
    "train": ("pretraining", "dino_core.runs.pretraining.train", "dino_core.runs.setup.Setup.of"),
    "finetune": (
        "fine-tuning",
        "dino_core.finetuning.classification.finetune",
        "dino_core.finetuning.classification.FinetuneSetup.of",
    ),
    "distil": (
        "distillation",
        "dino_core.distillation.run.distil",
        "dino_core.distillation.setup.DistilSetup.of",
    ),
}


@pytest.mark.parametrize("command", KINDS)
@pytest.mark.parametrize(("end", "code"), [("finished", DONE), ("interrupted", INTERRUPTED)])
def test_a_run_begins_or_goes_on_in_its_folder(
    command: str,
    end: str,
    code: int,
    tmp_path: Path,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind, target, setup = KINDS[command]
    calls: list[Any] = []

    def go(*args: Any, **options: Any) -> str:
        calls.append((args, options))
        return end

    monkeypatch.setattr(target, go)
    monkeypatch.setattr(setup, lambda request: request)
    words = [command, "--data", "x", "--seed", "3"]
    assert run(capsys, *words, "--run", tmp_path / "run").code == code
    assert run(capsys, *words).code == code
    ((folder, request), options), ((unnamed, _), _) = calls
    assert (folder, options) == (str(tmp_path / "run"), {})
    assert (request.kind, request.data, request.seed) == (kind, "x", 3)
    name = {"train": "tiny", "finetune": "finetune", "distil": f"distil-{request.student}"}
    assert re.fullmatch(rf"runs/{name[command]}-\d{{8}}-\d{{6}}", unnamed)
    run_of = noted_run(tmp_path / "other", "tiny", 2, kind)
    monkeypatch.setattr(training, "changes_for", lambda stored, given, kind: (given, kind))
    monkeypatch.setattr(training, "stored_request", lambda config: config["kind"])
    calls.clear()
    going = [command, "--run", run_of, "--threads", "2", "--resume"]
    assert run(capsys, *going).code == code
    given = {"folder": str(run_of), "threads": 2}
    assert calls == [((str(run_of),), {"resume": True, "changes": (given, kind)})]
    wrong = noted_run(tmp_path / "wrong", "tiny", 2, "something")
    ran = run(capsys, command, "--run", wrong, "--resume")
    assert ran.err == [f"{wrong} is a run of another kind: something."]


def test_a_run_is_mended_before_it_goes_on(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    folder = noted_run(tmp_path / "run", "tiny", 2)
    monkeypatch.setattr(training, "changes_for", lambda *_: {})
    monkeypatch.setattr(training, "stored_request", lambda _: None)
    monkeypatch.setattr("dino_core.runs.mending.mend", lambda where: calls.append(where))
    monkeypatch.setattr(pretraining, "train", lambda *a, **k: calls.append((a, k)))
    assert run(capsys, "train", "--run", folder, "--mend").code == 0
    assert calls == [str(folder), ((str(folder),), {"resume": True, "changes": {}})]


def test_the_end_of_a_help_names_presets_and_switches() -> None:
    lines = training.described("presets:", {"tiny": "a " * 50 + "b", "long": "c"}).splitlines()
    assert lines[0] == "presets:"
    assert lines[1].startswith("  tiny               a a")
    assert lines[2].startswith(" " * 21 + "a")
    assert lines[3] == "  long               c"
    assert max(map(len, lines)) <= 88
    from dino_core.__main__ import build_parser
    from dino_core.runs.presets import PRESET_WORDS
    from dino_core.runs.students import STUDENT_WORDS, words_of

    commands: Any = build_parser()._actions[-1].choices
    told = commands["train"].epilog.splitlines()
    presets = training.described("presets:", PRESET_WORDS).splitlines()
    switches = training.described("switches of --experiment:", training.EXPERIMENT_WORDS)
    koleo = told[-2:]
    assert told == [*presets, "", *switches.splitlines(), "", *koleo]
    assert " ".join(koleo) == training.KOLEO
    words = {name: words_of(name) for name in STUDENT_WORDS}
    assert commands["distil"].epilog == training.described("presets:", words)
    assert commands["finetune"].epilog is None


# --- predict, runs


def test_predict(folder: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def load(*args: Any, **options: Any) -> Any:
        calls.append((args, options))
        return SimpleNamespace(words="9 classes.")

    answers = [("cat", 0.755), ("dog", 0.2), ("cow", 0.04), ("hen", 0.005)]
    monkeypatch.setattr("dino_core.finetuning.classification.load_classifier", load)
    monkeypatch.setattr("dino_core.finetuning.classification.predict", lambda *_: answers)
    one, two = folder / "0.png", folder / "1.png"
    options = ["--heads", "3", "--branch", "b", "--position-grid", "2x4", "--device", "cuda"]
    ran = run(capsys, "predict", one, two, "--model", "run", *options)
    three = "cat 75.5 %, dog 20.0 %, cow 4.0 %"
    assert ran.out == [f"{one}: {three}", f"{two}: {three}"]
    assert ran.err == ["run: 9 classes."]
    told = {"device": "cuda", "heads": 3, "grid": (2, 4), "branch": "b"}
    assert calls == [(("run",), told)]
    ran = run(capsys, "predict", one, "--model", "run", "--top", "1")
    assert ran.out == [f"{one}: cat 75.5 %"]


def test_runs(tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of them, the newest first; what one is asked, and what is noted of it."""
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "runs").out == ["There are no runs in runs."]
    first, second = (noted_run(tmp_path / "runs" / name, "tiny", 2) for name in "ab")
    for number, place in enumerate((first, second)):
        told = {"state": "finished", "words": f"Words of {place.name}.", "step": 2, "steps": 4}
        state = {**told, "seconds_left": 61.4, "updated": 100 - number}
        files(place, {"state.json": json.dumps(state).encode()})
    listed = ["runs/a: finished, 2 of 4{} (pretraining)", "    Words of a."]
    listed += ["runs/b: finished, 2 of 4{} (pretraining)", "    Words of b."]
    assert run(capsys, "runs").out == [line.format("") for line in listed]
    with monkeypatch.context() as patch:
        patch.setattr("dino_core.runs.folder.is_alive", lambda _: True)
        assert run(capsys, "runs").out == [line.format(", 61 s left") for line in listed]
    noted = run(capsys, "runs", second, "--name", "Best", "--note", "seen")
    assert noted.out == [f"Noted in {second}."]
    assert run(capsys, "runs", second, "--pictures", "cats").code == 0
    assert run(capsys, "runs").out[3:] == ["    Words of b.", "    Best, cats, seen"]
    assert run(capsys, "runs", second, "--note", "").code == 0
    assert run(capsys, "runs").out[4:] == ["    Best, cats"]
    assert run(capsys, "runs", tmp_path, "--name", "x").code == 2
    assert not (tmp_path / "notes.json").exists()
    assert run(capsys, "runs", second, "--ask", "stop").out == [f"Asked {second} to stop."]
    assert (second / "control").read_text() == "stop\n"


def test_the_curves_of_a_run(
    tmp_path: Path, drawn: Drawn, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dino_core.runs.charts.all_charts", lambda folder: {"of": folder})
    page = tmp_path / "a.html"
    ran = run(capsys, "runs", tmp_path / "run", "--figure", page)
    assert ran.out == [f"Curves of {tmp_path / 'run'} -> {page}"]
    same_calls(drawn.pop(), ("save", [{"of": tmp_path / "run"}, page], {}))
