"""What a request or a program may leave out, and what it then says; and how far a number
goes. Links, scripts and the page's own modules count on every one of these."""

import inspect
from typing import Any

from fastapi import FastAPI

from app.page.api import Endpoints, PictureEndpoints
from app.page.file_endpoints import FileEndpoints
from app.page.model_endpoints import ModelEndpoints
from app.routes.all_routes import add_routes

REQUESTS = """
DELETE /view/{key}/whatif/screening: most 8 in 1..64, over '', reference 'samples', seed 0 in
    0..2147483648
GET /galleries/{name}/clusters: features 'cls', k - in 2..50, method 'kmeans'
GET /galleries/{name}/duplicates: threshold 0.95 in 0.5..1
GET /galleries/{name}/find: key! -
GET /galleries/{name}/names: of! - in ..4000
GET /galleries/{name}/neighbours/{index}: features 'cls', k 10 in 1..200
GET /galleries/{name}/outliers: features 'cls'
GET /galleries/{name}/part/{number}: features 'cls', method 'pca'
GET /galleries/{name}/patches/{index}: column! -, k 20 in 1..200, row! -
GET /galleries/{name}/pictures/{index}.jpg: longest 512 in 16..1600
GET /galleries/{name}/points: features 'cls', method 'pca'
GET /galleries/{name}/predictions: kind 'cls', method 'knn'
GET /galleries/{name}/search: text! - in 1..200
GET /galleries/{name}/tiles.jpg: of! - in ..4000
GET /runs/{name}/metrics: from 0 in 0.., mark ''
GET /runs/{name}/probe/{moment}: at '', to ''
GET /schedules/{preset}: steps - in 1..10000000
GET /together: axis 'step', log False, quantity 'loss', run! - in ..24, smoothing 0.0
GET /tray/filled: align 'rotation', columns! - in ..13, flip False, k 6, model '', preset
    'paper', robust False, rows! - in ..13, second [] in ..12, seed 0, size 224
GET /tray/picture.jpg: model '', row! -, size 224
GET /tray/print: align 'rotation', caption False, columns! - in ..13, flip False, k 6, kind
    'svg', model '', preset 'paper', robust False, rows! - in ..13, second [] in ..12, seed 0,
    size 224, width 'page'
GET /tray/rows: rows! - in ..13
GET /view/{key}/clusters/{layer}: k 6, seed 0
GET /view/{key}/comparison/{layer}: flip False, preset 'paper', second_layer! -
GET /view/{key}/crops/draws: blur 'as run', global_high 1.0, global_low 0.32, local_count 8,
    local_high 0.32, local_low 0.05, seed! -
GET /view/{key}/crops: blur 'as run', global_high 1.0, global_low 0.32, local_count 8,
    local_high 0.32, local_low 0.05, seed! -
GET /view/{key}/depth/attention: column -1, head -1, row -1
GET /view/{key}/depth/clusters: k 6, seed 0
GET /view/{key}/depth/film: align 'rotation', column -1, flip False, head -1, kind 'webp',
    preset 'paper', robust False, row -1, view 'pca'
GET /view/{key}/depth: align 'rotation', flip False, preset 'paper', robust False
GET /view/{key}/drawn/{view}: blur 'as run', caption False, global_high 1.0, global_low 0.32,
    kind 'svg', local_count 8, local_high 0.32, local_low 0.05, ratio 0.3, seed 0, width 'page'
GET /view/{key}/features/{layer}: flip False, preset 'paper'
GET /view/{key}/losses: pair 'preview', seed! -
GET /view/{key}/map/{layer}: method 'pca', min_distance 0.1, neighbours 15, seed 0
GET /view/{key}/masks: ratio 0.3, seed! -
GET /view/{key}/matches/{layer}: flip False, object_only True, preset 'paper'
GET /view/{key}/overview: column -1, row -1
GET /view/{key}/predict: count 5 in 1..1000, model '', run ''
GET /view/{key}/print/{view}: align 'rotation', caption False, column -1, flip False, head -1, k
    6, kind 'svg', object_only True, preset 'paper', robust False, row -1, seed 0, width 'page'
GET /view/{key}/step: dino 1.0, ibot 1.0, koleo 0.1, number 0, pair 'cifar', seed! -, targets
    'centering'
GET /view/{key}/strip: seed! -
GET /view/{key}/view.json: seed 0
GET /view/{key}/whatif/nearest: gallery 'samples', reference 'samples', seed 0 in 0..2147483648
GET /view/{key}/whatif/print: caption False, kind 'svg', reference 'samples', seed 0 in
    0..2147483648, width 'page'
GET /view/{key}/whatif/prototypes: reference 'samples', seed 0 in 0..2147483648
GET /view/{key}/whatif/screening/{parts}: most 8 in 1..64, over '', reference 'samples', seed 0
    in 0..2147483648
GET /view/{key}/whatif/screening: most 8 in 1..64, over '', reference 'samples', seed 0 in
    0..2147483648
GET /view/{key}/whatif: flip False, preset 'paper', reference 'samples', seed 0 in 0..2147483648
POST /checkpoints/asked/{token}: field! -, value! - in ..400
POST /checkpoints/run/{name}: step - in 0..
POST /checkpoints: name 'checkpoint'
POST /exports: model! -, to! -
POST /galleries/{name}/points.csv: features 'cls', method 'pca'
POST /galleries/{name}/steer: action! -
POST /galleries: name 'pictures.zip', size 224
POST /models/{name}/predict: count 5 in 1..1000
POST /runs/pictures: name 'pictures.zip'
POST /runs/{name}/predict: count 5 in 1..1000
POST /runs/{name}/steer: action! -
POST /tray/pictures: name 'picture' in ..400, source ''
POST /view/{key}/again: comparison False, gallery '', index 0, model! -, sample '', size! -,
    upload ''
POST /view/{key}/whatif/screening: most 8 in 1..64, over '', reference 'samples', seed 0 in
    0..2147483648
"""
PROGRAMS = """
crops: seed 0, blur 'as run'
masks: seed 0, ratio 0.3
attention: layer 11, row -1, column -1, model '', size 224
features: layer 11, preset 'paper', flip False, model '', size 224
losses: seed 0, pair 'preview', targets 'centering', temperature 0
step: seed 0, pair 'cifar', targets 'centering', learning_rate 0, koleo 0.1
predict: run '', top 3, model ''
similar: other None, layer 11, model '', size 224
match: layer 11, foreground True, model '', size 224
clusters: k 6, layer 11, seed 0, model '', size 224
rollout: model '', size 224
norms: model '', size 224
depth: preset 'paper', flip False, method 'rotation', robust False, model '', size 224
whatif: layer -1, seed 0, reference 'samples', model '', size 224
compare: first '', second '', first_layer -1, second_layer -1, preset 'paper', flip False, size
    224
grid: view 'pca', row -1, column -1, preset 'paper', flip False, method 'rotation', robust
    False, size 224
tray: columns None, preset 'paper', flip False, method 'rotation', robust False, k 6, seed 0,
    model '', second '', size 224
tokens: model '', size 224
film: view 'pca', row -1, column -1, head -1, preset 'paper', flip False, method 'rotation',
    robust False, kind 'webp', steps 4, milliseconds 40, model '', size 224
figure: view 'attention', layer -1, row -1, column -1, head -1, preset 'paper', flip False,
    method 'rotation', robust False, k 6, seed 0, kind 'svg', width 'page', model '', size 224
webpage: title 'A picture', preset 'paper', flip False, method 'rotation', robust False, model
    '', size 224
video: patches None, mask None, alike 0.7, neighbours 5, radius 12, queue 7, every 1, most 60,
    layer -1, preset 'paper', flip False, kind 'webp', milliseconds 80, arrays False, model '',
    size 224
"""


def said_of(schema: dict[str, Any]) -> str:
    """The default of a part of a query, and its bounds: 10 in 1..200."""
    choices = [schema, *schema.get("anyOf", ())]
    low, high = (
        next((one[name] for one in choices for name in names if name in one), "")
        for names in (
            ("minimum", "minLength"),
            ("maximum", "exclusiveMaximum", "maxLength", "maxItems"),
        )
    )
    value = schema.get("default", "-")
    text = repr(value) if isinstance(value, str) and value != "-" else str(value)
    return f"{text} in {low}..{high}" if (low, high) != ("", "") else text


def asked_for() -> list[str]:
    app = FastAPI()
    add_routes(app, None)  # type: ignore[arg-type]  nothing is asked
    lines = []
    for path, methods in app.openapi()["paths"].items():
        for method, route in methods.items():
            parts = [one for one in route.get("parameters", ()) if one["in"] == "query"]
            said = [
                f"{one['name']}{'!' if one['required'] else ''} {said_of(one['schema'])}"
                for one in sorted(parts, key=lambda one: one["name"])
                if one["name"] != "form" and (one["required"] or said_of(one["schema"]) != "-")
            ]
            if said:
                lines.append(f"{method.upper()} {path}: {', '.join(said)}")
    return sorted(lines)


def test_what_a_request_leaves_out() -> None:
    """`!` is what may not be left out; `in` says from where to where a number or a length goes."""
    assert asked_for() == [" ".join(one.split()) for one in entries(REQUESTS)]


def test_what_a_program_leaves_out() -> None:
    kinds = (Endpoints, PictureEndpoints, ModelEndpoints, FileEndpoints)
    calls = [
        call
        for kind in kinds
        for name, call in vars(kind).items()
        if inspect.isfunction(call) and not name.startswith("_")
    ]
    said = [f"{call.__name__}: {defaults(call)}" for call in calls]
    assert said == [" ".join(one.split()) for one in entries(PROGRAMS)]


def defaults(call: Any) -> str:
    parts = inspect.signature(call).parameters.values()
    return ", ".join(f"{one.name} {one.default!r}" for one in parts if one.default is not one.empty)


def entries(text: str) -> list[str]:
    """Its lines, each with those that are set in below it."""
    return text.strip().replace("\n    ", " ").split("\n")
