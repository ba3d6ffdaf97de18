"""The first picture does not wait for Gradio, and its views move into Gradio's places unchanged."""

from collections.abc import Callable

import pytest
from page_modules import selected
from playwright.sync_api import Browser, Page, Route, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Path
from starlette.testclient import TestClient

from app.first_visit.document import head, stage
from app.middleware.first_visit import FirstDocument

PAGE = (
    "<html><head><title>x</title></head><body><head></head><gradio-app></gradio-app></body></html>"
)
DRAWN = "!!document.querySelector('[data-view=attention]')?.inside?.rows"
# Where the views lie, in whole pixels.
PLACES = """() => ["strip", "attention"].map((name) => {
    const { x, y, width } = document.querySelector(`[data-view=${name}]`).getBoundingClientRect();
    return [x, y, width].map(Math.round);
})"""


def words(view: dict | None) -> str:
    return head({"magma": [[0, 0, 0]]}, {"crops": "Crops"}, view, "abc", identity={})


def site(early: str, above: str) -> TestClient:
    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE)

    inner = Starlette(routes=[Path("/", page), Path("/other", page)])
    return TestClient(FirstDocument(inner, early, above))


def test_head_and_stage_stand_in_the_page_and_nowhere_else() -> None:
    early = words({"key": "first"})
    client = site(early, stage())
    found = client.get("/")
    assert found.text.startswith(f"<html><head>{early}<title>")
    assert f"{stage()}<gradio-app>" in found.text
    assert found.text.count(early) == found.text.count(stage()) == 1
    assert int(found.headers["content-length"]) == len(found.content)
    assert client.get("/other").text == PAGE
    assert '"crops", "Crops"' in early
    assert "view/first/strip?seed=0" in early


def test_nothing_is_fetched_ahead_for_a_page_that_begins_with_another_model() -> None:
    assert "view/first/" not in words(None)
    assert site(words(None), "").get("/").text.count("inside-stage") == 0


@pytest.fixture
def held(browser: Browser, server: str) -> Callable[..., tuple[Page, Callable[[], None]]]:
    """Opens a page without Gradio, which arrives when the function that comes with it is called."""
    pages: list[Page] = []

    def open_page(link: str = "", width: int = 1440) -> tuple[Page, Callable[[], None]]:
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        waiting: list[Route] = []
        page.route("**/assets/index-*.js", lambda route: waiting.append(route))

        def release() -> None:
            for route in waiting:
                route.continue_()
            page.unroute("**/assets/index-*.js")

        page.goto(server + link, wait_until="commit")
        return page, release

    yield open_page
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_the_first_picture_is_there_before_gradio_and_stays_where_it_is(held, width: int) -> None:
    page, release = held(width=width)
    page.wait_for_function(DRAWN)
    picture = page.locator('[data-view="attention"] .inside-picture').first
    picture.hover()
    expect(page.locator('[data-view="attention"] .inside-tip')).to_be_visible()
    picture.click()
    pinned = selected(page, "row", "col")
    assert None not in pinned
    page.evaluate("window.root = document.querySelector('[data-view=attention]')")
    before = page.evaluate(PLACES)

    release()
    page.wait_for_selector("#inside-stage", state="detached")
    assert page.evaluate("root === document.querySelector('#screen-attention [data-view]')")
    assert page.locator('[data-view="attention"]').count() == 1
    assert selected(page, "row", "col") == pinned
    page.wait_for_function("document.fonts.status === 'loaded'")
    after = page.evaluate(PLACES)
    for old, new in zip(before, after, strict=True):
        assert old == pytest.approx(new, abs=2), (before, after)


def test_a_screen_that_is_asked_for_early_opens_when_it_is_there(held) -> None:
    page, release = held()
    page.wait_for_function(DRAWN)
    page.click("#tab-features")
    release()
    page.wait_for_selector("#screen-features.open")
    page.wait_for_selector('[data-view="features"][data-ready]')
    assert page.locator("#tab-features").get_attribute("aria-selected") == "true"
    assert page.locator("#inside-stage").count() == 0


@pytest.mark.slow
def test_whoever_reloads_the_page_finds_the_same_patch_at_once(held) -> None:
    page, release = held("/#screen=attention&sample=cat.jpg&size=224&seed=0&row=3&col=4&head=2")
    page.wait_for_function(DRAWN)
    assert selected(page, "row", "col", "head") == [3, 4, 2]
    release()
    page.wait_for_selector("#inside-stage", state="detached")
    page.wait_for_timeout(1500)  # Python answers the link
    assert selected(page, "row", "col", "head") == [3, 4, 2]


def test_whoever_follows_a_link_has_no_stage(held) -> None:
    page, release = held("/#screen=crops&sample=coffee.jpg")
    page.wait_for_function("!!window.Inside?.mount")
    assert page.locator("#inside-stage").count() == 0
    release()
    page.wait_for_selector('[data-view="crops"][data-ready]')
    assert page.locator("#tab-crops").get_attribute("aria-selected") == "true"


def test_a_newcomer_is_told_what_this_is_before_gradio_and_has_two_doors(held) -> None:
    page, release = held()
    page.wait_for_function(DRAWN)
    welcome = page.locator(".inside-welcome")
    expect(welcome.locator("p")).to_contain_text("DINOv2")
    painted = "document.querySelector('.inside-welcome canvas').width"
    page.wait_for_function(f"{painted} === 24")  # a pixel of it is a patch
    release()
    page.wait_for_selector("#inside-stage", state="detached")
    welcome.get_by_text("Take the path").click()
    page.wait_for_selector("#inside-path[data-there=patches]")
    expect(welcome).to_have_count(0)


def test_later_visits_open_where_the_last_one_was(held) -> None:
    page, release = held()
    release()
    page.wait_for_selector("#inside-stage", state="detached")
    page.locator(".inside-welcome").get_by_text("Explore").click()
    expect(page.locator(".inside-welcome")).to_have_count(0)
    page.click("#tab-masks")
    page.wait_for_selector("[data-view=masks][data-ready]")
    address = page.url.split("#")[0]
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#screen-masks.open [data-view=masks][data-ready]")
    expect(page.locator(".inside-welcome, #inside-stage")).to_have_count(0)
    page.click("#tab-attention")
    page.wait_for_selector("[data-view=attention][data-ready]")
    expect(page.locator(".inside-welcome")).to_have_count(0)
