"""How much, how many and how long: every limit of the page, in the words of docs/page.md where that
names it. What each of them does is tested beside the part that it belongs to."""

from typing import Any

import pytest

from app import server, visitors
from app.first_visit import stored
from app.jobs import checkpoints as brought
from app.jobs import exports, galleries, gallery_cards, gallery_request, queue, run_request, runs
from app.jobs import uploads as zips
from app.middleware import gradio_gate, static_cache
from app.page import model_endpoints, rail
from app.routes import checkpoints as checkpoint_routes
from app.routes import gallery_views, predicting, responses, tray, whatif_screening
from app.routes import uploads as bodies
from app.routes import whatif as whatif_routes
from app.state import (
    checkpoints,
    classifiers,
    identity,
    models,
    pairs,
    pictures,
    screenings,
    steps,
    trays,
    umap_worker,
    uploads,
    whatif,
)
from dino_core import interruption, jobs

KB, MB, GB = 2**10, 2**20, 2**30
MINUTE, HOUR, DAY, WEEK = 60, 3600, 24 * 3600, 7 * 24 * 3600

BYTES: list[tuple[Any, str, int]] = [
    (zips, "MAX_ZIP", 500 * MB),
    (zips, "MAX_UPLOADS", 8 * GB),
    (zips, "ROOM", 2 * GB),
    (gallery_request, "MAX_ZIP", 2 * GB),
    (brought, "MAX_FILE", 2 * GB),
    (brought, "MAX_OWN", 4 * GB),
    (brought, "MAX_ALL", 32 * GB),
    (gradio_gate, "MAX_EVENT", MB),
    (static_cache, "MAX_BYTES", 64 * MB),
    (gallery_views, "MAX_SELECTION", MB),
    (bodies, "MAX_JSON", 64 * KB),
    (bodies, "MAX_PICTURE", 25 * MB),
    (pictures, "MAX_BYTES", 4 * GB),
    (trays, "MAX_SEEN", GB),
    (trays, "MAX_KEPT", 512 * MB),
]
COUNTS: list[tuple[Any, str, float]] = [
    (zips, "KEPT_ZIPS", 4),
    (zips, "PER_ADDRESS", 12),
    (zips, "AT_ONCE", 4),
    (gallery_request, "MAX_PICTURES", 20_000),
    (galleries, "PER_VISITOR", 4),
    (brought, "PER_VISITOR", 6),
    (brought, "PER_ADDRESS", 18),
    (exports, "WAITING", 6),
    (exports, "ROOM", 8),
    (run_request, "PROBES", 4),
    (model_endpoints, "MOST", 6),
    (model_endpoints, "MOST_ROWS", 12),
    (rail, "MAX_SEED", 2**31 - 1),
    (classifiers, "CAPACITY", 2),
    (identity, "LENGTH", 16),
    (checkpoints, "LONGEST_NAME", 80),
    (models, "MAX_SIZE", 518),
    (models, "MAX_WAITING", 12),
    (models, "MAX_PATCHES", 64 * 64),
    (models, "MOST_OWN", 3),
    (pairs, "CAPACITY", 2),
    (pictures, "PER_VISITOR", 3),
    (pictures, "COMPARISONS", 3),
    (pictures, "PAIR_OUTPUTS", 3),
    (pictures, "EFFECTS", 2),
    (pictures, "MEMORY_SHARE", 0.125),
    (pictures, "KEY_BYTES", 24),
    (screenings, "MOST_WAITING", 6),
    (screenings, "KEPT", 12),
    (steps, "MOST", 50),
    (trays, "PER_VISITOR", 12),
    (trays, "SHARE", 0.25),
    (trays, "ID_BYTES", 12),
    (umap_worker, "QUEUE_CAPACITY", 3),
    (uploads, "MAX_FILES", 10_000),
    (whatif, "STATISTICS", 16),
    (whatif, "OTHERS", 2),
    (whatif, "MOST_CHANGES", 64),
    (whatif, "MOST_MEASURING", 4),
    (whatif_routes, "MAX_EDITS_LENGTH", 2**14),
    (whatif_screening, "MOST", 64),
    (checkpoint_routes, "LONGEST", 400),
    (predicting, "CLASSES", 5),
    (responses, "MAX_MESSAGE", 600),
    (tray, "LONGEST", 640),
    (tray, "MOST", 12),
    (visitors, "KEY_BYTES", 32),
    (jobs, "ASKED", 10),
    (interruption, "INTERRUPTED", 130),
    (stored, "SIZE", 224),
]
SECONDS: list[tuple[Any, str, float]] = [
    (zips, "UNUSED", DAY),
    (zips, "STALLED", 2 * MINUTE),
    (galleries, "KEPT", WEEK),
    (galleries, "UNUSED", DAY),
    (gallery_cards, "STARTING", MINUTE),
    (checkpoints, "KEPT", WEEK),
    (checkpoints, "UNFINISHED", DAY),
    (visitors, "MAX_AGE", WEEK),
    (exports, "KEPT", HOUR),
    (exports, "LONGEST", 30 * MINUTE),
    (exports, "LEAVING", 2),
    (runs, "LONGEST_PAUSE", 10 * MINUTE),
    (runs, "LEAVING", 3),
    (queue, "SOON", 1),
    (queue, "LATER", 30),
    (server, "TIDY", MINUTE),
    (server, "LOOKS", 0.02),
    (server, "LOOKS_AT_PROGRESS", 0.1),
    (models, "HEAD_START", 1),
    (models, "PATIENCE", MINUTE),
    (models, "LONGEST", 5 * MINUTE),
    (models, "ASK_EVERY", 0.05),
    (models, "UNUSED", 30 * MINUTE),
    (pictures, "LIFETIME", HOUR),
    (uploads, "LIFETIME", HOUR),
    (screenings, "UNHEARD", MINUTE),
    (umap_worker, "TIMEOUT", 3 * MINUTE),
    (jobs, "PATIENCE", 0.5),
    (jobs, "GRACE", 1.2),
    (interruption, "LIMIT", 0.8),
    (interruption, "LIMIT_OF_JOBS", 1.5),
    (interruption, "FLUSH", 0.2),
]


@pytest.mark.parametrize("limits", [BYTES, COUNTS, SECONDS], ids=["bytes", "counts", "seconds"])
def test_limits(limits: list[tuple[Any, str, float]]) -> None:
    found = {f"{module.__name__}.{name}": getattr(module, name) for module, name, _ in limits}
    assert found == {f"{module.__name__}.{name}": value for module, name, value in limits}


def test_limits_of_a_form() -> None:
    assert gallery_request.SIZES == (98, 224, 336)
    assert run_request.MOST == {
        "steps": 100_000,
        "batch": 4096,
        "blocks": 48,
        "epochs": 1000,
        "seed": 2**31 - 1,
        "gradient_shares": 100_000,
    }
    assert rail.SIZES == [("224 px", 224), ("448 px", 448), ("518 px", 518)]
    assert server.MAX_UPLOAD == "25mb"
    assert interruption.OWN_FAULT == (1, 2)


def test_limits_that_hang_together() -> None:
    """A cookie lasts as long as what its visitor owns; what a key opens has one form; a job's last
    words take a little longer than the step that is begun."""
    assert visitors.MAX_AGE == galleries.KEPT == checkpoints.KEPT
    assert len(pictures.PictureStore().add(stand_in())) == 32
    assert pictures.KEY.pattern == r"[\w-]{32}"
    assert interruption.LIMIT < jobs.GRACE < interruption.LIMIT_OF_JOBS
    assert uploads.LIFETIME == pictures.LIFETIME, "a file is there as long as its picture"
    assert rail.SIZES[-1][1] == models.MAX_SIZE


def stand_in() -> Any:
    from types import SimpleNamespace

    picture = SimpleNamespace(seen=SimpleNamespace(nbytes=0), source=SimpleNamespace(size=(1, 1)))
    return pictures.Entry("", picture, "model", 224)  # type: ignore[arg-type]
