"""The page of a real server, in a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.gradio_import import import_gradio
from tests.app.servers import shared

import_gradio()  # in half the time, before a test imports it
expect.set_options(timeout=60_000)  # ms: what comes is waited for, also on a busy machine

# The shell is Chromium without its windows: a page opens for two thirds of the processor's time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SAVES_DATA = 'Object.defineProperty(navigator, "connection", { value: { saveData: true } })'


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared server: in one that all test processes have."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-home"


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[str]:
    """The address of the page that the tests share."""
    with shared(server_home) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the page was not tried in a browser")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class Watch:
    """Everything a page did that it must not do."""

    def __init__(self, page: Page, url: str) -> None:
        self.faults: list[str] = []
        page.on(
            "pageerror", lambda error: self.faults.append(f"page error: {error.stack or error}")
        )
        page.on("console", self.hear)
        page.on("request", lambda request: self.follow(request.url, url))
        page.on("requestfailed", self.lost)
        page.on("response", self.answer)

    def hear(self, message) -> None:
        if message.type == "error" and "WebGL" not in message.text:
            self.faults.append(f"console: {message.text} {message.location}")

    def follow(self, address: str, home: str) -> None:
        if not address.startswith((home, "data:", "blob:", home.replace("http", "ws"))):
            self.faults.append(f"left the machine: {address}")

    def lost(self, request) -> None:
        # A page that goes away lets go of its event stream: no fault.
        if "ERR_ABORTED" not in (request.failure or "") and "/queue/data" not in request.url:
            self.faults.append(f"failed: {request.url} {request.failure}")

    def answer(self, response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")


class Contexts:
    """Browser contexts, each of which serves one visitor after the other.

    Nothing of a visitor is left for the next but what the browser has fetched and compiled, which
    is most of the work of opening the page.
    """

    def __init__(self, browser: Browser, server: str) -> None:
        self.browser, self.server = browser, server
        self.free: list[BrowserContext] = []

    def take(self) -> BrowserContext:
        """A context without a past."""
        if self.free:
            return self.free.pop()
        context = self.browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(60_000)  # ms, as patient as the machine is slow
        return context

    def give_back(self, context: BrowserContext) -> None:
        """The visitor has gone, and takes along all that they had."""
        for page in context.pages:
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        context.set_offline(False)
        page = context.new_page()
        kinds = {"origin": self.server, "storageTypes": "local_storage,indexeddb"}
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", kinds)
        page.close()
        self.free.append(context)


@pytest.fixture(scope="session")
def contexts(browser: Browser, server: str) -> Contexts:
    return Contexts(browser, server)


@contextmanager
def opening(visitors: Contexts) -> Iterator[Callable[..., Page]]:
    """Opens the page as a new visitor; whatever goes wrong on it fails the tests at their end.

    `prepare` is given the empty page before it goes anywhere. `newcomer`: somebody who has not been
    here before and is welcomed; everybody else was on Attention last. `ahead`: the browser does not
    save data, and the page gets ready what nobody has asked for yet; a test pays for what it asks.
    """
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []
    server = visitors.server

    def visit(
        link: str = "",
        width: int = 1440,
        dark: bool = False,
        strict: bool = True,
        prepare: Callable[[Page], object] | None = None,
        newcomer: bool = False,
        ahead: bool = False,
    ) -> Page:
        context = visitors.take()
        contexts.append(context)
        page = context.new_page()
        # Not with each frame, as is usual: the page would be drawn for as long as a test waits.
        page.wait_for_function = partial(page.wait_for_function, polling=50)  # ms
        page.set_viewport_size({"width": width, "height": 1000})
        if strict:
            watches.append(Watch(page, server))
        if not newcomer:
            page.add_init_script('localStorage["inside-screen"] ??= "attention"')
        if not ahead:
            page.add_init_script(SAVES_DATA)
        if prepare:
            prepare(page)
        page.goto(f"{server}/?__theme={'dark' if dark else 'light'}{link}")
        page.wait_for_selector(".inside-screen.open .inside-view[data-ready]", timeout=60_000)
        return page

    yield visit
    for context in contexts:
        visitors.give_back(context)
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest.fixture
def visitor(contexts: Contexts) -> Iterator[Callable[..., Page]]:
    with opening(contexts) as visit:
        yield visit


@pytest.fixture(scope="module")
def visitors(contexts: Contexts) -> Iterator[Callable[..., Page]]:
    """The same for pages that the tests of a file share."""
    with opening(contexts) as visit:
        yield visit


@pytest.fixture
def shown() -> Callable[..., dict]:
    """The state that a view says it shows, without its large arrays."""

    def read(page: Page, name: str) -> dict:
        return page.evaluate(
            """(name) => Object.fromEntries(Object.entries(
                document.querySelector(`[data-view="${name}"]`).inside ?? {})
                .filter(([, value]) => !ArrayBuffer.isView(value)))""",
            name,
        )

    return read
