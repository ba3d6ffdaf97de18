"""finetuning/layers.py: which layer of the backbone as it came would have done best."""

import json
from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tiny_models import TINY, tiny_vit
from tiny_runs import coloured, files, picture, zipped

from dino_core.datasets import find_pictures
from dino_core.embedding.embed import LayerFeatures, embed_in_memory
from dino_core.evaluation.folds import Fold
from dino_core.evaluation.probes import probe
from dino_core.finetuning import features as features_of_run
from dino_core.finetuning.classification import FinetuneSetup, divide, finetune
from dino_core.finetuning.features import layered
from dino_core.finetuning.layers import best_layer, best_sentence, is_judged, judge_layers
from dino_core.runs.folder import RunFolder, read_state, request_action
from dino_core.weights import load_backbone, save_backbone


@pytest.fixture
def setup(tmp_path):
    vit = tiny_vit(replace(TINY, layer_scale_init=None))
    data = zipped(tmp_path / "data.zip", coloured(6) | {"red/broken.png": b"junk"})
    weights = save_backbone(vit, tmp_path / "w.safetensors")
    return FinetuneSetup(
        data=str(data), weights=str(weights), size=28, epochs=2, batch_size=8, threads=1
    )


def stored(run):
    return json.loads((run / "layers.json").read_text())


@pytest.fixture
def empty_run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    return run


def random_layers(count, seed, knowing, classes=3):
    """Noise [count, 4, 2, 8]; on the mean patch of layer `knowing` the class can be read off."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    values = torch.randn(count, 4, 2, 8, generator=generator)
    values[:, knowing, 1, :classes] += 6.0 * torch.eye(classes)[labels]
    return LayerFeatures(values.half(), labels)


@pytest.mark.parametrize("knowing", [0, 2, 3])
def test_the_layer_that_knows_is_named(empty_run, knowing):
    learned, tested = random_layers(60, 0, knowing), random_layers(30, 1, knowing)
    judge_layers(empty_run, learned, tested, 3)
    values = stored(empty_run.path)
    layer, features, _, accuracy = best_layer(values)
    assert (layer, features) in [(knowing, "mean_patch"), (knowing, "both")]
    assert accuracy > 0.9
    for other in {0, 1, 2, 3} - {knowing}:
        assert max(max(row) for row in values["accuracy"][other]) < 0.75
    assert f"best at layer {knowing}: {100 * accuracy:.1f} %" in best_sentence(empty_run)
    assert values["chance"] == pytest.approx(1 / 3)
    assert values["pictures"] == 30


def test_a_layer_is_judged_as_scikit_learn_judges_it(empty_run):
    learned, tested = random_layers(60, 0, 1), random_layers(30, 1, 1)
    learned.values[:, :, 1] *= 0.3  # not so easy that nothing can differ
    tested.values[:, :, 1] *= 0.3
    judge_layers(empty_run, learned, tested, 3)
    found = stored(empty_run.path)["accuracy"]
    for layer in range(4):
        x, y = (one.values[:, layer, 1].double() for one in (learned, tested))
        mean = x.mean(0)
        scale = (x - mean).square().mean().sqrt()
        peer = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000)
        peer.fit((x - mean) / scale, learned.labels)
        expected = peer.score((y - mean) / scale, tested.labels)
        assert found[layer][1][1] == pytest.approx(expected, abs=1 / 30 + 1e-6), layer


def test_what_is_written_of_every_layer(empty_run):
    """Each number is of a classifier that has seen the training pictures of this layer alone."""
    learned, tested = random_layers(40, 0, 2), random_layers(25, 1, 2)
    tested.labels[:12] = 1  # not as many of each class
    watched = []
    judge_layers(empty_run, learned, tested, 3, watch=watched.append)
    found = stored(empty_run.path)
    labels = torch.cat([learned.labels, tested.labels])
    fold = Fold(torch.arange(40), torch.arange(40, 65))
    for layer in range(4):
        cls, mean = (
            torch.cat([one.values[:, layer, kind] for one in (learned, tested)]).float()
            for kind in (0, 1)
        )
        for row, features in enumerate((cls, mean, torch.cat([cls, mean], dim=1))):
            for column, method in enumerate(("knn", "logistic")):
                judged = probe(features, labels, [fold], 3, method)
                values = [found[name][layer][row][column] for name in ("accuracy", "low", "high")]
                assert values == pytest.approx([judged.accuracy, *judged.interval])
    commonest = max((tested.labels == label).sum().item() for label in range(3))
    assert {name: value for name, value in found.items() if not isinstance(value, list)} == {
        "chance": commonest / 25,
        "pictures": 25,
        "words": "Judged: 25 test pictures, by what 40 training pictures taught; the backbone as "
        "it came.",
    }
    assert watched == [0, 1, 2, 3]
    layer, features, classifier, accuracy = best_layer(found)
    how = {"knn": "k-NN", "logistic": "logistic regression"}[classifier]
    on = {"cls": "class token", "mean_patch": "mean patch", "both": "class token and mean patch"}
    assert best_sentence(empty_run) == (
        f"best at layer {layer}: {100 * accuracy:.1f} % ({how} on the {on[features]})"
    )


def test_nothing_is_said_of_layers_that_were_not_judged(empty_run):
    assert not is_judged(empty_run)
    assert best_sentence(empty_run) == ""
    (empty_run.path / "layers.json").write_text("{}")
    assert is_judged(empty_run)


def test_ties_go_to_the_first():
    accuracy = [[[0.5, 0.25]] * 3, [[0.5, 0.5]] * 3]
    assert best_layer({"accuracy": accuracy}) == (0, "cls", "knn", 0.5)
    accuracy[1][2] = [0.25, 0.75]
    assert best_layer({"accuracy": accuracy}) == (1, "both", "logistic", 0.75)


def test_a_run_judges_the_layers_it_began_with_on_its_own_test_pictures(tmp_path, setup):
    run = tmp_path / "run"
    finetune(run, replace(setup, part="all", rate=1e-3))
    parts = divide(find_pictures(setup.data), setup)
    vit = load_backbone(weights=setup.weights).vit  # before the run changed it
    layers = {}
    for name in ("train", "test"):
        pictures = getattr(parts, name)
        every = range(len(pictures))
        layers[name] = embed_in_memory(vit, pictures, 28, layers_of=every).layers
    again = RunFolder(tmp_path / "again")
    again.path.mkdir()
    judge_layers(again, layers["train"], layers["test"], 3)
    assert stored(run) == stored(again.path)
    assert stored(run)["pictures"] == json.loads((run / "report.json").read_text())["pictures"]
    words = read_state(run).words
    assert "It began with" in words
    assert best_sentence(RunFolder(run)) in words


def test_features_of_every_layer_are_those_of_a_traced_forward(tmp_path):
    vit = tiny_vit()
    contents = {f"{i}.png": picture(i) for i in range(5)} | {"2.png": b"junk"}
    pictures = find_pictures(files(tmp_path / "five", contents))
    plain = embed_in_memory(vit, pictures, 28, batch_size=2)
    found = embed_in_memory(vit, pictures, 28, batch_size=2, layers_of={0, 2, 4})
    assert found.names == plain.names
    torch.testing.assert_close(found.both, plain.both)
    assert found.layers.values.shape == (2, vit.config.depth, 2, vit.config.dim), "2 is broken"
    for place, row in enumerate((0, 3)):  # of those that could be read
        last = found.layers.values[place, -1].float()
        expected = torch.stack([plain.cls[row], plain.mean_patch[row]])
        torch.testing.assert_close(last, expected, atol=2e-3, rtol=2e-3)
    assert plain.layers is None


def test_of_very_many_pictures_some_of_every_class_are_judged(tmp_path, monkeypatch):
    from dino_core.evaluation import folds

    monkeypatch.setattr(folds, "MOST_TO_LEARN", 6)
    pictures = find_pictures(files(tmp_path / "many", coloured(5)))
    chosen = layered(pictures, seed=0)
    assert sorted(pictures.labels[i] for i in chosen) == [0, 0, 1, 1, 2, 2]
    assert chosen == layered(pictures, seed=0)


def test_a_run_stopped_while_layers_are_judged_judges_them_when_it_goes_on(
    tmp_path, setup, monkeypatch
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finetune(whole, setup)
    judge = features_of_run.judge_layers

    def stop_at_layer_1(run, learned, tested, classes, *, watch):
        def stopping(layer):
            if layer == 1:
                request_action(broken, "stop")
            watch(layer)

        judge(run, learned, tested, classes, watch=stopping)

    monkeypatch.setattr(features_of_run, "judge_layers", stop_at_layer_1)
    assert finetune(broken, setup) == "stopped"
    assert not (broken / "layers.json").exists()
    monkeypatch.undo()
    assert finetune(broken, resume=True) == "finished"
    assert stored(broken) == stored(whole)
    log = (broken / "log.txt").read_text()
    assert log.count("broken.png") == 1, "what was skipped is said once"
