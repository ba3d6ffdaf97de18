"""finetuning/classification.py: labels in, a model that tells the classes apart out."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.metrics import classification_report, confusion_matrix
from tiny_models import TINY, tiny_vit
from tiny_runs import COLOURS, coloured, files, picture, zipped

from dino_core.datasets import find_pictures
from dino_core.embedding.embed import embed_in_memory
from dino_core.finetuning import backbone, classification
from dino_core.finetuning import features as tuned_features
from dino_core.finetuning.classification import (
    FinetuneSetup,
    divide,
    finetune,
    load_classifier,
    predict,
)
from dino_core.finetuning.classifier import Classifier, LinearHead, fit_head
from dino_core.finetuning.explaining import standardised, training_features
from dino_core.finetuning.reports import imbalance, score
from dino_core.runs.folder import read_metrics, read_state, request_action
from dino_core.runs.request import DEFAULT_EPOCHS
from dino_core.weights import load_backbone, save_backbone


@pytest.fixture
def setup(tmp_path):
    weights = save_backbone(
        tiny_vit(replace(TINY, layer_scale_init=None)), tmp_path / "w.safetensors"
    )
    data = zipped(tmp_path / "data.zip", coloured(12) | {"red/broken.png": b"junk"})
    return FinetuneSetup(
        data=str(data), weights=str(weights), size=28, epochs=30, batch_size=8, threads=1
    )


def report(run):
    return json.loads((run / "report.json").read_text())


def test_a_head_tells_colours_apart(tmp_path, setup):
    run = tmp_path / "run"
    assert finetune(run, setup) == "finished"
    found = report(run)
    assert found["accuracy"] == 1
    assert found["always_the_commonest"] == pytest.approx(1 / 3, abs=0.1)
    assert [entry["file"] for entry in found["skipped"]] == ["red/broken.png"]
    assert sum(found["counts"].values()) == 36
    assert np.array(found["confusion"]).trace() == found["pictures"]
    lines = read_metrics(run)
    assert lines[0]["stage"] == "head"
    assert lines[-1]["validation_loss"] < lines[0]["validation_loss"]
    before, after = (np.load(run / "probes" / f"{name}.npz") for name in ("before", "after"))
    assert (before["attention"] == after["attention"]).all()
    assert read_state(run).state == "finished"


def test_the_model_file_answers_and_says_its_classes(tmp_path, setup):
    run = tmp_path / "run"
    finetune(run, setup)
    classifier = load_classifier(run)
    for name, colour in COLOURS.items():
        path = tmp_path / f"{name}.png"
        path.write_bytes(picture(999, colour))
        answer = predict(classifier, path)
        assert answer[0][0] == name
        assert sum(p for _, p in answer) == pytest.approx(1)
    with safe_open(run / "model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["classes"]) == ["blue", "green", "red"]
    backbone = load_backbone(weights=run / "model.safetensors").vit.state_dict()
    source = load_backbone(weights=setup.weights).vit.state_dict()
    assert all(torch.equal(source[name], tensor) for name, tensor in backbone.items())
    with pytest.raises(ValueError, match="no classifier"):
        load_classifier(setup.weights)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "still"), [("blocks", "blocks.0."), ("all", "mask_token")])
def test_the_backbone_learns_where_it_is_asked_to(tmp_path, setup, part, still):
    run = tmp_path / "run"
    finetune(run, replace(setup, part=part, blocks=1, epochs=2, rate=1e-3))
    tuned = load_classifier(run).backbone.state_dict()
    source = load_backbone(weights=setup.weights).vit.state_dict()
    moved = {name for name, tensor in source.items() if not torch.equal(tensor, tuned[name])}
    assert "blocks.1.mlp.fc1.weight" in moved
    assert not [name for name in moved if name.startswith(still)]
    assert ("blocks.0.mlp.fc1.weight" in moved) == (part == "all")
    lines = read_metrics(run)
    assert [line["step"] for line in lines] == [0, 1, 2]
    assert {line["stage"] for line in lines} == {"backbone"}
    before, after = (np.load(run / "probes" / f"{name}.npz") for name in ("before", "after"))
    assert (before["pictures"] == after["pictures"]).all()
    assert not np.array_equal(before["attention"], after["attention"])
    classifier = load_classifier(run)
    training = training_features(run, classifier)
    pictures = find_pictures(setup.data)
    learned = pictures.subset([pictures.names.index(name) for name in training.names])
    again = embed_in_memory(classifier.backbone, learned, setup.size)
    assert again.labels.equal(training.labels)
    expected = standardised(classifier.head, again.both)
    torch.testing.assert_close(training.features, torch.nn.functional.normalize(expected, dim=1))


def test_earlier_blocks_learn_at_lower_rates(setup):
    classifier = Classifier(tiny_vit(), ("a", "b"), 28)
    chosen = replace(setup, part="all", layer_decay=0.5, rate=1.0)
    backbone.set_trainable(classifier, chosen)
    names = {p: n for n, p in classifier.named_parameters()}
    peaks = {
        names[p]: group["peak"]
        for group in backbone.rates(classifier, chosen)
        for p in group["params"]
    }
    assert peaks["head.weight"] == peaks["backbone.norm.weight"] == 1
    assert peaks["backbone.blocks.1.attn.qkv.weight"] == 0.5
    assert peaks["backbone.blocks.0.attn.qkv.weight"] == 0.25
    assert peaks["backbone.patch_embed.proj.weight"] == 0.125
    assert "backbone.mask_token" not in peaks
    for part in ("blocks", "head"):
        alone = replace(chosen, part=part, blocks=2)
        backbone.set_trainable(classifier, alone)
        assert {group["peak"] for group in backbone.rates(classifier, alone)} == {1}, part


@pytest.mark.slow
def test_stopped_and_resumed_is_the_same_bit_for_bit(tmp_path, setup, monkeypatch):
    chosen = replace(setup, part="blocks", epochs=3, rate=1e-3)
    finetune(tmp_path / "whole", chosen)
    broken = tmp_path / "broken"
    count = iter(range(1000))
    update = backbone.update

    def stop_in_the_second_epoch(*arguments):
        if next(count) == 5:
            request_action(broken, "stop")
        return update(*arguments)

    monkeypatch.setattr(backbone, "update", stop_in_the_second_epoch)
    assert finetune(broken, chosen) == "stopped"
    assert read_state(broken).state == "stopped"
    assert [line["step"] for line in read_metrics(broken)] == [0, 1]
    monkeypatch.undo()
    assert finetune(broken, resume=True) == "finished"
    whole, resumed = (load_classifier(tmp_path / n).state_dict() for n in ("whole", "broken"))
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())
    assert [line["step"] for line in read_metrics(broken)] == [0, 1, 2, 3]
    assert report(broken) == report(tmp_path / "whole")


def test_features_are_computed_once(tmp_path, setup, monkeypatch):
    run = tmp_path / "run"
    finetune(run, setup)
    first = report(run)

    def never(*_, **__):
        raise AssertionError("the features are there already")

    monkeypatch.setattr(tuned_features, "embed_in_memory", never)
    (run / "report.json").unlink()
    finetune(run, resume=True)
    assert report(run) == first
    skipped = (run / "log.txt").read_text().count("Skipped red/broken.png")
    assert skipped == 1
    (run / "layers.json").unlink()
    monkeypatch.undo()
    finetune(run, resume=True)
    assert (run / "log.txt").read_text().count("Skipped red/broken.png") == 1, "it is known"
    zipped(tmp_path / "data.zip", coloured(13))
    with pytest.raises(ValueError, match="not those that the run started with"):
        finetune(run, resume=True)
    assert report(run) == first


# --- when a head has learnt enough


def validation_falls_until(best: int, patience: int) -> tuple[int, list[int]]:
    """The epoch that is called the best, and the epochs that were made."""
    head, epochs = LinearHead(2, 2), []
    losses = [9.0 - epoch if epoch <= best else 9.0 for epoch in range(30)]
    with pytest.MonkeyPatch.context() as patch:
        row = iter(losses)
        patch.setattr("dino_core.finetuning.classifier.evaluate_head", lambda *_: (next(row), 0.5))
        data = torch.eye(2), torch.tensor([0, 1])
        watch = lambda epoch, *_: epochs.append(epoch)  # noqa: E731
        found = fit_head(head, data, data, epochs=20, patience=patience, seed=0, watch=watch)
    return found, epochs


@pytest.mark.parametrize(
    ("best", "patience", "made"), [(0, 3, 3), (4, 3, 7), (4, 1, 5), (9, 99, 20)]
)
def test_a_head_learns_until_nothing_has_improved_for_so_many_epochs(best, patience, made):
    found, epochs = validation_falls_until(best, patience)
    assert (found, epochs) == (best, [*range(1, made + 1)])


@pytest.mark.parametrize(("part", "epochs"), [("head", 30), ("blocks", DEFAULT_EPOCHS["head"])])
def test_what_a_head_is_trained_with(setup, monkeypatch, part, epochs):
    """Alone it is all that is trained; before a backbone it is a start, and says nothing."""
    asked = {}
    monkeypatch.setattr(classification, "fit_head", lambda *_, **given: asked.update(given) or 3)
    monkeypatch.setattr(classification, "follow_control", lambda *_: None)
    reported = []
    monkeypatch.setattr(classification, "report_epoch", lambda *told: reported.append(told[2]))
    chosen = replace(setup, part=part, seed=7, patience=4)
    features = dict.fromkeys(("train", "validation"), SimpleNamespace(both=None, labels=None))
    run = SimpleNamespace(log=lambda words: None)
    classifier = Classifier(tiny_vit(), ("a", "b"), 28)
    assert classification.train_head(run, chosen, features, classifier, None) == 3
    asked["watch"](5, 0.5, 0.4, 0.9)
    assert (asked["epochs"], asked["patience"], asked["seed"]) == (epochs, 8, 7)
    assert [one.number for one in reported] == ([5] if part == "head" else [])
    with pytest.raises(FloatingPointError):
        asked["watch"](6, float("nan"), 0.4, 0.9)


def test_given_splits_are_kept_and_the_test_is_never_learnt_from(tmp_path, setup):
    contents = coloured(10, "train/") | coloured(4, "test/")
    found = files(tmp_path / "folders", contents)
    parts = divide(find_pictures(found), setup)
    assert {name.split("/")[0] for name in parts.test.names} == {"test"}
    assert {name.split("/")[0] for name in parts.train.names + parts.validation.names} == {"train"}
    assert not set(parts.train.names) & set(parts.validation.names)
    assert len(parts.test) == 12


def test_three_splits_stay_three(tmp_path, setup):
    contents = coloured(4, "train/") | coloured(2, "valid/") | coloured(3, "test/")
    parts = divide(find_pictures(files(tmp_path / "folders", contents)), setup)
    for part, folder, count in (
        (parts.train, "train", 12),
        (parts.validation, "valid", 6),
        (parts.test, "test", 9),
    ):
        assert {name.split("/")[0] for name in part.names} == {folder}
        assert len(part) == count


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"a.png": picture(0), "b.png": picture(1)}, "no labels"),
        ({"a/1.png": picture(0), "b/1.png": picture(1)}, "leaves no picture"),
    ],
)
def test_too_little_to_learn_from_is_said(tmp_path, setup, contents, words):
    chosen = replace(setup, data=str(files(tmp_path / "few", contents)))
    with pytest.raises(ValueError, match=words):
        finetune(tmp_path / "run", chosen)
    assert not (tmp_path / "run").exists()


def test_a_size_that_is_no_whole_patches_is_refused(tmp_path, setup):
    with pytest.raises(ValueError, match="--size 28"):
        finetune(tmp_path / "run", replace(setup, size=32))


# --- scores, against scikit-learn


def test_scores_agree_with_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0] * 20 + [1] * 7 + [2] * 3)
    logits = torch.randn(30, 4, generator=generator) + 1.5 * torch.eye(4)[labels]
    logits[:, 3] = -9  # a class that never comes up
    probabilities = logits.softmax(1)
    names = [f"{i}.png" for i in range(30)]
    found = score(probabilities, labels, ["a", "b", "c", "d"], names)
    predicted = probabilities.argmax(1)
    peer = classification_report(
        labels, predicted, labels=range(4), output_dict=True, zero_division=0.0
    )
    expected = confusion_matrix(labels, predicted, labels=range(4))
    assert found["confusion"] == expected.tolist()
    assert found["accuracy"] == pytest.approx((predicted == labels).float().mean().item())
    for i, entry in enumerate(found["classes"][:3]):
        assert entry["precision"] == pytest.approx(peer[str(i)]["precision"])
        assert entry["recall"] == pytest.approx(peer[str(i)]["recall"])
        assert entry["f1"] == pytest.approx(peer[str(i)]["f1-score"])
    assert found["classes"][3] == {
        "name": "d", "pictures": 0, "precision": None, "recall": None, "f1": None,
    }  # fmt: skip
    recalls = [peer[str(i)]["recall"] for i in range(3)]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert found["always_the_commonest"] == pytest.approx(2 / 3)


def test_the_most_confident_mistakes_come_first():
    probabilities = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    labels = torch.tensor([0, 0, 0, 1])
    found = score(probabilities, labels, ["a", "b"], ["w", "x", "y", "z"])["mistakes"]
    assert [(m["file"], m["true"], m["predicted"]) for m in found] == [
        ("x", "a", "b"),
        ("y", "a", "b"),
    ]
    assert found[0]["probabilities"] == pytest.approx({"a": 0.2, "b": 0.8})


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 0, 1], "a has 2 pictures"),
        ([0, 1], "equally large"),
        ([0], "b has no picture"),
    ],
)
def test_imbalance_is_reported(labels, words):
    assert words in imbalance(labels, ["a", "b"])["words"]
