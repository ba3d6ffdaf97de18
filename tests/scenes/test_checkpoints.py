"""scenes/checkpoints.py and models.py: what is said of a checkpoint that a visitor brings."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import TINY, tiny_vit

from dino_core.scenes import checkpoints
from dino_core.scenes.checkpoints import CheckpointFacts, read_checkpoint
from dino_core.scenes.models import describe_checkpoint
from dino_core.weights import Backbone, load_backbone, save_backbone
from dino_core.weights.variants import VARIANTS

CONFIG = replace(TINY, image_size=(28, 42), registers=2)
OFFICIAL = next(one for one in VARIANTS if one.official and one.sha256)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_backbone(tiny_vit(CONFIG), tmp_path_factory.mktemp("w") / "own.safetensors")


@pytest.fixture(scope="module")
def facts(file: Path) -> CheckpointFacts:
    return read_checkpoint(file, "of nobody")


def test_its_facts_are_those_of_its_tensors(facts: CheckpointFacts) -> None:
    sizes = [facts[name] for name in ("dim", "depth", "heads", "patch_size", "registers")]
    assert sizes == [48, 2, 3, 14, 2]
    assert (facts["image_size"], facts["pair"]) == ((28, 42), False)
    assert facts["parameters"] == sum(one.numel() for one in tiny_vit(CONFIG).parameters())


def test_sides_are_said_width_first(facts: CheckpointFacts) -> None:
    words = " ".join(describe_checkpoint({**facts, "notes": ["A note."]}, "12ab", 3_000_000))
    assert "positions were learned at 42 x 28 px" in words
    assert "File: 3.0 MB" in words
    assert "SHA-256: 12ab." in words
    assert words.endswith("A note.")


@pytest.mark.parametrize("known", [True, False])
def test_a_published_file_is_known_under_any_name(
    file: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Where the loading has not said so already."""

    def loaded(path: Path) -> Backbone:
        backbone = load_backbone(weights=path)
        return replace(backbone, info=replace(backbone.info, official=known))

    monkeypatch.setattr(checkpoints, "_loaded", loaded)
    assert OFFICIAL.sha256 is not None
    said = f"By its checksum it is the published file of {OFFICIAL.title}."
    assert (said in read_checkpoint(file, OFFICIAL.sha256)["notes"]) != known
    assert said not in read_checkpoint(file, "another")["notes"]
