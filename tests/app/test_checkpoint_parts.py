"""state/checkpoints.py and jobs/checkpoints.py by themselves: whose a file is, what is written down
of it, what makes room, and for how long it is kept. Files of a few bytes, and no model."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.jobs import checkpoints as module
from app.jobs.checkpoints import make_room, take_answer, take_milestone, take_upload
from app.state import checkpoints as state
from app.state.checkpoints import Checkpoints
from dino_core.scenes.checkpoints import CheckpointFacts, Untold

NOW = 10**9 + 0.0
DAY = 24 * 3600.0
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def used() -> set[str]:
    return set()


@pytest.fixture
def kept(tmp_path: Path, used: set[str]) -> Checkpoints:
    return Checkpoints(tmp_path / "kept", lambda: used, lambda: NOW)


def name_of(digest: str) -> str:
    return f"checkpoint-{digest[:24]}"


def facts_of(digest: str, **more: Any) -> Any:
    plain = dict.fromkeys(state.Checkpoint.__required_keys__, 0)
    plain |= {"name": name_of(digest), "title": "a.pth", "digest": digest, "bytes": 10}
    return plain | {"address": ""} | more


def keep(kept: Checkpoints, owner: str, digest: str, age: float = 0.0, **more: Any) -> Path:
    """A checkpoint that was last used so long ago: its file."""
    path = kept.place(owner, more.get("title", "a.pth"))
    path.write_bytes(digest.encode())
    kept.keep(owner, path, facts_of(digest, **more))
    noted = kept.of(owner) / f"{digest[:24]}.json"
    os.utime(noted, (NOW - age, NOW - age))
    return kept.file_of(noted)


def digests(kept: Checkpoints, owner: str) -> list[str]:
    return [one["digest"][0] for one in kept.everything(owner)]


A, B, C, D = (letter * 64 for letter in "abcd")


# --- whose it is


def test_a_checkpoint_is_its_visitor_s(kept: Checkpoints) -> None:
    path = keep(kept, ONE, A, age=100)
    assert path == kept.folder / ONE[:32] / A[:24] / "a.pth"
    found, facts = kept.find(ONE, name_of(A))
    assert (found, facts) == (path, facts_of(A))
    noted = kept.of(ONE) / f"{A[:24]}.json"
    assert (noted.stat().st_atime, noted.stat().st_mtime) == (NOW, NOW), "whoever asks has used it"
    for owner, name in (
        (TWO, name_of(A)),
        ("", name_of(A)),
        (ONE, name_of(B)),
        (ONE, A[:24]),
        (ONE, name_of(A) + "a"),
        (ONE, f"checkpoint-../{ONE[:32]}/{A[:24]}"),
    ):
        with pytest.raises(ValueError, match="somebody else's, or it is no longer kept"):
            kept.find(owner, name)
    assert kept.everything("") == []
    assert kept.everything(TWO) == []


def test_the_one_used_last_stands_first(kept: Checkpoints) -> None:
    for digest, age in ((A, 5), (B, 1), (C, 3)):
        keep(kept, ONE, digest, age)
    keep(kept, TWO, D, 2)
    assert digests(kept, ONE) == ["b", "c", "a"]
    assert [noted.stem[0] for noted in kept.noted()] == ["b", "d", "c", "a"]
    (kept.of(ONE) / f"{C[:24]}.json").write_text("{")
    assert digests(kept, ONE) == ["b", "a"], "one that is damaged is none"


def test_the_same_bytes_are_kept_once(kept: Checkpoints) -> None:
    first = keep(kept, ONE, A)
    place = kept.place(ONE, "other.pth")
    place.write_bytes(b"the same")
    again = kept.keep(ONE, place, facts_of(A, title="other.pth"))
    assert again["title"] == "other.pth"
    assert first.read_bytes() == A.encode(), "the file stays where it is"
    assert place.exists(), "whoever asked for the place clears it"
    assert [one["title"] for one in kept.everything(ONE)] == ["other.pth"]
    noted = kept.of(ONE) / f"{A[:24]}.json"
    assert noted.stat().st_mtime == NOW
    keep(kept, TWO, A)
    assert len(list(kept.folder.glob("*/*.json"))) == 2


def test_no_two_of_a_visitor_s_have_the_same_title(kept: Checkpoints) -> None:
    for owner, digest in ((ONE, A), (ONE, B), (TWO, C), (ONE, A)):
        keep(kept, owner, digest)
    titles = {one["digest"][0]: one["title"] for one in kept.everything(ONE)}
    assert titles == {"a": "a.pth", "b": "a.pth (bbbbbb)"}
    assert kept.everything(TWO)[0]["title"] == "a.pth"


def test_of_a_folder_it_is_the_weights(kept: Checkpoints) -> None:
    noted = kept.folder / "one" / "x.json"
    folder = noted.with_suffix("")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert kept.file_of(noted).name == "config.json"
    (folder / "model.safetensors").write_bytes(b"x")
    assert kept.file_of(noted).name == "model.safetensors"


# --- what waits for a word


def test_what_waits_is_its_visitor_s(kept: Checkpoints) -> None:
    path = kept.place(ONE, "silent.pth")
    path.write_bytes(b"x")
    assert not kept.is_asked(path)
    asked: Any = {"said": {}, "address": "here", "bytes": 1}
    token = kept.ask(path, asked)
    assert token == path.parent.name
    assert kept.is_asked(path)
    assert kept.find_asked(ONE, token) == (path, asked)
    assert kept.asked(ONE) == kept.asked() == [kept.of(ONE) / f"{token}.asked"]
    assert kept.asked(TWO) == []
    for owner, name in ((TWO, token), ("", token), (ONE, "../" + token), (ONE, token[:-1])):
        with pytest.raises(ValueError, match=r"^This file is no longer kept: add it again\.$"):
            kept.find_asked(owner, name)
    path.unlink()
    with pytest.raises(ValueError, match="no longer kept"):
        kept.find_asked(ONE, token)


@pytest.mark.parametrize("missing", ["said", "address", "bytes"])
def test_half_a_note_is_none(kept: Checkpoints, missing: str) -> None:
    path = kept.place(ONE, "silent.pth")
    path.write_bytes(b"x")
    asked: Any = {"said": {}, "address": "here", "bytes": 1}
    del asked[missing]
    with pytest.raises(ValueError, match="no longer kept"):
        kept.find_asked(ONE, kept.ask(path, asked))


# --- throwing away


def test_what_a_job_needs_stays(kept: Checkpoints, used: set[str]) -> None:
    path = keep(kept, ONE, A, age=8 * DAY)
    keep(kept, ONE, B, age=7 * DAY)
    keep(kept, ONE, C, age=7 * DAY + 1)
    used.add(str(path.resolve()))
    kept.sweep()
    assert digests(kept, ONE) == ["b", "a"]
    with pytest.raises(ValueError, match="A run or a gallery still needs this checkpoint"):
        kept.remove(ONE, name_of(A))
    with pytest.raises(ValueError, match="somebody else's"):
        kept.remove(TWO, name_of(B))
    used.clear()
    kept.remove(ONE, name_of(A))
    assert digests(kept, ONE) == ["b"]
    assert not path.parent.exists()


def test_what_never_became_a_checkpoint_stays_for_a_day(kept: Checkpoints) -> None:
    old, young = (kept.place(ONE, "x.pth") for _ in range(2))
    for path, age in ((old, DAY + 1), (young, DAY)):
        path.write_bytes(b"x")
        kept.ask(path, {"said": {}, "address": "", "bytes": 1})
        os.utime(path.parent, (NOW - age, NOW - age))
    whole = keep(kept, ONE, A)
    os.utime(whole.parent, (1, 1))
    kept.sweep()
    assert [kept.is_asked(path) for path in (old, young)] == [False, True]
    assert [path.parent.exists() for path in (old, young, whole)] == [False, True, True]


@pytest.mark.parametrize(
    ("most", "most_bytes", "needed", "left"),
    [
        (4, 30, "", ["a", "b", "c"]),
        (3, 30, "", ["a", "b"]),
        (4, 29, "", ["a", "b"]),
        (2, 100, "", ["a"]),
        (1, 100, "", []),
        (3, 100, "c", ["a", "c"]),
        (2, 100, "c", ["c"]),
        (1, 100, "abc", ["a", "b", "c"]),
    ],
)
def test_what_makes_room(
    kept: Checkpoints, used: set[str], most: int, most_bytes: int, needed: str, left: list[str]
) -> None:
    """There are fewer than `most` then, of `most_bytes` together; the longest unused goes first."""
    for age, digest in enumerate((A, B, C)):
        path = keep(kept, ONE, digest, age=age)
        if digest[0] in needed:
            used.add(str(path.resolve()))
    keep(kept, TWO, D, age=99)
    kept.make_room(ONE, most=most, most_bytes=most_bytes)
    assert digests(kept, ONE) == left
    assert digests(kept, TWO) == ["d"], "another's are not touched"


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("a.pth", "a.pth"),
        ("C:\\weights\\b c+1.pth", "b c+1.pth"),
        ("x/y/.hidden ", "hidden"),
        ("a<b>.pth.part", "a_b_.pth"),
        ("..", "checkpoint"),
        ("", "checkpoint"),
        ("x" * 90 + ".pth", "x" * 76 + ".pth"),
    ],
)
def test_what_a_file_is_called_on_any_disk(called: str, name: str) -> None:
    assert state.file_name(called) == name


# --- room for one that comes


@contextmanager
def on_their_way(nbytes: int) -> Any:
    with module.ON_THEIR_WAY.counted(nbytes):
        yield


def test_room_is_of_a_visitor_an_address_and_all(
    kept: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(kept, "sweep", lambda: asked.append("swept"))
    monkeypatch.setattr(kept, "make_room", lambda *who, **how: asked.append((*who, how)))
    monkeypatch.setattr(module, "need_room", asked.append)
    make_room(kept, ONE, "here", size=100)
    limits = {"most": 6, "most_bytes": 4 * 2**30 - 100}
    assert asked == ["swept", (ONE, limits), kept.folder]
    monkeypatch.setattr(module, "PER_ADDRESS", 2)
    monkeypatch.setattr(module, "MAX_ALL", 30)
    keep(kept, ONE, A, address="here")
    path = kept.place(TWO, "x.pth")
    path.write_bytes(b"x")
    make_room(kept, ONE, "here", size=0)
    kept.ask(path, {"said": {}, "address": "here", "bytes": 10})
    with pytest.raises(ValueError, match="2 checkpoints from your address are kept already"):
        make_room(kept, ONE, "here", size=0)
    make_room(kept, ONE, "there", size=0)
    make_room(kept, ONE, "", size=0)
    with on_their_way(10):
        make_room(kept, ONE, "", size=0)
    with on_their_way(11), pytest.raises(ValueError, match="There is no room for more files"):
        make_room(kept, ONE, "", size=0)


# --- by an upload, an answer, or out of a run


def run(coroutine: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


READ: dict[str, Any] = dict.fromkeys(CheckpointFacts.__required_keys__, 1) | {"patch_size": 14}


class Reading:
    """What the library says of a file, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Any] = []
        self.room: list[Any] = []
        self.untold = False
        self.weights: str = ""
        monkeypatch.setattr(module, "read_checkpoint", self.read)
        monkeypatch.setattr(module, "unpacked", self.unpack)
        monkeypatch.setattr(module, "rewritten", self.rewrite)
        monkeypatch.setattr(module, "make_room", lambda *w, size: self.room.append((*w[1:], size)))

    def read(self, path: Path, digest: str) -> Any:
        assert module._READING.locked(), "one at a time"
        self.asked.append((path.name, digest))
        if self.untold:
            raise Untold("How many heads?", "Say heads=.", "heads", ("6", "12"))
        return dict(READ)

    def unpack(self, path: Path, most: int) -> Path:
        self.asked.append((path.name, most))
        if not self.weights:
            return path
        weights = path.parent / self.weights
        weights.write_bytes(path.read_bytes())
        return weights

    def rewrite(self, path: Path, said: Any) -> Path:
        assert module._READING.locked()
        self.asked.append((path.name, dict(said)))
        if self.untold:
            raise Untold("Which network?", "Say branch=.", "branch", ("student", "teacher"))
        own = path.parent / "own.safetensors"
        own.write_bytes(b"rewritten")
        return own


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(monkeypatch)


DATA = (b"some ", b"weights")
DIGEST = hashlib.sha256(b"some weights").hexdigest()
QUESTION = {"what": "How many heads?", "field": "heads", "choices": ["6", "12"]}


def send(kept: Checkpoints, name: str = "my.pth", **more: Any) -> Any:
    return run(take_upload(kept, parts(*DATA), owner=ONE, called=name, address="here", **more))


def test_an_upload_is_read_and_becomes_a_model(kept: Checkpoints, reading: Reading) -> None:
    made = send(kept, size=100)
    assert made == READ | {
        "title": "my.pth",
        "file": "my.pth",
        "address": "here",
        "name": name_of(DIGEST),
        "digest": DIGEST,
        "bytes": 12,
    }
    assert reading.asked == [("my.pth", 2 * 2**30), ("my.pth", DIGEST)]
    assert reading.room == [(ONE, "here", 100)]
    assert module.ON_THEIR_WAY.nbytes == 0
    assert [one.name for one in sorted(kept.of(ONE).iterdir())] == [
        DIGEST[:24],
        f"{DIGEST[:24]}.json",
    ]
    send(kept)
    assert reading.room[1] == (ONE, "here", 2 * 2**30), "where nobody says how many bytes it has"
    with pytest.raises(ValueError, match="The file has more than the 0 MB allowed: save the back"):
        send(kept, "large.pth", size=11)
    assert not list(kept.folder.rglob("large*"))


def test_a_folder_in_a_zip_is_named_without_it(kept: Checkpoints, reading: Reading) -> None:
    reading.weights = "model.safetensors"
    made = send(kept, "dinov2.zip")
    assert (made["title"], made["file"]) == ("dinov2.zip", "dinov2")
    assert reading.asked[1] == ("model.safetensors", DIGEST)


def test_what_it_does_not_tell_is_asked_and_answered(kept: Checkpoints, reading: Reading) -> None:
    reading.untold = True
    first = send(kept)
    question = send(kept)
    assert {k: v for k, v in question.items() if k != "token"} == QUESTION
    assert kept.asked(ONE) == [kept.of(ONE) / f"{question['token']}.asked"], "not the one before"
    assert not (kept.of(ONE) / first["token"]).exists()
    path, asked = kept.find_asked(ONE, question["token"])
    assert asked == {"said": {}, "address": "here", "bytes": 12}
    more = take_answer(kept, ONE, question["token"], field="heads", value="6")
    assert more == {
        "token": question["token"],
        "what": "Which network?",
        "field": "branch",
        "choices": ["student", "teacher"],
    }
    assert kept.find_asked(ONE, question["token"])[1]["said"] == {"heads": "6"}
    with pytest.raises(ValueError, match="no longer kept"):
        take_answer(kept, TWO, question["token"], field="branch", value="student")
    reading.untold = False
    made: Any = take_answer(kept, ONE, question["token"], field="branch", value="student")
    digest = hashlib.sha256(b"rewritten").hexdigest()
    assert (made["digest"], made["title"], made["file"]) == (digest, "my.pth", "my.pth")
    assert (made["said"], made["address"]) == ({"heads": "6", "branch": "student"}, "here")
    assert kept.asked() == []
    assert not path.exists()


def test_what_is_refused_leaves_nothing(
    kept: Checkpoints, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("This is no checkpoint.")

    monkeypatch.setattr(module, "read_checkpoint", refuse)
    with pytest.raises(ValueError, match="This is no checkpoint"):
        send(kept)
    assert list(kept.of(ONE).iterdir()) == []


@pytest.mark.parametrize("links", [True, False])
def test_what_a_run_has_written_is_kept_as_it_is_now(
    kept: Checkpoints,
    reading: Reading,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    links: bool,
) -> None:
    weights = tmp_path / "step-3.safetensors"
    weights.write_bytes(b"some weights")
    if not links:

        def refuse(*_: Any) -> None:
            raise OSError

        monkeypatch.setattr(module.os, "link", refuse)
    made = take_milestone(kept, weights, owner=ONE, title="A run, step 3", file="runs/a/x")
    assert (made["title"], made["file"], made["address"]) == ("A run, step 3", "runs/a/x", "")
    assert (made["digest"], made["bytes"]) == (DIGEST, 12)
    assert reading.room == [(ONE, "", 12)]
    assert module.ON_THEIR_WAY.nbytes == 0
    file, _ = kept.find(ONE, made["name"])
    assert file.samefile(weights) == links
    weights.unlink()
    with pytest.raises(ValueError, match="The run has let go of this checkpoint: choose a newer"):
        take_milestone(kept, weights, owner=ONE, title="t", file="f")
    assert file.read_bytes() == b"some weights"
    assert len(list(kept.of(ONE).iterdir())) == 2
