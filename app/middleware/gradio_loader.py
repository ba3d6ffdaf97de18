"""Gradio's loading sign, whose clock would go on for as long as the page is open.

The sign that stands there until Gradio has started counts its seconds by asking for the next frame
again and again. It is taken away while it still counts, and nothing stops it: a page that nobody
touches then wakes up sixty times a second. Its script is sent with the clock bound to the sign.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from app.middleware.base import HttpMiddleware, WholeResponse, when_whole

SCRIPT = re.compile(r"/assets/statustracker-[\w-]+\.js", re.IGNORECASE)
# function clock(){frame(()=>{set(seconds,(performance.now()-get(start))/1e3),counts&&clock()})}
CLOCK = re.compile(
    rb"(function (?P<clock>\w+)\(\)\{\w+\(\(\)=>\{"
    rb"\w+\(\w+,\(performance\.now\(\)-\w+\(\w+\)\)/1e3\),)(?P<counts>\w+)&&(?P=clock)\(\)"
)


class GradioLoader(HttpMiddleware):
    """Sends the script of the loading sign so that its clock ends with the sign."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and SCRIPT.fullmatch(scope["path"]):
            scope = {**scope, "headers": list(scope["headers"])}
            MutableHeaders(scope=scope)["accept-encoding"] = "identity"
            send = when_whole(send, _stop_the_clock)
        await self.app(scope, receive, send)


def _stop_the_clock(script: WholeResponse) -> WholeResponse:
    body = ending_with_its_sign(script.body)
    MutableHeaders(scope=script.start)["Content-Length"] = str(len(body))
    return WholeResponse(script.start, body)


def ending_with_its_sign(script: bytes) -> bytes:
    """The script with a clock that asks whether its element is still there.

    The element's variable is declared just before the flag that the clock looks at. A script of
    another form, as another version of Gradio may have it, stays as it is.
    """
    clock = CLOCK.search(script)
    if clock is None:
        return script
    counts = clock["counts"]
    element = re.search(rb",(\w+)," + re.escape(counts) + rb"=!1,", script)
    if element is None:
        return script
    return script[: clock.start("counts")] + element[1] + b"&&" + script[clock.start("counts") :]
