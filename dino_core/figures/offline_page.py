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
MOST = 4_000_000  # bytes that a page stays within
SLACK = 400  # bytes of the words that are known last
FINEST, COARSEST = 0.001, 0.1  # noise of q . k / sqrt(d): what nobody sees, what is not gone beyond
# Printable letters but & < >, as many as two of them need to hold 13 bits.
ALPHABET = "".join(chr(code) for code in range(33, 127) if chr(code) not in "&<>")
BITS, LETTERS = 13, 2
IMPORT = re.compile(r'(\bfrom\s*|\bimport\s*)"(\.[^"]+)"')


def offline_page(
    seen: "Inspection", family: "Family", *, title: str, words: str = "", most: int = MOST
) -> str:
    """A picture's attention and PCA as the text of an HTML file.

    At most 4 MB (`most` bytes): attention is rounded as little as that allows, and how far off it
    is stands on the page. ViT-S/14 at 224 px fits whatever the picture's aspect; what would have to
    be rounded to more than `COARSEST` takes more bytes instead.
    """
    from dino_core.analysis.compact import balanced, compact_attention, largest_error

    told = facts(seen, family, title, words)
    room = (most - len(document(told, title, b"").encode()) - SLACK) * BITS // (8 * LETTERS)
    parts, noise = balanced(seen), FINEST
    while True:
        compact = compact_attention(parts, noise)
        data = packed(family, compact)
        if len(data) <= room or noise == COARSEST:
            break
        over = 8 * (len(data) - room) / (compact.queries.size + compact.keys.size)  # bits each
        noise = min(noise * 2 ** (over + 0.05), COARSEST)
    off = (
        f"Attention is computed here from rounded numbers: no weight of any head is more than "
        f"{100 * largest_error(seen, compact):.2g} percentage points off."
    )
    told["words"] = " ".join(filter(None, [words, off]))
    return document(told, title, data)


def document(told: dict[str, Any], title: str, data: bytes) -> str:
    """The page: what its script is told, and the numbers that it takes apart."""
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
    said = told | {"bytes": len(data)}
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n"
        f'<script type="importmap">{imports}</script>\n</head>\n<body>\n'
        f"<noscript>{escape(title)}: this page needs JavaScript.</noscript>\n"
        f'<script type="application/json" id="inside-settings">{inert(settings)}</script>\n'
        f'<script type="application/json" id="inside-facts">{inert(said)}</script>\n'
        f'<script type="text/plain" id="inside-data">{as_text(data)}</script>\n'
        f'<script type="module">{entry}</script>\n</body>\n</html>\n'
    )


def facts(seen: "Inspection", family: "Family", title: str, words: str) -> dict[str, Any]:
    """What the page is told beside the numbers: see `Facts` in its script."""
    picture = Image.fromarray(seen.pixels.numpy())
    T, A, N, d = seen.keys.shape
    return {
        "title": title,
        "words": words,
        "picture": data_url(jpeg(picture), "image/jpeg"),
        "size": picture.size,
        "grid": seen.grid,
        "registers": seen.registers,
        "shape": (T, A, N, min(d, N)),
        "scale": d**-0.5,
        "layers": [
            f"PCA of layer {layer}, {100 * view.variance:.0f} % of the variance shown, "
            f"cosine {view.cosine:.2f} with the layer it was brought to"
            for layer, view in enumerate(family.maps)
        ],
    }


def packed(family: "Family", compact: "CompactAttention") -> bytes:
    """All numbers in the order in which the script takes them apart, deflated.

    An integer x becomes 2x, or -2x - 1 below 0; first come the low bytes of all, then the high
    ones, which are 0 nearly everywhere.
    """
    both = np.stack([compact.queries, compact.keys])
    unsigned = ((both << 1) ^ (both >> 15)).view(np.uint16)
    colours = np.stack([to_bytes(view.colours.cpu().numpy()) for view in family.maps])
    parts = (compact.steps, unsigned.astype(np.uint8), (unsigned >> 8).astype(np.uint8), colours)
    deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return b"".join(deflate.compress(part.tobytes()) for part in parts) + deflate.flush()


def as_text(data: bytes) -> str:
    """Bytes as letters that may stand in a document, two for every 13 bits (base64 takes 12)."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    groups = np.pad(bits, (0, -len(bits) % BITS)).reshape(-1, BITS)
    values = groups @ (1 << np.arange(BITS - 1, -1, -1, dtype=np.uint16))
    pairs = np.stack([values // len(ALPHABET), values % len(ALPHABET)], axis=1)
    return np.frombuffer(ALPHABET.encode(), np.uint8)[pairs].tobytes().decode()


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
