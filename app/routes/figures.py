"""Charts: Plotly figures made in `dino_core/figures`, as JSON, and Plotly's own code.

Every chart is {"data": [...], "layout": {...}} and goes to `Plotly.react(element, data, layout)` as
it is. A response is an object of charts in reading order; x and y are plain arrays, null is a gap.
`form` is chart, or chart-dark for a dark page.

    runs/NAME/charts?form                    {"charts": {...}, "step": last step drawn, -1: none}
        pre-training                         loss dino_local_crops_loss dino_global_crops_loss
                                             ibot_loss koleo_loss entropy gradient knn patch_knn
                                             piece_knn matching patch_cosine
        distillation by features             loss agreement gradient, and the last five
        fine-tuning                          loss accuracy
    runs/NAME/shares?form                    shares_dino_global shares_dino_local shares_koleo
                                             shares_ibot; none where nobody looked at them
    runs/NAME/confusion?form                 confusion
    schedules/PRESET?steps&form              learning_rate last_layer_learning_rate weight_decay
                                             momentum teacher_temperature
    runs/NAME/schedules?form                 the same of a run
    view/KEY/crops/draws?seed&...&form       area aspect
    view/KEY/masks?seed&ratio&form           counts blocks
    view/KEY/tokens/blocks?form              lengths updates
    view/KEY/features/LAYER?...&form         variance
    view/KEY/whatif?edit&...&form            spread
    galleries/NAME/probe?form                knn logistic
    runs/NAME/layers?form                    knn logistic
    inside/vendor/plotly.min.js              Plotly, from the installed package

All but the first three and the last are the routes of the screens with another form: whatever else
they take, they take here too. A scene without charts is answered with 422 and words.

Curves of a run that goes on are extended in place. `trace.meta` says which entry of a line of
`runs/NAME/metrics` a curve shows: {"field": "measured.teacher_entropy.dino", "scale": 1} is
`line.measured.teacher_entropy.dino * scale`, at x = `line.step`. For every line past `step` that
has any of a chart's fields, append x and y (null where a field is missing) to each of its traces.
All charts are there from the start; one without points is not shown. A run of many steps comes
thinned, to its extremes.

`layout.meta` holds what Plotly has no word for: title and note (the chart's accessible name), axis
(what x counts), cursor (charts with the same word share one: `Plotly.Fx.hover` and the range of x),
log (whether heights may be turned to logarithms, `yaxis.type`). `layout.shapes[0]` of a schedule,
and of lengths and updates by the block, is its cursor, to be moved by x0 and x1. The trace whose
`meta.part` is "patch", of token lengths, is empty: it is for the patch that is looked at.

The background is left out, and Plotly lays a white line below the cursor where it is: `charts.css`
hides it.
"""

import gzip
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from app.encodings import accepted_encodings
from app.routes.dependencies import RunFolder
from app.routes.responses import or_sentence, plain
from app.routes.runs import Shown
from dino_core.scenes import training

Form = Annotated[Literal["chart", "chart-dark"], Query(alias="form")]
SCRIPT = "text/javascript; charset=utf-8"
router = APIRouter()


@router.get("/runs/{name}/charts")
def curves(folder: RunFolder, form: Form = "chart") -> Response:
    from dino_core.scenes import packing

    def work() -> Response:
        charts, step = training.curve_charts(folder, packing.theme_of(form))
        return plain({"charts": packing.chart_values(charts), "step": step})

    return or_sentence(work)


@router.get("/runs/{name}/shares")
def shares(folder: RunFolder, form: Form = "chart") -> Response:
    """Whose the gradients of each layer were."""
    from dino_core.scenes import packing

    def work() -> Response:
        charts = training.share_charts(folder, packing.theme_of(form))
        return plain(packing.chart_values(charts))

    return or_sentence(work)


@router.get("/runs/{name}/confusion")
def confusion(folder: RunFolder, shown: Shown, form: Form = "chart") -> Response:
    """What a test confused; the names of somebody's classes are for that visitor alone."""
    from dino_core.scenes import packing

    def work() -> Response:
        charts = training.confusion_charts(folder, packing.theme_of(form), named=shown)
        return plain(packing.chart_values(charts))

    return or_sentence(work)


@router.get("/inside/vendor/plotly.min.js")
def plotly(request: Request) -> Response:
    return plotly_response(request.headers)


def plotly_response(headers: Mapping[str, str]) -> Response:
    """Plotly as it is installed, compressed once; 304 when the browser has this version."""
    from dino_core.scenes import packing

    script, version = packing.plotly_script()
    kept = {
        "ETag": f'"plotly-{version}"',
        "Cache-Control": "public, no-cache",  # after an update it is another one
        "Vary": "Accept-Encoding",
    }
    if headers.get("if-none-match") == kept["ETag"]:
        return Response(status_code=304, headers=kept)
    if accepted_encodings(headers, ("gzip",)):
        encoded = {**kept, "Content-Encoding": "gzip"}
        return Response(script, media_type=SCRIPT, headers=encoded)
    return Response(gzip.decompress(script), media_type=SCRIPT, headers=kept)
