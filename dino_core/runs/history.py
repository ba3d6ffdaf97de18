"""What was done to a run after it had begun, as its config.json notes it. No torch here."""

from collections.abc import Mapping
from typing import Any

from dino_core.runs.experiments import titles_of


def sentence(done: Mapping[str, Any]) -> str:
    """One entry of a run's history, for a person."""
    return (
        f"Mended: {titles_of(done['turned_back'])} turned back after step {done['after']}; the "
        f"run goes on from step {done['step']}, the last good checkpoint. It had said: "
        f"{done['verdict']}"
    )
