"""embed's Parquet in Embedding Atlas itself: read, looked over and exported by its own command.

It needs an environment of its own, named by INSIDE_DINOV2_ATLAS or in build/atlas:

    python -m venv build/atlas
    build/atlas/bin/pip install embedding-atlas==0.26.0
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from other_environments import python_with
from tiny_galleries import labelled_folder

from dino_core.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_embedding_atlas_opens_the_file_as_it_is(weights: Path, tmp_path: Path) -> None:
    """The command of the documentation, which ends in a page of its own instead of a server."""
    import pyarrow.parquet as parquet

    python = python_with("Embedding Atlas", "embedding-atlas==0.26.0", "atlas")
    path, out = tmp_path / "atlas.parquet", tmp_path / "out"
    folder = labelled_folder(tmp_path / "data", 3)
    line = ["embed", str(folder), "--weights", str(weights), "--heads", "2", "--size", "28"]
    line += ["--no-cache", "--map", "pca", "--neighbours", "3", "--thumbnails", "16"]
    assert main([*line, "--output", str(path)]) == 0
    (tmp_path / "static").mkdir()  # in place of the page's own files
    command = [python, "-m", "embedding_atlas.cli", str(path), "--x", "x", "--y", "y"]
    command += ["--neighbors", "neighbors", "--image", "image"]
    command += ["--static", str(tmp_path / "static"), "--export-application", str(out)]
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr

    props = json.loads((out / "data/metadata.json").read_text())["props"]["data"]
    assert props["projection"] == {"x": "x", "y": "y"}
    assert (props["neighbors"], props["image"]) == ("neighbors", "image")
    ours, theirs = parquet.read_table(path), parquet.read_table(out / "data/dataset.parquet")
    assert theirs.num_rows == ours.num_rows == 9
    for name in ("x", "y"):
        np.testing.assert_array_equal(theirs[name].to_numpy(), ours[name].to_numpy())
    for name in ("name", "class", "image", "neighbors"):
        assert theirs[name].to_pylist() == ours[name].to_pylist(), name
    # The importance of each picture, which it computes from our neighbours: all are counted once.
    ranks = theirs[props["importance"]].to_numpy()
    assert ranks.min() > 0
