"""Gradio is imported without what it does for editors, and Python is left as it was."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COUNT = """
import ast, inspect
parsed, told, parse = [], inspect.getfile, ast.parse
ast.parse = lambda *words, **more: parsed.append(1) or parse(*words, **more)
from app.gradio_import import import_gradio
import_gradio()
import gradio
assert inspect.getfile is told
assert gradio.Image.change and gradio.Button.click
print(len(parsed))
"""


@pytest.mark.slow
def test_no_source_of_a_component_is_parsed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20  # Gradio by itself: about two for each of its 60 components
