"""Every head and block of a picture's model changed, one at a time, behind the page.

view/KEY/whatif/screening?seed          how far it is; POST begins it, DELETE stops it
view/KEY/whatif/screening/PARTS?seed    what every one of heads or blocks does

over=NAME&most=8     over so many pictures of a gallery (or the samples), not the open one alone
reference=NAME       values that are taken from other pictures are taken from that gallery
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from app.jobs.gallery_cards import SAMPLES
from app.routes.dependencies import Form, Owner, Picture, Secret, Served
from app.routes.galleries import find_gallery
from app.routes.responses import or_sentence, plain, respond
from app.routes.whatif import Referred, Seed
from app.services import Services
from app.state.pictures import Entry
from app.state.screenings import Asked

router = APIRouter(prefix="/view/{key}/whatif/screening")

MOST = 64  # pictures: with a ViT-S at 224 px some ten seconds each


@dataclass(frozen=True)
class Request:
    """What a request is about, and whose it is."""

    services: Services
    entry: Entry
    place: tuple[str, str, Asked]  # the visitor's secret, the picture's key, what is asked

    def status(self) -> dict[str, Any]:
        return self.services.screenings.status(*self.place)


def request(
    entry: Picture,
    key: str,
    services: Served,
    secret: Secret,
    owner: Owner,
    references: Referred,
    *,
    seed: Seed = 0,
    over: str = "",
    most: Annotated[int, Query(ge=1, le=MOST)] = 8,
) -> Request:
    """A screening of this visitor's. 404 for a gallery of somebody else's."""
    own = over in ("", SAMPLES)
    folder = None if own else find_gallery(over, services, owner)
    asked = Asked(seed, over, folder, most if over else 1, references)
    return Request(services, entry, (secret, key, asked))


Meant = Annotated[Request, Depends(request)]


@router.get("")
def how_far(meant: Meant) -> Response:
    return plain(meant.status())


@router.post("")
def begin(meant: Meant) -> Response:
    return or_sentence(lambda: plain(meant.services.screenings.start(*meant.place, meant.entry)))


@router.delete("")
def stop(meant: Meant) -> Response:
    meant.services.screenings.stop(*meant.place)
    return plain(meant.status())


@router.get("/{parts}")
def found(meant: Meant, parts: Literal["heads", "blocks"], form: Form = "page") -> Response:
    return respond(form, lambda: meant.services.screenings.scene(*meant.place, parts))
