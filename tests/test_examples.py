"""The examples run as they stand, and the notebook still gives what it shows."""

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from forked import Program, run_script
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
NOTEBOOK = EXAMPLES / "inside_dinov2.ipynb"
LONGEST = 40  # lines of a script
LARGEST = 900_000  # bytes of the notebook


def run(folder: Path, script: str, *words: str, program: bool = False) -> str:
    """What a script prints, run in an empty folder that nothing of this machine reaches into.

    `program`: as people start it, not in a fork of a process that has imported PyTorch.
    """
    path, home = EXAMPLES / script, {"INSIDE_DINOV2_HOME": str(folder / "home")}
    if program:
        return subprocess.run(
            [sys.executable, str(path), *words],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), **home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    process = Program(run_script, path, words, folder, home)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return out


def test_three_short_scripts_that_say_what_they_do() -> None:
    assert [path.name for path in SCRIPTS] == [
        "attention_of_a_picture.py",
        "many_pictures.py",
        "train_on_a_folder.py",
    ]
    for path in SCRIPTS:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LONGEST, path.name
        assert f"python examples/{path.name} [" in "\n".join(lines[:4])


@pytest.mark.slow
def test_attention_of_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (300, 280), (200, 90, 20)).save(tmp_path / "mine.png")
    said = run(tmp_path, "attention_of_a_picture.py", "mine.png", "mine.svg", program=True)
    assert "16 x 17 patches of 14 px" in said
    assert len(re.findall(r"head \d: most to patch \(\d+, \d+\), entropy [\d.]+ nats", said)) == 6
    assert "query: patch 5,8" in (tmp_path / "mine.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_train_on_a_folder(tmp_path: Path) -> None:
    said = run(tmp_path, "train_on_a_folder.py", "samples", "3")
    assert "finished" in said
    assert re.search(r"dino_local_crops_loss: [\d.]+, [\d.]+ for uniform output", said)
    assert "Total loss" in (tmp_path / "curves.html").read_text(encoding="utf-8")
    assert (tmp_path / "runs" / "example" / "backbone.safetensors").is_file()


@pytest.mark.slow
def test_many_pictures(tmp_path: Path) -> None:
    first = run(tmp_path, "many_pictures.py")
    assert "8 pictures, 8 forwards; features [8, 384]" in first
    assert "astronaut.jpg: most like photographer.jpg" in first
    again = run(tmp_path, "many_pictures.py")
    assert again == first.replace("8 forwards", "0 forwards"), "kept, not computed again"


# --- the notebook


def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebook", ROOT / "docs" / "notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shape_of(output: dict[str, Any]) -> Any:
    """What an output is, without what differs between machines: the pixels."""
    if output["output_type"] == "stream":
        return output["name"], output["text"]
    data = dict(output["data"])
    shape: dict[str, Any] = dict.fromkeys(data)
    if "image/png" in data:
        with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
            shape["image/png"] = picture.size
    chart = data.get("application/vnd.plotly.v1+json")
    if chart:
        names = [trace.get("name") for trace in chart["data"]]
        shape["chart"] = (names, [len(trace["x"]) for trace in chart["data"]])
    if "text/plain" in data:
        shape["text/plain"] = data["text/plain"]
    return shape


def test_the_notebook_is_small_and_says_nothing_of_the_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    notebook = json.loads(text)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] != "code":
            continue
        assert cell["execution_count"] is None
        assert "".join(cell["source"]).startswith("import") or cell["outputs"]
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            said = json.dumps({**output.get("data", {}), "image/png": None}) + str(
                output.get("text")
            )
            assert not re.search(r"/(home|root|tmp|work|usr|Users)/|[A-Z]:\\\\", said), said


@pytest.mark.slow
def test_the_notebook_gives_what_it_shows() -> None:
    shown = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    found = json.loads(json.dumps(writer().executed()))
    assert len(found["cells"]) == len(shown["cells"])
    for now, before in zip(found["cells"], shown["cells"], strict=True):
        assert now["cell_type"] == before["cell_type"]
        if now["cell_type"] == "code":
            joined = [
                output | {"text": "".join(output["text"])} if "text" in output else output
                for output in before["outputs"]
            ]
            joined = [plain(output) for output in joined]
            outputs = [plain(output) for output in now["outputs"]]
            assert list(map(shape_of, outputs)) == list(map(shape_of, joined)), now["source"]


def plain(output: dict[str, Any]) -> dict[str, Any]:
    """A notebook's file has text as lists of lines, a notebook in memory as one string."""
    data = {
        kind: "".join(value) if isinstance(value, list) else value
        for kind, value in output.get("data", {}).items()
    }
    return {**output, "data": data}
