"""embed's Parquet in FiftyOne: the lines of the documentation, run by FiftyOne itself.

It needs an environment of its own, named by INSIDE_DINOV2_FIFTYONE or in build/fiftyone:

    python -m venv build/fiftyone
    build/fiftyone/bin/pip install fiftyone==1.22.1 mongomock==4.3.0 pandas pyarrow
"""

import json
import os
import subprocess
import textwrap
from pathlib import Path

import numpy as np
import pytest
from other_environments import python_with
from tiny_galleries import labelled_folder
from tiny_runs import files, picture

from dino_core.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
REPORT = """
import json
labelled = dataset.has_sample_field("ground_truth")
print(json.dumps({
    "files": dataset.values("filepath"),
    "labels": dataset.values("ground_truth.label") if labelled else [None] * len(dataset),
    "points": dataset.load_brain_results("map").points.tolist(),
}))
"""


def documented_lines() -> str:
    """The indented block of docs/command-line.md that begins with FiftyOne's import."""
    text = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
    block = text[text.index("    import fiftyone as fo") :].split("\n\n`", 1)[0]
    return textwrap.dedent(block)


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [True, False])
def test_the_documented_lines_open_the_file_in_fiftyone(
    weights: Path, tmp_path: Path, labelled: bool
) -> None:
    import pyarrow.parquet as parquet

    python = python_with("FiftyOne", "fiftyone==1.22.1 and mongomock", "fiftyone")
    path = tmp_path / "atlas.parquet"
    folder = tmp_path / "pictures"
    if labelled:
        labelled_folder(folder, 3)
    else:
        files(folder, {f"{i}.png": picture(i) for i in range(5)})
    line = ["embed", str(folder), "--weights", str(weights), "--heads", "2", "--size", "28"]
    line += ["--no-cache", "--map", "pca", "--neighbours", "3", "--output", str(path)]
    assert main(line) == 0

    script = tmp_path / "script.py"
    script.write_text(documented_lines() + REPORT, encoding="utf-8")
    command = [python, str(Path(__file__).with_name("fiftyone_in_memory.py")), str(script)]
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    ours = parquet.read_table(path)
    assert seen["files"] == [str(folder / name) for name in ours["name"].to_pylist()]
    assert seen["labels"] == ours["class"].to_pylist()
    assert (None in seen["labels"]) is not labelled
    points = np.stack([ours[axis].to_numpy() for axis in "xy"], 1)
    np.testing.assert_allclose(seen["points"], points)
