"""Screen 6 on the server: pairs of student and teacher, and what they say of a visitor's picture.

    losses/pairs                       what there is to choose from
    view/KEY/losses/company/PAIR.jpg   the samples' global crops, as that pair is shown them
    view/KEY/losses?pair&seed&targets&temperature&student_temperature

A pair is `preview`, `cifar` or `run:NAME`; a page adds `step` to the address of a run's. Pairs and
what they say of the samples are shared by all visitors; what they say of a visitor's picture is
kept with that picture.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response

from app.jobs.runs import Runs
from app.routes.responses import Form, Visitors, in_words
from app.state.models import Engine
from app.state.pictures import Entry

KEPT = 2  # pairs in memory
RUN = "run:"


@dataclass(frozen=True)
class Found:
    """A pair that is open, with its company; a run that goes on is another pair at each step."""

    key: tuple[str, int]  # its name, and the step of a run
    pair: Any
    company: Any


class Pairs:
    """Opens pairs when they are first asked for, with the samples as their company."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self.engine, self.runs = engine, runs
        self._open: OrderedDict[tuple[str, int], Found] = OrderedDict()
        self._lock = threading.Lock()

    def choices(self, owner: str) -> list[dict[str, Any]]:
        """Name, title and newest step of each; runs without a checkpoint are left out."""
        scene = self.engine.scene("pairs")
        titles = {name: title for name, (_, title) in scene.BUNDLED.items()}
        titles |= {
            RUN + card["name"]: f"Run {card['title']}"
            for card in self.runs.everything(owner)
            if card["kind"] == "pretraining"
        }
        every = [{"name": n, "title": t, "step": self.key(n)[1]} for n, t in titles.items()]
        return [one for one in every if one["step"] or one["name"] in scene.BUNDLED]

    def key(self, name: str) -> tuple[str, int]:
        """Name and step. ValueError for a run that is none."""
        folder = self._folder(name)
        return name, self.engine.scene("pairs").newest_step(folder) if folder else 0

    def find(self, name: str) -> Found:
        """ValueError in a sentence when there is no such pair."""
        scene, key, folder = self.engine.scene("pairs"), self.key(name), self._folder(name)
        with self._lock:
            if key not in self._open:
                pair = scene.open_run(folder) if folder else scene.open_bundled(name)
                company = self.engine.alone(lambda: scene.company_of(pair))
                self._open[key] = Found(key, pair, company)
            self._open.move_to_end(key)
            while len(self._open) > KEPT:
                self._open.popitem(last=False)
            return self._open[key]

    def ask(self, found: Found, source: Any, seed: int) -> Any:
        """What a pair says of a picture: the forwards."""
        ask_pair = self.engine.scene("pairs").ask_pair
        return self.engine.alone(lambda: ask_pair(found.pair, source, seed))

    def _folder(self, name: str) -> Path | None:
        """Of a run; None for a pair that comes with the project."""
        return self.runs.find(name.removeprefix(RUN)) if name.startswith(RUN) else None


def add_losses_routes(
    app: FastAPI,
    engine: Engine,
    pairs: Pairs,
    find: Callable[..., Entry],
    answer: Callable[..., Response],
    visitors: Visitors,
    keep: dict[str, str],
) -> None:
    """Puts the routes on the application."""
    Picture = Annotated[Entry, Depends(find)]
    Visitor = Annotated[str, Depends(visitors.visitor)]

    @app.get("/losses/pairs")
    def choices(owner: Visitor) -> dict[str, Any]:
        return {"pairs": pairs.choices(owner)}

    @app.get("/view/{key}/losses/company/{pair}.jpg")
    def company(entry: Picture, pair: str) -> Response:
        def draw() -> Response:
            sheet = engine.scene("pairs").company_sheet(pairs.find(pair).company)
            data = engine.scene("packing").jpeg(sheet, 4096)
            return Response(data, media_type="image/jpeg", headers=keep)

        return in_words(draw, 404)

    @app.get("/view/{key}/losses")
    def losses(
        entry: Picture,
        seed: int,
        pair: str = "preview",
        targets: str | None = None,
        temperature: float | None = None,
        student_temperature: float | None = None,
        form: Form = "page",
    ) -> Response:
        scene = engine.scene("losses")

        def make() -> Any:
            found = pairs.find(pair)
            own = entry.answer(
                (found.key, seed), lambda: pairs.ask(found, entry.picture.source, seed)
            )
            chosen = scene.Chosen(targets, temperature, student_temperature)
            return scene.losses_scene(
                found.pair, found.company, own, seed, sample=entry.sample, chosen=chosen
            )

        return answer(form, make)
