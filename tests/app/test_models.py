"""Models: one at a time, so many waiting, so large a picture, released when unused."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from app.state import models as module
from app.state.checkpoints import PREFIX
from app.state.models import BUSY, MAX_SIZE, Gone, Models, check_patches
from dino_core.vit.between import current_check

PREVIEW = "preview_vits14"


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    """With a backbone in name only."""
    monkeypatch.setattr(module, "load_model", lambda *args, **options: SimpleNamespace(vit=args))
    return Models(PREVIEW, None, "cpu")


class Work:
    """Work that goes on until it is let go."""

    def __init__(self, models: Models) -> None:
        self.begun, self.finish = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: models.exclusive(self.run))
        self.thread.start()
        assert self.begun.wait(10)

    def run(self) -> None:
        self.begun.set()
        assert self.finish.wait(30)

    def end(self) -> None:
        self.finish.set()
        self.thread.join(10)


@pytest.mark.parametrize("size", [0, -224, MAX_SIZE + 1, 2600, 10**400])
def test_pictures_have_a_largest_size(models: Models, size: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 518 px"):
        models.inspect(Image.new("RGB", (20, 20)), PREVIEW, size)


def test_small_patches_make_a_picture_large(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = SimpleNamespace(vit=SimpleNamespace(config=SimpleNamespace(patch_size=2)))
    monkeypatch.setattr(module, "load_model", lambda *args, **options: fine)
    with pytest.raises(
        ValueError, match=r"cuts 518 px into 67,081, .* choose a smaller input size"
    ):
        Models(PREVIEW, None, "cpu").inspect(Image.new("RGB", (20, 20)), PREVIEW, MAX_SIZE)


def test_one_at_a_time(models: Models) -> None:
    busy, order = Work(models), []
    others = [
        threading.Thread(target=lambda: models.exclusive(lambda: order.append(len(order))))
        for _ in range(3)
    ]
    for thread in others:
        thread.start()
    assert order == []
    busy.end()
    for thread in others:
        thread.join(10)
    assert order == [0, 1, 2]


def test_long_work_gives_way_between_blocks(models: Models) -> None:
    order: list[str] = []
    waits, goes_on = threading.Event(), threading.Event()

    def long_work() -> None:
        check = current_check()
        assert check is not None
        order.append("first block")
        waits.set()
        assert goes_on.wait(10)
        check()
        assert models._running.locked(), "it has the processor again"
        order.append("second block")

    behind = threading.Thread(target=lambda: models.giving_way(long_work, lambda: None))
    behind.start()
    assert waits.wait(10)
    visitor = threading.Thread(target=lambda: models.exclusive(lambda: order.append("visitor")))
    visitor.start()
    while not models._wanted:
        time.sleep(0.001)
    goes_on.set()
    for thread in (visitor, behind):
        thread.join(10)
    assert order == ["first block", "visitor", "second block"]


def test_long_work_that_is_given_up_gives_the_processor_back(models: Models) -> None:
    def give_up() -> None:
        raise KeyError("given up")

    with pytest.raises(KeyError):
        models.giving_way(lambda: current_check()(), give_up)  # type: ignore[misc]
    assert models.exclusive(lambda: 3) == 3


def test_who_comes_when_too_many_wait_is_told(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    models._waiting = threading.BoundedSemaphore(1)
    busy = Work(models)
    left = threading.Event()
    gone: list[Gone] = []

    def wait() -> None:
        try:
            models.exclusive(print, is_gone=left.is_set)
        except Gone as error:
            gone.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while models._waiting.acquire(blocking=False):  # it has not begun to wait yet
        models._waiting.release()
    with pytest.raises(ValueError, match="try again in a moment"):
        models.exclusive(print)
    left.set()
    waiting.join(10)
    busy.end()
    assert len(gone) == 1
    assert models.exclusive(lambda: "mine") == "mine", "everything was given back"


def test_nobody_waits_for_ever(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    busy = Work(models)
    with pytest.raises(ValueError, match=BUSY):
        models.exclusive(print)
    busy.end()
    assert models.exclusive(lambda: 1) == 1


def test_nothing_is_computed_for_who_has_gone(models: Models) -> None:
    done: list[int] = []
    with pytest.raises(Gone):
        models.exclusive(lambda: done.append(1), is_gone=lambda: True)
    assert done == []
    assert models.exclusive(lambda: 1) == 1, "and the next one has the processor"


def test_work_that_fails_gives_the_processor_back(models: Models) -> None:
    with pytest.raises(ZeroDivisionError):
        models.exclusive(lambda: 1 // 0)
    assert models.exclusive(lambda: 1) == 1


def test_a_model_that_takes_long_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, finish = threading.Event(), threading.Event()

    def load(name: str, *args: Any, **options: Any) -> Any:
        if name == "dinov2_vitg14":
            begun.set()
            assert finish.wait(30)
        return SimpleNamespace(vit=name)

    monkeypatch.setattr(module, "load_model", load)
    models = Models(PREVIEW, None, "cpu")
    thread = threading.Thread(target=lambda: models.backbone("dinov2_vitg14", download=True))
    thread.start()
    assert begun.wait(10)
    assert models.backbone(PREVIEW).vit == PREVIEW
    finish.set()
    thread.join(10)


def test_unused_models_are_let_go(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    first = models.backbone(PREVIEW)
    other = models.backbone("dinov2_vits14", download=True)
    now = module.UNUSED - 1
    models.release_unused()
    assert models.backbone("dinov2_vits14", download=True) is other
    now += module.UNUSED + 1
    models.release_unused()
    assert models.backbone("dinov2_vits14", download=True) is not other
    assert models.backbone(PREVIEW) is first, "that with which the page begins stays"


def test_downloads_are_for_who_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("INSIDE_DINOV2_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    asked: list[bool] = []
    monkeypatch.setattr(module, "load_model", lambda *a, download, **o: asked.append(download))
    guest = Models(PREVIEW, None, "cpu", allow_downloads=False)
    host = Models(PREVIEW, None, "cpu")
    with pytest.raises(ValueError, match="not on this disk") as refused:
        guest.backbone("dinov2_vitb14", download=True)
    assert str(tmp_path) not in str(refused.value)
    with pytest.raises(ValueError, match="not on this disk"):
        host.backbone("dinov2_vitb14")
    assert asked == []
    host.backbone("dinov2_vitb14", download=True)
    assert asked == [True]
    (tmp_path / "mine.pth").touch()
    Models(None, tmp_path / "mine.pth", "cpu").backbone("mine", download=True)
    assert asked == [True, False], "a file of one's own is there"


def test_errors_name_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(b"no weights")
    models = Models(None, file, "cpu")
    with pytest.raises(ValueError, match=r"mine\.pth") as refused:
        models.backbone("mine")
    assert str(tmp_path) not in str(refused.value)
    assert models.available()[0] == ("mine", "mine"), "no download is needed for it"


# --- a forward that has begun


class Clock:
    """A time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock))
    return clock


def blocks_until(left_at: int, clock: Clock, models: Models, seconds: float) -> int:
    """How many of twelve blocks are begun, of so many seconds each, before who asked leaves."""
    begun: list[int] = []

    def forward() -> None:
        check = current_check()
        assert check is not None
        for block in range(12):
            check()
            begun.append(block)
            clock.now += seconds

    with pytest.raises(Gone):
        models.exclusive(forward, is_gone=lambda: len(begun) > left_at)
    return len(begun)


@pytest.mark.parametrize("left_at", [0, 3, 10])
def test_a_forward_ends_at_the_block_after_who_asked_has_left(left_at: int, clock: Clock) -> None:
    models = Models("preview_vits14", None, "cpu")
    assert blocks_until(left_at, clock, models, seconds=1.0) == left_at + 1
    assert models.exclusive(lambda: 1) == 1, "the next one has the processor"


def test_blocks_that_take_no_time_are_not_slowed_down_by_asking(clock: Clock) -> None:
    asked: list[int] = []

    def forward() -> None:
        check = current_check()
        assert check is not None
        for _ in range(100):
            check()
            clock.now += 0.001

    Models("preview_vits14", None, "cpu").exclusive(forward, is_gone=lambda: bool(asked.append(1)))
    assert len(asked) <= 3, "once before it begins, and every 50 ms"


def test_a_forward_that_takes_too_long_ends_in_a_sentence(clock: Clock) -> None:
    def forward() -> None:
        check = current_check()
        assert check is not None
        while True:
            check()
            clock.now += 100.0

    with pytest.raises(ValueError, match="longer than this server allows"):
        Models("preview_vits14", None, "cpu").exclusive(forward)


def test_as_many_patches_as_may_be() -> None:
    check_patches(64 * 8, 8)
    with pytest.raises(ValueError, match="into 4,225, more than the 4,096"):
        check_patches(65 * 8, 8)


def test_names_that_are_none_do_not_add_up() -> None:
    models = Models("preview_vits14", None, "cpu")
    for name in ("nonsense", "dinov2_vitg14_of_mine"):
        with pytest.raises(ValueError, match=name):
            models.backbone(name)
    assert not models._loaded


# --- the list


@pytest.mark.parametrize(
    ("model", "weights", "words"),
    [
        ("dinov9", None, "no model 'dinov9': it is one of"),
        (None, ".", r"\. is a folder: name the file"),
        (None, "nothing.pth", "no file nothing.pth"),
    ],
)
def test_what_the_page_cannot_begin_with_is_said(
    model: str | None, weights: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Models(model, Path(weights) if weights else None, "cpu")


def test_a_file_of_one_s_own_is_known_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(b"x")
    models = Models("dinov2_vits14", file, "cpu")
    assert (models.default, models.weights_of("mine")) == ("mine", file)
    assert models.choices()[0] == ("mine", "mine")
    assert models.options_of("mine", "") == ("dinov2_vits14", str(file.resolve()))
    assert (models.file_in_python("mine", ""), models.file_in_python(PREVIEW, "")) == (
        "mine.pth",
        "",
    )
    assert models.title_of("mine", "") == "mine"
    assert models.options_of(PREVIEW, "") == (PREVIEW, None)
    with pytest.raises(ValueError, match="Choose a model that is on this machine"):
        models.options_of("dinov2_vitg14", "")
    with pytest.raises(ValueError, match="no longer kept"):
        models.checkpoint("ada", "checkpoint-" + "0" * 24)
    plain = Models(PREVIEW, None, "cpu")
    assert (plain.file_in_python(PREVIEW, ""), plain.default_weights()) == (
        "",
        models.weights_of(PREVIEW),
    )
    assert "dinov2_vitg14" not in [name for _, name in plain.available()]


def test_a_forward_may_take_its_time_and_no_more(clock: Clock) -> None:
    """Five minutes; and whether anybody waits is asked more than 50 ms after the last time."""
    asked: list[float] = []
    check = module.GivingUp(lambda: bool(asked.append(clock.now)))
    for now in (0.05, 0.06, 0.11, 0.12, 300.0):
        clock.now = now
        check()
    assert asked == [0.06, 0.12, 300.0]
    clock.now = 300.1
    with pytest.raises(ValueError, match="longer than this server allows"):
        check()


def test_what_the_first_picture_needs_is_there_soon_after_the_page(
    models: Models, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[Any] = []

    class Timer(threading.Timer):
        def start(self) -> None:
            started.append(self)

    done: list[str] = []
    monkeypatch.setattr(module.threading, "Timer", Timer)
    monkeypatch.setattr(module, "import_scenes", lambda: done.append("scenes"))

    def refuse() -> None:
        done.append("picture")
        raise ValueError("The file is damaged.")

    models.preload(refuse)
    (timer,) = started
    assert (timer.interval, timer.daemon, done) == (1.0, True, [])
    timer.function()
    assert done == ["scenes", "picture"]
    assert "The model could not be loaded: The file is damaged." in capsys.readouterr().out


def test_each_model_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "w.pth").touch()
    for models in (Models(PREVIEW, None, "cpu"), Models(None, tmp_path / "w.pth", "cpu")):
        names = [name for _, name in models.choices()]
        assert len(set(names)) == len(names)


def test_of_many_checkpoints_those_used_last_stay_in_memory(models: Models) -> None:
    names = [PREFIX + f"{i:024x}" for i in range(module.MOST_OWN + 2)]
    for i, name in enumerate((*names, PREVIEW)):
        models._loaded[name] = module.LoadedModel(backbone=SimpleNamespace(), used=float(i))
    models._loaded[names[0]].used = 99.0
    models._bound_checkpoints()
    assert set(models._loaded) == {names[0], *names[3:], PREVIEW}
