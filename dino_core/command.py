"""How a function becomes a command of `python -m dino_core`.

Its name is the command's, its docstring the command's help, and what it takes is one
`argparse.Namespace`. Another function adds its options.
"""

import argparse
import inspect
from collections.abc import Callable
from typing import Any

Run = Callable[[argparse.Namespace], None]
Option = Callable[..., Any]  # ArgumentParser.add_argument


def add_command(
    commands: Any,
    run: Run,
    add_options: Callable[[Option], None],
    formatter: type[argparse.HelpFormatter] = argparse.RawDescriptionHelpFormatter,
) -> argparse.ArgumentParser:
    """Adds a command to `argparse`'s subparsers: whoever has parsed calls `args.run(args)`.

    The list of commands shows the first sentence of the docstring, the command's own help all of
    it, line by line as it was written unless `formatter` says otherwise.
    """
    words = inspect.cleandoc(run.__doc__ or "")
    command: argparse.ArgumentParser = commands.add_parser(
        run.__name__,
        help=words.split(".\n")[0].rstrip("."),
        description=words,
        formatter_class=formatter,
    )
    command.set_defaults(run=run)
    add_options(command.add_argument)
    return command
