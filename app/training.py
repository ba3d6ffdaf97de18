"""What the training and update screens ask for.

GET  runs                           all runs, presets and models to start from
POST runs                           starts one, or puts it into the queue (JSON)
POST runs/pictures?name=            a zip of the visitor's own; the file is the body
GET  runs/NAME                      one run in full
GET  runs/NAME/metrics?from&mark    its card, and the lines since the last call
POST runs/NAME/steer?wish=          pause, resume or stop; only for who started it
GET  runs/NAME/probe/MOMENT         what the chosen pictures looked like at a milestone
GET  runs/NAME/report               the test of a fine-tuning
GET  runs/NAME/mistakes/N.jpg       a picture it got wrong, for its owner
GET  runs/NAME/weights              what came out
GET  runs/NAME/distance             teacher and student, layer by layer
GET  schedules/PRESET?steps         the update screen's curves
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from app.engine import SAMPLES, Engine
from app.queue import NotYours, Runs, RunTicket, owner_of
from app.store import Store
from app.uploads import take_body
from dino_core.scenes import training, update

PROJECT = Path(__file__).resolve().parent.parent
MAX_ZIP = 500 * 2**20  # bytes
MAX_UPLOADS = 8 * 2**30  # of all visitors
KEPT_ZIPS = 4  # of one visitor, besides those of runs
ROOM = 2 * 2**30  # bytes that must stay free on the disk
MAX_ASKED = 64 * 2**10
FRESH = {"Cache-Control": "no-store"}
Answer = Callable[..., Response]


def runs_folder() -> Path:
    """Where runs are kept: INSIDE_DINOV2_RUNS, or runs/ beside this project's code."""
    return Path(os.environ.get("INSIDE_DINOV2_RUNS") or PROJECT / "runs")


class Uploads:
    """The zips of all visitors, each in a folder of its visitor's own."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.folder = runs.folder / ".page" / "uploads"

    def of(self, owner: str) -> Path:
        return self.folder / owner[:32]

    async def take(self, request: Request, owner: str, name: str) -> dict[str, Any]:
        """Streams the body into a file and looks through it. ValueError in a sentence."""
        folder = self.of(owner)
        folder.mkdir(parents=True, exist_ok=True)
        self._make_room(owner)
        token = secrets.token_urlsafe(12).replace("-", "a").replace("_", "b")
        path = folder / f"{token}.zip"
        advice = "make the pictures smaller, or train from the command line."
        size = await take_body(request, path, MAX_ZIP, advice)
        try:
            found = await run_in_threadpool(self._look, path, name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        facts = {"token": token, "name": name, "bytes": size, **found}
        path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
        return facts

    def _look(self, path: Path, name: str) -> dict[str, Any]:
        try:
            return training.look_through(path)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), name)) from None

    def find(self, owner: str, token: str) -> tuple[Path, dict[str, Any]]:
        """The visitor's own zip and what is in it. ValueError for any other."""
        path = self.of(owner) / f"{token}.zip"
        if not token.isalnum() or not path.is_file():
            raise ValueError("These pictures are no longer kept: upload the zip again.")
        return path, json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))

    def _make_room(self, owner: str) -> None:
        used = {ticket.data for ticket in self.runs.all_tickets()}
        own = sorted(self.of(owner).glob("*.zip"), key=lambda path: path.stat().st_mtime)
        for path in [path for path in own if str(path) not in used][: -KEPT_ZIPS + 1 or None]:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
        kept = sum(path.stat().st_size for path in self.folder.rglob("*.zip"))
        if kept + MAX_ZIP > MAX_UPLOADS or shutil.disk_usage(self.folder).free < ROOM + MAX_ZIP:
            raise ValueError("There is no room for more uploads on this server at the moment.")


def add_training_routes(
    app: FastAPI, engine: Engine, store: Store, answer: Answer, cookie: str
) -> Runs:
    """Puts the routes on the application. Returns the runs, whose queue the server looks after."""
    runs = Runs(runs_folder())
    uploads = Uploads(runs)

    def visitor(request: Request) -> str:
        return owner_of(request.cookies.get(cookie, ""))

    def known_visitor(request: Request) -> str:
        if not request.cookies.get(cookie):
            raise HTTPException(403, "Open the page in a browser first.")
        return visitor(request)

    def find(name: str) -> Path:
        try:
            return runs.find(name)
        except ValueError as error:
            raise HTTPException(404, str(error)) from None

    Visitor = Annotated[str, Depends(visitor)]
    Known = Annotated[str, Depends(known_visitor)]
    Found = Annotated[Path, Depends(find)]
    Form = Annotated[Literal["page", "npz"], Query(alias="form")]

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
            ticket = ticket_for(asked, owner, runs, uploads, engine, store, request, cookie)
            runs.add(ticket)
            return runs.card(ticket.name, owner)

        try:
            return plain(await run_in_threadpool(work))
        except (ValueError, KeyError, TypeError) as error:
            words = str(error) if isinstance(error, ValueError) else "This request is not right."
            raise HTTPException(422, words) from None

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
        folder: Found, name: str, owner: Known, wish: Literal["pause", "resume", "stop"]
    ) -> Response:
        try:
            runs.steer(name, owner, wish)
        except NotYours as error:
            raise HTTPException(403, str(error)) from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        if not folder.exists() and runs.ticket(name) is None:
            return plain({"name": name, "gone": True})
        return plain(runs.card(name, owner))

    @app.get("/runs/{name}/probe/{moment}")
    def probe(folder: Found, moment: str, form: Form = "page") -> Response:
        return answer(form, training.probe_scene, folder, moment)

    @app.get("/runs/{name}/distance")
    def distance(folder: Found) -> Response:
        return in_words(lambda: plain(update.distance_facts(folder)))

    @app.get("/runs/{name}/report")
    def report(folder: Found, name: str, owner: Visitor) -> Response:
        allowed = runs.details(name, owner).get("pictures_shown", False)
        return in_words(lambda: plain(training.report_of(folder, allowed)))

    @app.get("/runs/{name}/mistakes/{number}.jpg")
    def mistake(folder: Found, name: str, number: int, owner: Visitor) -> Response:
        need_own(runs.details(name, owner).get("pictures_shown", False))
        return in_words(
            lambda: Response(
                training.mistake_picture(folder, number), media_type="image/jpeg", headers=FRESH
            )
        )

    @app.get("/runs/{name}/weights")
    def weights(folder: Found, name: str, owner: Visitor) -> Response:
        need_own(runs.details(name, owner).get("pictures_shown", False))
        path = training.weights_file(folder)
        if path is None:
            raise HTTPException(404, "This run has no weights yet.")
        return FileResponse(path, filename=f"{name}-{path.name}", headers=FRESH)

    @app.get("/schedules/{preset}")
    def schedules(
        preset: str,
        steps: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
        form: Form = "page",
    ) -> Response:
        return answer(form, update.schedule_scene, preset, steps)

    return runs


# --- what a visitor asked for


def ticket_for(
    asked: dict[str, Any],
    owner: str,
    runs: Runs,
    uploads: Uploads,
    engine: Engine,
    store: Store,
    request: Request,
    cookie: str,
) -> RunTicket:
    """Checks everything and settles the command. ValueError in a sentence."""
    kind = asked.get("kind", "pretraining")
    if kind not in ("pretraining", "fine-tuning"):
        raise ValueError("A run is pretraining or fine-tuning.")
    data, data_name, labelled = "samples", "samples", False
    if asked.get("data", "samples") != "samples":
        path, facts = uploads.find(owner, str(asked["data"]))
        data, data_name, labelled = str(path), facts["name"], bool(facts["classes"])
    if kind == "fine-tuning" and not labelled:
        raise ValueError(
            "Fine-tuning wants labels: upload a zip with a folder for each class, such as "
            "cats/1.jpg and dogs/1.jpg."
        )
    probes = [sample_path(str(name)) for name in asked.get("probes", ["cat.jpg"])[:4]]
    own = asked.get("own_probe")
    if own:
        probes.append(own_probe(str(own), owner, uploads, store, request.cookies.get(cookie, "")))
    preset = str(asked.get("preset", "tiny"))
    model, weights = starting_model(asked, engine, kind, preset)
    wanted = training.Wanted(
        kind=kind,
        data=data,
        preset=preset,
        steps=whole(asked.get("steps", 400), "steps", 1, training.LONGEST),
        batch=whole(asked["batch"], "pictures a step", 1, 4096) if asked.get("batch") else None,
        knn=labelled and bool(asked.get("knn")),
        part=asked.get("part", "head"),
        blocks=whole(asked.get("blocks", 2), "blocks", 1, 48),
        epochs=whole(asked["epochs"], "epochs", 1, 1000) if asked.get("epochs") else None,
        model=model,
        weights=weights,
        probes=tuple(probes),
        seed=whole(asked.get("seed", 0), "seed", 0, 2**31 - 1),
        threads=max((os.cpu_count() or 2) - 1, 1),  # one is left for the page
        device=engine.device,
    )
    if wanted.part not in ("head", "blocks", "all"):
        raise ValueError("Fine-tuning trains the head, blocks, or all.")
    name = runs.new_name(preset if kind == "pretraining" else "finetune")
    amount = f"{wanted.steps} steps" if kind == "pretraining" else f"{wanted.part}"
    return RunTicket(
        name=name,
        owner=owner,
        title=f"{preset if kind == 'pretraining' else 'fine-tuning'}, {amount}",
        kind=kind,
        steps=wanted.steps if kind == "pretraining" else wanted.epochs or 0,
        arguments=tuple(training.arguments(wanted, runs.folder / name)),
        data=data,
        data_name=data_name,
        asked=time.time(),
    )


def starting_model(
    asked: dict[str, Any], engine: Engine, kind: str, preset: str
) -> tuple[str | None, str | None]:
    """(name, file) of the weights to start from, where the run starts from any."""
    needs = {choice["name"]: choice["needs_weights"] for choice in training.preset_choices("cpu")}
    if kind == "pretraining" and not needs.get(preset, False):
        return None, None
    name = asked.get("model")
    if name not in [known for _, known in engine.at_hand()]:
        raise ValueError("Choose a model to start from that is on this machine.")
    if engine.weights is not None and name == engine.first:
        return engine.asked, str(engine.weights.resolve())
    return name, None


def sample_path(name: str) -> str:
    path = SAMPLES / Path(name).name
    if path.suffix != ".jpg" or not path.is_file():
        raise ValueError("There is no such sample.")
    return str(path)


def own_probe(key: str, owner: str, uploads: Uploads, store: Store, secret: str) -> str:
    """The visitor's open picture, written down because the visitor wants it to be seen."""
    entry = store.get(secret, key)
    if entry is None:
        raise ValueError("Your picture is no longer kept: open it again.")
    folder = uploads.of(owner)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"yours-{secrets.token_hex(6)}.png"
    entry.picture.source.save(path)
    return str(path)


def whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"The {what} must be a whole number from {low:,} to {high:,}.")
    return value


# --- answers


async def read_json(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_ASKED:
            raise HTTPException(413, "This request is too long.")
    try:
        asked = json.loads(bytes(body))
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise HTTPException(422, "This request is not right.")
    return asked


def plain(values: Any) -> Response:
    return Response(json.dumps(values), media_type="application/json", headers=FRESH)


def in_words(make: Callable[[], Response]) -> Response:
    try:
        return make()
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


def need_own(allowed: bool) -> None:
    if not allowed:
        raise HTTPException(403, "These pictures belong to another visitor: only that one sees it.")
