"""Gradio, imported in half the time.

Whenever Gradio is imported, it parses the source of each of its components and writes type stubs
for editors beside them. A page needs none. It leaves out components whose file Python cannot tell,
so for the length of the import Python is made not to tell it.
"""

import importlib
import inspect
from typing import Any


def import_gradio() -> None:
    """To be called before anything else imports Gradio; harmless afterwards."""
    told = inspect.getfile

    def getfile(object: Any) -> str:
        if getattr(object, "__module__", "").startswith("gradio."):
            raise OSError("not told while Gradio is being imported")
        return told(object)

    inspect.getfile = getfile
    try:
        importlib.import_module("gradio")
    finally:
        inspect.getfile = told
