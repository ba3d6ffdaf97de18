"""Who may ask: hosts that this server is known by, and pages that it has sent itself.

A page on another site, or on another port of this machine, can make a visitor's browser send
requests here. What changes anything is answered only if the browser says that our own page asked
for it. A name that leads to this machine but is not known here (DNS rebinding) is refused.
"""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware.base import HttpMiddleware, with_headers, without_cached_errors

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERY_ADDRESS = ("0.0.0.0", "::", "")
HARMLESS = ("GET", "HEAD", "OPTIONS")
# Gradio evaluates the templates of its components, and writes styles into the document.
POLICY = (
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
)
# What a browser never shows as a page: a policy would say nothing to it, two hundred times a visit.
NO_PAGES = ("text/javascript", "text/css", "image/jpeg", "image/png", "image/webp", "font/woff2")


@dataclass(frozen=True)
class Access:
    """From where the page may be opened.

    `hosts` are names it is known by beside the loopback ones and the address it listens on, "*" for
    any; `frames` the origins of sites that may embed it, "*" for any.
    """

    listens_on: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether only the person at this machine can open the page."""
        return self.listens_on in LOOPBACK and not self.hosts

    def knows(self, host: str) -> bool:
        """Whether a Host header names this server: "localhost:7860" -> True."""
        name = host_name(host)
        if name in (*LOOPBACK, *self.hosts) or "*" in self.hosts:
            return True
        if self.listens_on in EVERY_ADDRESS:  # no name leads there that is not an address
            return is_address(name)
        return name == self.listens_on.lower()


def host_name(host: str) -> str:
    """ "Example.org:80" -> "example.org", "[::1]:7860" -> "::1"; empty for what is no host."""
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Protection(HttpMiddleware):
    """Refuses strangers, and tells browsers what our page never does."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        super().__init__(app)
        self.access = access
        frames = " ".join(("frame-ancestors 'self'", *access.frames))
        self.policy = "; ".join((*POLICY, frames))
        self.added = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        send = without_cached_errors(with_headers(send, self._add))
        if not self.access.knows(headers.get("host", "")):
            message = "This server is not known by that name: --allow-host adds one."
            return await PlainTextResponse(message, 421)(scope, receive, send)
        if scope["method"] not in HARMLESS and not is_own_page(headers):
            message = "Only this server's own page may ask for that."
            return await PlainTextResponse(message, 403)(scope, receive, send)
        # Who broke off an upload hears no answer, and it is no fault of the server.
        with suppress(ClientDisconnect):
            await self.app(scope, receive, send)
        return None

    def _add(self, headers: MutableHeaders) -> None:
        headers.update(self.added)
        if headers.get("content-type", "").split(";")[0].strip().lower() not in NO_PAGES:
            headers["Content-Security-Policy"] = self.policy


def is_own_page(headers: Headers) -> bool:
    """Whether a request comes from our own page, or from a program, which sends no origin.

    Browsers say where a request comes from, in either of two ways.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc == headers.get("host", "") != ""
