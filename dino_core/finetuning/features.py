"""Features of the parts of a run's pictures under the backbone as it came, computed once."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from dino_core.datasets import Pictures
from dino_core.embedding.embed import FeatureSet, embed_in_memory
from dino_core.evaluation.folds import some_of
from dino_core.finetuning.backbone import follow_control
from dino_core.finetuning.classifier import Classifier
from dino_core.finetuning.layers import is_judged, judge_layers
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder
from dino_core.weights import read_state_dict
from dino_core.writing import replacing

PARTS = ("train", "validation", "test")
TENSORS = ("cls", "mean_patch", "labels")  # of a part, in its file


@dataclass(frozen=True)
class Divided:
    """The pictures of each part, in a fixed order; broken files are gone once features exist."""

    train: Pictures
    validation: Pictures
    test: Pictures


def all_features(
    run: RunFolder,
    setup: FinetuneSetup,
    parts: Divided,
    classifier: Classifier,
    control: Control,
) -> dict[str, FeatureSet]:
    """Features of each part, from the folder where they are there; its layers are judged then.

    Those of every layer come out of the same forward and are not kept: a run that was stopped
    before its layers were judged computes both again.
    """
    judged = is_judged(run)
    done: dict[str, FeatureSet] = {}
    for name in PARTS:
        pictures = getattr(parts, name)

        def progress(count: int, name: str = name, total: int = len(pictures)) -> None:
            follow_control(control, setup)
            words = f"Features of the {name} pictures: {count} of {total}."
            run.put_state("running", words, 0, setup.epochs)

        path = run.path / "features" / f"{name}.safetensors"
        layers_of = () if judged or name == "validation" else layered(pictures, setup.seed)
        known = read_features(path, pictures)
        if known is not None and not layers_of:
            done[name] = known
            continue
        done[name] = embed_in_memory(
            classifier.backbone, pictures, setup.size, progress=progress, layers_of=layers_of
        )
        write_features(path, done[name])
        for file, reason in done[name].broken if known is None else ():
            run.log(f"Skipped {file}: {reason}")
    if not judged:

        def watch(layer: int) -> None:
            follow_control(control, setup)
            words = f"Judging layer {layer} of the backbone as it came."
            run.put_state("running", words, 0, setup.epochs)

        learned, tested = done["train"].layers, done["test"].layers
        assert learned is not None
        assert tested is not None
        judge_layers(run, learned, tested, len(classifier.classes), watch=watch)
    return {name: replace(one, layers=None) for name, one in done.items()}


def layered(pictures: Pictures, seed: int) -> frozenset[int]:
    """The pictures on which layers are judged: all of them, or some of each class of very many."""
    assert pictures.labels is not None
    generator = torch.Generator().manual_seed(seed)
    chosen = some_of(torch.arange(len(pictures)), torch.tensor(pictures.labels), generator)
    return frozenset(chosen.tolist())


def without_broken(parts: Divided, features: dict[str, FeatureSet]) -> Divided:
    def whole(pictures: Pictures, names: tuple[str, ...]) -> Pictures:
        kept = set(names)
        return pictures.subset([i for i, name in enumerate(pictures.names) if name in kept])

    return Divided(**{name: whole(getattr(parts, name), features[name].names) for name in PARTS})


# --- the files


def write_features(path: Path, features: FeatureSet) -> None:
    facts = {"names": json.dumps(features.names), "broken": json.dumps(features.broken)}
    tensors = {n: getattr(features, n).contiguous() for n in TENSORS}
    with replacing(path) as partial:
        save_file(tensors, partial, facts)


def read_features(path: Path, pictures: Pictures) -> FeatureSet | None:
    """None when there are none, or not of these pictures."""
    if not path.exists():
        return None
    try:
        tensors, facts = read_state_dict(path)
        names = tuple(json.loads(facts["names"]))
        broken = tuple((name, why) for name, why in json.loads(facts["broken"]))
    except (ValueError, KeyError):
        return None
    if set(TENSORS) != set(tensors) or {*names, *(name for name, _ in broken)} != set(
        pictures.names
    ):
        return None
    cls, mean_patch, labels = (tensors[name].clone() for name in TENSORS)
    return FeatureSet(cls, mean_patch, labels, names, broken)
