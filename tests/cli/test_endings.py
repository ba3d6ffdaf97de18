"""How commands end: Ctrl-C, closed pipes, narrow consoles, no home, refusals before the work."""

import getpass
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from forked import command
from tiny_galleries import labelled_folder, tiny_weights
from tiny_runs import noise_folder

import dino_core.step.loss_inspection  # noqa: F401  (imported now, it keeps what a test replaces)
from dino_core import account, interruption, jobs
from dino_core.__main__ import main
from dino_core.gallery.folder import GalleryFolder
from dino_core.runs.checkpoints import steps_in
from dino_core.runs.control import Control
from dino_core.runs.exit_codes import INTERRUPTED, MISTAKE
from dino_core.runs.folder import RunFolder, read_metrics, read_state

ROOT = Path(__file__).parents[2]
CAT = str(ROOT / "static" / "samples" / "cat.jpg")


# --- Ctrl-C


def patient() -> None:
    """A step may take as long as it wants after Ctrl-C, on whatever machine."""
    jobs.GRACE = interruption.LIMIT_OF_JOBS = 60


@pytest.mark.slow
def test_ctrl_c_ends_a_run_with_a_checkpoint(tmp_path: Path) -> None:
    data, run = noise_folder(tmp_path / "data"), tmp_path / "run"
    options = ["--data", str(data), "--steps", "100000", "--batch", "2", "--run", str(run)]
    process = command(["train", *options, "--threads", "1"], before=patient)
    try:
        for _ in range(6000):
            if len(read_metrics(run)) > 2 or process.poll() is not None:
                break
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    state = read_state(run)
    assert (process.returncode, state.state) == (INTERRUPTED, "stopped")
    assert steps_in(run / "checkpoints", to_resume=True)[-1] == state.step
    assert "Traceback" not in said


def wait_for_ever(number: signal.Signals) -> None:
    signal.raise_signal(number)
    for _ in range(3000):
        time.sleep(0.01)


def test_ctrl_c_does_not_wait_for_a_long_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE", 0.01)
    run = RunFolder(tmp_path)
    with Control(run), pytest.raises(KeyboardInterrupt):  # it may come at once
        wait_for_ever(signal.SIGINT)
    with Control(run) as control:
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.05)
        assert (control.action(), control.end) == ("stop", "stopped"), "asked politely"


def test_a_checkpoint_that_is_being_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE", 0.5)
    with Control(RunFolder(tmp_path)) as control:
        signal.raise_signal(signal.SIGINT)
        control.heard()
        time.sleep(0.6)
        assert (control.action(), control.end) == ("stop", "interrupted")
        with pytest.raises(KeyboardInterrupt):  # but the second one does not wait
            signal.raise_signal(signal.SIGINT)


def deaf_at_work() -> None:
    import dino_core.gallery.build as build

    def deaf(*_: object) -> None:
        print("at work", flush=True)
        while True:
            with suppress(BaseException):
                time.sleep(60)

    build.make_the_rest = deaf


@pytest.mark.slow
def test_ctrl_c_ends_a_gallery_whatever_it_computes(tmp_path: Path) -> None:
    """In a process, whose map takes for ever and hears nothing."""
    weights = tiny_weights(tmp_path)
    data, folder = labelled_folder(tmp_path / "data", 3), tmp_path / "gallery"
    words = ["gallery", data, "--output", folder, "--weights", weights, "--size", "28"]
    process = command([*map(str, words)], before=deaf_at_work)
    try:
        while process.poll() is None and "at work\n" not in process.out.read_text():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == INTERRUPTED
    finally:
        process.kill()
    state = GalleryFolder(folder).state()
    assert (state["state"], state["alive"], state["can_resume"]) == ("stopped", False, True)


# --- what reads and prints


def test_a_closed_pipe_is_silent() -> None:
    for words in (["models"], ["--help"], ["train", "--help"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "dino_core", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) in (0, 141)
        assert process.stderr.read() == ""


def test_a_run_outlives_its_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Closed())
    RunFolder(tmp_path).log("Step 3.")
    assert "Step 3." in (tmp_path / "log.txt").read_text()


def test_a_console_that_knows_no_greek_gets_every_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    target = tmp_path / "Μάσκες.npz"
    assert main(["masks", "--output", str(target)]) == 0
    assert main(["features", "γάτα\udce9.jpg", "--output", "f.npz"]) == MISTAKE
    assert target.exists()
    assert "\\u039c" in out.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    err.flush()
    assert "\\u03b3" in err.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]


def test_without_home_and_account_there_is_a_place_for_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwd = pytest.importorskip("pwd")

    def unknown(_: object) -> None:
        raise KeyError("no such user")

    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    monkeypatch.setattr(account.tempfile, "gettempdir", lambda: str(tmp_path))
    with pytest.raises(RuntimeError):
        Path.home()
    account.ensure_account()
    assert Path.home().parent == tmp_path
    assert Path.home().stat().st_mode & 0o077 == 0, "nobody else's"
    assert getpass.getuser()
    first = Path.home()
    monkeypatch.delenv("HOME")
    account.ensure_account()
    assert Path.home() == first, "what is kept is found again"
    first.chmod(0o777)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(account.tempfile, "tempdir", str(tmp_path))
    account.ensure_account()
    assert Path.home() != first, "somebody else may have put something there"


def test_a_home_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "ada")
    account.ensure_account()
    assert (Path.home(), getpass.getuser()) == (tmp_path, "ada")


# --- refused before the work


@pytest.mark.parametrize(
    "words",
    [
        ["features", CAT, "--output", "x.csv"],
        ["attention", CAT, "--layer", "1", "--output", "x.csv"],
        ["pca", CAT, "--output", "x.png"],
        ["crops", CAT, "--output", "x.jpg"],
        ["masks", "--output", "x.csv"],
        ["losses", CAT, "--output", "x.csv"],
        ["step", CAT, "--output", "x.csv"],
        ["heads", "run", "--data", "samples", "--output", "x.csv"],
        ["heads", "run", "--data", "samples", "--save", "x.csv"],
        ["embed", "samples", "--output", "x.csv"],
        ["evaluate", "--train", "samples", "--test", "samples", "--output", "x.csv"],
        ["gallery", "samples", "--output", "x.csv"],
        ["features", CAT, "--output", "file/x.npz"],
        ["masks", "--output", "folder.npz"],
        ["gallery", "samples", "--output", "file"],
    ],
)
def test_an_output_is_refused_before_the_work(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("This is the work.")

    for place in (
        "dino_core.weights.load_backbone",
        "dino_core.images.open_picture",
        "dino_core.masks.sample_block_mask",
        "dino_core.datasets.find_pictures",
        "dino_core.gallery.sources.pictures_of",
    ):
        monkeypatch.setattr(place, work)
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("dear")
    Path("folder.npz").mkdir()
    assert main(words) == MISTAKE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words[-1].split("/")[0] in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.npz"]


@pytest.mark.parametrize("device", ["mps", "gpu9", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_in_a_sentence(
    device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("there is one here")
    data = str(labelled_folder(tmp_path / "data", 3))
    weights = ["--weights", str(tiny_weights(tmp_path))]
    before = sorted(tmp_path.rglob("*"))
    out = str(tmp_path / "out")
    for words in (
        ["features", CAT, *weights, "--output", out],
        ["train", "--data", data, "--run", out],
        ["finetune", "--data", data, *weights, "--size", "28", "--run", out],
        ["embed", data, *weights, "--output", f"{out}.npz"],
        ["gallery", data, *weights, "--output", out],
    ):
        assert main([*words, "--device", device]) == MISTAKE
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith(f"The device '{device}' cannot be used on this machine: choose cpu")
    assert sorted(tmp_path.rglob("*")) == before, "and nothing is left"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "80000"], "from 1 to 65535, not 80000"),
        (["--port", "0"], "from 1 to 65535"),
        (["--host", "no.such.host.invalid"], "no address of this machine"),
        (["--device", "gpu9"], "'gpu9' cannot be used"),
        (["--weights", "."], "is a folder"),
        (["--weights", "nothing.pth"], "no file nothing.pth"),
    ],
)
def test_the_page_refuses_in_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.console import main as console

    port = [] if "--port" in words else ["--port", str(free_port())]
    assert console(["page", *port, *words]) == MISTAKE
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_the_page_does_not_begin_on_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    from app.console import main as console

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert console(["page", "--port", str(port)]) == MISTAKE
    assert f"port {port}" in capsys.readouterr().err


# --- going on


@pytest.mark.slow
def test_the_same_command_line_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    noise_folder(tmp_path / "data")
    words = ["--data", "data", "--steps", "4", "--batch", "2", "--threads", "1", "--seed", "0"]
    words = ["train", *words, "--run", "run"]
    count = itertools.count()
    from dino_core.runs import pretraining

    step = pretraining.one_step

    def stop_at_two(*args: object, **options: object) -> object:
        if next(count) == 2:
            raise KeyboardInterrupt
        return step(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "one_step", stop_at_two)
        assert main(words) == INTERRUPTED
    said = capsys.readouterr().err
    assert said.count("Stopped.") == 1, "it is said once"
    for change, name in (
        (["--steps", "5"], "--steps"),
        (["--batch", "3"], "--batch"),
        (["--seed", "7"], "--seed"),
        (["--threads", "2"], "--threads"),
        (["--heads", "other.safetensors"], "--heads"),
        (["--preset", "demo"], "--preset"),
        (["--knn", "data"], "--knn"),
    ):
        assert main([*words, *change, "--resume"]) == MISTAKE
        assert f"{name} is fixed since the run began" in capsys.readouterr().err
    assert read_state("run").state == "stopped"
    assert main([*words, "--heads", "new", "--workers", "0", "--resume"]) == 0
    assert read_state("run").state == "finished"
    config = json.loads(Path("run", "config.json").read_text())
    assert config["setup"]["request"]["steps"] == 4


@pytest.mark.slow
def test_a_gallery_says_what_it_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tiny_weights(tmp_path)
    data, folder = labelled_folder(tmp_path / "data", 3), tmp_path / "gallery"
    words = ["gallery", str(data), "--output", str(folder), "--weights", str(weights)]
    assert main([*words, "--size", "28"]) == 0
    said = capsys.readouterr()
    assert f"9 pictures in 3 classes -> {folder}" in said.out
    for part in ("9/10", "Left out were 1", "green/zz.png: ", "HDBSCAN", "t-SNE", "probes"):
        assert part in said.err.replace("10/10", "9/10"), part
    assert main([*words, "--size", "28"]) == 0
    assert f"-> {folder}" in capsys.readouterr().out
    assert main([*words, "--size", "42"]) == MISTAKE
    assert "other --size" in capsys.readouterr().err
