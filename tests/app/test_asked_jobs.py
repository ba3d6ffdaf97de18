"""jobs/run_request.py and gallery_request.py by themselves: what a form becomes, field by field."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.jobs import gallery_request, run_request
from app.jobs.gallery_cards import GalleryJob
from app.jobs.gallery_request import GalleryForm
from app.jobs.run_cards import RunJob
from app.jobs.run_request import RunForm
from app.paths import SAMPLES
from dino_core.runs.request import RunRequest
from dino_core.scenes.gallery import Options
from dino_core.scenes.zips import PictureChoice


class Models:
    """Those of a page that load nothing."""

    device, default = "cuda", "tiny"

    def options_of(self, name: str, owner: str) -> tuple[str | None, str | None]:
        if name == "nothing":
            raise ValueError("Choose a model that is on this machine.")
        return (None, f"/{owner}/own.pth") if name == "own" else (name, None)

    def title_of(self, name: str, owner: str) -> str:
        return f"{name} of {owner}"

    def weights_of(self, name: str) -> Path | None:
        return None


# --- a run


class Uploads:
    def __init__(self) -> None:
        self.kept: list[Any] = []

    def find(self, owner: str, token: str) -> tuple[Path, Any]:
        if (owner, token) == ("one", "flat"):
            return Path("/flat.zip"), {"name": "flat.zip", "classes": {}, "choice": {}}
        if (owner, token) == ("one", "named"):
            choice = {"include": ["masks"], "exclude": ["red"], "stretch": True}
            return Path("/named.zip"), {"name": "named.zip", "classes": {"a": 3}, "choice": choice}
        raise ValueError("These pictures are no longer kept.")

    def keep_picture(self, owner: str, picture: Any) -> Path:
        self.kept.append((owner, picture))
        return Path("/yours.png")


class Runs:
    folder = Path("/runs")

    def __init__(self) -> None:
        self.uploads = Uploads()

    def new_name(self, word: str) -> str:
        return f"{word}-1"

    def now(self) -> float:
        return 5.0


@pytest.fixture(autouse=True)
def fits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything fits; which heads were looked for."""
    checked: list[Any] = []
    monkeypatch.setattr(run_request, "check_fits", lambda request: checked.append("fits"))
    monkeypatch.setattr(run_request, "check_heads", lambda request: checked.append("heads"))
    return checked


def ask(**values: Any) -> tuple[RunJob, RunRequest]:
    pictures = SimpleNamespace(
        get=lambda secret, key: (
            SimpleNamespace(picture=SimpleNamespace(source="the picture"))
            if (secret, key) == ("secret", "key")
            else None
        )
    )
    form = RunForm(values, "one", "secret", "here")
    return run_request.job_for(form, Runs(), Models(), pictures)  # type: ignore[arg-type]


def test_a_pretraining_on_the_samples(monkeypatch: pytest.MonkeyPatch, fits: list[Any]) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    job, request = ask(preset="tiny", steps=7, batch=4, seed=3, knn=True)
    assert job == RunJob(
        "tiny-1",
        "one",
        "tiny, 7 steps",
        "samples",
        kind="pretraining",
        steps=7,
        data_name="samples",
        asked=5.0,
        address="here",
    )
    assert (request.kind, request.data, request.folder) == (
        "pretraining",
        "samples",
        "/runs/tiny-1",
    )
    assert (request.steps, request.batch, request.seed) == (7, 4, 3)
    assert (request.model, request.weights, request.teacher, request.knn) == (None,) * 4
    assert request.probes == (str(SAMPLES / "cat.jpg"),)
    assert (request.threads, request.device) == (7, "cuda"), "one is left for the page"
    assert fits == ["fits"]
    for cores, threads in ((1, 1), (None, 1), (2, 1), (3, 2)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert ask(preset="tiny", steps=7, batch=4)[1].threads == threads


def test_a_zip_of_the_visitor_s_and_what_is_chosen_of_it() -> None:
    job, request = ask(preset="tiny", steps=7, batch=4, data="named", knn=True)
    assert (job.data, job.data_name, job.private) == ("/named.zip", "named.zip", True)
    assert (request.data, request.knn) == ("/named.zip", "/named.zip")
    chosen = (tuple(request.include), tuple(request.exclude), request.stretch)
    assert chosen == (("masks",), ("red",), True)
    assert ask(preset="tiny", steps=7, batch=4, data="named")[1].knn is None
    assert ask(preset="tiny", steps=7, batch=4, data="flat", knn=True)[1].knn is None
    with pytest.raises(ValueError, match="no longer kept"):
        ask(preset="tiny", data="another")


def test_a_fine_tuning_wants_labels_and_a_model() -> None:
    job, request = ask(kind="fine-tuning", data="named", model="m", part="head", epochs=3, knn=True)
    assert (job.name, job.title, job.steps, job.kind) == (
        "finetune-1",
        "fine-tuning, head",
        3,
        "fine-tuning",
    )
    assert (request.model, request.weights, request.teacher, request.knn) == ("m", None, None, None)
    own = ask(kind="fine-tuning", data="named", model="own")[1]
    assert (own.model, own.weights) == (None, "/one/own.pth")
    for data in ({"data": "flat"}, {"data": "samples"}, {}):
        with pytest.raises(ValueError, match="upload a zip with a folder for each class"):
            ask(kind="fine-tuning", model="m", **data)
    for model in ({}, {"model": 3}, {"model": None}):
        with pytest.raises(ValueError, match="Choose a model to start from that is on this"):
            ask(kind="fine-tuning", data="named", **model)
    with pytest.raises(ValueError, match="Choose a model that is on this machine"):
        ask(kind="fine-tuning", data="named", model="nothing")


def test_a_distillation_has_a_teacher(fits: list[Any]) -> None:
    job, request = ask(kind="distillation", student="photos", model="m", steps=7)
    assert (job.name, job.title) == ("distil-1", "distillation, photos, 7 steps")
    assert (request.model, request.weights, request.teacher) == (None, None, "m")
    assert fits == ["fits"]
    own = ask(kind="distillation", student="photos", model="own", steps=7)[1]
    assert own.teacher == "/one/own.pth"
    fits.clear()
    job, _ = ask(kind="distillation", student="photos", model="m", steps=7, recipe="paper")
    assert job.title == "distillation by prototypes, photos, 7 steps"
    assert fits == ["fits", "heads"]
    with pytest.raises(ValueError, match="Choose a teacher that is on this machine"):
        ask(kind="distillation", student="photos")


def test_what_no_form_says_is_refused_with_what_can_be_said() -> None:
    with pytest.raises(
        ValueError, match=r"A run has no 'folder': what can be said of it is .+"
    ) as no:
        ask(preset="tiny", folder="/etc")
    said = str(no.value).partition("of it is ")[2].rstrip(".").split(", ")
    assert said == sorted((*run_request.BESIDE, *run_request.FROM_FORM))
    assert {"kind", "own_probe", "preset", "gradient_shares", "recipe", "experiment"} < set(said)


def test_pictures_that_a_run_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"preset": "tiny", "steps": 7, "batch": 4}
    two = ask(**asked, probes=["rocket.jpg", "cat.jpg"], own_probe="key")[1].probes
    assert two == (str(SAMPLES / "rocket.jpg"), str(SAMPLES / "cat.jpg"), "/yours.png")
    assert ask(**asked, probes=[], own_probe="")[1].probes == ()
    for probes, words in (
        ("cat.jpg", "must be a list of samples"),
        (["cat.jpg", "../cat.jpg"], "There is no such sample"),
        (["cat.jpg", 3], "There is no such sample"),
    ):
        with pytest.raises(ValueError, match=words):
            ask(**asked, probes=probes)
    with pytest.raises(ValueError, match="Your picture is no longer kept: open it again"):
        ask(**asked, own_probe="another's")


@pytest.mark.parametrize("kind", ["pretraining", "distillation"])
def test_a_preset_that_is_too_large_is_refused(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # what everything fits into
    choices = [{"name": "tiny", "fits": True}, {"name": "huge", "fits": False}]
    other = [{"name": "tiny", "fits": False}, {"name": "huge", "fits": True}]
    asked: list[str] = []

    def offering(which: list[Any]) -> Any:
        return lambda device: asked.append(device) or which

    own, foreign = ("preset", "student") if kind == "pretraining" else ("student", "preset")
    monkeypatch.setattr(run_request, f"{own}_choices", offering(choices))
    monkeypatch.setattr(run_request, f"{foreign}_choices", offering(other))
    request = RunRequest(kind, data="samples", device="cuda")
    run_request.check_fits(replace(request, **{own: "tiny", foreign: "tiny"}))
    with pytest.raises(ValueError, match="The preset huge is too large for this machine"):
        run_request.check_fits(replace(request, **{own: "huge", foreign: "huge"}))
    assert asked == ["cuda", "cuda"]
    run_request.check_fits(RunRequest("fine-tuning", data="samples", preset="huge"))


# --- a gallery


class Galleries:
    folder, page = Path("/galleries"), Path("/galleries/.page")

    def zip_of(self, name: str) -> Path:
        return self.page / f"{name}.zip"

    def now(self) -> float:
        return 5.0


FOUND = {"pictures": 12, "classes": {"a": 6, "b": 6}, "aside": {"masks": 2}}


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    done: list[Any] = []
    monkeypatch.setattr(gallery_request, "look_through", lambda *what: done.append(what) or FOUND)
    return done


def test_a_zip_becomes_a_gallery(looked: list[Any]) -> None:
    form = GalleryForm("pets.zip", "one", "own", 98, "here")
    made = gallery_request.job_for(form, "new", Galleries(), Models())  # type: ignore[arg-type]
    path = "/galleries/.page/new.zip"
    assert made == GalleryJob(
        "new",
        "one",
        "pets.zip",
        path,
        pictures=12,
        classes=2,
        aside={"masks": 2},
        label="own of one",
        options=asdict(Options(None, "/one/own.pth", 98, device="cuda")),
        asked=5.0,
        address="here",
    )
    assert looked == [(Path(path), "pets.zip")]
    plain = gallery_request.job_for(GalleryForm("a.zip", "one"), "n", Galleries(), Models())  # type: ignore[arg-type]
    assert (plain.label, plain.options["model"], plain.options["size"], plain.address) == (
        "tiny of one",
        "tiny",
        224,
        "",
    )


def test_other_answers_are_another_gallery_of_the_same_zip(looked: list[Any]) -> None:
    old = GalleryJob(
        "old",
        "one",
        "pets.zip",
        "/galleries/.page/old.zip",
        pictures=1,
        classes=0,
        label="m",
        options=asdict(Options("m", None, 98)),
        asked=1.0,
        waiting=False,
        launched=3.0,
        refused="before",
        address="here",
    )
    choice = PictureChoice(include=("masks",), exclude=("red",), stretch=True)
    made = gallery_request.chosen_again(old, choice, "new", Galleries())  # type: ignore[arg-type]
    path = "/galleries/.page/new.zip"
    assert made == replace(
        old,
        name="new",
        data=path,
        pictures=12,
        classes=2,
        aside={"masks": 2},
        options=old.options | choice.options(),
        asked=5.0,
        waiting=True,
        launched=0.0,
        refused="",
    )
    assert looked == [(Path(path), "pets.zip", choice)]


@pytest.mark.parametrize("size", [98, 224, 336])
def test_a_gallery_has_one_of_three_sizes(size: int) -> None:
    assert gallery_request.options_for(Models(), "m", size, owner="one").size == size  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"one of 98, 224, 336 px\."):
        gallery_request.options_for(Models(), "m", size + 1, owner="one")  # type: ignore[arg-type]


def test_so_many_pictures_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    form = GalleryForm("pets.zip", "one")
    for count, taken in ((20_000, True), (20_001, False)):
        found = FOUND | {"pictures": count}
        monkeypatch.setattr(gallery_request, "look_through", lambda *_, found=found: found)
        if taken:
            made = gallery_request.job_for(form, "n", Galleries(), Models())  # type: ignore[arg-type]
            assert made.pictures == count
            continue
        with pytest.raises(ValueError, match=r"has 20,001 pictures, more than the 20,000 that"):
            gallery_request.job_for(form, "n", Galleries(), Models())  # type: ignore[arg-type]


def test_a_place_is_given_where_the_disk_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(gallery_request, "need_room", asked.append)
    there = SimpleNamespace(
        folder=tmp_path, page=tmp_path / "a" / ".page", zip_of=lambda name: tmp_path / name
    )
    assert gallery_request.place_for(there, "new") == tmp_path / "new"  # type: ignore[arg-type]
    assert (asked, there.page.is_dir()) == ([tmp_path], True)
