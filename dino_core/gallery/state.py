"""The first half of a gallery's folder: how it was made, how far it is, who is at work on it."""

import os
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from dino_core import jobs
from dino_core.gallery.options import Options
from dino_core.jobs import number_in, read_json, write_json, write_text

FORMAT = 1
Watch = Callable[[dict[str, Any]], None]
STARTING = 60  # s that a process may take until it holds the lock
UNFINISHED = ("waiting", "embedding", "mapping")
STATES = (*UNFINISHED, "ready", "failed", "stopped")
MAP_FILE = re.compile(r"(cls|mean_patch|both)-(\d{1,4})-(\w+)\.npz")


class GalleryState:
    """What a gallery's process puts down of itself, and what it is asked."""

    def __init__(self, folder: str | Path, watch: Watch | None = None) -> None:
        self.path = Path(folder).expanduser().absolute()
        self._watch = watch  # is told every state that is put down

    # --- how it was made and how far it is

    def read_config(self) -> dict[str, Any]:
        """ValueError when there is no gallery here."""
        path = self.path / "config.json"
        config = read_json(path)
        if config is None and not path.exists():
            raise ValueError(f"{self.path} holds no gallery: there is no config.json in it.")
        config = config or {}
        if config.get("format", FORMAT) != FORMAT:
            raise ValueError(f"{self.path} is not of this version of the project: build it again.")
        data, options = config.get("data"), config.get("options")
        known = {field.name for field in fields(Options)}
        if (
            not isinstance(data, str)
            or not isinstance(options, dict)
            or not options.keys() <= known
        ):
            raise ValueError(f"{path} is damaged: build the gallery again in a new folder.")
        return config

    def create(self, data: str, options: Options) -> None:
        """A new gallery, or the same one again. ValueError when something else is in the folder."""
        if self.check(data, options):
            self.path.mkdir(parents=True, exist_ok=True)
            config = {"format": FORMAT, "data": data, "options": asdict(options)}
            write_json(self.path / "config.json", config)

    def check(self, data: str, options: Options) -> bool:
        """Whether it would be a new one. ValueError when something else is in the folder."""
        if (self.path / "config.json").exists():
            config, now = self.read_config(), asdict(options)
            before = asdict(Options(**config["options"]))
            free = ("device", "threads")  # they change no number
            other = [name for name in now if before[name] != now[name] and name not in free]
            if config["data"] != data or other:
                what = f"--{other[0].replace('_', '-')}" if config["data"] == data else "pictures"
                raise ValueError(
                    f"{self.path} holds a gallery with other {what}: name a new folder."
                )
            return False
        if self.path.exists() and {entry.name for entry in self.path.iterdir()} - {
            "lock",
            "holder.json",
        }:
            raise ValueError(f"{self.path} is not empty and holds no gallery: name a new folder.")
        return True

    def put_state(self, **changes: Any) -> None:
        values = read_json(self.path / "state.json") or {}
        values |= {"pid": os.getpid(), "updated": time.time(), **changes}
        write_json(self.path / "state.json", values)
        if self._watch is not None:
            self._watch(values)

    def state(self) -> dict[str, Any]:
        """What `scenes.gallery.state_of` describes."""
        self.read_config()
        values = self._last_state()
        alive = self.is_alive() or self._just_started()
        if values["state"] in UNFINISHED and not alive:
            values["state"] = "stopped"
            values["words"] = "Its process ended without a word; it can go on where it was."
        if not alive:
            values |= {"seconds_left": None, "doing": ""}
        values["alive"] = alive
        values["can_resume"] = not alive and values["state"] in ("stopped", "failed")
        found = (MAP_FILE.fullmatch(path.name) for path in sorted(self.path.glob("maps/*.npz")))
        values["maps"] = [[one[1], int(one[2]), one[3]] for one in found if one]
        return values

    def _last_state(self) -> dict[str, Any]:
        """state.json; what makes no sense in it counts as not there."""
        values = read_json(self.path / "state.json") or {}
        known: dict[str, Any] = {
            "state": "waiting",
            "words": "The gallery is about to start.",
            "done": 0,
            "total": 0,
            "seconds_left": None,
            "broken": [],
            "broken_count": 0,
            "left_out": [],
            "left_out_count": 0,
            "notes": [],
            "doing": "",
        }
        for name in ("done", "total", "seconds_left", "broken_count", "left_out_count"):
            known[name] = number_in(values, name) or known[name]
        known |= {n: values[n] for n in ("words", "doing") if isinstance(values.get(n), str)}
        if values.get("state") in STATES:
            known["state"] = values["state"]
        for name, fits in (("broken", _is_named), ("left_out", _is_named), ("notes", _is_text)):
            if isinstance(values.get(name), list):
                known[name] = [one for one in values[name] if fits(one)]
        return known

    def request_stop(self) -> None:
        self.read_config()
        write_text(self.path / "control", "stop\n")

    def stop_requested(self) -> bool:
        return (self.path / "control").exists()

    def clear_stop(self) -> None:
        (self.path / "control").unlink(missing_ok=True)

    # --- who is at work

    def locked(self) -> AbstractContextManager[None]:
        """Holds the gallery. ValueError when another process has it."""
        return jobs.locked(
            self.path, f"Another process is at work on {self.path}: wait for it, or stop it."
        )

    def is_alive(self) -> bool:
        """Whether a process holds the lock."""
        return jobs.is_alive(self.path)

    def _just_started(self) -> bool:
        """A process was started that may not have come to its lock yet."""
        started = read_json(self.path / "started.json") or {}
        pid, at = number_in(started, "pid"), number_in(started, "time")
        if pid is None or at is None or time.time() - at > STARTING:
            return False
        said = (read_json(self.path / "state.json") or {}).get("pid")
        return said != pid and jobs.is_running(int(pid), self.path.name)

    def at_work(self) -> bool:
        return self.is_alive() or self._just_started()


def _is_named(one: Any) -> bool:
    """Whether it is [name, why], as of a broken picture."""
    return isinstance(one, list) and [type(part) for part in one] == [str, str]


def _is_text(one: Any) -> bool:
    return isinstance(one, str)
