"""state/models.py and model_list.py by themselves: what a model is loaded with, for whom, and how
the processor is shared. Nothing is loaded, and the clock is a number."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asked import Asked

from app.paths import SAMPLES
from app.state import model_list as list_module
from app.state import models as module
from app.state.models import BUSY, Gone, LoadedModel, Models, check_patches, check_side
from dino_core.vit.between import current_check

OWN = "checkpoint-" + "0" * 24
FACTS = {"title": "Mine", "file": "mine.pth", "digest": "d" * 64, "bytes": 7, "pair": False}


class Checkpoints:
    """One of ada's."""

    def find(self, owner: str, name: str) -> Any:
        if (owner, name) != ("ada", OWN):
            raise ValueError("somebody else's")
        return Path("/kept/mine.pth"), {**FACTS, "said": {"heads": "6"}}

    def everything(self, owner: str) -> Any:
        return [{"title": "Mine", "name": OWN}] if owner == "ada" else []


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was loaded, and how."""
    done: list[Any] = []

    def load(*what: Any, **how: Any) -> Any:
        done.append((*what, how))
        config = SimpleNamespace(patch_size=14)
        vit = SimpleNamespace(name=len(done), config=config)
        return SimpleNamespace(vit=vit, classifier=None)

    monkeypatch.setattr(module, "load_model", load)
    return done


def models(**more: Any) -> Models:
    kept: Any = Checkpoints()
    return Models("preview_vits14", None, "cuda", checkpoints=kept, **more)


def test_what_a_model_is_loaded_with(
    loaded: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "own.pth"
    weights.write_bytes(b"x")
    one = models()
    one.backbone("preview_vits14")
    one.backbone(OWN, owner="ada")
    assert loaded == [
        ("preview_vits14", None, {"device": "cuda", "download": False, "progress": None}),
        (None, Path("/kept/mine.pth"), {"device": "cuda"}),
    ]
    assert one.backbone("preview_vits14") is one.backbone("preview_vits14")
    assert len(loaded) == 2
    with pytest.raises(ValueError, match="somebody else's"):
        one.backbone(OWN, owner="bob")
    loaded.clear()
    monkeypatch.setattr(module, "weights_file", lambda name: None)
    one.backbone("dinov2_vitb14", True, print)
    named = {"device": "cuda", "download": True, "progress": print}
    assert loaded == [("dinov2_vitb14", None, named)]
    loaded.clear()
    own = Models("dinov2_vits14", weights, "cpu")
    own.backbone("own", True)
    plain = {"device": "cpu", "download": False, "progress": None}
    assert loaded == [("dinov2_vits14", weights, plain)]
    for allowed, words in (
        (True, "choose a model that is, or this one in the list of models."),
        (False, "choose a model that is."),
    ):
        with pytest.raises(ValueError, match=words.replace(".", r"\.") + "$"):
            models(allow_downloads=allowed).backbone("dinov2_vitl14", not allowed)


def test_an_error_names_a_file_without_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("/kept/mine.pth is damaged.")

    monkeypatch.setattr(module, "load_model", refuse)
    with pytest.raises(ValueError, match=r"^mine\.pth is damaged\.$"):
        models().backbone(OWN, owner="ada")
    monkeypatch.setattr(module, "weights_file", lambda name: Path("/kept/mine.pth"))
    one = models()
    with pytest.raises(ValueError, match=r"^mine\.pth is damaged\.$"):
        one.backbone("dinov2_vitb14")
    assert one._loaded == {}
    monkeypatch.setattr(module, "weights_file", lambda name: None)
    with pytest.raises(ValueError, match=r"^/kept/mine\.pth is damaged\.$"):
        one.backbone("dinov2_vitb14", True)


def test_a_model_is_let_go_when_nobody_has_used_it(
    loaded: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 5000.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    one = models()
    for name in ("preview_vits14", "dinov2_vitb14"):
        one.backbone(name, True)
    one._loaded["on its way"] = LoadedModel(used=0.0)
    now += 1800
    one.release_unused()
    assert set(one._loaded) == {"preview_vits14", "dinov2_vitb14", "on its way"}
    now += 1
    one.release_unused()
    assert set(one._loaded) == {"preview_vits14", "on its way"}
    now += 99
    one.backbone("preview_vits14")
    assert one._loaded["preview_vits14"].used == now


def test_what_is_said_of_a_model(loaded: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "describe_checkpoint", lambda *what: ("checkpoint", *what))
    monkeypatch.setattr(module, "describe_model", lambda *what: what)
    one: Any = models()
    kind, facts, digest, nbytes = one.describe(OWN, "ada")
    assert (kind, facts["title"], digest, nbytes) == ("checkpoint", "Mine", "d" * 64, 7)
    assert one.describe("dinov2_vits14") == ("dinov2_vits14", None)
    assert loaded == [], "none is loaded for it"
    one.weights, one.default = Path("own.pth"), "own"
    assert one.describe("own")[1] is one.backbone("own")
    assert one.classifier_words(OWN, "ada") == ""
    one.backbone(OWN, owner="ada").classifier = SimpleNamespace(words="Ten classes.")
    assert one.classifier_words(OWN, "ada") == "Ten classes."


def test_names_in_the_list_for_whom_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = [
        SimpleNamespace(name="a", label="A model", on_disk=True),
        SimpleNamespace(name="b", label="B, to be downloaded", on_disk=False),
    ]
    monkeypatch.setattr(list_module, "model_choices", lambda: choices)
    monkeypatch.setattr(list_module, "first_model", lambda: "a")
    one = Models(None, None, "cpu", checkpoints=Checkpoints())  # type: ignore[arg-type]
    assert one.default == "a"
    both = [("A model", "a"), ("B, to be downloaded", "b")]
    assert one.choices() == one.choices("bob") == both
    assert one.choices("ada") == [("Mine (yours)", OWN), *both]
    assert one.available("ada") == [("Mine (yours)", OWN), ("A model", "a")]
    assert Models(None, None, "cpu").choices("ada") == both
    titles = [one.title_of("a", "ada"), one.title_of(OWN, "ada")]
    assert titles == ["a", "Mine"]
    assert [one.file_in_python(name, "ada") for name in ("a", OWN)] == ["", "mine.pth"]
    assert [one.said_in_python(name, "ada") for name in ("a", OWN)] == [{}, {"heads": "6"}]
    model, weights = one.options_of(OWN, "ada")
    assert (model, weights) == (None, str(Path("/kept/mine.pth").resolve()))
    assert one.options_of("a", "ada") == ("a", None)
    for name in ("b", "c"):
        with pytest.raises(ValueError, match=r"^Choose a model that is on this machine\.$"):
            one.options_of(name, "ada")
    for call in (one.title_of, one.file_in_python, one.options_of):
        with pytest.raises(ValueError, match=r"somebody else's|Choose a model"):
            call(OWN, "bob")


def test_a_picture_is_looked_at_for_who_asks(
    loaded: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, asked = models(), []
    is_gone = lambda: False  # noqa: E731

    def exclusive(work: Any, *, is_gone: Any) -> Any:
        asked.append(is_gone)
        return work()

    monkeypatch.setattr(one, "exclusive", exclusive)
    monkeypatch.setattr("dino_core.scenes.picture.look", lambda *what: what)
    seen: Any = one.inspect("source", OWN, 98, owner="ada", is_gone=is_gone)  # type: ignore[arg-type]
    assert (seen[0].name, seen[1:]) == (1, ("source", 98))
    assert asked == [is_gone]
    with pytest.raises(ValueError, match="somebody else's"):
        one.inspect("source", OWN, 98, owner="bob")  # type: ignore[arg-type]
    for size in (1, 518):
        check_side(size)
    for size in (0, 519):
        with pytest.raises(ValueError, match=f"from 1 to 518 px, not {size}"):
            check_side(size)
    check_patches(64 * 14 + 13, 14)
    with pytest.raises(ValueError, match="With patches of 14 px this model cuts 910 px into 4,225"):
        check_patches(910, 14)


# --- sharing the processor


def test_who_waits_is_wanted_and_who_works_is_not() -> None:
    one, counted = models(), []
    with one._running:
        waiting = threading.Thread(target=lambda: one.exclusive(lambda: counted.append(state(one))))
        waiting.start()
        while not one._wanted:
            pass
        assert state(one) == (1, 11)
    waiting.join(20)
    assert counted == [(0, 12)], "whoever is at work holds no place of those who wait"
    assert not one._running.locked()


def state(one: Models) -> tuple[int, int]:
    """How many want the processor, and how many more may wait."""
    return one._wanted, one._waiting._value  # type: ignore[attr-defined]


def test_who_leaves_or_is_refused_is_wanted_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    one = models()
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with one._running:
        with pytest.raises(ValueError, match=BUSY):
            one.exclusive(print)
        with pytest.raises(Gone):
            one.exclusive(print, is_gone=lambda: True)
    assert state(one) == (0, 12)
    with pytest.raises(Gone):
        one.exclusive(print, is_gone=lambda: True)
    assert state(one) == (0, 12)
    assert not one._running.locked()
    for _ in range(12):
        assert one._waiting.acquire(blocking=False)
    with pytest.raises(ValueError, match=BUSY):
        one.exclusive(print)


def test_work_is_asked_between_its_blocks_whether_it_shall_go_on() -> None:
    one, checks = models(), []

    def work() -> str:
        checks.append(type(current_check()).__name__)
        return "done"

    assert one.exclusive(work) == "done"

    def long_work() -> str:
        assert one._running.locked()
        check = current_check()
        assert check is not None
        check()
        check()
        return "done"

    assert one.giving_way(long_work, lambda: checks.append("asked")) == "done"
    assert checks == ["GivingUp", "asked", "asked"]
    assert current_check() is None
    assert not one._running.locked()


def test_samples_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.sample_file("cat.jpg") == SAMPLES / "cat.jpg"
    for name in ("credits.json", "../cat.jpg", ""):
        with pytest.raises(ValueError, match=r"^There is no such sample\.$"):
            module.sample_file(name)
    monkeypatch.setattr("dino_core.scenes.picture.read_picture", Asked("read_picture"))
    assert module.read_sample("cat.jpg") == f"read_picture({(SAMPLES / 'cat.jpg').as_posix()})"  # type: ignore[comparison-overlap]
