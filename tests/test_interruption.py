"""A program that hears nothing of Ctrl-C ends all the same, with its files whole."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dino_core import interruption

ROOT = Path(__file__).parents[1]
DEAF = """
import time
from pathlib import Path
from dino_core import interruption
def deaf():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
with interruption.program():
"""
CASES = {
    "swallowed": "    print('here', flush=True)\n    deaf()",
    "in an exec, whose interrupt Python remembers": (
        "    try:\n        exec('print(\"here\", flush=True); time.sleep(60)')\n"
        "    except KeyboardInterrupt:\n        raise SystemExit(130)"
    ),
    "made into another error, as by an import": (
        "    try:\n        print('here', flush=True)\n        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        raise ImportError('numpy') from None"
    ),
}


def interrupted(code: str, *words: str) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF + code, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background may have had the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, said


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("case", CASES)
def test_ctrl_c_is_130_without_a_traceback(case: str) -> None:
    code, said = interrupted(CASES[case])
    assert code == 130
    assert "Traceback" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_file_that_is_being_written_becomes_whole(tmp_path: Path) -> None:
    target = tmp_path / "whole.txt"
    code = """
    interruption.LIMIT = 0
    import sys
    with interruption.files_written():
        try:
            print('here', flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            pass
        for part in 'whole':
            time.sleep(0.1)
            open(sys.argv[1], 'a').write(part)
    deaf()
"""
    assert interrupted(code, str(target)) == (130, "Stopped.\n")
    assert target.read_text() == "whole"


def test_the_main_thread_is_interrupted_once_whoever_heard_it_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The watching thread may be told of the signal before Python runs its handler."""
    for name in ("heard", "_raised"):
        monkeypatch.setattr(interruption, name, threading.Event())
    interruption.heard.set()
    with pytest.raises(KeyboardInterrupt):
        interruption._notice(signal.SIGINT, None)
    interruption._notice(signal.SIGINT, None)  # another one disturbs nobody
