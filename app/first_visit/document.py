"""What the browser begins with while Gradio is still starting.

Gradio puts a page's own head into the document by script, half a second after the page was asked
for, and its first component comes a second later. Here the document brings along from the start
what a newcomer needs to see the sample and its attention: the choices that Python and the page
share, the scripts of the screen that opens, the first visit's numbers, and a stage to draw them on.
"""

import json
from collections.abc import Mapping
from typing import Any

import gradio

from app.first_visit import stored
from app.paths import TEXT
from dino_core.config import PCA_PRESETS

PRESET_TITLES = {
    "paper": "Paper",
    "dinov2-notebook": "DINOv2 notebook",
    "dinov3-notebook": "DINOv3 notebook",
    "all-patches": "All patches",
}
MODULES = ("core", "strip", "attention")  # of the screen that opens; the others come after
STAGE = TEXT / "stage.html"


def head(
    colours: Mapping[str, list[list[int]]],
    screens: Mapping[str, str],
    view: Mapping[str, Any] | None,
    theme_hash: str,
) -> str:
    """The colour maps and choices that Python and the page share, and what to fetch ahead.

    `view`: what a newcomer sees, None where that is not worked out.
    """
    presets = [[name, PRESET_TITLES.get(name, name)] for name in PCA_PRESETS]
    shared = _for_script(
        {"colours": colours, "presets": presets, "screens": list(screens.items()), "first": view}
    )
    ahead = _for_script([f"view/{stored.KEY}/{path}" for path in stored.AHEAD] if view else [])
    modules = "".join(f'<link rel="modulepreload" href="inside/js/{name}.js">' for name in MODULES)
    return (
        f"<script>window.INSIDE = {shared};"
        f"if (!location.hash) for (const path of {ahead}) fetch(path).then((one) => one.blob());"
        f'</script>{modules}<script type="module" src="inside/js/early.js"></script>'
        f'<link rel="stylesheet" href="theme.css?v={theme_hash}">'
    )


def stage() -> str:
    """The place where the first picture is drawn until Gradio's own element is there."""
    version = f"gradio-container-{gradio.__version__.replace('.', '-')}"
    return STAGE.read_text(encoding="utf-8").replace("GRADIO_VERSION", version)


def _for_script(values: Any) -> str:
    """JSON that cannot end the script it stands in, whatever a file of weights is called."""
    return json.dumps(values).replace("<", "\\u003c")
