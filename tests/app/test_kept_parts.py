"""state/classifiers.py, pairs.py and whatif.py by themselves: what is opened once, for whom, how
many are kept and which goes first. No model runs."""

import threading
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.state import pairs as pair_module
from app.state.classifiers import Classifiers
from app.state.models import BUSY, Gone
from app.state.pairs import Pairs
from app.state.whatif import ChangedPictures, References, keep


class Models:
    """Those of a server that load nothing."""

    device = "cuda"
    checkpoints: Any = None

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def exclusive(self, work: Any, **named: Any) -> Any:
        self.asked.append(named)
        return work()

    def backbone(self, name: str, *, owner: str) -> Any:
        config = SimpleNamespace(patch_size=14)
        return SimpleNamespace(name=name, owner=owner, vit=SimpleNamespace(config=config))

    def checkpoint(self, owner: str, name: str) -> Any:
        if owner != "ada":
            raise ValueError("somebody else's")
        heads = name.endswith("1")
        facts = {"pair": heads, "patch_size": 14, "title": "mine", "file": "mine.pth"}
        return Path("mine.pth"), facts


# --- classifiers


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was opened or asked, in order."""
    done: list[Any] = []
    scenes = "dino_core.scenes.predicting"

    def open_tuned(folder: Path, device: str) -> str:
        done.append((folder.name, device))
        return f"{folder.name} {len(done)}"

    monkeypatch.setattr(f"{scenes}.model_file", lambda folder: folder / "model.safetensors")
    monkeypatch.setattr(f"{scenes}.open_tuned", open_tuned)
    monkeypatch.setattr(f"{scenes}.predict_scene", lambda *what: what)
    classifier = SimpleNamespace(size=224)
    monkeypatch.setattr(
        f"{scenes}.brought_model", lambda one: SimpleNamespace(of=one, classifier=classifier)
    )
    return done


def test_a_classifier_is_opened_once_while_its_file_stays_the_same(
    opened: list[Any], tmp_path: Path
) -> None:
    import os

    classifiers = Classifiers(Models())  # type: ignore[arg-type]
    a, b, c = (tmp_path / name for name in "abc")
    a.mkdir()
    (a / "model.safetensors").write_bytes(b"1")
    assert classifiers.find(a) == classifiers.find(a) == "a 1"
    os.utime(a / "model.safetensors", (1, 1))
    assert classifiers.find(a) == "a 2", "another file"
    assert classifiers.find(b) == "b 3", "where there is none the library says so"
    assert classifiers.find(a) == "a 2"
    assert classifiers.find(c) == "c 4"
    assert classifiers.find(a) == "a 2", "it was asked for after b"
    assert classifiers.find(b) == "b 5"
    assert classifiers.find(a) == "a 2"
    assert len(classifiers._opened) == 2
    assert opened == [("a", "cuda"), ("a", "cuda"), ("b", "cuda"), ("c", "cuda"), ("b", "cuda")]


def test_a_classifier_is_asked_as_any_other_forward(
    opened: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, checked = Models(), []
    classifiers = Classifiers(models)  # type: ignore[arg-type]
    monkeypatch.setattr("app.state.classifiers.check_patches", lambda *n: checked.append(n))
    assert classifiers.predict(tmp_path / "a", "picture", 3) == ("a 1", "picture", 3)  # type: ignore[arg-type, comparison-overlap]
    assert checked == []
    asked: Any = classifiers.predict_by_model("m", "ada", "picture", 4)  # type: ignore[arg-type]
    assert (asked[0].of.name, asked[0].of.owner, asked[1:]) == ("m", "ada", ("picture", 4))
    assert checked == [(224, 14)], "its own size in patches of the model"
    assert models.asked == [{}, {}]


# --- pairs

OWN, PLAIN = "checkpoint-" + "0" * 23 + "1", "checkpoint-" + "0" * 24


class World:
    """Pairs, and what was opened of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[Any] = []
        self.models = Models()
        self.steps = {"a": 10, "b": 0}
        scenes = "dino_core.scenes.pairs"

        def find_run(name: str) -> Path:
            if name not in self.steps:
                raise ValueError("There is no such run.")
            return Path("runs", name)

        def opening(kind: str) -> Any:
            def open_it(*what: Any) -> str:
                self.done.append((kind, *what))
                return f"{kind} {len(self.done)}"

            return open_it

        bundled = {"preview": ("file", "The preview"), "cifar": ("file", "CIFAR-10")}
        monkeypatch.setattr(f"{scenes}.BUNDLED", bundled)
        monkeypatch.setattr(f"{scenes}.newest_step", lambda folder: self.steps[folder.name])
        for kind in ("run", "bundled", "checkpoint"):
            monkeypatch.setattr(f"{scenes}.open_{kind}", opening(kind))
        monkeypatch.setattr(f"{scenes}.references_of", lambda pair: f"samples by {pair}")
        monkeypatch.setattr(f"{scenes}.pair_outputs", lambda *what: what)
        self.pairs = Pairs(self.models, find_run)  # type: ignore[arg-type]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_pairs_to_choose_from(world: World) -> None:
    bundled = [
        {"name": "preview", "title": "The preview", "step": 0},
        {"name": "cifar", "title": "CIFAR-10", "step": 0},
    ]
    a = {"name": "run:a", "title": "Run first", "step": 10}
    assert world.pairs.choices({"a": "first", "b": "second"}) == [*bundled, a]
    kept = [
        {"name": OWN, "title": "mine", "pair": True},
        {"name": PLAIN, "title": "plain", "pair": False},
    ]
    world.models.checkpoints = SimpleNamespace(
        everything=lambda owner: kept if owner == "ada" else []
    )
    mine = {"name": OWN, "title": "mine", "step": 0}
    assert world.pairs.choices({"a": "first"}, "ada") == [*bundled, a, mine]
    assert world.pairs.choices({}, "bob") == bundled


def test_heads_that_read_a_model_s_features(world: World) -> None:
    assert world.pairs.of_model("preview_vits14") == "preview"
    assert world.pairs.of_model("dinov2_vits14") is None
    assert world.pairs.of_model(OWN, "ada") == OWN
    assert world.pairs.of_model(PLAIN, "ada") is None
    with pytest.raises(ValueError, match="somebody else's"):
        world.pairs.of_model(OWN, "bob")


def test_a_pair_is_opened_once_and_two_are_kept(world: World) -> None:
    find = world.pairs.find
    first = find("preview")
    assert (first.key, first.pair) == (("preview", 0), "bundled 1")
    assert first.references == "samples by bundled 1"  # type: ignore[comparison-overlap]
    assert find("preview") is first
    assert find("run:a").key == ("run:a", 10)
    assert find("preview") is first
    assert find("cifar").pair == "bundled 3"
    assert find("preview") is first, "it was asked for after the run"
    world.steps["a"] = 20
    assert (find("run:a").key, find("run:a").pair) == (("run:a", 20), "run 4")
    assert len(world.pairs._loaded) == 2
    assert world.done == [
        ("bundled", "preview"),
        ("run", Path("runs/a")),
        ("bundled", "cifar"),
        ("run", Path("runs/a")),
    ]
    assert len(world.models.asked) == 4, "the samples are seen one pair at a time"
    assert find("preview") is first
    with pytest.raises(ValueError, match="no such run"):
        find("run:none")


def test_a_visitor_s_pair_is_that_visitor_s(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(pair_module, "check_patches", lambda *n: checked.append(n))
    assert world.pairs.find(OWN, "ada").key == (OWN, 0)
    assert world.done == [("checkpoint", Path("mine.pth"), "mine", "mine.pth")]
    assert checked == [(224, 14)]
    with pytest.raises(ValueError, match="somebody else's"):
        world.pairs.find(OWN, "bob")


def test_what_a_pair_makes_of_a_picture_is_given_up_with_who_asked(world: World) -> None:
    loaded, is_gone = world.pairs.find("cifar"), lambda: False
    world.models.asked.clear()
    found: Any = world.pairs.outputs(loaded, "source", 3, is_gone=is_gone)  # type: ignore[arg-type]
    assert found == ("bundled 1", "source", 3)
    assert world.models.asked == [{"is_gone": is_gone}]


# --- what-if


def changed(**more: Any) -> ChangedPictures:
    return ChangedPictures(SimpleNamespace(**more))  # type: ignore[arg-type]


def test_who_waits_to_look_at_reference_pictures_may_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    made, left = changed(), threading.Event()
    with made._turn(lambda: False):
        assert made._measuring.locked()
        left.set()
        with pytest.raises(Gone), made._turn(left.is_set):
            pass
        for _ in range(3):
            assert made._waiting.acquire(blocking=False)
        with pytest.raises(ValueError, match=BUSY), made._turn(lambda: False):
            pass
        for _ in range(3):
            made._waiting.release()
    with pytest.raises(KeyError), made._turn(lambda: False):
        raise KeyError
    assert not made._measuring.locked()
    for _ in range(4):
        assert made._waiting.acquire(blocking=False)
    assert not made._waiting.acquire(blocking=False)


@pytest.mark.parametrize(("most", "kept"), [(1, ["c"]), (2, ["a", "c"]), (3, ["b", "a", "c"])])
def test_the_longest_unused_goes_first(most: int, kept: list[str]) -> None:
    values: OrderedDict[Any, Any] = OrderedDict()
    for key in ("a", "b", "a", "c"):
        keep(values, key, f"value of {key}", most)
    keep(values, "d", None, most)
    assert [*values] == kept
    assert References() == References("samples", None)


def test_other_pictures_and_statistics_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pictures of others, sixteen statistics; each looked at once."""
    from dino_core.scenes.whatif import Sources

    made, looked = changed(), []

    def look(entry: Any, changes: Any, kept: Any, *, references: Any, is_gone: Any) -> Any:
        looked.append((entry.model, references.name, kept.seed))
        return Sources("statistics", "other", kept.seed)  # type: ignore[arg-type]

    monkeypatch.setattr(made, "_look", look)

    def ask(model: str, seed: int, measured: bool, other: bool, gallery: str = "samples") -> Any:
        seen = SimpleNamespace(grid=(4, 4), digest="x")
        entry: Any = SimpleNamespace(model=model, picture=SimpleNamespace(seen=seen))
        change: Any = SimpleNamespace(needs_statistics=measured, needs_other=other)
        return made.sources(entry, [change], seed, references=References(gallery))

    nothing = ask("m", 0, False, False)
    assert (nothing.statistics, nothing.other, nothing.seed, looked) == (None, None, 0, [])
    assert ask("m", 0, True, False) == ask("m", 0, False, True)
    assert looked == [("m", "samples", 0)]
    ask("m", 1, True, False)
    assert len(looked) == 1, "statistics are of every seed"
    ask("m", 1, False, True)
    ask("m", 1, False, True, "g")
    ask("n", 1, True, False)
    assert looked[1:] == [("m", "samples", 1), ("m", "g", 1), ("n", "samples", 1)]
    assert (len(made._statistics), len(made._others)) == (3, 2)
    for i in range(20):
        ask(f"model {i}", 0, True, False)
    assert (len(made._statistics), len(made._others)) == (16, 2)
