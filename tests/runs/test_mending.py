"""runs/mending.py: back from a collapse, to the last checkpoint that was good."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_runs import RUN, compare, final, losses, noise_folder, setup, step_lines

from dino_core.__main__ import main
from dino_core.runs import checkpoints
from dino_core.runs.experiments import EXPERIMENTS, with_experiments
from dino_core.runs.folder import RunFolder, write_json
from dino_core.runs.mending import mend, turned_back
from dino_core.runs.presets import PRESETS
from dino_core.runs.pretraining import train
from dino_core.runs.request import RunRequest, config_of
from dino_core.runs.setup import Setup, stored_setup
from dino_core.step import diagnosis


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_folder(tmp_path_factory.mktemp("pictures"))


def asked(data: Path, *switches: str) -> Setup:
    """The smallest run, asked for with switches, as a command line would."""
    request = RunRequest("pretraining", data=str(data), experiment=switches)
    return setup(data, with_experiments(RUN, switches), request=request)


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 8 steps under a switch, to its end. Nothing of it may be changed: `copied`."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    train(folder, asked(data, "no-koleo"))
    return folder


@pytest.fixture
def small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request asks for a preset: here the smallest recipe stands for it."""
    monkeypatch.setitem(PRESETS, "tiny", RUN)


@pytest.fixture
def good_until(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """As if the run had collapsed after so many steps."""

    def after(step: int) -> None:
        monkeypatch.setattr(
            diagnosis, "has_collapsed", lambda lines: bool(lines) and lines[-1]["step"] > step
        )

    return after


@pytest.fixture
def copied(finished: Path, tmp_path: Path, small_preset: None) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_a_mended_run_is_the_one_that_was_mended_at_once(
    data: Path, tmp_path: Path, small_preset: None, good_until: Callable[[int], None]
) -> None:
    """Bit for bit: what it learnt between the good checkpoint and the verdict leaves no trace."""
    good_until(4)
    late, soon = tmp_path / "late", tmp_path / "soon"
    train(late, asked(data, "no-koleo"))
    train(soon, asked(data, "no-koleo"))
    checkpoints.remove_after(soon / "checkpoints", 4)  # as if it had been stopped there
    RunFolder(soon).cut_metrics(4)
    for folder in (late, soon):
        mend(folder)
        assert train(folder, resume=True) == "finished"
    compare(late, soon, 8)
    for name, tensor in final(late).items():
        assert tensor.equal(final(soon)[name]), name
    koleo = [line["terms"]["koleo"] for line in step_lines(late)]
    assert koleo[:4] == [0.0] * 4
    assert all(koleo[4:]), "the switch is turned back"
    assert stored_setup(RunFolder(late)).run == RUN


def test_the_folder_says_what_was_done(copied: Path, good_until: Callable[[int], None]) -> None:
    good_until(6)
    before = (copied / "metrics.jsonl").read_bytes()
    words = mend(copied)
    assert words.startswith(
        "Mended: no KoLeo turned back after step 8; the run goes on from step 6"
    )
    assert words in (copied / "log.txt").read_text()
    (entry,) = RunFolder(copied).read_config()["history"]
    assert (entry["turned_back"], entry["after"], entry["step"]) == (["no-koleo"], 8, 6)
    assert (copied / "metrics-1.jsonl").read_bytes() == before
    assert not (copied / "backbone.safetensors").exists()
    assert max(checkpoints.steps_in(copied / "checkpoints")) == 6
    with pytest.raises(ValueError, match="has no experiment: there is nothing to turn back"):
        mend(copied)


@pytest.mark.parametrize("good", [0, 2])
def test_the_newest_good_checkpoint_is_kept_whole(
    data: Path, tmp_path: Path, small_preset: None, good_until: Callable[[int], None], good: int
) -> None:
    """At worst it is the one from which the run began."""
    good_until(good)
    train(tmp_path / "run", asked(data, "no-centring"))
    assert checkpoints.steps_in(tmp_path / "run/checkpoints", to_resume=True) == [good, 7, 8]
    assert f"goes on from step {good}" in mend(tmp_path / "run")


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_or_missing_checkpoint_is_said_and_nothing_changes(
    copied: Path, good_until: Callable[[int], None], damage: str
) -> None:
    good_until(8)
    before = {path: path.read_bytes() for path in copied.glob("*.json*")}
    for path in (copied / "checkpoints").glob("*.safetensors"):
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="start a new run without --experiment") as refusal:
        mend(copied)
    assert ("step-00000007.safetensors" in str(refusal.value)) == (damage == "cut")
    assert {path: path.read_bytes() for path in copied.glob("*.json*")} == before


def test_a_damaged_newest_one_is_passed_over(
    copied: Path, good_until: Callable[[int], None]
) -> None:
    good_until(8)
    path = checkpoints.model_file(copied / "checkpoints", 7)
    path.write_bytes(path.read_bytes()[:-40])
    assert "goes on from step 6" in mend(copied)


def test_a_run_at_its_end_has_something_to_go_on_with(
    copied: Path, good_until: Callable[[int], None]
) -> None:
    good_until(8)
    assert "goes on from step 7" in mend(copied)


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("preset", ["tiny", "official-long", "continue"])
def test_every_switch_is_turned_back_to_what_the_recipe_has(name: str, preset: str) -> None:
    request = RunRequest("pretraining", preset=preset, batch=32, seed=4, experiment=(name,))
    plain = config_of(replace(request, experiment=()))
    # What was settled when the run began, such as the heads' warm-up, is no switch, and stays.
    stored = replace(config_of(request), head_warmup=0.125)
    assert turned_back(stored, config_of(request), plain) == replace(plain, head_warmup=0.125)


def test_the_command_mends_and_goes_on(
    copied: Path, good_until: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    good_until(7)
    assert main(["train", "--run", str(copied), "--mend"]) == 0
    assert [step for step, _ in losses(copied)] == list(range(1, 9))
    assert "Mended: no KoLeo turned back" in capsys.readouterr().err
    assert main(["train", "--run", str(copied), "--mend"]) != 0
    assert "nothing to turn back" in capsys.readouterr().err


def test_several_processes_do_not_mend_together(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="--mend is for one process"):
        mend(copied)


def test_what_was_mended_before_stays_noted(
    copied: Path, good_until: Callable[[int], None]
) -> None:
    """Lines of then, moments up to the checkpoint, and the history."""
    good_until(6)
    run = RunFolder(copied)
    config = run.read_config()
    write_json(run.config_file, config | {"history": [{"step": 1}]})
    (copied / "metrics-1.jsonl").write_text("of then")
    run.probes.mkdir(exist_ok=True)
    for step in (6, 8):
        (run.probes / f"step-{step:08}.npz").write_bytes(b"")
    mend(copied)
    assert [entry["step"] for entry in run.read_config()["history"]] == [1, 6]
    assert (copied / "metrics-1.jsonl").read_text() == "of then"
    assert len((copied / "metrics-2.jsonl").read_text().splitlines()) >= 8
    assert [path.name for path in run.probes.iterdir()] == ["step-00000006.npz"]


def test_without_lines_it_goes_back_all_the_same(
    copied: Path, good_until: Callable[[int], None]
) -> None:
    good_until(8)
    (copied / "metrics.jsonl").unlink()
    assert "goes on from step 7" in mend(copied)
    assert RunFolder(copied).read_config()["history"][0]["after"] == 0


def test_a_run_at_work_is_not_mended(copied: Path, good_until: Callable[[int], None]) -> None:
    good_until(8)
    with RunFolder(copied).locked(), pytest.raises(ValueError, match="Another process"):
        mend(copied)


def test_a_mending_that_breaks_off_can_be_begun_again(
    copied: Path, good_until: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    good_until(6)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "remove_after", full)
        with pytest.raises(OSError, match="No space"):
            mend(copied)
    assert "goes on from step 6" in mend(copied)
