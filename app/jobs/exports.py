"""Models for other libraries: a visitor asks for one, a process of its own writes and checks it.

    EXPORTS/OWNER/TOKEN/my-timm.pth    what was written, once the other library has proven it
    EXPORTS/OWNER/TOKEN.txt            what the process said: its stages, then how well they agree

One is made at a time, by the command `export`. What is made is its visitor's alone, for an hour; a
server that is started anew knows of none.
"""

import re
import secrets
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypedDict

from app.jobs.uploads import modified, need_room
from app.state.models import Models
from dino_core.jobs import is_running, start_command, stop_process

Target = Literal["official", "transformers", "timm", "onnx"]
State = Literal["waiting", "running", "finished", "failed"]
ENDINGS: dict[Target, str] = {
    "official": ".pth",
    "transformers": "",  # a folder, which comes as a zip
    "timm": ".pth",
    "onnx": ".onnx",
}
KEPT = 3600.0  # seconds
LONGEST = 1800.0  # seconds that one may take
LEAVING = 2.0  # seconds that one which is stopped may take
WAITING = 6  # of everybody
ROOM = 8  # times the bytes of the weights: what is written, packed, and open in two libraries
GONE = "This export is no longer kept: ask for it again."


class ExportCard(TypedDict):
    """What its visitor is told."""

    token: str
    target: Target
    state: State
    words: list[str]  # what it is at; once finished, how well both agree and what to know
    file: str  # name of what can be downloaded; "" before
    bytes: int
    seconds: float  # since it was asked for


@dataclass(frozen=True)
class Export:
    """One that was asked for."""

    token: str
    owner: str
    target: Target
    arguments: tuple[str, ...]  # of the command
    output: Path
    state: State = "waiting"
    asked: float = field(default_factory=time.time)


class Exports:
    """The exports of all visitors."""

    def __init__(
        self, folder: Path, models: Models, start: Callable[..., int] = start_command
    ) -> None:
        self.folder = folder
        self._models, self._start = models, start
        self._all: dict[str, Export] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._ended = threading.Event()

    # --- asking

    def add(self, owner: str, model: str, target: Target) -> ExportCard:
        """ValueError in a sentence for a model that is not the visitor's, and without room."""
        self._sweep()
        source, weights = self._models.options_of(model, owner)
        file = Path(weights) if weights else self._models.weights_of(model)
        token = secrets.token_hex(12)
        folder = self.folder / owner[:32] / token
        with self._lock:
            going = [one for one in self._all.values() if one.state in ("waiting", "running")]
            if any(one.owner == owner for one in going):
                raise ValueError("Your last export is still being made: wait for it.")
            if len(going) >= WAITING:
                raise ValueError("Too many exports wait already: try again in a moment.")
            folder.mkdir(parents=True)
            need_room(self.folder, ROOM * (file.stat().st_size if file else 0))
            plain = re.sub(r"[^\w.-]+", "-", self._models.title_of(model, owner)).strip("-.")
            stem = plain.removesuffix(".safetensors").removesuffix(".pth") or "model"
            output = folder / f"{stem}-{target}{ENDINGS[target]}"
            arguments = (str(weights or source), "--to", target, "--output", str(output))
            self._all[token] = Export(token, owner, target, ("export", *arguments), output)
        threading.Thread(target=self._make, args=(token,), daemon=True).start()
        return self.card(owner, token)

    # --- making

    def _make(self, token: str) -> None:
        with self._turn:
            if self._ended.is_set():
                return
            one = self._become(token, "running")
            pid = self._start(list(one.arguments), self._log(one))
            end = time.monotonic() + LONGEST
            while is_running(pid, token):
                if self._ended.wait(0.2) or time.monotonic() > end:
                    stop_process(pid, token)
                    break
            with suppress(OSError):
                if one.output.is_dir():
                    pack(one.output)
            self._become(token, "finished" if self._file(one).is_file() else "failed")

    def _become(self, token: str, state: State) -> Export:
        with self._lock:
            self._all[token] = replace(self._all[token], state=state)
            return self._all[token]

    def end(self) -> None:
        """The server ends: whatever is being made is stopped."""
        self._ended.set()
        if self._turn.acquire(timeout=LEAVING):
            self._turn.release()

    # --- what there is

    def card(self, owner: str, token: str) -> ExportCard:
        """ValueError for one that is not this visitor's."""
        one = self._own(owner, token)
        file = self._file(one)
        done = one.state == "finished"
        return {
            "token": token,
            "target": one.target,
            "state": one.state,
            "words": self._words(one),
            "file": file.name if done else "",
            "bytes": file.stat().st_size if done else 0,
            "seconds": time.time() - one.asked,
        }

    def file(self, owner: str, token: str) -> Path:
        """What can be downloaded. ValueError before it is finished, and for any other."""
        one = self._own(owner, token)
        if one.state != "finished":
            raise ValueError("This export is not finished.")
        return self._file(one)

    def _own(self, owner: str, token: str) -> Export:
        one = self._all.get(token)
        if one is None or not secrets.compare_digest(one.owner, owner):
            raise ValueError(GONE)
        return one

    def _words(self, one: Export) -> list[str]:
        """What the process said last; all that it proved, once it is done."""
        if one.state == "waiting":
            return ["Another export is being made first."]
        lines = []
        with suppress(OSError):
            text = self._log(one).read_text(encoding="utf-8", errors="replace")
            lines = [line for line in text.splitlines() if line.strip()]
        if one.state == "finished":
            return [line for line in lines if " px: equal to " in line or line in notes_in(lines)]
        plain = [line.replace(f"{one.output.parent}/", "") for line in lines]
        if one.state == "failed":
            return plain[-1:] or ["The export ended without a word: this server may lack memory."]
        return [line for line in plain if line.endswith(".")][-1:] or ["Loading the model."]

    def _file(self, one: Export) -> Path:
        folder = one.target == "transformers"
        return one.output.with_name(f"{one.output.name}.zip") if folder else one.output

    def _log(self, one: Export) -> Path:
        return one.output.parent.with_suffix(".txt")

    def _sweep(self) -> None:
        """Throws away what is older than an hour, also of a server before this one."""
        with self._lock:
            old = [
                token
                for token, one in self._all.items()
                if one.state in ("finished", "failed") and time.time() - one.asked > KEPT
            ]
            for token in old:
                del self._all[token]
            known = set(self._all)
        for path in self.folder.glob("*/*"):
            if path.stem in known or time.time() - modified(path) <= KEPT:
                continue  # other servers may share this folder
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def pack(folder: Path) -> None:
    """A folder as a zip beside it, stored: weights do not shrink."""
    partial = folder.with_name(f"{folder.name}.zip.part")
    with zipfile.ZipFile(partial, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{folder.name}/{path.name}")
    partial.replace(folder.with_name(f"{folder.name}.zip"))
    shutil.rmtree(folder)


def notes_in(lines: list[str]) -> list[str]:
    """What stands between the comparisons and the last line: what to know of the export."""
    compared = [i for i, line in enumerate(lines) if " px: equal to " in line]
    return lines[compared[-1] + 1 : -1] if compared else []
