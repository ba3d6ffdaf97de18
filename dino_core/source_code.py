"""The syntax of this program's own files, for whichever thread asks.

Some versions of Python count for all threads together how deep they are in a tree: parsing fails
("recursion depth mismatch") when another thread begins before it has ended, which happens where the
collector runs in between and lets the other one on. Here one parses at a time, and nothing is
collected meanwhile.
"""

import ast
import gc
import threading
from functools import lru_cache
from pathlib import Path

_PARSING = threading.Lock()


@lru_cache(maxsize=16)
def read_syntax(file: str) -> tuple[ast.Module, list[str]]:
    """The syntax tree of a Python file and its lines. OSError when it cannot be read."""
    text = Path(file).read_text(encoding="utf-8")
    with _PARSING:
        collecting = gc.isenabled()
        gc.disable()
        try:
            return ast.parse(text), text.splitlines()
        finally:
            if collecting:
                gc.enable()
