"""What several threads of the server change at once is changed under its lock, and read under it
where more than one thing is read. What is slow is done without."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.jobs import exports as export_module
from app.jobs.exports import Export, Exports
from app.jobs.uploads import OnTheirWay
from app.state import models as model_module
from app.state.checkpoints import PREFIX
from app.state.classifiers import Classifiers
from app.state.models import LoadedModel, Models
from app.state.pairs import Pairs
from app.state.pictures import Entry, PictureStore, SharedEntry
from app.state.screenings import Asked, Screenings
from app.state.trays import Trays
from app.state.umap_worker import UmapWorker
from app.state.uploads import UploadedFiles
from app.state.whatif import ChangedPictures


class Guarded(OrderedDict[Any, Any]):
    """Values that are touched by whoever holds the lock, and by nobody else."""

    lock: Any = None

    def _check(self) -> None:
        assert self.lock is None or self.lock.locked(), "the lock is not held"


def checked(name: str) -> Any:
    def method(self: Guarded, *words: Any, **named: Any) -> Any:
        self._check()
        return getattr(OrderedDict, name)(self, *words, **named)

    return method


for _name in (
    *("__setitem__", "__delitem__", "__getitem__", "__contains__", "__iter__", "get", "items"),
    *("values", "keys", "popitem", "move_to_end", "setdefault", "pop"),
):
    setattr(Guarded, _name, checked(_name))


def guard(owner: Any, values: str, lock: str = "_lock") -> Guarded:
    """Puts guarded values in the place of those that are there."""
    made = Guarded(getattr(owner, values))
    made.lock = getattr(owner, lock)
    setattr(owner, values, made)
    return made


def entry(owner: str = "ada") -> Any:
    seen = SimpleNamespace(nbytes=1, grid=(4, 4), digest="x", patch_size=14)
    return Entry(owner, SimpleNamespace(seen=seen, source=SimpleNamespace(size=(2, 2))), "m", 56)  # type: ignore[arg-type]


# --- pictures

PICTURES: list[Callable[[PictureStore, str], Any]] = [
    lambda store, key: store.add(entry()),
    lambda store, key: store.put_back("k" * 32, entry()),
    lambda store, key: store.get("ada", key),
    lambda store, key: store.get("bob", key),
    lambda store, key: store.newest("ada"),
    lambda store, key: store.previous("ada", entry()),
    lambda store, key: store.evict(),
]


@pytest.mark.parametrize("call", PICTURES)
def test_open_pictures(call: Callable[[PictureStore, str], Any]) -> None:
    store = PictureStore()
    key = store.add(entry())
    guard(store, "_entries")
    call(store, key)
    assert not store._lock.locked()


def test_what_is_everybody_s_is_made_under_a_lock_of_its_own() -> None:
    held: list[bool] = []
    shared = SharedEntry(lambda: held.append(shared._making.locked()) or "entry")  # type: ignore[arg-type, func-returns-value, return-value]
    assert shared.get() == "entry"  # type: ignore[comparison-overlap]
    assert held == [True]
    one = entry()
    one.effect("a", lambda: held.append(one.changing.locked()))
    assert held == [True, True]


# --- trays

TRAYS: list[Callable[[Trays, str], Any]] = [
    lambda trays, key: trays.add("ada", "b", SimpleNamespace(size=(2, 2))),  # type: ignore[arg-type]
    lambda trays, key: trays.find("ada", key),
    lambda trays, key: trays.evict(),
    lambda trays, key: trays.seen("new", lambda: SimpleNamespace(seen=SimpleNamespace(nbytes=9))),  # type: ignore[arg-type]
    lambda trays, key: trays.seen(("own", "gone"), lambda: None),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("call", TRAYS)
def test_trays(call: Callable[[Trays, str], Any]) -> None:
    trays = Trays(max_seen=10, max_kept=100)
    key = trays.add("ada", "a", SimpleNamespace(size=(2, 2)))  # type: ignore[arg-type]
    trays._seen["own", "gone"] = SimpleNamespace(seen=SimpleNamespace(nbytes=9))  # type: ignore[assignment]
    guard(trays, "_brought")
    guard(trays, "_seen")
    call(trays, key)
    assert not trays._lock.locked()


def test_a_model_looks_without_the_lock() -> None:
    trays, held = Trays(max_seen=10, max_kept=100), []

    def look() -> Any:
        held.append(trays._lock.locked())
        return SimpleNamespace(seen=SimpleNamespace(nbytes=1))

    trays.seen("a", look)
    assert held == [False], "others are answered meanwhile"


# --- models, classifiers and pairs

OWN = PREFIX + "0" * 24


@pytest.mark.parametrize(
    "call",
    [
        lambda models: models.backbone("preview_vits14"),
        lambda models: suppressed(models.backbone, "nothing"),
        lambda models: models.release_unused(),
        lambda models: models._bound_checkpoints(),
    ],
)
def test_models(call: Callable[[Models], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    loading: list[Any] = []

    def load(*_: Any, **__: Any) -> Any:
        (one,) = [one for one in dict.values(models._loaded) if one.backbone is None]
        loading.append((one.loading.locked(), models._lock.locked()))
        return SimpleNamespace(vit="vit")

    monkeypatch.setattr(model_module, "load_model", load)
    models = Models("preview_vits14", None, "cpu")
    for i in range(4):
        backbone: Any = SimpleNamespace()
        models._loaded[f"{OWN[:-1]}{i}"] = LoadedModel(backbone=backbone, used=float(i))
    guard(models, "_loaded")
    call(models)
    assert not models._lock.locked()
    assert loading in ([], [(True, False)]), "who needs another model does not wait"


def suppressed(call: Any, *words: Any) -> None:
    with suppress(ValueError):
        call(*words)


def test_who_wants_the_processor_is_counted_under_the_lock() -> None:
    models, held = Models("preview_vits14", None, "cpu"), []

    class Counting(Models):
        @property
        def _wanted(self) -> int:
            return 0

        @_wanted.setter
        def _wanted(self, count: int) -> None:
            held.append(self._lock.locked())

    models.__class__ = Counting
    models._want(1)
    assert held == [True]


def test_classifiers_and_pairs_are_opened_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    scenes = "dino_core.scenes"
    models: Any = SimpleNamespace(device="cpu", exclusive=lambda work: work())
    classifiers = Classifiers(models)
    monkeypatch.setattr(f"{scenes}.predicting.model_file", lambda folder: folder / "x")
    monkeypatch.setattr(
        f"{scenes}.predicting.open_tuned", lambda *_: held.append(classifiers._lock.locked())
    )
    guard(classifiers, "_opened")
    classifiers.find(tmp_path)
    pairs = Pairs(models, lambda name: tmp_path)
    monkeypatch.setattr(f"{scenes}.pairs.open_bundled", lambda _: held.append(pairs._lock.locked()))
    monkeypatch.setattr(f"{scenes}.pairs.references_of", lambda pair: ())
    guard(pairs, "_loaded")
    pairs.find("cifar")
    assert held == [True, True]


# --- screenings and what-if


def test_screenings_begin_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    screenings = Screenings(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    monkeypatch.setattr(screenings, "_run", lambda *_: None)
    guarded = guard(screenings, "_screenings")
    monkeypatch.setattr(screenings, "status", lambda *_: {"state": "waiting"})
    for i in range(2):
        screenings.start("ada", f"{i}", Asked(), entry())
    guarded.lock = None
    assert len(guarded) == 2


def test_sources_are_kept_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    from dino_core.scenes.whatif import Sources

    changed, held = ChangedPictures(SimpleNamespace()), []  # type: ignore[arg-type]

    def look(*_: Any, **__: Any) -> Any:
        held.append((changed._lock.locked(), changed._measuring.locked()))
        return Sources("statistics", "other", 0)  # type: ignore[arg-type]

    monkeypatch.setattr(changed, "_look", look)
    for name in ("_statistics", "_others"):
        guard(changed, name)
    change: Any = SimpleNamespace(needs_statistics=True, needs_other=True)
    changed.sources(entry(), [change], 0)
    changed.sources(entry(), [change], 0)
    assert held == [(False, True)], "others look up what is there meanwhile"


def test_umap_starts_and_answers_under_its_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    worker = UmapWorker()

    class Thread:
        def __init__(self, **_: Any) -> None:
            held.append(worker._starting.locked())

        def start(self) -> None:
            held.append(worker._starting.locked())

    monkeypatch.setattr("app.state.umap_worker.threading.Thread", Thread)
    worker.start()
    worker.state, worker._connection = "ready", "connection"  # type: ignore[assignment]
    monkeypatch.setattr(
        worker, "_request", lambda *_: held.append(worker._requesting.locked()) or ["map"]
    )
    worker.fit("x")
    assert held == [True] * 3


# --- files


def test_uploads_are_remembered_under_the_lock(tmp_path: Path) -> None:
    files = UploadedFiles()
    guard(files, "_files")
    files.add("ada", [str(tmp_path / "a")])
    assert files.find("ada", str(tmp_path / "a"))
    assert not files._lock.locked()


def test_what_is_on_its_way_is_counted_under_the_lock() -> None:
    way, held = OnTheirWay(), []

    class Counting(OnTheirWay):
        @property
        def nbytes(self) -> int:
            return 0

        @nbytes.setter
        def nbytes(self, count: int) -> None:
            held.append(self._lock.locked())

    del way.nbytes
    way.__class__ = Counting
    with way.counted(3, "here"):
        assert not way._lock.locked()
    assert held == [True, True]


def test_exports_change_under_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models: Any = SimpleNamespace(
        options_of=lambda name, owner: (name, None),
        weights_of=lambda name: None,
        title_of=lambda name, owner: name,
    )
    monkeypatch.setattr(export_module, "need_room", lambda *_: None)
    monkeypatch.setattr(Exports, "_make", lambda self, token: None)
    exports = Exports(tmp_path, models)
    old = Export("old", "ada", "timm", (), tmp_path / "x", "failed", asked=0.0)
    exports._all["old"] = old
    guarded = guard(exports, "_all")
    monkeypatch.setattr(exports, "card", lambda owner, token: {"token": token})
    token = exports.add("ada", "m", "timm")["token"]
    exports._become(token, "running")
    guarded.lock = None
    assert [*guarded] == [token]
    assert guarded[token].state == "running"
