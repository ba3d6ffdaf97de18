"""Starting, watching and steering runs by the server's routes, without a browser."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tiny_runs import WRONG_ZIPS, coloured, picture, zipped

from app.jobs import uploads
from app.jobs.runs import Runs
from app.routes.all_routes import add_routes
from app.services import build_services
from app.visitors import COOKIE, owner_of
from dino_core.runs.folder import RunFolder
from dino_core.runs.request import RunRequest
from dino_core.runs.request_io import read_request

pytestmark = pytest.mark.slow  # real runs
TINY = {"preset": "tiny", "steps": 60, "batch": 4, "seed": 3}


class Server:
    """The routes alone, with visitors who have secrets of their own."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.services = build_services("preview_vits14", None, "cpu")
        self.runs = self.services.runs
        add_routes(self.app, self.services)

    def visitor(self, secret: str | None) -> TestClient:
        cookie = self.services.visitors.cookie_of(secret) if secret else ""
        return TestClient(self.app, cookies={COOKIE: cookie} if cookie else {})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for runs; whatever still runs in it at the end is stopped."""
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path / "runs"))
    yield tmp_path / "runs"
    server = Server()
    for job in server.runs.all_jobs():
        for _ in range(2):
            server.runs.steer(job.name, job.owner, "stop")
    wait(lambda: server.runs.running() is None)


def wait(done: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.1)
    raise AssertionError("It did not happen.")


def send(client: TestClient, path: Path, name: str | None = None) -> Any:
    return client.post(f"/runs/pictures?name={name or path.name}", content=path.read_bytes())


def state_of(client: TestClient, name: str) -> str:
    return client.get(f"/runs/{name}").json()["state"]


def refused_to_others(strangers: Sequence[TestClient], name: str) -> None:
    for stranger in strangers:
        refused = stranger.post(f"/runs/{name}/steer?action=stop")
        assert refused.status_code == 403
        assert refused.text
        assert stranger.get(f"/runs/{name}/weights").status_code == 403


def watched_by_both(one: TestClient, two: TestClient, name: str) -> list[int]:
    """A paused run as its owner sees it, and as others do: the steps that it has made."""
    told = one.get(f"/runs/{name}/metrics").json()
    trained = [line for line in told["lines"] if "loss" in line]  # the others are milestones
    steps = [line["step"] for line in trained]
    assert steps == list(range(1, len(steps) + 1))
    assert set(trained[0]["logged"]) >= set(trained[0]["uniform"])
    again = one.get(f"/runs/{name}/metrics?from={told['next']}&mark={told['mark']}").json()
    assert (again["lines"], again["anew"]) == ([], False), "only what is new is sent"
    assert told["run"]["moments"][0] == "step-00000000"
    watched = two.get(f"/runs/{name}").json()
    assert watched["actions"] == []
    assert told["run"]["actions"] == ["resume", "stop"]
    assert "my own.zip" in told["run"]["command"]
    assert "my own" not in json.dumps(watched)
    return steps


@pytest.mark.slow
def test_a_run_from_start_to_stop_over_a_restart(folder: Path, tmp_path: Path) -> None:
    server = Server()
    one, two, nobody = (server.visitor(secret) for secret in ("secret of one", "two's", None))
    pictures = zipped(tmp_path / "my own.zip", {f"{i}.png": picture(i) for i in range(5)})
    sent = send(one, pictures).json()
    assert (sent["pictures"], sent["classes"]) == (5, {})

    assert nobody.post("/runs", json=TINY).status_code == 403
    first = one.post("/runs", json=TINY | {"data": sent["token"]}).json()
    second = two.post("/runs", json=TINY | {"steps": 50}).json()
    assert (first["state"], first["mine"], first["place"]) == ("starting", True, None)
    assert (second["state"], second["place"]) == ("waiting", 1), "one runs at a time"
    name = first["name"]

    refused_to_others((two, nobody), name)
    assert "Only the browser that started" in two.post(f"/runs/{name}/steer?action=stop").text
    stolen = two.post("/runs", json=TINY | {"data": sent["token"]})
    assert stolen.status_code == 422, "a zip is found by its own visitor only"

    server = Server()  # the page's server starts again, the run goes on
    one, two = server.visitor("secret of one"), server.visitor("two's")
    assert {run["name"]: run["mine"] for run in one.get("/runs").json()["runs"]} == {
        name: True,
        second["name"]: False,
    }
    assert server.runs.advance(), "who waited still waits"

    wait(lambda: one.get(f"/runs/{name}/metrics").json()["lines"])
    assert one.post(f"/runs/{name}/steer?action=pause").status_code == 200
    wait(lambda: state_of(two, name) == "paused")
    steps = watched_by_both(one, two, name)
    assert str(tmp_path) not in two.get(f"/runs/{name}").text

    one.post(f"/runs/{name}/steer?action=resume")
    wait(lambda: one.get(f"/runs/{name}").json()["step"] > steps[-1])
    one.post(f"/runs/{name}/steer?action=stop")
    wait(lambda: state_of(one, name) == "stopped")
    wait(lambda: server.runs.running() is None)
    assert not server.runs.advance(), "the next one has its turn, and nobody waits after it"
    assert state_of(two, second["name"]) == "starting"
    layers = one.get(f"/runs/{name}/distance").json()["layers"]
    assert layers[0]["name"] == "patch embedding"
    assert 0 < layers[0]["relative"] < 1
    assert one.post(f"/runs/{name}/steer?action=resume").json()["place"] == 1
    refused = one.post(f"/runs/{name}/steer?action=delete")
    assert (refused.status_code, refused.text) == (422, "This run has not ended: stop it first.")
    assert one.post(f"/runs/{name}/steer?action=stop").json()["state"] == "stopped", "taken back"

    assert two.post(f"/runs/{name}/steer?action=delete").status_code == 403
    assert one.post(f"/runs/{name}/steer?action=delete").json()["gone"]
    assert [run["name"] for run in one.get("/runs").json()["runs"]] == [second["name"]]
    assert not list(folder.glob(f"{name}*")), "nothing of it is left"
    assert one.get(f"/runs/{name}").status_code == 404


def test_only_samples_and_pictures_of_ones_own_are_probes(folder: Path) -> None:
    one = Server().visitor("one")
    for probes in (["../../README.md"], ["credits.json"], ["nothing.jpg"]):
        answer = one.post("/runs", json=TINY | {"probes": probes})
        assert (answer.status_code, answer.text) == (422, "There is no such sample.")
    answer = one.post("/runs", json=TINY | {"own_probe": "somebody's key"})
    assert answer.status_code == 422
    assert "no longer kept" in answer.text


def test_an_experiment_is_asked_for_by_name_and_named_in_the_list(folder: Path) -> None:
    server = Server()
    server.runs.running = lambda: "another"  # type: ignore[method-assign]  # so that it waits
    one = server.visitor("one")
    offered = {switch["name"]: switch for switch in one.get("/runs").json()["experiments"]}
    assert offered["teacher-frozen"]["excludes"] == ["teacher-is-student"]
    card = one.post("/runs", json=TINY | {"experiment": ["no-koleo", "small-batch"]}).json()
    assert card["title"] == "tiny, 60 steps, no KoLeo, small batch"
    request = read_request(folder / card["name"] / "request.json")
    assert (request.experiment, request.batch) == (("no-koleo", "small-batch"), 4)
    one.post(f"/runs/{card['name']}/steer?action=stop")


def test_what_is_asked_of_a_distillation_is_what_runs(folder: Path) -> None:
    server = Server()
    server.runs.running = lambda: "another"  # type: ignore[method-assign]  # so that it waits
    one = server.visitor("one")
    students = one.get("/runs").json()["students"]["features"]
    assert [student["name"] for student in students if student["fits"]][:2] == ["photos", "light"]
    form = {"kind": "distillation", "student": "photos", "model": "preview_vits14", "steps": 7}
    card = one.post("/runs", json=form | {"preset": "tiny", "knn": True, "probes": ["cat.jpg"]})
    assert (card.json()["kind"], card.json()["title"]) == (
        "distillation",
        "distillation, photos, 7 steps",
    )
    request = read_request(folder / card.json()["name"] / "request.json")
    assert (request.student, request.teacher, request.steps) == ("photos", "preview_vits14", 7)
    assert (request.model, request.weights, request.knn) == (None, None, None)
    assert [Path(probe).name for probe in request.probes] == ["cat.jpg"]
    one.post(f"/runs/{card.json()['name']}/steer?action=stop")


def test_by_prototypes_the_teacher_has_heads_and_patches_of_the_student_s_size(
    folder: Path,
) -> None:
    server = Server()
    server.runs.running = lambda: "another"  # type: ignore[method-assign]  # so that it waits
    one = server.visitor("one")
    (photos,) = (
        student
        for student in one.get("/runs").json()["students"]["paper"]
        if student["name"] == "photos"
    )
    assert (photos["steps"], "two minutes" in photos["words"]) == (400, False)
    form = {"kind": "distillation", "recipe": "paper", "student": "photos", "steps": 7}
    form |= {"model": "preview_vits14", "gradient_shares": 50}
    refused = one.post("/runs", json=form | {"student": "light"})
    assert "the student's have 8 px and the teacher's 14" in refused.text
    refused = one.post("/runs", json=form | {"model": "distilled_vit8"})
    assert (refused.status_code, "distilled_vit8 has none here" in refused.text) == (422, True)
    assert server.runs.all_jobs() == []
    card = one.post("/runs", json=form).json()
    assert card["title"] == "distillation by prototypes, photos, 7 steps"
    request = read_request(folder / card["name"] / "request.json")
    assert (request.recipe, request.answers, request.gradient_shares) == ("paper", None, 50)
    one.post(f"/runs/{card['name']}/steer?action=stop")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"steps": 0}, "from 1 to"),
        ({"steps": "many"}, "whole number"),
        ({"preset": "huge"}, "no preset 'huge'"),
        ({"preset": "official-long"}, "too large for this machine"),
        ({"preset": "continue", "model": "nothing"}, "on this machine"),
        ({"kind": "fine-tuning"}, "a folder for each class"),
        ({"kind": "distillation", "student": "huge"}, "one of light, photos"),
        (
            {"kind": "distillation", "student": "official-long", "model": "preview_vits14"},
            "too large for this machine",
        ),
        ({"kind": "distillation", "model": "nothing"}, "Choose a model that is on this machine"),
        ({"kind": "dreaming"}, "pretraining, fine-tuning or distillation"),
        ({"data": "../../etc"}, "no longer kept"),
        ({"probes": 3}, "list of samples"),
        ({"experiment": ["no-loss"]}, "one of no-centring, no-sharpening"),
        ({"experiment": "no-koleo"}, "The experiment must be"),
        ({"experiment": ["no-masking", "random-masking"]}, "exclude each other"),
    ],
)
def test_what_cannot_be_started_is_said(folder: Path, asked: dict[str, Any], words: str) -> None:
    server = Server()
    answer = server.visitor("one").post("/runs", json=TINY | asked)
    assert answer.status_code == 422
    assert words in answer.text
    assert server.runs.all_jobs() == []


@pytest.mark.parametrize(("make", "words"), WRONG_ZIPS)
def test_zips_are_refused_in_words(
    folder: Path, tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    path = make(tmp_path / "holiday.zip")
    answer = send(Server().visitor("one"), path)
    assert answer.status_code == 422
    assert words in answer.text
    assert str(folder) not in answer.text
    assert "holiday.zip" in answer.text, "the visitor's own name for it"
    assert not list(folder.rglob("*.zip")), "what is refused is not kept"


def test_too_large_a_zip_is_let_go(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_ZIP", 1 << 20)
    path = tmp_path / "large.zip"
    path.write_bytes(bytes(2 << 20))
    answer = send(Server().visitor("one"), path)
    assert answer.status_code == 422
    assert "1 MB allowed" in answer.text
    assert not list(folder.rglob("*.zip"))


def test_a_labelled_zip_says_its_classes_and_old_ones_make_room(
    folder: Path, tmp_path: Path
) -> None:
    one = Server().visitor("one")
    path = zipped(tmp_path / "three.zip", coloured(2))
    assert send(one, path).json()["classes"] == {"blue": 2, "green": 2, "red": 2}
    for _ in range(uploads.KEPT_ZIPS + 1):
        send(one, path)
    assert len(list(folder.rglob("*.zip"))) == uploads.KEPT_ZIPS


def test_a_name_is_no_path(folder: Path) -> None:
    one = Server().visitor("one")
    for name in ("..", "%2e%2e", ".page", "nothing", "..%2f..%2fetc"):
        assert one.get(f"/runs/{name}/report").status_code == 404


def test_lines_come_once_and_anew_when_a_run_went_back(folder: Path) -> None:
    from dino_core.runs.folder import RunFolder
    from dino_core.scenes.training import metrics_from

    run = RunFolder(folder / "a")
    run.create({"kind": "pretraining"})
    for step in (1, 2, 3):
        run.add_metrics({"step": step, "loss": step / 3, "time": 1.0})
    first = metrics_from(run.path)
    assert [line["step"] for line in first["lines"]] == [1, 2, 3]
    assert first["lines"][0] == {"step": 1, "loss": pytest.approx(1 / 3, rel=1e-5)}
    with run.metrics_file.open("a") as file:
        file.write('{"step": 4, "lo')  # half a line
    half = metrics_from(run.path, first["next"], first["mark"])
    assert (half["lines"], half["next"], half["anew"]) == ([], first["next"], False)
    run.cut_metrics(2)
    back = metrics_from(run.path, half["next"], half["mark"])
    assert back["anew"]
    assert [line["step"] for line in back["lines"]] == [1, 2]


def test_schedules_are_the_library_s(folder: Path) -> None:
    from safetensors.numpy import load

    from dino_core.runs.presets import PRESETS
    from dino_core.schedules import values_at

    one = Server().visitor("one")
    for preset, run in PRESETS.items():
        arrays = load(one.get(f"/schedules/{preset}").content)
        assert arrays["steps"][0] == 0
        assert arrays["steps"][-1] == run.steps - 1
        for i in (0, 3, len(arrays["steps"]) // 2, -1):
            wanted = vars(values_at(int(arrays["steps"][i]), run.train.schedule))
            for name, value in wanted.items():
                np.testing.assert_allclose(arrays[name][i], value, rtol=1e-6, err_msg=name)
    assert one.get("/schedules/nothing").status_code == 422


def test_a_run_that_has_just_stopped_can_go_on(folder: Path) -> None:
    """Its process is still on its way out, and would not hear of it."""
    server = Server()
    one = server.visitor("one")
    run = RunFolder(folder / "tiny-a")
    run.create({"kind": "pretraining"})
    job = {"name": "tiny-a", "owner": owner_of("one"), "title": "", "kind": "pretraining"}
    job |= {"steps": 4, "data": "samples", "data_name": "", "asked": 1.0, "waiting": False}
    server.runs.jobs.mkdir(parents=True)
    (server.runs.jobs / "tiny-a.json").write_text(json.dumps(job))
    with run.locked():
        run.put_state("stopped", "Stopped after step 2 of 4, as asked.", 2, 4)
        assert one.get("/runs/tiny-a").json()["actions"] == ["resume", "delete"]
        assert one.post("/runs/tiny-a/steer?action=resume").json()["state"] == "waiting"
        assert one.post("/runs/tiny-a/steer?action=stop").json()["state"] == "stopped"


def experiment_of(server: Server, visitor: str, *switches: str) -> RunFolder:
    """A run of a visitor's, asked for with switches, of which no step has been made."""
    run = RunFolder(server.runs.folder / "tiny-b")
    request = {"kind": "pretraining", "data": "samples", "experiment": switches}
    history = [{"turned_back": ["rate-x10"], "after": 9, "step": 4, "verdict": "Bad."}, 3, {}]
    setup = {"request": request, "heads": None}
    run.create({"kind": "pretraining", "setup": setup, "threads": 1, "history": history})
    job = {"name": "tiny-b", "owner": owner_of(visitor), "title": "", "kind": "pretraining"}
    job |= {"steps": 4, "data": "samples", "data_name": "", "asked": 1.0, "waiting": False}
    server.runs.jobs.mkdir(parents=True)
    (server.runs.jobs / "tiny-b.json").write_text(json.dumps(job))
    return run


def test_mending_stops_a_run_and_it_goes_on_from_where_it_was_good(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[list[str]] = []
    monkeypatch.setattr(
        "app.jobs.runs.launch", lambda words, folder: launched.append(list(words)) or 1
    )
    server = Server()
    one, two = server.visitor("one"), server.visitor("two")
    run = experiment_of(server, "one", "no-koleo", "small-batch")
    with run.locked():
        run.put_state("running", "Step 2 of 4.", 2, 4)
        told = one.get("/runs/tiny-b").json()
        assert told["actions"] == ["mend", "pause", "stop"]
        assert told["switches"] == "no KoLeo, small batch"
        (history,) = told["history"]
        assert history.startswith("Mended: rate x 10 turned back after step 9")
        assert "mend" not in two.get("/runs/tiny-b").json()["actions"]
        assert two.post("/runs/tiny-b/steer?action=mend").status_code == 403
        card = one.post("/runs/tiny-b/steer?action=mend").json()
        assert (card["state"], card["words"][:9]) == ("waiting", "Mending: ")
        assert run.action() == "stop"
        assert launched == [], "its process is still at work"
    server.runs.advance()
    assert launched == [["train", "--run", str(run.path), "--mend"]]
    run.put_state("stopped", "Stopped after step 2 of 4, as asked.", 2, 4)
    one.post("/runs/tiny-b/steer?action=resume")
    server.runs.advance()
    assert launched[-1] == ["train", "--run", str(run.path), "--resume"], "it is mended once"


def test_a_run_is_called_what_its_owner_calls_it(folder: Path) -> None:
    server = Server()
    one, two = server.visitor("one"), server.visitor("two")
    experiment_of(server, "one").put_state("stopped", "Stopped.", 2, 4)
    words = {"name": "<i>Birds</i>", "note": "few", "pictures": "garden"}
    assert one.post("/runs/tiny-b/notes", json=words).json()["title"] == "<i>Birds</i>"
    told = two.get("/runs/tiny-b").json()
    assert (told["title"], told["notes"]) == ("<i>Birds</i>", words)
    assert two.post("/runs/tiny-b/notes", json={"name": "Mine"}).status_code == 403
    refused = one.post("/runs/tiny-b/notes", json={"name": "x" * 81})
    assert (refused.status_code, "at most 80" in refused.text) == (422, True)
    assert one.get("/runs").json()["runs"][0]["title"] == "<i>Birds</i>"


def test_there_is_nothing_to_mend_without_an_experiment(folder: Path) -> None:
    server = Server()
    one = server.visitor("one")
    experiment_of(server, "one").put_state("stopped", "Stopped.", 2, 4)
    assert one.get("/runs/tiny-b").json()["actions"] == ["resume", "delete"]
    refused = one.post("/runs/tiny-b/steer?action=mend")
    assert (refused.status_code, "nothing to turn back" in refused.text) == (422, True)


def test_a_run_takes_the_pictures_that_its_visitor_chose(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    one, two = server.visitor("one"), server.visitor("two")
    files = {f"{name}/{i}.png": picture(i) for name in ("cats", "dogs", "masks") for i in range(6)}
    sent = send(one, zipped(tmp_path / "pets.zip", files)).json()
    assert (sent["classes"], sent["aside"]) == ({"cats": 6, "dogs": 6}, {"masks": 6})
    address = f"/runs/pictures/{sent['token']}"
    choice = {"include": ["masks"], "exclude": ["cats/0*"], "stretch": True}
    assert two.post(address, json=choice).status_code == 422, "it is another visitor's"
    assert one.post(address, json={"include": 3}).status_code == 422
    chosen = one.post(address, json=choice).json()
    assert (chosen["classes"], chosen["aside"]) == ({"cats": 5, "dogs": 6, "masks": 6}, {})
    assert (chosen["token"], chosen["choice"]) == (sent["token"], choice)
    assert chosen.keys() == sent.keys(), "and nothing of where it came from"

    asked: list[RunRequest] = []
    monkeypatch.setattr(Runs, "add", lambda self, job, request: asked.append(request))
    form = {"kind": "fine-tuning", "part": "head", "epochs": 1, "model": "preview_vits14"}
    with contextlib.suppress(ValueError, KeyError):  # in name only: there is no card of it
        one.post("/runs", json=form | {"data": sent["token"]})
    (request,) = asked
    assert {name: getattr(request, name) for name in choice} == {
        "include": ("masks",), "exclude": ("cats/0*",), "stretch": True,
    }  # fmt: skip


def test_weights_are_handed_out_under_the_run_s_name(folder: Path) -> None:
    server = Server()
    one = server.visitor("one")
    run = experiment_of(server, "one")
    none = one.get("/runs/tiny-b/weights")
    assert (none.status_code, none.text) == (404, "This run has no weights yet.")
    (run.path / "backbone.safetensors").write_bytes(b"weights")
    answer = one.get("/runs/tiny-b/weights")
    assert answer.content == b"weights"
    assert 'filename="tiny-b-backbone.safetensors"' in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_mistake_is_shown_to_who_brought_the_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    run = experiment_of(server, "one")
    job = run.path.parent / ".page" / "jobs" / "tiny-b.json"
    job.write_text(json.dumps(json.loads(job.read_text()) | {"data": "/u/own.zip"}))
    asked: list[tuple[Path, int]] = []
    monkeypatch.setattr(
        "app.routes.runs.finetuning.mistake_picture",
        lambda folder, number: asked.append((folder, number)) or b"jpeg",
    )
    address = "/runs/tiny-b/mistakes/3.jpg"
    answer = server.visitor("one").get(address)
    assert (answer.content, answer.headers["content-type"]) == (b"jpeg", "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert asked == [(run.path, 3)]
    assert server.visitor("two").get(address).status_code == 403


def test_a_moment_is_shown_in_the_colours_of_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    one, run = server.visitor("one"), experiment_of(server, "one")
    asked: list[Any] = []

    def scene(*parts: Any) -> Any:
        asked.append(parts)
        raise ValueError("A test.")

    monkeypatch.setattr("app.routes.runs.probes.probe_scene", scene)
    for query in ("", "?to=tiny-b&at=step-9"):
        assert one.get(f"/runs/tiny-b/probe/step-3{query}").text == "A test."
    assert asked == [(run.path, "step-3", None), (run.path, "step-3", (run.path, "step-9"))]
    assert one.get("/runs/tiny-b/probe/step-3?to=nothing").status_code == 404
