"""What the page is told of a screening that nobody computed, with numbers that are told apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page, Route

from dino_core.gallery.screening import AccuracyChange
from dino_core.scenes.packing import packed
from dino_core.scenes.whatif_screening import Parts, Plan, Screened, screening_scene
from dino_core.weights import load_backbone

UNITS: dict[Parts, int] = {"heads": 6, "blocks": 2}


def screening_of(parts: Parts, pictures: int = 1, *, labelled: bool = False) -> bytes:
    """As the server sends one of the preview. Part i of picture b has the effect (i + b) / 1000 on
    the class token and half of that on the patches; a quarter of the pictures is lost by zero."""
    units = UNITS[parts]
    effect = torch.arange(4 * 12 * units).reshape(4, 12, units) / 1000
    found = [
        Screened(effect + b / 1000, (effect + b / 1000) / 2, torch.zeros(4, 12, units, 2))
        for b in range(pictures)
    ]
    lost = np.zeros((4, 12, units), np.float32)
    lost[0] = -0.25
    return packed(
        screening_scene(
            load_backbone("preview_vits14").vit,
            Plan(parts),
            found,
            references=8,
            accuracy=AccuracyChange(0.75, lost) if labelled else None,
        )
    )[0]


def answer_screenings(
    page: Page, states: list[dict[str, Any]], pictures: int = 1, *, labelled: bool = False
) -> list[tuple[str, str]]:
    """Answers all that the page asks about screenings; `states` in turn, the last one for good.

    -> the (method, address) of each question how far it is, as they come.
    """
    asked: list[tuple[str, str]] = []

    def how_far(route: Route) -> None:
        asked.append((route.request.method, route.request.url))
        route.fulfill(json=states[min(len(asked), len(states)) - 1])

    def found(parts: Parts) -> Callable[[Route], None]:
        body = screening_of(parts, pictures, labelled=labelled)
        return lambda route: route.fulfill(body=body)

    page.route("**/whatif/screening?*", how_far)
    for parts in UNITS:
        page.route(f"**/whatif/screening/{parts}?*", found(parts))
    return asked


def running(done: int) -> dict[str, Any]:
    return {"state": "running", "done": done, "total": 384, "words": ""}


READY = {"state": "ready", "done": 384, "total": 384, "words": ""}
