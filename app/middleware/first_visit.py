"""The first visit on its way: its stored responses, and the document that shows them early."""

import gzip

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.encodings import accepted_encodings
from app.first_visit import stored
from app.middleware.base import HttpMiddleware, WholeResponse, when_whole, with_headers
from app.state.script_version import PageScripts

PREFIX = f"/view/{stored.KEY}/"
# The next start of this server may be with another model, under the same addresses.
ALWAYS_ASK = "private, no-cache"


class StoredResponses(HttpMiddleware):
    """Responds to the requests of the first picture with what was worked out beforehand."""

    def __init__(self, app: ASGIApp, first_visit: stored.FirstVisit | None) -> None:
        super().__init__(app)
        self.first_visit = first_visit

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(PREFIX):
            return await self.app(scope, receive, send)
        send = with_headers(send, _always_ask)
        stored_response = await run_in_threadpool(self._find, scope)
        await (stored_response or self.app)(scope, receive, send)
        return None

    def _find(self, scope: Scope) -> Response | None:
        if self.first_visit is None or scope["method"] != "GET":
            return None
        query = scope["query_string"].decode("latin-1")
        path = scope["path"].removeprefix(PREFIX) + (f"?{query}" if query else "")
        data = self.first_visit.response(path)
        if data is None:
            return None
        request = Headers(scope=scope)
        headers = {"ETag": f'"{self.first_visit.tag}"', "Vary": "Accept-Encoding"}
        if request.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if accepted_encodings(request, ("gzip",)):
            headers["Content-Encoding"] = "gzip"
        else:
            data = gzip.decompress(data)
        kind = "image/jpeg" if path.endswith(".jpg") else "application/octet-stream"
        return Response(data, headers=headers, media_type=kind)


def _always_ask(headers: MutableHeaders) -> None:
    headers["Cache-Control"] = ALWAYS_ASK


class FirstDocument(HttpMiddleware):
    """Writes a head into the page, and a stage before Gradio's own element, and names the scripts
    by their version."""

    def __init__(self, app: ASGIApp, scripts: PageScripts, head: str, stage: str) -> None:
        super().__init__(app)
        self.scripts = scripts
        self.head, self.stage = head.encode(), stage.encode()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/" and scope["method"] == "GET":
            send = when_whole(send, self._write)
        await self.app(scope, receive, send)

    def _write(self, page: WholeResponse) -> WholeResponse:
        body = page.body.replace(b"<head>", b"<head>" + self.head, 1)
        body = body.replace(b"<gradio-app", self.stage + b"<gradio-app", 1)
        body = self.scripts.with_versions(body)
        MutableHeaders(scope=page.start)["Content-Length"] = str(len(body))
        return WholeResponse(page.start, body)
