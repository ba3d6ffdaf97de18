"""jobs/uploads.py by itself: what is written, what makes room for it, and when it goes. Zips of a
few bytes that nobody opens, and a clock that is a number."""

import asyncio
import os
from collections import namedtuple
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.jobs import uploads as module
from app.jobs.uploads import Uploads
from dino_core.jobs import read_json
from dino_core.scenes.zips import PictureChoice

NOW = 10**9 + 0.0
DAY = 24 * 3600.0
FOUND = dict.fromkeys(module.Upload.__required_keys__ - {"token", "name", "bytes"}, 3)
OTHER = PictureChoice(include=("masks",), exclude=(), stretch=False)


@pytest.fixture
def used() -> set[str]:
    return set()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Zips that were looked through, and how."""
    done: list[Any] = []
    monkeypatch.setattr(module, "contents", lambda *what: done.append(what) or FOUND)
    return done


@pytest.fixture
def uploads(tmp_path: Path, used: set[str], looked: list[Any]) -> Uploads:
    return Uploads(tmp_path / "uploads", lambda: used, lambda: NOW)


def run(coroutine: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


def lay(uploads: Uploads, owner: str, name: str, age: float = 0.0, address: str = "") -> Path:
    """A zip that has lain there for so long."""
    path = uploads.of(owner) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"zip")
    path.with_suffix(".json").write_text(f'{{"address": "{address}"}}')
    for one in (path, path.with_suffix(".json")):
        os.utime(one, (NOW - age, NOW - age))
    return path


def names(uploads: Uploads) -> list[str]:
    return sorted(path.name for path in uploads.folder.glob("*/*.zip"))


def test_what_was_sent_is_noted_with_where_it_came_from(
    uploads: Uploads, looked: list[Any]
) -> None:
    owner = "o" * 64
    sent = run(uploads.take(parts(b"ab", b"c"), owner, "mine.zip", "here"))
    assert sent == {"token": sent["token"], "name": "mine.zip", "bytes": 3, **FOUND}
    path = uploads.folder / ("o" * 32) / f"{sent['token']}.zip"
    assert (len(sent["token"]), path.read_bytes()) == (24, b"abc")
    assert read_json(path.with_suffix(".json")) == {**sent, "address": "here"}
    assert looked == [(path, module.AS_IT_IS)]
    assert uploads.find(owner, sent["token"]) == (path, {**sent, "address": "here"})
    assert uploads.choose(owner, sent["token"], OTHER) == sent
    assert looked[1] == (path, OTHER)
    assert module.came_from(path) == "here"
    assert module.came_from(path.with_name("none.zip")) is None
    path.with_suffix(".json").write_text('{"token": "x"}')
    with pytest.raises(ValueError, match="no longer kept"):
        uploads.find(owner, sent["token"])
    path.unlink()
    with pytest.raises(ValueError, match="no longer kept"):
        uploads.choose(owner, sent["token"], OTHER)


@pytest.mark.parametrize("links", [True, False])
def test_a_zip_that_is_here_has_another_name_or_is_copied(
    uploads: Uploads,
    looked: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    links: bool,
) -> None:
    there = tmp_path / "there.zip"
    there.write_bytes(b"abcd")
    os.utime(there, (1, 1))
    if not links:

        def refuse(*_: Any) -> None:
            raise OSError

        monkeypatch.setattr(module.os, "link", refuse)
    rooms: list[Any] = []
    monkeypatch.setattr(uploads, "_make_room", lambda *who: rooms.append(who))
    taken = uploads.take_from(there, "one", "mine.zip", choice=OTHER, address="here")
    own, facts = uploads.find("one", taken["token"])
    assert taken == {"token": own.stem, "name": "mine.zip", "bytes": 4, **FOUND}
    assert facts == {**taken, "address": "here"}
    assert (own.samefile(there), own.read_bytes()) == (links, b"abcd")
    assert own.stat().st_mtime > NOW, "it counts as new"
    assert (looked, rooms) == ([(own, OTHER)], [("one", "here")])
    assert uploads.same_as(there, "one") == ([own] if links else [])
    assert uploads.same_as(there, "two") == []
    assert uploads.same_as(tmp_path / "none.zip", "one") == []
    with pytest.raises(ValueError, match="no longer kept"):
        uploads.take_from(tmp_path / "none.zip", "one", "x", choice=OTHER)


def test_what_cannot_be_looked_through_leaves_nothing(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there.zip"
    there.write_bytes(b"abcd")

    def refuse(path: Path, _: Any) -> None:
        raise ValueError(f"{path} is no zip.")

    monkeypatch.setattr(module, "contents", refuse)
    with pytest.raises(ValueError, match=r"^mine\.zip is no zip\.$"):
        uploads.take_from(there, "one", "mine.zip", choice=OTHER)
    with pytest.raises(ValueError, match=r"^mine\.zip is no zip\.$"):
        run(uploads.take(parts(b"a"), "one", "mine.zip"))
    assert list(uploads.of("one").iterdir()) == []


def test_the_oldest_that_no_run_uses_make_room(uploads: Uploads, used: set[str]) -> None:
    for age, name in enumerate("abcde"):
        path = lay(uploads, "one", f"{name}.zip", age)
    used.add(str(path))
    lay(uploads, "two", "other.zip", 99)
    uploads._make_room("one", "")
    assert names(uploads) == ["a.zip", "b.zip", "c.zip", "e.zip", "other.zip"]
    assert not (uploads.of("one") / "d.json").exists()
    assert (uploads.of("one") / "e.json").exists()


@pytest.mark.parametrize(("count", "taken"), [(11, True), (12, False)])
def test_zips_of_an_address(uploads: Uploads, used: set[str], count: int, taken: bool) -> None:
    for i in range(count):
        lay(uploads, f"visitor {i}", f"{i}.zip", address="here")
    used.add(str(lay(uploads, "busy", "busy.zip", address="here")))
    uploads._make_room("new", "there")
    uploads._make_room("new", "")
    if taken:
        uploads._make_room("new", "here")
        return
    with pytest.raises(ValueError, match="12 zips from your address are kept already, for a day"):
        uploads._make_room("new", "here")


def test_all_zips_and_those_that_come_have_so_many_bytes(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UPLOADS", 106)
    monkeypatch.setattr(module, "MAX_ZIP", 100)
    for name in ("a.zip", "b.zip"):
        lay(uploads, name, name)
    with uploads._on_its_way():
        uploads._make_room("new", "")
        lay(uploads, "one", "c.zip")
        with pytest.raises(ValueError, match="There is no room for more files on this server"):
            uploads._make_room("new", "")
    assert uploads._coming == 0
    uploads._make_room("new", "")


@pytest.mark.parametrize(("free", "room"), [(0, True), (-1, False)])
def test_the_disk_keeps_what_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, room: bool
) -> None:
    asked: list[Path] = []
    usage = namedtuple("Usage", "free")(2 * 2**30 + 7 + 5 + free)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: asked.append(path) or usage)
    with module.ON_THEIR_WAY.counted(7):
        if room:
            module.need_room(tmp_path, 5)
        else:
            with pytest.raises(ValueError, match="There is no room"):
                module.need_room(tmp_path, 5)
    assert asked == [tmp_path]


def test_what_nobody_touched_for_a_day_goes(uploads: Uploads, used: set[str]) -> None:
    lay(uploads, "one", "young.zip", DAY)
    lay(uploads, "one", "old.zip", DAY + 1)
    used.add(str(lay(uploads, "one", "needed.zip", 9 * DAY)))
    half = lay(uploads, "one", "half.part", DAY + 1)
    picture = uploads.of("one") / "yours-1.png"
    picture.write_bytes(b"png")
    os.utime(picture, (1, 1))
    used.add(str(picture))
    uploads.sweep()
    left = sorted(path.name for path in uploads.of("one").iterdir())
    assert left == ["needed.json", "needed.zip", "young.json", "young.zip", "yours-1.png"]
    assert not half.exists()
    used.clear()
    uploads.sweep()
    assert sorted(path.name for path in uploads.of("one").iterdir()) == ["young.json", "young.zip"]


def test_zips_that_no_run_needs_are_thrown_away(uploads: Uploads, used: set[str]) -> None:
    needed, other = (lay(uploads, "one", f"{name}.zip") for name in ("a", "b"))
    used.add(str(needed))
    uploads.forget_unused([needed, other, other.with_name("none.zip")])
    assert sorted(path.name for path in uploads.of("one").iterdir()) == ["a.json", "a.zip"]


def test_a_picture_that_is_followed_is_a_file(uploads: Uploads) -> None:
    from PIL import Image

    path = uploads.keep_picture("o" * 64, Image.new("RGB", (3, 2), "red"))
    assert path.parent == uploads.folder / ("o" * 32)
    assert (path.name[:6], path.suffix, len(path.name)) == ("yours-", ".png", 6 + 12 + 4)
    with Image.open(path) as image:
        assert (image.size, image.getpixel((0, 0))) == ((3, 2), (255, 0, 0))


def test_what_comes_from_an_address_is_counted_and_let_go() -> None:
    way = module.OnTheirWay()
    with way.counted(5, "here"), way.counted(7):
        assert (way.nbytes, dict(way._by_address)) == (12, {"here": 1, "": 1})
        with pytest.raises(KeyError), way.counted(9, "there"):
            raise KeyError
        assert way.nbytes == 12
    assert (way.nbytes, dict(way._by_address)) == (0, {})


@pytest.mark.parametrize(("most", "fits"), [(3, True), (2, False)])
def test_a_body_becomes_a_file_when_it_is_whole(tmp_path: Path, most: int, fits: bool) -> None:
    path = tmp_path / "x.zip"

    async def coming() -> AsyncIterator[bytes]:
        yield b"ab"
        assert [one.name for one in tmp_path.iterdir()] == ["x.part"]
        yield b"c"

    if fits:
        assert run(module.receive(coming(), path, most, "send less.")) == 3
        assert [one.name for one in tmp_path.iterdir()] == ["x.zip"]
        return
    with pytest.raises(ValueError, match="The film has more than the 0 MB allowed: send less"):
        run(module.receive(coming(), path, most, "send less.", what="film"))
    assert list(tmp_path.iterdir()) == []


def test_why_a_body_was_not_kept_is_said_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="The zip could not be kept on this server: No such"):
        run(module.receive(parts(b"a"), tmp_path / "none" / "x.zip", 9, "."))
    monkeypatch.setattr(module, "STALLED", 0.01)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    with pytest.raises(ValueError, match=r"^The film has stopped coming: send it again\.$"):
        run(module.receive(stalled(), tmp_path / "x.zip", 9, ".", what="film"))
    assert list(tmp_path.iterdir()) == []
    assert module.modified(tmp_path / "none") == 0.0
