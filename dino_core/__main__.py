"""`python -m dino_core COMMAND`: the command line, which is in `cli/`."""

import gc
import os
import sys

try:
    from dino_core import interruption
except KeyboardInterrupt:
    os.write(2, b"Stopped.\n")
    os._exit(130)

if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 20)  # what is imported is no garbage: it is looked through less
    with interruption.program():
        from dino_core.cli.main import main

        sys.exit(main())

from dino_core.cli.main import build_parser, main

__all__ = ["build_parser", "main"]
