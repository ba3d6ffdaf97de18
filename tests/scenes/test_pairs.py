"""What is stored of a pair's answers counts for that pair and those samples alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_runs import RUN, differing_pair, picture

from dino_core.images import open_picture
from dino_core.scenes import pairs
from dino_core.scenes.pairs import (
    OpenPair,
    origin_of,
    read_references,
    references_of,
    write_references,
)


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small samples instead of the project's."""
    folder = tmp_path / "samples"
    folder.mkdir()
    names = ["one.png", "two.png"]
    for seed, name in enumerate(names):
        (folder / name).write_bytes(picture(seed))
    credits = [{"file": name, "title": name} for name in names]
    (folder / "credits.json").write_text(json.dumps(credits))
    monkeypatch.setattr(pairs, "SAMPLES", folder)
    return folder


@pytest.fixture
def opened(tmp_path: Path, samples: Path) -> OpenPair:
    """A small pair whose answers are stored; its weights are in name only."""
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"these weights")
    pair, config = differing_pair(RUN.train).eval(), RUN.train
    stored = tmp_path / "references.safetensors"
    found = OpenPair(pair, config, config.crops, "Small", "small", stored, (weights,))
    write_references(found, stored)
    return found


def pictures(samples: Path) -> list:
    return [open_picture(samples / name) for name in ("one.png", "two.png")]


def marked(opened: OpenPair) -> None:
    """Other answers in the file, so that it shows who has read them."""
    assert opened.stored is not None
    with safe_open(opened.stored, "pt") as file:
        facts = file.metadata()
    tensors = {name: torch.zeros_like(t) for name, t in load_file(opened.stored).items()}
    save_file(tensors, opened.stored, facts)


def is_from_the_file(opened: OpenPair) -> bool:
    return all(not one.answers.teacher.any() for one in references_of(opened))


def test_what_is_stored_is_what_was_answered(opened: OpenPair, samples: Path) -> None:
    read = read_references(opened, pictures(samples))
    asked = references_of(replace(opened, stored=None))
    assert read is not None
    for one, other in zip(read, asked, strict=True):
        for name in pairs.ANSWERED:
            assert torch.equal(getattr(one, name), getattr(other.answers, name)), name
    marked(opened)
    assert is_from_the_file(opened)


def written(opened: OpenPair, path: Path, data: bytes) -> OpenPair:
    path.write_bytes(data)
    return opened


CHANGES: dict[str, Callable[[OpenPair, Path], OpenPair]] = {
    "other weights": lambda opened, samples: (
        (opened.files[0].write_bytes(b"those weights") and opened) or opened
    ),
    "another file": lambda opened, samples: replace(opened, files=(samples / "one.png",)),
    "one file more": lambda opened, samples: replace(opened, files=(*opened.files, *opened.files)),
    "another sample": lambda opened, samples: (
        ((samples / "two.png").write_bytes(picture(7)) and opened) or opened
    ),
    "other crops": lambda opened, samples: replace(
        opened, crops=replace(opened.crops, local_count=1)
    ),
    "nothing stored": lambda opened, samples: replace(opened, stored=samples / "nothing"),
    "no place for it": lambda opened, samples: replace(opened, stored=None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_stored_of_another_pair_or_other_samples_is_left_alone(
    opened: OpenPair, samples: Path, change: Callable[[OpenPair, Path], OpenPair]
) -> None:
    marked(opened)
    assert not is_from_the_file(change(opened, samples))


@pytest.mark.parametrize("content", [b"", b"no tensors", bytes(100)])
def test_a_damaged_file_is_left_alone(opened: OpenPair, content: bytes) -> None:
    assert opened.stored is not None
    opened.stored.write_bytes(content)
    assert not is_from_the_file(opened)


def test_without_a_word_on_where_it_came_from_it_does_not_count(opened: OpenPair) -> None:
    marked(opened)
    assert opened.stored is not None
    save_file(load_file(opened.stored), opened.stored)
    assert not is_from_the_file(opened)


def test_what_comes_with_the_project_is_of_the_weights_that_come_with_it() -> None:
    with safe_open(pairs.REFERENCES, "pt") as file:
        stored = file.metadata()["origin"]
    assert stored == origin_of(pairs.open_bundled("preview")), "run make first-visit"
