"""step/loader.py: a batch is a function of seed and step, whoever makes it."""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_runs import TRAIN, files, noise_folder, picture

from dino_core.crops import sample_crops, stack_crops
from dino_core.datasets import find_pictures
from dino_core.masks import sample_masks
from dino_core.step import loader
from dino_core.step.loader import (
    BatchMaker,
    Streams,
    background_batches,
    generator_for,
    order_of_pass,
    parts_of,
    picture_at,
    shuffled_streams,
    to_batch,
)

ARRAYS = ("global_crops", "local_crops", "masks")


@pytest.fixture
def maker(tmp_path):
    return BatchMaker(find_pictures(noise_folder(tmp_path)), TRAIN, seed=3)


def assert_same(a, b):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_the_background_makes_the_same_batches_in_order(maker, workers):
    made = list(background_batches(maker, 2, 6, workers))
    assert len(made) == 4
    for step, batch in zip(range(2, 6), made, strict=True):
        assert_same(batch, maker.make(step))
    assert not np.array_equal(made[0].global_crops, made[1].global_crops)


def test_masks_are_drawn_by_the_step_from_numbers_of_their_own(maker):
    side = TRAIN.crops.global_size // TRAIN.vit.patch_size
    total = 2 * TRAIN.schedule.batch_size
    drawn = sample_masks(total, (side, side), TRAIN.masks, generator_for(3, "masks", 5))
    assert torch.equal(torch.from_numpy(maker.make(5).masks).reshape(total, -1), drawn.masks)


def test_stopping_early_leaves_no_thread_behind(maker):
    import threading

    before = threading.active_count()
    batches = background_batches(maker, 0, 1000)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_several_processes_share_the_batch_of_one(maker):
    whole = maker.make(5)
    parts = [BatchMaker(maker.pictures, TRAIN, 3, rank, 2).make(5) for rank in (0, 1)]
    np.testing.assert_array_equal(
        np.concatenate([p.global_crops for p in parts]), whole.global_crops
    )
    np.testing.assert_array_equal(np.concatenate([p.local_crops for p in parts]), whole.local_crops)
    np.testing.assert_array_equal(np.concatenate([p.masks for p in parts], axis=1), whole.masks)


def test_parts_are_the_batch_cut_by_pictures(maker):
    whole = maker.make(1)
    parts = parts_of(whole, 3)
    np.testing.assert_array_equal(np.concatenate([p.local_crops for p in parts]), whole.local_crops)
    np.testing.assert_array_equal(np.concatenate([p.masks for p in parts], axis=1), whole.masks)


def test_every_pass_sees_every_picture_once_in_an_order_of_its_own():
    passes = [[picture_at(7, p * 10 + i, Streams(10)) for i in range(10)] for p in range(3)]
    assert all(sorted(order) == list(range(10)) for order in passes)
    assert len({tuple(order) for order in passes}) == 3


@pytest.mark.parametrize(("lengths", "buffer"), [((4, 1, 7, 3), 5), ((15,), 4), ((3, 3), 2)])
def test_a_pass_through_shards_is_that_of_a_buffer(lengths, buffer):
    """Every picture once, and never before the buffer has come to it."""
    count, starts = sum(lengths), np.cumsum([0, *lengths])
    orders = []
    for number in range(20):
        order = order_of_pass(5, number, Streams(count, lengths, buffer)).tolist()
        assert sorted(order) == list(range(count))
        shards = torch.randperm(len(lengths), generator=generator_for(5, "order", number))
        stream = [i for s in shards for i in range(starts[s], starts[s + 1])]
        assert all(stream.index(i) < buffer + at for at, i in enumerate(order))
        orders.append(tuple(order))
    assert len(set(orders)) > 5


def test_a_buffer_that_holds_all_of_it_is_any_order():
    assert torch.equal(order_of_pass(5, 1, Streams(9, (4, 5), 9)), order_of_pass(5, 1, Streams(9)))


def test_the_buffer_mixes():
    """Uniform where one is: each place is handed out first about as often as any other it holds."""
    firsts = Counter(
        int(shuffled_streams((20,), 4, torch.Generator().manual_seed(i))[0]) for i in range(400)
    )
    assert set(firsts) == {0, 1, 2, 3}
    assert min(firsts.values()) > 60


def test_crops_are_those_of_the_picture_at_that_place(maker):
    """Against the crops themselves, normalised by `stack_crops`, crop by crop."""
    batch = to_batch(maker.make(1))
    pictures = [maker.pictures.picture(picture_at(3, 6 + i, Streams(10))) for i in range(6)]
    drawn = [
        sample_crops(one, TRAIN.crops, generator_for(3, "crops", 6 + i))
        for i, one in enumerate(pictures)
    ]
    for view in (0, 1):
        expected = stack_crops([crops[view] for crops in drawn])
        torch.testing.assert_close(batch.global_crops.chunk(2)[view], expected, rtol=0, atol=0)
        expected = stack_crops([crops[2 + view] for crops in drawn])
        torch.testing.assert_close(batch.local_crops.chunk(2)[view], expected, rtol=0, atol=0)


def test_half_of_the_crops_are_masked(maker):
    masks = maker.make(0).masks
    assert masks.shape == (2, 6, 16)
    assert masks.any(-1).sum() == 6


def test_broken_pictures_are_replaced_and_named(tmp_path):
    contents = {f"{i}.png": picture(i) for i in range(4)} | {"2.png": b"junk"}
    maker = BatchMaker(find_pictures(files(tmp_path, contents)), TRAIN, seed=0)
    batches = [maker.make(step) for step in range(3)]
    named = Counter(name for batch in batches for name, _ in batch.broken)
    assert set(named) == {"2.png"}
    again = BatchMaker(maker.pictures, TRAIN, seed=0).make(2)
    assert_same(again, batches[2])


def test_nothing_but_broken_pictures_is_an_error(tmp_path):
    found = find_pictures(files(tmp_path, {"a.png": b"junk", "b.png": b""}))
    with pytest.raises(ValueError, match="None of the 2 pictures"):
        next(background_batches(BatchMaker(found, TRAIN, 0), 0, 1))


def test_every_purpose_and_number_has_draws_of_its_own():
    """Crops and masks of one number, two numbers, two seeds, pairs that a mere join mixes up."""
    keys = [(0, "crops", 1), (0, "masks", 1), (0, "crops", 2), (1, "crops", 1), (1, "crops", 0)]
    keys += [(1, "1 crops", 1), (11, "crops", 1), (1, "crops", 11)]
    drawn = [torch.rand(4, generator=generator_for(*key)).tolist() for key in keys]
    assert len({tuple(one) for one in drawn}) == len(keys)
    assert drawn[0] == torch.rand(4, generator=generator_for(*keys[0])).tolist()


def test_decoded_pictures_are_kept_up_to_a_limit(tmp_path, monkeypatch):
    """Room for one of three: it is read once, each of the others at every turn."""
    found = find_pictures(noise_folder(tmp_path, 3))
    one = found.picture(0)
    monkeypatch.setattr(loader, "CACHE_BYTES", one.width * one.height * 3)
    read = Counter()

    class Counted:
        names, source, places = found.names, found.source, None

        def __len__(self):
            return len(found)

        def picture(self, index):
            read[index] += 1
            return found.picture(index)

    config = replace(TRAIN, schedule=replace(TRAIN.schedule, batch_size=3))
    maker = BatchMaker(Counted(), config, seed=0)
    for step in range(4):
        maker.make(step)
    assert sorted(read.values()) == [1, 4, 4]


def test_a_set_smaller_than_the_batch_comes_round_again(tmp_path):
    found = find_pictures(noise_folder(tmp_path, 2))
    config = replace(TRAIN, schedule=replace(TRAIN.schedule, batch_size=5))
    assert BatchMaker(found, config, 0).make(0).global_crops.shape == (5, 2, 16, 16, 3)


def test_behind_a_broken_last_picture_comes_the_first(tmp_path):
    found = find_pictures(files(tmp_path, {"0.png": picture(0), "1.png": b"junk"}))
    row, broken = loader.EndlessRow(found, 0), {}
    assert {row.at(place, broken)[0] for place in range(6)} == {0}
    assert list(broken) == ["1.png"]


@pytest.mark.parametrize("before", [None, "error", "ignore::DeprecationWarning"])
def test_the_tracker_is_silenced_for_who_starts_meanwhile(monkeypatch, before):
    if before is None:
        monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    else:
        monkeypatch.setenv("PYTHONWARNINGS", before)
    ours = "ignore:resource_tracker:UserWarning"
    with suppress(KeyError), loader.tracker_silent():
        assert os.environ["PYTHONWARNINGS"] == (f"{before},{ours}" if before else ours)
        raise KeyError
    assert os.environ.get("PYTHONWARNINGS") == before


def test_ctrl_c_waits_until_a_process_has_been_started():
    """Whoever is started here inherits that it is not heard; it is heard right afterwards."""
    blocked = lambda: signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())  # noqa: E731
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(blocked()))
    try:
        with loader.ctrl_c_blocked():
            assert blocked()
            signal.raise_signal(signal.SIGINT)  # in this thread: others do not block it
            assert heard == []
        assert len(heard) == 1
        assert not blocked()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("total", "world", "shares"),
    [
        (6, 1, [range(6)]),
        (6, 2, [range(3), range(3, 6)]),
        (7, 3, [range(2), range(2, 4), range(4, 7)]),
    ],
)
def test_every_picture_belongs_to_one_process(total, world, shares):
    assert [loader.share_of(total, rank, world) for rank in range(world)] == shares


def test_pixels_become_numbers_crop_by_crop():
    """Against a plain loop."""
    crops = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 5, 3)).astype(np.uint8)
    found = loader.normalised(crops, "cpu")
    assert (found.shape, found.dtype) == ((6, 3, 4, 5), torch.float32)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for n in range(2):
        for b in range(3):
            for c in range(3):
                wanted = (crops[b, n, :, :, c] / 255 - mean[c]) / std[c]
                np.testing.assert_allclose(found[n * 3 + b, c], wanted, atol=1e-5)


class Counting:
    """Makes nothing, and notes who is at it at the same time."""

    def __init__(self) -> None:
        self.at_work, self.most, self.steps = 0, 0, []

    def make(self, step: int) -> int:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        time.sleep(0.002)
        self.steps.append(step)
        self.at_work -= 1
        return step


def test_without_workers_batches_are_made_one_by_one_and_two_ahead():
    maker = Counting()
    batches = background_batches(maker, 5, 12)
    assert next(batches) == 5
    until = time.monotonic() + 5
    while len(maker.steps) < 3 and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.01)
    assert maker.steps == [5, 6, 7], "no more than are wanted soon"
    assert list(batches) == [6, 7, 8, 9, 10, 11]
    assert maker.most == 1
