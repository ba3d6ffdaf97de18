"""`python -m dino_core COMMAND`: the command line, which is in `cli/`."""

import sys

try:
    from dino_core.cli.main import build_parser, main
except KeyboardInterrupt:  # while the first modules were being read
    sys.exit(130)

__all__ = ["build_parser", "main"]

if __name__ == "__main__":
    sys.exit(main())
