"""The routes of the tray: whose pictures, the library's numbers, and the figure of the command."""

import io
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tiny_home import with_samples
from tiny_models import tiny_vit

from app.server import build_server
from app.state.trays import GONE, Trays
from dino_core.__main__ import main
from dino_core.analysis.tray import fill_tray
from dino_core.analysis.tray_columns import column_of
from dino_core.images import open_picture
from dino_core.scenes.picture import look
from dino_core.weights import load_backbone, save_backbone

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ["sample/cat.jpg", "sample/coffee.jpg"]
OTHER = "preview_vits14"  # a model that is in every checkout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_samples(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def server(home: Path) -> Any:
    return build_server(weights=home / "tiny.safetensors")


def visitor(server: Any) -> TestClient:
    """Somebody who has opened the page."""
    client = TestClient(server, base_url="http://localhost")
    client.get("/")
    return client


@pytest.fixture(scope="module")
def client(server: Any) -> TestClient:
    return visitor(server)


def png(height: int = 60, width: int = 90, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def ask(rows: list[str], columns: list[str], **more: object) -> dict[str, Any]:
    return {"rows": rows, "columns": columns, "size": 56, **more}


def test_the_numbers_are_the_librarys(client: TestClient, home: Path) -> None:
    words = ["input", "pca:0", "similar:1@1:1,2", "norms"]
    answer = client.get("/tray/filled", params=ask(SAMPLES, words, form="npz"))
    assert answer.status_code == 200, answer.text
    vit = load_backbone(None, home / "tiny.safetensors").vit
    names = [row.split("/")[1] for row in SAMPLES]
    seen = [look(vit, open_picture(ROOT / "static/samples" / name), 56).seen for name in names]
    wanted = fill_tray(2, lambda row: [seen[row]], [column_of(word) for word in words])
    with np.load(io.BytesIO(answer.content)) as arrays:
        values = np.concatenate(
            [one.numpy().reshape(-1) for column in wanted.columns[2:] for one in column.maps]
        )
        np.testing.assert_allclose(arrays["values"], values, atol=1e-5)
        colours = np.concatenate([one.numpy().reshape(-1, 3) for one in wanted.columns[1].maps])
        np.testing.assert_allclose(arrays["colours"] / 255, colours, atol=0.003)


def test_the_figure_is_what_its_command_writes(
    client: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    asked = ask(SAMPLES, ["input", "pca:0", "attention:1.2"], k=4, flip=True, width="column")
    data = client.get("/tray/print", params=asked | {"kind": "svg"}).content
    words = client.get("/tray/print", params=asked | {"kind": "svg", "caption": True}).text
    command = words.split("Repeated by: python -m dino_core ")[1]
    assert main(shlex.split(command)) == 0
    assert Path("tray.svg").read_bytes() == data


def norms(client: TestClient, words: list[str], **asked: Any) -> tuple[list[str], list[Any]]:
    """The models by number, and the numbers of each column."""
    answer = client.get("/tray/filled", params=ask(SAMPLES, words, form="npz", **asked))
    assert answer.status_code == 200, answer.text
    with np.load(io.BytesIO(answer.content)) as arrays:
        facts = json.loads(str(arrays["facts"]))
    return facts["models"], [column["numbers"] for column in facts["columns"]]


def test_every_number_is_its_own_models(client: TestClient) -> None:
    alone = {name: norms(client, ["norms"], model=name)[1][0] for name in ("tiny", OTHER)}
    assert alone["tiny"] != alone[OTHER]
    words = ["norms/2", "norms", "norms/1"]
    for model, others in (("tiny", [OTHER, "tiny"]), (OTHER, ["tiny", OTHER])):
        models, found = norms(client, words, model=model, second=others)
        assert models == [model, *others]
        assert found == [alone[models[number]] for number in (2, 0, 1)]
    models, found = norms(client, ["norms/1"], second=OTHER)  # as links of one second model ask
    assert (models, found) == (["tiny", OTHER], [alone[OTHER]])


def test_the_figure_of_three_models_names_them_in_the_order_of_its_command(
    client: TestClient,
) -> None:
    asked = ask(SAMPLES[:1], ["norms", "norms/1", "norms/2"], second=[OTHER, "tiny"], kind="svg")
    data = client.get("/tray/print", params=asked).text
    assert f"model 0 tiny, model 1 {OTHER}, model 2 tiny" in data
    caption = client.get("/tray/print", params=asked | {"caption": True}).text
    assert f"--weights tiny.safetensors --second {OTHER} tiny.safetensors " in caption


def test_a_picture_of_ones_own_is_nobody_elses(server: Any, client: TestClient) -> None:
    made = client.post("/tray/pictures", params={"name": "a/b/own.png"}, content=png()).json()
    assert made["name"] == "own.png"
    row = made["row"]
    asked = ask([row, *SAMPLES], ["input", "pca"])
    assert client.get("/tray/filled", params=asked).status_code == 200
    picture = client.get("/tray/picture.jpg", params={"row": row, "size": 56})
    assert picture.headers["content-type"] == "image/jpeg"
    kept = client.get("/tray/rows", params={"rows": [row, "sample/x.jpg", "own/x", "up/.."]}).json()
    assert [one["name"] for one in kept] == ["own.png", "", "", ""]
    other = visitor(server)
    answer = other.get("/tray/filled", params=asked)
    assert (answer.status_code, answer.text) == (422, GONE)
    assert other.get("/tray/rows", params={"rows": [row]}).json() == [{"row": row, "name": ""}]
    assert other.get("/tray/picture.jpg", params={"row": row, "size": 56}).status_code == 422
    stranger = TestClient(server, base_url="http://localhost")
    assert stranger.post("/tray/pictures", content=png()).status_code == 403


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (ask(SAMPLES, ["colours"]), "A column is one of"),
        (ask(SAMPLES, ["pca:7"]), "layers 0 to 1"),
        (ask(["sample/none.jpg"], ["input"]), "no such sample"),
        (ask(["gallery/x"], ["input"]), GONE),
        (ask(["file/etc"], ["input"]), "A row of a tray is"),
        (ask(SAMPLES, ["input"], align="sideways"), "aligned by"),
        (ask(SAMPLES, ["input"], model="none"), "none"),
        (ask(SAMPLES * 7, ["input"]), "not right: rows"),
        (ask(SAMPLES, ["input"], second=["tiny"] * 13), "not right: second"),
        (ask(SAMPLES, ["input"], second=["tiny"] * 12), "1 to 12 models, not 13"),
        (ask(SAMPLES, ["norms/3"], second=["tiny", OTHER]), "there are 3 models"),
    ],
)
def test_what_cannot_be_shown_is_said(
    client: TestClient, params: dict[str, Any], said: str
) -> None:
    answer = client.get("/tray/filled", params=params)
    assert answer.status_code == 422
    assert said in answer.text


def test_no_picture_is_refused_at_once(client: TestClient) -> None:
    answer = client.post("/tray/pictures", content=b"no picture")
    assert answer.status_code == 422
    assert "Traceback" not in answer.text


def test_a_full_tray_a_visitor_and_what_is_old_or_too_much_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trays = Trays(max_seen=10, max_kept=10_000)
    monkeypatch.setattr("app.state.trays.Brought.decoded", lambda self: None)
    kept = [trays.add("a", str(i), b"x") for i in range(12)]
    assert trays.find("a", kept[0]).name == "0"
    other = trays.add("b", "b", b"y")
    trays.add("a", "13", b"x")
    assert len(trays) == 13
    assert trays.find("a", kept[0]), "it was looked at last"
    assert trays.find("b", other), "another's tray is not touched"
    for gone in (lambda: trays.find("a", kept[1]), lambda: trays.find("a", other)):
        with pytest.raises(ValueError, match="no longer kept"):
            gone()
    trays.add("c", "large", b"z" * 9_999)
    assert len(trays) == 2, "the longest unused go until there is room"
    monkeypatch.setattr("app.state.trays.LIFETIME", -1)
    trays.evict()
    assert len(trays) == 0


def test_what_was_seen_is_kept_within_bounds() -> None:
    class Seen:
        class seen:  # noqa: N801
            nbytes = 6

    trays, asked = Trays(max_seen=13), []

    def look(name: str) -> Any:
        asked.append(name)
        return Seen()

    for name in ("a", "b", "a", "c", "a", "b"):
        trays.seen(("sample", name), lambda name=name: look(name))  # type: ignore[misc]
    assert asked == ["a", "b", "c", "b"]


def test_a_picture_that_the_page_has_open_counts_its_pixels_and_needs_a_page() -> None:
    trays = Trays(max_seen=10, max_kept=2 * 3 * 60 * 40)
    with pytest.raises(ValueError, match="Open the page in a browser first"):
        trays.add("", "x", Image.new("RGB", (60, 40)))
    keys = [trays.add("a", str(i), Image.new("RGB", (60, 40))) for i in range(3)]
    assert len(trays) == 2, "each has 7,200 bytes, and so many are kept"
    assert trays.find("a", keys[2]).nbytes == 7200


def test_what_was_seen_of_a_picture_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Seen:
        class seen:  # noqa: N801
            nbytes = 6

    trays = Trays(max_seen=100)
    key = trays.add("a", "x", Image.new("RGB", (60, 40)))
    for what in (("own", key, "tiny", 56), ("own", "gone", "tiny", 56), ("sample", "x", "", 56)):
        trays.seen(what, Seen)  # type: ignore[arg-type]
    trays.evict()
    assert list(trays._seen) == [("own", key, "tiny", 56), ("sample", "x", "", 56)]


def test_what_was_seen_is_of_one_picture_model_and_size(client: TestClient) -> None:
    """Asked one after the other of the same row: none of them is another's answer."""
    row = client.post("/tray/pictures", params={"name": "x.png"}, content=png()).json()["row"]
    asked = [{"row": row, "size": 56}, {"row": row, "size": 112}, {"row": SAMPLES[0], "size": 56}]
    first = [client.get("/tray/picture.jpg", params=one).content for one in asked]
    assert len(set(first)) == 3
    assert [client.get("/tray/picture.jpg", params=one).content for one in asked] == first


def test_choices_are_names_and_what_they_are_called(client: TestClient) -> None:
    said = client.get("/tray/choices").json()
    assert said["models"][0] == ["tiny", "tiny"]
    assert said["titles"] == {name: name for name, _ in said["models"]}, "none is a visitor's"
    assert ["sample/cat.jpg", "Cat"] in said["samples"] or "sample/cat.jpg" in dict(said["samples"])


@pytest.mark.parametrize(
    ("name", "called"),
    [("C:\\photos\\my.png", "my.png"), ("a/b/" + "é" * 90, "é" * 80), ("/", "picture")],
)
def test_a_picture_is_called_as_its_file(client: TestClient, name: str, called: str) -> None:
    made = client.post("/tray/pictures", params={"name": name}, content=png()).json()
    assert made["name"] == called


def test_the_last_one_is_kept_however_large() -> None:
    class Seen:
        class seen:  # noqa: N801
            nbytes = 6

    trays, asked = Trays(max_seen=5, max_kept=5), []
    for _ in range(2):
        trays.seen(("sample", "a"), lambda: asked.append("a") or Seen())  # type: ignore[arg-type, func-returns-value]
    assert asked == ["a"]
    assert trays.find("a", trays.add("a", "x", Image.new("RGB", (60, 40))))


def test_a_checkpoint_is_its_visitor_s_alone_also_where_its_answer_is_kept(
    server: Any, tmp_path: Path
) -> None:
    ada, bob = visitor(server), visitor(server)
    own = save_backbone(tiny_vit(seed=5), tmp_path / "own.safetensors")
    added = ada.post("/checkpoints?name=own.safetensors", content=own.read_bytes()).json()
    for where in ({"model": added["name"]}, {"second": added["name"]}):
        asked = ask(SAMPLES[:1], ["norms"], **where)
        assert ada.get("/tray/filled", params=asked).status_code == 200
        refused = bob.get("/tray/filled", params=asked)
        assert refused.status_code == 422
        assert "own.safetensors" not in refused.text
