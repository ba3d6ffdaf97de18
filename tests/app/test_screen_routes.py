"""Every route of a picture answers with the library's scene, of just what was asked: each word of a
request counts, at its own place, and what is left out is what the library does by itself."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from alike import are_close, assert_same
from fastapi.testclient import TestClient
from safetensors.numpy import load
from tiny_home import with_gallery

from app.server import build_server
from dino_core.scenes import (
    attention,
    comparison,
    crops,
    features,
    masks,
    matching,
    strip,
    tokens,
    welcome,
)
from dino_core.scenes.packing import packed
from dino_core.scenes.picture import OpenPicture

ONE, TWO = "a" * 32, "b" * 32
GALLERY = "shown-0-colours"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A visitor with two samples open in a tiny model, and a gallery that is everybody's."""
    with with_gallery(tmp_path_factory.mktemp("home"), 2) as home:
        server = build_server(weights=home / "tiny.safetensors", galleries=[home / "colours"])
        client = TestClient(server, base_url="http://localhost")
        client.get("/")
        for key, sample, size in ((ONE, "coffee.jpg", 56), (TWO, "cat.jpg", 70)):
            opened = client.post(f"/view/{key}/again?model=tiny&size={size}&sample={sample}")
            assert opened.status_code == 200, opened.text
        yield client
        client.close()


def picture(client: TestClient, key: str) -> OpenPicture:
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    secret = services.visitors.secret(client.cookies)
    found: OpenPicture = services.pictures.get(secret, key).picture
    return found


def model(client: TestClient) -> Any:
    services: Any = client.app.state.services  # type: ignore[attr-defined]
    return services.models.backbone("tiny").vit


COLOURS = (
    "preset=dinov3-notebook&flip=true&foreground=true&threshold=0.2&median=false&whiten=false"
    "&colours=minmax&components=2,0,1"
)
CHANGES: dict[str, Any] = {
    "foreground": True,
    "threshold": 0.2,
    "median": False,
    "whiten": False,
    "colours": "minmax",
    "components": (2, 0, 1),
}
AREAS = "global_low=0.4&global_high=0.9&local_low=0.1&local_high=0.3&local_count=3"
SIZES = "global_size=112&local_size=42"
CHOSEN: dict[str, Any] = {
    "global_scale": (0.4, 0.9),
    "local_scale": (0.1, 0.3),
    "local_count": 3,
    "global_size": 112,
    "local_size": 42,
}
Scene = Callable[[OpenPicture, OpenPicture, Any], Any]
SCENES: dict[str, Scene] = {
    "attention/1": lambda one, two, vit: attention.layer_scene(one.seen, 1),
    "heads/0": lambda one, two, vit: attention.heads_scene(one.seen, 0),
    "overview": lambda one, two, vit: attention.overview_scene(one.seen),
    "overview?row=1&column=3": lambda one, two, vit: attention.overview_scene(one.seen, 1, 3),
    "rollout": lambda one, two, vit: attention.rollout_scene(one.seen),
    "features/1": lambda one, two, vit: features.features_scene(one.seen, 1),
    f"features/0?{COLOURS}": lambda one, two, vit: features.features_scene(
        one.seen, 0, "dinov3-notebook", True, **CHANGES
    ),
    f"features/1?second={TWO}": lambda one, two, vit: features.features_scene(
        one.seen, 1, second=two.seen
    ),
    "patches/0": lambda one, two, vit: features.patches_scene(one.seen, 0),
    "clusters/1": lambda one, two, vit: features.clusters_scene(one.seen, 1, k=6, seed=0),
    "clusters/0?k=3&seed=4": lambda one, two, vit: features.clusters_scene(
        one.seen, 0, k=3, seed=4
    ),
    "map/1": lambda one, two, vit: features.map_scene(one.seen, 1),
    f"matches/1?second={TWO}": lambda one, two, vit: matching.matches_scene(one.seen, two.seen, 1),
    f"matches/0?second={TWO}&object_only=false&{COLOURS}": lambda one, two, vit: (
        matching.matches_scene(one.seen, two.seen, 0, False, "dinov3-notebook", True, **CHANGES)
    ),
    "comparison/0?second_layer=1": lambda one, two, vit: comparison.comparison_scene(
        one.seen, 0, one.seen, 1
    ),
    f"comparison/1?second_layer=0&second={TWO}&{COLOURS}": lambda one, two, vit: (
        comparison.comparison_scene(one.seen, 1, two.seen, 0, "dinov3-notebook", True, **CHANGES)
    ),
    "likeness": lambda one, two, vit: comparison.likeness_scene(one.seen),
    f"likeness?second={TWO}": lambda one, two, vit: comparison.likeness_scene(one.seen, two.seen),
    "tokens/patches": lambda one, two, vit: tokens.patches_scene(vit, one),
    "tokens/positions": lambda one, two, vit: tokens.positions_scene(vit, one.seen),
    "tokens/blocks": lambda one, two, vit: tokens.blocks_scene(vit, one.seen),
    "crops?seed=3": lambda one, two, vit: crops.crops_scene(one.source, 3),
    f"crops?seed=5&blur=as+written&{AREAS}&{SIZES}": lambda one, two, vit: crops.crops_scene(
        one.source, 5, "as written", 14, CHOSEN
    ),
    "crops/draws?seed=3": lambda one, two, vit: crops.crop_draws_scene(one.source.size, 3),
    f"crops/draws?seed=5&blur=as+written&{AREAS}&{SIZES}": lambda one, two, vit: (
        crops.crop_draws_scene(one.source.size, 5, "as written", 14, CHOSEN)
    ),
    "masks?seed=2": lambda one, two, vit: masks.masks_scene(one.source, 2),
    "masks?seed=7&ratio=0.45": lambda one, two, vit: masks.masks_scene(one.source, 7, 0.45),
    "strip?seed=4": lambda one, two, vit: strip.strip_scene(one.seen, one.source, 4),
}


def assert_alike(one: bytes, other: bytes) -> None:
    """The same arrays and facts, to the rounding of a processor that is asked twice."""
    ours, theirs = load(one), load(other)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        assert (values.shape, values.dtype) == (theirs[name].shape, theirs[name].dtype), name
        if values.dtype.itemsize == 1:  # masks, colours: hardly one may be rounded otherwise
            assert (values != theirs[name]).mean() < 0.01, name
        else:
            np.testing.assert_allclose(values, theirs[name], rtol=1e-3, atol=1e-4, err_msg=name)
    assert are_close(facts_of(one), facts_of(other))


def facts_of(data: bytes) -> Any:
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"]["facts"])


@pytest.mark.parametrize("asked", SCENES)
def test_an_answer_is_the_library_s_scene(client: TestClient, asked: str) -> None:
    answer = client.get(f"/view/{ONE}/{asked}")
    assert answer.status_code == 200, answer.text
    scene = SCENES[asked](picture(client, ONE), picture(client, TWO), model(client))
    assert_alike(answer.content, packed(scene)[0])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, max-age=3600, immutable"


def test_the_welcome_looks_more_closely_with_the_same_model(client: TestClient) -> None:
    from dino_core.scenes.picture import look

    answer = client.get(f"/view/{ONE}/welcome")
    opened = look(model(client), picture(client, ONE).source, welcome.SHORT_SIDE)
    assert answer.status_code == 200, answer.text
    assert_alike(answer.content, packed(welcome.welcome_scene(opened))[0])


@pytest.mark.parametrize("form", ["npz", "chart", "chart-dark"])
def test_another_form_is_of_the_same_scene(client: TestClient, form: Any) -> None:
    answer = client.get(f"/view/{ONE}/features/1?form={form}")
    scene = features.features_scene(picture(client, ONE).seen, 1)  # so small that it is the same
    assert_same(answer.content, packed(scene, form)[0])


# --- how far a number goes: the first and the last that are taken, and those beside them

LONG = "x"
BOUNDS: list[tuple[str, tuple[object, ...], tuple[object, ...]]] = [
    (f"galleries/{GALLERY}/pictures/0.jpg?longest={{}}", (16, 1600), (15, 1601)),
    (f"galleries/{GALLERY}/clusters?k={{}}", (2, 6), (1, 7, 51)),
    (f"galleries/{GALLERY}/neighbours/0?k={{}}", (1, 200), (0, 201)),
    (f"galleries/{GALLERY}/patches/0?row=0&column=0&k={{}}", (1, 200), (0, 201)),
    (f"galleries/{GALLERY}/duplicates?threshold={{}}", (0.5, 1), (0.49, 1.01)),
    (f"galleries/{GALLERY}/search?text={{}}", (LONG, 200 * LONG), ("", 201 * LONG)),
    (f"galleries/{GALLERY}/pictures/{{}}.jpg", (0, 5), (-1, 6)),
    (f"galleries/{GALLERY}/neighbours/{{}}", (0, 5), (-1, 6)),
    (f"galleries/{GALLERY}/names?of={{}}", ("0", "5,0"), ("6", "", "-1", "0,x")),
    (f"galleries/{GALLERY}/tiles.jpg?of={{}}", ("0", "5,0"), ("6", "", "0,x")),
    ("schedules/tiny?steps={}", (1, 10_000_000), (0, 10_000_001)),
    (f"view/{ONE}/whatif?seed={{}}", (0, 2**31 - 1), (-1, 2**31)),
    (f"view/{ONE}/whatif/screening?over=samples&most={{}}", (1, 64), (0, 65)),
    (f"view/{ONE}/clusters/0?k={{}}", (2, 12), (1, 13)),
    (f"view/{ONE}/clusters/{{}}", (0, 1), (-1, 2)),
    (f"view/{ONE}/masks?seed=1&ratio={{}}", (0, 0.5), (-0.01, 0.51)),
    (f"view/{ONE}/crops?seed={{}}", (0, 2**31 - 1), (-1, 2**31)),
    (f"view/{ONE}/crops?seed=0&local_count={{}}", (0, 12), (-1, 13)),
    (f"view/{ONE}/crops?seed=0&global_size={{}}", (14, 336), (0, 15, 350)),
    (f"view/{ONE}/features/0?threshold={{}}", (-5, 5), (-5.01, 5.01)),
]


@pytest.mark.parametrize(("address", "taken", "refused"), BOUNDS)
def test_numbers_go_so_far(
    client: TestClient, address: str, taken: tuple[object, ...], refused: tuple[object, ...]
) -> None:
    for one in taken:
        answer = client.get("/" + address.format(one))
        assert answer.status_code == 200, (one, answer.text)
    for one in refused:
        answer = client.get("/" + address.format(one))
        assert answer.status_code in (404, 422), (one, answer.status_code)


# --- how long an answer may be kept, and by whom

KEPT: dict[str, str] = {
    "identity": "no-store",
    "runs": "no-store",
    "galleries": "no-store",
    "checkpoints": "no-store",
    f"galleries/{GALLERY}": "no-store",
    f"galleries/{GALLERY}/command": "no-store",
    f"galleries/{GALLERY}/find?key={ONE}": "no-store",
    f"galleries/{GALLERY}/pictures": "private, max-age=300",
    f"galleries/{GALLERY}/points": "private, max-age=300",
    f"galleries/{GALLERY}/pictures/0.jpg": "private, max-age=300",
    f"galleries/{GALLERY}/atlas/0.jpg": "private, max-age=300",
    f"galleries/{GALLERY}/names?of=0": "private, max-age=300",
    f"galleries/{GALLERY}/tiles.jpg?of=0": "private, max-age=300",
    f"galleries/{GALLERY}/probe": "private, no-cache",
    f"view/{ONE}/around": "no-store",
    f"view/{ONE}/whatif/around": "no-store",
    f"view/{ONE}/whatif/screening": "no-store",
    f"view/{ONE}/thumb.jpg": "private, max-age=3600, immutable",
    f"view/{ONE}/print/attention?caption=true": "private, max-age=3600, immutable",
    "tray/choices": "no-store",
    "tray/rows?rows=sample/cat.jpg": "no-store",
    "tray/picture.jpg?row=sample/cat.jpg&size=56": "private, max-age=3600, immutable",
    "guide/glossary.json": "no-store",
}


@pytest.mark.parametrize("address", KEPT)
def test_an_answer_is_kept_as_long_as_it_holds(client: TestClient, address: str) -> None:
    answer = client.get(f"/{address}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, KEPT[address])


def test_pictures_are_shrunk_and_never_enlarged(client: TestClient) -> None:
    from io import BytesIO

    from PIL import Image

    def sides(name: str) -> tuple[int, int]:
        with Image.open(BytesIO(client.get(f"/view/{ONE}/{name}.jpg").content)) as image:
            return image.size

    opened = picture(client, ONE)
    assert max(sides("source")) == min(max(opened.source.size), 1600)
    assert sides("input") == opened.fitted.picture.size
    assert max(sides("thumb")) == min(max(opened.fitted.picture.size), 160)
