"""UMAP in a process of its own: it compiles itself for tens of seconds, and nobody waits for it.

The process answers over a connection: it says that it is warm, then turns each request (features,
start, neighbours, min_distance, seed) into a map, or into the sentence that says why not. It
imports no torch.
"""

import contextlib
import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from dino_core.analysis.projection import umap_map, warm_up

WARM = "warm"


def serve(connection: Connection) -> None:
    """Runs until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # the page comes first
    try:
        warm_up()
    except Exception as error:  # umap-learn is missing or broken: say so, and be gone
        connection.send(f"UMAP cannot be used here ({type(error).__name__}).")
        return
    connection.send(WARM)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(answer(connection.recv()))


def answer(request: tuple[Any, ...]) -> Any:
    """A map [n, 2], or a sentence."""
    try:
        return umap_map(*request)
    except ValueError as error:
        return str(error)
    except Exception as error:  # whatever the compiled code meets: the process goes on
        return f"UMAP found no map ({type(error).__name__}): try other settings."
