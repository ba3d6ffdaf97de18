"""`inside-dinov2`: the page and the commands of the library in one program.

inside-dinov2                        the page, on http://127.0.0.1:7860
inside-dinov2 page --port 8000       the page, with options
inside-dinov2 features cat.jpg ...   any command of `python -m dino_core`
"""

import sys
from collections.abc import Sequence

from app.__main__ import page, page_options
from dino_core.__main__ import main as run_command


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    return run_command(arguments or ["page"], more=[(page, page_options)])


if __name__ == "__main__":
    sys.exit(main())
