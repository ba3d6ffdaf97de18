"""The model's insides changed, and what follows from it in the picture.

    view/KEY/whatif?edit=SITE=VALUE&edit=...&seed&layer&preset&flip   before and after
    view/KEY/whatif/print?edit&seed&layer&head&kind&width   the same as a figure for print
    view/KEY/whatif/prototypes?edit&seed          what the model's own heads say, where it has some
    view/KEY/whatif/nearest?edit&seed&gallery     pictures that are nearest before and after
    view/KEY/whatif/around                        what there is to ask: heads, galleries, models

Edits hold together, in the order of the request; without one nothing is changed. Values that are
taken from other pictures are taken from the samples, or with `reference=NAME` from a gallery.
Screenings are in whatif_screening.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from app.jobs.gallery_cards import SAMPLES
from app.routes.dependencies import Form, IsGone, Owner, Picture, Served
from app.routes.galleries import find_gallery
from app.routes.prints import Paper, on_paper, source_of
from app.routes.responses import NO_STORE, respond
from app.services import Services
from app.state.pictures import Entry
from app.state.whatif import References

if TYPE_CHECKING:
    from dino_core.scenes.whatif import Change, Effects

router = APIRouter(prefix="/view/{key}/whatif")

Seed = Annotated[int, Query(ge=0, lt=2**31)]
MAX_EDITS_LENGTH = 2**14  # characters of all edits of a request


def references_of(services: Served, owner: Owner, reference: str = SAMPLES) -> References:
    """The pictures that values are taken from. 404 for a gallery of somebody else's."""
    try:
        return services.references(reference, owner)
    except ValueError as error:
        raise HTTPException(404, str(error)) from None


Referred = Annotated[References, Depends(references_of)]


@dataclass(frozen=True)
class Asked:
    """The changes that a request names, and who would hear of them."""

    services: Services
    entry: Entry
    edits: tuple[str, ...]
    seed: int
    references: References
    is_gone: Callable[[], bool]

    def effects(self) -> "tuple[Effects, list[Change]]":
        """Before and after. ValueError in a sentence."""
        if sum(map(len, self.edits)) > MAX_EDITS_LENGTH:
            raise ValueError("The changes are too long for one request: name fewer patches.")
        return self.services.changed.effects(
            self.entry, self.edits, self.seed, references=self.references, is_gone=self.is_gone
        )


def asked(
    entry: Picture,
    services: Served,
    is_gone: IsGone,
    references: Referred,
    edit: Annotated[list[str], Query(default_factory=list)],
    seed: Seed = 0,
) -> Asked:
    """The changes of a request."""
    return Asked(services, entry, tuple(edit), seed, references, is_gone)


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


@router.get("/print")
def printed(
    changes: Changes,
    paper: Annotated[Paper, Depends()],
    layer: int | None = None,
    head: int | None = None,
) -> Response:
    from dino_core.scenes.whatif import print_changed

    def make() -> Any:
        found, edits = changes.effects()
        return print_changed(
            found,
            edits,
            source_of(changes.entry),
            layer=layer,
            head=head,
            seed=changes.seed,
            of_samples=changes.references.name == SAMPLES,
        )

    return on_paper(make, paper)


@router.get("/prototypes")
def prototypes(changes: Changes, owner: Owner, form: Form = "page") -> Response:
    from dino_core.scenes.whatif import prototypes_scene

    services, entry = changes.services, changes.entry

    def make() -> Any:
        name = services.pairs.of_model(entry.model, owner)
        if name is None:
            raise ValueError(f"No heads come with {entry.title or entry.model}.")
        loaded = services.pairs.find(name, owner)
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
    from dino_core.scenes.gallery import NotReady, find, names
    from dino_core.scenes.whatif_nearest import nearest_scene

    entry, changed = changes.entry, changes.services.changed
    folder = find_gallery(gallery, changes.services, owner)

    def make() -> Any:
        itself = find(folder, entry.picture.source)
        known = names(folder).model if changed.is_seen_by(entry, folder) else entry.model
        return nearest_scene(folder, known, changes.effects()[0], itself)

    try:
        return respond(form, make)
    except NotReady as wait:
        raise HTTPException(422, wait.words) from None


@router.get("/around")
def around(entry: Picture, services: Served, owner: Owner, response: Response) -> dict[str, Any]:
    """The pair whose heads read this model's features; [name, title] of the galleries that the
    model has seen, whose features can be compared; and [name, title, how many are looked at] of all
    whose pictures may be the reference, or screened, the samples first; [name, label] of the models
    that may have the same changes beside this one."""
    from dino_core.scenes.whatif_pictures import reference_count

    response.headers.update(NO_STORE)
    folders = {
        card["name"]: (card["title"], services.galleries.find(card["name"], owner))
        for card in services.galleries.everything(owner)
        if card["seen"]
    }
    galleries = [
        [name, title]
        for name, (title, folder) in folders.items()
        if services.changed.is_seen_by(entry, folder)
    ]
    references = [
        [name, title, reference_count(folder)]
        for name, (title, folder) in folders.items()
        if name != SAMPLES
    ]
    return {
        "pair": services.pairs.of_model(entry.model, owner),
        "galleries": galleries,
        "references": [[SAMPLES, "The samples", reference_count(None)], *references],
        "models": [[name, label] for label, name in services.models.available(owner)],
    }
