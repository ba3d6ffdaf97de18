"""Files of the page that are sent again and again, compressed once.

A page load asks for a hundred small scripts and styles. Reading and compressing one takes four
milliseconds, handing it out from memory a fraction of one, and a newcomer waits for all of them.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from app.encodings import accepted_encodings
from app.middleware.base import HttpMiddleware, WholeResponse, when_whole
from app.state.script_version import ADDRESS, PageScripts

SCRIPTS = f"/{ADDRESS}"
FOLDERS = ("/assets/", "/static/", SCRIPTS)
CONDITIONAL = ("range", "if-none-match", "if-modified-since")
MAX_BYTES = 64 * 2**20
Key = tuple[str, str]  # path, and the encodings that may be used


@dataclass(frozen=True)
class CachedFile:
    """What was sent, and the state of the file that it was made from."""

    response: WholeResponse
    version: float


class StaticCache(HttpMiddleware):
    """Sends from memory what it has sent before. `scripts`: ours, in the version that there is."""

    def __init__(self, app: ASGIApp, scripts: PageScripts) -> None:
        super().__init__(app)
        self.scripts = scripts
        self.files: dict[Key, CachedFile] = {}
        self.nbytes = 0

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers = scope["path"], Headers(scope=scope)
        if (
            scope["method"] != "GET"
            or not path.startswith(FOLDERS)
            or any(name in headers for name in CONDITIONAL)
            or self._is_of_another_version(path)
        ):
            return await self.app(scope, receive, send)
        # Whatever way a browser words it, only what comes of it makes another file.
        encodings = ", ".join(accepted_encodings(headers))
        key, version = (path, encodings), self._version(path)
        known = self.files.get(key)
        if known is not None and known.version == version:
            return await known.response.send(send)
        scope = {**scope, "headers": list(scope["headers"])}
        MutableHeaders(scope=scope)["accept-encoding"] = encodings or "identity"

        def remember(response: WholeResponse) -> WholeResponse:
            if response.status == 200:
                self._keep(key, CachedFile(response, version))
            return response

        return await self.app(scope, receive, when_whole(send, remember))

    def _is_of_another_version(self, path: str) -> bool:
        """Anybody may ask for any number of them, and they would fill the memory."""
        if not path.startswith(SCRIPTS):
            return False
        _, version = self.scripts.split(path.removeprefix(SCRIPTS))
        return version not in (None, self.scripts.version)

    def _version(self, path: str) -> float:
        """When a script of ours was last changed; Gradio's files have a hash in their names."""
        if not path.startswith(SCRIPTS):
            return 0.0
        folder = self.scripts.folder
        name, _ = self.scripts.split(path.removeprefix(SCRIPTS))
        try:
            script = (folder / name).resolve()
            return script.stat().st_mtime if script.is_relative_to(folder) else 0.0
        except (OSError, ValueError):
            return 0.0

    def _keep(self, key: Key, file: CachedFile) -> None:
        old = self.files.pop(key, None)
        self.nbytes -= len(old.response.body) if old else 0
        if self.nbytes + len(file.response.body) <= MAX_BYTES:
            self.files[key] = file
            self.nbytes += len(file.response.body)
