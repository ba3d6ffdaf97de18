"""What every route and every handler of the page depends on, in one value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.first_visit import stored
from app.jobs.exports import Exports
from app.jobs.galleries import Galleries
from app.jobs.runs import Runs
from app.paths import (
    checkpoints_folder,
    cookie_key_file,
    exports_folder,
    galleries_folder,
    runs_folder,
)
from app.state.checkpoints import Checkpoints
from app.state.classifiers import Classifiers
from app.state.identity import Identity
from app.state.models import Models, read_sample
from app.state.pairs import Pairs
from app.state.pictures import Entry, PictureStore
from app.state.screenings import Screenings
from app.state.steps import Steps
from app.state.trays import Trays
from app.state.umap_worker import UmapWorker
from app.state.uploads import UploadedFiles
from app.state.whatif import SAMPLE_REFERENCES, SAMPLES, ChangedPictures, References
from app.visitors import Visitors, owner_of, signing_key

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Services:
    """One of each for the whole server; what is a visitor's own is found by its key."""

    models: Models
    pictures: PictureStore
    pairs: Pairs
    changed: ChangedPictures
    screenings: Screenings
    steps: Steps
    runs: Runs
    galleries: Galleries
    umap: UmapWorker
    visitors: Visitors
    uploads: UploadedFiles
    identity: Identity
    first_visit: stored.FirstVisit | None  # None: it was not worked out for this model
    checkpoints: Checkpoints
    classifiers: Classifiers
    exports: Exports
    trays: Trays

    def look(
        self,
        source: "Image",
        secret: str,
        model: str,
        size: int,
        *,
        is_gone: Callable[[], bool] = lambda: False,
        **about: Any,
    ) -> Entry:
        """One forward of a picture in a model that this visitor may use, with what the page says of
        the two. `about`: the other fields of `Entry`. ValueError in a sentence; Gone."""
        owner = owner_of(secret)
        picture = self.models.inspect(source, model, size, owner=owner, is_gone=is_gone)
        title, file = self.models.title_of(model, owner), self.models.file_in_python(model, owner)
        said = self.models.said_in_python(model, owner)
        words = self.models.classifier_words(model, owner)
        named: dict[str, Any] = {"title": title, "file": file, "said": said, "classifier": words}
        return Entry(secret, picture, model, size, **named, **about)

    def references(self, name: str, owner: str) -> References:
        """The pictures that values are taken from: the samples, or a gallery that `owner` may see.

        ValueError for any other.
        """
        if name == SAMPLES:
            return SAMPLE_REFERENCES
        return References(name, self.galleries.find(name, owner))


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
    runs = Runs(runs_folder())
    kept = Galleries(galleries_folder(), shown=galleries)
    checkpoints = Checkpoints(
        checkpoints_folder(), lambda: runs.weights_used() | kept.weights_used()
    )
    models = Models(
        model, weights, device, allow_downloads=allow_downloads, checkpoints=checkpoints
    )
    pictures, changed = PictureStore(), ChangedPictures(models)
    pictures.share(stored.KEY, lambda: open_first_picture(models))
    first_visit = stored.load_first_visit(models.default, models.default_weights())
    return Services(
        models=models,
        pictures=pictures,
        pairs=Pairs(models, runs.find),
        changed=changed,
        screenings=Screenings(models, changed),
        steps=Steps(models),
        runs=runs,
        galleries=kept,
        umap=UmapWorker(),
        uploads=UploadedFiles(),
        visitors=Visitors(signing_key(cookie_key_file())),
        identity=Identity(models, first_visit.tag if first_visit else ""),
        first_visit=first_visit,
        checkpoints=checkpoints,
        classifiers=Classifiers(models),
        exports=Exports(exports_folder(), models),
        trays=Trays(),
    )


def open_first_picture(models: Models) -> Entry:
    """The sample that greets everybody, for whoever needs more of it than is stored."""
    picture = models.inspect(read_sample(stored.SAMPLE), models.default, stored.SIZE)
    words = models.classifier_words(models.default)
    return Entry("", picture, models.default, stored.SIZE, stored.SAMPLE, classifier=words)
