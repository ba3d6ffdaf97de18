"""What a server needs, imported once: servers of tests are forked from a process that has it.

Importing Gradio and PyTorch is most of the work of starting one. The server that the tests share is
a program of its own, as people start it (`servers.start_program`).
"""

import importlib

from app.__main__ import set_environment
from app.gradio_import import import_gradio

set_environment()  # before PyTorch is loaded, which reads it
import_gradio()
for name in ("app.server", "torch", "dino_core.scenes.models"):
    importlib.import_module(name)
