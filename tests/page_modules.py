"""Asking the page's own modules in the browser: they are the ones that the page runs."""

from typing import Any

from playwright.sync_api import Page

BOOT = "document.querySelector('script[src$=\"/boot.js\"]')"  # beside it are all others


def ask_page(page: Page, module: str, expression: str) -> Any:
    """The value of a JavaScript expression in which `it` is a module of static/js."""
    return page.evaluate(
        f"import({BOOT}.src.replace('boot.js', '{module}')).then((it) => {expression})"
    )


def selected(page: Page, *names: str) -> list[Any]:
    """What is selected on the page: of `row`, `col`, `layer`, `head`, `run`."""
    return ask_page(page, "page/selection.js", f"{list(names)}.map((name) => it.selection[name])")
