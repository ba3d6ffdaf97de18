"""The page, read from top to bottom: the rail with what is looked at, then one tab a screen."""

import json

import gradio as gr

from app.page.api import add_endpoints
from app.page.components import canvas_view
from app.page.handlers import Handlers
from app.page.rail import build_rail
from app.page.screens import SCREENS, WELCOME
from app.page.updates import Session
from app.paths import TEXT
from app.services import Services

READY = """() => import(new URL("inside/js/boot.js", document.baseURI))
    .then(() => { Inside.ready(); })"""


def build_app(services: Services) -> gr.Blocks:
    """The whole page, and the named endpoints for programs."""
    first = services.first_visit
    view = first.view if first else None
    with gr.Blocks(
        title="Inside DINOv2", analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)
    ) as page:
        session = gr.State(Session())
        with gr.Row(elem_id="page", equal_height=False):
            with gr.Column(elem_id="rail", scale=0, min_width=288):
                rail = build_rail(services)
            with gr.Column(elem_id="main", scale=1, min_width=320):
                views = {"strip": canvas_view("strip", view=view)}
                with gr.Column(elem_id=f"screen-{WELCOME}", elem_classes="inside-screen"):
                    views[WELCOME] = canvas_view(WELCOME)
                for name in SCREENS:
                    with gr.Column(elem_id=f"screen-{name}", elem_classes="inside-screen"):
                        views[name] = canvas_view(name)
                        build_lesson(name, views[name])
        page.load(None, None, None, js=READY, api_visibility="private")
        Handlers(services, session, rail, views).connect(page)
        add_endpoints(services)
    return page


def build_lesson(name: str, view: gr.HTML) -> None:
    """A few sentences and the equation, in which the view fills in the user's own numbers.

    Setting equations keeps a browser busy, and the picture would wait for it: a lesson is written
    when its view says that it has been made, by the event `expand`.
    """
    lesson = gr.Markdown(
        latex_delimiters=[
            {"left": "$$", "right": "$$", "display": True},
            {"left": "$", "right": "$", "display": False},
        ],
        sanitize_html=False,  # our own files
        elem_id=f"lesson-{name}",
        elem_classes="inside-lesson",
    )
    text = json.dumps((TEXT / f"{name}.md").read_text(encoding="utf-8"))
    view.expand(None, None, lesson, js=f"() => {text}", api_visibility="private")
