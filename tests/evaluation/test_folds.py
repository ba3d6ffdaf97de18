"""evaluation/folds.py: everybody is judged once, by who has not seen them."""

import pytest
import torch

from dino_core.evaluation import folds
from dino_core.evaluation.folds import folds_of


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_picture_is_judged_once_by_those_who_have_not_seen_it() -> None:
    labels = [0] * 23 + [1] * 11 + [2] * 6 + [-1] * 4 + [3]  # one class has a single picture
    found = folds_of(labels, None, generator())
    assert len(found) == 5
    judged = torch.cat([fold.test for fold in found])
    assert sorted(judged.tolist()) == list(range(40))
    for fold in found:
        assert sorted(torch.cat([fold.train, fold.test]).tolist()) == list(range(40))
        counts = torch.tensor(labels)[fold.test].bincount(minlength=3).tolist()
        assert all(abs(got - all_ / 5) < 1 for got, all_ in zip(counts, (23, 11, 6), strict=True))
    same = folds_of(labels, None, generator())
    assert all(torch.equal(a.test, b.test) for a, b in zip(found, same, strict=True))


def test_no_part_gets_the_odd_ones_of_two_classes() -> None:
    """Two classes of 6 in 5 parts: the one left over of each goes to a part of its own."""
    folds = folds_of([0] * 6 + [1] * 6, None, generator())
    assert sorted(len(fold.test) for fold in folds) == [2, 2, 2, 3, 3]


def test_what_is_left_over_of_every_class_goes_round() -> None:
    """Three classes of 7 in 5 parts: two of each are left over, six in all."""
    folds = folds_of([0] * 7 + [1] * 7 + [2] * 7, None, generator())
    assert sorted(len(fold.test) for fold in folds) == [4, 4, 4, 4, 5]


def test_given_splits_hold_and_unlabelled_pictures_take_no_part() -> None:
    labels = [0, 1, 0, 1, -1, 0]
    splits = ["train", "train", "test", "test", "test", "train"]
    (fold,) = folds_of(labels, splits, generator())
    assert (fold.train.tolist(), fold.test.tolist()) == ([0, 1, 5], [2, 3])


@pytest.mark.parametrize("labels", [[], [0, 0, 0], [0, 1], [-1, -1], [0, 0, 1]])
def test_what_cannot_be_judged_is_said(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="two classes"):
        folds_of(labels, None, generator())
    with pytest.raises(ValueError, match="training pictures"):
        folds_of([0, 0, 0, 1], ["train", "train", "test", "test"], generator())


def test_tiny_classes_make_fewer_folds() -> None:
    found = folds_of([0, 0, 0, 1, 1], None, generator())
    assert len(found) == 2
    judged = torch.cat([fold.test for fold in found]).tolist()
    assert sorted(judged) == [0, 1, 2, 3, 4], "a class of two as well"
    assert all(3 in fold.train or 4 in fold.train for fold in found)
    one_alone = folds_of([0, 0, 1, 1, 2], None, generator())
    assert sorted(torch.cat([fold.test for fold in one_alone]).tolist()) == [0, 1, 2, 3]


def test_a_crowd_is_thinned_out_class_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "MOST_TO_LEARN", 60)
    labels = [0] * 300 + [1] * 200 + [2] * 20
    for fold in folds_of(labels, None, generator()):
        assert torch.tensor(labels)[fold.train].bincount().tolist() == [22, 22, 16]


def test_a_crowd_in_given_parts_is_thinned_out_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who learn, that is: everybody who is to be judged is judged."""
    monkeypatch.setattr(folds, "MOST_TO_LEARN", 20)
    labels = [0] * 100 + [1] * 50
    splits = (["train"] * 4 + ["test"]) * 30
    (fold,) = folds_of(labels, splits, generator())
    assert torch.tensor(labels)[fold.train].bincount().tolist() == [10, 10]
    assert not {splits[i] for i in fold.train.tolist()} - {"train"}
    assert len(fold.test) == 30
