"""jobs/galleries.py by itself: what is written down of a gallery, what its process is told, what is
let go of, and after how long. No process."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.jobs import galleries as gallery_jobs
from app.jobs.galleries import Galleries, shown_jobs
from app.jobs.gallery_cards import GalleryJob
from dino_core.scenes.gallery import NotReady, Options

NOW = 10**9 + 0.0
DAY = 24 * 3600.0


def gallery(name: str, owner: str = "one", **more: Any) -> GalleryJob:
    facts: dict[str, Any] = {"pictures": 3, "classes": 2, "label": "m", "options": {"size": 98}}
    return GalleryJob(name, owner, f"{name}.zip", "/z.zip", **{"asked": 1.0} | facts | more)


def ended(name: str, owner: str = "one", **more: Any) -> GalleryJob:
    return gallery(name, owner, **{"waiting": False, "refused": "A test."} | more)


@pytest.fixture
def launched() -> list[Any]:
    return []


@pytest.fixture
def galleries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: list[Any]) -> Galleries:
    monkeypatch.setattr(gallery_jobs, "launch", lambda *what: launched.append(what) or 1)
    return Galleries(tmp_path / "galleries", clock=lambda: NOW)


def test_a_process_is_told_the_data_the_folder_and_all_options(
    galleries: Galleries, launched: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options("m", "/w.pth", 98, device="cuda")
    galleries.add(gallery("a", options=asdict(options), refused="before"))
    assert launched == [("/z.zip", galleries.folder / "a", options)]
    job = galleries.job("a")
    assert job is not None
    assert (job.waiting, job.launched, job.refused) == (False, NOW, "")
    galleries.add(gallery("b", "two", options={"nonsense": 1}))
    galleries._put(replace(job, refused="A test."))
    assert galleries.advance() is False
    job = galleries.job("b")
    assert job is not None
    assert (job.waiting, job.launched) == (False, NOW)
    assert "nonsense" in job.refused


def test_the_samples_are_written_down_as_everybody_s(galleries: Galleries, tmp_path: Path) -> None:
    stored = tmp_path / "stored"
    options = Options("preview_vits14", None, 224)
    galleries.bring_samples(options, stored)
    wanted = GalleryJob(
        "samples",
        "",
        "The samples",
        "samples",
        pictures=8,
        classes=0,
        label="preview_vits14",
        options=json.loads(json.dumps(asdict(options))),
        asked=0.0,
        waiting=True,
    )
    assert galleries.job("samples") == wanted
    galleries._put(replace(wanted, asked=5.0))
    galleries.bring_samples(options, stored)
    assert galleries.job("samples") == replace(wanted, asked=5.0), "they wait already"
    stored.mkdir()
    (stored / "config.json").write_text("{}")
    galleries.bring_samples(options, stored)
    assert galleries.job("samples") == replace(wanted, waiting=False)
    assert (galleries.folder / "samples" / "config.json").read_text() == "{}"
    assert not list(galleries.page.glob("samples.*"))
    galleries.bring_samples(Options(None), stored)
    job = galleries.job("samples")
    assert job is not None
    assert job.label == "", "of another model it is another gallery"


@pytest.mark.parametrize(
    ("waiting", "at_work", "features", "brought"),
    [
        (True, False, False, False),
        (False, True, False, False),
        (False, False, True, False),
        (False, False, False, True),
    ],
)
def test_samples_that_are_built_here_are_not_built_twice(
    galleries: Galleries,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waiting: bool,
    at_work: bool,
    features: bool,
    brought: bool,
) -> None:
    galleries._put(replace(gallery("samples", ""), waiting=waiting, label="m", asked=7.0))
    monkeypatch.setattr(galleries, "_at_work", lambda job: at_work)
    monkeypatch.setattr(gallery_jobs, "has_features", lambda folder: features)
    galleries.bring_samples(Options("m"), tmp_path / "none")
    job = galleries.job("samples")
    assert job is not None
    assert (job.asked == 0.0) == brought


def test_the_thread_of_galleries_brings_the_samples_first(
    galleries: Galleries, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(galleries, "_begin", lambda prepare: prepare())
    monkeypatch.setattr(galleries, "bring_samples", lambda options: done.append(options))
    monkeypatch.setattr(galleries, "sweep", lambda: done.append("swept"))
    galleries.begin(lambda: Options("m"))
    assert done == [Options("m"), "swept"]


@pytest.mark.parametrize(("age", "at_work"), [(59.0, True), (60.0, False)])
def test_a_process_has_a_minute_to_say_something(
    galleries: Galleries, age: float, at_work: bool
) -> None:
    job = gallery("a", waiting=False, launched=NOW - age)
    galleries._put(job)
    assert galleries._at_work(job) == at_work
    assert galleries._is_busy() == at_work
    assert not galleries._at_work(replace(job, refused="It could not be started."))
    galleries._put(replace(job, waiting=True))
    assert not galleries._is_busy(), "who waits is not at work"


def test_what_makes_room_for_a_fifth(galleries: Galleries, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not looked at for longest, unless it is at work or the new one itself."""
    for i, name in enumerate("abcd"):
        galleries._put(ended(name, asked=float(i)))
        os.utime(galleries._file(name), (NOW - 10 + i, NOW - 10 + i))
    galleries._put(ended("others", "two"))
    os.utime(galleries._file("others"), (1, 1))
    monkeypatch.setattr(galleries, "_at_work", lambda job: job.name == "a")
    galleries.add(gallery("new"))
    assert sorted(job.name for job in galleries.all_jobs()) == sorted(["others", *"abcd", "new"])
    monkeypatch.setattr(galleries, "_at_work", lambda job: False)
    new = galleries.job("new")
    assert new is not None
    galleries._put(replace(new, waiting=False, refused="A test."))
    galleries.add(gallery("e"))
    assert sorted(job.name for job in galleries.all_jobs()) == sorted(["others", *"cd", "new", "e"])


def test_which_zips_can_be_learned_from(galleries: Galleries) -> None:
    for i, (name, owner) in enumerate([("a", "one"), ("b", "one"), ("c", "one"), ("d", "two")]):
        galleries._put(ended(name, owner, asked=float(i)))
        if name != "b":
            galleries.zip_of(name).write_bytes(b"zip")
    galleries._put(ended("everybody-s", ""))
    galleries.zip_of("everybody-s").write_bytes(b"zip")
    assert [job.name for job in galleries.zips("one")] == ["c", "a"]
    assert galleries.zip_of("a") == galleries.folder / ".page" / "a.zip"


def test_weights_are_needed_until_a_gallery_is_built(
    galleries: Galleries, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, waiting in (("waits", True), ("works", False), ("ended", False), ("none", True)):
        options = {} if name == "none" else {"weights": f"/{name}.pth"}
        galleries._put(gallery(name, waiting=waiting, options=options))
    monkeypatch.setattr(galleries, "_at_work", lambda job: job.name == "works")
    assert galleries.weights_used() == {"/waits.pth", "/works.pth", ""}


def test_what_is_thrown_away_is_stopped_first(
    galleries: Galleries, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    alive = [True, True, False]
    monkeypatch.setattr(gallery_jobs, "stop", lambda folder: done.append(("stop", folder.name)))
    monkeypatch.setattr(gallery_jobs, "state_of", lambda folder: {"alive": alive.pop(0)})
    monkeypatch.setattr(gallery_jobs.time, "sleep", lambda seconds: done.append(seconds))
    galleries._put(ended("a"))
    (galleries.folder / "a").mkdir()
    galleries.zip_of("a").write_bytes(b"zip")
    galleries._throw_away("a")
    assert done == [("stop", "a"), 0.1, 0.1]
    left = [path.name for path in galleries.folder.rglob("a*")]
    assert left == []
    alive = [True] * 31
    galleries._throw_away("a")
    assert len(alive) == 1, "three seconds, and no more"


def test_what_is_swept_and_when(galleries: Galleries, monkeypatch: pytest.MonkeyPatch) -> None:
    thrown: list[str] = []
    monkeypatch.setattr(galleries, "_throw_away", thrown.append)
    monkeypatch.setattr(galleries, "_at_work", lambda job: job.name == "works")
    files = {"old": 7 * DAY + 1, "young": 7 * DAY, "works": 8 * DAY, "everybody-s": 99 * DAY}
    for name, age in files.items():
        galleries._put(ended(name, "" if name == "everybody-s" else "one"))
        os.utime(galleries._file(name), (NOW - age, NOW - age))
    for name, age in {"broken": 7 * DAY + 1, "new": 7 * DAY}.items():
        galleries._file(name).write_text("{")
        os.utime(galleries._file(name), (NOW - age, NOW - age))
    ages = {"old.zip": 9 * DAY, "lost.zip": DAY + 1, "late.zip": DAY, "x.part": DAY + 1}
    for name, age in ages.items():
        (galleries.page / name).write_bytes(b"zip")
        os.utime(galleries.page / name, (NOW - age, NOW - age))
    galleries.sweep()
    assert thrown == ["old", "broken"]
    assert sorted(one.name for one in galleries.page.glob("*.*")) == [
        *("late.zip", "old.zip", "queue.lock")[:2],
    ]


def test_a_look_makes_a_gallery_young_again(galleries: Galleries) -> None:
    galleries._put(ended("a"))
    os.utime(galleries._file("a"), (1, 1))
    with pytest.raises(ValueError, match="no such gallery"):
        galleries.find("a", "two")
    assert galleries._file("a").stat().st_mtime == 1
    assert galleries.find("a", "one") == galleries.folder / "a"
    facts = galleries._file("a").stat()
    assert (facts.st_atime, facts.st_mtime) == (NOW, NOW)


def test_the_newest_stands_first_and_what_is_damaged_last(galleries: Galleries) -> None:
    for i, (name, owner) in enumerate([("a", "one"), ("b", "two"), ("c", "one"), ("s", "")]):
        galleries._put(ended(name, owner, asked=float(9 - i)))
    galleries._put(ended("broken"))
    galleries._file("broken").write_text("{")
    assert [card["name"] for card in galleries.everything("one")] == ["a", "c", "s", "broken"]
    assert [card["name"] for card in galleries.everything("two")] == ["b", "s"]
    assert [card["name"] for card in galleries.everything("")] == ["s"]


def test_places_are_of_those_who_asked_before(galleries: Galleries) -> None:
    for name, asked in (("a", 1.0), ("b", 2.0), ("c", 2.0), ("d", 3.0)):
        galleries._put(gallery(name, name, asked=asked))
    assert [galleries.card(name, name)["place"] for name in "abcd"] == [1, 2, 2, 4]


# --- folders that a server was started with


def test_a_folder_that_is_shown_is_named_by_its_number_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(gallery_jobs, "state_of", lambda folder: asked.append(folder))
    facts = SimpleNamespace(count=5, classes=["x", "y"], title="The model", size=98)

    def names(folder: Path) -> Any:
        if folder.name.startswith("My"):
            return facts
        raise NotReady("Still being built.")

    monkeypatch.setattr(gallery_jobs, "names", names)
    folders = [tmp_path / "My Pets (2)", tmp_path / ("x" * 70), tmp_path / "漢字"]
    jobs = shown_jobs(folders)
    assert [*jobs] == ["shown-0-my-pets-2", f"shown-1-{'x' * 60}", "shown-2-gallery"]
    assert asked == folders
    first = GalleryJob(
        "shown-0-my-pets-2",
        "",
        "My Pets (2)",
        str(folders[0]),
        pictures=5,
        classes=2,
        label="The model",
        options={"size": 98},
        asked=0.0,
        waiting=False,
    )
    assert jobs["shown-0-my-pets-2"] == first
    second = jobs["shown-2-gallery"]
    assert (second.pictures, second.classes, second.label, second.options) == (0, 0, "", {})
    assert second.asked == 2.0
    galleries = Galleries(tmp_path / "g", shown=folders)
    galleries._put(gallery("own"))
    assert galleries.job("shown-0-my-pets-2") == first
    assert [job.name for job in galleries.all_jobs()] == ["own", *jobs]
    assert galleries.folder_of("shown-0-my-pets-2") == folders[0]
    assert galleries.folder_of("own") == galleries.folder / "own"
    assert galleries.find("shown-0-my-pets-2", "anybody") == folders[0]
