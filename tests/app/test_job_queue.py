"""jobs/queue.py, runs.py, galleries.py: order, limits, ownership and locks, without a process.

The clock is a number, and what is launched is a name in a list.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from app.jobs import galleries as gallery_jobs
from app.jobs import run_cards
from app.jobs import runs as run_jobs
from app.jobs.galleries import Galleries
from app.jobs.gallery_cards import GalleryJob
from app.jobs.queue import Job, JobQueue
from app.jobs.run_cards import RunJob
from app.jobs.runs import NotYours, Runs
from dino_core.runs.folder import RunFolder
from dino_core.runs.request import RunRequest
from dino_core.scenes.gallery import Options

ASKED = RunRequest("pretraining", data="samples")


@dataclass
class World:
    """A machine without processes: what was launched, what lives, and what time it is."""

    folder: Path
    now: float = 1_000_000.0
    launched: list[list[str]] = field(default_factory=list)
    living: set[int] = field(default_factory=set)
    stopped: list[int] = field(default_factory=list)
    holding: ExitStack = field(default_factory=ExitStack)

    def runs(self) -> Runs:
        return Runs(self.folder, clock=lambda: self.now)

    def galleries(self) -> Galleries:
        return Galleries(self.folder, clock=lambda: self.now)

    def launch(self, arguments: list[str], folder: Path) -> int:
        self.launched.append([*arguments])
        self.living.add(len(self.launched))
        return len(self.launched)

    def run_started(self, name: str, state: str, /, **values: object) -> RunFolder:
        """What a process would do: hold the run, and say how it is."""
        run = RunFolder(self.folder / name)
        if not run.config_file.exists():
            run.create({"kind": "pretraining"})
        self.holding.close()
        self.holding.enter_context(run.locked())
        self.run_says(run, state, **values)
        return run

    def run_says(self, run: RunFolder, state: str, /, **values: object) -> None:
        run.put_state(state, "Words.", 3, 9)  # type: ignore[arg-type]
        file = run.path / "state.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"updated": self.now} | values))

    def run_ends(self, name: str, state: str = "stopped") -> None:
        self.holding.close()
        self.living.clear()
        self.run_says(RunFolder(self.folder / name), state)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    one = World(tmp_path / "jobs")
    monkeypatch.setattr(run_jobs, "launch", one.launch)
    monkeypatch.setattr(run_cards, "is_running", lambda pid, name: pid in one.living)
    monkeypatch.setattr(run_jobs, "stop_process", lambda pid, name: one.stopped.append(pid))
    with one.holding:
        yield one


def run(name: str, owner: str = "one", asked: float = 0.0, address: str = "") -> RunJob:
    return RunJob(
        name,
        owner,
        "A run",
        "samples",
        kind="pretraining",
        steps=9,
        data_name="samples",
        asked=asked,
        address=address,
    )


def names(jobs: list[RunJob]) -> list[str]:
    return [one.name for one in jobs]


# --- order and locks


def test_who_came_first_is_first(world: World) -> None:
    runs = world.runs()
    runs.add(run("first", asked=1), ASKED)
    for name, asked in (("z", 2), ("b", 4), ("a", 3)):
        runs.add(run(name, owner=name, asked=asked), ASKED)
    assert names(runs.waiting()) == ["z", "a", "b"]
    cards = {card["name"]: card["place"] for card in runs.everything("nobody")}
    assert cards == {"first": None, "z": 1, "a": 2, "b": 3}
    assert runs.card("a", "a")["words"] == "Number 2 in the queue."
    assert runs.advance(), "the first one has the machine"
    assert len(world.launched) == 1
    world.living.clear()
    assert runs.advance(), "two wait after this one"
    assert world.launched[1] == ["train", "--request", str(runs.folder / "z" / "request.json")]


def test_what_waits_outlives_the_server(world: World) -> None:
    world.runs().add(run("first", asked=1), ASKED)
    world.runs().add(run("second", asked=2), ASKED)
    assert names(world.runs().waiting()) == ["second"]
    world.living.clear()
    assert not world.runs().advance()
    assert [words[2].split("/")[-2] for words in world.launched] == ["first", "second"]


class Slow(JobQueue[Job]):
    """Starting one takes a while: long enough for another server to look at the queue too."""

    started: list[str]
    gate: threading.Barrier

    def _is_busy(self) -> bool:
        return bool(self.started)

    def _start(self, job: Job) -> Job:
        with suppress(threading.BrokenBarrierError):
            self.gate.wait(0.5)  # both are here only if the lock lets them
        self.started.append(job.name)
        return replace(job, waiting=False)


def test_two_servers_on_one_folder_start_one(tmp_path: Path) -> None:
    servers = [Slow(tmp_path, Job) for _ in range(2)]
    started: list[str] = []
    gate = threading.Barrier(2)
    for server in servers:
        server.started, server.gate = started, gate
    for i in range(2):
        servers[0]._put(Job(f"job-{i}", "one", "", "samples", asked=i))
    threads = [threading.Thread(target=server.advance) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert started == ["job-0"]


@pytest.mark.parametrize("name", ["../x", "..", "a/b", "", ".page", "A", "a" * 81, "x\n", "é"])
def test_a_name_is_no_path(world: World, name: str) -> None:
    runs = world.runs()
    runs.add(run("x"), ASKED)
    job = json.loads((runs.jobs / "x.json").read_text())
    (runs.page / "x.json").write_text(json.dumps(job | {"name": name}))
    assert runs.job(name) is None
    with pytest.raises(ValueError, match="no such run"):
        runs.find(name)


# --- limits


def test_one_visitor_may_have_three_waiting(world: World) -> None:
    runs = world.runs()
    runs.add(run("busy", owner="somebody"), ASKED)
    for i in range(3):
        runs.add(run(f"own-{i}", asked=i), ASKED)
    with pytest.raises(ValueError, match="You have 3 runs waiting already"):
        runs.add(run("own-3"), ASKED)
    assert not (runs.folder / "own-3").exists()
    runs.add(run("other", owner="two", asked=9), ASKED)
    world.living.clear()
    runs.advance()
    runs.add(run("own-3"), ASKED)


def test_eight_may_wait_in_all(world: World) -> None:
    runs = world.runs()
    runs.add(run("busy"), ASKED)
    for i in range(8):
        runs.add(run(f"run-{i}", owner=f"visitor {i}"), ASKED)
    with pytest.raises(ValueError, match="There are 8 runs waiting already"):
        runs.add(run("ninth", owner="another"), ASKED)


def test_made_up_cookies_do_not_fill_the_queue(world: World) -> None:
    runs = world.runs()
    runs.add(run("busy"), ASKED)
    for i in range(4):
        runs.add(run(f"run-{i}", owner=f"cookie {i}", address="here"), ASKED)
    with pytest.raises(ValueError, match="4 runs wait already that were asked for at your address"):
        runs.add(run("fifth", owner="cookie 5", address="here"), ASKED)
    runs.add(run("there", owner="two", address="there"), ASKED)
    runs.add(run("unknown", owner="three"), ASKED)


def test_going_on_waits_by_the_same_limits(world: World) -> None:
    runs = world.runs()
    runs.add(run("old"), ASKED)
    world.run_started("old", "running")
    world.run_ends("old")
    runs.add(run("busy", owner="two"), ASKED)
    for i in range(3):
        runs.add(run(f"own-{i}"), ASKED)
    with pytest.raises(ValueError, match="You have 3 runs"):
        runs.steer("old", "one", "resume")


# --- steering


def test_only_the_owner_steers(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    for steer in (lambda: runs.steer("a", "two", "stop"), lambda: runs.remove("a", "two")):
        with pytest.raises(NotYours, match="Only the browser"):
            steer()
    RunFolder(runs.folder / "by-hand").create({"kind": "pretraining"})
    with pytest.raises(NotYours, match="command line"):
        runs.steer("by-hand", "one", "stop")
    card = {card["name"]: card for card in runs.everything("two")}
    assert (card["a"]["mine"], card["a"]["actions"]) == (False, [])


def test_a_run_is_steered_by_its_folder_and_before_that_by_its_process(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    runs.steer("a", "one", "stop")
    assert world.stopped == [1], "it was still importing"
    folder = world.run_started("a", "running").path
    assert runs.card("a", "one")["actions"] == ["pause", "stop"]
    runs.steer("a", "one", "pause")
    assert (folder / "control").read_text() == "pause\n"
    runs.steer("a", "one", "stop")
    assert (folder / "control").read_text() == "stop\n"
    assert world.stopped == [1]


def test_a_run_that_goes_on_is_not_deleted(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    world.run_started("a", "running")
    for state in ("running", "paused"):
        world.run_says(RunFolder(runs.folder / "a"), state)
        with pytest.raises(ValueError, match="has not ended"):
            runs.remove("a", "one")
        assert (runs.folder / "a" / "config.json").exists()
    runs.add(run("b"), ASKED)
    with pytest.raises(ValueError, match="has not ended"):
        runs.remove("b", "one")
    world.run_ends("a")
    runs.remove("a", "one")
    assert not (runs.folder / "a").exists()
    assert runs.job("a") is None
    assert world.stopped == [1], "or its process would write the folder anew"


def test_what_is_taken_back_is_gone_and_what_had_begun_is_stopped(world: World) -> None:
    runs = world.runs()
    runs.add(run("busy", owner="two"), ASKED)
    runs.add(run("a"), ASKED)
    runs.steer("a", "one", "stop")
    assert runs.job("a") is None
    assert not (runs.folder / "a").exists()
    runs.add(run("b"), ASKED)
    RunFolder(runs.folder / "b").create({"kind": "pretraining"})
    world.run_says(RunFolder(runs.folder / "b"), "stopped")
    runs.steer("b", "one", "stop")
    assert runs.card("b", "one")["state"] == "stopped"


def test_going_on_resumes_what_began(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    world.run_started("a", "running")
    world.run_ends("a")
    world.now += 5
    runs.steer("a", "one", "resume")
    assert world.launched[-1] == ["train", "--run", str(runs.folder / "a"), "--resume"]
    world.run_started("a", "running")
    world.run_ends("a", "finished")
    with pytest.raises(ValueError, match="finished"):
        runs.steer("a", "one", "resume")


def test_who_goes_on_waits_behind_those_who_are_there(world: World) -> None:
    runs = world.runs()
    runs.add(run("old", asked=1.0), ASKED)
    world.run_started("old", "running")
    world.run_ends("old")
    for name in ("busy", "next"):
        world.now += 5
        runs.add(run(name, owner="two", asked=world.now), ASKED)
    world.now += 5
    runs.steer("old", "one", "resume")
    assert names(runs.waiting()) == ["next", "old"]
    assert runs.card("old", "one")["place"] == 2


def test_a_long_pause_gives_the_machine_to_who_waits(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    folder = world.run_started("a", "paused").path
    runs.add(run("b", owner="two"), ASKED)
    world.now += 599
    runs.advance()
    assert not (folder / "control").exists()
    world.now += 2
    runs.advance()
    assert (folder / "control").read_text() == "stop\n"
    assert not world.launched[1:], "it has the machine until it is gone"


def test_a_run_at_work_may_be_silent_for_long_though_others_wait(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    folder = world.run_started("a", "running").path
    runs.add(run("b", owner="two"), ASKED)
    world.now += 10_000
    assert runs.advance()
    assert not (folder / "control").exists()


def test_what_is_asked_of_a_run_is_there_before_its_job(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that ends in between leaves no job that nobody can start."""
    runs = world.runs()

    def refused(folder: Path, asked: RunRequest) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(run_jobs, "write_request", refused)
    with pytest.raises(OSError, match="no space"):
        runs.add(run("a"), ASKED)
    assert runs.all_jobs() == []


def test_a_pause_may_be_long_while_nobody_waits(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    folder = world.run_started("a", "paused").path
    world.now += 10_000
    runs.advance()
    assert not (folder / "control").exists()


def test_paths_are_nobody_s_business(world: World, tmp_path: Path) -> None:
    runs = world.runs()
    data = str(tmp_path / "uploads" / "secret.zip")
    runs.add(replace(run("a"), data=data), ASKED)
    world.living.clear()
    (runs.folder / "a.launch.txt").write_text(f"noise\n{data} has no pictures.\n\n")
    card = runs.card("a", "two")
    assert (card["state"], card["words"]) == ("failed", "the pictures has no pictures.")
    run_folder = world.run_started("a", "running")
    run_folder.put_state("failed", f"{runs.folder}/a and {data} are gone.", 1, 9)
    assert str(tmp_path) not in json.dumps([runs.card("a", "two"), runs.details("a", "two")])


def test_what_a_visitor_calls_the_pictures_is_for_the_visitor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may watch the run; its pictures, their name and the weights made of them are not."""
    runs = world.runs()
    runs.add(replace(run("a"), data="/of/one.zip", data_name="my flat.zip"), ASKED)
    before = runs.details("a", "two")
    assert (before["command"], before["weights"]) == ("", None)
    assert not before.get("pictures_shown"), "nor while it is about to begin"
    run_folder = world.run_started("a", "running")
    monkeypatch.setattr(run_cards, "command_of", lambda folder, data: f"train --data {data}")
    (run_folder.path / "backbone.safetensors").write_bytes(b"weights")
    own, other = (runs.details("a", owner) for owner in ("one", "two"))
    assert own["command"] == "train --data my flat.zip"
    assert "my flat.zip" not in json.dumps(other)
    assert (own["weights"], other["weights"]) == ("backbone.safetensors", None)
    assert (own["pictures_shown"], other["pictures_shown"]) == (True, False)


# --- damaged files

DAMAGE = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe\x00", b"[" * 50_000, b'{"format": 1}']


@pytest.mark.parametrize("data", DAMAGE)
@pytest.mark.parametrize("name", ["config.json", "state.json", "metrics.jsonl", "request.json"])
def test_a_damaged_file_of_one_run_spoils_no_other(world: World, name: str, data: bytes) -> None:
    runs = world.runs()
    for owner in ("a", "b"):
        runs.add(run(owner, owner=owner), ASKED)
        world.run_started(owner, "running")
        world.run_ends(owner)
    (runs.folder / "a" / name).write_bytes(data)
    cards = {card["name"]: card for card in runs.everything("a")}
    assert cards["b"]["words"] == "Words."
    assert cards["a"]["mine"]
    json.dumps([*cards.values(), runs.details("a", "a"), runs.details("a", "b")], allow_nan=False)
    if name == "config.json" and data != DAMAGE[-1]:
        assert cards["a"]["state"] == "failed"
        assert "damaged" in cards["a"]["words"] or "version" in cards["a"]["words"]
        assert cards["a"]["actions"] == ["delete"]
    runs.remove("a", "a")
    assert [card["name"] for card in runs.everything("a")] == ["b"]


WRONG = [
    {"state": 3},
    {"updated": "now"},
    {"step": None, "steps": "x"},
    {"words": ["x"]},
    {"seconds_left": 1e999},
]


@pytest.mark.parametrize("values", WRONG)
def test_a_state_that_makes_no_sense_is_none(world: World, values: dict[str, object]) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    runs.add(run("b", owner="two"), ASKED)
    world.run_started("a", "running", **values)
    cards = runs.everything("one")
    assert len(cards) == 2
    for card in cards:
        assert isinstance(card["words"], str)
        assert isinstance(card["updated"], float | int)
        assert isinstance(card["step"], int)


@pytest.mark.parametrize(
    "data",
    [*DAMAGE, b'{"name": "b"}', b'{"name": "a", "owner": 3, "title": "", "data": "", "asked": 1}'],
)
def test_a_damaged_job_is_shown_alone_and_can_be_deleted(world: World, data: bytes) -> None:
    runs = world.runs()
    for name, owner in (("b", "two"), ("a", "one")):
        runs.add(run(name, owner=owner), ASKED)
    (runs.jobs / "a.json").write_bytes(data)
    assert runs.damaged() == ["a"]
    assert names(runs.all_jobs()) == ["b"]
    for owner, actions in (("one", ["delete"]), ("two", []), ("", [])):
        card = next(card for card in runs.everything(owner) if card["name"] == "a")
        assert card["state"] == "failed"
        assert "damaged" in card["words"]
        assert (card["mine"], card["actions"]) == (owner == "one", actions)
    for owner in ("two", ""):
        with pytest.raises(NotYours, match="damaged"):
            runs.remove("a", owner)
    runs.remove("a", "one")
    assert [card["name"] for card in runs.everything("one")] == ["b"]
    assert not list(runs.jobs.glob("a.*"))


def test_a_damaged_job_whose_owner_nobody_noted_is_nobody_s(world: World) -> None:
    runs = world.runs()
    runs.jobs.mkdir(parents=True)
    (runs.jobs / "a.json").write_bytes(b"{")
    assert runs.card("a", "one")["actions"] == []
    for owner in ("one", ""):
        with pytest.raises(NotYours, match="damaged"):
            runs.remove("a", owner)


def test_a_copy_under_another_name_is_no_job(world: World) -> None:
    """It would be started as the run whose name it has inside."""
    runs = world.runs()
    runs.add(run("a"), ASKED)
    whole = json.loads((runs.jobs / "a.json").read_text())
    (runs.jobs / "b.json").write_text(json.dumps(whole))
    (runs.jobs / "a.old.json").write_text(json.dumps(whole))
    for name, asked in (("c", "NaN"), ("d", "-Infinity")):
        (runs.jobs / f"{name}.json").write_text(
            json.dumps(whole | {"name": name, "asked": float(asked)})
        )
    (runs.jobs / "e.json").write_text(json.dumps(whole | {"name": "e", "kind": "dancing"}))
    assert runs.damaged() == ["b", "c", "d", "e"], "and a time that is none puts nobody first"
    assert names(runs.all_jobs()) == ["a"]


def test_a_damaged_job_of_a_run_that_can_be_read_takes_nothing_away(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    world.run_started("a", "running")
    world.run_ends("a", "finished")
    (runs.jobs / "a.json").write_bytes(b"{")
    card = runs.card("a", "one")
    assert (card["state"], card["mine"], card["actions"]) == ("finished", False, [])
    with pytest.raises(NotYours):
        runs.remove("a", "one")


# --- galleries


@pytest.fixture
def galleries(world: World, monkeypatch: pytest.MonkeyPatch) -> Galleries:
    def launch(data: str, folder: Path, options: Options) -> int:
        return world.launch([data], folder)

    monkeypatch.setattr(gallery_jobs, "launch", launch)
    return world.galleries()


def gallery(name: str, owner: str = "one", asked: float = 0.0, address: str = "") -> GalleryJob:
    return GalleryJob(
        name,
        owner,
        f"{name}.zip",
        "samples",
        pictures=3,
        classes=0,
        label="model",
        options={"size": 98},
        asked=asked,
        address=address,
    )


def test_one_s_own_waiting_gallery_is_named_as_such(galleries: Galleries, world: World) -> None:
    galleries.add(gallery("busy", "two"))
    galleries.add(gallery("a"))
    with pytest.raises(ValueError, match="You have 1 gallery waiting already"):
        galleries.add(gallery("b"))
    for i in range(3):
        galleries.add(gallery(f"x{i}", f"cookie {i}", address="here"))
    with pytest.raises(ValueError, match="3 galleries wait already that were asked for at your"):
        galleries.add(gallery("y", "cookie 4", address="here"))
    for i in range(4):
        galleries.add(gallery(f"z{i}", f"visitor {i}"))
    with pytest.raises(ValueError, match="There are 8 galleries waiting"):
        galleries.add(gallery("ninth", "another"))


def test_stop_and_start_do_not_lose_each_other(
    galleries: Galleries, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server starts it just when its owner takes it back: the two wait for each other."""
    galleries.add(gallery("busy", "two"))
    galleries.add(gallery("a"))
    stopped: list[Path] = []
    monkeypatch.setattr(gallery_jobs, "stop", stopped.append)
    looked, other = galleries._own, world.galleries()
    other_thread = threading.Thread(target=other.advance)

    def look(name: str, owner: str) -> GalleryJob:
        job = looked(name, owner)
        world.now += 1000  # the one that was at work is gone
        other_thread.start()
        other_thread.join(0.3)  # as far as it comes
        return job

    monkeypatch.setattr(galleries, "_own", look)
    galleries.steer("a", "one", "stop")
    other_thread.join()
    job = galleries.job("a")
    assert job is not None
    assert (job.waiting, job.refused) == (False, "Stopped before it began.")
    assert world.launched == [["samples"]], "so it was not started as well"


def test_a_damaged_gallery_is_shown_as_such(galleries: Galleries, world: World) -> None:
    for name in ("a", "b"):
        galleries.add(gallery(name, name))
        (galleries.folder / name).mkdir()
    for file, data in [("config.json", b"{"), ("config.json", b'{"format": 1}')]:
        (galleries.folder / "a" / file).write_bytes(data)
        card = galleries.card("a", "a")
        assert (card["state"], card["alive"]) == ("failed", False)
        assert "damaged" in card["words"]
        assert str(galleries.folder) not in card["words"]
    options = {"format": 1, "data": "samples", "options": {"size": 98}}
    (galleries.folder / "a" / "config.json").write_text(json.dumps(options))
    for file in ("facts.json", "state.json", "started.json", "progress.json", "source.json"):
        for data in DAMAGE:
            (galleries.folder / "a" / file).write_bytes(data)
            json.dumps(galleries.everything("a"), allow_nan=False)
    galleries.remove("a", "a")
    (galleries.jobs / "c.json").write_bytes(b"{")
    assert [card["name"] for card in galleries.everything("b")] == ["b"]
    assert galleries.everything("c") == [], "whose it is, nobody can say"


def test_what_nobody_looks_at_is_thrown_away(galleries: Galleries, world: World) -> None:
    for name in ("old", "seen"):
        job = replace(gallery(name, name), refused="A test.", waiting=False)
        galleries._put(job)
        galleries.zip_of(name).write_bytes(b"zip")
        os.utime(galleries._file(name), (world.now, world.now))
    for name in ("orphan.zip", "half.part"):
        (galleries.page / name).write_bytes(b"zip")
        os.utime(galleries.page / name, (world.now, world.now))
    world.now += 6 * 24 * 3600
    galleries.find("seen", "seen")
    galleries.sweep()
    assert sorted(p.name for p in galleries.page.glob("*.zip")) == ["old.zip", "seen.zip"]
    assert not list(galleries.page.glob("*.part"))
    world.now += 2 * 24 * 3600
    galleries.sweep()
    assert [p.name for p in galleries.page.glob("*.zip")] == ["seen.zip"]


def test_the_samples_stay_however_old(galleries: Galleries, world: World) -> None:
    galleries._put(replace(gallery("samples", owner=""), waiting=False, refused="A test."))
    (galleries.folder / "samples").mkdir()
    os.utime(galleries._file("samples"), (world.now, world.now))
    world.now += 365 * 24 * 3600
    galleries.sweep()
    assert (galleries.folder / "samples").is_dir()
    assert galleries.find("samples", "anybody")


def test_a_visitor_keeps_four_galleries_and_those_last_looked_at(
    galleries: Galleries, world: World
) -> None:
    made = ["a", "b", "c", "d", "e"]
    for name in made:
        if name == "e":
            galleries.find("a", "one")
            world.now += 10
        galleries._put(replace(gallery(name, asked=world.now), waiting=False, refused="A test."))
        os.utime(galleries._file(name), (world.now, world.now))
        world.now += 10
    galleries.add(gallery("f", asked=world.now))
    assert [job.name for job in galleries.all_jobs()] == ["a", "d", "e", "f"]


def test_places_in_the_queue_count_those_before(galleries: Galleries, world: World) -> None:
    galleries.add(gallery("busy", "visitor"))
    for moment, name in enumerate(("a", "b", "c")):
        galleries.add(gallery(name, name, asked=moment + 1.0))
    cards = [galleries.card(name, name) for name in ("a", "b", "c")]
    assert [card["place"] for card in cards] == [1, 2, 3]
    assert cards[0]["words"] == "Next in the queue."
    assert cards[2]["words"] == "Number 3 in the queue."


def test_no_owner_s_name_is_no_owner(galleries: Galleries, world: World) -> None:
    """An empty file beside a damaged one says nothing, and nobody without a name may have it."""
    galleries._put(replace(gallery("a"), waiting=False, refused="A test."))
    galleries._file("a").write_bytes(b"{")
    assert [card["name"] for card in galleries.everything("one")] == ["a"]
    galleries._owner_file("a").write_text("")
    for owner in ("", "one"):
        assert galleries.everything(owner) == []
        with pytest.raises(ValueError, match="no such gallery"):
            galleries.remove("a", owner)


def test_samples_that_break_off_are_not_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "config.json").write_text("{}")
    galleries = world.galleries()

    def full(_: Path, to: Path) -> None:
        to.mkdir(parents=True)
        (to / "config.json").write_text("{}")
        raise OSError("no space")

    monkeypatch.setattr(gallery_jobs.shutil, "copytree", full)
    with pytest.raises(OSError, match="no space"):
        galleries.bring_samples(Options("preview_vits14"), stored)
    assert not galleries.folder_of("samples").exists()


def test_a_gallery_that_is_to_go_on_waits_as_others_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    galleries = world.galleries()
    for name, waiting in (("old", False), ("new", True)):
        galleries._put(
            GalleryJob(
                name=name,
                owner="one",
                title="t",
                data="x.zip",
                pictures=1,
                classes=0,
                label="m",
                options={},
                asked=1.0,
                waiting=waiting,
            )
        )
    monkeypatch.setattr(Galleries, "card", lambda *_: {"actions": ["resume"]})
    with pytest.raises(ValueError, match="You have 1 gallery waiting already"):
        galleries.steer("old", "one", "resume")


def test_a_run_of_the_command_line_has_the_machine_too(world: World) -> None:
    runs, by_hand = world.runs(), RunFolder(world.folder / "by-hand")
    by_hand.create({"kind": "pretraining"})
    with by_hand.locked():
        runs.add(run("a"), ASKED)
        assert runs.running() == "by-hand"
        assert world.launched == []
    assert not runs.advance(), "it was the only one who waited"
    assert len(world.launched) == 1


def test_what_a_run_learns_from_and_follows_stays(world: World) -> None:
    runs = world.runs()
    runs.add(replace(run("a"), data="/u/a.zip"), replace(ASKED, probes=("/u/yours.png",)))
    runs.add(replace(run("b", owner="two"), data="/u/b.zip"), ASKED)
    (world.folder / "b" / "request.json").write_text("{")
    assert {"/u/a.zip", "/u/yours.png", "/u/b.zip"} <= runs._used_files(), "damaged or not"


@pytest.mark.parametrize(("name", "fits"), [("a" * 80, True), ("a" * 81, False), ("a-1", True)])
def test_a_name_has_so_many_letters(world: World, name: str, fits: bool) -> None:
    runs = world.runs()
    runs.add(run(name), ASKED)
    assert (runs.job(name) is not None) == fits


def test_a_gallery_that_stopped_goes_on_and_one_at_work_is_stopped(
    galleries: Galleries, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[Path] = []
    monkeypatch.setattr(gallery_jobs, "stop", stopped.append)
    galleries.add(gallery("a"))
    with pytest.raises(ValueError, match="nothing to go on with"):
        galleries.steer("a", "one", "resume")
    galleries.steer("a", "one", "stop")
    assert stopped == [galleries.folder / "a"]
    for call in (galleries.remove, lambda *who: galleries.again(*who, lambda old, new: old)):
        with pytest.raises(ValueError, match="still being built: stop it first"):
            call("a", "one")
    world.now += 61  # its process has said nothing, and has ended
    assert galleries.card("a", "one")["actions"] == ["resume"]
    galleries.steer("a", "one", "resume")
    assert len(world.launched) == 2
    job = galleries.job("a")
    assert job is not None
    assert (job.waiting, job.asked, job.launched) == (False, world.now, world.now)


def test_a_gallery_whose_process_cannot_be_started_says_why(
    galleries: Galleries, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise ValueError("There is no room for features.")

    monkeypatch.setattr(gallery_jobs, "launch", refuse)
    galleries.add(gallery("a"))
    card = galleries.card("a", "one")
    assert (card["state"], card["words"], card["alive"]) == (
        "failed",
        "There is no room for features.",
        False,
    )
    monkeypatch.setattr(gallery_jobs, "launch", lambda data, folder, _: world.launch([], folder))
    galleries.add(gallery("b", "two"))
    assert len(world.launched) == 1, "and holds up nobody"


@pytest.mark.parametrize(
    ("state", "alive", "at_work"),
    [
        ("embedding", True, True),
        ("mapping", True, True),
        ("ready", True, False),
        ("embedding", False, False),
        ("stopped", False, False),
    ],
)
def test_a_gallery_is_at_work_while_its_process_lives(
    galleries: Galleries, monkeypatch: pytest.MonkeyPatch, state: str, alive: bool, at_work: bool
) -> None:
    said = {"state": state, "alive": alive}
    monkeypatch.setattr(gallery_jobs, "state_of", lambda folder: said)
    assert galleries._at_work(gallery("a")) == at_work


def test_samples_that_broke_off_are_swept(galleries: Galleries, world: World) -> None:
    there = galleries.page / "samples.0a1b"
    there.mkdir(parents=True)
    os.utime(there, (world.now, world.now))
    world.now += 24 * 3600
    galleries.sweep()
    assert there.exists()
    world.now += 1
    galleries.sweep()
    assert not there.exists()
    assert not galleries._is_old(there, 0.0), "what has gone meanwhile is not old"


def test_a_run_that_goes_on_and_has_not_said_so_yet_has_not_failed(world: World) -> None:
    """Its process holds the run; what stands there is what it said before it was stopped."""
    runs = world.runs()
    runs.add(run("a"), ASKED)
    world.run_started("a", "running")
    job = runs.job("a")
    assert job is not None
    runs._put(replace(job, launched=world.now + 5))
    assert runs.card("a", "one")["state"] == "running"
    world.run_ends("a", "stopped")
    assert runs.card("a", "one")["state"] == "failed", "its process ended before it said a word"


def test_a_mending_that_was_taken_back_is_none_when_the_run_goes_on(world: World) -> None:
    runs = world.runs()
    runs.add(run("a"), ASKED)
    world.run_started("a", "running")
    world.run_ends("a")
    job = runs.job("a")
    assert job is not None
    runs._put(replace(job, waiting=True, mend=True, asked=world.now))
    runs.steer("a", "one", "stop")
    back = runs.job("a")
    assert back is not None
    assert (back.waiting, back.pid, back.mend) == (False, None, False)
    runs.steer("a", "one", "resume")
    assert world.launched[-1][-1] == "--resume"


def test_a_gallery_at_work_stays_however_long_nobody_looks(
    galleries: Galleries, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"state": "mapping", "alive": True}
    monkeypatch.setattr(gallery_jobs, "state_of", lambda folder: said)
    monkeypatch.setattr(gallery_jobs, "stop", lambda folder: said.update(alive=False))
    galleries._put(replace(gallery("a"), waiting=False))
    os.utime(galleries._file("a"), (world.now, world.now))
    world.now += 8 * 24 * 3600
    galleries.sweep()
    assert galleries.job("a") is not None
    said["alive"] = False
    galleries.sweep()
    assert galleries.job("a") is None
