"""The folders of the page: what comes with it, and where its runs and galleries are kept."""

import os
import sys
from pathlib import Path

from dino_core.assets import CHECKOUT, SAMPLES, STATIC

CODE = Path(__file__).parent
TEXT = CODE / "page" / "text"
FIRST_VISIT = STATIC / "first"  # responses worked out beforehand
SAMPLE_GALLERY = STATIC / "gallery"

__all__ = [
    "CODE",
    "FIRST_VISIT",
    "SAMPLES",
    "SAMPLE_GALLERY",
    "STATIC",
    "TEXT",
    "checkpoints_folder",
    "cookie_key_file",
    "exports_folder",
    "galleries_folder",
    "runs_folder",
]


def runs_folder() -> Path:
    """Where runs are kept: INSIDE_DINOV2_RUNS, or runs/ in `data_folder()`."""
    return Path(os.environ.get("INSIDE_DINOV2_RUNS") or data_folder() / "runs")


def galleries_folder() -> Path:
    """Where galleries are kept: INSIDE_DINOV2_GALLERIES, or galleries/ in `data_folder()`."""
    return Path(os.environ.get("INSIDE_DINOV2_GALLERIES") or data_folder() / "galleries")


def checkpoints_folder() -> Path:
    """Where visitors' checkpoints are kept: on the disk of the runs, whose files are shared."""
    return runs_folder() / ".page" / "checkpoints"


def exports_folder() -> Path:
    """Where models are written for other libraries; nothing in it is kept for long."""
    return runs_folder() / ".page" / "exports"


def cookie_key_file() -> Path:
    """What visitors' cookies are signed with; servers on one folder of runs share it."""
    return runs_folder() / ".page" / "cookie.key"


def data_folder() -> Path:
    """A checkout keeps what it makes in itself; an installed page in the user's data folder."""
    return CHECKOUT or user_data_folder(sys.platform) / "inside-dinov2"


def user_data_folder(platform: str) -> Path:
    """Where programs of this `sys.platform` keep what they make for their user."""
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    chosen = os.environ.get("XDG_DATA_HOME", "")  # a relative one is to be ignored, says its norm
    return Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".local" / "share"
