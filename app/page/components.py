"""The page's own components. Their looks and behaviour are in static/, their words come from here.

A canvas view is an empty place that static/js fills. Python hands the strip one small prop, `view`:
which picture (its key, grid, layers, heads) and which seed; the whole page follows it. A view
fetches its arrays itself and draws; hovering never comes back to Python.
"""

from html import escape
from typing import Any

import gradio as gr


def canvas_view(name: str, **props: Any) -> gr.HTML:
    """The place of a view of static/js/screens."""
    return gr.HTML(
        html_template='<div class="inside-view waiting"></div>',
        js_on_load=f"""
            import(new URL("inside/js/boot.js", document.baseURI))
                .then(() => Inside.mount("{name}", {{ element, props, watch, trigger }}));
        """,
        apply_default_css=False,
        elem_id=f"view-{name}",
        **props,
    )


def sample_buttons(credits: list[dict[str, str]]) -> gr.HTML:
    """The samples as a grid of small pictures; `select` fires with the file's name as the value."""
    buttons = "".join(
        f'<button type="button" data-file="{escape(sample["file"])}" '
        f'title="{escape(sample["title"])}. {escape(sample["author"])}, '
        f'{escape(sample["licence"])}">'
        f'<img src="inside/samples/thumbs/{escape(sample["file"])}" width="64" height="64" '
        f'alt="{escape(sample["title"])}"></button>'
        for sample in credits
    )
    return gr.HTML(
        html_template=f'<div class="inside-samples" role="group" aria-label="Sample pictures">'
        f"{buttons}</div>",
        js_on_load="""
            element.addEventListener("click", (event) => {
                const button = event.target.closest("button");
                if (!button) return;
                props.value = button.dataset.file;
                trigger("select");
            });
        """,
        apply_default_css=False,
        elem_id="samples",
    )


def checkpoint_button() -> gr.HTML:
    """Where a visitor brings a checkpoint; `select` fires with its name among the models, and with
    "" when one was removed. static/js/page/checkpoints.js fills it."""
    return gr.HTML(
        html_template='<div class="inside-checkpoint"></div>',
        js_on_load="""
            import(new URL("inside/js/boot.js", document.baseURI))
                .then(() => Inside.checkpoints({ element, props, trigger }));
        """,
        apply_default_css=False,
        elem_id="checkpoint",
    )


def status_line(message: str, alarm: bool = False) -> str:
    """A line of the rail that a screen reader announces."""
    role, kind = ("alert", "alarm") if alarm else ("status", "calm")
    return f'<p class="inside-status {kind}" role="{role}">{escape(message)}</p>'


def badge(lines: list[str]) -> str:
    """What the weights are; the first line is always in sight."""
    official = lines[0].startswith("Official")
    more = "".join(f"<p>{escape(line)}</p>" for line in lines[1:])
    kind = "official" if official else "preview"
    return (
        f'<details class="inside-badge {kind}">'
        f"<summary>{escape(lines[0])}</summary>{more}</details>"
    )
