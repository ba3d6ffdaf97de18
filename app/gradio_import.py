"""Gradio, imported in half the time.

Whenever Gradio is imported, it parses the source of each of its components and writes type stubs
for editors next to them. A page needs none. It leaves out components whose file `inspect` cannot
find, so for the length of the import `inspect` is made not to find them.
"""

import importlib
import inspect
from typing import Any


def import_gradio() -> None:
    """To be called before anything else imports Gradio; harmless afterwards."""
    original = inspect.getfile

    def getfile(object: Any) -> str:
        if getattr(object, "__module__", "").startswith("gradio."):
            raise OSError("hidden while Gradio is being imported")
        return original(object)

    inspect.getfile = getfile
    try:
        importlib.import_module("gradio")
    finally:
        inspect.getfile = original
