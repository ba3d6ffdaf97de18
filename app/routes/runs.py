"""What the training and update screens ask for.

GET  runs                           all runs, presets and models to start from
POST runs                           starts one, or puts it into the queue (JSON)
POST runs/pictures?name=            a zip of the visitor's own; the file is the body
GET  runs/NAME                      one run in full
GET  runs/NAME/metrics?from&mark    its card, and the lines since the last call
POST runs/NAME/steer?wish=          pause, resume, stop or delete; only for who started it
GET  runs/NAME/probe/MOMENT         what the chosen pictures looked like at a milestone
GET  runs/NAME/report               the test of a fine-tuning
GET  runs/NAME/mistakes/N.jpg       a picture it got wrong, for its owner
GET  runs/NAME/weights              what came out
GET  runs/NAME/distance             teacher and student, layer by layer
GET  schedules/PRESET?steps         the update screen's curves
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from app.jobs.run_request import Order, Uploads, ticket_for
from app.jobs.runs import NotYours, Runs
from app.paths import runs_folder
from app.routes.responses import FRESH, Answer, Form, Visitors, in_words, plain, read_json
from app.state.models import Engine
from app.state.pictures import Store
from dino_core.scenes import training, update


@dataclass(frozen=True)
class RunAccess(Visitors):
    """What all routes of runs share: who asks, and which run is meant."""

    runs: Runs
    answer: Answer

    def find(self, name: str) -> Path:
        """The folder of a run; that there is one may be known to everybody."""
        try:
            return self.runs.find(name)
        except ValueError as error:
            raise HTTPException(404, str(error)) from None

    def need_own(self, request: Request, name: str) -> None:
        """What shows pictures of a run is for whoever brought them."""
        if not self.runs.details(name, self.visitor(request)).get("pictures_shown", False):
            words = "These pictures belong to another visitor: only that one sees it."
            raise HTTPException(403, words)


def add_training_routes(
    app: FastAPI, engine: Engine, store: Store, answer: Answer, cookie: str
) -> Runs:
    """Puts the routes on the application. Returns the runs, whose queue the server looks after."""
    access = RunAccess(cookie, Runs(runs_folder()), answer)
    add_start_routes(app, engine, store, access)
    add_watch_routes(app, access)
    add_result_routes(app, access)
    add_schedule_routes(app, access)
    return access.runs


def add_start_routes(app: FastAPI, engine: Engine, store: Store, access: RunAccess) -> None:
    runs, uploads = access.runs, Uploads(access.runs)
    Visitor = Annotated[str, Depends(access.visitor)]
    Known = Annotated[str, Depends(access.known_visitor)]

    @app.get("/runs")
    def every(owner: Visitor) -> Response:
        return plain(
            {
                "runs": runs.everything(owner),
                "presets": training.preset_choices(engine.device),
                "models": [[name, label] for label, name in engine.at_hand()],
            }
        )

    @app.post("/runs/pictures")
    async def pictures(request: Request, owner: Known, name: str = "pictures.zip") -> Response:
        try:
            return plain(await uploads.take(request, owner, Path(name).name[:80]))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None

    @app.post("/runs")
    async def start(request: Request, owner: Known) -> Response:
        asked = await read_json(request)

        def work() -> dict[str, Any]:
            order = Order(asked, owner, access.secret(request))
            ticket = ticket_for(order, runs, uploads, engine, store)
            runs.add(ticket)
            return runs.card(ticket.name, owner)

        try:
            return plain(await run_in_threadpool(work))
        except (ValueError, KeyError, TypeError) as error:
            words = str(error) if isinstance(error, ValueError) else "This request is not right."
            raise HTTPException(422, words) from None


def add_watch_routes(app: FastAPI, access: RunAccess) -> None:
    runs = access.runs
    Visitor = Annotated[str, Depends(access.visitor)]
    Known = Annotated[str, Depends(access.known_visitor)]
    Found = Annotated[Path, Depends(access.find)]

    @app.get("/runs/{name}")
    def one(folder: Found, name: str, owner: Visitor) -> Response:
        return plain(runs.details(name, owner))

    @app.get("/runs/{name}/metrics")
    def metrics(
        folder: Found,
        name: str,
        owner: Visitor,
        start: Annotated[int, Query(alias="from", ge=0)] = 0,
        mark: str = "",
    ) -> Response:
        lines = training.metrics_from(folder, start, mark)
        return plain({**lines, "run": runs.details(name, owner)})

    @app.post("/runs/{name}/steer")
    def steer(
        folder: Found, name: str, owner: Known, wish: Literal["pause", "resume", "stop", "delete"]
    ) -> Response:
        try:
            if wish == "delete":
                runs.remove(name, owner)
            else:
                runs.steer(name, owner, wish)
        except NotYours as error:
            raise HTTPException(403, str(error)) from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        if not folder.exists() and runs.ticket(name) is None:
            return plain({"name": name, "gone": True})
        return plain(runs.card(name, owner))


def add_result_routes(app: FastAPI, access: RunAccess) -> None:
    Visitor = Annotated[str, Depends(access.visitor)]
    Found = Annotated[Path, Depends(access.find)]
    Own = Annotated[None, Depends(access.need_own)]

    @app.get("/runs/{name}/probe/{moment}")
    def probe(folder: Found, moment: str, form: Form = "page") -> Response:
        return access.answer(form, training.probe_scene, folder, moment)

    @app.get("/runs/{name}/distance")
    def distance(folder: Found) -> Response:
        return in_words(lambda: plain(update.distance_facts(folder)))

    @app.get("/runs/{name}/report")
    def report(folder: Found, name: str, owner: Visitor) -> Response:
        allowed = access.runs.details(name, owner).get("pictures_shown", False)
        return in_words(lambda: plain(training.report_of(folder, allowed)))

    @app.get("/runs/{name}/mistakes/{number}.jpg")
    def mistake(folder: Found, number: int, _: Own) -> Response:
        return in_words(
            lambda: Response(
                training.mistake_picture(folder, number), media_type="image/jpeg", headers=FRESH
            )
        )

    @app.get("/runs/{name}/weights")
    def weights(folder: Found, name: str, _: Own) -> Response:
        path = training.weights_file(folder)
        if path is None:
            raise HTTPException(404, "This run has no weights yet.")
        return FileResponse(path, filename=f"{name}-{path.name}", headers=FRESH)


def add_schedule_routes(app: FastAPI, access: RunAccess) -> None:
    @app.get("/schedules/{preset}")
    def schedules(
        preset: str,
        steps: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
        form: Form = "page",
    ) -> Response:
        return access.answer(form, update.schedule_scene, preset, steps)
