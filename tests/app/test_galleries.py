"""Galleries by the server's routes, without a browser: whose they are, who waits, what is said."""

import json
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alike import assert_same
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tiny_galleries import build_gallery, quick_maps, tiny_weights  # noqa: F401  (a fixture)
from tiny_runs import WRONG_ZIPS, coloured, picture, zipped

from app.jobs import galleries as keeping
from app.jobs import gallery_request
from app.jobs.gallery_cards import SAMPLES
from app.routes import galleries as routes
from app.routes.all_routes import add_routes
from app.services import build_services
from app.visitors import COOKIE
from dino_core.draw.encode import pack
from dino_core.scenes import gallery as scenes
from dino_core.scenes import gallery_probes, gallery_similarity

pytestmark = pytest.mark.slow  # real galleries


class Server:
    """The routes alone, with visitors who have secrets of their own."""

    def __init__(self, folder: Path) -> None:
        self.app = FastAPI()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("INSIDE_DINOV2_GALLERIES", str(folder))
            self.services = build_services("preview_vits14", None, "cpu")
        self.galleries = self.services.galleries
        add_routes(self.app, self.services)

    def visitor(self, secret: str | None) -> TestClient:
        cookie = self.services.visitors.cookie_of(secret) if secret else ""
        return TestClient(self.app, cookies={COOKIE: cookie} if cookie else {})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path / "runs"))
    return tmp_path / "galleries"


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Processes that are started, in name only: their galleries stay as they are."""
    folders: list[Path] = []

    def launch(data: str, folder: Path, options: scenes.Options) -> int:
        folders.append(Path(folder))
        return 0

    monkeypatch.setattr(keeping, "launch", launch)
    return folders


@pytest.fixture
def built(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quick_maps: None,  # noqa: F811
) -> None:
    """Galleries are built by a tiny model in this process, as soon as they are asked for."""
    weights = tiny_weights(tmp_path)
    monkeypatch.setattr(
        keeping, "launch", lambda data, folder, options: build_gallery(data, folder, weights)
    )
    monkeypatch.setattr("dino_core.gallery.folder.GalleryFolder.keep_going", lambda self: None)
    # Requests are answered in threads, which hear no signals.
    monkeypatch.setattr("dino_core.gallery.build.stop_on_signals", lambda store: nullcontext(set()))


def send(client: TestClient, path: Path, **query: str) -> Any:
    return client.post("/galleries", params={"name": path.name} | query, content=path.read_bytes())


def three_colours(tmp_path: Path, broken: bool = True) -> Path:
    contents = coloured(4) | ({"green/zz.png": b"\x89PNG\r\n\x1a\n and no more"} if broken else {})
    return zipped(tmp_path / "my colours.zip", contents)


def arrays(client: TestClient, address: str) -> dict[str, np.ndarray]:
    from safetensors.numpy import load

    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return load(answer.content)


@pytest.mark.slow
@pytest.mark.usefixtures("built")
def test_a_gallery_is_its_visitor_s_alone(folder: Path, tmp_path: Path) -> None:
    server = Server(folder)
    one, two, nobody = (server.visitor(secret) for secret in ("one", "two", None))
    assert send(nobody, three_colours(tmp_path)).status_code == 403
    card = send(one, three_colours(tmp_path)).json()
    name = card["name"]
    assert (card["title"], card["pictures"], card["classes"]) == ("my colours.zip", 13, 3)
    assert (card["state"], card["seen"], card["mine"]) == ("ready", True, True)
    assert [file for file, _ in card["broken"]] == ["green/zz.png"]
    assert str(tmp_path) not in json.dumps(card)
    assert [one_["name"] for one_ in one.get("/galleries").json()["galleries"]] == [name]
    assert two.get("/galleries").json()["galleries"] == []

    paths = [
        *("", "/pictures", "/atlas/0.jpg", "/pictures/0.jpg", "/points", "/clusters"),
        *("/neighbours/0", "/patches/0?row=0&column=0", "/outliers", "/duplicates", "/probe"),
        *("/predictions", "/command", "/find?key=nothing"),
    ]
    for path in paths:
        assert one.get(f"/galleries/{name}{path}").status_code == 200, path
        for stranger in (two, nobody):
            refused = stranger.get(f"/galleries/{name}{path}")
            assert (refused.status_code, refused.text) == (404, "There is no such gallery.")
    for stranger in (two, nobody):
        assert stranger.delete(f"/galleries/{name}").status_code in (403, 404)
        assert stranger.post(f"/galleries/{name}/steer?action=stop").status_code in (403, 404)
        assert stranger.post(f"/galleries/{name}/points.csv").status_code == 404
    stolen = two.get(f"/galleries/{name}/points?like={name}")
    assert stolen.status_code == 404, "another visitor's map is not laid on this one's either"

    again = Server(folder).visitor("one")  # the server starts again
    assert again.get(f"/galleries/{name}").json()["seen"]
    assert again.delete(f"/galleries/{name}").status_code == 200
    assert not list(folder.rglob("*.zip")), "the pictures are gone with the gallery"
    assert not (folder / name).exists()
    assert again.get(f"/galleries/{name}").status_code == 404


@pytest.mark.usefixtures("built")
def test_what_a_zip_leaves_out_is_counted_and_named(folder: Path, tmp_path: Path) -> None:
    strays = {"green/notes.txt": b"words", "read me.pdf": b"%PDF-1.4"}
    client = Server(folder).visitor("one")
    card = send(client, zipped(tmp_path / "my colours.zip", coloured(4) | strays)).json()
    assert card["pictures"] == 12
    assert (sorted(name for name, _ in card["left_out"]), card["left_out_count"]) == (
        sorted(strays),
        2,
    )
    assert all(why for _, why in card["left_out"])
    assert card["notes"], "a sentence on it"
    assert str(tmp_path) not in json.dumps(card)


@pytest.mark.usefixtures("built")
def test_answers_are_the_library_s(folder: Path, tmp_path: Path) -> None:
    one = Server(folder).visitor("one")
    name = send(one, three_colours(tmp_path)).json()["name"]
    there, where = folder / name, f"/galleries/{name}"
    for address, scene in [
        ("pictures", scenes.names(there)),
        ("points", scenes.points(there)),
        ("points?features=both&layer=1&method=tsne", None),
        ("points?features=mean_patch&layer=1", scenes.points(there, "mean_patch", 1)),
        ("clusters?k=3", gallery_similarity.clusters(there, "kmeans", 3)),
        ("neighbours/5?k=4&layer=0", gallery_similarity.neighbours(there, 5, 4, "cls", 0)),
        ("patches/2?row=1&column=0&k=3", gallery_similarity.similar_patches(there, 2, 1, 0, 3)),
        ("outliers", gallery_similarity.outliers(there)),
        ("probe", gallery_probes.probe(there)),
        (
            "predictions?kind=both&method=logistic&layer=2",
            gallery_probes.predictions(there, 2, "both", "logistic"),
        ),
    ]:
        answer = one.get(f"{where}/{address}")
        if scene is None:
            assert answer.status_code == 202, "it is asked for, and the page asks again"
            assert "background" in answer.text
        else:
            assert_same(answer.content, pack(scene))
    truth = np.load(there / "arrays" / "cls.npy")[:12]
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    similar = truth @ truth[7]
    similar[7] = -2
    found = arrays(one, f"{where}/neighbours/7?k=11")
    np.testing.assert_allclose(found["similarities"], np.sort(similar)[::-1][:11], atol=1e-5)
    table = one.post(f"{where}/points.csv", content="3,1").text.splitlines()
    assert [line.split(",")[:3] for line in table[1:]] == [
        ["3", "blue/03.png", "blue"],
        ["1", "blue/01.png", "blue"],
    ]
    assert len(one.post(f"{where}/points.csv").text.splitlines()) == 13
    assert one.post(f"{where}/points.csv", content="1,x").status_code == 422
    longest = b" " * 2**20  # of a selection, in bytes
    assert one.post(f"{where}/points.csv", content=longest).status_code == 200
    assert one.post(f"{where}/points.csv", content=longest + b" ").status_code == 413


@pytest.mark.usefixtures("built")
def test_a_picture_opens_from_the_map_and_is_found_in_it(folder: Path, tmp_path: Path) -> None:
    server = Server(folder)
    one = server.visitor("one")
    name = send(one, three_colours(tmp_path)).json()["name"]
    owner = keeping_owner("one")
    source, file = routes.open_from_gallery(server.galleries, name, 4, owner)
    assert (source.size, file) == ((24, 20), "green/00.png")
    assert scenes.find(folder / name, source) == 4
    with pytest.raises(ValueError, match="no such gallery"):
        routes.open_from_gallery(server.galleries, name, 4, keeping_owner("two"))
    with pytest.raises(ValueError, match="no picture 99"):
        routes.open_from_gallery(server.galleries, name, 99, owner)


def keeping_owner(secret: str) -> str:
    from app.visitors import owner_of

    return owner_of(secret)


def test_one_is_built_at_a_time(folder: Path, tmp_path: Path, launched: list[Path]) -> None:
    server = Server(folder)
    one, two = server.visitor("one"), server.visitor("two")
    first = send(one, three_colours(tmp_path)).json()
    second = send(two, three_colours(tmp_path)).json()
    assert (first["state"], first["actions"]) == ("starting", ["stop"])
    assert (second["state"], second["place"], second["actions"]) == ("waiting", 1, ["stop"])
    assert send(two, three_colours(tmp_path)).status_code == 422, "one may wait for each visitor"
    assert len(list(folder.rglob("*.zip"))) == 2, "what is refused is not kept"
    server = Server(folder)
    assert server.galleries.advance(), "who waited when the server ended still waits"
    back = server.visitor("two").post(f"/galleries/{second['name']}/steer?action=stop").json()
    assert (back["state"], back["alive"]) == ("failed", False)
    assert not server.galleries.advance()
    assert launched == [folder / first["name"]]


def test_the_oldest_make_room(folder: Path, tmp_path: Path, launched: list[Path]) -> None:
    server = Server(folder)
    one = server.visitor("one")
    made = []
    for i in range(keeping.PER_VISITOR + 1):
        made.append(send(one, three_colours(tmp_path)).json()["name"])
        job = server.galleries.jobs / f"{made[-1]}.json"
        values = json.loads(job.read_text()) | {"refused": "Its process was a test."}
        job.write_text(json.dumps(values))
        os.utime(job, (1000 + i, 1000 + i))
    assert [card["name"] for card in one.get("/galleries").json()["galleries"]] == made[:0:-1]
    assert sorted(path.stem for path in folder.rglob("*.zip")) == sorted(made[1:])
    for name in made[1:]:
        os.utime(server.galleries.jobs / f"{name}.json", (0, time.time() - keeping.KEPT - 1))
    server.galleries.sweep()
    assert not list(folder.rglob("*.zip")), "nobody looked at them for a week"


@pytest.mark.usefixtures("built")
def test_a_folder_that_was_passed_over_can_be_taken_after_all(folder: Path, tmp_path: Path) -> None:
    """The same zip becomes another gallery, in the place of the first."""
    server = Server(folder)
    one, two = server.visitor("one"), server.visitor("two")
    masks = {"masks/1.png": picture(7), "masks/2.png": picture(8)}
    card = send(one, zipped(tmp_path / "pets.zip", coloured(2) | masks)).json()
    assert (card["pictures"], card["classes"], card["aside"]) == (6, 3, {"masks": 2})
    address = f"/galleries/{card['name']}/choice"
    choice = {"include": ["masks"], "exclude": ["red"], "stretch": True}
    assert two.post(address, json=choice).status_code == 404
    for wrong in ({"include": "masks"}, {"exclude": ["*"]}):
        refused = one.post(address, json=wrong)
        assert refused.status_code == 422, refused.text
        assert one.get(f"/galleries/{card['name']}").json()["seen"], "everything stays as it is"

    answer = one.post(address, json=choice)
    assert answer.status_code == 200, answer.text
    again = answer.json()
    assert again["name"] != card["name"], "browsers keep answers by the name"
    assert (again["pictures"], again["classes"], again["aside"]) == (6, 3, {})
    assert again["choice"] == choice
    assert (again["state"], again["title"]) == ("ready", "pets.zip")
    job = server.galleries.job(again["name"])
    assert job is not None
    assert {name: job.options[name] for name in choice} == choice, "and its process is asked so"
    assert one.get(f"/galleries/{card['name']}").status_code == 404
    assert [path.stem for path in folder.rglob("*.zip")] == [again["name"]]


@pytest.mark.usefixtures("launched")
def test_its_pictures_are_learned_from_without_sending_them_again(
    folder: Path, tmp_path: Path
) -> None:
    server = Server(folder)
    one, two = server.visitor("one"), server.visitor("two")
    name = send(one, three_colours(tmp_path, broken=False)).json()["name"]
    offered = one.get("/runs").json()["galleries"]
    assert offered == [{"name": name, "title": "my colours.zip", "pictures": 12}]
    assert two.get("/runs").json()["galleries"] == []

    take = f"/runs/pictures/gallery/{name}"
    taken = one.post(take).json()
    assert (taken["pictures"], taken["classes"]) == (12, {"blue": 4, "green": 4, "red": 4})
    assert one.post(take).json()["token"] == taken["token"], (
        "taken once, however often it is chosen"
    )
    form = {"preset": "tiny", "kind": "fine-tuning", "model": "preview_vits14"}
    stolen = two.post("/runs", json=form | {"data": taken["token"]})
    for refused in (two.post(take), one.post("/runs/pictures/gallery/samples"), stolen):
        assert refused.status_code == 422
        assert refused.text == "These pictures are no longer kept: upload the zip again."

    one.post(f"/galleries/{name}/steer?action=stop")
    server.galleries._throw_away(name)  # a week later
    assert one.get("/runs").json()["galleries"] == []
    assert "no longer kept" in one.post(take).text
    path, _ = server.services.runs.uploads.find(keeping_owner("one"), taken["token"])
    assert path.is_file(), "what was chosen before stays for its day"


def test_pictures_go_with_their_gallery_unless_a_run_needs_them(
    folder: Path, tmp_path: Path, launched: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(folder)
    one, uploads = server.visitor("one"), server.services.runs.uploads
    for needed in (False, True):
        name = send(one, three_colours(tmp_path)).json()["name"]
        taken = one.post(f"/runs/pictures/gallery/{name}").json()
        path, _ = uploads.find(keeping_owner("one"), taken["token"])
        monkeypatch.setattr(uploads, "_used", lambda: {str(path)} if needed else set())  # noqa: B023
        server.galleries._put(
            replace(server.galleries.job(name), waiting=False, refused="It was a test.")
        )
        assert one.delete(f"/galleries/{name}").status_code == 200
        assert path.exists() == needed


@pytest.mark.usefixtures("launched")
def test_other_answers_wait_until_a_gallery_is_built(folder: Path, tmp_path: Path) -> None:
    one = Server(folder).visitor("one")
    card = send(one, three_colours(tmp_path)).json()
    refused = one.post(f"/galleries/{card['name']}/choice", json={"stretch": True})
    assert (refused.status_code, "still being built" in refused.text) == (422, True)
    assert list(folder.rglob("*.zip"))


DAMAGES = {
    "cut off": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "another name": lambda text: json.dumps(json.loads(text) | {"name": "other"}),
    "no owner": lambda text: json.dumps({**json.loads(text), "owner": None}),
    "a list": lambda text: "[1, 2]",
    "nested": lambda text: "[" * 100_000,
    "bytes": lambda text: "\udc80\udcff",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.usefixtures("launched")
def test_a_damaged_gallery_is_shown_to_its_owner_who_can_delete_it(
    folder: Path, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    server = Server(folder)
    one, two = server.visitor("one"), server.visitor("two")
    name = send(one, three_colours(tmp_path)).json()["name"]
    other = send(two, three_colours(tmp_path)).json()["name"]
    job = server.galleries.jobs / f"{name}.json"
    job.write_bytes(damage(job.read_text()).encode(errors="surrogateescape"))

    (card,) = one.get("/galleries").json()["galleries"]
    assert (card["name"], card["state"], card["mine"]) == (name, "failed", True)
    assert "damaged: delete it" in card["words"]
    assert (card["actions"], card["alive"], card["seen"]) == ([], False, False)
    assert one.get(f"/galleries/{name}").json() == card
    steered = one.post(f"/galleries/{name}/steer?action=resume")
    assert (steered.status_code, "damaged" in steered.text) == (422, True)

    assert [one_["name"] for one_ in two.get("/galleries").json()["galleries"]] == [other]
    for path in (f"/galleries/{name}", f"/galleries/{name}/points"):
        assert two.get(path).status_code == 404
    assert two.delete(f"/galleries/{name}").status_code == 404
    assert job.exists()

    assert one.delete(f"/galleries/{name}").json() == {"gone": name}
    assert one.get("/galleries").json()["galleries"] == []
    assert [path.name for path in folder.rglob(f"{name}*")] == [], "nothing of it stays"


@pytest.mark.usefixtures("launched")
def test_whose_a_gallery_is_cannot_be_claimed(folder: Path, tmp_path: Path) -> None:
    """An owner's file that is damaged too makes it nobody's: it is swept after a week."""
    server = Server(folder)
    name = send(server.visitor("one"), three_colours(tmp_path)).json()["name"]
    job = server.galleries.jobs / f"{name}.json"
    job.write_text("{")
    owner = job.with_suffix(".owner")
    for content in (b"", b"\xff\xfe", owner.read_bytes()[:10]):
        owner.write_bytes(content)
        for secret in ("one", "two", None):
            assert server.visitor(secret).get("/galleries").json()["galleries"] == []
    server.galleries.sweep()
    assert job.exists()
    os.utime(job, (0, time.time() - keeping.KEPT - 1))
    server.galleries.sweep()
    assert not job.exists()
    assert not owner.exists()


@pytest.mark.parametrize(("make", "words"), WRONG_ZIPS)
def test_zips_are_refused_in_words(
    folder: Path, tmp_path: Path, make: Callable[[Path], Path], words: str, launched: list[Path]
) -> None:
    answer = send(Server(folder).visitor("one"), make(tmp_path / "holiday.zip"))
    assert answer.status_code == 422
    assert words in answer.text
    assert "holiday.zip" in answer.text, "the visitor's own name for it"
    assert str(folder) not in answer.text
    assert not list(folder.rglob("*.zip"))
    assert not launched


def test_what_is_too_much_is_let_go(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: list[Path]
) -> None:
    one = Server(folder).visitor("one")
    for query in ({"size": "100000"}, {"model": "nothing"}):
        assert send(one, three_colours(tmp_path), **query).status_code == 422
    monkeypatch.setattr(gallery_request, "MAX_PICTURES", 12)
    assert "more than the 12" in send(one, three_colours(tmp_path)).text
    monkeypatch.setattr(gallery_request, "MAX_ZIP", 2000)
    assert "MB allowed" in send(one, three_colours(tmp_path)).text
    assert not list(folder.rglob("*.zip"))


def test_a_name_is_no_path(folder: Path) -> None:
    one = Server(folder).visitor("one")
    for name in ("..", "%2e%2e", ".page", "nothing", "..%2f..%2fetc"):
        assert one.get(f"/galleries/{name}/pictures").status_code == 404


def test_the_samples_are_everybody_s(folder: Path, tmp_path: Path, launched: list[Path]) -> None:
    server = Server(folder)
    stored = tmp_path / "stored"
    server.galleries.bring_samples(scenes.Options("preview_vits14"), stored)
    assert [one.name for one in server.galleries.waiting()] == [SAMPLES], "built where none is kept"
    (stored / "maps").mkdir(parents=True)
    (stored / "config.json").write_text("{}")
    server.galleries.bring_samples(scenes.Options("preview_vits14"), stored)
    assert (folder / SAMPLES / "maps").is_dir(), "copied where one is"
    assert server.galleries.waiting() == []
    (folder / SAMPLES / "maps" / "new").touch()
    server.galleries.bring_samples(scenes.Options("preview_vits14"), stored)
    assert (folder / SAMPLES / "maps" / "new").exists(), "and not again"
    (stored / "config.json").write_text('{"newer": true}')
    server.galleries.bring_samples(scenes.Options("preview_vits14"), stored)
    assert not (folder / SAMPLES / "maps" / "new").exists(), "unless it is another one"
    one = server.visitor("one")
    assert [card["mine"] for card in one.get("/galleries").json()["galleries"]] == [False]
    for answer in (
        one.delete(f"/galleries/{SAMPLES}"),
        one.post(f"/galleries/{SAMPLES}/steer?action=stop"),
    ):
        assert answer.status_code == 422
        assert "everybody's" in answer.text
