"""runs/folder.py: what can be read and asked from outside."""

import json
import multiprocessing

import pytest

from dino_core.runs.control import Control
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


def test_a_run_of_another_version_is_not_read(run):
    run.config_file.write_text(json.dumps({"format": 99}))
    with pytest.raises(ValueError, match="not of this version"):
        run.read_config()


def test_json_without_nan():
    assert finite({"a": [float("nan"), 1.5, (2, None)], 3: "x"}) == {
        "a": [None, 1.5, [2, None]],
        "3": "x",
    }
