"""evaluation/protocols.py and linear.py against scikit-learn, loops and torch's own optimiser."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from tiny_runs import coloured, files

from dino_core.datasets import Pictures, find_pictures
from dino_core.embedding.embed import Embedded, cache_for, embed
from dino_core.embedding.preparation import Preparation
from dino_core.evaluation import linear, protocols
from dino_core.evaluation.by_layer import accuracy_by_layer, best_sentence
from dino_core.evaluation.linear import linear_input, linear_probe, train_rates
from dino_core.evaluation.protocols import Protocol, evaluate, labelled, same_classes
from dino_core.evaluation.reports import report, wilson
from dino_core.weights import Backbone

SQUARE = Preparation(28)


@pytest.fixture
def parts(backbone: Backbone, tmp_path: Path):
    root = files(tmp_path / "data", coloured(12, "train/") | coloured(5, "test/"))
    found = find_pictures(root)
    train = labelled(found, "train", None, "--train")
    test = labelled(found, "test", 4, "--test")
    with cache_for(backbone, SQUARE, layers=True) as cache:
        yield tuple(embed(backbone, one, SQUARE, cache) for one in (train, test))


def shuffled(embedded: Embedded, every: int) -> Embedded:
    """Some labels wrong, so that there is something to get wrong."""
    labels = list(embedded.pictures.labels or ())
    labels = [(label + 1) % 3 if i % every == 0 else label for i, label in enumerate(labels)]
    return replace(embedded, pictures=replace(embedded.pictures, labels=tuple(labels)))


def test_logistic_is_scikit_learn_on_the_class_tokens(parts) -> None:
    train, test = (shuffled(one, 4) for one in parts)
    answer = evaluate(train, test, Protocol("logistic"))
    peer = LogisticRegression(max_iter=1000).fit(train.array("cls"), train.pictures.labels)
    shares = peer.predict_proba(test.array("cls"))
    predicted, truth = shares.argmax(1), np.array(test.pictures.labels)
    assert answer["accuracy"] == pytest.approx((predicted == truth).mean())
    assert 0.3 < answer["accuracy"] < 1
    assert answer["confusion"] == confusion_matrix(truth, predicted).tolist()
    assert answer["overlap"] == 12  # these test pictures are copies of training pictures
    wrong = (predicted != truth).nonzero()[0]
    order = wrong[np.argsort(-shares.max(1)[wrong], kind="stable")]
    assert [one["file"] for one in answer["mistakes"]] == [test.pictures.names[i] for i in order]
    for mistake, i in zip(answer["mistakes"], order, strict=True):
        assert mistake["confidence"] == pytest.approx(shares[i].max(), abs=1e-5)
        assert mistake["predicted"] == test.pictures.classes[predicted[i]]
        assert mistake["true"] == test.pictures.classes[truth[i]]


def test_the_official_search_takes_the_best_of_a_held_out_tenth(
    parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(protocols.C_GRID) == 45
    assert protocols.C_GRID[0] == pytest.approx(1e-6)
    assert protocols.C_GRID[-1] == pytest.approx(1e5)
    monkeypatch.setattr(protocols, "C_GRID", (1e-6, 1.0, 1e3))
    seen = []
    train, test = parts
    answer = evaluate(train, test, Protocol("logistic", C=None), seen.append)
    assert seen == pytest.approx([1 / 3, 2 / 3, 1])
    best = max(one["accuracy"] for one in answer["search"])
    assert answer["C"] == next(one["C"] for one in answer["search"] if one["accuracy"] == best)


@pytest.mark.parametrize("features", ["cls", "mean_patch", "both"])
def test_knn_votes_by_cosine(parts, features: str) -> None:
    train, test = (shuffled(one, 5) for one in parts)
    answer = evaluate(train, test, Protocol("knn", features, (3, 20, 100)))
    x, y = (
        np.concatenate([one.array("cls"), one.array("mean_patch")], 1)
        if features == "both"
        else one.array(features)
        for one in (train, test)
    )
    x, y = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (x, y))
    labels, truth = np.array(train.pictures.labels), np.array(test.pictures.labels)
    similarity = y @ x.T
    for k, found in answer["by_k"].items():
        hits = 0
        for row, true in zip(similarity, truth, strict=True):
            best = np.argsort(-row)[: int(k)]
            weights = np.bincount(labels[best], np.exp(row[best] / 0.07), 3)
            hits += weights.argmax() == true
        assert found["accuracy"] == pytest.approx(hits / len(truth))
        assert found["interval"] == pytest.approx(wilson(hits, len(truth)))
    assert answer["k"] == 20
    assert answer["accuracy"] == answer["by_k"]["20"]["accuracy"]
    assert evaluate(train, test, Protocol("knn", ks=(3,)))["k"] == 3


def test_every_layer_is_judged_by_what_it_says_itself(parts) -> None:
    train, test = (shuffled(one, 5) for one in parts)
    answer = evaluate(train, test, Protocol("knn", ks=(20,), by_layer=True))
    x, y = (one.array("layers").astype(np.float32) for one in (train, test))  # [n, T, 2, D]
    labels, truth = np.array(train.pictures.labels), np.array(test.pictures.labels)
    found = answer["layers"]["accuracy"]
    assert len(found) == x.shape[1]
    for layer, of_layer in enumerate(found):
        for kind, part in (("cls", 0), ("mean_patch", 1), ("both", slice(None))):
            base, asked = (one[:, layer, part].reshape(len(one), -1) for one in (x, y))
            assert of_layer[kind] == pytest.approx(knn_accuracy(base, labels, asked, truth))
    assert found[-1]["cls"] == pytest.approx(answer["accuracy"]), "the last is what came out"
    assert "layers" not in evaluate(train, test, Protocol("knn"))


def knn_accuracy(base: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray):
    base, asked = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (base, asked))
    hits = 0
    for row, true in zip(asked @ base.T, truth, strict=True):
        best = np.argsort(-row)[:20]
        hits += np.bincount(labels[best], np.exp(row[best] / 0.07), 3).argmax() == true
    return hits / len(truth)


def test_the_best_layer_is_named(parts) -> None:
    """Only the mean patch of layer 1 tells the classes apart."""
    train, test = parts
    generator = np.random.default_rng(0)

    def told(embedded: Embedded) -> SimpleNamespace:
        noise = generator.normal(size=(len(embedded.pictures), 3, 2, 5)).astype(np.float16)
        noise[:, 1, 1] = 0.01 * noise[:, 1, 1] + np.eye(3, 5)[list(embedded.pictures.labels or ())]
        return SimpleNamespace(pictures=embedded.pictures, array={"layers": noise}.__getitem__)

    labels = [torch.tensor(one.pictures.labels) for one in parts]
    found = accuracy_by_layer(told(train), told(test), *labels)
    assert found["best"] == {"layer": 1, "features": "mean_patch", "accuracy": 1.0}
    assert best_sentence(found) == "best at layer 1: 100.0 % (20-NN on the mean patch)"


def test_of_equal_layers_the_first_is_the_best(parts) -> None:
    """All layers are the same here."""

    def told(embedded: Embedded) -> SimpleNamespace:
        layers = np.repeat(embedded.array("layers")[:, :1], 3, axis=1)
        return SimpleNamespace(pictures=embedded.pictures, array={"layers": layers}.__getitem__)

    labels = [torch.tensor(one.pictures.labels) for one in parts]
    found = accuracy_by_layer(*map(told, parts), *labels)
    assert found["accuracy"][0] == found["accuracy"][-1]
    assert found["best"]["layer"] == 0


def test_linear_finds_what_is_easy_and_names_its_choice(parts) -> None:
    answer = evaluate(*parts, Protocol("linear"))
    assert answer["accuracy"] > 0.6
    chosen = answer["chosen"]
    assert chosen["blocks"] == 1  # the tiny model has three, and not four
    assert chosen["rate"] in linear.RATES


def test_all_learning_rates_are_trained_as_torch_would() -> None:
    draw = torch.Generator().manual_seed(0)
    x, labels = torch.randn(300, 5, generator=draw), torch.randint(3, (300,), generator=draw)
    weight, bias = train_rates(x, labels, 3, torch.Generator().manual_seed(1), 6)

    for at in (0, 5, 12):
        draw = torch.Generator().manual_seed(1)
        layer = torch.nn.Linear(5, 3)
        with torch.no_grad():
            layer.weight.copy_(0.01 * torch.randn(1, 3, 5, generator=draw)[0])
            layer.bias.zero_()
        rate = linear.RATES[at] * 128 / 256
        optimiser = torch.optim.SGD(layer.parameters(), rate, momentum=0.9)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 6)
        order = torch.cat([torch.randperm(300, generator=draw) for _ in range(3)])
        order = order[: 6 * 128]
        for chosen in order.split(128):
            loss = torch.nn.functional.cross_entropy(layer(x[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        torch.testing.assert_close(weight[at], layer.weight.detach(), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(bias[at], layer.bias.detach(), rtol=1e-4, atol=1e-6)


def test_linear_inputs_are_those_of_the_official_grid() -> None:
    layers = torch.arange(2 * 5 * 2 * 3).reshape(2, 5, 2, 3)
    assert linear_input(layers, 1, False).tolist() == layers[:, 4, 0].tolist()
    got = linear_input(layers, 4, True)
    assert got.shape == (2, 15)
    assert got[1, :3].tolist() == layers[1, 1, 0].tolist()
    assert got[1, 9:12].tolist() == layers[1, 4, 0].tolist()
    assert got[1, 12:].tolist() == layers[1, 4, 1].tolist()


def test_linear_uses_four_blocks_where_the_answer_lies_there() -> None:
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (400,), generator=draw)
    layers = 0.3 * torch.randn(400, 5, 2, 4, generator=draw)
    layers[:, 2, 0, 0] += 3 * labels
    seen: list[float] = []
    draw = torch.Generator().manual_seed(0)
    shares, chosen = linear_probe(layers, labels, layers, 2, draw, watch=seen.append)
    assert chosen.blocks == 4
    assert seen == [0.25, 0.5, 0.75, 1], "of the four choices of what is read"
    assert (shares.argmax(1) == labels).float().mean() > 0.95
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    contents = coloured(2)
    train = find_pictures(files(tmp_path / "a", contents))
    without_blue = {name: data for name, data in contents.items() if "blue" not in name}
    test = find_pictures(files(tmp_path / "b", without_blue))
    matched = same_classes(train, test)
    assert matched.labels == (1, 1, 2, 2)
    with pytest.raises(ValueError, match="'blue'"):
        same_classes(test, train)


def test_a_single_class_is_enough_where_the_classes_are_known(tmp_path: Path) -> None:
    """And of classes that the folders say themselves nothing is made anew."""
    two = {name: data for name, data in coloured(2).items() if "green" in name}
    alone = find_pictures(files(tmp_path / "alone", two))
    assert alone.labels is None
    with pytest.raises(ValueError, match="--test wants a folder for each class"):
        labelled(alone, "test", None, "--test")
    found = labelled(alone, "test", None, "--test", classes=("blue", "Green"))
    assert (found.classes, found.labels) == (("Green",), (0, 0))
    every = find_pictures(files(tmp_path / "green", coloured(2)))
    kept = labelled(every, "test", 1, "--test", classes=("green",))
    assert (kept.classes, kept.labels) == (("blue", "green", "red"), (0, 1, 2))


def test_what_has_no_answer_is_said(parts, tmp_path: Path) -> None:
    train, test = parts
    one_class: Pictures = replace(train.pictures, labels=(1,) * len(train.pictures))
    with pytest.raises(ValueError, match="all of one class"):
        evaluate(replace(train, pictures=one_class), test, Protocol())
    flat = files(tmp_path / "flat", {"a.png": b"x"})
    with pytest.raises(ValueError, match="--test wants a folder for each class"):
        labelled(find_pictures(flat), "test", None, "--test")


def test_the_report_counts() -> None:
    shares = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.6, 0.4, 0.0], [0.5, 0.2, 0.3]])
    truth = torch.tensor([0, 1, 1, 0])
    answer = report(shares, truth, ["a", "b", "c"], ["1", "2", "3", "4"])
    assert answer["accuracy"] == 0.75
    assert answer["interval"] == pytest.approx(wilson(3, 4))
    assert answer["confusion"] == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert [one["recall"] for one in answer["by_class"]] == [1, 0.5, None]
    assert answer["always_the_commonest"] == 0.5
    assert answer["mistakes"] == [
        {"file": "3", "true": "b", "predicted": "a", "confidence": pytest.approx(0.6)}
    ]


def test_the_search_never_learns_from_what_it_is_judged_on(
    parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth is held out, another with each seed; what is found is then learnt from all."""
    monkeypatch.setattr(protocols, "C_GRID", (1.0,))
    train, _ = parts
    x, labels = torch.from_numpy(train.array("cls")), torch.tensor(train.pictures.labels)
    asked: list[tuple[set[bytes], set[bytes], float]] = []

    def logistic(known, answers, asked_about, classes, *, C, tolerance):
        rows = [{row.numpy().tobytes() for row in part} for part in (known, asked_about)]
        asked.append((rows[0], rows[1], tolerance))
        return torch.ones(len(asked_about), classes)

    monkeypatch.setattr(protocols, "sklearn_logistic", logistic)
    noise = x + torch.arange(len(x))[:, None]  # no two are the same
    for seed in (0, 1):
        protocols.search(noise, labels, 3, seed, lambda share: None)
    for rest, held, tolerance in asked:
        assert (len(rest), len(held), rest & held) == (33, 3, set())
        assert tolerance == 1e-12
    assert asked[0][1] != asked[1][1]
