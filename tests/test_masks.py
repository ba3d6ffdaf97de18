"""Masks against the official generator's statistics, and against brute force."""

import json
import random
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from dino_core.config import MaskConfig
from dino_core.masks import (
    sample_block_mask,
    sample_block_masks,
    sample_masks,
    sample_random_mask,
)

GOLDEN = Path(__file__).parent / "golden"
BLOCKS = json.loads((GOLDEN / "masking_stats.json").read_text())
COLLATE = json.loads((GOLDEN / "collate_stats.json").read_text())
GRID = (16, 16)
CONFIG = MaskConfig()
DRAWS = 10_000  # with 2000, noise alone can take a histogram of 16 bars past the allowed 0.04


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@cache
def drawn(target):
    generator = seeded(target)
    return sample_block_masks(GRID, [target] * DRAWS, CONFIG, generator)


def total_variation(ours, theirs):
    """Half the summed difference of two histograms, 0 (the same) to 1 (nothing in common)."""
    ours = Counter(ours)
    theirs = Counter({int(k): v for k, v in theirs.items()})
    n, m = ours.total(), theirs.total()
    return sum(abs(ours[k] / n - theirs[k] / m) for k in ours | theirs) / 2


def near_mean(values, golden, draws):
    """Within 4.5 standard errors of the difference of two means."""
    error = golden["std"] * (1 / draws + 1 / golden["n"]) ** 0.5
    return abs(np.mean(values) - golden["mean"]) <= 4.5 * error


@pytest.mark.parametrize("golden", BLOCKS["targets"][::2], ids=lambda t: str(t["target"]))
class TestOfficialStatistics:
    def test_achieved(self, golden):
        achieved = [one.achieved for one in drawn(golden["target"])]
        assert max(achieved) <= golden["target"]
        assert near_mean(achieved, golden["achieved"], DRAWS)
        assert total_variation(achieved, golden["achieved_hist"]) < 0.04

    def test_blocks(self, golden):
        masks = drawn(golden["target"])
        blocks = [block for one in masks for block in one.blocks]
        counts = [len(one.blocks) for one in masks]
        assert near_mean(counts, golden["blocks_per_mask"], DRAWS)
        assert total_variation(counts, golden["blocks_per_mask_hist"]) < 0.04
        assert total_variation([b.height for b in blocks], golden["block_height_hist"]) < 0.04
        assert total_variation([b.width for b in blocks], golden["block_width_hist"]) < 0.04

    def test_first_block(self, golden):
        first = [one.blocks[0] for one in drawn(golden["target"])]
        height = total_variation([b.height for b in first], golden["first_block_height_hist"])
        width = total_variation([b.width for b in first], golden["first_block_width_hist"])
        assert max(height, width) < 0.04

    def test_cells(self, golden):
        masks = torch.stack([one.mask for one in drawn(golden["target"])])
        probability = masks.float().mean(0).numpy()
        np.testing.assert_allclose(probability, golden["cell_probability"], atol=0.05)


def official_masks(rng):
    """The masks of `exact_sequence` again, cell by cell with Python's own random numbers.

    Once this plain loop is proven by the golden masks, it can judge what they do not cover.
    """
    return [loop_mask(GRID, item["target"], rng) for item in BLOCKS["exact_sequence"]["masks"]]


def loop_mask(grid, target, rng):
    h, w = grid
    mask = np.zeros(grid, dtype=bool)
    while mask.sum() < target:
        wanted = min(target - mask.sum(), int(0.5 * h) * w)
        for _ in range(10):
            area = rng.uniform(4, wanted)
            aspect = np.exp(rng.uniform(np.log(0.3), np.log(1 / 0.3)))
            height, width = round(np.sqrt(area * aspect)), round(np.sqrt(area / aspect))
            if not (width < w and height < h):
                continue
            top, left = rng.randint(0, h - height), rng.randint(0, w - width)
            bigger = mask.copy()
            bigger[top : top + height, left : left + width] = True
            if 0 < bigger.sum() - mask.sum() <= wanted:
                mask = bigger
                break
        else:
            break
    return mask


def test_the_plain_loop_is_the_official_generator():
    rng = random.Random(BLOCKS["exact_sequence"]["python_random_seed"])
    for mask, item in zip(official_masks(rng), BLOCKS["exact_sequence"]["masks"], strict=True):
        rows = ["".join(str(int(cell)) for cell in row) for row in mask]
        assert rows == item["mask_rows"]


@pytest.mark.parametrize(("grid", "target"), [((7, 7), 24), ((5, 12), 20), ((14, 9), 40)])
def test_other_grids_follow_the_plain_loop(grid, target):
    rng, generator, draws = random.Random(1), seeded(), 1500
    theirs = np.stack([loop_mask(grid, target, rng) for _ in range(draws)])
    ours = [sample_block_mask(grid, target, CONFIG, generator) for _ in range(draws)]
    counts = Counter(theirs.sum((1, 2)).tolist())
    assert total_variation([one.achieved for one in ours], counts) < 0.05
    probability = torch.stack([one.mask for one in ours]).float().mean(0).numpy()
    np.testing.assert_allclose(probability, theirs.mean(0), atol=0.08)


@pytest.mark.parametrize("grid", [(16, 16), (3, 11), (20, 5), (37, 37), (1, 9), (2, 2)])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_blocks_make_the_mask(grid, ratio):
    h, w = grid
    target = int(h * w * ratio)
    for seed in range(10):
        one = sample_block_mask(grid, target, CONFIG, seeded(seed))
        union = torch.zeros(grid, dtype=torch.bool)
        for block in one.blocks:
            assert 0 <= block.top <= h - block.height
            assert 0 <= block.left <= w - block.width
            assert block.height < h
            assert block.width < w
            place = union[block.top : block.top + block.height, block.left :][:, : block.width]
            assert block.new_patches == (~place).sum() > 0
            place[:] = True
        assert one.mask.dtype == torch.bool
        assert torch.equal(one.mask, union)
        assert one.achieved == union.sum() <= target
        assert one.rejected >= (0 if one.achieved == target else CONFIG.tries)


def test_no_block_takes_more_than_its_share():
    config = replace(CONFIG, max_fraction=0.1)
    masks = [sample_block_mask(GRID, 200, config, seeded(seed)) for seed in range(50)]
    assert max(block.new_patches for one in masks for block in one.blocks) <= 16  # int(1.6) * 16


def test_nothing_fits_and_nothing_wanted():
    assert sample_block_mask((1, 1), 1, CONFIG, seeded()).achieved == 0  # no block is smaller
    none = sample_block_mask(GRID, 0, CONFIG, seeded())
    assert (none.achieved, none.blocks, none.rejected) == (0, (), 0)
    assert not none.mask.any()


def test_several_masks_at_once_keep_the_order_of_their_targets():
    targets = [128, 0, 25, 76]
    many = sample_block_masks(GRID, targets, CONFIG, seeded())
    assert [one.target for one in many] == targets
    assert [int(one.mask.sum()) for one in many] == [one.achieved for one in many]
    assert torch.equal(many[0].mask, sample_block_masks(GRID, targets, CONFIG, seeded())[0].mask)
    assert sample_block_masks(GRID, [], CONFIG, seeded()) == []


@pytest.mark.parametrize(("grid", "target"), [((16, 16), 257), ((4, 4), -1), ((0, 3), 0)])
def test_impossible_masks_are_refused(grid, target):
    with pytest.raises(ValueError, match=r"patches"):
        sample_block_mask(grid, target, CONFIG, seeded())
    with pytest.raises(ValueError, match=r"patches"):
        sample_block_masks(grid, [0, target], CONFIG, seeded())
    with pytest.raises(ValueError, match=r"patches"):
        sample_random_mask(grid, target, seeded())
    with pytest.raises(ValueError, match=r"Choose a target"):
        sample_masks(8, GRID, replace(CONFIG, ratio=(0.1, 1.2)), seeded())


def test_random_mask_hides_every_patch_equally_often():
    generator = seeded()
    masks = torch.stack([sample_random_mask((3, 5), 4, generator) for _ in range(3000)])
    assert (masks.sum((1, 2)) == 4).all()
    # Binomial with p = 4 / 15: standard error 0.0081.
    torch.testing.assert_close(
        masks.float().mean(0), torch.full((3, 5), 4 / 15), atol=0.036, rtol=0
    )
    assert sample_random_mask((3, 5), 15, generator).all()


class TestBatch:
    @cache  # noqa: B019
    def batches(self=None, calls=60):
        generator = seeded(7)
        return [sample_masks(64, GRID, CONFIG, generator) for _ in range(calls)]

    def test_half_of_the_crops_in_any_order(self):
        rows = torch.stack([b.masks.any(1) for b in TestBatch.batches()])
        assert (rows.sum(1) == 32).all()
        # Each row is masked in half of the 60 batches: 4.5 standard errors are 0.29.
        assert (rows.float().mean(0) - 0.5).abs().max() < 0.29

    def test_counts_follow_the_official_collate(self):
        batches = TestBatch.batches()
        counts = torch.stack([b.masks.sum(1) for b in batches]).float()  # [calls, 64]
        assert near_mean(counts.sum(1).numpy(), COLLATE["n_masked_patches"], len(batches))
        # Within a batch the ratios are spread evenly, so each rank has its own narrow place.
        ranked = counts.sort(dim=1).values
        std = torch.tensor(COLLATE["sorted_row_count_std"])
        error = std * (1 / len(batches) + 1 / COLLATE["calls"]) ** 0.5
        mean = torch.tensor(COLLATE["sorted_row_count_mean"])
        assert ((ranked.mean(0) - mean).abs() <= 4.5 * error).all()
        torch.testing.assert_close(ranked.std(0), std, atol=0.35, rtol=0)

    def test_upperbound_holds_and_is_the_official_one(self):
        assert {b.upperbound for b in TestBatch.batches()} == set(
            map(int, COLLATE["upperbound_values"])
        )
        assert all(len(b.indices) <= b.upperbound for b in TestBatch.batches())

    def test_indices_and_weights(self):
        for batch in TestBatch.batches()[:5]:
            expected = [
                (row * 256 + patch, 1 / int(mask.sum()))
                for row, mask in enumerate(batch.masks)
                for patch in range(256)
                if mask[patch]
            ]
            indices, weights = zip(*expected, strict=True)
            assert batch.indices.tolist() == list(indices)
            torch.testing.assert_close(batch.weights, torch.tensor(weights))
            # One for each masked crop, whatever its number of patches.
            assert batch.weights.sum().item() == pytest.approx(32, abs=1e-4)

    def test_rows_are_their_block_masks(self):
        batch = TestBatch.batches()[0]
        for row, one in zip(batch.masks, batch.block_masks, strict=True):
            assert torch.equal(row.view(GRID), one.mask)
            assert (one.target > 0) == bool(row.any())

    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    def test_small_batches(self, count):
        batch = sample_masks(count, (7, 5), CONFIG, seeded())
        assert batch.masks.shape == (count, 35)
        assert batch.masks.any(1).sum() == count // 2


def test_one_seed_one_mask_and_no_other_randomness():
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()

    def sample(seed):
        generator = seeded(seed)
        return torch.cat(
            [
                sample_block_mask(GRID, 76, CONFIG, generator).mask.view(-1),
                sample_random_mask(GRID, 76, generator).view(-1),
                sample_masks(8, GRID, CONFIG, generator).masks.view(-1),
            ]
        )

    assert torch.equal(sample(3), sample(3))
    assert not torch.equal(sample(3), sample(4))
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
