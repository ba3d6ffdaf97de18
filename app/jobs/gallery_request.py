"""What a visitor asks for when a gallery is made: a zip, a model and a size become a job."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.jobs.galleries import Galleries
from app.jobs.gallery_cards import GalleryJob
from app.jobs.uploads import look_through, need_room
from app.state.models import Models
from dino_core.scenes.gallery import Options
from dino_core.scenes.zips import PictureChoice, ZipContents

MAX_ZIP = 2 * 2**30  # bytes
MAX_PICTURES = 20_000  # of one gallery made from the page
SIZES = (98, 224, 336)  # px


@dataclass(frozen=True)
class GalleryForm:
    """What the page sent beside the zip, and who that was."""

    title: str  # what the visitor calls the pictures
    owner: str
    model: str | None = None
    size: int = 224  # px
    address: str = ""  # hash of where it came from; "" where that is not known


def chosen_again(
    old: GalleryJob, choice: PictureChoice, name: str, galleries: Galleries
) -> GalleryJob:
    """A gallery of the same zip, which is called `name` by now, with a visitor's answers."""
    found = look_through(galleries.zip_of(name), old.title, choice)
    return replace(
        old,
        **_counted(found, old.title),
        name=name,
        data=str(galleries.zip_of(name)),
        options=old.options | choice.options(),
        asked=galleries.now(),
        waiting=True,
        launched=0.0,
        refused="",
    )


def _counted(found: ZipContents, title: str) -> dict[str, Any]:
    """What a job says of its zip. ValueError for too many pictures."""
    if found["pictures"] > MAX_PICTURES:
        raise ValueError(
            f"{title} has {found['pictures']:,} pictures, more than the {MAX_PICTURES:,} that "
            f"the page takes: build this gallery from the command line."
        )
    classes = len(found["classes"])
    return {"pictures": found["pictures"], "classes": classes, "aside": found["aside"]}


def job_for(form: GalleryForm, name: str, galleries: Galleries, models: Models) -> GalleryJob:
    """Looks through the zip and settles the options. ValueError in a sentence."""
    path = galleries.zip_of(name)
    found = look_through(path, form.title)
    model = form.model or models.default
    return GalleryJob(
        name=name,
        owner=form.owner,
        title=form.title,
        data=str(path),
        **_counted(found, form.title),
        label=models.title_of(model, form.owner),
        options=asdict(options_for(models, model, form.size, owner=form.owner)),
        asked=galleries.now(),
        address=form.address,
    )


def options_for(models: Models, model: str, size: int, *, owner: str) -> Options:
    """ValueError for a model that is not on this machine: nothing is downloaded for a gallery."""
    if size not in SIZES:
        raise ValueError(f"The input size is one of {', '.join(map(str, SIZES))} px.")
    name, weights = models.options_of(model, owner)
    return Options(name, weights, size, device=models.device)


def place_for(galleries: Galleries, name: str) -> Path:
    """Where the zip of a new gallery goes, once it is counted among those on their way.

    ValueError when the disk has no room for it.
    """
    galleries.page.mkdir(parents=True, exist_ok=True)
    need_room(galleries.folder)
    return galleries.zip_of(name)
