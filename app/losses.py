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
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response

from app.answers import Form, Visitors, in_words
from app.engine import Engine
from app.queue import Runs
from app.store import Entry

KEPT = 2  # pairs in memory
RUN = "run:"


class Pairs:
    """Opens pairs when they are first asked for, with the samples as their company."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self.engine, self.runs = engine, runs
        self._open: OrderedDict[tuple[str, int], tuple[Any, Any]] = OrderedDict()
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

    def folder(self, name: str) -> Path:
        return self.runs.find(name)

    def key(self, name: str) -> tuple[str, int]:
        """A run goes on, and is then another pair. ValueError for a name that is none."""
        if not name.startswith(RUN):
            return name, 0
        return name, self.engine.scene("pairs").newest_step(self.folder(name.removeprefix(RUN)))

    def find(self, name: str) -> tuple[Any, Any]:
        """(the pair, its company). ValueError in a sentence when there is none."""
        scene, key = self.engine.scene("pairs"), self.key(name)
        with self._lock:
            if key not in self._open:
                run = name.startswith(RUN)
                where = self.folder(name.removeprefix(RUN)) if run else name
                opened = scene.open_run(where) if run else scene.open_bundled(where)
                company = self.engine.alone(lambda: scene.company_of(opened))
                self._open[key] = opened, company
            self._open.move_to_end(key)
            while len(self._open) > KEPT:
                self._open.popitem(last=False)
            return self._open[key]


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
    Found = Annotated[Entry, Depends(find)]
    Visitor = Annotated[str, Depends(visitors.visitor)]

    @app.get("/losses/pairs")
    def choices(owner: Visitor) -> dict[str, Any]:
        return {"pairs": pairs.choices(owner)}

    @app.get("/view/{key}/losses/company/{pair}.jpg")
    def company(entry: Found, pair: str) -> Response:
        def draw() -> Response:
            sheet = engine.scene("pairs").company_sheet(pairs.find(pair)[1])
            data = engine.scene("answers").jpeg(sheet, 4096)
            return Response(data, media_type="image/jpeg", headers=keep)

        return in_words(draw, 404)

    @app.get("/view/{key}/losses")
    def losses(
        entry: Found,
        seed: int,
        pair: str = "preview",
        targets: str | None = None,
        temperature: float | None = None,
        student_temperature: float | None = None,
        form: Form = "page",
    ) -> Response:
        scene = engine.scene("losses")

        def make() -> Any:
            opened, company = pairs.find(pair)
            source = entry.picture.source
            own = entry.answer(
                (pairs.key(pair), seed),
                lambda: engine.alone(lambda: engine.scene("pairs").ask_pair(opened, source, seed)),
            )
            chosen = scene.Chosen(targets, temperature, student_temperature)
            return scene.losses_scene(
                opened, company, own, seed, sample=entry.sample, chosen=chosen
            )

        return answer(form, make)
