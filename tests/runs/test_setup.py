"""runs/setup.py: what a run is made of, and what is refused before anything is written."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import RUN, coloured, files, noise_folder, setup

from dino_core.datasets import find_pictures
from dino_core.runs import setup as of_runs
from dino_core.runs.folder import RunFolder
from dino_core.runs.setup import (
    as_config,
    check_readable,
    check_same_pictures,
    check_whole_patches,
    labelled_set,
    read_pictures,
    setup_in,
    stored_setup,
    with_full_paths,
    with_heads,
)
from dino_core.step.distributed import World


def test_what_a_folder_says_of_its_run(tmp_path: Path) -> None:
    pictures = find_pictures(noise_folder(tmp_path / "data", 3))
    chosen = setup(tmp_path / "data", knn_per_class=(3, 2))
    config = as_config(chosen, pictures, World(size=2))
    assert config == {
        "kind": "pretraining",
        "preset": "own",
        "steps": 8,
        "setup": asdict(chosen),
        "pictures": {"count": 3, "fingerprint": pictures.fingerprint},
        "processes": 2,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    run = RunFolder(tmp_path / "run")
    run.create(json.loads(json.dumps(config)))
    assert stored_setup(run) == chosen
    check_same_pictures(run, pictures)
    (tmp_path / "data/00.png").unlink()
    with pytest.raises(ValueError, match="3 then, 2 now"):
        check_same_pictures(run, find_pictures(tmp_path / "data"))
    with pytest.raises(ValueError, match="a run of another kind: pretraining"):
        setup_in(run, type(chosen), "distillation")


def test_a_run_goes_on_with_as_many_threads_as_it_began_with(tmp_path: Path) -> None:
    chosen = replace(setup(tmp_path), threads=0)
    run = RunFolder(tmp_path / "run")
    config = json.loads(json.dumps({"kind": "pretraining", "setup": asdict(chosen)}))
    run.create(config | {"threads": 3})
    assert stored_setup(run) == replace(chosen, threads=3)


def test_every_path_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = setup(Path("data"), weights="w", heads="h", knn="k", probes=("a", "samples"))
    found = with_full_paths(named)
    here = str(Path.cwd())
    assert (found.data, found.weights, found.heads, found.knn, found.probes) == (
        f"{here}/data", f"{here}/w", f"{here}/h", f"{here}/k", (f"{here}/a", "samples"),
    )  # fmt: skip
    nothing = with_full_paths(setup(Path("samples")))
    assert (nothing.data, nothing.weights, nothing.heads, nothing.knn) == ("samples",) + (None,) * 3


def test_which_pictures_a_run_learns_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those to learn from, where a set says which; of words those that they stand for."""
    folder = files(tmp_path / "data", coloured(2, "train/") | coloured(1, "test/"))
    assert {name[:6] for name in read_pictures(setup(folder)).names} == {"train/"}
    known = labelled_set(setup(folder, knn=str(folder), knn_per_class=(1, 1)))
    assert known is not None
    assert (len(known.train), len(known.test)) == (3, 3)
    assert labelled_set(setup(folder)) is None
    asked: list[Any] = []

    def cifar10(where: Path, download: bool) -> Any:
        asked.append((where, download))
        return find_pictures(folder)

    monkeypatch.setattr(of_runs, "cifar10", cifar10)
    monkeypatch.setattr(of_runs, "cifar10_folder", lambda: tmp_path / "cifar")
    pictures = read_pictures(replace(setup(folder), data="cifar10", download=True))
    assert len(pictures) == 6
    found = labelled_set(setup(folder, knn="cifar10", knn_per_class=(2, 1)))
    assert found is not None
    assert (len(found.train), len(found.test)) == (6, 3)
    assert asked == [(tmp_path / "cifar", True), (tmp_path / "cifar", False)]
    assert len(read_pictures(replace(setup(folder), data="samples"))) == 8


def test_one_picture_that_can_be_read_is_enough(tmp_path: Path) -> None:
    folder = noise_folder(tmp_path / "data", 3)
    (folder / "00.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    check_readable(find_pictures(folder), "data")
    for name in ("01.png", "02.png"):
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(ValueError, match="None of the pictures in data can be read"):
        check_readable(find_pictures(folder), "data")


def test_crops_are_of_whole_patches() -> None:
    check_whole_patches((16, 8), 4)
    with pytest.raises(ValueError, match="Crops of 10 px are no multiple of the patch size 4"):
        check_whole_patches((16, 10), 4)


@pytest.mark.parametrize(
    ("preset", "model", "weights", "heads", "expected"),
    [
        ("continue", "preview_vits14", None, None, "bundled"),
        ("continue", "preview_vits14", "w.pth", None, "new"),
        ("continue", "dinov2_vits14", None, None, "new"),
        ("heads", "preview_vits14", None, None, "new"),
        ("own", None, None, None, "new"),
        ("continue", "preview_vits14", None, "new", "new"),
        ("own", None, None, "h.safetensors", "h.safetensors"),
    ],
)
def test_ready_heads_are_taken_where_they_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, model: Any, weights: Any,
    heads: Any, expected: str,
) -> None:  # fmt: skip
    opened: list[Any] = []
    monkeypatch.setattr(of_runs, "fitting_heads", lambda path, config: opened.append(path))
    config = replace(RUN, preset=preset, head_warmup=0.25)
    found = with_heads(setup(tmp_path, config, model=model, weights=weights, heads=heads))
    assert found.heads == expected
    ready = expected != "new"
    assert found.run.head_warmup == (0.05 if ready else 0.25)
    assert [Path(path).name for path in opened] == {
        "bundled": ["vits14_preview_heads.fp16.safetensors"], "new": [],
    }.get(expected, [expected])  # fmt: skip
