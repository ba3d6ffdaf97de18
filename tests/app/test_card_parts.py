"""jobs/run_cards.py and gallery_cards.py by themselves: every field of what the page is told."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.jobs import gallery_cards, run_cards
from app.jobs.gallery_cards import GalleryJob, blank_card, damaged_card
from app.jobs.run_cards import RunJob, card_of, details_of
from dino_core.scenes.gallery import NotReady

RUN = RunJob(
    "a", "one", "A run", "/u/a.zip", kind="pretraining", steps=9, data_name="mine.zip", asked=5.0
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "a"


class Said:
    """What a run says of itself, and whether its process lives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state: Any = SimpleNamespace(
            kind="pretraining",
            state="running",
            words="At step 3.",
            step=3,
            steps=20,
            alive=True,
            updated=50.0,
            seconds_left=7.5,
        )
        self.lives, self.name = False, ""
        monkeypatch.setattr(run_cards, "read_state", self.read)
        monkeypatch.setattr(run_cards, "is_running", lambda pid, name: self.lives)
        monkeypatch.setattr(run_cards, "read_notes", lambda folder: SimpleNamespace(name=self.name))

    def read(self, folder: Path) -> Any:
        if isinstance(self.state, Exception):
            raise self.state
        return self.state


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    return Said(monkeypatch)


def begin(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")


def test_a_run_that_waits(folder: Path, said: Said) -> None:
    wanted = {
        "name": "a",
        "title": "A run",
        "kind": "pretraining",
        "steps": 9,
        "asked": 5.0,
        "mine": True,
        "state": "waiting",
        "words": "Next in the queue: it starts when the run before it ends.",
        "step": 0,
        "seconds_left": None,
        "alive": True,
        "place": 1,
        "updated": 5.0,
        "actions": ["stop"],
    }
    assert card_of(folder, RUN, mine=True, place=1) == wanted
    assert card_of(folder, RUN, mine=True, place=None) == wanted
    third = card_of(folder, RUN, mine=False, place=3)
    assert third == wanted | {
        "mine": False,
        "place": 3,
        "words": "Number 3 in the queue.",
        "actions": [],
    }
    said.name = "Mine"
    assert card_of(folder, RUN, mine=True, place=1)["title"] == "Mine"
    mending = card_of(folder, replace(RUN, mend=True), mine=True, place=3)
    assert mending["words"].startswith("Mending: it goes on from its last good checkpoint")


def test_a_run_at_work(folder: Path, said: Said) -> None:
    begin(folder)
    launched = replace(RUN, waiting=False, launched=40.0)
    wanted = {
        "name": "a",
        "title": "A run",
        "kind": "pretraining",
        "steps": 20,
        "asked": 5.0,
        "mine": True,
        "state": "running",
        "words": "At step 3.",
        "step": 3,
        "seconds_left": 7.5,
        "alive": True,
        "place": None,
        "updated": 50.0,
        "actions": ["pause", "stop"],
    }
    assert card_of(folder, launched, mine=True, place=2) == wanted
    said.state.steps = 0
    assert card_of(folder, launched, mine=True, place=None)["steps"] == 9
    by_hand = card_of(folder, None, mine=False, place=None)
    assert by_hand == wanted | {
        "title": "a",
        "asked": None,
        "mine": False,
        "steps": 0,
        "actions": [],
    }


@pytest.mark.parametrize(
    ("state", "alive", "launched", "lives", "shown"),
    [
        ("finished", True, 40.0, True, ("finished", "Words.", False, 50.0)),
        ("stopped", False, 50.0, False, ("stopped", "Words.", False, 50.0)),
        ("stopped", False, 50.0, True, ("starting", "The process is starting.", True, 50.0)),
        ("stopped", False, 51.0, False, ("failed", "The last line.", False, 51.0)),
        ("stopped", False, 51.0, True, ("starting", "The process is starting.", True, 50.0)),
        ("stopped", True, 51.0, True, ("stopped", "Words.", True, 50.0)),
        ("running", True, 51.0, False, ("running", "Words.", True, 50.0)),
        ("running", False, 40.0, False, ("running", "Words.", False, 50.0)),
        ("running", False, 40.0, True, ("starting", "The process is starting.", True, 50.0)),
    ],
)
def test_what_the_queue_knows_better(
    folder: Path,
    said: Said,
    state: str,
    alive: bool,
    launched: float,
    lives: bool,
    shown: tuple[Any, ...],
) -> None:
    begin(folder)
    (folder.parent / "a.launch.txt").write_text("One.\nThe last line.\n")
    said.state.state, said.state.alive, said.state.words = state, alive, "Words."
    said.lives = lives
    job = replace(RUN, waiting=False, launched=launched)
    card = card_of(folder, job, mine=True, place=None)
    assert (card["state"], card["words"], card["alive"], card["updated"]) == shown


@pytest.mark.parametrize("lives", [True, False])
def test_a_run_that_has_not_begun(folder: Path, said: Said, lives: bool) -> None:
    said.lives = lives
    job = replace(RUN, waiting=False, launched=40.0, pid=5)
    card = card_of(folder, job, mine=True, place=None)
    if lives:
        shown = ("starting", "The process is starting.", True, 5.0, ["stop"])
    else:
        words = "The process ended before the run began."
        shown = ("failed", words, False, 40.0, ["resume", "delete"])
    found = (card["state"], card["words"], card["alive"], card["updated"], card["actions"])
    assert found == shown


@pytest.mark.parametrize("error", [ValueError("state.json is damaged."), OSError("no disk")])
def test_a_run_that_cannot_be_read(folder: Path, said: Said, error: Exception) -> None:
    begin(folder)
    said.state = error
    for job in (RUN, replace(RUN, waiting=False), None):
        card = card_of(folder, job, mine=True, place=1)
        assert (card["state"], card["alive"]) == ("failed", False)
        assert card["words"] == f"This run cannot be shown: {error}"
        assert card["actions"] == ["delete"]
        assert card["updated"] == folder.stat().st_mtime
    assert card_of(folder, RUN, mine=False, place=1)["actions"] == []


@pytest.mark.parametrize("mine", [True, False])
def test_a_job_that_cannot_be_read(folder: Path, said: Said, mine: bool) -> None:
    card = card_of(folder, None, mine=mine, place=None)
    words = "What was noted of this run is damaged"
    assert card["words"] == (f"{words}: delete it." if mine else f"{words}.")
    assert (card["state"], card["actions"]) == ("failed", ["delete"] if mine else [])
    assert (card["kind"], card["steps"], card["asked"], card["updated"]) == ("", 0, None, 0.0)
    assert (card["title"], card["mine"]) == ("a", mine)


# --- its details


class Found:
    """What is worked out for the open run only, in words that name their folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Any] = []
        self.switches = "no KoLeo"
        notes = {"name": "Mine", "note": "", "pictures": ""}
        monkeypatch.setattr(run_cards, "read_notes", lambda folder: folder)
        monkeypatch.setattr(run_cards, "asdict", lambda _: notes)
        monkeypatch.setattr(run_cards, "milestones", lambda folder: ["step-1"])
        monkeypatch.setattr(run_cards, "command_of", self.command)
        monkeypatch.setattr(run_cards, "weights_file", lambda folder: folder / "w.safetensors")
        monkeypatch.setattr(run_cards, "kept_steps", lambda folder: [3, 6])
        monkeypatch.setattr(run_cards, "verdict_of", lambda folder: {"good": "words"})
        monkeypatch.setattr(run_cards, "switches_of", lambda folder: self.switches)
        monkeypatch.setattr(run_cards, "history_of", lambda folder: ["Mended."])

    def command(self, folder: Path, data: str) -> str:
        if data == "damaged":
            raise ValueError
        return f"train --data {data}"


def card(**changed: Any) -> Any:
    plain = {"kind": "pretraining", "state": "running", "mine": True, "actions": ["pause"]}
    return plain | changed


def test_the_details_of_a_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found(monkeypatch)
    notes = {"name": "Mine", "note": "", "pictures": ""}
    before = {
        "verdict": None,
        "command": "",
        "moments": [],
        "report": False,
        "weights": None,
        "kept_steps": [],
        "switches": "",
        "history": [],
        "notes": notes,
    }
    assert details_of(folder, RUN, card()) == card() | before
    begin(folder)
    (folder / "report.json").write_text("{}")
    whole = {
        "verdict": {"good": "words"},
        "command": "train --data mine.zip",
        "moments": ["step-1"],
        "report": True,
        "weights": "w.safetensors",
        "kept_steps": [3, 6],
        "switches": "no KoLeo",
        "history": ["Mended."],
        "notes": notes,
        "pictures_shown": True,
        "actions": ["mend", "pause"],
    }
    assert details_of(folder, RUN, card()) == card() | whole
    theirs = {"command": "train --data pictures.zip", "pictures_shown": False, "actions": ["pause"]}
    theirs |= {"weights": None, "kept_steps": []}
    assert details_of(folder, RUN, card(mine=False)) == card(mine=False) | whole | theirs
    on_samples = replace(RUN, data="samples")
    for job in (on_samples, None):
        open_to_all = details_of(folder, job, card(mine=False))
        assert (open_to_all["weights"], open_to_all["pictures_shown"]) == ("w.safetensors", True)
        assert open_to_all["kept_steps"] == [3, 6]
        assert open_to_all["command"] == "train --data pictures.zip"
    damaged = details_of(folder, replace(RUN, data_name="damaged"), card())
    assert damaged["command"] == ""
    for kind, judged in (("distillation", True), ("fine-tuning", False)):
        assert (details_of(folder, RUN, card(kind=kind))["verdict"] is not None) == judged
    for state in ("running", "paused", "finished", "failed", "stopped", "waiting", "starting"):
        mends = details_of(folder, RUN, card(state=state))["actions"][0] == "mend"
        assert mends == (state not in ("waiting", "starting"))
    found.switches = ""
    assert details_of(folder, RUN, card())["actions"] == ["pause"]


# --- galleries

GALLERY = GalleryJob(
    "g",
    "one",
    "pets.zip",
    "/z/g.zip",
    pictures=12,
    classes=2,
    label="The model",
    options={"size": 98, "include": ["masks"], "stretch": True},
    asked=5.0,
    aside={"masks": 2},
)
BLANK = {
    "name": "g",
    "title": "A title",
    "mine": False,
    "pictures": 0,
    "classes": 0,
    "model": "",
    "size": None,
    "aside": {},
    "choice": {"include": [], "exclude": [], "stretch": False},
    "asked": 0.0,
    "place": None,
    "actions": [],
    "state": "starting",
    "words": "The process is starting.",
    "done": 0,
    "total": 0,
    "seconds_left": None,
    "broken": [],
    "broken_count": 0,
    "left_out": [],
    "left_out_count": 0,
    "notes": [],
    "alive": True,
    "can_resume": False,
    "maps": [],
    "doing": "",
    "seen": False,
}
KNOWN = BLANK | {
    "title": "pets.zip",
    "mine": True,
    "pictures": 12,
    "classes": 2,
    "model": "The model",
    "size": 98,
    "aside": {"masks": 2},
    "choice": {"include": ["masks"], "exclude": [], "stretch": True},
    "asked": 5.0,
    "total": 12,
}


def test_a_card_before_anything_is_known_and_one_that_is_damaged() -> None:
    assert blank_card("g", "A title") == BLANK
    damaged = {
        "title": "A damaged gallery",
        "mine": True,
        "state": "failed",
        "words": gallery_cards.DAMAGED,
        "alive": False,
    }
    assert damaged_card("g") == BLANK | damaged


def test_a_gallery_that_waits(tmp_path: Path) -> None:
    wanted = KNOWN | {"state": "waiting", "place": 1, "words": "Next in the queue."}
    wanted["actions"] = ["stop"]
    assert gallery_cards.card_of(tmp_path / "g", GALLERY, place=1, now=9.0) == wanted
    second = gallery_cards.card_of(tmp_path / "g", GALLERY, place=2, now=9.0)
    assert second == wanted | {"place": 2, "words": "Number 2 in the queue."}


def test_a_gallery_that_was_refused(tmp_path: Path) -> None:
    refused = replace(GALLERY, waiting=False, refused="No room in /z/g.zip.")
    found = gallery_cards.card_of(tmp_path / "g", refused, place=1, now=9.0)
    words = {"state": "failed", "words": "No room in pets.zip.", "alive": False, "actions": []}
    assert found == KNOWN | words


@pytest.mark.parametrize("owner", ["one", ""])
@pytest.mark.parametrize("features", [True, False])
def test_a_gallery_that_says_how_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str, features: bool
) -> None:
    folder = tmp_path / "g"
    state = {
        "state": "mapping",
        "words": f"Reading /z/g.zip into {folder}.",
        "notes": [f"In {folder}.", "Plain."],
        "done": 4,
        "total": 11,
        "alive": True,
    }

    def names(folder: Path) -> None:
        if not features:
            raise NotReady("Not yet.")

    monkeypatch.setattr(gallery_cards, "state_of", lambda folder: state)
    monkeypatch.setattr(gallery_cards, "names", names)
    job = replace(GALLERY, owner=owner, waiting=False, launched=1.0)
    found = gallery_cards.card_of(folder, job, place=1, now=1000.0)
    wanted = KNOWN | state | {"seen": features, "mine": owner == "one"}
    wanted |= {"words": "Reading pets.zip into pets.zip.", "notes": ["In pets.zip.", "Plain."]}
    wanted["actions"] = ["stop"] if owner else []
    assert found == wanted
    samples = replace(job, owner="", data="samples")
    plain = gallery_cards.card_of(folder, samples, place=1, now=1000.0)
    assert plain["words"] == state["words"], "that of the project says where it is"


def test_a_gallery_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "g"
    folder.mkdir()
    (folder / "config.json").write_text("{")
    job = replace(GALLERY, waiting=False, launched=8.0)
    found = gallery_cards.card_of(folder, job, place=1, now=9.0)
    assert (found["state"], found["alive"], found["actions"]) == ("failed", False, [])
    assert found["words"].startswith("This gallery cannot be shown: ")
    waiting = gallery_cards.card_of(folder, GALLERY, place=1, now=9.0)
    assert waiting["state"] == "waiting", "it is to be built anew"
