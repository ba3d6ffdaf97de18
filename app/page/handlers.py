"""The wiring: what happens when something in the rail is touched.

Every change of the rail ends in `show`, which hands the views their prop; the views fetch and draw
by themselves. A file that cannot be read, or a model that cannot be had, changes nothing but the
status line.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from gradio.utils import get_upload_folder

from app.first_visit import stored
from app.jobs.galleries import Galleries
from app.jobs.runs import owner_of
from app.page.components import badge, sentence
from app.routes.galleries import is_sample, to_open
from app.routes.pictures import COOKIE, STATIC, view_prop
from app.state.models import Engine
from app.state.pictures import Entry, Store

SAMPLES = STATIC / "samples"
# A quick answer may come before the scripts have loaded.
ARRIVED = """() => import(new URL("inside/js/core.js", document.baseURI))
    .then(() => { window.Inside.arrived(); })"""
SIZES = [("224 px", 224), ("448 px", 448), ("518 px", 518)]


@dataclass(frozen=True)
class Visit:
    """What one open page shows. The picture itself is in the store, under this key."""

    key: str = ""


@dataclass(frozen=True)
class Rail:
    """The widgets of the left rail."""

    picture: gr.Image
    link: gr.Textbox  # what stands behind the # of the address when the page opens
    uploaded: gr.Textbox  # where the server put the newest upload
    samples: gr.HTML
    status: gr.HTML
    model: gr.Dropdown
    badge: gr.HTML
    size: gr.Radio
    seed: gr.Number
    again: gr.Button


@dataclass(frozen=True)
class Choice:
    """What the rail says besides the picture."""

    model: str
    size: int
    seed: int | None  # None while the field is empty


class Desk:
    """Handlers return one value for each of `outputs`."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        galleries: Galleries,
        visit: gr.State,
        rail: Rail,
        views: dict[str, gr.HTML],
    ) -> None:
        self.engine = engine
        self.store = store
        self.galleries = galleries
        self.visit = visit
        self.rail = rail
        self.views = views
        self.outputs = [visit, rail.picture, rail.status, rail.badge]
        self.outputs += [rail.model, rail.size, rail.seed, *views.values()]

    def connect(self, page: gr.Blocks) -> None:
        rail, chosen = self.rail, [self.rail.model, self.rail.size, self.rail.seed]
        work: dict[str, Any] = {
            "outputs": self.outputs,
            "concurrency_id": "model",
            "concurrency_limit": 1,
            "show_progress": "minimal",
            "show_progress_on": rail.status,
            "api_visibility": "private",
        }
        page.load(
            self.arrive, [rail.link, *chosen], js="(_, ...rest) => [location.hash, ...rest]", **work
        ).then(None, js=ARRIVED, api_visibility="private")
        # Only the path goes on: the image widget would decode the file itself, and be silent or
        # wrong about broken, 16-bit and animated ones.
        rail.picture.upload(
            None, rail.picture, rail.uploaded, js="(file) => file.path", api_visibility="private"
        ).then(self.open_file, [self.visit, rail.uploaded, *chosen], **work)
        rail.samples.select(self.open_sample, [self.visit, rail.samples, *chosen], **work)
        gallery = self.views["gallery"]
        gallery.select(self.open_from_gallery, [self.visit, gallery, *chosen], **work)
        rail.model.input(self.look_again, [self.visit, *chosen], **work)
        rail.size.input(self.look_again, [self.visit, *chosen], **work)
        rail.seed.change(
            self.redraw,
            [self.visit, rail.seed],
            list(self.views.values()),
            trigger_mode="always_last",
            show_progress="hidden",
            api_visibility="private",
        )
        rail.again.click(
            None,
            rail.seed,
            rail.seed,
            js="(seed) => (seed + 1) % 2 ** 31",
            api_visibility="private",
        )

    # -- handlers ----------------------------------------------------------------------------

    def arrive(self, link: str, model: str, size: int, seed: int, request: gr.Request) -> list[Any]:
        """A new page: what its link says; what was open, if it was reloaded; else the sample."""
        visit, asked = Visit(stored.KEY), dict(parse_qsl(link.lstrip("#")))
        try:
            choice = Choice(
                asked.get("model", model),
                int(asked.get("size", size)),
                int(asked.get("seed", seed or 0)),
            )
        except ValueError:
            return self.refuse(visit, "This link is damaged.", request)
        key = self.store.newest(owner(request))
        entry = self.store.get(owner(request), key) if key else None
        if entry and key and asked.get("sample", "") == entry.sample:
            return self.show(key, entry, choice.seed, "Welcome back: this is what you had open.")
        sample = asked.get("sample", stored.SAMPLE)
        kept = (stored.SAMPLE, self.engine.first, stored.SIZE)
        if (sample, choice.model, choice.size) == kept and stored.view():
            return self.show_first(choice.seed or 0)
        return self.open_sample(visit, sample, choice.model, choice.size, choice.seed, request)

    def open_sample(
        self, visit: Visit, file: str, model: str, size: int, seed: int | None, request: gr.Request
    ) -> list[Any]:
        sample = next((s for s in sample_credits() if s["file"] == file), None)
        if sample is None:
            return self.refuse(visit, "There is no such sample.", request)
        try:
            source = self.engine.scene("picture").read_picture(SAMPLES / file)
            choice, words = Choice(model, size, seed), sample_words(sample)
            return self.look(source, choice, words, request, file)
        except ValueError as error:
            return self.refuse(visit, str(error), request)

    def open_file(
        self, visit: Visit, path: str, model: str, size: int, seed: int | None, request: gr.Request
    ) -> list[Any]:
        if not Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
            return self.refuse(visit, "Upload the picture first.", request)
        try:
            source = self.engine.scene("picture").read_picture(path)
            return self.look(source, Choice(model, size, seed), "Your picture.", request)
        except ValueError as error:
            return self.refuse(visit, str(error), request)

    def open_from_gallery(
        self,
        visit: Visit,
        asked: dict[str, Any] | None,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
    ) -> list[Any]:
        """A picture of the map, as if it had been uploaded; the map is its visitor's own."""
        try:
            name, index = str(dict(asked or {})["gallery"]), int(dict(asked or {})["index"])
            source, file = to_open(self.galleries, name, index, owner_of(owner(request)))
            if is_sample(name):
                return self.open_sample(visit, file, model, size, seed, request)
            words = f"{Path(file).name}, from your pictures."
            return self.look(source, Choice(model, size, seed), words, request)
        except (ValueError, KeyError, TypeError) as error:
            words = str(error) if isinstance(error, ValueError) else "There is no such picture."
            return self.refuse(visit, words, request)

    def look_again(
        self,
        visit: Visit,
        model: str,
        size: int,
        seed: int | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (Gradio looks for it here)
    ) -> list[Any]:
        """The same picture in another model or at another size.

        A model that is not on disk is downloaded: it was chosen from the list, which says so.
        """
        entry = self.store.get(owner(request), visit.key)
        if entry is None:
            return self.refuse(visit, "Open a picture first.", request)

        def report(done: int, total: int | None) -> None:
            progress((done, total), desc="Downloading", unit="bytes")

        try:
            self.engine.backbone(model, download=True, progress=report)
            source, words = entry.picture.source, "The same picture, looked at anew."
            return self.look(source, Choice(model, size, seed), words, request, entry.sample)
        except ValueError as error:
            return self.refuse(visit, str(error), request)

    def redraw(self, visit: Visit, seed: int | None, request: gr.Request) -> list[Any]:
        """Another seed: the views draw again, the model is not asked."""
        entry = self.store.get(owner(request), visit.key)
        if entry is None or seed is None:
            return [gr.skip() for _ in self.views]
        return self.props(visit.key, entry, seed)

    # -- what they end in --------------------------------------------------------------------

    def look(
        self, source: Any, choice: Choice, words: str, request: gr.Request, sample: str = ""
    ) -> list[Any]:
        """A decoded picture -> one forward, kept for this visitor, and shown."""
        if choice.size not in dict(SIZES).values():
            raise ValueError(f"The input size is one of {', '.join(text for text, _ in SIZES)}.")
        picture = self.engine.look(source, choice.model, choice.size)
        entry = Entry(owner(request), picture, choice.model, choice.size, sample)
        key = self.store.add(entry)
        return self.show(key, entry, choice.seed, f"{words} {picture.scene.note}")

    def show(self, key: str, entry: Entry, seed: int | None, words: str) -> list[Any]:
        """One value for each of `outputs`."""
        thumbnail = self.engine.scene("picture").thumbnail(entry.picture.source)
        described = badge(self.engine.describe(entry.model))
        rail = [entry.model, entry.size, seed or 0]
        views = self.props(key, entry, seed or 0)
        return [Visit(key), thumbnail, sentence(words), described, *rail, *views]

    def show_first(self, seed: int) -> list[Any]:
        """The sample that the page shows already, without waiting for any model."""
        view = (stored.view() or {}) | {"seed": seed}
        words = sentence(sample_words(sample_credits()[0]))
        rail = [self.engine.first, stored.SIZE, seed]
        views = [gr.update(view=view) for _ in self.views]
        return [Visit(stored.KEY), gr.skip(), words, gr.skip(), *rail, *views]

    def props(self, key: str, entry: Entry, seed: int) -> list[Any]:
        view = view_prop(key, entry, seed)
        return [gr.update(view=view) for _ in self.views]

    def refuse(self, visit: Visit, words: str, request: gr.Request) -> list[Any]:
        """Says why, and leaves everything as it was: the thumbnail and the choices go back too."""
        gr.Warning(words)
        entry = self.store.get(owner(request), visit.key)
        if entry is None:
            return [gr.skip(), gr.skip(), sentence(words, alarm=True)] + [
                gr.skip() for _ in self.outputs[3:]
            ]
        thumbnail = self.engine.scene("picture").thumbnail(entry.picture.source)
        back = [gr.skip(), thumbnail, sentence(words, alarm=True), gr.skip()]
        back += [entry.model, entry.size, gr.skip()]
        return back + [gr.skip() for _ in self.views]


def owner(request: gr.Request) -> str:
    """Whose page this is: the browser's own secret."""
    return str(request.cookies.get(COOKIE, ""))


def sample_credits() -> list[dict[str, str]]:
    return json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))


def sample_words(sample: dict[str, str]) -> str:
    """Title, author and licence; an attribution licence with its address."""
    words = f"{sample['title']}. {sample['author']}, {sample['licence']}"
    attribution = sample["licence"].startswith("CC BY")
    return words + (": creativecommons.org/licenses/by/2.0" if attribution else "") + "."
