"""What a visitor asks for when a run is started: the pictures, and the settled command."""

import json
import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app.jobs.runs import Runs, RunTicket
from app.jobs.zips import take_body
from app.paths import SAMPLES
from app.state.models import Models
from app.state.pictures import PictureStore
from dino_core.scenes import training

MAX_ZIP = 500 * 2**20  # bytes
MAX_UPLOADS = 8 * 2**30  # of all visitors
KEPT_ZIPS = 4  # of one visitor, besides those of runs
ROOM = 2 * 2**30  # bytes that must stay free on the disk


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


@dataclass(frozen=True)
class Order:
    """What somebody asked for, and who that is."""

    asked: dict[str, Any]
    owner: str
    secret: str  # of the browser: opens its pictures


def ticket_for(
    order: Order, runs: Runs, uploads: Uploads, models: Models, store: PictureStore
) -> RunTicket:
    """Checks everything and settles the command. ValueError in a sentence."""
    asked, owner = order.asked, order.owner
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
        probes.append(own_probe(str(own), order, uploads, store))
    preset = str(asked.get("preset", "tiny"))
    model, weights = starting_model(asked, models, kind, preset)
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
        device=models.device,
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
    asked: dict[str, Any], models: Models, kind: str, preset: str
) -> tuple[str | None, str | None]:
    """(name, file) of the weights to start from, where the run starts from any."""
    needs = {choice["name"]: choice["needs_weights"] for choice in training.preset_choices("cpu")}
    if kind == "pretraining" and not needs.get(preset, False):
        return None, None
    name = asked.get("model")
    if name not in [known for _, known in models.available()]:
        raise ValueError("Choose a model to start from that is on this machine.")
    if models.weights is not None and name == models.default:
        return models.architecture, str(models.weights.resolve())
    return name, None


def sample_path(name: str) -> str:
    path = SAMPLES / Path(name).name
    if path.suffix != ".jpg" or not path.is_file():
        raise ValueError("There is no such sample.")
    return str(path)


def own_probe(key: str, order: Order, uploads: Uploads, store: PictureStore) -> str:
    """The visitor's open picture, written down because the visitor wants it to be seen."""
    entry = store.get(order.secret, key)
    if entry is None:
        raise ValueError("Your picture is no longer kept: open it again.")
    folder = uploads.of(order.owner)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"yours-{secrets.token_hex(6)}.png"
    entry.picture.source.save(path)
    return str(path)


def whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"The {what} must be a whole number from {low:,} to {high:,}.")
    return value
