"""interruption.py, part by part, in a process that does not end: what is waited for, what is said,
and with which exit code."""

import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from stand_ins import note_threads

from dino_core import interruption


class Ended(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done to the process, in order; nothing of it is."""
    done: list[Any] = []
    for name in ("heard", "_raised", "said"):
        monkeypatch.setattr(interruption, name, threading.Event())
    for name in ("_kept", "_before_the_end", "_writers"):
        monkeypatch.setattr(interruption, name, [])

    def leave(code: int) -> None:
        done.append(("exit", code))
        raise Ended

    fake_os = SimpleNamespace(
        write=lambda *what: done.append(("write", *what)), _exit=leave, name="posix"
    )
    monkeypatch.setattr(interruption, "os", fake_os)
    monkeypatch.setattr(interruption, "time", SimpleNamespace(sleep=lambda s: done.append(s)))
    fake_signal = SimpleNamespace(
        SIGINT=signal.SIGINT,
        SIG_IGN=signal.SIG_IGN,
        default_int_handler=signal.default_int_handler,
        getsignal=lambda number: signal.default_int_handler,
        signal=lambda *what: done.append(what),
        set_wakeup_fd=lambda *what, **more: done.append((*what, more)),
    )
    monkeypatch.setattr(interruption, "signal", fake_signal)
    return done


def ended(code: int, words: str = "") -> None:
    with pytest.raises(Ended):
        interruption.end(code, words)


# --- the end


def test_the_last_words_come_before_the_exit(parts: list[Any]) -> None:
    def fail() -> None:
        parts.append("failed")
        raise OSError

    with (
        interruption.before_the_end(fail),
        interruption.before_the_end(lambda: parts.append("told")),
    ):
        ended(130, "Stopped.")
    assert parts == ["failed", "told", ("write", 2, b"Stopped.\n"), ("exit", 130)]
    parts.clear()
    ended(130, "Stopped.")
    assert parts == [("write", 2, b"Stopped.\n"), ("exit", 130)], "nobody has anything more to say"


def test_without_words_nothing_is_said_and_nothing_is_said_twice(parts: list[Any]) -> None:
    with interruption.before_the_end(lambda: parts.append("told")):
        ended(3)
        assert parts == [("exit", 3)]
        parts.clear()
        interruption.said.set()
        ended(130, "Stopped.")
    assert parts == ["told", ("exit", 130)]


def test_nobody_needs_to_read_the_words(parts: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(interruption.os, "write", closed)
    ended(130, "Stopped.")
    assert parts == [("exit", 130)]


def test_what_was_printed_is_flushed_and_waited_for_a_moment_only(
    parts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[float | None] = []

    class Thread(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            joined.append(timeout)
            super().join(5)

    def stream(name: str) -> Any:
        def flush() -> None:
            parts.append(name)
            raise ValueError("closed")

        return SimpleNamespace(flush=flush, write=lambda _: None)

    monkeypatch.setattr(interruption.threading, "Thread", Thread)
    monkeypatch.setattr(
        interruption, "sys", SimpleNamespace(stdout=stream("out"), stderr=stream("err"))
    )
    ended(0)
    assert parts == ["out", "err", ("exit", 0)]
    assert joined == [interruption.FLUSH]


def test_the_process_ends_when_no_file_is_half_written(parts: list[Any]) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with interruption.files_written(), interruption.files_written():
            begun.set()
            assert may_end.wait(20)
            parts.append("whole")

    def leave() -> None:
        ended(130)

    writer, leaver = threading.Thread(target=write), threading.Thread(target=leave)
    writer.start()
    assert begun.wait(20)
    leaver.start()
    leaver.join(0.05)
    assert leaver.is_alive()
    assert parts == []
    may_end.set()
    leaver.join(20)
    writer.join(20)
    assert parts == ["whole", ("exit", 130)]


def test_a_file_that_failed_is_waited_for_no_longer(parts: list[Any]) -> None:
    def fail(kept: list[Any]) -> None:
        assert len(kept) == 1
        raise OSError

    with pytest.raises(OSError), interruption.files_written():
        fail(interruption._writers)
    with pytest.raises(OSError), interruption.before_the_end(lambda: None):
        fail(interruption._before_the_end)
    assert (interruption._writers, interruption._before_the_end) == ([], [])
    ended(0)


# --- around a program


class End(Exception):  # noqa: N818  no error
    """What `end` was asked for."""


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch, parts: list[Any]) -> None:
    def end(*what: Any) -> None:
        raise End(*what)

    monkeypatch.setattr(interruption, "listen", lambda: parts.append("listens"))
    monkeypatch.setattr(interruption, "end", end)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("code", "exit_code"),
    [(0, 0), (None, 0), (1, 130), (2, 130), ("words", 130), (3, 3), (5, 5), (130, 130)],
)
def test_a_program_that_was_interrupted_ends_with_its_code_or_130(
    parts: list[Any], code: Any, exit_code: int
) -> None:
    """An error that the interrupt brought about is the interrupt's."""

    def work() -> None:
        assert parts == ["listens"]
        interruption.heard.set()
        sys.exit(code)

    with pytest.raises(End) as end, interruption.program():
        work()
    assert end.value.args == (exit_code,)


@pytest.mark.usefixtures("listening")
def test_a_program_that_nobody_interrupted_ends_as_it_does(parts: list[Any]) -> None:
    with interruption.program():
        pass
    with pytest.raises(SystemExit) as left, interruption.program():
        sys.exit(2)
    assert left.value.code == 2
    assert parts == ["listens"] * 2
    interruption._kept.append("a socket")
    with pytest.raises(SystemExit), interruption.program():
        sys.exit(2)
    assert parts[2:] == ["listens", (signal.SIGINT, signal.SIG_IGN)], "its code is its own by now"
    with pytest.raises(KeyError), interruption.program():
        raise KeyError


@pytest.mark.usefixtures("listening")
def test_what_an_interrupt_became_on_its_way_is_an_interrupt() -> None:
    with pytest.raises(End) as end, interruption.program():
        raise KeyboardInterrupt
    assert end.value.args == (130, "Stopped.")
    interruption.heard.set()
    with pytest.raises(End) as end, interruption.program():
        raise ImportError("numpy")
    assert end.value.args == (130, "Stopped.")


# --- listening


class Sockets:
    """A pair of them, in name only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, parts: list[Any]) -> None:
        self.reader = SimpleNamespace()
        self.writer = SimpleNamespace(
            setblocking=lambda flag: parts.append(("blocking", flag)), fileno=lambda: 77
        )
        monkeypatch.setattr("socket.socketpair", lambda: (self.reader, self.writer))

        note_threads(monkeypatch, interruption, parts, word="watches")


def test_ctrl_c_is_heard_at_once_by_a_thread(
    parts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = Sockets(monkeypatch, parts)
    monkeypatch.setattr(interruption.signal, "getsignal", lambda number: signal.default_int_handler)
    interruption.listen()
    assert interruption._kept == [sockets.reader, sockets.writer]
    assert parts == [
        (signal.SIGINT, interruption._notice),
        ("blocking", False),
        (77, {"warn_on_full_buffer": False}),
        {
            "target": interruption._watch,
            "args": (sockets.reader,),
            "daemon": True,
            "name": "interruption",
        },
        "watches",
    ]
    parts.clear()
    interruption.cease()
    assert parts == [(-1, {}), (signal.SIGINT, signal.default_int_handler)]


@pytest.mark.parametrize("handler", [signal.SIG_IGN, None])
def test_where_ctrl_c_is_ignored_it_stays_so(
    parts: list[Any], handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption.signal, "getsignal", lambda number: handler)
    interruption.listen()
    interruption.cease()
    assert (parts, interruption._kept) == ([], [])


@pytest.mark.parametrize(("jobs", "seconds"), [(False, 0.8), (True, 1.5)])
@pytest.mark.usefixtures("listening")
def test_other_signals_are_passed_over_and_a_job_has_longer(
    parts: list[Any], jobs: bool, seconds: float
) -> None:
    came = [b"\x0f", b"\x11\x0f", bytes([signal.SIGTERM, signal.SIGINT])]
    asked: list[int] = []

    def recv(most: int) -> bytes:
        assert not interruption.heard.is_set()
        asked.append(most)
        return came.pop(0)

    if jobs:
        interruption._before_the_end.append(lambda: None)
    with pytest.raises(End) as end:
        interruption._watch(SimpleNamespace(recv=recv))
    assert end.value.args == (130, "Stopped.")
    assert asked == [64] * 3
    assert parts == [seconds]
    assert interruption.heard.is_set()
