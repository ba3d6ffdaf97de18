"""A fine-tuning that is paused says so, and goes on or ends with what is asked of it next."""

from pathlib import Path

import pytest

from dino_core.finetuning.backbone import StopRequested, follow_control
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs.control import Control
from dino_core.runs.folder import FORMAT, Action, RunFolder, read_state, request_action


@pytest.mark.parametrize("then", ["resume", "stop"])
def test_a_pause_is_in_the_state_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: Action
) -> None:
    run = RunFolder(tmp_path / "run")
    run.create({"format": FORMAT, "kind": "fine-tuning"})
    run.put_state("running", "Epoch 1.", 1, 4)
    setup, control = FinetuneSetup("samples", epochs=4), Control(run)
    follow_control(control, setup)  # nothing is asked for
    request_action(run.path, "pause")

    def ask_next(seconds: float) -> None:
        with run.locked():  # as its process holds it
            assert read_state(run.path).state == "paused"
        request_action(run.path, then)

    monkeypatch.setattr("dino_core.runs.control.time.sleep", ask_next)
    if then == "stop":
        with pytest.raises(StopRequested):
            follow_control(control, setup)
    else:
        follow_control(control, setup)
    assert control.action() != "pause"
