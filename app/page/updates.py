"""What handlers end in: another picture is shown, or the page says why not and stays as it was."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.first_visit import stored
from app.page.components import badge, status_line
from app.page.rail import MAX_SEED, SIZES, Rail, sample_caption
from app.routes.pictures import view_of
from app.routes.responses import shortened
from app.services import Services
from app.state.pictures import Entry
from app.visitors import owner_of

if TYPE_CHECKING:
    from PIL.Image import Image

Update = dict[Any, Any]  # what a handler changes: a value for each of some components


@dataclass(frozen=True)
class Session:
    """What one open page shows. The picture itself is in the store, under this key."""

    key: str = ""

    def or_shown(self, shown: str) -> str:
        """The key of what the page shows; `shown` is what the page itself says."""
        return self.key or shown


@dataclass(frozen=True)
class Choice:
    """What the rail says besides the picture."""

    model: str
    size: int
    seed: int | None  # None while the field is empty


class Updates:
    """What the handlers of one page may change in it."""

    def __init__(
        self, services: Services, session: gr.State, rail: Rail, views: dict[str, gr.HTML]
    ) -> None:
        self.services = services
        self.session = session
        self.rail = rail
        self.gallery, self.strip = views["gallery"], views["strip"]
        self.tray = views["tray"]

    def _open(
        self,
        source: "Image",
        choice: Choice,
        caption: str,
        request: gr.Request,
        *,
        sample: str = "",
        origin: str = "",
    ) -> Update:
        """A decoded picture -> one forward, kept for this visitor, and shown."""
        if choice.size not in dict(SIZES).values():
            raise ValueError(f"The input size is one of {', '.join(text for text, _ in SIZES)}.")
        check_seed(choice.seed)
        entry = self.services.look(
            source,
            self._secret(request),
            choice.model,
            choice.size,
            sample=sample,
            origin=origin,
        )
        key = self.services.pictures.add(entry)
        return self._show(key, entry, choice.seed, f"{caption} {entry.picture.scene.note}")

    def _show(self, key: str, entry: Entry, seed: int | None, message: str) -> Update:
        rail, seed = self.rail, seed or 0
        return {
            self.session: Session(key),
            **self._thumbnail(entry),
            rail.status: status_line(message),
            rail.badge: badge(self._about(entry)),
            rail.model: self._listed(entry.model, entry.owner),
            rail.size: entry.size,
            rail.seed: seed,
            self.strip: gr.update(view=view_of(key, entry, seed)),
        }

    def _about(self, entry: Entry) -> list[str]:
        """What to say about the model of an open picture, which outlives a checkpoint."""
        try:
            return self.services.models.describe(entry.model, owner_of(entry.owner))
        except ValueError as error:
            return [entry.title, str(error)]

    def _listed(self, model: str, secret: str, *, shorter: bool = False) -> Any:
        """The list of models as this visitor has it, with one chosen.

        It is sent only where it differs from the one that the page was built with, or when it has
        become `shorter`: whoever is choosing just now would lose the place.
        """
        models, owner = self.services.models, owner_of(secret)
        if shorter or self.services.checkpoints.everything(owner):
            return gr.update(choices=models.choices(owner), value=model)
        return model

    def _show_first(self, first: stored.FirstVisit, seed: int, secret: str) -> Update:
        """The sample that the page shows already, without waiting for any model."""
        rail, models = self.rail, self.services.models
        return {
            self.session: Session(stored.KEY),
            rail.status: status_line(sample_caption(stored.SAMPLE)),
            rail.badge: "" if models.weights else badge(models.describe(models.default)),
            rail.model: self._listed(models.default, secret),
            rail.size: stored.SIZE,
            rail.seed: seed,
            self.strip: gr.update(view=first.view | {"seed": seed}),
        }

    def _reject(self, key: str, message: str, request: gr.Request) -> Update:
        """Says why, and leaves everything as it was: the thumbnail and the choices go back too."""
        message = shortened(message)
        gr.Warning(escape(message))  # Gradio sets it as HTML
        entry = self.services.pictures.get(self._secret(request), key)
        listed = self._listed(entry.model, self._secret(request)) if entry else None
        choices = {self.rail.model: listed, self.rail.size: entry.size} if entry else {}
        return {
            self.rail.status: status_line(message, alarm=True),
            **self._thumbnail(entry),
            **choices,
        }

    def _thumbnail(self, entry: Entry | None) -> Update:
        from dino_core.scenes.picture import thumbnail

        return {self.rail.picture: thumbnail(entry.picture.source)} if entry else {}

    def _secret(self, request: gr.Request) -> str:
        """Whose page this is."""
        return self.services.visitors.secret(request.cookies)


def check_seed(seed: int | None) -> None:
    """ValueError in a sentence for what is no seed; None stands for an empty field."""
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise ValueError(f"A seed is a whole number from 0 to {MAX_SEED:,}.")


def read_upload(services: Services, secret: str, path: str) -> "Image":
    """A file that this visitor uploaded, decoded. ValueError in a sentence for any other."""
    from dino_core.scenes.picture import read_picture

    return read_picture(services.uploads.find(secret, path))
