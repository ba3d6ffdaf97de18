"""What the features' screen asks for: one picture in full, and another one beside it.

    view/KEY/features/LAYER?preset&flip&...     view/KEY/patches/LAYER
    view/KEY/clusters/LAYER?k&seed              view/KEY/map/LAYER?method&neighbours&...
    view/KEY/matches/LAYER?beside&...           view/KEY/comparison/LAYER?second_layer&beside&...
    view/KEY/likeness?beside                    view/KEY/around

    POST view/KEY/beside?sample|source|model    another picture, or this one in another model

The picture beside is opened in the model and at the size of the first, under a key of its own
that only the same visitor can use. Its file is the body of the request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.routes.responses import Answer, Form, Visitors, read_body
from app.state.models import Engine
from app.state.pictures import Entry, Store

MAX_BYTES = 25 * 2**20
TOO_LARGE = "The file has more than the 25 MB allowed: save the picture smaller."
Find = Callable[[Request, str], Entry]


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
    threshold: float | None = None,
    median: bool | None = None,
    whiten: bool | None = None,
    colours: str | None = None,
    components: Annotated[str | None, Query(pattern=r"^\d,\d,\d$")] = None,
) -> Colouring:
    chosen = {
        "foreground": foreground,
        "threshold": threshold,
        "median": median,
        "whiten": whiten,
        "colours": colours,
        "components": tuple(map(int, components.split(","))) if components else None,
    }
    return Colouring(preset, flip, {k: v for k, v in chosen.items() if v is not None})


@dataclass(frozen=True)
class Pictures:
    """Which pictures are meant: the first one, and the one beside it."""

    find: Find

    def beside(self, request: Request, beside: str | None = None) -> Entry | None:
        return self.find(request, beside) if beside else None

    def second(self, request: Request, beside: str | None = None) -> Entry:
        if not beside:
            raise HTTPException(422, "Choose a second picture first.")
        return self.find(request, beside)


def add_feature_routes(
    app: FastAPI, engine: Engine, store: Store, find: Find, answer: Answer, visitors: Visitors
) -> None:
    """Puts the routes on the application."""
    pictures = Pictures(find)
    add_single_routes(app, engine, pictures, answer)
    add_pair_routes(app, engine, pictures, answer)
    add_opening(app, engine, store, find, visitors)


def add_single_routes(app: FastAPI, engine: Engine, pictures: Pictures, answer: Answer) -> None:
    """What is shown of one picture's features."""
    Found = Annotated[Entry, Depends(pictures.find)]
    Beside = Annotated[Entry | None, Depends(pictures.beside)]
    Colours = Annotated[Colouring, Depends(colouring)]

    @app.get("/view/{key}/features/{layer}")
    def features(
        entry: Found, layer: int, look: Colours, beside: Beside, form: Form = "page"
    ) -> Response:
        second = beside.picture.seen if beside else None
        make = engine.scene("features").features_scene
        chosen = (look.preset, look.flip, second)
        return answer(form, make, entry.picture.seen, layer, *chosen, **look.changes)

    @app.get("/view/{key}/patches/{layer}")
    def patches(entry: Found, layer: int, form: Form = "page") -> Response:
        return answer(form, engine.scene("features").patches_scene, entry.picture.seen, layer)

    @app.get("/view/{key}/clusters/{layer}")
    def clusters(
        entry: Found, layer: int, k: int = 6, seed: int = 0, form: Form = "page"
    ) -> Response:
        make = engine.scene("features").clusters_scene
        return answer(form, make, entry.picture.seen, layer, k, seed)

    @app.get("/view/{key}/map/{layer}")
    def patch_map(
        entry: Found,
        layer: int,
        method: Literal["pca", "umap"] = "pca",
        neighbours: int = 15,
        min_distance: float = 0.1,
        seed: int = 0,
        form: Form = "page",
    ) -> Response:
        fit = engine.mapper.fit if method == "umap" else None
        make = engine.scene("features").map_scene
        return answer(form, make, entry.picture.seen, layer, fit, neighbours, min_distance, seed)


def add_pair_routes(app: FastAPI, engine: Engine, pictures: Pictures, answer: Answer) -> None:
    """What is shown of two pictures, models or layers."""
    Found = Annotated[Entry, Depends(pictures.find)]
    Beside = Annotated[Entry | None, Depends(pictures.beside)]
    Second = Annotated[Entry, Depends(pictures.second)]
    Colours = Annotated[Colouring, Depends(colouring)]

    @app.get("/view/{key}/matches/{layer}")
    def matches(
        entry: Found,
        layer: int,
        beside: Second,
        look: Colours,
        object_only: bool = True,
        form: Form = "page",
    ) -> Response:
        make = engine.scene("matching").matches_scene
        pictures = (entry.picture.seen, beside.picture.seen)
        chosen = (object_only, look.preset, look.flip)
        return answer(form, make, *pictures, layer, *chosen, **look.changes)

    @app.get("/view/{key}/comparison/{layer}")
    def comparison(
        entry: Found,
        layer: int,
        second_layer: int,
        beside: Beside,
        look: Colours,
        form: Form = "page",
    ) -> Response:
        second = (beside or entry).picture.seen
        make = engine.scene("comparison").comparison_scene
        layers = (entry.picture.seen, layer, second, second_layer)
        return answer(form, make, *layers, look.preset, look.flip, **look.changes)

    @app.get("/view/{key}/likeness")
    def likeness(entry: Found, beside: Beside, form: Form = "page") -> Response:
        second = beside.picture.seen if beside else None
        return answer(form, engine.scene("comparison").likeness_scene, entry.picture.seen, second)


def add_opening(app: FastAPI, engine: Engine, store: Store, find: Find, visitors: Visitors) -> None:
    """What can stand beside the first picture, and the route that opens it."""
    Found = Annotated[Entry, Depends(find)]

    @app.get("/view/{key}/around")
    def around(request: Request, entry: Found, response: Response) -> dict[str, Any]:
        """What can stand beside this picture now, and whether UMAP is warm: it begins to be."""
        response.headers["Cache-Control"] = "no-store"
        return {
            "before": store.before(visitors.secret(request), entry),
            "models": [[name, label] for label, name in engine.at_hand()],
            "umap": engine.mapper.start(),
        }

    @app.post("/view/{key}/beside")
    async def open_beside(
        request: Request,
        key: str,
        sample: str | None = None,
        source: str | None = None,
        model: str | None = None,
    ) -> dict[str, Any]:
        visitor = visitors.secret(request)
        if not visitor:
            raise HTTPException(404, "Open the page first.")
        body = await read_body(request, MAX_BYTES, TOO_LARGE)

        def work() -> dict[str, Any]:
            entry = find(request, key)
            picture, name = pick(entry, body, sample, source, model, request)
            looked = engine.look(picture, model or entry.model, entry.size)
            added = Entry(visitor, looked, model or entry.model, entry.size, name, beside=True)
            return view_of(store.add(added), added)

        try:
            return await run_in_threadpool(work)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    def pick(
        entry: Entry,
        body: bytes,
        sample: str | None,
        source: str | None,
        model: str | None,
        request: Request,
    ) -> tuple[Any, str]:
        """The picture that is meant, and its name when it is a sample."""
        if sample is not None:
            return engine.read_sample(sample), sample
        if source is not None:
            other = find(request, source)
            return other.picture.source, other.sample
        if model is not None:
            return entry.picture.source, entry.sample
        return engine.scene("picture").read_picture(body), ""


def view_of(key: str, entry: Entry) -> dict[str, Any]:
    """What the page needs to show an entry beside the first."""
    scene = entry.picture.scene
    return {
        "key": key,
        "model": entry.model,
        "sample": entry.sample,
        "grid": scene.grid,
        "input_size": scene.input_size,
        "short_side": scene.short_side,
        "patch_size": scene.patch_size,
        "layers": scene.layers,
    }
