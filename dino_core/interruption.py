"""Ctrl-C ends a command soon, whatever it is doing, in a sentence and with exit code 130.

    at once   KeyboardInterrupt in the main thread: what is open is closed, a sentence is said
    LIMIT     a thread ends the process where it stands: in an import, a long product of
              matrices, or waiting for other threads. Files being written are waited for

An exit code of its own needs `os._exit`: Python ends by the signal itself wherever the interrupt
was ever met by `exec`, as in the making of a dataclass, although somebody caught it later.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

INTERRUPTED = 130
LIMIT = 0.8  # s after Ctrl-C
LIMIT_OF_JOBS = 1.5  # s where there are last words: a little more than a run leaves for its step
FLUSH = 0.2  # s for what is still to be printed: nobody may be reading
OWN_FAULT = (1, 2)  # exit codes of errors that an interrupt in the middle of something brings about

heard = threading.Event()  # set by Ctrl-C
_raised = threading.Event()  # set when the main thread has been interrupted, which may be later
_files = threading.Condition()  # held by whoever ends the process
_writers: list[object] = []  # of files, each until its file is whole
_before_the_end: list[Callable[[], None]] = []
said = threading.Event()  # set when the person who waits has been told
_kept: list[Any] = []  # the sockets of `listen`, open as long as the process


@contextmanager
def program() -> Iterator[None]:
    """Around the whole of a program: Ctrl-C ends it as described above."""
    try:
        listen()
        yield
    except SystemExit as error:
        if heard.is_set():
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
            end(INTERRUPTED if code in OWN_FAULT else code)
        if _kept:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is done: the code is its own
        raise
    except BaseException as error:
        # Modules in C answer an interrupt while they are imported with errors of their own.
        if heard.is_set() or isinstance(error, KeyboardInterrupt):
            end(INTERRUPTED, "Stopped.")
        raise


def listen() -> None:
    """From now on. Nothing where Ctrl-C is ignored, as for what a shell runs in the background."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    signal.signal(signal.SIGINT, _notice)

    import socket

    reader, writer = socket.socketpair()
    writer.setblocking(False)
    _kept[:] = [reader, writer]
    # Handlers run between two lines of the main thread only; a number is written here at once.
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), daemon=True, name="interruption").start()


def cease() -> None:
    """For a server, which has an end of its own: Ctrl-C is again what it is in any Python."""
    if _kept:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _notice(number: int, _: object) -> None:
    heard.set()
    if not _raised.is_set():  # another one would only disturb those who are cleaning up
        _raised.set()
        raise KeyboardInterrupt


def _watch(reader: Any) -> None:
    while signal.SIGINT not in reader.recv(64):
        pass
    heard.set()
    time.sleep(LIMIT_OF_JOBS if _before_the_end else LIMIT)
    end(INTERRUPTED, "Stopped.")


def end(code: int, words: str = "") -> NoReturn:
    """Ends the process once no file is half written; nothing else is waited for.

    `words` are said unless that has been `said`.
    """
    with _files:
        _files.wait_for(lambda: not _writers)
        if words:
            for report in _before_the_end:
                with suppress(Exception):
                    report()
        flush = threading.Thread(target=_flush, daemon=True)
        flush.start()
        flush.join(FLUSH)
        if words and not said.is_set():
            with suppress(OSError):
                os.write(2, f"{words}\n".encode())
        os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


@contextmanager
def files_written() -> Iterator[None]:
    """Around the writing of files: the process is not ended before they are whole."""
    token = object()
    with _files:
        _writers.append(token)
    try:
        yield
    finally:
        with _files:
            _writers.remove(token)
            _files.notify_all()


@contextmanager
def before_the_end(report: Callable[[], None]) -> Iterator[None]:
    """What is done, by another thread, before a process is ended where it stands. Whoever tells
    the person who waits sets `said`."""
    _before_the_end.append(report)
    try:
        yield
    finally:
        _before_the_end.remove(report)
