"""What a visitor asks for when a run is started: the page's form becomes a `RunRequest`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from app.jobs.run_cards import RunJob
from app.jobs.runs import Runs
from app.paths import SAMPLES
from app.state.models import Models
from app.state.pictures import PictureStore
from dino_core.runs.option import Kind
from dino_core.runs.request import RunRequest, options
from dino_core.runs.request_io import parse_request
from dino_core.scenes.training import check_heads, preset_choices, student_choices, titles_of
from dino_core.scenes.zips import PictureChoice

MOST = {"steps": 100_000, "batch": 4096, "blocks": 48, "epochs": 1000, "seed": 2**31 - 1}
MOST |= {"gradient_shares": 100_000}
FROM_FORM = (
    *("preset", "student", "steps", "batch", "part", "blocks", "epochs", "seed"),
    *("experiment", "gradient_shares", "recipe"),
)
# What the page says beside the options of a run.
BESIDE = ("kind", "data", "model", "knn", "probes", "own_probe")
WORDS: dict[Kind, str] = {"pretraining": "", "fine-tuning": "finetune", "distillation": "distil"}
PROBES = 4  # samples that one run follows


@dataclass(frozen=True)
class RunForm:
    """What the page sent, and who that was."""

    values: Mapping[str, Any]  # as JSON
    owner: str
    secret: str  # of the browser: opens its pictures
    address: str = ""  # hash of where it came from; "" where that is not known


def job_for(
    form: RunForm, runs: Runs, models: Models, pictures: PictureStore
) -> tuple[RunJob, RunRequest]:
    """Checks everything and settles the request. ValueError in a sentence.

    Paths come from this server, never from the form: it names a zip by its token, samples by their
    files, and an open picture by its key.
    """
    values = form.values
    check_names(values)
    asked = parse_request({"kind": values.get("kind", "pretraining")} | _of_kind(values), MOST)
    data, data_name, labelled = "samples", "samples", False
    choice = PictureChoice()
    if values.get("data", "samples") != "samples":
        path, facts = runs.uploads.find(form.owner, str(values["data"]))
        data, data_name, labelled = str(path), facts["name"], bool(facts["classes"])
        choice = PictureChoice.of(facts["choice"])
    if asked.kind == "fine-tuning" and not labelled:
        raise ValueError(
            "Fine-tuning wants labels: upload a zip with a folder for each class, such as "
            "cats/1.jpg and dogs/1.jpg."
        )
    model, weights = starting_model(values.get("model"), models, asked, owner=form.owner)
    name = runs.new_name(WORDS[asked.kind] or asked.preset)
    taught = asked.kind == "distillation"
    request = replace(
        asked,
        data=data,
        folder=str(runs.folder / name),
        knn=data if labelled and values.get("knn") and asked.kind != "fine-tuning" else None,
        model=None if taught else model,
        weights=None if taught else weights,
        teacher=weights or model if taught else None,
        probes=(*sample_probes(values), *own_probe(form, runs, pictures)),
        **choice.options(),
        threads=max((os.cpu_count() or 2) - 1, 1),  # one is left for the page
        device=models.device,
    ).settled()
    check_fits(request)
    if taught and request.recipe == "paper":
        check_heads(request)
    steps, epochs = request.steps or 0, request.epochs or 0
    job = RunJob(
        name=name,
        owner=form.owner,
        title=title_of(request),
        kind=request.kind,
        steps=steps or epochs,
        data=data,
        data_name=data_name,
        asked=runs.now(),
        address=form.address,
    )
    return job, request


def check_names(values: Mapping[str, Any]) -> None:
    """ValueError for what no form of the page says: a slip would be a run of something else."""
    for name in values:
        if name not in (*BESIDE, *FROM_FORM):
            known = ", ".join(sorted((*BESIDE, *FROM_FORM)))
            raise ValueError(f"A run has no {name!r}: what can be said of it is {known}.")


def _of_kind(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form has fields for every kind of run; those of the others do not count."""
    kind: Kind = "pretraining"
    for one in get_args(Kind):
        if one == values.get("kind"):
            kind = one
    known = {name for name, _ in options(kind)}
    return {name: values.get(name) for name in FROM_FORM if name in known}


def title_of(request: RunRequest) -> str:
    """What the run is called in the list."""
    if request.kind == "fine-tuning":
        return f"fine-tuning, {request.part}"
    if request.kind == "distillation":
        how = " by prototypes" if request.recipe == "paper" else ""
        return f"distillation{how}, {request.student}, {request.steps} steps"
    without = f", {titles_of(request.experiment)}" if request.experiment else ""
    return f"{request.preset}, {request.steps} steps{without}"


def check_fits(request: RunRequest) -> None:
    """ValueError for a preset that is too large for this machine."""
    taught = request.kind == "distillation"
    choices = student_choices(request.device) if taught else preset_choices(request.device)
    fits = {choice["name"]: choice["fits"] for choice in choices}
    preset = request.student if taught else request.preset
    if request.kind != "fine-tuning" and not fits[preset]:
        raise ValueError(
            f"The preset {preset} is too large for this machine: start it from the command line, "
            f"where the GPUs are."
        )


def starting_model(
    name: object, models: Models, asked: RunRequest, *, owner: str
) -> tuple[str | None, str | None]:
    """(name, file) of the weights to start from, where the run starts from any."""
    needs = {choice["name"]: choice["needs_weights"] for choice in preset_choices("cpu")}
    if asked.kind == "pretraining" and not needs[asked.preset]:
        return None, None
    if not isinstance(name, str):
        asked_for = "teacher" if asked.kind == "distillation" else "model to start from"
        raise ValueError(f"Choose a {asked_for} that is on this machine.")
    return models.options_of(name, owner)


def sample_probes(values: Mapping[str, Any]) -> list[str]:
    """The samples that the run follows."""
    names = values.get("probes", ["cat.jpg"])
    if not isinstance(names, list):
        raise ValueError("The probes must be a list of samples.")
    known = {path.name for path in SAMPLES.glob("*.jpg")}
    if not all(isinstance(name, str) and name in known for name in names):
        raise ValueError("There is no such sample.")
    return [str(SAMPLES / name) for name in names[:PROBES]]


def own_probe(form: RunForm, runs: Runs, pictures: PictureStore) -> list[str]:
    """The visitor's open picture, where the visitor wants it to be followed."""
    key = form.values.get("own_probe")
    if not key:
        return []
    entry = pictures.get(form.secret, str(key))
    if entry is None:
        raise ValueError("Your picture is no longer kept: open it again.")
    return [str(runs.uploads.keep_picture(form.owner, entry.picture.source))]
