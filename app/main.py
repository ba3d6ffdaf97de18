"""The page, read from top to bottom: the rail with what is looked at, then one tab a screen."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from gradio.utils import get_upload_folder

from app import first
from app.engine import Engine
from app.routes import COOKIE, STATIC, view_prop
from app.store import Entry, Store
from app.view import badge, canvas_view, sample_buttons, sentence
from dino_core.scenes.models import PREVIEW

SAMPLES = STATIC / "samples"
TEXT = Path(__file__).parent / "text"
SIZES = [("224 px", 224), ("448 px", 448), ("518 px", 518)]
# The screens in the order of the data's way; static/js has a view of each name.
SCREENS = {"crops": "Crops", "masks": "Masks", "attention": "Attention", "features": "Features"}


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


def build_app(engine: Engine, store: Store) -> gr.Blocks:
    """The whole page."""
    view = first.view() if engine.first == PREVIEW else None
    with gr.Blocks(
        title="Inside DINOv2", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
    ) as page:
        visit = gr.State(Visit(key=first.KEY if view else ""))
        with gr.Row(elem_id="page", equal_height=False):
            with gr.Column(elem_id="rail", scale=0, min_width=288):
                rail = build_rail(engine)
            with gr.Column(elem_id="main", scale=1, min_width=320):
                views = {"strip": canvas_view("strip", view)}
                for name in SCREENS:
                    with gr.Column(elem_id=f"screen-{name}", elem_classes="inside-screen"):
                        views[name] = canvas_view(name, view)
                        build_lesson(name)
        Desk(engine, store, visit, rail, views).connect(page)
    return page


def build_lesson(name: str) -> None:
    """A few sentences and the equation; the view fills in the user's own numbers."""
    gr.Markdown(
        (TEXT / f"{name}.md").read_text(encoding="utf-8"),
        latex_delimiters=[
            {"left": "$$", "right": "$$", "display": True},
            {"left": "$", "right": "$", "display": False},
        ],
        sanitize_html=False,  # our own files
        elem_id=f"lesson-{name}",
        elem_classes="inside-lesson",
    )


def build_rail(engine: Engine) -> Rail:
    gr.HTML(
        html_template=(TEXT / "brand.html").read_text(encoding="utf-8"),
        js_on_load="""
            const rail = element.closest("#rail"), button = element.querySelector("button");
            button.onclick = () => {
                button.setAttribute("aria-expanded", String(rail.classList.toggle("unfolded")));
            };
        """,
        elem_id="brand",
    )
    return Rail(
        picture=gr.Image(
            type="filepath",
            label="Picture",
            sources=["upload", "clipboard"],
            height=200,
            buttons=[],
            elem_id="picture",
        ),
        link=gr.Textbox(visible="hidden", label="Link", elem_id="link"),
        uploaded=gr.Textbox(visible="hidden", label="Upload", elem_id="uploaded"),
        samples=sample_buttons(sample_credits()),
        status=gr.HTML(sentence(sample_words(sample_credits()[0])), elem_id="status"),
        model=gr.Dropdown(engine.choices(), value=engine.first, label="Model", elem_id="model"),
        badge=gr.HTML(
            "" if engine.weights else badge(engine.describe(engine.first)), elem_id="badge"
        ),
        size=gr.Radio(SIZES, value=224, label="Input size (short side)", elem_id="size"),
        seed=gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, elem_id="seed"),
        again=gr.Button("Draw again", size="sm", elem_id="again"),
    )


def sample_words(sample: dict[str, str]) -> str:
    return f"{sample['title']}. {sample['author']}, {sample['licence']}."


def sample_credits() -> list[dict[str, str]]:
    return json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))


class Desk:
    """The wiring: every change of the rail ends in `show`, which hands the views their prop.

    Handlers return one value for each of `outputs`. A file that cannot be read, or a model that
    cannot be had, changes nothing but the status line.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        visit: gr.State,
        rail: Rail,
        views: dict[str, gr.HTML],
    ) -> None:
        self.engine = engine
        self.store = store
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
        )
        # Only the path goes on: the image widget would decode the file itself, and be silent or
        # wrong about broken, 16-bit and animated ones.
        rail.picture.upload(
            None, rail.picture, rail.uploaded, js="(file) => file.path", api_visibility="private"
        ).then(self.open_file, [self.visit, rail.uploaded, *chosen], **work)
        rail.samples.select(self.open_sample, [self.visit, rail.samples, *chosen], **work)
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
        asked = dict(parse_qsl(link.lstrip("#")))
        key = self.store.newest(owner(request))
        entry = self.store.get(owner(request), key) if key else None
        try:
            seed = int(asked.get("seed", seed or 0))
            size = int(asked.get("size", size))
        except ValueError:
            return self.refuse(Visit(first.KEY), "This link is damaged.", request)
        if entry and key and asked.get("sample", "") == entry.sample:
            return self.show(key, entry, seed, "Welcome back: this is what you had open.")
        visit = Visit(first.KEY)
        model = asked.get("model", model)
        as_stored = (first.SAMPLE, self.engine.first, first.SIZE)
        if (asked.get("sample", first.SAMPLE), model, size) == as_stored and first.view():
            return self.show_first(seed)
        return self.open_sample(
            visit, asked.get("sample", first.SAMPLE), model, size, seed, request
        )

    def show_first(self, seed: int) -> list[Any]:
        """The page shows it already: only the seed may differ, and the badge is still to come."""
        words = sentence(sample_words(sample_credits()[0]))
        view = (first.view() or {}) | {"seed": seed}
        views = [gr.update(view=view) for _ in self.views]
        thumbnail = str(SAMPLES / first.SAMPLE)
        return [
            *(Visit(first.KEY), thumbnail, words, gr.skip(), self.engine.first, first.SIZE, seed),
            *views,
        ]

    def open_sample(
        self, visit: Visit, file: str, model: str, size: int, seed: int, request: gr.Request
    ) -> list[Any]:
        sample = next((s for s in sample_credits() if s["file"] == file), None)
        if sample is None:
            return self.refuse(visit, "There is no such sample.", request)
        path = str(SAMPLES / file)
        return self.open(visit, path, model, size, seed, sample_words(sample), request, file)

    def open_file(
        self, visit: Visit, path: str, model: str, size: int, seed: int, request: gr.Request
    ) -> list[Any]:
        if not Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
            return self.refuse(visit, "Upload the picture first.", request)
        return self.open(visit, path, model, size, seed, "Your picture.", request)

    def open(
        self,
        visit: Visit,
        path: str,
        model: str,
        size: int,
        seed: int,
        words: str,
        request: gr.Request,
        sample: str = "",
    ) -> list[Any]:
        try:
            source = self.engine.scene("picture").read_picture(path)
            return self.look(source, model, size, seed, words, request, sample)
        except ValueError as error:
            return self.refuse(visit, str(error), request)

    def look_again(
        self,
        visit: Visit,
        model: str,
        size: int,
        seed: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (Gradio looks for it here)
    ) -> list[Any]:
        """The same picture in another model or at another size."""
        entry = self.store.get(owner(request), visit.key)
        if entry is None:
            return self.refuse(visit, "Open a picture first.", request)

        def report(done: int, total: int | None) -> None:
            progress((done, total), desc="Downloading", unit="bytes")

        try:
            self.engine.backbone(model, report)
            source = entry.picture.source
            return self.look(
                source, model, size, seed, "The same picture, looked at anew.", request
            )
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
        self,
        source: Any,
        model: str,
        size: int,
        seed: int,
        words: str,
        request: gr.Request,
        sample: str = "",
    ) -> list[Any]:
        if size not in dict(SIZES).values():
            raise ValueError(f"The input size is one of {', '.join(text for text, _ in SIZES)}.")
        picture = self.engine.look(source, model, size)
        entry = Entry(owner(request), picture, model, size, sample)
        return self.show(self.store.add(entry), entry, seed, f"{words} {picture.scene.note}")

    def show(self, key: str, entry: Entry, seed: int, words: str) -> list[Any]:
        """One value for each of `outputs`."""
        thumbnail = self.engine.scene("picture").thumbnail(entry.picture.source)
        described = badge(self.engine.describe(entry.model))
        return [
            *(Visit(key), thumbnail, sentence(words), described, entry.model, entry.size, seed),
            *self.props(key, entry, seed),
        ]

    def props(self, key: str, entry: Entry, seed: int) -> list[Any]:
        view = view_prop(key, entry, int(seed or 0))
        return [gr.update(view=view) for _ in self.views]

    def refuse(self, visit: Visit, words: str, request: gr.Request) -> list[Any]:
        """Says why, and leaves everything as it was: the thumbnail and the choices go back too."""
        gr.Warning(words)
        entry = self.store.get(owner(request), visit.key)
        back: list[Any] = [gr.skip() for _ in self.outputs]
        back[2] = sentence(words, alarm=True)
        if entry is not None:
            back[1] = self.engine.scene("picture").thumbnail(entry.picture.source)
            back[4], back[5] = entry.model, entry.size
        return back


def owner(request: gr.Request) -> str:
    """Whose page this is: the browser's own secret."""
    return str(request.cookies.get(COOKIE, ""))
