"""The page, read from top to bottom: the rail with what is looked at, then one tab a screen."""

import json
from typing import Any

import gradio as gr

from app.first_visit import stored
from app.jobs.galleries import Galleries
from app.page.components import badge, canvas_view, sample_buttons, sentence
from app.page.handlers import SAMPLES, SIZES, Desk, Rail, Visit, sample_credits, sample_words
from app.paths import TEXT
from app.state.models import Engine
from app.state.pictures import Store
from dino_core.scenes.models import PREVIEW

LESSONS = """async () => {
    const core = new URL("inside/js/core.js", document.baseURI);
    await import(core).then(() => window.Inside.afterFirst);
    return %s;
}"""
# The screens in the order of the data's way; static/js has a view of each name.
SCREENS = {
    "crops": "Crops",
    "masks": "Masks",
    "tokens": "Tokens",
    "attention": "Attention",
    "features": "Features",
    "losses": "Heads & losses",
    "update": "Update",
    "training": "Training",
    "gallery": "Many pictures",
}


def build_app(engine: Engine, store: Store, galleries: Galleries) -> gr.Blocks:
    """The whole page."""
    view = newcomers_view(engine)
    with gr.Blocks(
        title="Inside DINOv2", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
    ) as page:
        visit = gr.State(Visit(key=stored.KEY if view else ""))
        with gr.Row(elem_id="page", equal_height=False):
            with gr.Column(elem_id="rail", scale=0, min_width=288):
                rail = build_rail(engine)
            with gr.Column(elem_id="main", scale=1, min_width=320):
                views = {"strip": canvas_view("strip", view)}
                lessons = []
                for name in SCREENS:
                    with gr.Column(elem_id=f"screen-{name}", elem_classes="inside-screen"):
                        views[name] = canvas_view(name, view)
                        lessons.append(build_lesson(name))
        # Setting equations keeps a browser busy, and the newcomer's picture would wait for it.
        texts = json.dumps([(TEXT / f"{name}.md").read_text(encoding="utf-8") for name in SCREENS])
        page.load(None, None, lessons, js=LESSONS % texts, api_visibility="private")
        Desk(engine, store, galleries, visit, rail, views).connect(page)
    return page


def newcomers_view(engine: Engine) -> dict[str, Any] | None:
    """The sample as it was worked out beforehand, where this page begins with that model."""
    return stored.view() if engine.first == PREVIEW else None


def build_lesson(name: str) -> gr.Markdown:
    """The place for a few sentences and the equation; the view fills in the user's own numbers."""
    return gr.Markdown(
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
            str(SAMPLES / stored.SAMPLE) if stored.view() else None,
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
