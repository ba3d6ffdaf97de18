"""jobs/uploads.py and run_request.py: what visitors send, how much of it is kept, and for whom."""

import asyncio
import json
import os
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from tiny_runs import coloured, picture, zipped

from app.jobs import uploads as module
from app.jobs.run_request import RunForm, job_for
from app.jobs.runs import Runs
from app.jobs.uploads import Uploads
from app.paths import SAMPLES
from app.state.models import Models
from dino_core.runs.request_io import read_request


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: a browser test of this process may have left a loop behind."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def parts(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def take(uploads: Uploads, data: bytes, owner: str = "one", address: str = "") -> Any:
    return run(uploads.take(parts(data), owner, "my own.zip", address))


@pytest.fixture
def used() -> set[str]:
    return set()


@pytest.fixture
def uploads(tmp_path: Path, used: set[str]) -> Uploads:
    return Uploads(tmp_path / "uploads", lambda: used)


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return zipped(tmp_path / "x.zip", coloured(1)).read_bytes()


def kept(uploads: Uploads) -> list[Path]:
    return sorted(path for path in uploads.folder.rglob("*") if path.is_file())


def test_a_zip_is_its_visitor_s_alone(uploads: Uploads, data: bytes) -> None:
    sent = take(uploads, data)
    assert (sent["name"], sent["bytes"], sent["pictures"]) == ("my own.zip", len(data), 3)
    assert "address" not in sent
    path, facts = uploads.find("one", sent["token"])
    assert path.read_bytes() == data
    assert facts["classes"] == sent["classes"]
    other = f"../{'one'}/{sent['token']}"
    for owner, token in (("two", sent["token"]), ("two", other), ("one", f"./{sent['token']}")):
        with pytest.raises(ValueError, match="no longer kept"):
            uploads.find(owner, token)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ValueError, match="no longer kept"):
        uploads.find("one", sent["token"])


def test_owners_that_begin_alike_are_two(uploads: Uploads, data: bytes) -> None:
    """They are hexadecimal digits: of many visitors some share the first few."""
    token = take(uploads, data, "0123456789abcdef0")["token"]
    with pytest.raises(ValueError, match="no longer kept"):
        uploads.find("0123456789abcdef1", token)


def test_a_zip_that_is_here_is_taken_without_sending_it_again(
    uploads: Uploads, used: set[str], data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a gallery: it is as young as any upload, and counts as one of its address."""
    there = tmp_path / "gallery.zip"
    there.write_bytes(data)

    os.utime(there, (1, 1))

    def taken(owner: str) -> Any:
        return uploads.take_from(there, owner, "mine", choice=module.AS_IT_IS, address="here")

    first = taken("one")
    assert set(first) == module.Upload.__required_keys__
    own, _ = uploads.find("one", first["token"])
    assert own.samefile(there)
    assert own.stat().st_mtime > 10**9
    os.utime(own, (1, 1))
    assert taken("one")["token"] == first["token"], "it is here already"
    assert own.stat().st_mtime > 10**9
    assert module.came_from(own) == "here"
    assert set(uploads.choose("one", first["token"], module.AS_IT_IS)) == set(first)
    assert module.came_from(own) == "here", "still, and nobody is told"
    monkeypatch.setattr(module, "PER_ADDRESS", 1)
    with pytest.raises(ValueError, match="1 zips from your address"):
        taken("two")
    used.add(str(own))
    uploads.forget_unused([own])
    assert own.exists(), "a run needs it"
    used.clear()
    uploads.forget_unused([own])
    assert (own.exists(), there.exists()) == (False, True)


def test_the_zip_of_a_run_stays(uploads: Uploads, used: set[str], data: bytes) -> None:
    first = take(uploads, data)["token"]
    used.add(str(uploads.find("one", first)[0]))
    tokens = []
    for at in range(module.KEPT_ZIPS + 1):
        tokens.append(take(uploads, data)["token"])
        os.utime(uploads.find("one", tokens[-1])[0], (10**9 + at, 10**9 + at))
        uploads._now = lambda: 10.0**9
    assert uploads.find("one", first)
    with pytest.raises(ValueError, match="no longer kept"):
        uploads.find("one", tokens[0])
    for token in tokens[1:]:
        assert uploads.find("one", token)


def test_an_address_has_its_share(
    uploads: Uploads, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PER_ADDRESS", 2)
    for owner in ("cookie 1", "cookie 2"):
        take(uploads, data, owner, "here")
    with pytest.raises(ValueError, match="2 zips from your address"):
        take(uploads, data, "cookie 3", "here")
    take(uploads, data, "cookie 3", "there")
    take(uploads, data, "cookie 4")


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(
            module.shutil,
            "disk_usage",
            lambda _: namedtuple("Usage", "free")(module.ROOM + module.MAX_ZIP - 1),
        ),
        lambda patch: patch.setattr(module, "MAX_UPLOADS", module.MAX_ZIP - 1),
    ],
)
def test_without_room_nothing_is_taken(
    uploads: Uploads,
    data: bytes,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch], None],
) -> None:
    change(monkeypatch)
    with pytest.raises(ValueError, match="There is no room"):
        take(uploads, data)
    assert not kept(uploads)


def test_what_is_on_its_way_counts(
    uploads: Uploads, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once find room for one."""
    monkeypatch.setattr(module, "MAX_UPLOADS", int(1.5 * module.MAX_ZIP))

    async def at_once() -> list[Any]:
        started = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            started.set()
            yield data[:100]
            await asyncio.sleep(0)
            await refused
            yield data[100:]

        async def second() -> Any:
            await started.wait()
            return await uploads.take(parts(data), "two", "b.zip")

        refused = asyncio.ensure_future(asyncio.wait({asyncio.ensure_future(second())}))
        first = await uploads.take(slow(), "one", "a.zip")
        (done,), _ = await refused
        return [first, done.exception()]

    first, error = run(at_once())
    assert first["pictures"] == 3
    assert "no room" in str(error)
    take(uploads, data, "two")


def test_two_that_begin_at_once_find_room_for_one(
    uploads: Uploads, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is on the disk when the other asks whether there is room."""
    monkeypatch.setattr(module, "MAX_UPLOADS", int(1.5 * module.MAX_ZIP))
    free = namedtuple("Usage", "free")(module.ROOM + 3 * module.MAX_ZIP)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: free)

    async def at_once(*several: Uploads) -> list[Any]:
        """Who is let in sends nothing until the other is let in as well, or refused."""
        met = asyncio.Event()
        inside = []

        async def slow() -> AsyncIterator[bytes]:
            inside.append(1)
            if len(inside) == len(several):
                met.set()
            await met.wait()
            yield data

        async def one(uploads: Uploads) -> Any:
            try:
                return await uploads.take(slow(), "one", "a.zip")
            except Exception as error:
                met.set()
                return error

        return await asyncio.gather(*map(one, several))

    first, second = run(at_once(uploads, uploads))
    assert "no room" in str(first) + str(second)
    other = Uploads(uploads.folder.with_name("other"), set)
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda _: free._replace(free=free.free - module.MAX_ZIP - 1)
    )
    first, second = run(at_once(uploads, other))
    assert "no room" in str(first) + str(second), "one disk, whatever it is for"
    assert (module.ON_THEIR_WAY.nbytes, uploads._coming) == (0, 0)
    assert not list(uploads.folder.parent.rglob("*.part"))


def test_an_address_sends_so_many_at_once() -> None:
    with ExitStack() as stack:
        for _ in range(module.AT_ONCE):
            stack.enter_context(module.ON_THEIR_WAY.counted(1, "here"))
        with (
            pytest.raises(ValueError, match="4 uploads from your address are on their way"),
            module.ON_THEIR_WAY.counted(1, "here"),
        ):
            pass
        stack.enter_context(module.ON_THEIR_WAY.counted(1, "there"))
        for _ in range(module.AT_ONCE + 1):  # from where nobody knows: each may be another's
            stack.enter_context(module.ON_THEIR_WAY.counted(1))
    with module.ON_THEIR_WAY.counted(1, "here"):
        assert module.ON_THEIR_WAY.nbytes == 1


def test_what_stands_still_is_given_up(
    uploads: Uploads, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALLED", 0.01)

    async def stalled() -> AsyncIterator[bytes]:
        yield data[:50]
        await asyncio.Event().wait()

    with pytest.raises(ValueError, match="The zip has stopped coming: send it again"):
        run(uploads.take(stalled(), "one", "a.zip", "here"))
    assert not kept(uploads)
    assert module.ON_THEIR_WAY.nbytes == 0


@pytest.mark.parametrize("end", [ValueError("too much"), ConnectionError("gone"), KeyError("x")])
def test_what_breaks_off_leaves_nothing(uploads: Uploads, data: bytes, end: Exception) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield data[:50]
        raise end

    with pytest.raises((ValueError, KeyError)):
        run(uploads.take(broken(), "one", "a.zip"))
    assert not kept(uploads)


def test_what_is_no_zip_of_pictures_leaves_nothing(uploads: Uploads) -> None:
    for sent in (b"PK no zip at all", b""):
        with pytest.raises(ValueError, match=r"my own\.zip"):
            take(uploads, sent)
    assert not kept(uploads)


def test_what_nothing_uses_is_swept_after_a_day(
    uploads: Uploads, used: set[str], data: bytes
) -> None:
    used.add(str(uploads.find("one", take(uploads, data)["token"])[0]))
    followed = uploads.keep_picture("one", Image.new("RGB", (9, 9)))
    used.add(str(followed))
    take(uploads, data)
    uploads.keep_picture("one", Image.new("RGB", (9, 9)))
    (uploads.of("one") / "half.part").write_bytes(b"PK")
    assert len(kept(uploads)) == 7
    uploads.sweep()
    assert len(kept(uploads)) == 7
    later = max(path.stat().st_mtime for path in kept(uploads)) + module.UNUSED + 1
    uploads._now = lambda: later
    uploads.sweep()
    assert {str(path) for path in kept(uploads)} == used | {
        str(Path(path).with_suffix(".json")) for path in used if path.endswith(".zip")
    }


# --- the form of a run


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def ask(runs: Runs, opened: Any = None, **values: Any) -> Any:
    models = Models.__new__(Models)  # with a file of the user's own in name only
    models.device, models.weights, models.architecture = "cpu", Path("/w/own.pth"), None
    models.default, models.checkpoints = "own", None
    store = SimpleNamespace(get=lambda secret, key: opened and opened(secret, key))
    return job_for(RunForm(values, "one", "secret", "here"), runs, models, store)  # type: ignore[arg-type]


def test_a_form_becomes_a_request(runs: Runs, tmp_path: Path) -> None:
    job, request = ask(
        runs, kind="pretraining", preset="tiny", steps=7, batch=4, seed=3, part="head", blocks=2
    )
    assert (job.title, job.steps, job.address) == ("tiny, 7 steps", 7, "here")
    assert (request.steps, request.batch, request.seed) == (7, 4, 3)
    assert request.folder == str(runs.folder / job.name)
    assert request.probes == (str(SAMPLES / "cat.jpg"),)
    runs.launch = None  # type: ignore[attr-defined]
    from dino_core.runs.request_io import write_request

    assert read_request(write_request(tmp_path, request)) == request


def test_a_run_follows_so_many_samples(runs: Runs) -> None:
    names = sorted(path.name for path in SAMPLES.glob("*.jpg"))
    assert len(names) > 4
    _, request = ask(runs, probes=names)
    assert [Path(probe).name for probe in request.probes] == names[:4]


def test_a_labelled_zip_is_measured_and_tuned_on(runs: Runs, data: bytes) -> None:
    token = take(runs.uploads, data)["token"]
    path = str(runs.uploads.find("one", token)[0])
    _, request = ask(runs, data=token, knn=True)
    assert (request.data, request.knn) == (path, path)
    assert ask(runs, data=token, knn=False)[1].knn is None
    job, request = ask(runs, kind="fine-tuning", data=token, part="all", model="preview_vits14")
    assert (job.title, job.steps) == ("fine-tuning, all", 20)
    assert (request.model, request.weights, request.knn) == ("preview_vits14", None, None)
    _, request = ask(runs, kind="fine-tuning", data=token, model="own")
    assert (request.model, request.weights) == (None, "/w/own.pth")


def test_pictures_without_labels_are_not_tuned_on(runs: Runs, tmp_path: Path) -> None:
    path = zipped(tmp_path / "y.zip", {f"{i}.png": picture(i) for i in range(3)})
    token = take(runs.uploads, path.read_bytes())["token"]
    assert ask(runs, data=token, knn=True)[1].knn is None
    with pytest.raises(ValueError, match="a folder for each class"):
        ask(runs, kind="fine-tuning", data=token)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": True}, "whole number"),
        ({"steps": 100_001}, "from 1 to 100,000"),
        ({"batch": 0}, "from 1 to 4,096"),
        ({"seed": 2**31}, "from 0 to"),
        ({"probes": ["../screenshots/crops.jpg"]}, "no such sample"),
        ({"probes": ["../samples/cat.jpg"]}, "no such sample"),
        ({"probes": [{}]}, "no such sample"),
        ({"probes": "cat.jpg"}, "list of samples"),
        ({"preset": ["tiny"]}, "no preset"),
        ({"preset": "small"}, "too large"),
        ({"kind": ["pretraining"]}, "pretraining, fine-tuning or distillation"),
        ({"data": {"a": 1}}, "no longer kept"),
        ({"preset": "continue", "model": ["own"]}, "on this machine"),
        ({"own_probe": "key"}, "no longer kept"),
        ({"stepz": 3}, "no 'stepz'"),
        ({"kind": "fine-tuning", "folder": "/etc"}, "no 'folder'"),
        ({"device": "cuda"}, "no 'device'"),
    ],
)
def test_what_a_form_may_not_say(runs: Runs, values: dict[str, Any], words: str) -> None:
    json.dumps(values)
    with pytest.raises(ValueError, match=words):
        ask(runs, **values)
    assert not runs.folder.exists() or not list(runs.folder.glob("tiny*"))


def test_an_open_picture_that_a_run_follows_is_written_down(runs: Runs) -> None:
    asked: list[tuple[str, str]] = []
    source = Image.new("RGB", (9, 7), "teal")

    def opened(secret: str, key: str) -> Any:
        asked.append((secret, key))
        return SimpleNamespace(picture=SimpleNamespace(source=source))

    _, request = ask(runs, opened, own_probe="the key", probes=[])
    (path,) = request.probes
    assert asked == [("secret", "the key")]
    assert Path(path).parent == runs.uploads.of("one")
    with Image.open(path) as kept_picture:
        assert (kept_picture.size, kept_picture.getpixel((0, 0))) == ((9, 7), (0, 128, 128))


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_body_has_as_many_bytes_as_are_allowed(tmp_path: Path, more: int, taken: bool) -> None:
    path = tmp_path / "x.zip"
    coming = module.receive(parts(bytes(3000 + more)), path, 3000, "Send less.")
    if taken:
        assert run(coming) == 3000 == path.stat().st_size
    else:
        with pytest.raises(ValueError, match=r"more than the 0 MB allowed: Send less\."):
            run(coming)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "enough"), [(0, True), (-1, False)])
def test_the_disk_keeps_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, enough: bool
) -> None:
    usage = namedtuple("Usage", "free")(module.ROOM + 70 + 5 + free)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with module.ON_THEIR_WAY.counted(70):
        if enough:
            module.need_room(tmp_path, 5)
        else:
            with pytest.raises(ValueError, match="no room for more files"):
                module.need_room(tmp_path, 5)


def test_zips_of_an_address_count_while_no_run_uses_them(
    uploads: Uploads, used: set[str], data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PER_ADDRESS", 1)
    token = take(uploads, data, "one", "here")["token"]
    chosen = uploads.choose("one", token, module.AS_IT_IS)
    assert "address" not in chosen
    with pytest.raises(ValueError, match="1 zips from your address"):
        take(uploads, data, "two", "here")
    used.add(str(uploads.find("one", token)[0]))
    take(uploads, data, "two", "here")
