"""Gives every browser a secret of its own, and keeps it alive for as long as what it owns."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.middleware.base import HttpMiddleware, with_headers
from app.visitors import COOKIE, MAX_AGE, Visitors


class VisitorCookie(HttpMiddleware):
    """Whoever opens the page is given a cookie: a new one, or the one that it has, for longer.

    `path`: where the page is on its host, for the cookie of another page there is not ours.
    Over https the cookie also goes along in a page that another site has embedded. A page that has
    found its server again asks for its identity: the old cookie may be none to the new server.
    """

    def __init__(self, app: ASGIApp, visitors: Visitors, path: str = "/") -> None:
        super().__init__(app)
        self.visitors, self.path = visitors, path

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        secret = self.visitors.secret(Request(scope).cookies)
        if scope["path"] == "/" or (scope["path"] == "/identity" and not secret):
            known = self.visitors.cookie_of(secret) if secret else ""
            header = self._header(known or self.visitors.new_cookie(), scope["scheme"])
            send = with_headers(send, lambda headers: _add(headers, header))
        await self.app(scope, receive, send)

    def _header(self, cookie: str, scheme: str) -> str:
        embedded = "SameSite=None; Secure; Partitioned" if scheme == "https" else "SameSite=Lax"
        return f"{COOKIE}={cookie}; Path={self.path}; Max-Age={MAX_AGE}; HttpOnly; {embedded}"


def _add(headers: MutableHeaders, cookie: str) -> None:
    headers.append("set-cookie", cookie)
