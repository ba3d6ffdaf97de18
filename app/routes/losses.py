"""What student and teacher say of a visitor's picture, and what it costs.

    losses/pairs                       what there is to choose from
    view/KEY/losses/references/PAIR.jpg   the samples' global crops, as that pair is shown them
    view/KEY/losses?pair&seed&targets&temperature&student_temperature

A page adds `step` to the address of a run's pair, which is another one at each step.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from app.routes.dependencies import Form, IsGone, Number, Owner, Picture, Served
from app.routes.responses import jpeg, or_sentence, respond

router = APIRouter()


@router.get("/losses/pairs")
def pairs(owner: Owner, services: Served) -> dict[str, Any]:
    runs = {
        card["name"]: card["title"]
        for card in services.runs.everything(owner)
        if card["kind"] == "pretraining"
    }
    return {"pairs": services.pairs.choices(runs, owner)}


@router.get("/view/{key}/losses/references/{pair}.jpg")
def references(entry: Picture, pair: str, services: Served, owner: Owner) -> Response:
    from dino_core.scenes.pairs import reference_sheet

    return or_sentence(
        lambda: jpeg(reference_sheet(services.pairs.find(pair, owner).references), 4096), 404
    )


@dataclass(frozen=True)
class LossOptions:
    """How the loss is computed; None leaves what the pair was trained with."""

    targets: str | None = None
    temperature: Number | None = None
    student_temperature: Number | None = None


@router.get("/view/{key}/losses")
def losses(
    entry: Picture,
    services: Served,
    owner: Owner,
    is_gone: IsGone,
    seed: int,
    options: Annotated[LossOptions, Depends()],
    pair: str = "preview",
    form: Form = "page",
) -> Response:
    from dino_core.scenes.losses import Chosen, losses_scene

    def make() -> Any:
        loaded, source = services.pairs.find(pair, owner), entry.picture.source
        own = entry.pair_output(
            (loaded.key, seed),
            lambda: services.pairs.outputs(loaded, source, seed, is_gone=is_gone),
        )
        chosen = Chosen(options.targets, options.temperature, options.student_temperature)
        references, sample = loaded.references, entry.sample
        return losses_scene(loaded.pair, references, own, seed, sample=sample, chosen=chosen)

    return respond(form, make)
