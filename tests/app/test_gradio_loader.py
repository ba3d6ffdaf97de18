"""The clock of Gradio's loading sign ends with the sign."""

from pathlib import Path

import gradio
from alike import assert_same
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from app.middleware.gradio_loader import GradioLoader, ending_with_its_sign

ASSETS = Path(gradio.__file__).parent / "templates/frontend/assets"


def test_the_installed_script_is_changed_in_one_place_and_sent_whole() -> None:
    script = next(ASSETS.glob("statustracker-*.js"))
    site = Starlette(routes=[Mount("/assets", StaticFiles(directory=ASSETS))])
    client = TestClient(GradioLoader(GZipMiddleware(site)))
    sent = client.get(f"/assets/{script.name}")
    before = script.read_bytes()
    assert sent.content == ending_with_its_sign(before) != before
    assert int(sent.headers["Content-Length"]) == len(sent.content)
    assert len(sent.content) - len(before) == len("U&&")
    other = next(ASSETS.glob("Blocks-*.js"))
    assert_same(client.get(f"/assets/{other.name}").content, other.read_bytes())


def test_the_clock_asks_for_the_element_beside_its_flag() -> None:
    clock = b"function go(){f(()=>{s(n,(performance.now()-w(d))/1e3),on&&go()})}"
    mended = clock.replace(b"on&&go()", b"sign&&on&&go()")
    declared = b"let a=1,sign,on=!1,b=2;"
    assert ending_with_its_sign(declared + clock) == declared + mended


def test_a_script_of_another_form_stays_as_it_is() -> None:
    clock = b"function go(){f(()=>{s(n,(performance.now()-w(d))/1e3),on&&go()})}"
    assert ending_with_its_sign(clock) == clock, "no element"
    assert ending_with_its_sign(b"let sign,on=!1;") == b"let sign,on=!1;", "no clock"
    assert ending_with_its_sign(b"") == b""
