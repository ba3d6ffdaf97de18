"""Programs that read what we write, each in an environment of its own beside this one."""

import os
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[1] / "build"


def python_with(name: str, needs: str, folder: str) -> str:
    """The Python of build/FOLDER, or the one that INSIDE_DINOV2_FOLDER names; skipped without."""
    variable = f"INSIDE_DINOV2_{folder.upper()}"
    python = os.environ.get(variable) or str(BUILD / folder / "bin/python")
    if not Path(python).is_file():
        pytest.skip(
            f"{name} has not opened the file: there is no environment with {needs} in "
            f"build/{folder}, and {variable} names none"
        )
    return python
