"""analysis/tray.py: every column against the function of one view, and what all rows share."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.alignment import colour_family, colour_places
from dino_core.analysis.comparison import relation_difference
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.analysis.pca import colour_features
from dino_core.analysis.tray import FilledColumn, TraySettings, fill_tray, with_layer
from dino_core.analysis.tray_columns import Column, column_of
from dino_core.config import PCA_PRESETS, ViTConfig
from dino_core.images import to_tensor

OTHER = ViTConfig(dim=36, depth=3, heads=2, image_size=56, patch_size=28)
SIZES = ((56, 84), (70, 56))  # 4 x 6 and 5 x 4 patches of 14 px


def picture(height: int, width: int) -> torch.Tensor:
    pixels = np.random.default_rng(height).integers(0, 90, (height, width, 3), np.uint8)
    pixels[14:42, 14:42] += 150
    return to_tensor(Image.fromarray(pixels))


@pytest.fixture(scope="module")
def seen() -> list[Inspection]:
    return [inspect(tiny_vit(TINY), picture(*size)) for size in SIZES]


def fill(seen: Sequence[Inspection], *words: str, **settings: object) -> tuple[FilledColumn, ...]:
    columns = [column_of(word) for word in words]
    chosen = TraySettings(**settings)  # type: ignore[arg-type]
    return fill_tray(len(seen), lambda row: [seen[row]], columns, chosen).columns


def test_one_pca_for_all_pictures(seen: list[Inspection]) -> None:
    grids = [one.grid for one in seen]
    wanted = colour_features([one.patches(0) for one in seen], grids, PCA_PRESETS["paper"])
    (column,) = fill(seen, "pca:0")
    for found, view in zip(column.maps, wanted.pictures, strict=True):
        torch.testing.assert_close(found, view.colours, atol=1e-4, rtol=0)
    shares = [float(view.foreground.float().mean()) for view in wanted.pictures]
    assert column.numbers == pytest.approx(shares), "the share of each picture, to sort by"


def test_further_layers_are_brought_to_the_first_one_asked_for(seen: list[Inspection]) -> None:
    config, grids = PCA_PRESETS["all-patches"], tuple(one.grid for one in seen)
    joint = [torch.cat([one.patches(layer).float() for one in seen]) for layer in (1, 0)]
    wanted = colour_places(joint, [grids, grids], config, reference=0)
    columns = fill(seen, "pca:1", "pca:0", config=config)
    for column, one in zip(columns, wanted.maps, strict=True):
        flat = torch.cat([part.flatten(0, 1) for part in column.maps])
        torch.testing.assert_close(flat, one.colours, atol=1e-4, rtol=0)
    assert [part.note.count("cosine with the column before") for part in columns] == [0, 1]


@pytest.mark.parametrize("robust", [True, False])
def test_tokens_of_large_norm_are_left_out_of_the_basis_where_it_is_asked(
    seen: list[Inspection], monkeypatch: pytest.MonkeyPatch, robust: bool
) -> None:
    masks = []

    def noted(features: Sequence[torch.Tensor], *rest: object, **how: object) -> object:
        masks.append(how["asked"])
        return colour_places(features, *rest, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("dino_core.analysis.tray.colour_places", noted)
    fill(seen, "pca:0", "pca:1", robust=robust)
    [asked] = masks
    if robust:
        assert [mask.dtype for mask in asked] == [torch.bool] * 2
        assert [len(mask) for mask in asked] == [
            sum(h * w for h, w in (one.grid for one in seen))
        ] * 2
    else:
        assert asked is None


def test_several_pictures_turned_alike_keep_their_colours(seen: list[Inspection]) -> None:
    """A second map that is the first in other directions has the first one's colours exactly."""
    joint = torch.cat([one.patches(1).float() for one in seen])
    turn = torch.linalg.qr(torch.randn(48, 48, generator=torch.Generator().manual_seed(3))).Q
    places = [tuple(one.grid for one in seen)] * 2
    family = colour_places([joint, joint @ turn], places, PCA_PRESETS["all-patches"], reference=0)
    torch.testing.assert_close(family.maps[0].colours, family.maps[1].colours, atol=1e-3, rtol=0)
    assert family.maps[1].cosine == pytest.approx(1, abs=1e-5)
    one = seen[0]  # and a family of single pictures is what it was
    maps = [one.patches(layer).float() for layer in range(2)]
    alone = colour_family(maps, [one.grid] * 2, PCA_PRESETS["paper"])
    flat = colour_places(maps, [(one.grid,)] * 2, PCA_PRESETS["paper"])
    torch.testing.assert_close(alone.maps[0].colours.flatten(0, 1), flat.maps[0].colours)


def test_likeness_to_one_patch_of_one_picture(seen: list[Inspection]) -> None:
    (column,) = fill(seen, "similar:1@1:2,3")
    one = seen[1].patches(1).unflatten(0, (5, 4))[2, 3]
    for found, other in zip(column.maps, seen, strict=True):
        cosines = [torch.cosine_similarity(one, patch, dim=0) for patch in other.patches(1)]
        torch.testing.assert_close(found.flatten(), torch.stack(cosines), atol=1e-5, rtol=0)
    assert column.marks == (None, (2, 3))
    assert column.limits == (-1, 1)
    rest = column.maps[1].flatten()[torch.arange(20) != 2 * 4 + 3]
    assert column.numbers == pytest.approx((column.maps[0].max(), rest.max())), "not with itself"


def test_attention_at_the_same_place_of_every_picture(seen: list[Inspection]) -> None:
    head, mean, cls = fill(seen, "attention:1.2@1:4,1", "attention:1@1:4,1", "attention:0.1")
    assert head.marks == ((3, 2), (4, 1)), "the patch of the other grid that holds its middle"
    for row, (one, mark) in enumerate(zip(seen, head.marks, strict=True)):
        assert mark is not None
        rows = one.on_grid(one.rows(one.token_at(*mark)))
        torch.testing.assert_close(head.maps[row], rows[1, 2])
        torch.testing.assert_close(mean.maps[row], rows[1].mean(0))
        torch.testing.assert_close(cls.maps[row], one.on_grid(one.cls_rows())[0, 1])
    most = max(float(one.max()) for one in cls.maps)
    assert cls.limits == (0, pytest.approx(most)), "one scale for all rows"


def test_lengths_of_what_leaves_the_block(seen: list[Inspection]) -> None:
    (column,) = fill(seen, "norms:0")
    lengths = [one.tokens[0, one.first_patch :].norm(dim=1).unflatten(0, one.grid) for one in seen]
    for found, wanted in zip(column.maps, lengths, strict=True):
        torch.testing.assert_close(found, wanted)
    both = torch.cat([one.flatten() for one in lengths])
    assert column.limits == pytest.approx((both.min(), both.max()))


def test_clusters_keep_their_numbers_over_layers(seen: list[Inspection]) -> None:
    """Brute force over permutations: no other numbers agree better with the column before."""
    first, second = fill(seen, "clusters:0", "clusters:1", k=3)
    before, after = (
        torch.cat([one.flatten() for one in column.maps]).numpy() for column in (first, second)
    )
    most = max(int((np.array(order)[after] == before).sum()) for order in permutations(range(3)))
    assert int((after == before).sum()) == most


def test_difference_is_one_minus_the_correlation_of_relations(seen: list[Inspection]) -> None:
    first = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    second = torch.randn(7, 9, generator=torch.Generator().manual_seed(1))
    cosines = [torch.nn.functional.normalize(x, dim=1) for x in (first, second)]
    cosines = [(x @ x.T).numpy() for x in cosines]
    others = ~np.eye(7, dtype=bool)
    wanted = [
        1 - np.corrcoef(cosines[0][i][others[i]], cosines[1][i][others[i]])[0, 1] for i in range(7)
    ]
    np.testing.assert_allclose(relation_difference(first, second), wanted, atol=1e-5)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(2))).Q
    torch.testing.assert_close(
        relation_difference(first, 3 * first @ turn), torch.zeros(7), atol=1e-5, rtol=0
    )


def test_of_two_patches_no_relations_can_be_compared() -> None:
    points = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert relation_difference(points, points).shape == (3,)
    with pytest.raises(ValueError, match="at least 3 patches, there are 2"):
        relation_difference(points[:2], points[:2])


def test_layers_are_counted_from_both_ends_and_heads_from_one(seen: list[Inspection]) -> None:
    column, one = column_of("attention:0.0"), seen[0]
    for layer, wanted in ((0, 0), (1, 1), (-1, 1), (-2, 0)):
        assert with_layer(replace(column, layer=layer), seen[:1]).layer == wanted
    for layer in (-3, 2):
        with pytest.raises(ValueError, match="layers 0 to 1, or -1 to -2 from the end"):
            with_layer(replace(column, layer=layer), seen[:1])
    assert with_layer(replace(column, head=one.heads - 1), seen[:1]).head == 2
    with pytest.raises(ValueError, match="heads 0 to 2"):
        with_layer(replace(column, head=one.heads), seen[:1])
    for word in ("difference", "pca/1"):
        with pytest.raises(ValueError, match="there are 1 models"):
            with_layer(column_of(word), seen[:1])
    with pytest.raises(ValueError, match="there are 2 models, there is no 2"):
        with_layer(column_of("pca/2"), seen)


def test_two_models_of_different_patches_share_basis_and_places(seen: list[Inspection]) -> None:
    pictures = [picture(56, 84), picture(84, 56)]
    both = [[inspect(tiny_vit(c), one) for c in (TINY, OTHER)] for one in pictures]
    words = ("pca", "pca/1", "clusters", "clusters/1", "similar@0:2,4/1", "difference")
    tray = fill_tray(2, lambda row: both[row], [column_of(word) for word in words])
    own, other, _, grouped, alike, apart = tray.columns
    assert [tuple(one.shape) for one in own.maps] == [(4, 6, 3), (6, 4, 3)]
    assert [tuple(one.shape) for one in other.maps] == [(2, 3, 3), (3, 2, 3)]
    assert [tuple(one.shape) for one in grouped.maps] == [(2, 3), (3, 2)]
    assert alike.marks == ((1, 2), None), "named in the grid of model 0"
    assert other.column.layer == 2
    assert "cosine" in other.note
    assert [tuple(one.shape) for one in apart.maps] == [(4, 6), (6, 4)]


def test_a_picture_is_let_go_before_the_next(seen: list[Inspection]) -> None:
    asked: list[int] = []

    def look(row: int) -> list[Inspection]:
        asked.append(row)
        return [seen[row]]

    words = ("input", "pca", "attention@1:0,0", "attention@1:1,1", "similar@0:0,0")
    fill_tray(2, look, [column_of(word) for word in words])
    assert asked == [1, 0, 1], "once each, and before them where attention is asked of a patch"


WORDS = {
    "input": Column("input"),
    "pca:3": Column("pca", 3),
    "pca:-2/1": Column("pca", -2, model=1),
    "attention:11.3": Column("attention", 11, 3),
    "attention:11.3@0:6,12": Column("attention", 11, 3, (6, 12)),
    "similar@2:6,12": Column("similar", query=(6, 12), picture=2),
}


def test_columns_in_words_and_back() -> None:
    for word, column in WORDS.items():
        assert column_of(word) == column
        assert column.word == word
    assert column_of("similar@6,12").picture == 0


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("colours", "one of input, pca"),
        ("attention:1.2.3", "one of input"),
        ("similar", "to which patch"),
        ("pca:3.1", "only attention has heads"),
        ("norms@1,2", "only attention and similar"),
        ("input/1", "no layer and no model"),
        ("difference/1", "models 0 and 1"),
    ],
)
def test_words_that_say_no_column(word: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        column_of(word)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("pca:2", "layers 0 to 1"),
        ("attention:0.3", "heads 0 to 2"),
        ("pca/1", "there are 1 models"),
        ("difference", "wants a second one"),
        ("similar@2:0,0", "pictures 0 to 1"),
        ("similar@0:4,0", "no 4,0"),
    ],
)
def test_what_is_not_there(seen: list[Inspection], word: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fill(seen, word)


def test_twelve_rows_columns_and_models_at_most(seen: list[Inspection]) -> None:
    columns = [column_of("input")]
    with pytest.raises(ValueError, match="1 to 12 pictures, not 13"):
        fill_tray(13, lambda row: [seen[0]], columns)
    with pytest.raises(ValueError, match="1 to 12 columns, not 13"):
        fill_tray(1, lambda row: [seen[0]], columns * 13)
    with pytest.raises(ValueError, match="1 to 12 models, not 13"):
        fill_tray(1, lambda row: [seen[0]] * 13, columns)
