"""Features of one picture, and of another one that it is compared with.

    view/KEY/features/LAYER?preset&flip&...     view/KEY/patches/LAYER
    view/KEY/clusters/LAYER?k&seed              view/KEY/map/LAYER?method&neighbours&...
    view/KEY/matches/LAYER?second&...           view/KEY/comparison/LAYER?second_layer&second&...
    view/KEY/likeness?second                    view/KEY/around

    POST view/KEY/second?sample|source|model    another picture, or this one in another model

The second picture is opened in the model and at the size of the first, under a key of its own that
only the same visitor can use. Its file is the body of the request.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.routes.dependencies import Form, IsGone, Number, Picture, Secret, Served, find_picture
from app.routes.pictures import model_words
from app.routes.responses import NO_STORE, errors_as_sentences, respond
from app.routes.uploads import MAX_PICTURE, TOO_LARGE, read_body
from app.services import Services
from app.state.models import read_sample
from app.state.pictures import Entry
from app.visitors import owner_of

router = APIRouter(prefix="/view/{key}")


@dataclass(frozen=True)
class Colouring:
    """A preset and what was changed about it; None leaves what the preset says."""

    preset: str
    flip: bool
    changes: dict[str, Any]


def colouring(
    preset: str = "paper",
    flip: bool = False,
    foreground: bool | None = None,
    threshold: Number | None = None,
    median: bool | None = None,
    whiten: bool | None = None,
    colours: str | None = None,
    components: Annotated[str | None, Query(pattern=r"^\d,\d,\d$")] = None,
) -> Colouring:
    """The colours that a request names."""
    chosen = {
        "foreground": foreground,
        "threshold": threshold,
        "median": median,
        "whiten": whiten,
        "colours": colours,
        "components": tuple(map(int, components.split(","))) if components else None,
    }
    return Colouring(preset, flip, {k: v for k, v in chosen.items() if v is not None})


def find_second(services: Served, secret: Secret, second: str | None = None) -> Entry | None:
    """The picture that the first one is compared with, if there is one."""
    return find_picture(second, services, secret) if second else None


def need_second(second: Annotated[Entry | None, Depends(find_second)]) -> Entry:
    """The same where nothing can be shown without it."""
    if second is None:
        raise HTTPException(422, "Choose a second picture first.")
    return second


Colours = Annotated[Colouring, Depends(colouring)]
Second = Annotated[Entry | None, Depends(find_second)]
NeededSecond = Annotated[Entry, Depends(need_second)]


# --- one picture


@router.get("/features/{layer}")
def features(
    entry: Picture, layer: int, chosen: Colours, second: Second, form: Form = "page"
) -> Response:
    from dino_core.scenes.features import features_scene

    other = second.picture.seen if second else None
    return respond(
        form,
        lambda: features_scene(
            entry.picture.seen, layer, chosen.preset, chosen.flip, other, **chosen.changes
        ),
    )


@router.get("/patches/{layer}")
def patches(entry: Picture, layer: int, form: Form = "page") -> Response:
    from dino_core.scenes.features import patches_scene

    return respond(form, lambda: patches_scene(entry.picture.seen, layer))


@router.get("/clusters/{layer}")
def clusters(
    entry: Picture, layer: int, k: int = 6, seed: int = 0, form: Form = "page"
) -> Response:
    from dino_core.scenes.features import clusters_scene

    return respond(form, lambda: clusters_scene(entry.picture.seen, layer, k, seed))


@dataclass(frozen=True)
class MapOptions:
    """How patches are laid out in a plane."""

    method: Literal["pca", "umap"] = "pca"
    neighbours: int = 15
    min_distance: Number = 0.1
    seed: int = 0


@router.get("/map/{layer}")
def patch_map(
    entry: Picture,
    layer: int,
    services: Served,
    options: Annotated[MapOptions, Depends()],
    form: Form = "page",
) -> Response:
    from dino_core.scenes.features import map_scene

    fit = services.umap.fit if options.method == "umap" else None
    numbers = (options.neighbours, options.min_distance, options.seed)
    return respond(form, lambda: map_scene(entry.picture.seen, layer, fit, *numbers))


# --- two pictures, models or layers


@router.get("/matches/{layer}")
def matches(
    entry: Picture,
    layer: int,
    second: NeededSecond,
    chosen: Colours,
    object_only: bool = True,
    form: Form = "page",
) -> Response:
    from dino_core.scenes.matching import matches_scene

    one, other = entry.picture.seen, second.picture.seen
    options = (layer, object_only, chosen.preset, chosen.flip)
    return respond(form, lambda: matches_scene(one, other, *options, **chosen.changes))


@router.get("/comparison/{layer}")
def comparison(
    entry: Picture,
    layer: int,
    second_layer: int,
    second: Second,
    chosen: Colours,
    form: Form = "page",
) -> Response:
    from dino_core.scenes.comparison import comparison_scene

    other = (second or entry).picture.seen
    layers = (entry.picture.seen, layer, other, second_layer)
    return respond(
        form, lambda: comparison_scene(*layers, chosen.preset, chosen.flip, **chosen.changes)
    )


@router.get("/likeness")
def likeness(entry: Picture, second: Second, form: Form = "page") -> Response:
    from dino_core.scenes.comparison import likeness_scene

    other = second.picture.seen if second else None
    return respond(form, lambda: likeness_scene(entry.picture.seen, other))


# --- opening the second one


@router.get("/around")
def choices(entry: Picture, services: Served, secret: Secret, response: Response) -> dict[str, Any]:
    """What this picture can be compared with now, and whether UMAP is warm: it begins to be."""
    response.headers.update(NO_STORE)
    return {
        "before": services.pictures.previous(secret, entry),
        "models": [[name, label] for label, name in services.models.available(owner_of(secret))],
        "umap": services.umap.start(),
    }


@dataclass(frozen=True)
class SecondChoice:
    """Which picture is meant: a sample, one that is open, or the first in another model.

    Without any of them it is the body of the request.
    """

    sample: str | None = None
    source: str | None = None
    model: str | None = None


@router.post("/second")
async def open_second(
    request: Request,
    key: str,
    services: Served,
    secret: Secret,
    is_gone: IsGone,
    choice: Annotated[SecondChoice, Depends()],
) -> dict[str, Any]:
    if not secret:
        raise HTTPException(404, "Open the page first.")
    body = await read_body(request, MAX_PICTURE, TOO_LARGE)

    def work() -> dict[str, Any]:
        entry = find_picture(key, services, secret)
        source, sample = pick_source(services, secret, entry, choice, body=body)
        model = choice.model or entry.model
        second = services.look(
            source, secret, model, entry.size, is_gone=is_gone, sample=sample, comparison=True
        )
        return facts_of(services.pictures.add(second), second)

    with errors_as_sentences():
        return await run_in_threadpool(work)


def pick_source(
    services: Services, secret: str, entry: Entry, choice: SecondChoice, *, body: bytes
) -> tuple[Any, str]:
    """The picture that is meant, and its name when it is a sample."""
    from dino_core.scenes.picture import read_picture

    if choice.sample is not None:
        return read_sample(choice.sample), choice.sample
    if choice.source is not None:
        other = find_picture(choice.source, services, secret)
        return other.picture.source, other.sample
    if choice.model is not None:
        return entry.picture.source, entry.sample
    return read_picture(body), ""


def facts_of(key: str, entry: Entry) -> dict[str, Any]:
    """What the page needs to show the second picture."""
    scene = entry.picture.scene
    return {
        "key": key,
        "model": entry.model,
        **model_words(entry),
        "sample": entry.sample,
        "grid": scene.grid,
        "input_size": scene.input_size,
        "short_side": scene.short_side,
        "patch_size": scene.patch_size,
        "layers": scene.layers,
        "heads": scene.heads,
        "registers": scene.registers,
    }
