"""evaluation/knn.py: k-NN against loops and scikit-learn; what is kept of chosen pictures."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from tiny_models import TINY, tiny_vit
from tiny_runs import RUN, coloured, files, zipped

from dino_core.analysis.inspection import inspect
from dino_core.datasets import find_pictures
from dino_core.evaluation.knn import (
    LabelledSet,
    embed,
    knn_accuracy,
    knn_predict,
    raw_pixel_accuracy,
)
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.runs.sample_pictures import probe, same_colours, save_arrays


def features(n, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (n,), generator=generator)
    centres = torch.randn(4, 8, generator=torch.Generator().manual_seed(9))
    return centres[labels] + 1.5 * torch.randn(n, 8, generator=generator) + 3, labels


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("k", [1, 20])
def test_knn_votes_as_in_plain_loops(k, center):
    train, labels = features(60, 0)
    test, _ = features(25, 1)
    found = knn_predict(train, labels, test, classes=4, k=k, center=center)

    mean = train.double().mean(0) if center else 0
    expected = []
    for x in test.double() - mean:
        scores = []
        for j, y in enumerate(train.double() - mean):
            scores.append(((x @ y / x.norm() / y.norm()).item(), labels[j].item()))
        votes = [0.0] * 4
        for score, label in sorted(scores, reverse=True)[:k]:
            votes[label] += math.exp(score / 0.07)
        expected.append(votes.index(max(votes)))
    assert found.tolist() == expected
    assert len(set(expected)) > 1


def test_knn_agrees_with_scikit_learn():
    train, labels = features(80, 2)
    test, _ = features(40, 3)
    peer = KNeighborsClassifier(
        20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.07)
    )
    mean = train.mean(0)
    peer.fit((train - mean).numpy(), labels.numpy())
    found = knn_predict(train, labels, test, classes=4)
    assert found.tolist() == peer.predict((test - mean).numpy()).tolist()


def test_fewer_pictures_than_neighbours(tmp_path):
    train, labels = features(5, 0)
    assert len(knn_predict(train, labels, train, classes=4)) == 5


def test_features_are_those_of_the_model_and_broken_files_are_named(tmp_path):
    contents = coloured(3) | {"blue/01.png": b"junk"}
    found = find_pictures(zipped(tmp_path / "a.zip", contents))
    vit = tiny_vit()
    embedded = embed(vit, found, 28, batch_size=4)
    assert embedded.names == tuple(name for name in found.names if name != "blue/01.png")
    assert [name for name, _ in embedded.broken] == ["blue/01.png"]
    assert embedded.labels.tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    for i, name in enumerate(embedded.names):
        picture = open_picture(contents[name])
        images = to_tensor(fit_to_patches(picture, 14, (28, 28), "crop").picture)[None]
        with torch.no_grad():
            out = vit(images)
        torch.testing.assert_close(embedded.cls[i], out.cls[0], rtol=1e-4, atol=1e-5)
        mean = out.patches[0].mean(0)
        torch.testing.assert_close(embedded.both[i, 48:], mean, rtol=1e-4, atol=1e-5)


def test_accuracy_of_what_is_easy_and_of_what_has_no_answer(tmp_path):
    data = LabelledSet.of(find_pictures(files(tmp_path, coloured(10))))
    assert (len(data.train), len(data.test)) == (21, 9)
    assert not set(data.train.names) & set(data.test.names)
    scores = knn_accuracy(tiny_vit(), data, 28)
    assert set(scores) == {"cls", "mean_patch", "both"}
    assert raw_pixel_accuracy(data, 8) == 100


def test_given_splits_and_limits_hold(tmp_path):
    contents = coloured(5, "train/") | coloured(4, "test/")
    data = LabelledSet.of(find_pictures(files(tmp_path, contents)), 3, 2)
    assert data.train.names[:3] == tuple(f"train/blue/0{i}.png" for i in range(3))
    assert (len(data.train), len(data.test)) == (9, 6)
    with pytest.raises(ValueError, match="no labels"):
        LabelledSet.of(find_pictures(tmp_path / "train" / "red"))


def test_probes_hold_what_the_model_sees(tmp_path):
    contents = coloured(1)
    pictures = [(name, open_picture(data)) for name, data in contents.items()]
    vit = tiny_vit()
    arrays = probe(vit, pictures, 56, RUN)
    save_arrays(tmp_path / "probes" / "a.npz", arrays)
    stored = np.load(tmp_path / "probes" / "a.npz")
    assert stored["names"].tolist() == list(contents)
    assert {name: stored[name].shape for name in stored.files if name != "names"} == {
        "pictures": (3, 56, 56, 3),
        "attention": (3, TINY.heads, 4, 4),
        "pca": (3, 4, 4, 3),
        "foreground": (3, 4, 4),
        "masks": (3, 4, 4),
    }
    picture = fit_to_patches(pictures[1][1], 14, (56, 56), "crop").picture
    seen = inspect(vit, to_tensor(picture))
    np.testing.assert_allclose(
        stored["attention"][1], seen.on_grid(seen.cls_rows()[-1]).numpy(), atol=1e-6
    )
    assert (stored["masks"] == probe(vit, pictures, 56, RUN)["masks"]).all()
    assert stored["masks"].any()


def test_colours_do_not_flicker_from_one_milestone_to_the_next():
    before = np.random.default_rng(0).random((2, 4, 4, 3)).astype(np.float32)
    turned = before.copy()
    turned[..., 1] = 1 - turned[..., 1]
    np.testing.assert_allclose(same_colours(turned, before), before, atol=1e-6)
    assert same_colours(before, before[:1]) is before
