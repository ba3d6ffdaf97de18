"""Where the files lie that come with the project: samples, weights, the page's scripts.

In a checkout they are in static/, beside the packages. The wheel carries the same folder inside
this package, as dino_core/static/.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "static"

CHECKOUT = None if _INSTALLED.is_dir() else _PACKAGE.parent  # None: installed, nothing to write to
STATIC = (CHECKOUT or _PACKAGE) / "static"
SAMPLES = STATIC / "samples"
BUNDLED_WEIGHTS = STATIC / "weights"
