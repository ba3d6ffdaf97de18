"""The model's insides changed, and what follows from it in the picture.

    view/KEY/whatif?edit=SITE=VALUE&edit=...&seed&layer&preset&flip   before and after
    view/KEY/whatif/prototypes?edit&seed          what the model's own heads say, where it has some
    view/KEY/whatif/nearest?edit&seed&gallery     pictures that are nearest before and after
    view/KEY/whatif/around                        what there is to ask: heads, galleries

    view/KEY/whatif/screening?seed                how far it is; POST begins it, DELETE stops it
    view/KEY/whatif/screening/PARTS?seed          what every one of heads or blocks does

Edits hold together, in the order of the request; without one nothing is changed. Values that are
taken from other pictures are taken from the samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from app.jobs.gallery_cards import SAMPLES
from app.routes.dependencies import Form, IsGone, Owner, Picture, Secret, Served
from app.routes.galleries import find_gallery
from app.routes.responses import NO_STORE, or_sentence, plain, respond
from app.services import Services
from app.state.pictures import Entry
from app.state.whatif import pair_of

if TYPE_CHECKING:
    from dino_core.scenes.whatif import Change, Effects

router = APIRouter(prefix="/view/{key}/whatif")

Seed = Annotated[int, Query(ge=0, lt=2**31)]
MAX_EDITS_LENGTH = 2**14  # characters of all edits of a request


@dataclass(frozen=True)
class Asked:
    """The changes that a request names, and who would hear of them."""

    services: Services
    entry: Entry
    edits: tuple[str, ...]
    seed: int
    is_gone: Callable[[], bool]

    def effects(self) -> "tuple[Effects, list[Change]]":
        """Before and after. ValueError in a sentence."""
        if sum(map(len, self.edits)) > MAX_EDITS_LENGTH:
            raise ValueError("The changes are too long for one request: name fewer patches.")
        return self.services.changed.effects(
            self.entry, self.edits, self.seed, is_gone=self.is_gone
        )


def asked(
    entry: Picture,
    services: Served,
    is_gone: IsGone,
    edit: Annotated[list[str], Query(default_factory=list)],
    seed: Seed = 0,
) -> Asked:
    """The changes of a request."""
    return Asked(services, entry, tuple(edit), seed, is_gone)


Changes = Annotated[Asked, Depends(asked)]


@router.get("")
def before_and_after(
    changes: Changes,
    layer: int | None = None,
    preset: str = "paper",
    flip: bool = False,
    form: Form = "page",
) -> Response:
    from dino_core.scenes.whatif import whatif_scene

    def make() -> Any:
        found, edits = changes.effects()
        return whatif_scene(found, edits, layer, preset, flip)

    return respond(form, make)


@router.get("/prototypes")
def prototypes(changes: Changes, form: Form = "page") -> Response:
    from dino_core.scenes.whatif import prototypes_scene

    services, entry = changes.services, changes.entry
    name = pair_of(entry.model)

    def make() -> Any:
        if name is None:
            raise ValueError(f"No heads come with {entry.model}.")
        loaded = services.pairs.find(name)
        found, _ = changes.effects()
        return services.models.exclusive(
            lambda: prototypes_scene(loaded.pair, loaded.references, found),
            is_gone=changes.is_gone,
        )

    return respond(form, make)


@router.get("/nearest")
def nearest(
    changes: Changes, owner: Owner, gallery: str = SAMPLES, form: Form = "page"
) -> Response:
    from dino_core.scenes.gallery import NotReady, find
    from dino_core.scenes.whatif_nearest import nearest_scene

    entry = changes.entry
    folder = find_gallery(gallery, changes.services, owner)

    def make() -> Any:
        itself = find(folder, entry.picture.source)
        return nearest_scene(folder, entry.model, changes.effects()[0], itself)

    try:
        return respond(form, make)
    except NotReady as wait:
        raise HTTPException(422, wait.words) from None


# --- every head and block, one at a time


@router.get("/screening")
def screening(
    entry: Picture, key: str, services: Served, secret: Secret, seed: Seed = 0
) -> Response:
    return plain(services.screenings.status(secret, key, seed))


@router.post("/screening")
def begin_screening(
    entry: Picture, key: str, services: Served, secret: Secret, seed: Seed = 0
) -> Response:
    return or_sentence(lambda: plain(services.screenings.start(secret, key, seed, entry)))


@router.delete("/screening")
def stop_screening(
    entry: Picture, key: str, services: Served, secret: Secret, seed: Seed = 0
) -> Response:
    services.screenings.stop(secret, key, seed)
    return plain(services.screenings.status(secret, key, seed))


@router.get("/screening/{parts}")
def screened(
    entry: Picture,
    key: str,
    parts: Literal["heads", "blocks"],
    services: Served,
    secret: Secret,
    seed: Seed = 0,
    form: Form = "page",
) -> Response:
    return respond(form, lambda: services.screenings.scene(secret, key, seed, parts, entry=entry))


# --- what there is to ask


@router.get("/around")
def around(entry: Picture, services: Served, owner: Owner, response: Response) -> dict[str, Any]:
    """The pair whose heads read this model's features, and galleries that it has seen."""
    response.headers.update(NO_STORE)
    galleries = [
        [card["name"], card["title"]]
        for card in services.galleries.everything(owner)
        if card["seen"] and is_of(services, card["name"], owner, entry.model)
    ]
    return {"pair": pair_of(entry.model), "galleries": galleries}


def is_of(services: Services, name: str, owner: str, model: str) -> bool:
    """Whether a gallery has features of this model."""
    from dino_core.scenes.gallery import NotReady, names

    try:
        return names(services.galleries.find(name, owner)).model == model
    except (ValueError, NotReady):
        return False
