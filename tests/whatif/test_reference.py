"""What usually stands at every site: against a loop over pictures, tokens and channels."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_galleries import mixed_folder
from torch import Tensor

from dino_core.analysis.inspection import Inspection, inspect
from dino_core.datasets import find_pictures
from dino_core.embedding.cache import cache_folder
from dino_core.images import fit_to_patches, open_picture, to_tensor
from dino_core.vit import Edit, VisionTransformer
from dino_core.weights import Backbone
from dino_core.whatif import reference as module
from dino_core.whatif.reference import (
    MEASURED,
    Reference,
    measure,
    other_picture,
    reference_for,
    reference_key,
    statistics_of,
)


def looked_at(vit: VisionTransformer, path: Path) -> Inspection:
    return inspect(vit, to_tensor(fit_to_patches(open_picture(path), 14, (28, 42)).picture))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "mixed")  # 11 pictures, one of them twice, two broken


@pytest.fixture
def reference(backbone: Backbone, folder: Path) -> Reference:
    return reference_for(find_pictures(folder), looked_at(backbone.vit, folder / "00.png"))


def values_of(vit: VisionTransformer, image: Tensor) -> dict[tuple[str, int], Tensor]:
    """What stands at every site of one picture, [(A,) N, width], in float64."""
    found: dict[tuple[str, int], Tensor] = {}

    def keep(site: str, block: int) -> Edit:
        def look(there: Tensor) -> Tensor:
            found[site, block] = there[0].double()
            return there

        return Edit(site, look, block=block)

    vit(image[None], edits=[keep(site, block) for site in MEASURED for block in range(3)])
    return found


def test_mean_and_spread_are_those_of_a_plain_loop(
    backbone: Backbone, folder: Path, reference: Reference
) -> None:
    found = measure(backbone.vit, reference)
    assert found.pictures == 12
    paths = [path for path in sorted(folder.iterdir()) if path.name not in ("05b.png", "07b.jpg")]
    every = []
    for path in paths:
        fitted = fit_to_patches(open_picture(path), 14, (28, 42))
        every.append(values_of(backbone.vit, to_tensor(fitted.picture)))
    for site in MEASURED:
        for block in range(3):
            here = [one[site, block] for one in every]
            kinds = [torch.stack([one[..., token, :] for one in here]) for token in range(3)]
            patches = [one[..., 3 + patch, :] for one in here for patch in range(6)]
            for kind, values in enumerate([*kinds, torch.stack(patches)]):
                mean = values.sum(0) / len(values)
                std = ((values - mean).square().sum(0) / len(values)).sqrt()
                ours = found.mean[site][block][..., kind, :], found.std[site][block][..., kind, :]
                torch.testing.assert_close(ours[0].double(), mean, rtol=0, atol=1e-5)
                torch.testing.assert_close(ours[1].double(), std, rtol=0, atol=1e-5)


def test_kept_by_content(
    backbone: Backbone, folder: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    first = statistics_of(backbone, reference, told.append)
    assert sum(told) == 14
    assert len(list(cache_folder().iterdir())) == 1

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    (folder / "00.png").rename(folder / "zz.png")  # the same pictures under another name
    again = Reference(find_pictures(folder), reference.preparation)
    with monkeypatch.context() as patch:
        patch.setattr(module, "measure", never)
        kept = statistics_of(backbone, again)
        assert kept.pictures == first.pictures
        for site in MEASURED:
            assert torch.equal(kept.mean[site], first.mean[site])
            assert torch.equal(kept.std[site], first.std[site])
        fewer = Reference(again.pictures.subset(range(5)), reference.preparation)
        for other in (
            fewer,
            replace(reference, preparation=replace(reference.preparation, size=28)),
        ):
            with pytest.raises(AssertionError, match="computed again"):
                statistics_of(backbone, other)
    for path in cache_folder().iterdir():
        path.write_bytes(path.read_bytes()[:100])  # cut short: it counts as not there
    assert torch.equal(statistics_of(backbone, again).mean["mlp"], first.mean["mlp"])


def test_whoever_stops_it_leaves_nothing_behind(backbone: Backbone, reference: Reference) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        statistics_of(backbone, reference, stop)
    assert not cache_folder().exists() or not list(cache_folder().iterdir())


def test_without_a_picture_that_can_be_read(backbone: Backbone, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    seen = looked_at(backbone.vit, tmp_path / "a.png")
    reference = reference_for(find_pictures(tmp_path), seen)
    (tmp_path / "a.png").write_bytes(b"junk")
    with pytest.raises(ValueError, match="None of the reference pictures"):
        statistics_of(backbone, reference)
    with pytest.raises(ValueError, match="None of the reference pictures"):
        other_picture(backbone.vit, reference, seen)


def test_another_picture_is_never_the_picture_itself(
    backbone: Backbone, folder: Path, reference: Reference
) -> None:
    vit = backbone.vit
    first, second = (looked_at(vit, folder / f"0{i}.png") for i in range(2))
    assert torch.equal(other_picture(vit, reference, first).pixels, second.pixels)
    assert torch.equal(other_picture(vit, reference, second).pixels, first.pixels)
    third = other_picture(vit, reference, first, seed=2)
    assert torch.equal(third.normed, looked_at(vit, folder / "02.png").normed)
    # 05b.png is broken, and the next one is taken; 03b.png is 03.png under another name
    names = reference.pictures.names
    after = other_picture(vit, reference, first, seed=names.index("05b.png"))
    assert torch.equal(after.pixels, looked_at(vit, folder / "06.png").pixels)
    copy = other_picture(vit, reference, looked_at(vit, folder / "03.png"), names.index("03.png"))
    assert torch.equal(copy.pixels, looked_at(vit, folder / "04.png").pixels)
    alone = Reference(reference.pictures.subset([0]), reference.preparation)
    assert other_picture(vit, alone, first) is first


def test_a_channel_that_is_large_and_hardly_varies_keeps_its_spread() -> None:
    """In float32 the squares would have no digits left for it."""
    generator = torch.Generator().manual_seed(0)
    there = 3000 + 0.1 * torch.randn(6, 1 + 9, 40, generator=generator)
    sums = module._Sums(1)
    for part in there.split(2):
        assert sums.look(part) is part
    mean, std = sums.result()
    patches = there[:, 1:].double().flatten(0, 1)
    torch.testing.assert_close(std[1].double(), patches.std(0, correction=0), rtol=1e-4, atol=0)
    torch.testing.assert_close(mean[0].double(), there[:, 0].double().mean(0), rtol=1e-6, atol=0)


def test_what_never_changes_has_no_spread_and_not_nan() -> None:
    sums = module._Sums(1)
    for _ in range(3):
        sums.look(torch.linspace(0.1, 9, 400).expand(1, 3, 400))
    assert (sums.result()[1] < 1e-6).all()


def test_pictures_that_are_stretched_are_others(backbone: Backbone, reference: Reference) -> None:
    stretched = replace(reference, pictures=replace(reference.pictures, stretch=True))
    assert reference_key(backbone, reference) != reference_key(backbone, stretched)


def test_where_nothing_can_be_kept_it_is_computed_all_the_same(
    backbone: Backbone, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_file", full)
    assert statistics_of(backbone, reference).pictures == 12
    assert not list(cache_folder().glob("*"))
