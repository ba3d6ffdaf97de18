"""What the browser begins with while Gradio is still starting.

Gradio puts a page's own head into the document by script, half a second after the page was asked
for, and its first component comes a second later. Here the document brings along from the start
what a newcomer needs to see the sample as the model sees it: the choices that Python and the page
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
BEGINS = ("boot.js", "screens/strip/index.js")  # whatever opens; the rest comes after
OPENS = {name: f"screens/{name}/index.js" for name in stored.AHEAD}
IMPORT = re.compile(
    r'^(?:import|export)\b[^"\';]*?\bfrom\s*"(\.[^"]+)"|^import\s*"(\.[^"]+)"', re.M
)
STAGE = TEXT / "stage.html"


# Which screen opens: the one that the link names; where one was; a newcomer's.
OPENING = """
    const opening = %s;
    const link = new URLSearchParams(location.hash.slice(1));
    let opens = link.get("screen");
    try {
        opens ??= localStorage.getItem("inside-screen");
        const lessons = localStorage.getItem("inside-lessons");
        if (lessons) document.documentElement.dataset.lessons = lessons;
    } catch { /* nothing is kept here */ }
    link.delete("stop");
    opens ??= opening.first && !link.size ? "welcome" : "attention";
    document.documentElement.dataset.opens = opens;
    const { modules = [], scenes = [] } = opening.ahead[opens] ?? {};
    for (const name of modules)
        document.head.append(Object.assign(document.createElement("link"),
            { rel: "modulepreload", href: `inside/js/${name}` }));
    if (!location.hash)
        for (const path of scenes) fetch(path).then((one) => one.blob());
"""


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
    begins = needed_modules()
    modules = "".join(f'<link rel="modulepreload" href="inside/js/{name}">' for name in begins)
    ahead = _ahead(begins) if view else {}
    opening = OPENING % _for_script({"first": view is not None, "ahead": ahead})
    return (
        f'<script type="application/json" id="inside-settings">{shared}</script>'
        f"<script>{opening}</script>"
        f'{modules}<script type="module" src="inside/js/boot.js"></script>'
        '<link rel="icon" href="favicon.ico">'  # a browser would look for it at the host's root
        f'<link rel="stylesheet" href="theme.css?v={theme_hash}">'
    )


def _ahead(begins: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """What each screen that the document can show needs besides, by the screen's name."""
    return {
        name: {
            "modules": [one for one in needed_modules(entries=[entry]) if one not in begins],
            "scenes": [f"view/{stored.KEY}/{path}" for path in stored.AHEAD[name]],
        }
        for name, entry in OPENS.items()
    }


def needed_modules(scripts: Path = STATIC / "js", entries: Sequence[str] = BEGINS) -> list[str]:
    """The modules that `entries` need, as paths below `scripts`.

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
