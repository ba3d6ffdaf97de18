"""One command: parsed, run, and ended in a sentence and an exit code."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from dino_core.account import ensure_account
from dino_core.cli import (
    export,
    families,
    films,
    gallery,
    heads,
    losses,
    models,
    pages,
    pictures,
    sampling,
    step,
    token_views,
    training,
    tray,
    videos,
    views,
    whatif,
)
from dino_core.cli.command import Option, Run, add_command
from dino_core.interruption import said
from dino_core.runs.exit_codes import BUG, LEFT_OUT, exit_code, is_said, message_of

Command = tuple[Run, Callable[[Option], None]]  # what runs, and what adds its options
PROGRAM = "inside-dinov2"  # what an installed package is called by
CLOSED_PIPE = 141  # as of a process that was ended by it
EPILOG = """
exit codes:
  0    done, or stopped as asked from outside
  2    a mistake, said in a sentence
  3    a loss or gradient that is not finite
  4    no room on the disk
  5    done, but for files that cannot be used; they are named at the end
  130  ended by Ctrl-C
"""


def main(argv: Sequence[str] | None = None, *, more: Sequence[Command] = ()) -> int:
    """Runs one command and returns the exit code. argparse itself exits with 2 as well.

    `more` are commands of whoever builds on this library.
    """
    make_printable()
    ensure_account()
    try:
        code = run(build_parser(more), argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read has seen enough
        with suppress(OSError, ValueError):  # what is still to be flushed at the end goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    try:
        args = parser.parse_args(argv)
    except SystemExit:  # --help, too, may be read by somebody who has seen enough
        sys.stdout.flush()
        raise
    try:
        args.line = command_line(parser, argv)
        code: int = args.run(args) or 0
        for sentence in getattr(args, "notes", []):
            print(sentence, file=sys.stderr)
        left_out = getattr(args, "left_out", [])
        for sentence in left_out:
            print(f"Left out: {sentence}", file=sys.stderr)
        return code or (LEFT_OUT if left_out else 0)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:
        code, message = exit_code(error), "" if is_said(error) else message_of(error)
        if code == BUG:
            raise
    if message:  # not above: a progress bar ends its line when `error` goes
        print(message, file=sys.stderr)
        said.set()
    return code


def command_line(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> str:
    """What was typed, as a shell would take it again."""
    return f"{parser.prog} {shlex.join(sys.argv[1:] if argv is None else argv)}"


def make_printable() -> None:
    """A console that knows no Greek still gets every name, with what it cannot print escaped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def build_parser(more: Sequence[Command] = ()) -> argparse.ArgumentParser:
    installed = Path(sys.argv[0]).stem == PROGRAM
    parser = argparse.ArgumentParser(
        prog=PROGRAM if installed else "python -m dino_core",
        description="See what happens inside DINOv2. COMMAND --help says more.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for family in (
        pictures,
        views,
        token_views,
        films,
        pages,
        videos,
        families,
        tray,
        whatif,
        sampling,
        losses,
        step,
        models,
        training,
        heads,
        gallery,
        export,
    ):
        family.add_parsers(commands)
    for command, add_options in more:
        add_command(commands, command, add_options)
    return parser
