"""finetuning/classifier.py, features.py and reports.py: trained, stored, asked and judged."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from tiny_models import TINY, shake, tiny_vit
from tiny_runs import coloured, files, picture

from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding.embed import FeatureSet
from dino_core.embedding.preparation import square_input
from dino_core.finetuning.classifier import (
    Classifier,
    LinearHead,
    evaluate_head,
    fit_head,
    load_classifier,
    predict,
    save_classifier,
)
from dino_core.finetuning.explaining import explain
from dino_core.finetuning.features import (
    Divided,
    layered,
    read_features,
    without_broken,
    write_features,
)
from dino_core.finetuning.reports import f1, imbalance_of, score
from dino_core.step.loader import generator_for
from dino_core.weights.classifiers import Reads

CLASSES = ("blue", "green", "red")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- a head


def test_a_head_learns_as_in_a_plain_loop() -> None:
    """AdamW with decay 0.01, in batches of a seeded order, on standardised features."""
    features, labels = 3 * noise(11, 5) + 2, torch.arange(11) % 3
    features[:, 4] = 7.0  # says nothing, and has no spread
    validation = 3 * noise(7, 5, seed=1) + 2, torch.arange(7) % 3
    head, seen = LinearHead(5, 3), []
    best = fit_head(
        head,
        (features, labels),
        validation,
        epochs=6,
        patience=99,
        seed=4,
        watch=lambda *told: seen.append(told),
        rate=0.05,
        batch_size=4,
    )
    mean = features.mean(0)
    spread = (features - mean).square().mean(0).sqrt().clamp(1e-6)
    x, y = (features - mean) / spread, (validation[0] - mean) / spread
    weight, bias = (torch.zeros(*s, requires_grad=True) for s in ((3, 5), (3,)))
    optimiser = torch.optim.AdamW([weight, bias], lr=0.05, weight_decay=0.01)
    plain, states = [], [(weight.detach().clone(), bias.detach().clone())]
    for epoch in range(1, 7):
        order, total = torch.randperm(11, generator=generator_for(4, "head", epoch)).tolist(), 0.0
        for some in (order[:4], order[4:8], order[8:]):
            logits = x[some] @ weight.T + bias
            loss = -logits.log_softmax(1)[range(len(some)), labels[some]].mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(some)
        logits = (y @ weight.T + bias).detach()
        there = -logits.log_softmax(1)[range(7), validation[1]].mean().item()
        right = (logits.argmax(1) == validation[1]).float().mean().item()
        plain.append((epoch, total / 11, there, right))
        states.append((weight.detach().clone(), bias.detach().clone()))
    for one, other in zip(seen, plain, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    start = torch.tensor(3.0).log().item()  # of a head that knows nothing
    losses = [start, *(there for _, _, there, _ in plain)]
    assert best == min(range(7), key=lambda i: losses[i])
    torch.testing.assert_close(head.weight.data, states[best][0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(head.bias.data, states[best][1], atol=1e-5, rtol=1e-4)
    assert head.mean.allclose(mean)
    assert head.std.allclose(spread)


def test_a_head_in_numbers() -> None:
    head = LinearHead(2, 2)
    head.load_state_dict(
        {
            "weight": torch.tensor([[1.0, 2.0], [0.0, -1.0]]),
            "bias": torch.tensor([0.5, 0.25]),
            "mean": torch.tensor([1.0, 0.0]),
            "std": torch.tensor([2.0, 4.0]),
        }
    )
    features = torch.tensor([[5.0, 4.0], [1.0, -8.0], [1.0, 8.0]])
    assert head(features).tolist() == [[4.5, -0.75], [-3.5, 2.25], [4.5, -1.75]]
    loss, accuracy = evaluate_head(head, features, torch.tensor([0, 0, 1]))
    by_hand = [torch.tensor(d).exp().log1p().item() for d in (-5.25, 5.75, 6.25)]
    assert loss == pytest.approx(sum(by_hand) / 3)
    assert accuracy == pytest.approx(1 / 3)


# --- with its backbone


@pytest.mark.parametrize(
    "reads", [Reads(), Reads(1, False), Reads(2, True), Reads(3, False)], ids=lambda one: one.words
)
def test_a_classifier_reads_the_tokens_of_so_many_blocks(reads: Reads) -> None:
    """Each after the final norm, the last of all last; patches of the last block alone."""
    vit = tiny_vit(replace(TINY, depth=4, registers=1))
    classifier = Classifier(vit, CLASSES, 28, reads).eval()
    shake(classifier.head, seed=2)
    images = noise(2, 3, 28, 28)
    out = vit(images, trace=range(4))
    tokens = [vit.norm(out.traces[i].tokens[:, 0]) for i in range(4 - reads.class_tokens, 4)]
    patches = vit.norm(out.traces[3].tokens[:, 2:])  # after class token and register
    features = torch.cat([*tokens, *([patches.mean(1)] if reads.mean_patch else [])], dim=1)
    torch.testing.assert_close(classifier(images), classifier.head(features))
    found = explain(classifier, Image.fromarray(picture_of(3)))
    total = found.bias + found.class_token + found.patches.sum((1, 2))
    torch.testing.assert_close(total, found.logits, atol=1e-4, rtol=1e-4)
    assert bool(found.patches.any()) == reads.mean_patch


def picture_of(seed: int) -> Any:
    return (noise(30, 40, 3, seed=seed).clamp(0, 1) * 255).to(torch.uint8).numpy()


def test_a_classifier_is_stored_with_all_that_it_needs(tmp_path: Path) -> None:
    classifier = Classifier(tiny_vit(), CLASSES, 42).eval()
    shake(classifier.head, seed=2)
    path = tmp_path / "model.safetensors"
    save_classifier(classifier, path, "made here", {"licence": "none", "size": "28"})
    with safe_open(path, "pt") as file:
        facts = file.metadata()
        assert set(file.keys()) == set(classifier.state_dict())
    assert json.loads(facts.pop("config")) == asdict(TINY)
    assert facts == {
        "format": "pt",
        "classes": '["blue", "green", "red"]',
        "size": "28",
        "source": "made here",
        "licence": "none",
    }
    again = load_classifier(path)
    assert (again.classes, again.size, again.reads) == (CLASSES, 28, Reads())
    assert not again.training
    assert not any(p.requires_grad for p in again.parameters())
    for name, tensor in classifier.state_dict().items():
        assert tensor.equal(again.state_dict()[name]), name


def test_an_answer_names_the_likeliest_class_first(tmp_path: Path) -> None:
    classifier = Classifier(tiny_vit(), CLASSES, 28).eval()
    shake(classifier.head, seed=2)
    (tmp_path / "a.png").write_bytes(picture(1, side=50))
    with Image.open(tmp_path / "a.png") as opened:
        logits = classifier(square_input(opened.convert("RGB"), 28, 14)[None])[0]
    expected = dict(zip(CLASSES, logits.softmax(0).tolist(), strict=True))
    found = predict(classifier, tmp_path / "a.png")
    assert dict(found) == pytest.approx(expected)
    assert [p for _, p in found] == sorted(expected.values(), reverse=True)
    (tmp_path / "b.png").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"b\.png: "):
        predict(classifier, tmp_path / "b.png")


# --- features that are kept


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    contents = {f"{'ab'[i % 2]}/{i}.png": picture(i) for i in range(5)}
    return find_pictures(files(tmp_path_factory.mktemp("five"), contents))


def test_features_are_those_of_these_pictures_or_none(tmp_path: Path, five: Pictures) -> None:
    path = tmp_path / "train.safetensors"
    assert read_features(path, five) is None
    names = tuple(name for name in five.names if name != "b/1.png")
    kept = FeatureSet(
        noise(4, 6), noise(4, 6, seed=1), torch.tensor([0, 0, 0, 1]), names, (("b/1.png", "torn"),)
    )
    write_features(path, kept)
    found = read_features(path, five)
    assert found is not None
    assert (found.names, found.broken) == (kept.names, kept.broken)
    for name in ("cls", "mean_patch", "labels"):
        assert getattr(found, name).equal(getattr(kept, name)), name
    assert read_features(path, five.subset([0, 1, 2, 3])) is None, "one more than these"
    write_features(path, replace(kept, broken=()))
    assert read_features(path, five) is None, "one fewer"
    path.write_bytes(b"damaged")
    assert read_features(path, five) is None
    some = {"train": kept, "validation": kept, "test": replace(kept, names=("a/0.png",))}
    parts = without_broken(Divided(five, five, five), some)
    assert parts.train.names == parts.validation.names == names
    assert parts.test.names == ("a/0.png",)
    assert parts.test.labels == (0,)


def test_layers_are_judged_on_the_same_pictures_for_the_same_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = find_pictures(files(tmp_path / "many", coloured(7)))
    assert layered(pictures, 0) == frozenset(range(21)), "of few all"
    monkeypatch.setattr("dino_core.evaluation.folds.MOST_TO_LEARN", 6)
    assert len({layered(pictures, seed) for seed in range(4)}) > 1


# --- scores in numbers


def test_scores_of_four_pictures() -> None:
    probabilities = torch.tensor(
        [[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3]]
    )
    found = score(probabilities, torch.tensor([0, 1, 1, 1]), CLASSES, ["w", "x", "y", "z"])
    assert found.pop("mistakes") == [
        {
            "file": "x",
            "true": "green",
            "predicted": "blue",
            "probabilities": pytest.approx({"blue": 0.6, "green": 0.3, "red": 0.1}),
        }
    ]
    assert found == {
        "pictures": 4,
        "accuracy": 0.75,
        "standard_error": pytest.approx((0.75 * 0.25 / 4) ** 0.5),
        "balanced_accuracy": pytest.approx((1 + 2 / 3) / 2),
        "always_the_commonest": 0.75,
        "classes": [
            {"name": "blue", "pictures": 1, "precision": 0.5, "recall": 1.0,
             "f1": pytest.approx(2 / 3)},
            {"name": "green", "pictures": 3, "precision": 1.0, "recall": pytest.approx(2 / 3),
             "f1": pytest.approx(0.8)},
            {"name": "red", "pictures": 0, "precision": None, "recall": None, "f1": None},
        ],
        "confusion": [[1, 0, 0], [1, 2, 0], [0, 0, 0]],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("precision", "recall", "expected"),
    [(None, None, None), (0.5, None, None), (None, 0.0, 0.0), (0.0, 0.0, 0.0), (0.5, 1.0, 2 / 3)],
)
def test_f1_of_what_never_came_up(
    precision: float | None, recall: float | None, expected: float | None
) -> None:
    assert f1(precision, recall) == expected


@pytest.mark.parametrize(
    ("counts", "ratio", "words"),
    [
        ({"a": 3, "b": 5}, 5 / 3, "The classes are about equally large."),
        ({"a": 2, "b": 4}, 2.0, "b has 4 pictures, a has 2: accuracy favours the large classes, so "
         "look at the recall of each."),
        ({"a": 2, "b": 0}, None, "b has no picture to learn from."),
    ],
)  # fmt: skip
def test_how_unequal_classes_are(counts: dict[str, int], ratio: float | None, words: str) -> None:
    assert imbalance_of(counts) == {"counts": counts, "ratio": ratio, "words": words}
