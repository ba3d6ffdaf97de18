"""Works out the first visit: `python -m app.first_visit.build`.

Asks the real server for each of the paths that a newcomer's page fetches, and writes down the
responses; builds the gallery of the samples, with its maps.
"""

import gzip
import json
import shutil
import tempfile
import time
from pathlib import Path

from app.first_visit import stored
from app.paths import FIRST_VISIT, SAMPLE_GALLERY
from dino_core.scenes import gallery
from dino_core.scenes.models import PREVIEW, weights_file

OF_A_PROCESS = ("lock", "launch.txt", "started.json", "progress.json", "requests", "control")


def main() -> None:
    """Writes everything anew."""
    write_responses(FIRST_VISIT)
    write_references()
    write_gallery(SAMPLE_GALLERY)


def write_responses(folder: Path) -> None:
    """The responses of a server that has none stored, and what they were computed with.

    Those that were there before stay until all of them are there anew.
    """
    from fastapi.testclient import TestClient

    from app.server import build_server

    weights = weights_file(PREVIEW)
    if weights is None:
        raise ValueError("The bundled weights are missing.")
    client = TestClient(build_server(PREVIEW), base_url="http://localhost")
    with tempfile.TemporaryDirectory(dir=folder.parent) as home:
        partial = Path(home) / folder.name
        partial.mkdir()
        view = client.get(f"/view/{stored.KEY}/view.json")
        view.raise_for_status()
        (partial / "view.json").write_text(json.dumps(view.json()))
        for path in stored.PATHS:
            response = client.get(f"/view/{stored.KEY}/{path}")
            response.raise_for_status()
            data = gzip.compress(response.content, mtime=0)
            stored.file_of(partial, path).write_bytes(data)
            print(f"{len(data):>9,} bytes  {path}")
        stored.write_origin(partial, stored.origin_of(weights))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)


def write_references() -> None:
    """What the bundled pair makes of the samples."""
    from dino_core.scenes import pairs

    pairs.write_references(pairs.open_bundled("preview"), pairs.REFERENCES)


def write_gallery(target: Path) -> None:
    """The gallery of the samples, with PCA of every layer, so that nobody waits for it."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "gallery"
        gallery.launch("samples", folder, gallery.Options(PREVIEW))
        while (state := gallery.state_of(folder))["state"] != "ready":
            if not state["alive"]:
                raise ValueError(state["words"])
            time.sleep(0.5)
        ready = (folder / "state.json").read_bytes()  # what it says before it is stopped
        gallery.stop(folder)
        for layer in range(gallery.names(folder).layers):
            gallery.points(folder, "cls", layer)
            gallery.points(folder, "mean_patch", layer)
            gallery.points(folder, "both", layer)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns(*OF_A_PROCESS))
        (target / "state.json").write_bytes(ready)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"{size:>9,} bytes  the gallery of the samples")


if __name__ == "__main__":
    main()
