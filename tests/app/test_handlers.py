"""handlers.py and updates.py: what a touch of the rail opens, under which key, and what a refusal
leaves as it was. No browser, a tiny model."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from tiny_home import with_gallery

from app.page.handlers import NOT_TAKEN, Handlers
from app.page.updates import Session
from app.services import Services, build_services
from app.visitors import COOKIE

NAMES = ("session", "picture", "status", "badge", "model", "size", "seed")
GALLERY = "shown-0-colours"
WELCOME = "Welcome back: this is what you had open."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_gallery(tmp_path_factory.mktemp("home"), 2) as home:
        yield home


@pytest.fixture
def services(home: Path) -> Services:
    return build_services(None, home / "tiny.safetensors", "cpu", galleries=[home / "colours"])


class Page:
    """The handlers of a page, and one visitor who touches it."""

    def __init__(self, services: Services, secret: str = "ada") -> None:
        rail: Any = SimpleNamespace(**{name: name for name in NAMES})
        views: Any = {"gallery": "", "tray": "", "strip": "strip"}
        self.services, self.secret = services, secret
        self.handlers = Handlers(services, "session", rail, views)  # type: ignore[arg-type]
        cookie = services.visitors.cookie_of(secret) if secret else ""
        self.request: Any = SimpleNamespace(cookies={COOKIE: cookie} if cookie else {})
        self.session = Session()

    def touch(self, name: str, *values: Any, shown: str = "") -> dict[str, Any]:
        """What a handler changes, as a page is told it."""
        call = getattr(self.handlers, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Gradio's toasts
            update = call(self.session, shown, *values, self.request)
        self.session = update.get("session", self.session)
        return dict(update)

    def arrive(self, link: str = "", model: str = "tiny", size: int = 224, seed: int = 0) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            update = self.handlers.arrive(link, model, size, seed, self.request)
        self.session = update.get("session", self.session)
        return update

    def upload(self, folder: Path, colour: str = "teal") -> str:
        """Where the server has put a picture of this visitor's."""
        path = folder / "hash" / "own.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (60, 40), colour).save(path)
        self.services.uploads.add(self.secret, [str(path)])
        return str(path)


@pytest.fixture
def page(services: Services) -> Page:
    return Page(services)


def shown(update: dict[str, Any]) -> tuple[Any, ...]:
    view = update["strip"]["view"]
    return view["model"], view["size"], view["seed"], view["sample"], view.get("origin", "")


def test_a_touch_opens_what_it_names(page: Page, tmp_path: Path) -> None:
    """Each with its own words, model, size and seed, and under a key of the visitor's own."""
    path = page.upload(tmp_path)
    own = page.services.trays.add("ada", "kept.png", Image.new("RGB", (60, 40), "red"))
    touched = [
        ("open_sample", "coffee.jpg", "coffee.jpg", "", "Coffee"),
        ("open_file", path, "", "upload/hash", "Your picture."),
        (
            "open_gallery_picture",
            {"gallery": GALLERY, "index": 4},
            "",
            f"gallery/{GALLERY}/4",
            "00.png, from your pictures.",
        ),
        ("open_tray_picture", {"row": "sample/cat.jpg"}, "cat.jpg", "", "cat"),
        (
            "open_tray_picture",
            {"row": f"gallery/{GALLERY}/1"},
            "",
            f"gallery/{GALLERY}/1",
            "from your pictures.",
        ),
        (
            "open_tray_picture",
            {"row": f"own/{own}"},
            "",
            f"upload/{own}",
            "kept.png, from the tray",
        ),
    ]
    keys = []
    for name, what, sample, origin, words in touched:
        update = page.touch(name, what, "tiny", 448, 7)
        assert shown(update) == ("tiny", 448, 7, sample, origin)
        assert words.lower() in update["status"].lower()
        assert (update["model"], update["size"], update["seed"]) == ("tiny", 448, 7)
        keys.append(update["session"].key)
        assert page.services.pictures.get("ada", keys[-1]) is not None
        assert page.services.pictures.get("bob", keys[-1]) is None
    assert len(set(keys)) == len(touched)


REFUSED: list[tuple[str, tuple[Any, ...], str]] = [
    ("open_sample", ("../x.jpg", "tiny", 224, 0), "There is no such sample."),
    ("open_sample", ("cat.jpg", "tiny", 225, 0), "one of 224 px, 448 px, 518 px"),
    ("open_sample", ("cat.jpg", "tiny", 224, -1), "from 0 to 2,147,483,647"),
    ("open_sample", ("cat.jpg", "tiny", 224, 2**31), "from 0 to 2,147,483,647"),
    ("open_sample", ("cat.jpg", "nothing", 224, 0), "nothing"),
    ("open_file", ("/etc/passwd", "tiny", 224, 0), "Upload the picture first."),
    ("open_gallery_picture", (None, "tiny", 224, 0), "There is no such picture."),
    ("open_gallery_picture", ({"gallery": GALLERY}, "tiny", 224, 0), "There is no such picture."),
    (
        "open_gallery_picture",
        ({"gallery": GALLERY, "index": "x"}, "tiny", 224, 0),
        "There is no such picture.",
    ),
    ("open_gallery_picture", ({"gallery": "b", "index": 0}, "tiny", 224, 0), "no such gallery"),
    ("open_gallery_picture", ({"gallery": GALLERY, "index": 6}, "tiny", 224, 0), "no picture 6"),
    ("open_tray_picture", ({"row": "own/none"}, "tiny", 224, 0), "no longer kept"),
    ("open_tray_picture", ({"row": f"gallery/{GALLERY}/x"}, "tiny", 224, 0), "no longer kept"),
    ("open_tray_picture", (None, "tiny", 224, 0), "no longer kept"),
    ("change_model", ("nothing", 224, 0), "nothing"),
    ("change_model", ("tiny", 300, 0), "one of 224 px, 448 px, 518 px"),
    ("open_checkpoint", ("checkpoint-" + "0" * 24, "tiny", 224, 0), "no longer kept"),
]


@pytest.mark.parametrize(("name", "values", "words"), REFUSED)
def test_a_refusal_leaves_what_is_shown(
    page: Page, name: str, values: tuple[Any, ...], words: str
) -> None:
    before = page.touch("open_sample", "coffee.jpg", "tiny", 448, 3)["session"]
    update = page.touch(name, *values)
    assert words in update["status"]
    assert "strip" not in update
    assert page.session == before
    assert (update["model"], update["size"]) == ("tiny", 448), "the choices go back"
    assert update["picture"] is not None, "and so does the thumbnail"
    page.session = Session()  # as on a page that was opened before the server was started anew
    again = page.touch(name, *values, shown=before.key)
    assert words in again["status"]
    assert (again["model"], again["size"]) == ("tiny", 448), "the page itself says what it shows"


def test_what_a_visitor_wrote_is_text_wherever_it_is_said(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("app.page.updates.gr.Warning", told.append)
    update = page.touch("open_sample", "cat.jpg", "<img src=x>", 224, 0)
    assert "&lt;img src=x&gt;" in update["status"]
    assert "&lt;img src=x&gt;" in told[0]
    assert not any("<img" in words for words in (*told, update["status"]))


def test_another_model_or_size_is_of_the_same_picture(page: Page, tmp_path: Path) -> None:
    page.touch("open_file", page.upload(tmp_path), "tiny", 224, 5)
    first = page.session.key
    assert set(page.touch("change_model", "tiny", 224, 5)) == {"status"}, "left as it was"
    update = page.touch("change_model", "tiny", 448, 5)
    assert shown(update) == ("tiny", 448, 5, "", "upload/hash")
    assert update["strip"]["view"]["source_size"] == (60, 40)
    assert page.session.key != first
    stranger = Page(page.services, "bob")
    assert "Open a picture first." in stranger.touch("change_model", "tiny", 448, 5)["status"]
    refused = stranger.touch("change_model", "tiny", 448, 5, shown=first)
    assert "Open a picture first." in refused["status"], "another's key opens nothing"


def test_another_seed_draws_again_and_no_model_runs(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.touch("open_sample", "coffee.jpg", "tiny", 224, 3)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("looked at again")

    monkeypatch.setattr(page.services.models, "inspect", refuse)
    assert shown(page.touch("redraw", 9)) == ("tiny", 224, 9, "coffee.jpg", "")
    assert "strip" not in page.touch("redraw", None), "the field is empty for a moment"
    assert "from 0 to" in page.touch("redraw", 2**31)["status"]
    page.session = Session()
    assert "strip" not in page.touch("redraw", 9)
    key = page.services.pictures.newest("ada")
    assert shown(page.touch("redraw", 9, shown=str(key)))[2] == 9, "as the page itself says it"


def test_a_widget_that_lost_its_picture_has_it_again(page: Page) -> None:
    page.touch("open_sample", "coffee.jpg", "tiny", 224, 3)
    assert set(page.touch("restore", "")) == {"status"}
    update = page.touch("restore", "emptied")
    assert NOT_TAKEN in update["status"]
    assert update["picture"] is not None


# --- arriving


def test_a_newcomer_is_shown_the_sample_and_who_comes_back_what_was_open(page: Page) -> None:
    assert shown(page.arrive())[:4] == ("tiny", 224, 0, "cat.jpg")
    link = "#sample=coffee.jpg&model=tiny&size=448&seed=11"
    assert shown(page.arrive(link)) == ("tiny", 448, 11, "coffee.jpg", "")
    key = page.session.key
    again = page.arrive("#sample=coffee.jpg&model=tiny&size=448&seed=12")
    assert (again["session"].key, WELCOME in again["status"]) == (key, True)
    assert shown(again)[2] == 12
    assert Page(page.services, "bob").arrive(link)["session"].key != key, "another visitor"
    nobody = Page(page.services, "")
    assert nobody.arrive(link)["session"].key != nobody.arrive(link)["session"].key


def test_a_link_to_a_picture_of_ones_own(page: Page, tmp_path: Path) -> None:
    page.touch("open_file", page.upload(tmp_path), "tiny", 224, 5)
    link = f"#picture={page.session.key}&model=tiny&size=224&seed=6"
    for update in (page.arrive(link), page.touch("travel", link, "tiny", 224, 0)):
        assert (update["session"].key, WELCOME in update["status"]) == (page.session.key, True)
    stranger = Page(page.services, "bob")
    for update in (stranger.arrive(link), stranger.touch("travel", link, "tiny", 224, 0)):
        assert "The picture of this link is not here" in update["status"]
        assert shown(update)[:2] == ("tiny", 224)
        assert shown(update)[3] == "cat.jpg"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("#size=many", "This link is damaged."),
        ("#seed=-1", "This link is damaged."),
        ("#seed=2147483648", "This link is damaged."),
        ("#seed=99999999999999999999", "This link is damaged."),
        ("#seed=many", "This link is damaged."),
        pytest.param(f"#seed={'9' * 5000}", "This link is damaged.", id="a seed of 5,000 digits"),
        ("#size=99999999999999999999", "one of 224 px, 448 px, 518 px"),
        ("#model=<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("#sample=..%2Fx.jpg", "There is no such sample."),
    ],
)
def test_an_odd_link_gets_words(page: Page, link: str, words: str) -> None:
    assert words in page.arrive(link)["status"]


def test_a_step_of_the_history_leads_to_what_it_names(page: Page) -> None:
    page.touch("open_sample", "coffee.jpg", "tiny", 224, 3)
    update = page.touch("travel", "#sample=rocket.jpg&size=448&model=tiny", "tiny", 224, 3)
    assert shown(update) == ("tiny", 448, 3, "rocket.jpg", "")
    before = page.session
    assert "damaged" in page.touch("travel", "#size=x", "tiny", 224, 3)["status"]
    assert page.session == before
    assert shown(page.touch("travel", None, "tiny", 224, 3))[3] == "cat.jpg"


def test_a_checkpoint_that_comes_and_goes(page: Page, home: Path) -> None:
    from tiny_models import tiny_vit

    from app.jobs.checkpoints import take_milestone
    from app.visitors import owner_of
    from dino_core.weights import save_backbone

    page.touch("open_sample", "coffee.jpg", "tiny", 224, 3)
    file = save_backbone(tiny_vit(seed=3), home / "came.safetensors")
    checkpoints, owner = page.services.checkpoints, owner_of("ada")
    facts = take_milestone(checkpoints, file, owner=owner, title="came", file="f")
    update = page.touch("open_checkpoint", facts["name"], "tiny", 224, 3)
    assert shown(update)[0] == facts["name"]
    assert update["model"]["value"] == facts["name"]
    assert ("came (yours)", facts["name"]) in update["model"]["choices"]
    listed = page.touch("open_checkpoint", "", facts["name"], 224, 3)
    assert set(listed) == {"model"}, "another has gone: what is shown stays"
    checkpoints.remove(owner, facts["name"])
    gone = page.touch("open_checkpoint", "", facts["name"], 224, 3)
    assert shown(gone)[0] == "tiny"
    assert facts["name"] not in str(gone["model"]["choices"])
