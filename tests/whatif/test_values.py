"""What is to stand at each place: controls in numbers, for a model with registers."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from tiny_models import TINY, tiny_vit
from torch import Tensor

from dino_core.analysis.effects import effects
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.images import to_tensor
from dino_core.vit import Edit, VisionTransformer
from dino_core.whatif.reference import MEASURED, Statistics
from dino_core.whatif.values import Sources, Values, as_edits, check_changes, stands_at
from dino_core.whatif.words import parse_change, parse_changes

CONFIG = replace(TINY, depth=3, registers=2, ffn="swiglu", heads=3)
R, GRID = 2, (2, 3)
N = 1 + R + 6


def picture(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (28, 42, 3), generator=generator, dtype=torch.uint8)
    return to_tensor(Image.fromarray(pixels.numpy()))


def random_statistics(vit: VisionTransformer) -> Statistics:
    """Numbers that tell at once where they come from."""
    generator = torch.Generator().manual_seed(5)
    config = vit.config
    shapes = dict.fromkeys(("tokens", "attention", "mlp"), (3, 2 + R, config.dim))
    shapes |= {"head": (3, 3, 2 + R, config.head_dim), "neuron": (3, 2 + R, config.hidden)}
    mean, std = (
        {site: torch.rand(shapes[site], generator=generator) for site in MEASURED} for _ in "ms"
    )
    return Statistics(mean, std, pictures=9)


@pytest.fixture(scope="module")
def vit() -> VisionTransformer:
    return tiny_vit(CONFIG).requires_grad_(False)


@pytest.fixture(scope="module")
def seen(vit: VisionTransformer) -> Inspection:
    return inspect(vit, picture(0))


@pytest.fixture(scope="module")
def sources(vit: VisionTransformer) -> Sources:
    return Sources(random_statistics(vit), inspect(vit, picture(1)), seed=3)


def one_edit(vit: VisionTransformer, seen: Inspection, text: str, sources: Sources) -> Edit:
    (edit,) = as_edits(vit, seen, [parse_change(text)], sources)
    return edit


def test_mean_is_by_kind_of_token(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    assert sources.statistics is not None
    mean = sources.statistics.mean
    head = one_edit(vit, seen, "head:1.2=mean", sources).value
    for token in range(N):
        kind = min(token, 1 + R)  # class token, two registers, and all patches alike
        assert torch.equal(head[token], mean["head"][1, 2, kind])
    neuron = one_edit(vit, seen, "neuron:0.5[registers;1,2]=mean", sources)
    assert neuron.tokens == [1, 2, 8]
    assert torch.equal(neuron.value, mean["neuron"][0, 1:, 5])
    every = one_edit(vit, seen, "head:2[cls]=mean", sources)
    assert torch.equal(every.value, mean["head"][2, :, :1])
    tokens = one_edit(vit, seen, "tokens:2[0,1;cls]=mean", sources)
    assert tokens.tokens == [0, 4]
    assert torch.equal(tokens.value, mean["tokens"][2, [0, 3]])


def test_kinds_stay_what_they_are_when_registers_are_left_out(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    changes = parse_changes(["mlp:1=mean", "registers=out", "attention:1[0,0]=other"])
    mean, _, other = as_edits(vit, seen, changes, sources)
    assert sources.statistics is not None
    assert sources.other is not None
    kinds = sources.statistics.mean["mlp"][1]
    assert torch.equal(mean.value, torch.cat([kinds[:1], kinds[3:].expand(6, -1)]))
    assert other.tokens == [1]
    assert torch.equal(other.value, stands_at(vit, sources.other, "attention", 1)[[3]])
    assert (
        effects(vit, seen, [mean, *as_edits(vit, seen, changes[1:2], sources)]).after.registers == 0
    )


def test_noise_has_that_mean_and_spread_and_follows_from_the_seed(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    assert sources.statistics is not None

    def noise(seed: int, site: str = "neuron", seen: Inspection = seen) -> Tensor:
        values = Values(vit, seen, replace(sources, seed=seed), R)
        return values.at("noise", site, 1)

    assert torch.equal(noise(0), noise(0))
    assert not torch.equal(noise(0), noise(1))
    assert not torch.equal(noise(0), noise(0, seen=inspect(vit, picture(7))))  # another picture
    assert not torch.equal(noise(0, "mlp"), noise(0, "attention"))
    many = torch.stack([noise(seed) for seed in range(400)])
    kinds = [min(token, 1 + R) for token in range(N)]
    mean, std = (
        part["neuron"][1][kinds] for part in (sources.statistics.mean, sources.statistics.std)
    )
    assert ((many.mean(0) - mean) / std).abs().max() < 6 / 20  # standard errors of 400 draws
    assert (many.std(0) / std - 1).abs().max() < 6 / 28
    part = one_edit(vit, seen, "neuron:1.4[patches]=noise", sources).value
    assert torch.equal(part, Values(vit, seen, sources, R).at("noise", "neuron", 1)[3:, 4])


@pytest.mark.parametrize("site", MEASURED)
def test_other_is_what_the_other_picture_has_there(
    site: str, vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    found: list[Tensor] = []

    def look(there: Tensor) -> Tensor:
        found.append(there[0])
        return there

    vit(picture(1)[None], edits=[Edit(site, look, block=1)])
    assert torch.equal(one_edit(vit, seen, f"{site}:1=other", sources).value, found[0])


@pytest.mark.parametrize("site", MEASURED)
def test_other_with_itself_and_own_change_nothing(
    site: str, vit: VisionTransformer, seen: Inspection
) -> None:
    itself = as_edits(vit, seen, [parse_change(f"{site}:1=other")], Sources(other=seen))
    assert torch.equal(effects(vit, seen, itself).after.tokens, seen.tokens)
    assert as_edits(vit, seen, [parse_change(f"{site}:0-2=own")], Sources()) == []


def test_what_is_learnt_is_the_same_for_every_picture(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    same = [
        "registers=mean",
        "registers=noise",
        "registers=other",
        "positions=other",
        "scores:1=own",
    ]
    assert as_edits(vit, seen, parse_changes(same), sources) == []
    table = vit.positions(GRID)[0]
    mean = one_edit(vit, seen, "positions=mean", sources).value
    assert torch.equal(mean[0], table[0])
    torch.testing.assert_close(mean[1:], table[1:].mean(0).expand(6, -1))
    assert torch.equal(one_edit(vit, seen, "positions=noise", sources).value[0], table[0])
    some = one_edit(vit, seen, "positions[0,1;1,1]=noise", sources)
    assert some.tokens == [2, 5]
    spread = (some.value - table[1:].mean(0)) / table[1:].std(0, correction=0)
    assert 0.5 < spread.std() < 2


def test_noise_of_positions_is_spread_as_the_patches_of_this_picture_are(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    """By their number, not by one less: of six patches that would be a tenth more."""
    table = vit.positions(GRID)[0][1:]
    many = torch.stack(
        [
            Values(vit, seen, replace(sources, seed=seed), R).at("noise", "positions", None)[1:]
            for seed in range(100)
        ]
    )
    spread = (many - table.mean(0)) / table.std(0, correction=0)
    assert spread.square().mean().sqrt() == pytest.approx(1, abs=0.03)
    assert spread.mean() == pytest.approx(0, abs=0.03)


def test_a_range_of_blocks_is_an_edit_for_each(vit: VisionTransformer, seen: Inspection) -> None:
    edits = as_edits(vit, seen, [parse_change("scores:0-2=cls!patches")], Sources())
    assert [edit.block for edit in edits] == [0, 1, 2]
    assert all((edit.tokens, edit.keys) == ([0], list(range(3, 9))) for edit in edits)
    after = effects(vit, seen, edits).after
    rows = after.cls_rows()
    assert (rows[..., 3:] == 0).all()
    torch.testing.assert_close(rows.sum(-1), torch.ones(3, 3))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["head:14.3=zero"], "head:14.3=zero: .*blocks 0 to 2; there is no block 14"),
        (["mlp:1-3=zero"], "mlp:1-3=zero: .*blocks 0 to 2; there is no block 3"),
        (["mlp:0-999999999=zero"], "there is no block 999999999"),  # before so many are made
        (["head:1.3=mean"], "heads 0 to 2; there is no head 3"),
        (["neuron:0.128=mean"], "units 0 to 127; there is no unit 128"),
        (
            ["tokens:0[2,0]=zero"],
            "2 x 3 patches, rows 0 to 1 and columns 0 to 2; there is no patch",
        ),
        (["registers=out", "tokens:0[registers]=zero"], "There are no registers here"),
        (["positions[registers]=zero"], "There are no registers here"),
        (["scores:0=cls!cls;registers;patches"], "leaves them no token to see"),
    ],
)
def test_what_is_not_there_is_said_before_any_forward(
    texts: list[str], message: str, vit: VisionTransformer
) -> None:
    with pytest.raises(ValueError, match=message):
        check_changes(vit, GRID, parse_changes(texts))


def test_what_is_needed_must_be_there(vit: VisionTransformer, seen: Inspection) -> None:
    changes = parse_changes(["mlp:0=mean", "mlp:0=noise", "mlp:0=other", "mlp:0=zero"])
    assert [one.needs_statistics for one in changes] == [True, True, False, False]
    assert [one.needs_other for one in changes] == [False, False, True, False]
    for change, word in zip(changes, ("reference", "reference", "other"), strict=False):
        with pytest.raises(ValueError, match=word):
            as_edits(vit, seen, [change], Sources())
    without = tiny_vit(replace(CONFIG, registers=0))
    check_changes(without, GRID, parse_changes(["head:0.0=zero", "tokens:1[cls;0,0]=mean"]))
    with pytest.raises(ValueError, match="registers=out: This model has no registers"):
        check_changes(without, GRID, parse_changes(["registers=out"]))


def test_noise_is_another_at_every_place(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    plain = Statistics(
        {site: torch.zeros_like(one) for site, one in sources.statistics.mean.items()},
        {site: torch.ones_like(one) for site, one in sources.statistics.std.items()},
        pictures=9,
    )
    drawn = [
        Values(vit, seen, replace(sources, statistics=plain, seed=seed), R).at("noise", site, block)
        for site, block, seed in (
            ("attention", 0, 3),
            ("attention", 1, 3),
            ("mlp", 0, 3),
            ("attention", 0, 4),
        )
    ]
    assert all(one.shape == drawn[0].shape for one in drawn)
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            correlation = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
            assert correlation.abs() < 0.5


def test_a_temperature_divides_the_scores(
    vit: VisionTransformer, seen: Inspection, sources: Sources
) -> None:
    edit = one_edit(vit, seen, "scores:1.2=temperature 0.5", sources)
    assert torch.equal(edit.value(torch.arange(4.0)), 2 * torch.arange(4.0))
    assert (edit.block, edit.unit) == (1, 2)
