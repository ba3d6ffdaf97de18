"""The server goes away and comes back: one sentence, nothing covered, everything found again."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tiny_models import tiny_vit

from dino_core.config import ViTConfig
from dino_core.weights import save_backbone
from tests.app.conftest import Contexts, opening
from tests.app.servers import Process, free_port, launch

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
SMALL = ViTConfig(dim=48, depth=12, heads=6, patch_size=14, image_size=224)
AWAY = "The server does not answer."
VIEW = "[data-view=attention]"
LONG = 150_000  # ms for a server that starts, loads its model and computes


class Server:
    """A server that can be killed and started again at the same address, with the same files.

    Its model is small, and has as many layers and heads as the preview: it is there at once.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.process: Process | None = None
        self.bring(seed=0)

    def bring(self, seed: int) -> None:
        """Puts weights where the next start finds them."""
        save_backbone(tiny_vit(SMALL, seed), self.home / "small.safetensors")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if self.process is None:
            weights = str(self.home / "small.safetensors")
            self.process = launch(self.home, self.port, "--weights", weights)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("home"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def browsers(browser: Browser, mortal: Server) -> Contexts:
    """They keep what they have fetched from one server for the next at the same address."""
    return Contexts(browser, mortal.url)


@pytest.fixture
def visit(browsers: Contexts, mortal: Server) -> Iterator[Callable[..., Page]]:
    mortal.start()
    with opening(browsers) as visit:
        yield lambda link="": marked(visit(link, strict=False))


def marked(page: Page) -> Page:
    """A page that shows whether it was ever loaded again."""
    page.evaluate("window.isTheSame = true")
    page.wait_for_function("location.hash.includes('model=')")
    return page


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#picture input[type=file]", path)
    expect(page.locator("#status")).to_contain_text("Your picture", timeout=LONG)
    page.wait_for_function("location.hash.includes('picture=')")
    settle(page)


def settle(page: Page) -> None:
    """What was asked for is drawn."""
    page.wait_for_selector(
        ".inside-screen.open .inside-view[data-ready]:not([aria-busy])", timeout=LONG
    )


def state(page: Page) -> dict[str, str]:
    """Everything that the page says it shows: what its link says."""
    page.wait_for_timeout(400)  # until the address is written
    return dict(pair.split("=", 1) for pair in page.url.split("#")[1].split("&"))


def expect_one_sentence(page: Page) -> None:
    expect(page.locator("#inside-notice")).to_contain_text(AWAY, timeout=10_000)
    assert page.locator(".toast-body").count() == 0
    assert page.locator(".inside-problem:visible").count() == 0
    assert page.get_by_text("Connection Lost").count() == 0


def expect_return(page: Page) -> None:
    expect(page.locator("#inside-notice")).to_have_text("", timeout=LONG)
    assert page.evaluate("window.isTheSame"), "the page was loaded again"
    assert page.locator(".toast-body").count() == 0
    assert page.locator(".inside-problem:visible").count() == 0


def hover(page: Page, share: float = 0.3) -> str:
    """What the page says of the patch under the pointer."""
    picture = page.locator(f"{VIEW} .inside-picture").first
    box = picture.bounding_box()
    assert box
    page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_timeout(200)
    return page.locator(VIEW).inner_text()


@contextmanager
def away(mortal: Server) -> Iterator[None]:
    mortal.kill()
    yield
    mortal.start()


@pytest.mark.parametrize("which", ["a sample", "one's own picture"])
def test_everything_stays_and_is_found_again(
    visit: Callable[..., Page], mortal: Server, which: str
) -> None:
    page = visit("#screen=attention&sample=coffee.jpg&layer=7&head=2&row=3&col=5")
    settle(page)
    if which != "a sample":
        upload(page, SAMPLES / "rocket.jpg")
        picture = page.locator(f"{VIEW} .inside-picture").first
        box = picture.bounding_box()
        assert box is not None
        picture.click(position={"x": 40, "y": 2.5 / 16 * box["height"]})
        page.wait_for_function("location.hash.includes('row=2')")
    before, size = state(page), page.locator(f"{VIEW} .inside-picture").first.bounding_box()
    with away(mortal):
        expect_one_sentence(page)
        assert hover(page, 0.2) != hover(page, 0.7), "what is in the browser still answers"
        assert page.locator(f"{VIEW} .inside-picture").first.bounding_box() == size
        assert state(page) == before
    expect_return(page)
    assert state(page) == before
    # New questions: a layer, a screen that was never open, another size.
    page.evaluate("document.querySelector('[data-view=attention] input[type=range]').focus()")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.hash.includes('layer=6')")
    settle(page)
    page.click("#tab-losses")
    page.wait_for_selector("[data-view=losses][data-ready]:not([aria-busy])", timeout=LONG)
    page.click("#tab-attention")
    page.locator("#size label").nth(1).click()
    page.wait_for_function("location.hash.includes('size=448')", timeout=LONG)
    settle(page)
    now = state(page)
    kept = ("screen", "sample", "model", "head", "row", "col", "seed")
    assert {name: now.get(name) for name in kept} == {name: before.get(name) for name in kept}
    expect(page.locator("#inside-notice")).to_have_text("")
    assert page.locator(".inside-problem:visible, .toast-body").count() == 0
    assert page.evaluate("window.isTheSame")


def test_one_s_own_picture_is_found_again_by_a_page_that_was_loaded_anew(
    visit: Callable[..., Page], mortal: Server
) -> None:
    """The page has lost the file, and this browser has not. The server loses the picture before the
    page is loaded anew, and once more behind it."""
    page = visit("#screen=attention&layer=7&head=2&row=3&col=5")
    settle(page)
    upload(page, SAMPLES / "rocket.jpg")
    before = state(page)
    with away(mortal):
        pass
    page.reload()
    expect(page.locator("#status")).to_contain_text("what you had open", timeout=LONG)
    settle(page)
    marked(page)
    assert state(page) == before
    with away(mortal):
        expect_one_sentence(page)
    expect_return(page)
    assert state(page) == before
    page.locator("#size label").nth(1).click()
    page.wait_for_function("location.hash.includes('size=448')", timeout=LONG)
    settle(page)
    assert page.locator(".inside-problem:visible, .toast-body").count() == 0


def test_what_is_asked_meanwhile_is_answered_afterwards(
    visit: Callable[..., Page], mortal: Server
) -> None:
    """A size, a screen and a picture, asked of nobody: each answer is of the right picture."""
    page = visit("#screen=attention&sample=coffee.jpg")
    settle(page)
    with away(mortal):
        expect_one_sentence(page)
        page.locator("#size label").nth(1).click()
        page.click("#tab-masks")
        page.wait_for_function("location.hash.includes('screen=masks')")
        expect_one_sentence(page)
    expect_return(page)
    page.wait_for_function("location.hash.includes('size=448')", timeout=LONG)
    settle(page)
    assert state(page)["sample"] == "coffee.jpg"
    with away(mortal):
        expect_one_sentence(page)
        page.set_input_files("#picture input[type=file]", SAMPLES / "rocket.jpg")
        page.wait_for_timeout(500)
        expect_one_sentence(page)
    expect(page.locator("#status")).to_contain_text("Your picture", timeout=LONG)
    settle(page)
    assert "sample" not in state(page)
    expect_return(page)


def test_a_request_under_way_is_answered_by_the_next_server(
    visit: Callable[..., Page], mortal: Server
) -> None:
    page = visit("#screen=attention")
    upload(page, SAMPLES / "rocket.jpg")
    settle(page)
    with page.expect_response(lambda response: "/queue/join" in response.url):
        page.locator("#size label").nth(2).click()
    with away(mortal):
        expect_one_sentence(page)
        assert "size=518" not in page.url, "it was under way"
    page.wait_for_function("location.hash.includes('size=518')", timeout=LONG)
    settle(page)
    shown = state(page)
    view = page.request.get(f"{mortal.url}/view/{shown['picture']}/view.json").json()
    with Image.open(SAMPLES / "rocket.jpg") as rocket:
        assert tuple(view["source_size"]) == rocket.size, "not the picture that greets"
    expect_return(page)


def test_a_server_with_another_secret_knows_the_picture_again(
    visit: Callable[..., Page], mortal: Server
) -> None:
    page = visit("#screen=attention")
    upload(page, SAMPLES / "rocket.jpg")
    settle(page)
    before = state(page)
    with away(mortal):
        expect_one_sentence(page)
        (mortal.home / "runs" / ".page" / "cookie.key").unlink()
    expect_return(page)
    page.locator("#size label").nth(1).click()
    page.wait_for_function("location.hash.includes('size=448')", timeout=LONG)
    settle(page)
    now = state(page)
    assert "sample" not in now
    assert now["picture"] != before["picture"]
    upload(page, SAMPLES / "flower.jpg")
    expect_return(page)


def test_a_server_of_another_version_says_so_and_a_reload_finds_the_picture(
    visit: Callable[..., Page], mortal: Server
) -> None:
    """Nothing of the new server is mixed into what the old one answered."""
    page = visit("#screen=attention")
    upload(page, SAMPLES / "rocket.jpg")
    settle(page)
    before = state(page)
    mortal.kill()
    expect_one_sentence(page)
    mortal.bring(seed=1)
    mortal.start()
    notice = page.locator("#inside-notice")
    expect(notice).to_contain_text("another version", timeout=LONG)
    assert page.evaluate("window.isTheSame")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("document.querySelector('[data-view=attention] input[type=range]').focus()")
    page.keyboard.press("ArrowLeft")
    page.click("#tab-features")
    page.wait_for_timeout(500)
    assert [url for url in asked if "/view/" in url] == []
    page.click("#tab-attention")
    notice.get_by_role("button").click()
    page.wait_for_function("!window.isTheSame", timeout=LONG)
    expect(page.locator("#status")).to_contain_text("what you had open", timeout=LONG)
    settle(page)
    now = state(page)
    assert now["picture"] != before["picture"]
    assert (now["model"], now["size"]) == (before["model"], before["size"])


def test_a_slow_server_is_waited_for_in_silence(visit: Callable[..., Page], mortal: Server) -> None:
    page = visit("#screen=attention&sample=coffee.jpg&layer=7")
    settle(page)
    mortal.signal(signal.SIGSTOP)
    try:
        page.evaluate("document.querySelector('[data-view=attention] input[type=range]').focus()")
        page.keyboard.press("ArrowLeft")
        page.locator("#size label").nth(1).click()
        page.wait_for_timeout(4000)
        assert AWAY not in page.locator("#inside-notice").inner_text()
    finally:
        mortal.signal(signal.SIGCONT)
    page.wait_for_function("location.hash.includes('size=448')", timeout=LONG)
    settle(page)


def test_without_a_network_the_page_waits_for_it(visit: Callable[..., Page]) -> None:
    page = visit("#screen=attention&sample=coffee.jpg&layer=7")
    settle(page)
    page.context.set_offline(True)
    page.evaluate("document.querySelector('[data-view=attention] input[type=range]').focus()")
    page.keyboard.press("ArrowLeft")
    page.locator("#size label").nth(1).click()
    expect_one_sentence(page)
    page.context.set_offline(False)
    expect_return(page)
    page.wait_for_function("location.hash.includes('size=448')", timeout=LONG)
    settle(page)


def test_a_run_is_watched_on(visit: Callable[..., Page], mortal: Server) -> None:
    page = visit("#screen=training")
    form = page.locator(".inside-form")
    form.get_by_text("Without labels", exact=True).click()
    form.get_by_text("More", exact=True).click()
    form.get_by_label("Steps", exact=True).locator("visible=true").fill("400")
    form.get_by_label("Pictures a step").fill("4")
    form.locator(".inside-start").click()
    lines = "document.querySelector('[data-view=training]').inside.lines"
    page.wait_for_function(f"{lines} >= 1", timeout=LONG)
    with away(mortal):
        expect_one_sentence(page)
        before = page.evaluate(lines)
    expect_return(page)
    page.wait_for_function(f"{lines} > {before + 1}", timeout=LONG)
    page.click('[data-view="training"] [data-action="stop"]')
    page.wait_for_function(
        "document.querySelector('[data-view=training]').inside.state === 'stopped'", timeout=LONG
    )
