"""How a run ends when it does not end well: in words, in its folder, and as an exit code."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from dino_core.runs.checkpoints import steps_in
from dino_core.runs.folder import RunFolder

# Exit codes of the commands; 2 is any mistake of the person who asked, 1 one of the program.
DONE, BUG, MISTAKE, NOT_FINITE, DISK_FULL, INTERRUPTED = 0, 1, 2, 3, 4, 130

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def failures_told(run: RunFolder, steps: int, first: bool = True) -> Iterator[None]:
    """Writes into the folder what ended the run, then lets the error go on its way."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if first:
            saved = steps_in(run.checkpoints, to_resume=True)
            words = in_words(error)
            if saved:
                words += f" The newest checkpoint is of step {saved[-1]}: --resume goes on from it."
            with suppress(OSError):  # where the disk is full, the exit code says it
                state = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
                run.put_state(state, words, saved[-1] if saved else 0, steps)  # type: ignore[arg-type]
                run.say(words)
        raise


def in_words(error: BaseException) -> str:
    """A sentence for the person who waits."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, OSError) and error.errno in FULL:
        return f"The disk is full: {error.filename or 'a file'} could not be written. Make room."
    if isinstance(error, OSError):
        return f"{error.filename or 'The system says'}: {error.strerror or error}."
    if isinstance(error, ValueError | FloatingPointError):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return "There is not enough memory: choose a smaller --batch, or compute it in parts."
    return f"An error of the program: {type(error).__name__}: {error}"


def exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, FloatingPointError):
        return NOT_FINITE
    if isinstance(error, OSError):
        return DISK_FULL if error.errno in FULL else MISTAKE
    memory = isinstance(error, MemoryError) or "out of memory" in str(error)
    return MISTAKE if isinstance(error, ValueError) or memory else BUG


def ended_well(run: Callable[[], str]) -> None:
    """Runs; an error is said in a sentence, and becomes the process's exit code."""
    try:
        run()
    except (Exception, KeyboardInterrupt) as error:
        code = exit_code(error)
        if code == BUG:
            raise
        print(in_words(error), file=sys.stderr)
        raise SystemExit(code) from None
