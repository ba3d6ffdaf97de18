"""vit/edits.py: what fits each site of a forward, and what is said of what does not."""

import math
import re
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from dino_core.config import ViTConfig
from dino_core.vit.edits import Edit, at_site, by_block, check_edits, registers_out

CONFIG = ViTConfig(dim=12, depth=2, heads=3, image_size=56, registers=2, mlp_ratio=2.0)
GRID = (2, 5)  # 10 patches, 13 tokens
# Of each site what it is, without the pictures; 4 is the width of a head, 24 that of the MLP.
SIZES: Mapping[Any, tuple[int, ...]] = {
    "tokens": (13, 12),
    "attention": (13, 12),
    "mlp": (13, 12),
    "positions": (11, 12),
    "registers": (2, 12),
    "scores": (3, 13, 13),
    "head": (3, 13, 4),
    "neuron": (13, 24),
}


def block_of(site: str) -> int | None:
    return None if site in ("positions", "registers") else 1


def check(site: Any, value: Any, **place: Any) -> None:
    check_edits([Edit(site, value, **{"block": block_of(site)} | place)], CONFIG, GRID)


@pytest.mark.parametrize("site", SIZES)
def test_a_value_fits_as_it_is_or_by_being_repeated(site: Any) -> None:
    size = SIZES[site]
    for own in (size, (1, *size), (7, *size), size[1:], (*(1 for _ in size[:-1]), size[-1]), ()):
        check(site, torch.zeros(own))
    for place in range(len(size)):
        larger = list(size)
        larger[place] += 1
        words = f"has the shape {larger}, but what is there has {list(size)}."
        with pytest.raises(ValueError, match=re.escape(words)):
            check(site, torch.zeros(larger))
    with pytest.raises(ValueError, match="The value has the shape"):
        check(site, torch.zeros(1, 1, *size))
    check(site, lambda there: there)
    check(site, 0.5)


@pytest.mark.parametrize(
    ("site", "place", "size"),
    [
        ("tokens", {"tokens": [0, 12]}, [2, 12]),
        ("positions", {"tokens": [10]}, [1, 12]),
        ("registers", {"tokens": [1]}, [1, 12]),
        ("head", {"unit": 2}, [13, 4]),
        ("head", {"unit": 0, "tokens": [1, 2, 3]}, [3, 4]),
        ("head", {"tokens": [1]}, [3, 1, 4]),
        ("scores", {"keys": [0, 12]}, [3, 13, 2]),
        ("scores", {"unit": 1, "tokens": [3], "keys": [5, 6, 7]}, [1, 3]),
        ("neuron", {"unit": 23}, [13]),
        ("neuron", {"unit": 23, "tokens": [4, 5]}, [2]),
        ("neuron", {"tokens": [4, 5]}, [2, 24]),
    ],
)
def test_a_value_fits_the_part_that_is_named(site: Any, place: Any, size: list[int]) -> None:
    check(site, torch.zeros(size), **place)
    wrong = [*size[:-1], size[-1] + 1]
    with pytest.raises(ValueError, match=re.escape(f"but what is there has {size}.")):
        check(site, torch.zeros(wrong), **place)


@pytest.mark.parametrize(
    ("site", "place", "words"),
    [
        ("tokens", {"tokens": [13]}, "tokens:1: This model has tokens 0 to 12; there is no token "
         "13."),
        ("tokens", {"tokens": [-1, 20]}, "tokens 0 to 12; there is no token -1."),
        ("positions", {"tokens": [11]}, "positions: This model has tokens 0 to 10; there is no "
         "token 11."),
        ("registers", {"tokens": [2]}, "registers: This model has registers 0 to 1; there is no "
         "register 2."),
        ("scores", {"keys": [13]}, "scores:1: This model has tokens 0 to 12; there is no token "
         "13."),
        ("scores", {"unit": 3}, "scores:1.3: This model has heads 0 to 2; there is no head 3."),
        ("head", {"unit": 3}, "head:1.3: This model has heads 0 to 2; there is no head 3."),
        ("neuron", {"unit": 24}, "neuron:1.24: This model has units 0 to 23; there is no unit "
         "24."),
        ("tokens", {"block": 2}, "tokens:2: This model has blocks 0 to 1; there is no block 2."),
        ("tokens", {"block": None}, "tokens: Which block? This model has blocks 0 to 1."),
        ("positions", {"block": 0}, "positions:0: positions are at the input, before any block: "
         "name no block."),
        ("mlp", {"unit": 0}, "mlp:1.0: mlp has no units: only scores, head, neuron have."),
        ("head", {"keys": [0]}, "head:1: head has no keys: only scores have."),
    ],
)  # fmt: skip
def test_a_place_that_is_not_there_is_named(site: Any, place: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(words)}$"):
        check(site, 0.0, **place)


def test_numbers_are_finite_but_for_what_is_not_seen() -> None:
    check("scores", -math.inf)
    for site, value in (("tokens", math.inf), ("tokens", math.nan), ("scores", math.nan)):
        with pytest.raises(ValueError, match="something that is no finite number"):
            check(site, value)


def test_only_registers_can_be_left_out() -> None:
    check("registers", None)
    for site, place in (("tokens", {}), ("registers", {"tokens": [0]})):
        with pytest.raises(ValueError, match="can be left out: give a value"):
            check(site, None, **place)
    out, other = Edit("registers", None), Edit("tokens", torch.zeros(11, 12), block=0)
    check_edits([out, other], CONFIG, GRID)
    with pytest.raises(ValueError, match=re.escape("but what is there has [13, 12]")):
        check_edits([out, other], CONFIG, GRID, registers=2)
    assert registers_out([other, out])
    assert not registers_out([other, Edit("registers", 0.0), Edit("registers", None, tokens=[0])])


def test_edits_are_sorted_by_where_they_are() -> None:
    a, b, c = (Edit("mlp", 0.0, block=i) for i in (1, 0, 1))
    d, e = Edit("tokens", 0.0, block=1), Edit("positions", 0.0)
    found = by_block([a, b, c, d, e])
    assert {block: (list(one.mlp), list(one.tokens)) for block, one in found.items()} == {
        1: ([a, c], [d]),
        0: ([b], []),
    }
    assert at_site([a, e, d], "positions") == [e]
