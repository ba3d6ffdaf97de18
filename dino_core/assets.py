"""Where the files lie that come with the project: samples, weights, the page's scripts."""

from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "static"
SAMPLES = STATIC / "samples"
BUNDLED_WEIGHTS = STATIC / "weights"
