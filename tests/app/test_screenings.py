"""state/screenings.py by itself: who waits, what is kept and for how long, and what ends with
whom. No model runs, and the clock is a number."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stand_ins import Clock

from app.state import screenings as screening_module
from app.state.models import BUSY
from app.state.pictures import Entry
from app.state.screenings import Asked, Screening, Screenings, Stopped
from app.state.whatif import References


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(screening_module, "time", clock)
    return clock


def entry(sample: str = "") -> Any:
    seen = SimpleNamespace(grid=(4, 6), patch_size=14, nbytes=0)
    return Entry("ada", SimpleNamespace(seen=seen, source="source"), "m", 56, sample)  # type: ignore[arg-type]


# --- screenings


class Models:
    """Long work is done at once, after one look whether anybody waits for it."""

    def giving_way(self, work: Callable[[], Any], check: Callable[[], None]) -> Any:
        check()
        return work()


class Thread:
    """Work that begins when a test says so."""

    all: list["Thread"] = []  # noqa: RUF012  emptied by each test

    def __init__(self, target: Any, args: Any, name: str, daemon: bool) -> None:
        self.target, self.args, self.about = target, args, (name, daemon)

    def start(self) -> None:
        self.all.append(self)

    def run(self) -> None:
        self.target(*self.args)


@pytest.fixture
def screenings(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Screenings:
    Thread.all = []
    fake = SimpleNamespace(Thread=Thread, Lock=threading.Lock)
    monkeypatch.setattr(screening_module, "threading", fake)
    made = Screenings(Models(), None)  # type: ignore[arg-type]

    def work(one: Screening, entry: Entry, asked: Asked) -> Any:
        one.total = 5

        def screen() -> dict[str, Any]:
            one.advance(2)
            one.advance(3)
            return {"heads": f"seed {asked.seed}"}

        return screen

    monkeypatch.setattr(made, "_work", work)
    return made


def test_a_screening_goes_from_waiting_to_ready(screenings: Screenings) -> None:
    place = ("ada", "key", Asked(3))
    assert screenings.status(*place) == {"state": "none", "done": 0, "total": 0, "words": ""}
    with pytest.raises(ValueError, match="Nothing was screened yet"):
        screenings.scene(*place, "heads")
    waiting = {"state": "waiting", "done": 0, "total": 0, "words": ""}
    assert screenings.start(*place, entry()) == waiting
    assert screenings.start(*place, entry()) == waiting, "it is there already"
    (thread,) = Thread.all
    assert thread.about == ("screening", True)
    thread.run()
    assert screenings.status(*place) == {"state": "ready", "done": 5, "total": 5, "words": ""}
    assert screenings.scene(*place, "heads") == "seed 3"
    for other in (("ada", "key", Asked(4)), ("bob", "key", Asked(3)), ("ada", "k", Asked(3))):
        with pytest.raises(ValueError, match="Nothing was screened yet"):
            screenings.scene(*other, "heads")
    with pytest.raises(ValueError, match="Nothing was screened yet"):
        screenings.scene(*place, "blocks")
    screenings.stop(*place)
    assert screenings.status(*place)["state"] == "ready", "its numbers are there"
    screenings.start(*place, entry())
    assert len(Thread.all) == 1


def test_what_is_asked_for_without_a_word() -> None:
    assert Asked() == Asked(0, "", None, 8, References("samples", None))
    one = Screening()
    assert (one.state, one.done, one.total, one.words, one.wanted) == ("waiting", 0, 0, "", True)


@pytest.mark.parametrize(
    ("state", "wanted", "ended"),
    [
        ("waiting", True, False),
        ("running", True, False),
        ("ready", True, False),
        ("ready", False, False),
        ("waiting", False, True),
        ("running", False, True),
        ("stopped", True, True),
        ("failed", True, True),
    ],
)
def test_what_has_ended_without_numbers_begins_again(
    screenings: Screenings, state: Any, wanted: bool, ended: bool
) -> None:
    one = Screening(state, wanted=wanted)
    assert one.has_ended == ended
    place = ("ada", "key", Asked())
    screenings._screenings[place] = one
    screenings.start(*place, entry())
    assert len(Thread.all) == int(ended)


def test_nobody_waits_who_has_not_asked_for_a_minute(clock: Clock) -> None:
    one = Screening(asked=clock.now)
    clock.now += 60
    one.check()
    clock.now += 0.1
    with pytest.raises(Stopped):
        one.check()
    with pytest.raises(Stopped):
        one.advance(3)
    assert one.done == 3
    one.asked = clock.now
    one.check()
    one.wanted = False
    with pytest.raises(Stopped):
        one.check()


def test_who_asks_how_far_it_is_waits_for_it(screenings: Screenings, clock: Clock) -> None:
    place = ("ada", "key", Asked())
    screenings.start(*place, entry())
    clock.now += 59
    screenings.status(*place)
    clock.now += 59
    Thread.all[0].run()
    assert screenings.status(*place)["state"] == "ready"
    other = ("bob", "key", Asked())
    screenings.start(*other, entry())
    clock.now += 61
    Thread.all[1].run()
    assert screenings.status(*other) == {"state": "stopped", "done": 0, "total": 0, "words": ""}


def test_a_visitor_waits_for_one_and_who_has_no_page_for_each(screenings: Screenings) -> None:
    places = [(who, "key", Asked(seed)) for seed in (0, 1) for who in ("ada", "bob", "")]
    for place in places:
        screenings.start(*place, entry())
    states = [screenings.status(*place)["state"] for place in places]
    assert states == ["stopped", "stopped", "waiting", "waiting", "waiting", "waiting"]
    for thread in Thread.all:
        thread.run()
    states = [screenings.status(*place)["state"] for place in places]
    assert states == ["stopped", "stopped", "ready", "ready", "ready", "ready"]


def test_so_many_wait_and_those_at_work_do_not_count(screenings: Screenings) -> None:
    for i in range(6):
        screenings.start(f"visitor {i}", "key", Asked(), entry())
    with pytest.raises(ValueError, match=BUSY):
        screenings.start("another", "key", Asked(), entry())
    assert screenings.start("visitor 0", "key", Asked(), entry())["state"] == "waiting"
    screenings._screenings["visitor 0", "key", Asked()].state = "running"
    screenings.start("another", "key", Asked(), entry())


def test_the_numbers_of_a_dozen_are_kept_those_asked_for_last(screenings: Screenings) -> None:
    places = [(f"visitor {i}", "key", Asked()) for i in range(13)]
    ones = []
    for place in places[:12]:
        screenings.start(*place, entry())
        Thread.all[-1].run()
        ones.append(screenings._screenings[place])
    screenings.start(*places[0], entry())
    screenings.start(*places[12], entry())
    assert [*screenings._screenings] == [*places[2:12], places[0], places[12]]
    assert [one.wanted for one in ones] == [True, False, *[True] * 10]


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (ValueError("No longer here."), "failed", "No longer here."),
        (Stopped(), "stopped", ""),
        (KeyError("x"), "failed", "The screening has failed."),
    ],
)
def test_why_one_ended_is_said(
    screenings: Screenings,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: str,
    words: str,
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(screenings, "_work", fail)
    place = ("ada", "key", Asked())
    screenings.start(*place, entry())
    if isinstance(error, KeyError):
        with pytest.raises(KeyError):
            Thread.all[0].run()
    else:
        Thread.all[0].run()
    assert screenings.status(*place) == {"state": state, "done": 0, "total": 0, "words": words}
    assert not screenings._turn.locked()
    screenings.stop("nobody", "key", Asked())


def test_one_runs_at_a_time(screenings: Screenings) -> None:
    place = ("ada", "key", Asked())
    screenings.start(*place, entry())
    runner = threading.Thread(target=Thread.all[0].run)
    with screenings._turn:
        runner.start()
        runner.join(0.05)
        assert screenings.status(*place)["state"] == "waiting"
    runner.join(20)
    assert screenings.status(*place)["state"] == "ready"


def test_what_is_screened_is_what_was_asked(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[Any] = []
    scenes = "dino_core.scenes.whatif_screening"
    pictures = "dino_core.scenes.whatif_pictures"

    def note(name: str, answer: Any = None) -> Any:
        def noting(*words: Any, **named: Any) -> Any:
            named = {k: v if not callable(v) else "progress" for k, v in named.items()}
            noted.append((name, *words, named))
            return answer

        return noting

    monkeypatch.setattr(f"{scenes}.forwards_of", lambda vit: 7)
    monkeypatch.setattr(f"{scenes}.screen_picture", note("one", "one"))
    monkeypatch.setattr(f"{scenes}.screen_several", note("several", "several"))
    monkeypatch.setattr(f"{pictures}.reference_pictures", lambda folder: f"from {folder}")
    chosen = SimpleNamespace(pictures=[1, 2, 3])
    monkeypatch.setattr(f"{pictures}.several", note("choose", chosen))
    backbone, shown = SimpleNamespace(vit="vit"), entry()
    changed = SimpleNamespace(
        backbone_of=lambda entry: backbone, is_seen_by=lambda entry, folder: folder.name == "own"
    )
    made = Screenings(Models(), changed)  # type: ignore[arg-type]
    one, references = Screening(), References("g", Path("g"))
    options = {"seed": 3, "progress": "progress"}
    assert made._work(one, shown, Asked(3, references=references))() == "one"
    assert one.total == 7
    assert noted == [("one", backbone, shown.picture.seen, "from g", options)]
    for folder, of_model in ((None, False), (Path("own"), True), (Path("other"), False)):
        noted.clear()
        one = Screening()
        asked = Asked(3, "samples", folder, 8, references)
        assert made._work(one, shown, asked)() == "several"
        assert one.total == 21
        assert noted == [
            ("choose", folder, of_model, {"side": 4 * 14, "most": 8}),
            ("several", backbone, chosen, "from g", options),
        ]
