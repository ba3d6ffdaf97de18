"""What the page is told about a run: read off its folder and its job, even damaged ones."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from app.jobs.queue import Job
from dino_core.jobs import is_running
from dino_core.runs.folder import read_state
from dino_core.runs.option import Kind
from dino_core.scenes.probes import milestones
from dino_core.scenes.training import (
    command_of,
    history_of,
    kept_steps,
    read_notes,
    switches_of,
    verdict_of,
    weights_file,
)

ENDED = ("finished", "failed", "stopped")
MENDABLE = ("running", "paused", *ENDED)
STARTING = "The process is starting."


@dataclass(frozen=True)
class RunJob(Job):
    """What this server knows about a run beside the run's own folder."""

    kind: Kind
    steps: int
    data_name: str  # what the visitor called the pictures
    pid: int | None = None
    mend: bool = False  # when it goes on, the switches of its experiment are turned back first

    @property
    def private(self) -> bool:
        """Its pictures are the visitor's own."""
        return self.data != "samples"


class RunCard(TypedDict):
    """What everybody may know. The names are those of the page's JSON."""

    name: str
    title: str
    kind: str
    steps: int
    asked: float | None  # s since 1970
    mine: bool
    state: str  # of dino_core.runs.folder.State, or "waiting"
    words: str
    step: int
    seconds_left: float | None
    alive: bool
    place: int | None  # in the queue, from 1
    updated: float  # s since 1970
    actions: list[str]  # what its owner can ask of it now


class RunDetails(RunCard, total=False):
    """A card with what is worked out for the open run only."""

    verdict: dict[str, str] | None
    command: str
    moments: list[str]
    report: bool
    weights: str | None
    kept_steps: list[int]  # of which there are weights
    pictures_shown: bool
    switches: str  # what is switched in an experiment, "" for none
    history: list[str]  # what was mended, in sentences
    notes: dict[str, str]  # name, note and pictures, as their owner has written them


def card_of(folder: Path, job: RunJob | None, *, mine: bool, place: int | None) -> RunCard:
    """`mine`: whether who sees it may steer it; `place` is None for what does not wait."""
    card: RunCard = {
        "name": folder.name,
        "title": job.title if job else folder.name,
        "kind": job.kind if job else "",
        "steps": job.steps if job else 0,
        "asked": job.asked if job else None,
        "mine": mine,
        "state": "starting",
        "words": STARTING,
        "step": 0,
        "seconds_left": None,
        "alive": False,
        "place": None,
        "updated": job.asked if job else 0.0,
        "actions": [],
    }
    begun = (folder / "config.json").exists()
    readable = not begun or _add_run(card, folder)
    if job is not None and readable:
        _add_job(card, folder, job, place if job.waiting else None)
    elif job is None and not begun:
        words = "What was noted of this run is damaged" + (": delete it." if mine else ".")
        card |= {"state": "failed", "words": words}
        return {**card, "actions": ["delete"] if mine else []}
    card["title"] = read_notes(folder).name or card["title"]
    card["words"] = without_paths(card["words"], job, folder.parent)
    if card["mine"]:
        card["actions"] = actions_for(card) if readable else ["delete"]
    return card


def _add_run(card: RunCard, folder: Path) -> bool:
    """What the run says of itself. False, and words about that, where it cannot be read."""
    try:
        state = read_state(folder)
    except (ValueError, OSError) as error:
        card |= {"state": "failed", "words": f"This run cannot be shown: {error}"}
        card |= {"updated": _moved(folder)}
        return False
    card |= {
        "kind": state.kind,
        "state": state.state,
        "words": state.words,
        "step": state.step,
        "steps": state.steps or card["steps"],
        "alive": state.alive,
        "updated": state.updated,
        "seconds_left": state.seconds_left,
    }
    return True


def _add_job(card: RunCard, folder: Path, job: RunJob, place: int | None) -> None:
    """What the queue knows better than the run: that it waits, starts, or never began."""
    begun = (folder / "config.json").exists()
    if job.waiting:
        words = "Next in the queue: it starts when the run before it ends."
        if job.mend:
            words = "Mending: it goes on from its last good checkpoint when it is its turn."
        elif place is not None and place > 1:
            words = f"Number {place} in the queue."
        card |= {"state": "waiting", "place": place or 1, "words": words, "alive": True}
    elif begun and card["state"] in ENDED and card["updated"] > job.launched:
        card["alive"] = False  # it has said its last word
    elif not card["alive"] and process_lives(job):
        card |= {"state": "starting", "words": STARTING, "alive": True}
    elif not begun or (not card["alive"] and job.launched > card["updated"]):
        card |= {"state": "failed", "words": last_log_line(folder), "updated": job.launched}


def details_of(folder: Path, job: RunJob | None, card: RunCard) -> RunDetails:
    own = card["mine"] or job is None or not job.private
    details: RunDetails = {
        **card,
        "verdict": None,
        "command": "",
        "moments": [],
        "report": False,
        "weights": None,
        "kept_steps": [],
        "switches": "",
        "history": [],
        "notes": asdict(read_notes(folder)),
    }
    if not (folder / "config.json").exists():
        return details
    details["moments"] = milestones(folder)
    details["report"] = (folder / "report.json").exists()
    details["pictures_shown"] = own
    with suppress(ValueError):
        details["command"] = command_of(
            folder, job.data_name if job and card["mine"] else "pictures.zip"
        )
    weights = weights_file(folder)
    details["weights"] = weights.name if weights and own else None
    details["kept_steps"] = kept_steps(folder) if own else []
    if card["kind"] in ("pretraining", "distillation"):
        details["verdict"] = verdict_of(folder)
    details["switches"] = switches_of(folder)
    details["history"] = history_of(folder)
    if card["mine"] and details["switches"] and card["state"] in MENDABLE:
        details["actions"] = ["mend", *card["actions"]]
    return details


def actions_for(card: RunCard) -> list[str]:
    """What its owner can ask of a run now."""
    actions: dict[str, list[str]] = {
        "waiting": ["stop"],
        "starting": ["stop"],
        "running": ["pause", "stop"],
        "paused": ["resume", "stop"],
        "stopped": ["resume", "delete"],
        "failed": ["resume", "delete"],
    }
    return actions.get(card["state"], ["delete"])


def process_lives(job: RunJob) -> bool:
    """Whether the process of a run that was launched is still there, and still that run's."""
    return is_running(job.pid, job.name)


def launch_file(folder: Path) -> Path:
    """What the process of a run said before there was a run."""
    return folder.with_name(f"{folder.name}.launch.txt")


def last_log_line(folder: Path) -> str:
    """What a process said that ended before there was a run."""
    try:
        text = launch_file(folder).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "The process ended before the run began."


def without_paths(words: str, job: RunJob | None, folder: Path) -> str:
    """Folders of this machine are nobody's business."""
    if job and job.private:
        words = words.replace(job.data, "the pictures")
    return words.replace(f"{folder}/", "")


def _moved(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
