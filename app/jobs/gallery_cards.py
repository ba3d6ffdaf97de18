"""What the page is told about a gallery: read off its folder and its job."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from app.jobs.queue import Job
from dino_core.scenes.gallery import NotReady, names, state_of

SAMPLES = "samples"
STARTING = 60.0  # seconds a process may take until it says something
DAMAGED = "What was noted of this gallery is damaged: delete it, and upload the pictures again."
NO_CHOICE: dict[str, Any] = {"include": [], "exclude": [], "stretch": False}
AT_WORK = ("waiting", "embedding", "mapping")


@dataclass(frozen=True)
class GalleryJob(Job):
    """What this server knows about a gallery beside the gallery's own folder.

    Its title is what the visitor called the pictures.
    """

    pictures: int
    classes: int
    label: str  # of the model, as a person chose it
    options: dict[str, Any]  # of dino_core.scenes.gallery.Options
    refused: str = ""  # why its process could not be started
    aside: dict[str, Any] = field(default_factory=dict)  # folders passed over -> their files


class GalleryCard(TypedDict):
    """What its visitor may know. The names are those of the page's JSON."""

    name: str
    title: str
    mine: bool
    pictures: int
    classes: int
    model: str
    size: int | None
    aside: dict[str, int]  # folders that were passed over -> their files
    choice: dict[str, Any]  # with which the pictures were found, as `PictureChoice` takes it
    asked: float  # s since 1970
    place: int | None  # in the queue, from 1
    actions: list[str]  # what its owner can ask of it now
    # and what `dino_core.scenes.gallery.state_of` says
    state: str
    words: str
    done: int
    total: int
    seconds_left: float | None
    broken: list[list[str]]
    broken_count: int
    left_out: list[list[str]]
    left_out_count: int
    notes: list[str]
    alive: bool
    can_resume: bool
    maps: list[list[Any]]
    doing: str
    seen: bool  # there are features to look at


def card_of(folder: Path, job: GalleryJob, *, place: int, now: float) -> GalleryCard:
    """`place` is that in the queue, if it waits; `now` is in seconds since 1970."""
    card = blank_card(job.name, job.title) | {
        "mine": job.owner != "",
        "pictures": job.pictures,
        "classes": job.classes,
        "model": job.label,
        "size": job.options.get("size"),
        "aside": job.aside,
        "choice": choice_of(job),
        "asked": job.asked,
        "total": job.pictures,
    }
    _add_state(card, folder, job, place=place, now=now)
    if job.owner or job.data != SAMPLES:  # folders of this machine are nobody's business
        for path in (job.data, str(folder)):
            card["words"] = card["words"].replace(path, job.title)
            card["notes"] = [note.replace(path, job.title) for note in card["notes"]]
    if job.owner:
        card["actions"] = actions_for(card)
    return card


def choice_of(job: GalleryJob) -> dict[str, Any]:
    """With which its pictures were found, as `PictureChoice` takes it."""
    return {name: job.options.get(name, plain) for name, plain in NO_CHOICE.items()}


def damaged_card(name: str) -> GalleryCard:
    """For its owner, where nothing else can be said any more."""
    card = blank_card(name, "A damaged gallery")
    return card | {"mine": True, "state": "failed", "words": DAMAGED, "alive": False}


def blank_card(name: str, title: str) -> GalleryCard:
    """Before anything is known of it."""
    return {
        "name": name,
        "title": title,
        "mine": False,
        "pictures": 0,
        "classes": 0,
        "model": "",
        "size": None,
        "aside": {},
        "choice": dict(NO_CHOICE),
        "asked": 0.0,
        "place": None,
        "actions": [],
        "state": "starting",
        "words": "The process is starting.",
        "done": 0,
        "total": 0,
        "seconds_left": None,
        "broken": [],
        "broken_count": 0,
        "left_out": [],
        "left_out_count": 0,
        "notes": [],
        "alive": True,
        "can_resume": False,
        "maps": [],
        "doing": "",
        "seen": False,
    }


def _add_state(card: GalleryCard, folder: Path, job: GalleryJob, *, place: int, now: float) -> None:
    damaged = ""
    try:
        card.update(state_of(folder))  # type: ignore[typeddict-item]
        card["seen"] = has_features(folder)
    except ValueError as error:
        if (folder / "config.json").exists():
            damaged = f"This gallery cannot be shown: {error}"
    if job.waiting:
        words = "Next in the queue." if place == 1 else f"Number {place} in the queue."
        card |= {"state": "waiting", "place": place, "words": words, "alive": True}
    elif job.refused:
        card |= {"state": "failed", "words": job.refused, "alive": False}
    elif damaged:
        card |= {"state": "failed", "words": damaged, "alive": False}
    elif card["state"] == "starting" and now - job.launched > STARTING:
        words = "The process ended before it began: try again."
        card |= {"state": "failed", "words": words, "alive": False, "can_resume": True}


def has_features(folder: Path) -> bool:
    """Whether there are features to look at."""
    with suppress(NotReady, ValueError):
        names(folder)
        return True
    return False


def actions_for(card: GalleryCard) -> list[str]:
    """What its owner can ask of a gallery now, besides throwing it away."""
    if card["state"] in ("waiting", "starting", "embedding", "mapping") and card["alive"]:
        return ["stop"]
    return ["resume"] if card["can_resume"] and not card["alive"] else []
