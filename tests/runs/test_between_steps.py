"""runs/pretraining.py: what happens between two steps, and before the first of them."""

from collections import deque
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_runs import longer, setup

from dino_core.runs import pretraining
from dino_core.runs.checkpoints import Checkpoint, model_file, save_checkpoint, steps_in
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder, read_metrics, read_state, request_action
from dino_core.runs.pretraining import (
    end_of_step,
    is_due,
    report_broken,
    resume_from_checkpoint,
    say_start,
    timed,
    with_clock,
)
from dino_core.step.distributed import World

CONFIG = longer(20, checkpoint_every=4, milestones=2)  # those are of steps 10 and 20


@dataclass
class Counted:
    """How far a run is, and nothing else of it."""

    step: int = 0
    durations: deque[float] = field(default_factory=deque)


@pytest.fixture
def run(tmp_path: Any) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.create({"kind": "pretraining"})
    return made


def logged(run: RunFolder) -> list[str]:
    """Without the time."""
    path = run.path / "log.txt"
    return [line[20:] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize(
    ("every", "due"), [(0, []), (1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 2, 5]), (7, [0, 6])]
)
def test_the_first_step_and_every_so_many_th_are_looked_at(every: int, due: list[int]) -> None:
    assert [step for step in range(7) if is_due(every, step)] == due


class Ended:
    """end_of_step at a step, asked to do something by a file or a signal; what came of it."""

    def __init__(self, run: RunFolder, step: int, *, world: World | None = None) -> None:
        self.run, self.saved = run, []
        self.progress = Counted(step, deque([2.0, 4.0]))
        self.control, self.world = Control(run), world or World()

    def end(self) -> Any:
        save = lambda run, progress, config, world: self.saved.append(progress.step)  # noqa: E731
        return end_of_step(self.run, self.control, self.progress, CONFIG, self.world, save)

    @property
    def state(self) -> tuple[Any, ...]:
        with self.run.locked():
            found = read_state(self.run.path)
        return found.state, found.words, found.step, found.steps, found.seconds_left


@pytest.mark.parametrize(
    ("step", "due"), [(1, False), (4, True), (5, False), (8, True), (10, True), (16, True)]
)
def test_a_checkpoint_is_due_every_so_many_steps_and_at_milestones(
    run: RunFolder, step: int, due: bool
) -> None:
    ended = Ended(run, step)
    assert ended.end() is None
    assert ended.saved == ([step] if due else [])
    left = 3.0 * (20 - step)  # of a mean step
    assert ended.state == ("running", f"Step {step} of 20.", step, 20, left)
    assert logged(run) == []


def test_the_last_step_leaves_the_word_to_who_finishes(run: RunFolder) -> None:
    run.put_state("running", "Before.", 19, 20)
    for action in (None, "stop"):
        if action:
            request_action(run.path, "stop")
        ended = Ended(run, 20)
        assert ended.end() is None, "there is nothing left to stop"
        assert ended.saved == [20]
        assert ended.state[1] == "Before."
    assert logged(run) == []


@pytest.mark.parametrize(("signal", "how"), [(0, "stopped"), (2, "interrupted"), (15, "stopped")])
def test_a_stop_is_written_and_said_at_any_step(run: RunFolder, signal: int, how: str) -> None:
    ended = Ended(run, 7)
    if signal:
        ended.control.interrupted = signal
    else:
        request_action(run.path, "stop")
    assert ended.end() == how
    assert ended.saved == [7]
    words = "Stopped after step 7 of 20, as asked."
    assert ended.state == ("stopped", words, 7, 20, None)
    assert logged(run) == [words]
    assert run.action() is None, "it has been done"


@pytest.mark.parametrize("then", ["resume", "stop"])
def test_a_pause_writes_waits_and_goes_on(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, then: Any
) -> None:
    ended = Ended(run, 7)
    request_action(run.path, "pause")
    waited = []

    def ask_next(seconds: float) -> None:
        waited.append((ended.state, list(ended.saved)))
        if len(waited) == 2:
            request_action(run.path, then)

    monkeypatch.setattr("dino_core.runs.control.time.sleep", ask_next)
    end = ended.end()
    paused = ("paused", "Paused after step 7.", 7, 20, None)
    assert waited == [(paused, [7]), (paused, [7])]
    if then == "stop":
        stopped = "Stopped after step 7 of 20, as asked."
        assert end == "stopped"
        assert logged(run) == ["Paused after step 7.", stopped]
    else:
        assert end is None
        assert ended.state[:2] == ("running", "Step 7 of 20.")
        assert logged(run) == ["Paused after step 7.", "Going on."]
    assert ended.saved == [7], "once"


def test_another_process_does_the_same_and_says_nothing(run: RunFolder) -> None:
    """It hears of a stop from the first one, which asks."""
    other = Ended(run, 7, world=World(rank=1))
    request_action(run.path, "stop")
    assert other.end() is None, "its own folder it does not ask"
    assert other.saved == []
    assert not (run.path / "state.json").exists()
    assert logged(run) == []
    say_start(run, CONFIG, World(rank=1))
    assert run.action() == "stop"
    say_start(run, CONFIG, World())
    assert run.action() is None, "what was asked before it began no longer counts"
    assert Ended(run, 7).state == ("starting", "Reading weights and pictures.", 0, 20, None)


def test_the_clock_of_a_line() -> None:
    progress = Counted(5, deque([1.0, 3.0]))
    line = with_clock({"step": 5}, progress, CONFIG, seconds=4.0, waited=1.0)
    assert line.pop("time") > 1.7e9
    assert line == {
        "step": 5,
        "seconds": 4.0,
        "steps_per_second": 0.25,
        "pictures_per_second": 1.5,  # 6 of them
        "data_wait": 0.25,
        "seconds_left": 30.0,
    }
    assert with_clock({}, Counted(5), CONFIG, 4.0, 1.0)["seconds_left"] is None


def test_waiting_is_timed_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.5, 20.0, 22.0, 30.0])
    monkeypatch.setattr(pretraining.time, "perf_counter", lambda: next(clock))
    batches = (batch for batch in "ab")
    assert list(timed(batches)) == [("a", 0.5), ("b", 2.0)]


def test_a_broken_file_is_named_once(run: RunFolder) -> None:
    told: set[str] = set()
    report_broken(run, [("a.png", "torn"), ("b.png", "empty"), ("a.png", "torn")], told)
    report_broken(run, [("b.png", "empty"), ("c.png", "torn")], told)
    assert logged(run) == [
        "Skipped a.png: torn (1 so far)",
        "Skipped b.png: empty (2 so far)",
        "Skipped c.png: torn (3 so far)",
    ]


# --- going on


def kept(run: RunFolder, *steps: int) -> None:
    for step in steps:
        save_checkpoint(
            run.checkpoints,
            Checkpoint(step, {"a": torch.ones(1) * step}, {"b": torch.ones(1)}, {}),
            keep=lambda step: True,
        )
    for step in range(1, 9):
        run.add_metrics({"step": step})


def restored(run: RunFolder, world: World | None = None) -> int:
    progress = Counted()

    def restore(progress: Counted, found: Checkpoint) -> None:
        assert found.model["a"].item() == found.step
        progress.step = found.step

    resume_from_checkpoint(run, progress, world or World(), restore)
    return progress.step


def test_a_run_begins_with_no_line_of_an_earlier_try(run: RunFolder) -> None:
    kept(run)
    run.add_metrics({"step": 0})
    assert restored(run) == 0
    assert read_metrics(run.path) == []
    assert logged(run) == ["Starting."]


def test_a_run_goes_on_from_the_newest_whole_checkpoint(run: RunFolder) -> None:
    kept(run, 2, 4, 6)
    damaged = model_file(run.checkpoints, 6)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert restored(run, World(rank=1)) == 4
    assert steps_in(run.checkpoints) == [2, 4, 6], "the first process tidies up"
    assert len(read_metrics(run.path)) == 8
    assert logged(run) == []
    assert restored(run) == 4
    assert steps_in(run.checkpoints) == [2, 4]
    assert [line["step"] for line in read_metrics(run.path)] == [1, 2, 3, 4]
    complaint, going_on = logged(run)
    assert "step-00000006" in complaint
    assert complaint.endswith(" Going on from the checkpoint before it, of step 4.")
    assert going_on == "Going on after step 4."


def test_what_a_run_of_several_processes_is_refused_is_said_by_the_first(tmp_path: Any) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/a.png").write_bytes(b"")
    run = RunFolder(tmp_path / "run")
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        pretraining.check_folder(run, World())
    pretraining.check_folder(run, World(rank=1))  # which does not look itself
    chosen = setup(tmp_path)
    found = pretraining.with_pictures(
        RunFolder(tmp_path / "new"), chosen, World(), resume=False, check=lambda one: (one, "these")
    )
    assert found == (chosen, "these")


def test_each_process_and_each_part_drops_paths_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is drawn for a part of a batch is drawn for no other part, process or step."""
    drawn: list[tuple[int, str, int]] = []

    class EnoughError(Exception):
        pass

    def stepped(*_: Any, generators: Any, **__: Any) -> None:
        raise EnoughError

    monkeypatch.setattr(pretraining, "generator_for", lambda *words: drawn.append(words))
    monkeypatch.setattr(pretraining, "step_in_parts", stepped)
    monkeypatch.setattr(pretraining, "set_trainable", lambda *_: None)
    monkeypatch.setattr(pretraining, "to_batch", lambda *_: None)
    config = replace(CONFIG, accumulate=2, measure_every=1000, seed=7)
    raw = SimpleNamespace(global_crops=[0, 0], local_crops=[0, 0], masks=np.zeros((2, 2, 1)))
    raw.different = 2
    for rank in range(2):
        for step in range(1, 3):
            progress: Any = SimpleNamespace(step=step, pair=SimpleNamespace(student=None))
            progress.optimiser = progress.centers = None
            with pytest.raises(EnoughError):
                pretraining.one_step(progress, raw, config, World(rank, 2))  # type: ignore[arg-type]
    assert len(set(drawn)) == len(drawn) == 8
    assert {seed for seed, *_ in drawn} == {7}
