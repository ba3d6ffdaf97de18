"""figures/offline_page.py: how fine the numbers are that a page holds, and what it says of them."""

import json
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_models import TINY, tiny_vit

from dino_core.analysis.compact import compact_attention
from dino_core.analysis.depth import layers_in_colours
from dino_core.analysis.inspection import Inspection, inspect
from dino_core.config import PCAConfig
from dino_core.figures import offline_page as module
from dino_core.images import to_tensor


@pytest.fixture(scope="module")
def seen() -> Inspection:
    pixels = np.random.default_rng(0).integers(0, 256, (56, 84, 3), np.uint8)
    return inspect(tiny_vit(), to_tensor(Image.fromarray(pixels)))


def page(seen: Inspection, title: str = "t") -> str:
    family = layers_in_colours(seen, PCAConfig(foreground=False))
    return module.offline_page(seen, family, title=title)


def facts(text: str) -> dict[str, Any]:
    found = re.search(r'id="inside-facts">(.*?)</script>', text)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize(("most", "levels"), [(4_000_000, [127]), (1, [127, 63, 31])])
def test_the_numbers_are_as_fine_as_the_size_allows(
    seen: Inspection, monkeypatch: pytest.MonkeyPatch, most: int, levels: list[int]
) -> None:
    tried: list[int] = []

    def noted(seen: Inspection, level: int) -> Any:
        tried.append(level)
        return compact_attention(seen, level)

    monkeypatch.setattr("dino_core.analysis.compact.compact_attention", noted)
    monkeypatch.setattr(module, "MOST", most)
    said = facts(page(seen))
    assert tried == levels
    off = 100 * compact_attention(seen, levels[-1]).error
    assert f"more than {off:.2g} percentage points off" in said["words"]


def test_what_the_script_is_told_is_what_the_model_does(seen: Inspection) -> None:
    said = facts(page(seen, "</script><b>"))
    assert said["scale"] == (TINY.dim // TINY.heads) ** -0.5
    assert (said["grid"], said["size"], said["title"]) == ([4, 6], [84, 56], "</script><b>")
    assert len(said["layers"]) == TINY.depth
