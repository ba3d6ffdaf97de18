"""Several runs in one chart, and in what they differ.

GET together?run&run&quantity&axis&smoothing&log&form
    {"charts": {"together": ...}, "quantities": [[name, title]], "differences": [{name, values}],
     "runs": [{name, title, moments, mended}]}

Curves and recipes are what everybody may know of a run; pictures are no part of them.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.routes.dependencies import Number, Owner, Served, find_run
from app.routes.responses import or_sentence, plain
from dino_core.scenes import packing, probes, runs_together, training

router = APIRouter()


@router.get("/together")
def together(
    services: Served,
    owner: Owner,
    run: Annotated[list[str], Query(max_length=runs_together.MOST)],
    quantity: str = "loss",
    axis: Literal["step", "epoch", "pictures", "minutes"] = "step",
    smoothing: Number = 0.0,
    log: bool = False,
    form: Literal["chart", "chart-dark"] = "chart",
) -> Response:
    folders = {name: find_run(name, services) for name in dict.fromkeys(run)}
    titles = {name: services.runs.card(name, owner)["title"] for name in folders}

    def work() -> Response:
        named = runs_together.told_apart(titles)
        by_title = {named[name]: folder for name, folder in folders.items()}
        runs = runs_together.read_runs(by_title)
        offered = runs_together.choices(runs)
        chosen = quantity if quantity in dict(offered) or not offered else offered[0][0]
        charts = runs_together.chart(
            runs, chosen, axis, smoothing=smoothing, log=log, theme=packing.theme_of(form)
        )
        return plain(
            {
                "charts": packing.chart_values(charts),
                "quantity": chosen,
                "quantities": offered,
                "titles": list(by_title),
                "differences": runs_together.differences(by_title),
                "runs": [
                    {
                        "name": name,
                        "title": named[name],
                        "moments": probes.milestones(folder),
                        "mended": len(training.history_of(folder)),
                    }
                    for name, folder in folders.items()
                ],
            }
        )

    return or_sentence(work)
