"""`inside-dinov2`: the page and the commands of the library in one program.

inside-dinov2                        the page, on http://127.0.0.1:7860
inside-dinov2 page --port 8000       the page, with options
inside-dinov2 features cat.jpg ...   any command of `python -m dino_core`
"""

import os
import sys
from collections.abc import Sequence

try:
    from dino_core import interruption
except KeyboardInterrupt:
    os.write(2, b"Stopped.\n")
    os._exit(130)


def main(argv: Sequence[str] | None = None) -> int:
    from app.__main__ import page, page_options
    from dino_core.__main__ import main as run_command

    arguments = list(sys.argv[1:] if argv is None else argv)
    return run_command(arguments or ["page"], more=[(page, page_options)])


def program() -> None:
    """What is installed as a command: the same, ended by Ctrl-C as `interruption` says."""
    with interruption.program():
        sys.exit(main())


if __name__ == "__main__":
    program()
