"""A visitor's own checkpoints, which are models of that visitor's list and of no other.

GET    checkpoints                    what there is to say of each
POST   checkpoints?name=              a file, which is the body: a checkpoint; or a question, where
                                      it does not tell enough of itself
POST   checkpoints/asked/TOKEN?field=&value=  the answer; the file need not be sent again
POST   checkpoints/run/NAME?step=     what a run has written; without a step what came out last
DELETE checkpoints/NAME               the file, and what was noted of it
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app.jobs.checkpoints import MAX_FILE, Question, take_answer, take_milestone, take_upload
from app.routes.dependencies import Address, KnownOwner, Owner, RunFolder, Served
from app.routes.responses import errors_as_sentences, or_sentence, plain
from app.routes.runs import OWN
from app.state.checkpoints import Checkpoint
from dino_core.scenes import training
from dino_core.scenes.checkpoints import Field
from dino_core.scenes.models import PREVIEW

LONGEST = 400  # characters of an answer: prefixes can be long

router = APIRouter(prefix="/checkpoints")


def shown(facts: Checkpoint | Question) -> dict[str, object]:
    """What its visitor is told: everything but from where it came."""
    return {name: value for name, value in facts.items() if name != "address"}


@router.get("")
def every(owner: Owner, services: Served) -> Response:
    return plain({"checkpoints": [shown(one) for one in services.checkpoints.everything(owner)]})


@router.post("")
async def add(
    request: Request,
    owner: KnownOwner,
    address: Address,
    services: Served,
    name: str = "checkpoint",
) -> Response:
    said = request.headers.get("content-length", "")
    with errors_as_sentences():
        facts = await take_upload(
            services.checkpoints,
            request.stream(),
            owner=owner,
            called=name,
            address=address,
            size=int(said) if said.isdecimal() else MAX_FILE,
        )
    return plain(shown(facts))


@router.post("/asked/{token}")
def answer(
    token: str,
    owner: KnownOwner,
    services: Served,
    field: Field,
    value: Annotated[str, Query(max_length=LONGEST)],
) -> Response:
    def work() -> Response:
        kept = services.checkpoints
        return plain(shown(take_answer(kept, owner, token, field=field, value=value)))

    return or_sentence(work)


@router.post("/run/{name}", dependencies=OWN)
async def add_milestone(
    folder: RunFolder,
    name: str,
    owner: KnownOwner,
    services: Served,
    step: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    weights = training.weights_at(folder, step)
    if weights is None:
        raise HTTPException(404, "This run keeps no weights of that moment.")
    card = services.runs.card(name, owner)
    moment = training.moment_words(weights)

    def work() -> Response:
        facts = take_milestone(
            services.checkpoints,
            weights,
            owner=owner,
            title=f"{card['title']}, {moment}",
            file=f"runs/{name}/{weights.relative_to(folder).as_posix()}",
        )
        return plain({**shown(facts), "compare_with": PREVIEW})

    return await run_in_threadpool(or_sentence, work)


@router.delete("/{name}")
def remove(name: str, owner: KnownOwner, services: Served) -> Response:
    def work() -> Response:
        services.checkpoints.remove(owner, name)
        return plain({"gone": name})

    return or_sentence(work)
