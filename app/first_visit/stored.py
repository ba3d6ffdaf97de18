"""The first visit: one sample, worked out beforehand, shown before any model has loaded.

`python -m app.first_visit.build` writes the responses that a newcomer's page fetches into
static/first/, with the digests of the weights, of their heads and of the samples that they were
computed with. They stand for these alone: a page that begins with any other weights computes its
first picture.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from app.paths import FIRST_VISIT, SAMPLES
from dino_core.assets import BUNDLED_WEIGHTS

KEY = "first"  # everybody's key: it opens a sample, nobody's picture
SAMPLE = "cat.jpg"
HEADS = BUNDLED_WEIGHTS / "vits14_preview_heads.fp16.safetensors"  # of the pair "preview"
SIZE = 224
FORMAT = 3  # raised when the same weights and sample give other responses than before

# What the page fetches by itself: the strip, the welcome, then each screen as it opens.
PATHS = [
    "strip?seed=0",
    "welcome",
    "thumb.jpg",
    "input.jpg",
    "source.jpg",
    "attention/11",
    "overview",
    "crops?seed=0&blur=as+run",
    "masks?seed=0&ratio=0.3",
    "tokens/patches",
    "tokens/blocks",
    "features/11?preset=paper&flip=false",
    "patches/11",
    "losses?seed=0&pair=preview",
    "losses/references/preview.jpg",
]
# Of the screens that the document can show by itself: a newcomer's first, and that of somebody who
# was there last.
AHEAD = {
    "welcome": ["strip?seed=0", "welcome", "source.jpg"],
    "attention": ["strip?seed=0", "attention/11", "input.jpg", "overview"],
}


@dataclass(frozen=True)
class Origin:
    """What stored responses were computed with."""

    weights: str  # SHA-256 of the file
    weights_bytes: int
    sample: str  # SHA-256 of the file
    heads: str  # SHA-256 of the file: what the losses are read off
    samples: str  # SHA-256 of all of them: the batch that the losses are of
    size: int = SIZE
    format: int = FORMAT


@dataclass(frozen=True)
class FirstVisit:
    """Stored responses that are true of the model with which this page begins."""

    folder: Path
    view: dict[str, Any]  # the page's first `view` prop
    tag: str  # changes with the responses

    def response(self, path_and_query: str) -> bytes | None:
        """The body of the response to a request below view/first/, gzipped; None without one."""
        if path_and_query not in PATHS:
            return None
        file = file_of(self.folder, path_and_query)
        return file.read_bytes() if file.is_file() else None


def file_of(folder: Path, path_and_query: str) -> Path:
    """The file that holds the response to a request."""
    return folder / quote_plus(path_and_query)


def load_first_visit(
    model: str,
    weights: Path | None,
    *,
    sample: Path = SAMPLES / SAMPLE,
    folder: Path = FIRST_VISIT,
) -> FirstVisit | None:
    """What was stored for exactly these weights and this sample; None when nothing was.

    `model` is the name under which the page knows the weights.
    """
    try:
        origin = Origin(**json.loads((folder / "origin.json").read_text(encoding="utf-8")))
        view = json.loads((folder / "view.json").read_text(encoding="utf-8"))
        if weights is None or weights.stat().st_size != origin.weights_bytes:
            return None  # without reading gigabytes for it
        if origin != origin_of(weights, sample):
            return None
    except (OSError, ValueError, TypeError):
        return None
    tag = hashlib.sha256(json.dumps(asdict(origin)).encode()).hexdigest()[:32]
    return FirstVisit(folder, view | {"model": model}, tag)


def origin_of(weights: Path, sample: Path = SAMPLES / SAMPLE) -> Origin:
    """What a page that begins with these weights and shows this sample computes with."""
    samples = hashlib.sha256()
    for path in sorted(SAMPLES.glob("*.jpg")):
        samples.update(f"{path.name} {_sha256(path)}\n".encode())
    return Origin(
        weights=_sha256(weights),
        weights_bytes=weights.stat().st_size,
        sample=_sha256(sample),
        heads=_sha256(HEADS),
        samples=samples.hexdigest(),
    )


def write_origin(folder: Path, origin: Origin) -> None:
    """Says what the responses in a folder were computed with."""
    (folder / "origin.json").write_text(json.dumps(asdict(origin), indent=1) + "\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
