"""One download of one file: asked for, counted, opened, and only then given its name.

Nothing here runs unless a person asks for it.
"""

import shutil
import ssl
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from dino_core.vit import VisionTransformer
from dino_core.weights.architecture import check_fit
from dino_core.weights.files import read_state_dict
from dino_core.weights.layouts import convert
from dino_core.weights.variants import (
    Variant,
    find_variant,
    not_on_disk,
    sha256,
    weights_folder,
)
from dino_core.writing import replacing

CHUNK = 1 << 20  # bytes
TIMEOUT = 30  # seconds without an answer

# Told how many bytes have come, and how many there are (None when the server does not say).
Progress = Callable[[int, int | None], None]


def download(name: str, *, progress: Progress | None = None) -> Path:
    """Downloads an official model unless it is on this disk already, and says where it lies.

    Raises ValueError when it cannot be had, with the address and the place for doing it by hand.
    """
    variant = find_variant(name)
    if variant.path is not None:
        return variant.path
    return fetch(variant, weights_folder(), progress)


def fetch(variant: Variant, folder: Path, progress: Progress | None = None) -> Path:
    """Streams the variant's file into the folder. A partial file never bears the final name."""
    if variant.url is None:
        raise ValueError(not_on_disk(variant))
    target = folder / variant.file
    by_hand = f"You can also save {variant.url} by hand as {target}."
    try:
        with replacing(target) as partial:
            _stream(variant.url, partial, progress)
            _verify(variant, partial)
    except HTTPError as error:
        raise ValueError(
            f"The server refused {variant.name}: {error.code} {error.reason}. {by_hand}"
        ) from error
    except (URLError, HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        reason = getattr(error, "reason", error)
        raise ValueError(
            f"The server cannot be reached ({reason}); is this machine online? {by_hand}"
        ) from error
    except OSError as error:
        raise ValueError(
            f"{target} could not be written ({error.strerror}). INSIDE_DINOV2_HOME names another "
            f"folder."
        ) from error
    except ValueError as error:
        raise ValueError(f"{variant.name} was not downloaded. {error} {by_hand}") from error
    return target


def _stream(url: str, partial: Path, progress: Progress | None) -> None:
    """The body of the answer -> a file, of the length that the server announced."""
    request = Request(url, headers={"User-Agent": "inside-dinov2"})
    with urlopen(request, timeout=TIMEOUT) as answer, partial.open("wb") as file:
        announced = answer.headers.get("Content-Length")
        total = int(announced) if announced else None
        free = shutil.disk_usage(partial.parent).free
        if total is not None and total > free:
            raise ValueError(
                f"{total / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free in "
                f"{partial.parent}."
            )
        received = 0
        while True:
            if progress is not None:
                progress(received, total)
            chunk = answer.read(CHUNK)
            if not chunk:
                break
            file.write(chunk)
            received += len(chunk)
    if total is not None and received != total:
        raise ValueError(f"The connection broke off after {received:,} of {total:,} bytes.")


def _verify(variant: Variant, partial: Path) -> None:
    """Opens what came: it must be this model. Raises ValueError otherwise."""
    if variant.sha256 is not None and sha256(partial) != variant.sha256:
        raise ValueError("What came has another checksum than it should.")
    tensors, _ = read_state_dict(partial)
    check_fit(VisionTransformer(variant.config, device="meta"), convert(tensors).tensors)
