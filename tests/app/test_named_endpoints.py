"""api.py: every named endpoint answers with the library's scene of just what was asked, as plain
values; what is left out is what its signature says. In this process, with a tiny model."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from alike import are_close
from PIL import Image
from tiny_home import kept_in

from app.page.api import Endpoints, PictureEndpoints
from app.services import build_services
from app.visitors import COOKIE, owner_of
from dino_core.scenes import attention, crops, depth, features, masks, matching, tokens
from dino_core.scenes.losses import Chosen
from dino_core.scenes.packing import plain
from dino_core.scenes.picture import OpenPicture, look, read_picture
from dino_core.scenes.similarity import similarity_scene
from dino_core.scenes.step import Choices
from dino_core.scenes.whatif import changed, parse_changes, sources_of, whatif_scene

CAT, COFFEE = {"sample": "cat.jpg"}, {"sample": "coffee.jpg"}
EDITS = ["head:1.0=noise"]


class World:
    """One who asks, and what the library says of the same pictures."""

    def __init__(self, home: Path) -> None:
        self.services = build_services(None, home / "tiny.safetensors", "cpu")
        cookie = self.services.visitors.cookie_of("ada")
        self.request: Any = SimpleNamespace(cookies={COOKIE: cookie})
        self.backbone = self.services.models.backbone("tiny")
        self.endpoints = Endpoints(self.services)
        self.views = PictureEndpoints(self.services)

    def ask(self, name: str, *values: Any, **chosen: Any) -> dict[str, Any]:
        of = self.endpoints if hasattr(self.endpoints, name) else self.views
        call: Callable[..., dict[str, Any]] = getattr(of, name)
        return call(*values, request=self.request, **chosen)

    def opened(self, name: str = "cat.jpg", size: int = 56) -> OpenPicture:
        return look(self.backbone.vit, read_picture(Path("static/samples") / name), size)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with kept_in(tmp_path_factory.mktemp("home")) as home:
        yield World(home)


def whatif(world: World, opened: OpenPicture, layer: int | None, seed: int) -> Any:
    changes = parse_changes(EDITS)
    sources = sources_of(world.backbone, opened.seen, changes, seed=seed)
    return whatif_scene(changed(world.backbone.vit, opened.seen, changes, sources), changes, layer)


@dataclass(frozen=True)
class Said:
    """What stands for a scene of losses, or of a step."""

    dino: Any = field(default_factory=lambda: np.array([1.0]))
    ibot: Any = field(default_factory=lambda: np.array([2.0]))
    mask: Any = field(default_factory=lambda: np.array([3.0]))
    gradient_norms: Any = field(default_factory=lambda: np.array([4.0]))
    shares: Any = field(default_factory=lambda: np.array([5.0]))
    cosines: Any = field(default_factory=lambda: np.array([6.0]))
    student_moved: Any = field(default_factory=lambda: np.array([7.0]))
    teacher_moved: Any = field(default_factory=lambda: np.array([8.0]))
    more: Any = field(default_factory=lambda: np.array([9.0]))  # an array that is not sent


Scene = Callable[[World, OpenPicture, OpenPicture], Any]
ANSWERS: list[tuple[str, dict[str, Any], tuple[str, ...], Scene]] = [
    ("crops", {}, (), lambda w, one, two: crops.crops_scene(one.source, 0, "as run")),
    (
        "crops",
        {"seed": 4, "blur": "as written"},
        (),
        lambda w, one, two: crops.crops_scene(one.source, 4, "as written"),
    ),
    (
        "masks",
        {},
        ("mask", "random_mask", "histogram"),
        lambda w, one, two: masks.masks_scene(one.source, 0, 0.3),
    ),
    (
        "masks",
        {"seed": 4, "ratio": 0.45},
        ("mask", "random_mask", "histogram"),
        lambda w, one, two: masks.masks_scene(one.source, 4, 0.45),
    ),
    (
        "attention",
        {"layer": 1, "size": 56},
        ("rows",),
        lambda w, one, two: attention.query_scene(one.seen, 1),
    ),
    (
        "attention",
        {"layer": 0, "row": 1, "column": 3, "size": 56},
        ("rows",),
        lambda w, one, two: attention.query_scene(one.seen, 0, 1, 3),
    ),
    (
        "features",
        {"layer": 1, "size": 56},
        ("colours", "foreground", "scores", "ratio"),
        lambda w, one, two: features.features_scene(one.seen, 1, "paper", False),
    ),
    (
        "features",
        {"layer": 0, "preset": "all-patches", "flip": True, "size": 56},
        ("colours", "foreground", "scores", "ratio"),
        lambda w, one, two: features.features_scene(one.seen, 0, "all-patches", True),
    ),
    (
        "similar",
        {"row": 2, "column": 1, "layer": 1, "size": 56},
        ("similarity",),
        lambda w, one, two: similarity_scene(one.seen, 1, 2, 1, None),
    ),
    (
        "similar",
        {"row": 2, "column": 1, "other": COFFEE, "layer": 0, "size": 56},
        ("similarity",),
        lambda w, one, two: similarity_scene(one.seen, 0, 2, 1, two.seen),
    ),
    (
        "match",
        {"other": COFFEE, "layer": 1, "size": 56},
        ("forward", "forward_similarity", "backward", "backward_similarity", "mutual", "lines"),
        lambda w, one, two: matching.matches_scene(one.seen, two.seen, 1, True),
    ),
    (
        "match",
        {"other": COFFEE, "layer": 0, "foreground": False, "size": 56},
        ("forward", "forward_similarity", "backward", "backward_similarity", "mutual", "lines"),
        lambda w, one, two: matching.matches_scene(one.seen, two.seen, 0, False),
    ),
    (
        "clusters",
        {"layer": 1, "size": 56},
        ("labels",),
        lambda w, one, two: features.clusters_scene(one.seen, 1, 6, 0),
    ),
    (
        "clusters",
        {"k": 3, "layer": 0, "seed": 5, "size": 56},
        ("labels",),
        lambda w, one, two: features.clusters_scene(one.seen, 0, 3, 5),
    ),
    ("rollout", {"size": 56}, ("rollout",), lambda w, one, two: attention.rollout_scene(one.seen)),
    (
        "norms",
        {"size": 56},
        ("norms", "updates", "threshold"),
        lambda w, one, two: tokens.blocks_scene(w.backbone.vit, one.seen),
    ),
    (
        "depth",
        {"size": 56},
        ("colours", "foreground"),
        lambda w, one, two: depth.depth_scene(one.seen, "paper", False, "rotation", False),
    ),
    (
        "depth",
        {"preset": "all-patches", "flip": True, "method": "signs", "robust": True, "size": 56},
        ("colours", "foreground"),
        lambda w, one, two: depth.depth_scene(one.seen, "all-patches", True, "signs", True),
    ),
    (
        "whatif",
        {"edits": EDITS, "size": 56},
        (
            *("patch_cosine", "cls_cosine_by_layer", "patch_cosine_by_layer"),
            *("attention_before", "attention_after", "colours_before", "colours_after"),
            *("cls_before", "cls_after"),
        ),
        lambda w, one, two: whatif(w, one, None, 0),
    ),
    (
        "whatif",
        {"edits": EDITS, "layer": 0, "seed": 3, "size": 56},
        (
            *("patch_cosine", "cls_cosine_by_layer", "patch_cosine_by_layer"),
            *("attention_before", "attention_after", "colours_before", "colours_after"),
            *("cls_before", "cls_after"),
        ),
        lambda w, one, two: whatif(w, one, 0, 3),
    ),
]


@pytest.mark.parametrize(("name", "chosen", "arrays", "scene"), ANSWERS)
def test_an_answer_is_the_library_s_scene(
    world: World, name: str, chosen: dict[str, Any], arrays: tuple[str, ...], scene: Scene
) -> None:
    wanted = plain(scene(world, world.opened(), world.opened("coffee.jpg")), arrays)
    found = world.ask(name, CAT, **chosen)
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        assert are_close(found[key], value), key


@pytest.mark.parametrize("name", ["attention", "features", "match", "clusters"])
def test_without_a_layer_it_is_the_last_of_most_models(world: World, name: str) -> None:
    """And 224 px are looked at, in the model with which the page begins."""
    more = {"other": COFFEE} if name == "match" else {}
    with pytest.raises(gr.Error, match=r"layers 0 to 1.* 11"):
        world.ask(name, CAT, **more)
    call = getattr(world.endpoints, name, None) or getattr(world.views, name)
    defaults = {p.name: p.default for p in inspect.signature(call).parameters.values()}
    assert (defaults["layer"], defaults["size"], defaults["model"]) == (11, 224, "")


@pytest.mark.parametrize(
    ("chosen", "pair", "how"),
    [
        ({}, "preview", Chosen("centering", None)),
        (
            {"seed": 3, "pair": "cifar", "targets": "sinkhorn_knopp", "temperature": 0.06},
            "cifar",
            Chosen("sinkhorn_knopp", 0.06),
        ),
    ],
)
def test_losses_are_of_what_was_chosen(
    world: World, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any], pair: str, how: Chosen
) -> None:
    """The scene itself is tested where it is made: here it is who is asked, and for what."""
    asked: list[Any] = []
    loaded = SimpleNamespace(pair="the pair", references="the samples")
    pairs = world.services.pairs
    monkeypatch.setattr(pairs, "find", lambda name, owner: asked.append((name, owner)) or loaded)
    monkeypatch.setattr(pairs, "outputs", lambda of, source, seed: (of, source.size, seed))
    monkeypatch.setattr(
        "dino_core.scenes.losses.losses_scene",
        lambda *parts, **named: asked.append((*parts, named)) or Said(),
    )
    assert world.ask("losses", CAT, **chosen) == {"dino": [1.0], "ibot": [2.0], "mask": [3.0]}
    seed, size = chosen.get("seed", 0), world.opened().source.size
    assert asked == [
        (pair, owner_of("ada")),
        ("the pair", "the samples", (loaded, size, seed), seed, {"chosen": how}),
    ]


@pytest.mark.parametrize(
    ("chosen", "pair", "how"),
    [
        ({}, "cifar", Choices(0, "centering", learning_rate=None, koleo_weight=0.1)),
        (
            {
                "seed": 3,
                "pair": "preview",
                "targets": "sinkhorn_knopp",
                "learning_rate": 1e-4,
                "koleo": 0.2,
            },
            "preview",
            Choices(3, "sinkhorn_knopp", learning_rate=1e-4, koleo_weight=0.2),
        ),
    ],
)
def test_a_step_is_the_first_of_a_row(
    world: World, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any], pair: str, how: Choices
) -> None:
    asked: list[Any] = []
    loaded = SimpleNamespace(pair="the pair")
    find = lambda name, owner: asked.append((name, owner)) or loaded  # noqa: E731
    monkeypatch.setattr(world.services.pairs, "find", find)
    monkeypatch.setattr(
        "dino_core.scenes.step.start_row",
        lambda *parts: (
            asked.append((parts[0], parts[1].size, parts[2])) or SimpleNamespace(record=Said)
        ),
    )
    found = world.ask("step", CAT, **chosen)
    assert sorted(found) == sorted(
        ["gradient_norms", "shares", "cosines", "student_moved", "teacher_moved"]
    )
    size = world.opened().source.size
    assert asked == [(pair, owner_of("ada")), ("the pair", size, how)]


def test_only_what_the_same_visitor_has_sent_is_opened(world: World, tmp_path: Path) -> None:
    path = tmp_path / "own.png"
    Image.new("RGB", (60, 40), "teal").save(path)
    named = {"path": str(path)}
    with pytest.raises(gr.Error, match="Upload the picture first"):
        world.ask("rollout", named, size=56)
    world.services.uploads.add("ada", [str(path)])
    assert world.ask("rollout", named, size=56)["grid"] == (4, 6)
    other: Any = SimpleNamespace(cookies={})
    with pytest.raises(gr.Error, match="Upload the picture first"):
        world.views.rollout(named, other, size=56)
    with pytest.raises(gr.Error, match="There is no such sample"):
        world.ask("rollout", {"sample": "../x.jpg"}, size=56)
    with pytest.raises(gr.Error, match="&lt;b&gt;"):
        world.ask("rollout", CAT, model="<b>", size=56)
