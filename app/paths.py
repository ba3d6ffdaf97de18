"""The folders of the page: what comes with it, and where its runs and galleries are kept."""

from pathlib import Path

from dino_core.assets import SAMPLES, STATIC

PROJECT = STATIC.parent
TEXT = Path(__file__).parent / "page" / "text"

__all__ = ["PROJECT", "SAMPLES", "STATIC", "TEXT"]
