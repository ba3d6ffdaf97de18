"""What every route and every handler of the page depends on, in one value."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.first_visit import stored
from app.jobs.galleries import Galleries
from app.jobs.runs import Runs
from app.paths import cookie_key_file, galleries_folder, runs_folder
from app.state.identity import Identity
from app.state.models import Models, read_sample
from app.state.pairs import Pairs
from app.state.pictures import Entry, PictureStore
from app.state.umap_worker import UmapWorker
from app.state.uploads import UploadedFiles
from app.visitors import Visitors, signing_key


@dataclass(frozen=True)
class Services:
    """One of each for the whole server; what is a visitor's own is found by its key."""

    models: Models
    pictures: PictureStore
    pairs: Pairs
    runs: Runs
    galleries: Galleries
    umap: UmapWorker
    visitors: Visitors
    uploads: UploadedFiles
    identity: Identity
    first_visit: stored.FirstVisit | None  # None: it was not worked out for this model


def build_services(
    model: str | None,
    weights: Path | None,
    device: str,
    *,
    allow_downloads: bool = True,
    galleries: Sequence[Path] = (),
) -> Services:
    """Nothing is loaded or started yet. ValueError for a model or file that is not there.

    `galleries`: finished folders that everybody may look at.
    """
    models = Models(model, weights, device, allow_downloads=allow_downloads)
    runs = Runs(runs_folder())
    pictures = PictureStore()
    pictures.share(stored.KEY, lambda: open_first_picture(models))
    first_visit = stored.load_first_visit(models.default, models.default_weights())
    return Services(
        models=models,
        pictures=pictures,
        pairs=Pairs(models, runs.find),
        runs=runs,
        galleries=Galleries(galleries_folder(), shown=galleries),
        umap=UmapWorker(),
        uploads=UploadedFiles(),
        visitors=Visitors(signing_key(cookie_key_file())),
        identity=Identity(models, first_visit.tag if first_visit else ""),
        first_visit=first_visit,
    )


def open_first_picture(models: Models) -> Entry:
    """The sample that greets everybody, for whoever needs more of it than is stored."""
    picture = models.inspect(read_sample(stored.SAMPLE), models.default, stored.SIZE)
    return Entry("", picture, models.default, stored.SIZE, stored.SAMPLE)
