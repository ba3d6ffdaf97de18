"""The rail at the left: the picture, the samples, the model, the input size and the seed."""

import json
from dataclasses import dataclass

import gradio as gr

from app.first_visit import stored
from app.page.components import badge, checkpoint_button, sample_buttons, status_line
from app.paths import SAMPLES, TEXT
from app.services import Services
from app.state.models import Models

SIZES = [("224 px", 224), ("448 px", 448), ("518 px", 518)]
MAX_SEED = 2**31 - 1
UNFOLD = """
    const rail = element.closest("#rail"), button = element.querySelector("[aria-controls]");
    element.querySelector(".inside-skip").onclick = () => {
        const screen = document.querySelector(".inside-screen.open .inside-view");
        screen.tabIndex = -1;
        screen.focus();
    };
    button.onclick = () => {
        button.setAttribute("aria-expanded", String(rail.classList.toggle("unfolded")));
    };
"""


@dataclass(frozen=True)
class Rail:
    """The widgets of the rail."""

    picture: gr.Image
    link: gr.Textbox  # what stands behind the # of the address when the page opens
    shown: gr.Textbox  # the key of what the page shows, with whatever is asked
    uploaded: gr.Textbox  # where the server put the newest upload
    emptied: gr.Textbox  # says so when the widget of the picture is left without one
    samples: gr.HTML
    status: gr.HTML
    wanted: gr.Textbox  # the model and size that are asked for, where they are not shown already
    model: gr.Dropdown
    badge: gr.HTML
    checkpoint: gr.HTML
    size: gr.Radio
    seed: gr.Number
    again: gr.Button


def build_rail(services: Services) -> Rail:
    """The widgets from top to bottom, with what a newcomer sees in them."""
    models, credits = services.models, sample_credits()
    gr.HTML(
        html_template=(TEXT / "brand.html").read_text(encoding="utf-8"),
        js_on_load=UNFOLD,
        elem_id="brand",
    )
    picture = gr.Image(
        type="filepath",
        label="Picture",
        sources=["upload", "clipboard"],
        height=200,
        buttons=[],
        elem_id="picture",
    )
    if services.first_visit:  # by its address: the page need not know of a file on this disk
        picture.value = {
            "path": stored.SAMPLE,
            "url": f"/view/{stored.KEY}/source.jpg",
            "meta": {"_type": "gradio.FileData"},
        }
    return Rail(
        picture=picture,
        link=gr.Textbox(visible="hidden", label="Link", elem_id="link"),
        shown=gr.Textbox(visible="hidden", label="Shown", elem_id="shown"),
        uploaded=gr.Textbox(visible="hidden", label="Upload", elem_id="uploaded"),
        emptied=gr.Textbox(visible="hidden", label="Emptied", elem_id="emptied"),
        samples=sample_buttons(credits),
        status=gr.HTML(status_line(sample_caption(stored.SAMPLE)), elem_id="status"),
        wanted=gr.Textbox(visible="hidden", label="Wanted", elem_id="wanted"),
        model=model_list(models),
        badge=gr.HTML(
            "" if models.weights else badge(models.describe(models.default)), elem_id="badge"
        ),
        checkpoint=checkpoint_button(),
        size=gr.Radio(SIZES, value=stored.SIZE, label="Input size (short side)", elem_id="size"),
        seed=gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, elem_id="seed"),
        again=gr.Button("Draw again", size="sm", elem_id="again"),
    )


def model_list(models: Models) -> gr.Dropdown:
    """The models, of which a visitor's own are not in the list with which the page is built."""
    model = gr.Dropdown(models.choices(), value=models.default, label="Model", elem_id="model")
    # Gradio itself would turn their names away once a server has been started anew.
    setattr(model, "preprocess", any_name)  # noqa: B010  a method, says mypy
    return model


def any_name(name: object) -> str:
    """A name of the list of models, as the page sends it."""
    return str(name or "")


def sample_credits() -> list[dict[str, str]]:
    """File, title, author and licence of each sample."""
    credits: list[dict[str, str]] = json.loads(
        (SAMPLES / "credits.json").read_text(encoding="utf-8")
    )
    return credits


def sample_caption(file: str) -> str:
    """Title, author and licence; an attribution licence with its address. ValueError for none."""
    sample = next((one for one in sample_credits() if one["file"] == file), None)
    if sample is None:
        raise ValueError("There is no such sample.")
    words = f"{sample['title']}. {sample['author']}, {sample['licence']}"
    attribution = sample["licence"].startswith("CC BY")
    return words + (": creativecommons.org/licenses/by/2.0" if attribution else "") + "."
