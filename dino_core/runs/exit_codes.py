"""How a command ends: in a sentence, as an exit code, and, if it was a run, in its folder.

    0    done; or stopped as asked from outside (`runs --ask stop`, SIGTERM)
    2    a mistake of the person who asked, said in a sentence
    3    a loss or gradient that is not finite
    4    no room on the disk
    5    done, but for files named on the command line that cannot be used
    130  ended by Ctrl-C

1 is an error of the program. No torch here.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dino_core.interruption import INTERRUPTED, before_the_end, heard, said
from dino_core.jobs import read_json
from dino_core.runs.folder import RunFolder, State

DONE, BUG, MISTAKE, NOT_FINITE, DISK_FULL, LEFT_OUT = 0, 1, 2, 3, 4, 5

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


SAID = "The person who waits has been told."  # a note on an error


@contextmanager
def failures_reported(run: RunFolder, steps: int, first: bool = True) -> Iterator[None]:
    """Writes into the folder what ended the run, then lets the error go on its way."""

    def report_stopped() -> None:
        state = (read_json(run.path / "state.json") or {}).get("state")
        if first and state in ("starting", "running", "paused"):  # no word of its end yet
            report_failure(run, steps, KeyboardInterrupt())

    try:
        with before_the_end(report_stopped):
            yield
    except (Exception, KeyboardInterrupt) as error:
        if first:
            with suppress(OSError):  # where the disk is full, the exit code says it
                report_failure(run, steps, error)
                error.add_note(SAID)
        raise


def report_failure(run: RunFolder, steps: int, error: BaseException) -> None:
    from dino_core.runs.checkpoints import steps_in

    saved = steps_in(run.checkpoints, to_resume=True)
    words = message_of(error)
    if saved:
        words += f" The newest checkpoint is of step {saved[-1]}: --resume goes on from it."
    state: State = "stopped" if is_interrupt(error) else "failed"
    run.put_state(state, words, saved[-1] if saved else 0, steps)
    run.log(words)
    said.set()


def message_of(error: BaseException) -> str:
    """A sentence for the person who waits."""
    if is_interrupt(error):
        return "Stopped."
    if isinstance(error, OSError) and error.errno in FULL:
        return f"The disk is full: {error.filename or 'a file'} could not be written. Make room."
    if isinstance(error, OSError):
        return f"{error.filename or 'The system says'}: {error.strerror or error}."
    if isinstance(error, ValueError | FloatingPointError):
        return str(error)
    if is_out_of_memory(error):
        return (
            "There is not enough memory for this: choose a smaller --size, --batch or --model, or "
            "compute a batch in parts."
        )
    return f"An error of the program: {type(error).__name__}: {error}"


def is_said(error: BaseException) -> bool:
    """Whether a run has said already what went wrong."""
    return SAID in getattr(error, "__notes__", ())


def exit_code(error: BaseException) -> int:
    if is_interrupt(error):
        return INTERRUPTED
    if isinstance(error, FloatingPointError):
        return NOT_FINITE
    if isinstance(error, OSError):
        return DISK_FULL if error.errno in FULL else MISTAKE
    return MISTAKE if isinstance(error, ValueError) or is_out_of_memory(error) else BUG


def is_interrupt(error: BaseException) -> bool:
    """Modules in C answer Ctrl-C in the middle of their import with an error of their own."""
    if isinstance(error, KeyboardInterrupt):
        return True
    said_in_words = isinstance(error, ValueError | OSError | FloatingPointError)
    return heard.is_set() and not said_in_words and not is_out_of_memory(error)


def is_out_of_memory(error: BaseException) -> bool:
    """PyTorch has no exception of its own for it on every device."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and "memory" in str(error)
