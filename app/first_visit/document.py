"""What the browser begins with while Gradio is still starting.

Gradio puts a page's own head into the document by script, half a second after the page was asked
for, and its first component comes a second later. Here the document brings along from the start
what a newcomer needs to see the sample and its attention: the choices that Python and the page
share, the scripts of the screen that opens, the first visit's numbers, and a stage to draw them on.
"""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio

from app.first_visit import stored
from app.paths import STATIC, TEXT
from dino_core.config import PCA_PRESETS

PRESET_TITLES = {
    "paper": "Paper",
    "dinov2-notebook": "DINOv2 notebook",
    "dinov3-notebook": "DINOv3 notebook",
    "all-patches": "All patches",
}
OPENS = ("boot.js", "screens/strip/index.js", "screens/attention/index.js")  # the rest comes after
IMPORT = re.compile(
    r'^(?:import|export)\b[^"\';]*?\bfrom\s*"(\.[^"]+)"|^import\s*"(\.[^"]+)"', re.M
)
STAGE = TEXT / "stage.html"


def head(
    colours: Mapping[str, list[list[int]]],
    screens: Mapping[str, str],
    view: Mapping[str, Any] | None,
    theme_hash: str,
    *,
    identity: Mapping[str, Any],
) -> str:
    """The colour maps and choices that Python and the page share, and what to fetch ahead.

    `view`: what a newcomer sees, None where that is not worked out. `identity`: who serves this.
    """
    presets = [[name, PRESET_TITLES.get(name, name)] for name in PCA_PRESETS]
    shared = _for_script(
        {
            "colours": colours,
            "presets": presets,
            "screens": list(screens.items()),
            "first": view,
            "identity": identity,
        }
    )
    ahead = _for_script([f"view/{stored.KEY}/{path}" for path in stored.AHEAD] if view else [])
    modules = "".join(
        f'<link rel="modulepreload" href="inside/js/{name}">' for name in needed_modules()
    )
    return (
        f'<script type="application/json" id="inside-settings">{shared}</script>'
        f"<script>if (!location.hash) for (const path of {ahead})"
        " fetch(path).then((one) => one.blob());</script>"
        f'{modules}<script type="module" src="inside/js/boot.js"></script>'
        '<link rel="icon" href="favicon.ico">'  # a browser would look for it at the host's root
        f'<link rel="stylesheet" href="theme.css?v={theme_hash}">'
    )


def needed_modules(scripts: Path = STATIC / "js", entries: Sequence[str] = OPENS) -> list[str]:
    """The modules that the opening screen needs, as paths below `scripts`.

    A browser would find them only one import after the other; a screen that is opened later is an
    `import()` and does not count.
    """
    found: dict[str, None] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found[name] = None
        text = (scripts / name).read_text(encoding="utf-8")
        for match in IMPORT.finditer(text):
            below = posixpath.join(posixpath.dirname(name), match[1] or match[2])
            waiting.append(posixpath.normpath(below))
    return list(found)


def stage() -> str:
    """The place where the first picture is drawn until Gradio's own element is there."""
    version = f"gradio-container-{gradio.__version__.replace('.', '-')}"
    return STAGE.read_text(encoding="utf-8").replace("GRADIO_VERSION", version)


def _for_script(values: Any) -> str:
    """JSON that cannot end the script it stands in, whatever a file of weights is called."""
    return json.dumps(values).replace("<", "\\u003c")
