"""One picture as one HTML file: attention under the pointer and PCA by layer, without a server.

    offline_page(seen, layers_in_colours(seen, config), title="cat.jpg", words="ViT-S/14")

The file holds the picture, queries and keys as small integers (`analysis/compact.py`), the colours
of all layers, and those of the page's own modules that show them. It asks no other machine for
anything, and says so to the browser: its content security policy allows what is in it, by hash, and
nothing else.
"""

import base64
import hashlib
import json
import re
import zlib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from dino_core.assets import STATIC
from dino_core.draw.colours import colour_table
from dino_core.draw.encode import jpeg
from dino_core.draw.pictures import to_bytes

if TYPE_CHECKING:
    from dino_core.analysis.alignment import Family
    from dino_core.analysis.compact import CompactAttention
    from dino_core.analysis.inspection import Inspection

SCRIPTS = STATIC / "js"
ENTRY, STYLE = "standalone/page.js", "standalone/page.css"
MOST = 4_000_000  # bytes that a page tries to stay within
LEVELS = (127, 63, 31)  # of the integers; the first with which it does
IMPORT = re.compile(r'(\bfrom\s*|\bimport\s*)"(\.[^"]+)"')


def offline_page(seen: "Inspection", family: "Family", *, title: str, words: str = "") -> str:
    """A picture's attention and PCA as the text of an HTML file.

    At most 4 MB for ViT-S/14 at 224 px and pictures up to 3:2, 5 MB for the longest: the attention
    is rounded as little as that allows, and how far off it is stands on the page.
    """
    from dino_core.analysis.compact import compact_attention

    text = ""
    for levels in LEVELS:
        compact = compact_attention(seen, levels)
        text = document(seen, family, compact, title, words)
        if len(text.encode()) <= MOST:
            break
    return text


def document(
    seen: "Inspection", family: "Family", compact: "CompactAttention", title: str, words: str
) -> str:
    """The page with the attention as it was rounded."""
    modules = needed_modules()
    imports = json.dumps({"imports": {name: data_url(text) for name, text in modules.items()}})
    entry = f'import "{specifier(ENTRY)}";'
    style = (SCRIPTS / STYLE).read_text(encoding="utf-8")
    allowed = " ".join(map(csp_hash, (imports, entry)))
    policy = (
        f"default-src 'none'; script-src {allowed} data:; style-src {csp_hash(style)}; "
        f"img-src data:; base-uri 'none'; form-action 'none'"
    )
    colours = {"magma": colour_table("magma").tolist()}
    settings: dict[str, Any] = {"colours": colours, "presets": [], "screens": [], "first": None}
    said = facts(seen, family, compact, title, words)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n"
        f'<script type="importmap">{imports}</script>\n</head>\n<body>\n'
        f"<noscript>{escape(title)}: this page needs JavaScript.</noscript>\n"
        f'<script type="application/json" id="inside-settings">{inert(settings)}</script>\n'
        f'<script type="application/json" id="inside-facts">{inert(said)}</script>\n'
        f'<script type="text/plain" id="inside-data">{packed(family, compact)}</script>\n'
        f'<script type="module">{entry}</script>\n</body>\n</html>\n'
    )


def facts(
    seen: "Inspection", family: "Family", compact: "CompactAttention", title: str, words: str
) -> dict[str, Any]:
    """What the page is told beside the numbers: see `Facts` in its script."""
    picture = Image.fromarray(seen.pixels.numpy())
    off = (
        f"Attention is computed here from rounded numbers: no weight of any head is more than "
        f"{100 * compact.error:.2g} percentage points off."
    )
    return {
        "title": title,
        "words": " ".join(filter(None, [words, off])),
        "picture": data_url(jpeg(picture), "image/jpeg"),
        "size": picture.size,
        "grid": seen.grid,
        "registers": seen.registers,
        "shape": compact.keys.shape,
        "scale": compact.keys.shape[-1] ** -0.5,
        "layers": [
            f"PCA of layer {layer}, {100 * view.variance:.0f} % of the variance shown, "
            f"cosine {view.cosine:.2f} with the layer it was brought to"
            for layer, view in enumerate(family.maps)
        ],
    }


def packed(family: "Family", compact: "CompactAttention") -> str:
    """All numbers in the order in which the script takes them apart, deflated, as base64."""
    colours = np.stack([to_bytes(view.colours.cpu().numpy()) for view in family.maps])
    parts = (compact.query_scales, compact.key_scales, compact.queries, compact.keys, colours)
    data = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return base64.b64encode(zlib.compress(data, 9)).decode()


def needed_modules() -> dict[str, str]:
    """Specifier -> text of the entry and of every module that it needs, with bare specifiers."""
    found: dict[str, str] = {}
    waiting = [ENTRY]
    while waiting:
        name = waiting.pop()
        if specifier(name) in found:
            continue
        folder = (SCRIPTS / name).parent

        def bare(match: re.Match[str], folder: Path = folder) -> str:
            target = (folder / match[2]).resolve().relative_to(SCRIPTS.resolve()).as_posix()
            waiting.append(target)
            return f'{match[1]}"{specifier(target)}"'

        text = (SCRIPTS / name).read_text(encoding="utf-8")
        found[specifier(name)] = IMPORT.sub(bare, re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    return found


def specifier(name: str) -> str:
    """ui/dom.js -> inside/ui/dom.js: a name that the page's import map explains."""
    return f"inside/{name}"


def data_url(content: str | bytes, kind: str = "text/javascript") -> str:
    data = content.encode() if isinstance(content, str) else content
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def csp_hash(text: str) -> str:
    """The hash by which a content security policy allows an inline script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def inert(values: Any) -> str:
    """JSON that may stand in a document: nothing in it ends the element or begins another."""
    return json.dumps(values).replace("<", "\\u003c")
