"""runs/folder.py: what can be read and asked from outside."""

import errno
import json
import multiprocessing
import os
from contextlib import nullcontext

import pytest

from dino_core.runs.control import Control
from dino_core.runs.exit_codes import (
    BUG,
    DISK_FULL,
    INTERRUPTED,
    MISTAKE,
    NOT_FINITE,
    exit_code,
    message_of,
)
from dino_core.runs.folder import (
    RunFolder,
    finite,
    is_alive,
    list_runs,
    read_metrics,
    read_state,
    request_action,
)


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create({"kind": "pretraining"})
    return folder


def test_the_last_line_may_still_be_on_its_way(run):
    run.add_metrics({"step": 1, "loss": float("nan"), "nested": {"x": float("inf")}})
    run.add_metrics({"step": 2, "loss": 0.5})
    with run.metrics_file.open("a") as file:
        file.write('{"step": 3, "lo')
    lines = read_metrics(run.path)
    assert [line["step"] for line in lines] == [1, 2]
    assert lines[0] == {"step": 1, "loss": None, "nested": {"x": None}}
    assert read_metrics(run.path, after=1) == lines[1:]
    run.cut_metrics(1)
    assert read_metrics(run.path) == lines[:1]
    assert run.metrics_file.read_bytes().endswith(b"\n")


def test_a_run_may_lie_as_deep_as_one_likes(tmp_path):
    run = RunFolder(tmp_path / "runs/of/today")
    run.create({"kind": "pretraining", "steps": 3})
    assert run.read_config() == {"format": 1, "kind": "pretraining", "steps": 3}


def test_actions_are_words_in_a_file(run):
    control = Control(run)
    assert control.action() is None
    request_action(run.path, "pause")
    request_action(run.path, "pause")
    assert control.action() == "pause"
    request_action(run.path, "resume")
    assert control.wait() == "resume"
    (run.path / "control").write_bytes(b"\xff nonsense")
    assert control.action() is None
    with pytest.raises(ValueError, match="pause, resume or stop"):
        request_action(run.path, "dance")
    with pytest.raises(ValueError, match="holds no run"):
        request_action(run.path.parent, "stop")


def hold(folder, held, done):
    with RunFolder(folder).locked():
        RunFolder(folder).put_state("running", "Step 3.", 3, 9, 12.5)
        held.set()
        done.wait(30)


def test_a_process_that_is_gone_is_noticed(run):
    assert read_state(run.path).state == "starting" or not read_state(run.path).alive
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(run.path, held, done))
    process.start()
    assert held.wait(30)
    state = read_state(run.path)
    assert (state.state, state.step, state.seconds_left, state.alive) == ("running", 3, 12.5, True)
    with pytest.raises(ValueError, match="Another process"), run.locked():
        pass
    process.kill()
    process.join()
    assert not is_alive(run.path)
    state = read_state(run.path)
    assert (state.state, state.can_resume, state.seconds_left) == ("stopped", True, None)
    assert "without a word" in state.words
    with run.locked():
        assert is_alive(run.path)


@pytest.mark.parametrize("state", ["starting", "stopped", "failed"])
def test_nothing_goes_on_while_its_process_is_still_there(run, state):
    """It has said its last word, and is about to let go of the folder."""
    with run.locked():
        run.put_state(state, "Words.", 3, 9)
        assert not read_state(run.path).can_resume
    assert read_state(run.path).can_resume


def test_listing_leaves_out_what_is_no_run(run, tmp_path):
    other = RunFolder(tmp_path / "other")
    other.create({"kind": "fine-tuning"})
    other.put_state("finished", "Done.", 5, 5)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    found = list_runs(tmp_path)
    assert {(state.folder.name, state.kind) for state in found} == {
        ("run", "pretraining"),
        ("other", "fine-tuning"),
    }
    assert list_runs(tmp_path / "nowhere") == []


def test_the_run_that_moved_last_is_listed_first(tmp_path):
    for name, updated in (("a", 3.0), ("b", 9.0), ("c", 5.0)):
        folder = RunFolder(tmp_path / name)
        folder.create({"kind": "pretraining"})
        folder.put_state("finished", "Done.", 5, 5)
        state = folder.path / "state.json"
        state.write_text(json.dumps(json.loads(state.read_text()) | {"updated": updated}))
    (tmp_path / "a/config.json").write_text("{")
    os.utime(tmp_path / "a", (1, 1))
    assert [state.folder.name for state in list_runs(tmp_path)] == ["b", "c", "a"]


def test_lines_are_cut_whole_or_not_at_all(run, monkeypatch):
    for step in (1, 2, 3):
        run.add_metrics({"step": step})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run.cut_metrics(1)
    assert [line["step"] for line in read_metrics(run.path)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "fits"), [("notes.json", True), ("control", True), ("a.png", False)]
)
def test_a_page_may_have_been_in_the_folder_of_a_new_run(tmp_path, name, fits):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / name).write_text("{}")
    refusal = pytest.raises(ValueError, match="is not empty and holds no run")
    with nullcontext() if fits else refusal:
        RunFolder(tmp_path / "new").create({})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), DISK_FULL),
        (OSError(errno.EDQUOT, "full"), DISK_FULL),
        (OSError(errno.EFBIG, "too large"), DISK_FULL),
        (OSError(errno.EACCES, "not yours"), MISTAKE),
        (ValueError("no"), MISTAKE),
        (RuntimeError("CUDA out of memory"), MISTAKE),
        (RuntimeError("shapes"), BUG),
        (FloatingPointError("nan"), NOT_FINITE),
        (KeyboardInterrupt(), INTERRUPTED),
    ],
)
def test_how_a_command_ends_says_what_went_wrong(error, code):
    assert exit_code(error) == code
    assert message_of(error).startswith("An error of the program") == (code == BUG)


def test_a_run_of_another_version_is_not_read(run):
    run.config_file.write_text(json.dumps({"format": 99}))
    with pytest.raises(ValueError, match="not of this version"):
        run.read_config()


def test_json_without_nan():
    assert finite({"a": [float("nan"), 1.5, (2, None)], 3: "x"}) == {
        "a": [None, 1.5, [2, None]],
        "3": "x",
    }
