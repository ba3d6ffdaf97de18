"""What the training and update screens ask for.

GET  runs                           all runs, presets and models to start from
POST runs                           starts one, or puts it into the queue (JSON)
POST runs/pictures?name=            a zip of the visitor's own; the file is the body
POST runs/pictures/gallery/NAME     those of a gallery of the visitor's own, without sending them
POST runs/pictures/TOKEN            which of its pictures are taken, and how they are read (JSON)
GET  runs/NAME                      one run in full
GET  runs/NAME/metrics?from&mark    its card, and the lines since the last call
POST runs/NAME/steer?action=         pause, resume, stop, mend or delete; only for who started it
POST runs/NAME/notes                 what its owner calls it: name, note, pictures (JSON)
GET  runs/NAME/probe/MOMENT?to&at   what the chosen pictures looked like at a milestone, in the
                                    colours of the moment `at` of the run `to`
GET  runs/NAME/report               the test of a fine-tuning
GET  runs/NAME/layers?form          which layer of the weights it began with does best
GET  runs/NAME/mistakes/N.jpg       a picture it got wrong, for its owner
GET  runs/NAME/weights              what came out
GET  runs/NAME/distance             teacher and student, layer by layer
GET  runs/NAME/schedules            the update screen's curves, of a run
GET  schedules/PRESET?steps         the same of a preset
"""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from app.jobs.gallery_cards import choice_of
from app.jobs.run_cards import RunCard
from app.jobs.run_request import RunForm, job_for
from app.jobs.runs import NotYours
from app.jobs.uploads import NOT_KEPT
from app.routes.dependencies import (
    Address,
    Form,
    KnownOwner,
    Owner,
    RunFolder,
    Secret,
    Served,
    find_run,
)
from app.routes.responses import NO_STORE, errors_as_sentences, or_sentence, plain, respond
from app.routes.uploads import read_json
from dino_core.scenes import finetuning, probes, training, update
from dino_core.scenes.zips import PictureChoice

router = APIRouter()


def are_pictures_shown(name: str, services: Served, owner: Owner) -> bool:
    """Whether the pictures of a run may be shown to who asks: those of others are not."""
    return bool(services.runs.details(name, owner).get("pictures_shown", False))


def need_own(shown: Annotated[bool, Depends(are_pictures_shown)]) -> None:
    """What shows pictures of a run is for whoever brought them."""
    if not shown:
        message = "These pictures belong to another visitor: only that one sees it."
        raise HTTPException(403, message)


Shown = Annotated[bool, Depends(are_pictures_shown)]
OWN = [Depends(find_run), Depends(need_own)]


# --- starting one


@router.get("/runs")
def every(owner: Owner, services: Served) -> Response:
    return plain(
        {
            "runs": services.runs.everything(owner),
            "presets": training.preset_choices(services.models.device),
            "students": {
                recipe: training.student_choices(services.models.device, recipe)
                for recipe in training.RECIPES
            },
            "experiments": training.experiment_choices(),
            "models": [[name, label] for label, name in services.models.available(owner)],
            "galleries": [
                {"name": job.name, "title": job.title, "pictures": job.pictures}
                for job in services.galleries.zips(owner)
            ],
        }
    )


@router.post("/runs/pictures")
async def upload(
    request: Request,
    owner: KnownOwner,
    address: Address,
    services: Served,
    name: str = "pictures.zip",
) -> Response:
    with errors_as_sentences():
        title = Path(name).name[:80]
        return plain(await services.runs.uploads.take(request.stream(), owner, title, address))


@router.post("/runs/pictures/gallery/{name}")
def from_gallery(name: str, owner: KnownOwner, address: Address, services: Served) -> Response:
    galleries = services.galleries

    def work() -> Response:
        job = next((one for one in galleries.zips(owner) if one.name == name), None)
        if job is None:  # it was not looked at for a week, or it is another visitor's
            raise ValueError(NOT_KEPT)
        choice = PictureChoice.of(choice_of(job))
        path = galleries.zip_of(name)
        taken = services.runs.uploads.take_from(
            path, owner, job.title, choice=choice, address=address
        )
        return plain(taken)

    return or_sentence(work)


@router.post("/runs/pictures/{token}")
async def choose(request: Request, token: str, owner: KnownOwner, services: Served) -> Response:
    values = await read_json(request)

    def work() -> Response:
        choice = PictureChoice.of(values)
        return plain(services.runs.uploads.choose(owner, token, choice))

    return await run_in_threadpool(or_sentence, work)


@router.post("/runs")
async def start(
    request: Request, owner: KnownOwner, secret: Secret, address: Address, services: Served
) -> Response:
    values = await read_json(request)
    runs = services.runs

    def work() -> RunCard:
        form = RunForm(values, owner, secret, address)
        job, run_request = job_for(form, runs, services.models, services.pictures)
        runs.add(job, run_request)
        return runs.card(job.name, owner)

    with errors_as_sentences():
        return plain(await run_in_threadpool(work))


# --- watching and steering


@router.get("/runs/{name}")
def one(folder: RunFolder, name: str, owner: Owner, services: Served) -> Response:
    return plain(services.runs.details(name, owner))


@router.get("/runs/{name}/metrics")
def metrics(
    folder: RunFolder,
    name: str,
    owner: Owner,
    services: Served,
    start: Annotated[int, Query(alias="from", ge=0)] = 0,
    mark: str = "",
) -> Response:
    lines = training.metrics_from(folder, start, mark)
    return plain({**lines, "run": services.runs.details(name, owner)})


@router.post("/runs/{name}/steer")
def steer(
    folder: RunFolder,
    name: str,
    owner: KnownOwner,
    services: Served,
    action: Literal["pause", "resume", "stop", "mend", "delete"],
) -> Response:
    runs = services.runs
    try:
        if action == "delete":
            runs.remove(name, owner)
        else:
            runs.steer(name, owner, action)
    except NotYours as error:
        raise HTTPException(403, str(error)) from None
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    if not folder.exists() and runs.job(name) is None:
        return plain({"name": name, "gone": True})
    return plain(runs.card(name, owner))


@router.post("/runs/{name}/notes")
async def note(
    folder: RunFolder, request: Request, name: str, owner: KnownOwner, services: Served
) -> Response:
    words = await read_json(request)

    def work() -> Response:
        try:
            services.runs.note(name, owner, words)
        except NotYours as error:
            raise HTTPException(403, str(error)) from None
        return plain(services.runs.card(name, owner))

    return await run_in_threadpool(or_sentence, work)


# --- results


@router.get("/runs/{name}/probe/{moment}")
def probe(
    folder: RunFolder,
    moment: str,
    services: Served,
    form: Form = "page",
    to: str = "",
    at: str = "",
) -> Response:
    home = (find_run(to, services), at) if to else None
    return respond(form, lambda: probes.probe_scene(folder, moment, home))


@router.get("/runs/{name}/distance")
def distance(folder: RunFolder) -> Response:
    return or_sentence(lambda: plain(update.distance_facts(folder)))


@router.get("/runs/{name}/schedules")
def own_schedules(folder: RunFolder, form: Form = "page") -> Response:
    return respond(form, lambda: update.run_schedule_scene(folder))


@router.get("/runs/{name}/report")
def report(folder: RunFolder, shown: Shown) -> Response:
    def work() -> Response:
        report = finetuning.report_of(folder, shown)
        return plain(report if shown else finetuning.without_class_names(report))

    return or_sentence(work)


@router.get("/runs/{name}/layers")
def layers(folder: RunFolder, form: Form = "page") -> Response:
    return respond(form, lambda: finetuning.layer_probe(folder))


@router.get("/runs/{name}/mistakes/{number}.jpg", dependencies=OWN)
def mistake(folder: RunFolder, number: int) -> Response:
    return or_sentence(
        lambda: Response(
            finetuning.mistake_picture(folder, number), media_type="image/jpeg", headers=NO_STORE
        )
    )


@router.get("/runs/{name}/weights", dependencies=OWN)
def weights(folder: RunFolder, name: str) -> Response:
    path = training.weights_file(folder)
    if path is None:
        raise HTTPException(404, "This run has no weights yet.")
    return FileResponse(path, filename=f"{name}-{path.name}", headers=NO_STORE)


@router.get("/schedules/{preset}")
def schedules(
    preset: str,
    steps: Annotated[int | None, Query(ge=1, le=10_000_000)] = None,
    form: Form = "page",
) -> Response:
    return respond(form, lambda: update.schedule_scene(preset, steps))
