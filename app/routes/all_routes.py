"""All routes of the server, screen by screen. The page is mounted after them.

With form=npz a scene comes as a file for numpy.load, with form=chart as charts: figures.py says of
which, and what they are. A key that is unknown, out of date or another visitor's is answered with
404, all alike."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app.paths import STATIC
from app.routes import (
    attention,
    checkpoints,
    crops,
    depth,
    exports,
    features,
    figures,
    galleries,
    gallery_parts,
    gallery_views,
    guide,
    losses,
    masks,
    pictures,
    predicting,
    prints,
    reopening,
    runs,
    runs_together,
    step,
    tokens,
    tray,
    whatif,
    whatif_screening,
)
from app.routes.responses import add_error_responses
from app.routes.scripts import Scripts
from app.services import Services
from app.state.script_version import page_scripts

SCREENS = (
    pictures,
    reopening,
    checkpoints,
    crops,
    masks,
    tokens,
    attention,
    features,
    depth,
    whatif,
    whatif_screening,
    losses,
    step,
    tray,
)
JOBS = (runs, runs_together, predicting, exports, galleries, gallery_views, gallery_parts)
CHARTS = (figures, prints)
WORDS = (guide,)


def add_routes(app: FastAPI, services: Services) -> None:
    """Puts the routes on the application."""
    app.state.services = services
    for screen in (*SCREENS, *JOBS, *CHARTS, *WORDS):
        app.include_router(screen.router)
    add_error_responses(app)
    app.mount("/inside/js", Scripts(page_scripts()))
    app.mount("/inside/samples/thumbs", StaticFiles(directory=STATIC / "samples" / "thumbs"))
