"""A page stays within its bytes, and what it holds can be taken apart again."""

import json
import re
import zlib

import numpy as np
import pytest
import torch
from tiny_models import TINY, tiny_vit

from dino_core.analysis.alignment import Family
from dino_core.analysis.compact import balanced, compact_attention, largest_error
from dino_core.analysis.depth import layers_in_colours
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.config import PCA_PRESETS
from dino_core.figures.offline_page import ALPHABET, FINEST, as_text, offline_page, packed


@pytest.fixture(scope="module")
def seen() -> Inspection:
    images = torch.randn(3, 56, 112, generator=torch.Generator().manual_seed(0))
    return inspect(tiny_vit(TINY), images)


@pytest.fixture(scope="module")
def family(seen: Inspection) -> Family:
    return layers_in_colours(seen, PCA_PRESETS["all-patches"])


def off(page: str) -> float:
    """How far off the page says that it is, in percentage points."""
    found = re.search(r"more than ([\d.e-]+) percentage points", page)
    assert found
    return float(found[1])


def test_fewer_bytes_round_more_and_no_page_has_more_than_it_may(
    seen: Inspection, family: Family
) -> None:
    whole = offline_page(seen, family, title="whole")
    size = len(whole.encode())
    for fewer in (300, 700, 1100, 1500):
        small = offline_page(seen, family, title="small", most=size - fewer)
        assert size - fewer - 2500 < len(small.encode()) <= size - fewer
    assert off(small) > off(whole)
    least = offline_page(seen, family, title="least", most=1)  # rather than be rounded away
    assert off(small) <= off(least) < 20


def test_what_the_script_is_told_is_what_the_model_does(seen: Inspection, family: Family) -> None:
    page = offline_page(seen, family, title="</script><b>")
    found = re.search(r'id="inside-facts">(.*?)</script>', page)
    assert found
    told = json.loads(found[1])
    assert told["scale"] == (TINY.dim // TINY.heads) ** -0.5
    assert (told["grid"], told["size"], told["title"]) == ([4, 8], [112, 56], "</script><b>")
    assert len(told["layers"]) == TINY.depth
    wrong = 100 * largest_error(seen, compact_attention(balanced(seen), FINEST))
    assert f"more than {wrong:.2g} percentage points off" in told["words"]


def test_numbers_come_back_out_of_the_letters(seen: Inspection, family: Family) -> None:
    compact = compact_attention(balanced(seen), 0.0001)
    assert np.abs(compact.keys).max() > 127, "some have a high byte"
    data = packed(family, compact)
    assert take_apart(as_text(data), len(data)) == data
    raw = zlib.decompress(data)
    numbers, steps = compact.queries.size, 4 * compact.steps.size
    low, high = (
        np.frombuffer(raw, np.uint8, 2 * numbers, steps + part * 2 * numbers) for part in (0, 1)
    )
    folded = low.astype(int) + 256 * high.astype(int)
    got = np.where(folded % 2, -(folded + 1) // 2, folded // 2)
    np.testing.assert_array_equal(got[:numbers], compact.queries.ravel())
    np.testing.assert_array_equal(got[numbers:], compact.keys.ravel())


def take_apart(text: str, length: int) -> bytes:
    """Bit by bit, in plain steps."""
    assert not set(text) & set("&<> \n")
    pairs = zip(text[::2], text[1::2], strict=True)
    values = (len(ALPHABET) * ALPHABET.index(a) + ALPHABET.index(b) for a, b in pairs)
    bits = "".join(f"{value:013b}" for value in values)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, 8 * length, 8))
