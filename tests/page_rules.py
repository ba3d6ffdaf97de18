"""The rules of axe-core on a part of the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

KEEPS_OUT = ("serious", "critical")  # impacts of what keeps people out


def faults(page: Page, context: Any, **options: Any) -> list[str]:
    """What axe-core finds that keeps people out, one line each."""
    with only_what_is_open(page):
        found = Axe().run(page, context, {"resultTypes": ["violations"], **options}).response
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in KEEPS_OUT
        for node in rule["nodes"]
    ]


@contextmanager
def only_what_is_open(page: Page) -> Iterator[None]:
    """Without the screens that are closed: axe-core looks at all that a page has, also at what is
    not displayed, whatever it is asked about. `twice` sees what it could find between screens."""
    page.evaluate(
        """() => {
            const closed = document.querySelectorAll(".inside-screen:not(.open)");
            window.putBack = [...closed].map((screen) => {
                const place = document.createComment("");
                screen.replaceWith(place);
                return () => place.replaceWith(screen);
            });
        }"""
    )
    try:
        yield
    finally:
        page.evaluate("() => window.putBack.forEach((putBack) => putBack())")


def twice(page: Page) -> list[str]:
    """Names of elements that more than one has, over all screens."""
    return page.evaluate(
        """() => [...document.querySelectorAll("[id]")].map(({ id }) => id)
            .filter((id, at, all) => all.indexOf(id) !== at)"""
    )
