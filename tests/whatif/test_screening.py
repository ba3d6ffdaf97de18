"""Screening against one whole forward for each part and value."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_galleries import mixed_folder, tiny_weights
from torch import Tensor

from dino_core.analysis.inspection import Inspection, inspect
from dino_core.datasets import find_pictures
from dino_core.embedding.cache import cache_folder
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.weights import Backbone, load_backbone
from dino_core.whatif import (
    Plan,
    Reference,
    Sources,
    as_edits,
    other_picture,
    parse_change,
    reference_for,
    screened,
    statistics_of,
)
from dino_core.whatif import screening as module
from dino_core.whatif.screening import screening_key
from dino_core.whatif.words import Kind

VALUES = ("zero", "mean", "noise", "other", "own")


def image_of(path: Path) -> Tensor:
    return to_tensor(fit_to_patches(open_picture(path), 14, (28, 42)).picture)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "mixed")


@pytest.fixture
def seen(backbone: Backbone, folder: Path) -> Inspection:
    return inspect(backbone.vit, image_of(folder / "00.png"))


@pytest.fixture
def reference(folder: Path, seen: Inspection) -> Reference:
    return reference_for(find_pictures(folder), seen)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    a, b = a.double(), b.double()
    return (a * b).sum(-1) / (a.square().sum(-1) * b.square().sum(-1)).sqrt()


@pytest.mark.parametrize("parts", ["heads", "blocks"])
def test_every_part_is_one_whole_forward(
    parts: str,
    backbone: Backbone,
    folder: Path,
    seen: Inspection,
    reference: Reference,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 30)  # three pictures of 9 tokens at once
    vit, told = backbone.vit, []
    plan = Plan(parts, VALUES, seed=2)
    found = screened(backbone, seen, plan, reference, told.append)
    statistics = statistics_of(backbone, reference)
    sources = Sources(statistics, other_picture(vit, reference, seen, 2), seed=2)
    assert found.effect_cls.shape == found.effect_patches.shape == (5, 3, 2)
    assert sum(told) == 30 == plan.forwards(vit)
    assert max(told) <= 3
    sites = ["head:{}.0", "head:{}.1"] if parts == "heads" else ["attention:{}", "mlp:{}"]
    image = image_of(folder / "00.png")[None]
    for n, value in enumerate(VALUES):
        for block in range(3):
            for unit, site in enumerate(sites):
                change = parse_change(f"{site.format(block)}={value}")
                out = vit(image, edits=as_edits(vit, seen, [change], sources))
                cls = 1 - cosine(seen.normed[0], out.cls[0])
                patches = 1 - cosine(seen.normed[3:], out.patches[0]).mean()
                place = n, block, unit
                assert float(found.effect_cls[place]) == pytest.approx(float(cls), abs=1e-6)
                assert float(found.effect_patches[place]) == pytest.approx(float(patches), abs=1e-6)
                torch.testing.assert_close(found.cls[place], out.cls[0], rtol=0, atol=1e-5)
    assert found.effect_cls[:4].min() > 1e-6
    assert found.effect_cls[4].abs().max() < 1e-9  # own


def test_kept_by_content(
    backbone: Backbone,
    folder: Path,
    seen: Inspection,
    reference: Reference,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = Plan("blocks", ("zero", "mean"))
    first = screened(backbone, seen, plan, reference)

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    with monkeypatch.context() as patch:
        patch.setattr(module, "screen", never)
        told: list[int] = []
        again = screened(backbone, seen, plan, reference, told.append)
        assert torch.equal(again.effect_cls, first.effect_cls)
        assert sum(told) == plan.forwards(backbone.vit)
        # Nothing is drawn for these values: another seed is the same question.
        screened(backbone, seen, replace(plan, seed=5), reference)
        other = inspect(backbone.vit, image_of(folder / "01.png"))
        fewer = Reference(reference.pictures.subset(range(5)), reference.preparation)
        for asked in (
            (other, plan, reference),
            (seen, Plan("heads", plan.values), reference),
            (seen, Plan("blocks", ("mean", "zero")), reference),
            (seen, Plan("blocks", ("zero", "noise")), reference),
            (seen, plan, fewer),
        ):
            with pytest.raises(AssertionError, match="computed again"):
                screened(backbone, *asked)
        screened(backbone, seen, Plan("blocks", plan.values), reference)
    for path in cache_folder().glob("screening-*"):
        path.write_bytes(path.read_bytes()[:50])  # cut short: it counts as not there
    assert torch.equal(screened(backbone, seen, plan, reference).cls, first.cls)


def test_whoever_stops_it_leaves_nothing_behind(
    backbone: Backbone, seen: Inspection, reference: Reference
) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    for _ in range(2):  # kept or not, it can be stopped
        with pytest.raises(KeyboardInterrupt):
            screened(backbone, seen, Plan("heads", ("zero",)), reference, stop)
        assert not list(cache_folder().glob("*"))
    screened(backbone, seen, Plan("heads", ("zero",)), reference)
    with pytest.raises(KeyboardInterrupt):
        screened(backbone, seen, Plan("heads", ("zero",)), reference, stop)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("neurons",), "heads or blocks, not 'neurons'"),
        (("heads", ("zero", "median")), "zero, mean, noise, other, own, not median"),
        (("heads", ()), "not none"),
        (("heads", ("zero", "zero")), "once: zero, zero"),
    ],
)
def test_what_cannot_be_screened_is_said(asked: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Plan(*asked)


@pytest.mark.parametrize(
    ("values", "differs"),
    [(("noise",), True), (("other",), True), (("mean", "other"), True), (("zero", "mean"), False)],
)
def test_what_is_kept_is_of_its_seed_where_a_value_follows_from_it(
    values: tuple[Kind, ...],
    differs: bool,
    backbone: Backbone,
    seen: Inspection,
    reference: Reference,
) -> None:
    keys = [
        screening_key(backbone, seen, Plan("heads", values, seed=seed), reference)
        for seed in (0, 1)
    ]
    assert (keys[0] != keys[1]) == differs


def test_another_picture_is_one_of_an_order(
    backbone: Backbone, seen: Inspection, reference: Reference
) -> None:
    """Which one a seed means follows from their order; what all of them have does not."""
    back = replace(reference, pictures=reference.pictures.subset([1, 0]))
    there = replace(reference, pictures=reference.pictures.subset([0, 1]))
    for values, differs in ((("other",), True), (("mean",), False)):
        keys = [screening_key(backbone, seen, Plan("heads", values), r) for r in (there, back)]
        assert (keys[0] != keys[1]) == differs


def test_a_large_picture_is_screened_one_change_at_a_time(
    backbone: Backbone, seen: Inspection, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 5)  # it has 9
    for parts in ("heads", "blocks"):
        told: list[int] = []
        screened(backbone, seen, Plan(parts, ("zero",)), reference, told.append)
        assert told == [1] * 6


def test_what_is_kept_is_of_these_weights_alone(
    backbone: Backbone, seen: Inspection, reference: Reference, tmp_path: Path
) -> None:
    """Under the same name and with no value from elsewhere: other weights, another screening."""
    other = load_backbone(weights=tiny_weights(tmp_path, seed=3))
    plan = Plan("heads", ("zero",))
    keys = [screening_key(one, seen, plan, reference) for one in (backbone, other)]
    assert keys[0] != keys[1]


def test_statistics_that_somebody_has_in_hand_are_not_made_again(
    backbone: Backbone, seen: Inspection, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = statistics_of(backbone, reference)
    plan = Plan("blocks", ("mean",))
    whole = screened(backbone, seen, plan, reference)

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(module, "statistics_of", never)
    monkeypatch.setattr(module, "_read", lambda path: None)
    found = screened(backbone, seen, plan, reference, statistics=statistics)
    assert torch.equal(found.effect_cls, whole.effect_cls)


def test_where_nothing_can_be_kept_it_is_screened_all_the_same(
    backbone: Backbone, seen: Inspection, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.np, "savez", full)
    assert screened(backbone, seen, Plan("blocks", ("zero",)), reference).effect_cls.shape
    assert not list(cache_folder().glob("screening-*"))
