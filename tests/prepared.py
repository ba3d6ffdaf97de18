"""What processes of tests need, imported once: they are forked from a process that has it.

Importing PyTorch and Gradio is most of the work of starting a command or a server. No thread may
run here, which a fork would copy half.
"""

import gc
import importlib

from app.__main__ import set_environment
from app.gradio_import import import_gradio

NEEDED = (
    "torch",
    "torch._dynamo",  # which PyTorch imports itself as soon as it makes an optimiser
    "torch.distributed.fsdp",
    "dino_core.cli.main",
    "dino_core.embedding.embed",
    "dino_core.gallery.build",
    "dino_core.runs.pretraining",
    "dino_core.scenes.models",
    "app.server",
)

set_environment()  # before PyTorch is loaded, which reads it
import_gradio()
for name in NEEDED:
    importlib.import_module(name)
gc.collect()
gc.freeze()  # what is imported is no garbage: no fork looks through it, and so none copies it
