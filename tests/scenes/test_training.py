"""scenes/training.py: what is read off the folder of a run, whatever lies in it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dino_core.assets import SAMPLES
from dino_core.runs.folder import FORMAT, RunFolder
from dino_core.runs.request import RunRequest
from dino_core.scenes import training


def lines_of(found: dict) -> list[int]:
    return [line["step"] for line in found["lines"]]


def test_metrics_are_read_a_chunk_at_a_time_and_only_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = training.metrics_from(tmp_path)
    assert nothing == {"lines": [], "next": 0, "mark": "", "anew": True, "more": False}
    path = RunFolder(tmp_path).metrics_file
    lines = [json.dumps({"step": step, "loss": 0.5}) for step in range(5)]
    path.write_text("\n".join(lines) + '\n{"step": 5')
    length = len(lines[0]) + 1
    monkeypatch.setattr(training, "CHUNK", 2 * length + 3)
    first = training.metrics_from(tmp_path)
    assert (lines_of(first), first["next"], first["more"]) == ([0, 1], 2 * length, True)
    assert first["anew"], "whoever names no file is told all of it"
    then = training.metrics_from(tmp_path, first["next"], first["mark"])
    assert (lines_of(then), then["next"], then["anew"]) == ([2, 3], 4 * length, False)
    last = training.metrics_from(tmp_path, then["next"], then["mark"])
    assert (lines_of(last), last["next"], last["more"]) == ([4], 5 * length, False)
    assert last["mark"] == str(path.stat().st_ino)
    beyond = training.metrics_from(tmp_path, path.stat().st_size + 1, first["mark"])
    assert (beyond["anew"], lines_of(beyond)) == (True, [0, 1])
    other = training.metrics_from(tmp_path, then["next"], "another file")
    assert (other["anew"], lines_of(other)) == (True, [0, 1])
    end = training.metrics_from(tmp_path, path.stat().st_size, first["mark"])
    assert (end["anew"], end["lines"]) == (False, [])


def test_a_line_that_never_ends_is_gone_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunFolder(tmp_path).metrics_file.write_text("x" * 30 + '\n{"step": 1}\n')
    monkeypatch.setattr(training, "CHUNK", 20)
    first = training.metrics_from(tmp_path)
    assert (first["lines"], first["next"], first["more"]) == ([], 20, True)
    then = training.metrics_from(tmp_path, first["next"], first["mark"])
    assert (then["lines"], then["next"]) == ([], 31)
    last = training.metrics_from(tmp_path, then["next"], then["mark"])
    assert lines_of(last) == [1]


def test_lines_that_no_run_wrote_are_passed_over(tmp_path: Path) -> None:
    text = '[1]\n"x"\n{"loss": 1}\n{"step": "one"}\nnonsense\n{"step": 3}\n'
    RunFolder(tmp_path).metrics_file.write_text(text)
    assert lines_of(training.metrics_from(tmp_path)) == [3]


def test_a_verdict_is_of_the_newest_lines_by_whoever_knows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert training.verdict_of(tmp_path) is None
    seen: list[tuple[str, list[int]]] = []

    def telling(who: str):
        def diagnose(lines: list[dict]) -> training.Diagnosis:
            seen.append((who, [line["step"] for line in lines]))
            return training.Diagnosis("fine", who)

        return diagnose

    monkeypatch.setattr(training, "diagnose", telling("run"))
    monkeypatch.setattr(training.verdict, "diagnose", telling("distillation"))
    path = RunFolder(tmp_path).metrics_file
    line = '{{"step": {}, "loss": 0.5}}\n'
    path.write_text("".join(line.format(step) for step in range(5)))
    monkeypatch.setattr(training, "TAIL", 2 * len(line.format(0)) + 5)
    assert training.verdict_of(tmp_path) == {"kind": "fine", "words": "run"}
    with path.open("a") as file:
        file.write('{"step": 5, "agreement": {"cls": 0.5}}\n')
    monkeypatch.setattr(training, "TAIL", 2**20)
    assert training.verdict_of(tmp_path) == {"kind": "fine", "words": "distillation"}
    assert seen == [("run", [3, 4]), ("distillation", [0, 1, 2, 3, 4, 5])]

    def falls(lines: list[dict]) -> training.Diagnosis:
        raise KeyError("loss")

    monkeypatch.setattr(training.verdict, "diagnose", falls)
    assert training.verdict_of(tmp_path) is None


def test_weights_are_the_finished_ones_or_those_of_the_newest_step(tmp_path: Path) -> None:
    checkpoints = RunFolder(tmp_path).checkpoints
    checkpoints.mkdir()
    assert training.weights_file(tmp_path) is None
    assert training.kept_steps(tmp_path) == []
    names = ["step-00000100", "step-00000020", "step-123456789", "step-1", "best"]
    for name in names:
        (checkpoints / f"{name}.safetensors").touch()
    assert training.kept_steps(tmp_path) == [20, 100, 123456789]
    newest = checkpoints / "step-123456789.safetensors"
    assert training.weights_file(tmp_path) == training.weights_at(tmp_path, None) == newest
    at = training.weights_at(tmp_path, 20)
    assert at == checkpoints / "step-00000020.safetensors"
    assert training.weights_at(tmp_path, 21) is None
    assert training.moment_words(at) == "step 20"
    for name in ("model.safetensors", "backbone.safetensors"):
        (tmp_path / name).touch()
        assert training.weights_file(tmp_path) == tmp_path / name
        assert training.moment_words(tmp_path / name) == "finished"
    (tmp_path / "best.safetensors").touch()  # of a fine-tuning, good to go on alone
    assert training.kept_steps(tmp_path) == []
    assert training.weights_at(tmp_path, 20) is None


def configured(folder: Path, **config: object) -> Path:
    RunFolder(folder).config_file.write_text(json.dumps({"format": FORMAT, **config}))
    return folder


def test_what_was_mended_is_told_and_what_nobody_wrote_so_is_left_out(tmp_path: Path) -> None:
    assert training.history_of(tmp_path) == []
    mended = {"turned_back": ["no-koleo"], "after": 40, "step": 20, "verdict": "Collapsed."}
    folder = configured(tmp_path, history=[{"step": 1}, 3, mended])
    assert training.history_of(folder) == [
        "Mended: no KoLeo turned back after step 40; the run goes on from step 20, the last good "
        "checkpoint. It had said: Collapsed."
    ]
    assert training.history_of(configured(tmp_path, history="words")) == []


def test_a_run_s_command_names_files_without_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = RunRequest(
        kind="pretraining",
        data="/home/me/mine.zip",
        knn="/home/me/knn",
        weights="/home/me/w.safetensors",
        heads="/home/me/h.safetensors",
        teacher="/home/me/t.pth",
        probes=(str(SAMPLES / "cat.jpg"), "/home/me/own.png"),
        experiment=("no-koleo",),
    )
    stored: list[RunRequest | None] = [request]
    monkeypatch.setattr(training, "stored_request", lambda config: stored[0])
    told: list[RunRequest] = []

    def command(self: RunRequest) -> str:
        told.append(self)
        return "the line"

    monkeypatch.setattr(RunRequest, "command", command)
    folder = configured(tmp_path)
    assert training.command_of(folder, "own.zip") == "the line"
    wanted = replace(
        request,
        data="own.zip",
        folder="runs/again",
        knn="own.zip",
        weights="w.safetensors",
        heads="h.safetensors",
        teacher="t.pth",
        probes=("static/samples/cat.jpg", "picture.png"),
    )
    assert told == [wanted]
    assert training.switches_of(folder) == "no KoLeo"
    stored[0] = replace(request, data="samples", knn=None, weights=None)
    training.command_of(folder)
    assert (told[1].data, told[1].knn, told[1].weights) == ("samples", None, None)
    stored[0] = None
    assert (training.command_of(folder), training.switches_of(folder)) == ("", "")
    assert training.switches_of(tmp_path / "none") == ""
