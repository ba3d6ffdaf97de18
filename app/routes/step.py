"""One training step in slow motion, on a visitor's picture and the samples.

    view/KEY/step?pair&seed&number&targets&temperature&learning_rate&dino&ibot&koleo&form

`number` counts the steps of a row from 0. The pairs are those of losses/pairs; a page adds `step`
to the address of a run's pair, which is another one at each step.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from app.routes.dependencies import Form, IsGone, Number, Owner, Picture, Served
from app.routes.responses import respond

router = APIRouter()


@dataclass(frozen=True)
class StepOptions:
    """How the step is made; None leaves what the pair was trained with."""

    targets: str = "centering"
    temperature: Number | None = None
    learning_rate: Number | None = None
    dino: Number = 1.0  # weights of the losses, as in the paper
    ibot: Number = 1.0
    koleo: Number = 0.1


@router.get("/view/{key}/step")
def step(
    entry: Picture,
    services: Served,
    owner: Owner,
    is_gone: IsGone,
    seed: int,
    options: Annotated[StepOptions, Depends()],
    number: int = 0,
    pair: str = "cifar",
    form: Form = "page",
) -> Response:
    def make() -> Any:
        from dino_core.scenes.step import Choices

        choices = Choices(
            seed,
            options.targets,
            options.temperature,
            options.learning_rate,
            dino_weight=options.dino,
            ibot_weight=options.ibot,
            koleo_weight=options.koleo,
        )
        loaded = services.pairs.find(pair, owner)
        return services.steps.scene(entry, loaded, number, choices, is_gone=is_gone)

    return respond(form, make)
