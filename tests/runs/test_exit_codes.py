"""runs/exit_codes.py: what is said of an error, where it is written, and the code it ends with."""

import errno
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from tiny_runs import TRAIN, differing_pair

from dino_core import interruption
from dino_core.runs import checkpoints
from dino_core.runs.checkpoints import Checkpoint
from dino_core.runs.exit_codes import (
    exit_code,
    failures_reported,
    is_interrupt,
    is_said,
    message_of,
    report_failure,
)
from dino_core.runs.folder import RunFolder, list_runs, read_state
from dino_core.runs.pretrained_heads import (
    OWN,
    PREVIEW_HEADS,
    copy_heads,
    fitting_heads,
    heads_for,
    save_heads,
)
from dino_core.student_teacher import StudentTeacher

MEMORY = (
    "There is not enough memory for this: choose a smaller --size, --batch or --model, or compute "
    "a batch in parts."
)


@pytest.fixture
def run(tmp_path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.create({"kind": "pretraining"})
    return made


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """As in a process that nobody has interrupted."""
    for event in (interruption.heard, interruption.said):
        event.clear()
    yield
    for event in (interruption.heard, interruption.said):
        event.clear()


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (KeyboardInterrupt(), "Stopped.", 130),
        (OSError(errno.ENOSPC, "No space", "a.bin"),
         "The disk is full: a.bin could not be written. Make room.", 4),
        (OSError(errno.EDQUOT, "Quota"), "The disk is full: a file could not be written. Make "
         "room.", 4),
        (OSError(errno.EACCES, "Permission denied", "a.bin"), "a.bin: Permission denied.", 2),
        (OSError("odd"), "The system says: odd.", 2),
        (ValueError("No such preset."), "No such preset.", 2),
        (FloatingPointError("Not finite."), "Not finite.", 3),
        (MemoryError(), MEMORY, 2),
        (RuntimeError("CUDA out of memory"), MEMORY, 2),
        (RuntimeError("shapes"), "An error of the program: RuntimeError: shapes", 1),
        (KeyError("a"), "An error of the program: KeyError: 'a'", 1),
    ],
)  # fmt: skip
def test_every_error_has_a_sentence_and_a_code(error: BaseException, words: str, code: int) -> None:
    assert (message_of(error), exit_code(error)) == (words, code)


def test_after_ctrl_c_an_odd_error_is_its_doing() -> None:
    """Of a module in C that was being imported; what is said in words is what it was."""
    odd = RuntimeError("shapes")
    assert not is_interrupt(odd)
    interruption.heard.set()
    assert is_interrupt(odd)
    assert (message_of(odd), exit_code(odd)) == ("Stopped.", 130)
    for plain in (ValueError("x"), OSError(1, "x"), FloatingPointError("x"), MemoryError()):
        assert not is_interrupt(plain), plain


def kept(run: RunFolder, step: int) -> None:
    checkpoints.save_checkpoint(
        run.checkpoints, Checkpoint(step, {"a": torch.ones(1)}, {"b": torch.ones(1)}, {})
    )


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (KeyboardInterrupt(), "stopped", "Stopped."),
        (ValueError("No."), "failed", "No."),
        (RuntimeError("x"), "failed", "An error of the program: RuntimeError: x"),
    ],
)
@pytest.mark.parametrize("step", [None, 6])
def test_what_ended_a_run_is_in_its_folder(
    run: RunFolder, error: BaseException, state: str, words: str, step: int | None
) -> None:
    if step is not None:
        kept(run, 4)
        kept(run, step)
        words += f" The newest checkpoint is of step {step}: --resume goes on from it."
    with pytest.raises(type(error)) as caught, failures_reported(run, 20):
        raise error
    assert is_said(caught.value)
    found = read_state(run.path)
    assert (found.state, found.words, found.step, found.steps) == (state, words, step or 0, 20)
    assert (run.path / "log.txt").read_text().endswith(f"{words}\n")
    assert interruption.said.is_set()


def test_another_process_than_the_first_writes_nothing(run: RunFolder) -> None:
    error = ValueError("No.")
    with pytest.raises(ValueError, match="No"), failures_reported(run, 20, first=False):
        raise error
    assert not is_said(error)
    assert not (run.path / "state.json").exists()
    with failures_reported(run, 20):
        pass
    assert not (run.path / "state.json").exists(), "nothing has gone wrong"


@pytest.mark.parametrize("state", ["starting", "running", "paused", "stopped", "finished"])
@pytest.mark.parametrize("first", [True, False])
def test_a_run_that_is_ended_where_it_stands_has_a_last_word(
    run: RunFolder, state: str, first: bool
) -> None:
    """By the thread that ends the process; not over a word of the run's own."""
    run.put_state(state, "Before.", 3, 20)  # type: ignore[arg-type]
    with failures_reported(run, 20, first):
        [report] = interruption._before_the_end
        report()
    assert interruption._before_the_end == []
    told = first and state in ("starting", "running", "paused")
    log = run.path / "log.txt"
    assert log.exists() == told
    if told:
        assert log.read_text().endswith(" Stopped.\n")
        assert (read_state(run.path).state, read_state(run.path).words) == ("stopped", "Stopped.")


def test_a_full_disk_hides_no_error(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space")

    monkeypatch.setattr("dino_core.runs.exit_codes.report_failure", full)
    error = ValueError("No.")
    with pytest.raises(ValueError, match="No"), failures_reported(run, 20):
        raise error
    assert not is_said(error)
    monkeypatch.undo()
    report_failure(run, 5, error)
    assert read_state(run.path).steps == 5


def test_a_damaged_run_is_listed_as_failed(run: RunFolder) -> None:
    run.config_file.write_text("{")
    [found] = list_runs(run.path.parent)
    assert (found.folder, found.kind, found.state) == (run.path, "unknown", "failed")
    assert found.words == f"{run.config_file} is damaged: it is no JSON."
    assert (found.step, found.steps, found.pid, found.seconds_left) == (0, 0, None, None)
    assert not found.alive
    assert found.updated == run.path.stat().st_mtime


# --- heads that a run takes over


def test_heads_and_mask_tokens_are_copied_side_by_side(tmp_path) -> None:
    """The backbones stay as they are, and each side has its own."""
    save_heads(differing_pair(TRAIN), TRAIN, OWN, tmp_path / "heads.safetensors")
    found = fitting_heads(tmp_path / "heads.safetensors", TRAIN)
    pair = StudentTeacher(TRAIN, generator=torch.Generator().manual_seed(9))
    before = {name: tensor.clone() for name, tensor in pair.state_dict().items()}
    copy_heads(found, pair)
    theirs = found.state_dict()
    assert not theirs["student.dino_head.mlp.0.weight"].equal(
        theirs["teacher.dino_head.mlp.0.weight"]
    )
    for name, tensor in pair.state_dict().items():
        taken = ".backbone." not in name or name.endswith("mask_token")
        assert tensor.equal(theirs[name] if taken else before[name]), name


@pytest.mark.parametrize("what", ["dino_head", "ibot_head"])
def test_heads_of_other_sizes_are_refused(tmp_path, what: str) -> None:
    save_heads(differing_pair(TRAIN), TRAIN, OWN, tmp_path / "heads.safetensors")
    other = replace(TRAIN, **{what: replace(getattr(TRAIN, what), prototypes=7)})
    with pytest.raises(ValueError, match="has heads of another size than this run's"):
        fitting_heads(tmp_path / "heads.safetensors", other)
    vit = replace(TRAIN.vit, dim=32)
    with pytest.raises(ValueError, match="has heads of another size than this run's"):
        fitting_heads(tmp_path / "heads.safetensors", replace(TRAIN, vit=vit))


def test_for_which_backbone_heads_are_there() -> None:
    assert PREVIEW_HEADS.is_file()
    assert heads_for("preview_vits14")
    assert not heads_for("dinov2_vits14")
    assert not heads_for(None)
