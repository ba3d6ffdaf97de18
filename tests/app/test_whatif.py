"""The model's insides changed, over HTTP: the scenes of the library, and what is refused."""

import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from alike import assert_same
from fastapi.testclient import TestClient
from safetensors.numpy import load
from tiny_home import STATIC, with_gallery

from app.first_visit import stored
from app.server import build_server
from app.state import whatif as state
from app.state.models import BUSY
from app.state.pictures import EFFECTS
from app.state.screenings import Asked, Screening, Screenings, Stopped
from app.visitors import owner_of
from dino_core.__main__ import main
from dino_core.analysis.inspection import inspect
from dino_core.config import ViTConfig
from dino_core.embedding.preparation import Preparation
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.screening import accuracy_change, labelled
from dino_core.scenes.whatif import changed, parse_changes, sources_of, whatif_scene
from dino_core.whatif import Plan, Reference, Sources, other_picture, screen, statistics_of

CONFIG = ViTConfig(dim=32, depth=3, heads=2, image_size=56, registers=2)
GALLERY = "shown-0-colours"
EDITS = ["head:1.0=mean", "tokens:0[2-3,4-6]=other", "scores:2=cls!patches"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A page that begins with a tiny model."""
    with with_gallery(tmp_path_factory.mktemp("home"), 8, CONFIG) as home:
        server = build_server(weights=home / "tiny.safetensors", galleries=[home / "colours"])
        client = TestClient(server, base_url="http://localhost")
        client.get("/")
        yield client
        client.close()


def ask(client: TestClient, path: str, edits: list[str], **query: Any) -> Any:
    return client.get(f"/view/first/whatif{path}", params={"edit": edits, **query})


def services(client: TestClient) -> Any:
    return client.app.state.services  # type: ignore[attr-defined]


def test_before_and_after_are_the_library_s(client: TestClient) -> None:
    answer = load(ask(client, "", EDITS, layer=1, seed=3).content)
    models, entry = services(client).models, services(client).pictures.get("", "first")
    backbone, seen = models.backbone(models.default), entry.picture.seen
    changes = parse_changes(EDITS)
    sources = sources_of(backbone, seen, changes, seed=3)
    wanted = whatif_scene(changed(backbone.vit, seen, changes, sources), changes, 1)
    for name in ("patch_cosine", "attention_after", "colours_after", "cls_cosine_by_layer"):
        np.testing.assert_array_equal(answer[name], getattr(wanted, name), err_msg=name)
    assert answer["patch_cosine"].min() < 0.99
    charts = ask(client, "", EDITS, form="chart").json()
    assert [trace["meta"]["part"] for trace in charts["spread"]["data"]] == ["cls", "patches"]


def test_a_gallery_is_the_reference(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pictures, evenly through it; whatever followed from the samples is something else."""
    monkeypatch.setattr("dino_core.scenes.whatif_pictures.REFERENCES", 5)
    edits = ["head:1.0=mean", "mlp:2=other"]
    answer = load(ask(client, "", edits, reference=GALLERY, seed=2).content)
    models, entry = services(client).models, services(client).pictures.get("", "first")
    backbone, seen = models.backbone(models.default), entry.picture.seen
    store, changes = (
        GalleryFolder(services(client).galleries.find(GALLERY, "")),
        parse_changes(edits),
    )
    pictures = store.some([2, 7, 12, 16, 21])  # of 24
    sources = sources_of(backbone, seen, changes, seed=2, pictures=pictures)
    wanted = whatif_scene(changed(backbone.vit, seen, changes, sources), changes)
    np.testing.assert_array_equal(answer["cls_after"], wanted.cls_after)
    samples = load(ask(client, "", edits, seed=2).content)
    assert np.abs(samples["cls_after"] - answer["cls_after"]).max() > 1e-4
    assert sources.statistics is not None
    assert sources.statistics.pictures == 5


def test_a_reference_that_cannot_be_read_is_said_without_its_folder(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise ValueError(f"None of the reference pictures in {source} can be read.")

    source = GalleryFolder(services(client).galleries.find(GALLERY, "")).some([0]).source
    monkeypatch.setattr("dino_core.scenes.whatif.sources_of", gone)
    answer = ask(client, "", ["mlp:0=other"], reference=GALLERY, seed=77)
    assert (answer.status_code, answer.text) == (
        422,
        "None of the reference pictures in this gallery can be read.",
    )


def test_without_a_change_after_is_before(client: TestClient) -> None:
    answer = load(ask(client, "", []).content)
    np.testing.assert_array_equal(answer["attention_before"], answer["attention_after"])
    assert (answer["patch_cosine"] == 1).all()


@pytest.mark.parametrize(
    ("path", "edits", "words"),
    [
        (
            "",
            ["head:7.0=zero"],
            "head:7.0=zero: This model has blocks 0 to 2; there is no block 7.",
        ),
        ("", ["nonsense"], "A change is written SITE=VALUE"),
        ("", ["mlp:0-999999999=zero"], "there is no block 999999999"),
        ("", ["mlp:0=zero"] * 65, "65 changes at once: at most 64"),
        ("", ["tokens:0[" + "0,0;" * 4200 + "0,0]=zero"], "too long for one request"),
        ("", ["scores:1=temperature 3e-39"], "Nothing finite is left"),
        ("/prototypes", [], "No heads come with tiny"),
    ],
)
def test_refused_in_a_sentence(client: TestClient, path: str, edits: list[str], words: str) -> None:
    answer = ask(client, path, edits)
    assert answer.status_code == 422
    assert words in answer.text


def test_galleries_that_are_not_there_or_of_another_model(client: TestClient) -> None:
    assert ask(client, "/nearest", [], gallery="nowhere").status_code == 404
    assert ask(client, "", [], reference="nowhere").status_code == 404
    around = ask(client, "/around", []).json()
    assert "preview_vits14" in [name for name, _ in around.pop("models")]
    assert around == {
        "pair": None,
        "galleries": [[GALLERY, "colours"]],
        "references": [["samples", "The samples", 8], [GALLERY, "colours", 24]],
    }


def test_several_views_of_the_same_are_computed_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwards: list[Any] = []
    plain = changed

    def counted(*parts: Any) -> Any:
        forwards.append(parts)
        return plain(*parts)

    monkeypatch.setattr("dino_core.scenes.whatif.changed", counted)
    entry = services(client).pictures.get("", "first")
    for layer in range(3):
        assert ask(client, "", ["mlp:1=zero"], layer=layer).status_code == 200
    assert len(forwards) == 1
    ask(client, "", ["mlp:1=zero"], seed=1)
    ask(client, "", ["mlp:1=zero", "mlp:2=zero"])
    assert len(forwards) == 3, "another seed, and a change more"
    forwards.clear()
    before = entry.nbytes
    for block in range(EFFECTS + 1):
        ask(client, "", [f"attention:{block}=zero"])
    assert len(entry.effects) == EFFECTS
    assert (
        before
        <= entry.nbytes
        == entry.picture.seen.nbytes * (1 + 2 * EFFECTS)
        + (3 * entry.picture.source.size[0] * entry.picture.source.size[1])
    )
    ask(client, "", ["mlp:1=zero"])
    assert len(forwards) == EFFECTS + 1 + 1, "it had to make room"


def test_reference_pictures_are_looked_at_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(client, "", ["head:0.1=mean", "head:0.0=other"])
    ask(client, "", ["head:0.1=mean"], reference=GALLERY)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("looked at again")

    for name in ("statistics_of", "other_picture"):
        monkeypatch.setattr(f"dino_core.scenes.whatif.{name}", refuse)
    assert ask(client, "", ["head:1.1=noise", "mlp:0=other"]).status_code == 200
    assert ask(client, "", ["head:1.1=noise"], reference=GALLERY).status_code == 200


def test_what_is_not_there_is_said_before_pictures_are_looked_at(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("looked at")

    monkeypatch.setattr("dino_core.scenes.whatif.sources_of", refuse)
    answer = ask(client, "", ["head:9.0=mean"], seed=1234)
    assert (answer.status_code, "there is no block 9" in answer.text) == (422, True)


def test_few_wait_until_reference_pictures_have_been_looked_at(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = services(client).changed
    with every._measuring:
        for _ in range(state.MOST_MEASURING):
            every._waiting.acquire()
        answer = ask(client, "", ["mlp:0=other"], seed=4321)
        for _ in range(state.MOST_MEASURING):
            every._waiting.release()
    assert (answer.status_code, answer.text) == (422, BUSY)


def test_what_is_kept_is_bounded() -> None:
    values: OrderedDict[int, str] = OrderedDict()
    for key in range(5):
        state.keep(values, key, "value", 2)
    state.keep(values, 9, None, 2)
    assert list(values) == [3, 4]


# --- screenings


def finished(client: TestClient, seed: int, query: str = "") -> dict[str, Any]:
    path = f"/view/first/whatif/screening?seed={seed}{query}"
    for _ in range(2000):
        state: dict[str, Any] = client.get(path).json()
        if state["state"] not in ("waiting", "running"):
            return state
        time.sleep(0.01)
    raise AssertionError("it does not end")


def test_every_head_and_block_is_screened_behind_the_page(client: TestClient) -> None:
    path = "/view/first/whatif/screening"
    assert client.get(path).json()["state"] == "none"
    assert client.get(f"{path}/heads").status_code == 422
    assert client.post(path).json()["state"] in ("waiting", "running", "ready")
    state = finished(client, 0)
    total = 4 * 3 * (2 + 2)  # values, blocks, heads and branches
    assert (state["state"], state["done"], state["total"]) == ("ready", total, total)
    for parts, place in (("heads", "head:1.0"), ("blocks", "attention:1")):
        found = load(client.get(f"{path}/{parts}").content)
        for row, kind in enumerate(("zero", "mean", "noise", "other")):
            one = load(ask(client, "", [f"{place}={kind}"]).content)
            np.testing.assert_allclose(
                found["mean_cls"][row, 1, 0], 1 - one["cls_cosine_by_layer"][-1], atol=1e-5
            )
        shock = found["mean_patches"][0] - found["mean_patches"][1]
        np.testing.assert_allclose(found["shock_patches"], shock, atol=1e-6)
    assert client.post(path).json()["state"] == "ready", "it does not begin again"


def test_several_pictures_of_a_labelled_gallery(client: TestClient) -> None:
    """Each as its own screening has it, their spread, and what becomes of k-NN accuracy."""
    path, query = "/view/first/whatif/screening", f"&over={GALLERY}&most=3&reference={GALLERY}"
    client.post(f"{path}?seed=0{query}")
    state = finished(client, 0, query)
    total = 3 * 4 * 3 * (2 + 2)
    assert (state["state"], state["done"], state["total"]) == ("ready", total, total)
    answer = client.get(f"{path}/heads?seed=0{query}&form=npz").content
    with np.load(BytesIO(answer)) as file:
        found = dict(file)
    store = GalleryFolder(services(client).galleries.find(GALLERY, ""))
    rows, models = [4, 12, 20], services(client).models
    backbone = models.backbone(models.default)
    reference = Reference(store.some(range(24)), Preparation(28))
    statistics, plan = statistics_of(backbone, reference), Plan("heads")
    pictures, one_by_one, before = store.some(rows), [], []
    for index in range(3):
        pixels = np.stack([reference.preparation.pixels(pictures.picture(index), 14)])
        seen = inspect(backbone.vit, reference.preparation.images(pixels, backbone.vit.pos_embed))
        other = other_picture(backbone.vit, reference, seen, 0)
        one_by_one.append(screen(backbone.vit, seen, plan, Sources(statistics, other)))
        before.append(seen.normed[0])
    effects = np.stack([one.effect_cls.numpy() for one in one_by_one], -1)
    np.testing.assert_allclose(found["effect_cls"], effects, atol=1e-5)
    np.testing.assert_allclose(found["mean_cls"], effects.mean(-1), atol=1e-5)
    np.testing.assert_allclose(found["spread_cls"], effects.std(-1), atol=1e-5)
    change = accuracy_change(before, one_by_one, labelled(store, rows))
    np.testing.assert_allclose(found["accuracy_change"], change.change, atol=1e-6)
    scene = services(client).screenings.scene(
        *screening_place(client, most=3, references=services(client).references(GALLERY, "")),
        "blocks",
    )
    assert (scene.pictures, scene.references) == (3, 24)
    assert scene.accuracy == pytest.approx(change.before)


def screening_place(client: TestClient, **options: Any) -> tuple[str, str, Asked]:
    """Where a screening of the gallery is kept."""
    folder = services(client).galleries.find(GALLERY, "")
    secret = services(client).visitors.secret(client.cookies)
    return secret, "first", Asked(0, GALLERY, folder, **options)


def test_several_samples_have_no_labels(client: TestClient) -> None:
    path, query = "/view/first/whatif/screening", "&over=samples&most=2"
    client.post(f"{path}?seed=0{query}")
    assert finished(client, 0, query)["state"] == "ready"
    found = load(client.get(f"{path}/blocks?seed=0{query}").content)
    assert found["effect_cls"].shape == (4, 3, 2, 2)
    assert "accuracy_change" not in found
    assert client.post(f"{path}?over=nowhere").status_code == 404
    assert client.post(f"{path}?most=65&over=samples").status_code == 422


class Held:
    """In place of a screening: one that stands still until it may go on, and is to be stopped."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, *_: Any, progress: Any, **__: Any) -> Any:
        self.begun.set()
        assert self.goes_on.wait(30)
        progress(1)
        raise AssertionError("it was stopped")


def test_a_screening_is_stopped_and_begins_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Held()
    path = "/view/first/whatif/screening?seed=5"
    with monkeypatch.context() as patch:
        patch.setattr("dino_core.scenes.whatif_screening.screen_picture", slow)
        client.post(path)
        assert slow.begun.wait(30)
        assert client.delete(path).json()["state"] == "stopped"
        slow.goes_on.set()
        assert finished(client, 5)["state"] == "stopped"
    client.post(path)
    assert finished(client, 5)["state"] == "ready"


def test_a_visitor_has_one_screening_at_a_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another picture or seed ends the one before; another visitor's goes on."""
    slow = Held()
    all_of = services(client).screenings
    entry = services(client).pictures.get("", stored.KEY)
    with monkeypatch.context() as patch:
        patch.setattr("dino_core.scenes.whatif_screening.screen_picture", slow)
        all_of.start("ada", stored.KEY, Asked(8), entry)
        assert slow.begun.wait(30)
        all_of.start("bob", stored.KEY, Asked(8), entry)
        assert all_of.status("ada", stored.KEY, Asked(8))["state"] == "running"
        all_of.start("ada", stored.KEY, Asked(9), entry)
        assert all_of.status("ada", stored.KEY, Asked(8))["state"] == "stopped"
        assert all_of.status("bob", stored.KEY, Asked(8))["state"] == "waiting"
        for seed in (10, 11):  # without a cookie they are different people
            all_of.start("", stored.KEY, Asked(seed), entry)
        assert all_of.status("", stored.KEY, Asked(10))["state"] == "waiting"
        for secret, seed in (("bob", 8), ("ada", 9), ("", 10), ("", 11)):
            all_of.stop(secret, stored.KEY, Asked(seed))
        slow.goes_on.set()


def test_one_that_nobody_asks_about_ends(client: TestClient) -> None:
    one = Screening(asked=time.monotonic() - 61)
    with pytest.raises(Stopped):
        one.advance(1)
    client.post("/view/first/whatif/screening?seed=6")
    finished(client, 6)
    other = services(client).screenings.status("nobody", "first", Asked(6))
    assert other["state"] == "none", "it is its visitor's own"


def test_why_a_screening_failed_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ValueError("None of the reference pictures can be read.")

    with monkeypatch.context() as patch:
        patch.setattr("dino_core.scenes.whatif_screening.screen_picture", refuse)
        client.post("/view/first/whatif/screening?seed=7")
        state = finished(client, 7)
    assert (state["state"], state["words"]) == (
        "failed",
        "None of the reference pictures can be read.",
    )
    client.post("/view/first/whatif/screening?seed=7")
    assert finished(client, 7)["state"] == "ready", "who asks again has it tried again"


def test_statistics_are_of_the_picture_s_grid(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same model at another size has other patches, and so other numbers."""
    changed_pictures = state.ChangedPictures(services(client).models)
    entry = services(client).pictures.get("", "first")
    changes, asked = parse_changes(["head:1.0=mean"]), []

    def look(entry: Any, changes: Any, kept: Sources, **_: Any) -> Sources:
        asked.append(entry.picture.seen.grid)
        return replace(kept, statistics=object())

    monkeypatch.setattr(changed_pictures, "_look", look)
    h, w = entry.picture.seen.grid
    other = replace(entry.picture, seen=replace(entry.picture.seen, grid=(h + 1, w)))
    for one in (entry, replace(entry, picture=other), entry):
        changed_pictures.sources(one, changes, 0)
    assert asked == [(h, w), (h + 1, w)]


def test_few_screenings_wait_and_few_are_kept(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest of all is let go of, and is stopped where it still waits."""
    monkeypatch.setattr(Screenings, "_run", lambda *_: None)
    every = Screenings(services(client).models, services(client).changed)
    entry = services(client).pictures.get("", stored.KEY)
    for seed in range(6):
        every.start("", "first", Asked(seed), entry)
    with pytest.raises(ValueError, match=BUSY):
        every.start("", "first", Asked(6), entry)
    first = every._screenings["", "first", Asked(0)]
    for seed in range(12):
        every._screenings.setdefault(("", "first", Asked(seed)), Screening()).state = "ready"
    every.start("", "first", Asked(12), entry)
    assert len(every._screenings) == 12
    assert every.status("", "first", Asked(0))["state"] == "none"
    assert not first.wanted
    assert every.status("", "first", Asked(1))["state"] == "ready"


def test_a_screening_that_fails_for_another_reason_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def wrong(*_: Any, **__: Any) -> Any:
        raise KeyError("a bug")

    monkeypatch.setattr("dino_core.scenes.whatif_screening.screen_picture", wrong)
    client.post("/view/first/whatif/screening?seed=17")
    state = finished(client, 17)
    assert (state["state"], state["words"]) == ("failed", "The screening has failed.")


def test_nearest_of_a_gallery_are_the_library_s(client: TestClient) -> None:
    from dino_core.draw.encode import pack
    from dino_core.scenes.whatif_nearest import nearest_scene

    edits = ["mlp:1=zero"]
    answer = ask(client, "/nearest", edits, gallery=GALLERY)
    assert answer.status_code == 200, answer.text
    models, entry = services(client).models, services(client).pictures.get("", "first")
    folder, changes = services(client).galleries.find(GALLERY, ""), parse_changes(edits)
    vit = models.backbone(models.default).vit
    found = changed(vit, entry.picture.seen, changes, Sources())
    from dino_core.scenes.gallery import names

    assert answer.content == pack(nearest_scene(folder, names(folder).model, found, None))


@pytest.mark.parametrize("same", [True, False])
def test_a_gallery_of_the_visitor_s_own_file_is_asked_by_the_name_it_has_there(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    asked: list[str] = []

    def noted(folder: Path, known: str, *_: Any) -> Any:
        asked.append(known)
        raise ValueError("So far.")

    monkeypatch.setattr("dino_core.scenes.whatif_nearest.nearest_scene", noted)
    there = SimpleNamespace(model="as the gallery calls it")
    monkeypatch.setattr("dino_core.scenes.gallery.names", lambda folder: there)
    monkeypatch.setattr(state.ChangedPictures, "is_seen_by", lambda *_: same)
    assert ask(client, "/nearest", ["mlp:1=zero"], gallery=GALLERY).text == "So far."
    entry = services(client).pictures.get("", "first")
    assert asked == [there.model if same else entry.model]


def test_the_command_in_the_caption_prints_the_same_figure(
    client: TestClient, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("repeated")
    pictures, weights = services(client).pictures, services(client).models.weights
    monkeypatch.chdir(folder)
    (folder / "static").symlink_to(STATIC)
    entry = replace(pictures.get("", stored.KEY), sample=stored.SAMPLE, file=str(weights))
    pictures.share("printed", lambda: entry)
    asked = {"edit": ["head:1.0=mean"], "seed": 3, "layer": 1, "head": 1, "width": "column"}
    answer = client.get("/view/printed/whatif/print", params=asked)
    assert answer.status_code == 200, answer.text
    caption = client.get("/view/printed/whatif/print", params=asked | {"caption": True}).text
    words = shlex.split(caption.partition("Repeated by: python -m dino_core ")[2])
    assert main(words) == 0
    assert_same(answer.content, Path("whatif.svg").read_bytes())

    nothing = client.get("/view/first/whatif/print")
    assert (nothing.status_code, nothing.text) == (422, "Change something first: after is before.")
    of_gallery = asked | {"reference": GALLERY, "caption": True}
    caption = client.get("/view/first/whatif/print", params=of_gallery).text
    assert caption.endswith("Values taken from a gallery of the page: by no command.")


@pytest.mark.parametrize(
    ("model", "seen_with", "file", "is_seen"),
    [
        ("tiny", "tiny", "", True),
        ("tiny", "other", "", False),
        ("tiny", None, "", False),
        ("checkpoint-1", "any", "/x/own.pth", True),
        ("checkpoint-1", "any", "/x/other.pth", False),
        ("checkpoint-1", None, "/x/own.pth", False),
    ],
)
def test_a_gallery_is_seen_with_a_name_or_with_a_file_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, model: str, seen_with: str | None, file: str, is_seen: bool
) -> None:
    module = "dino_core.scenes.whatif_pictures"
    monkeypatch.setattr(f"{module}.model_seen_with", lambda _: seen_with)
    monkeypatch.setattr(f"{module}.file_seen_with", lambda _: file)
    asked: list[tuple[str, str]] = []

    def checkpoint(owner: str, name: str) -> tuple[Path, Any]:
        asked.append((owner, name))
        return Path("/x/own.pth"), {}

    every = state.ChangedPictures(SimpleNamespace(checkpoint=checkpoint))  # type: ignore[arg-type]
    entry: Any = SimpleNamespace(model=model, owner="ada")
    assert every.is_seen_by(entry, Path("gallery")) == is_seen
    if model != "tiny":
        assert asked == [(owner_of("ada"), model)]


def test_so_many_changes_at_once_and_no_more(client: TestClient) -> None:
    for count, status in ((64, 200), (65, 422)):
        answer = ask(client, "", ["mlp:0=zero", "mlp:1=zero"] * 32 + ["mlp:2=zero"] * (count - 64))
        assert answer.status_code == status


def test_sources_are_of_model_picture_reference_and_seed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of them makes another is looked at again; what none of them does is not."""
    every, asked = state.ChangedPictures(services(client).models), []
    entry = services(client).pictures.get("", "first")
    changes = parse_changes(["head:1.0=mean", "mlp:1=other"])

    def look(entry: Any, changes: Any, kept: Sources, **_: Any) -> Sources:
        asked.append((kept.statistics is None, kept.other is None))
        return replace(kept, statistics=kept.statistics or object(), other=kept.other or object())

    monkeypatch.setattr(every, "_look", look)
    digest = replace(
        entry.picture, seen=replace(entry.picture.seen, pixels=1 - entry.picture.seen.pixels)
    )
    gallery = state.References(GALLERY)
    questions: list[tuple[Any, int, Any, tuple[bool, bool]]] = [
        (entry, 0, state.SAMPLE_REFERENCES, (True, True)),
        (entry, 1, state.SAMPLE_REFERENCES, (False, True)),
        (replace(entry, picture=digest), 0, state.SAMPLE_REFERENCES, (False, True)),
        (entry, 0, gallery, (True, True)),
        (replace(entry, model="other"), 0, state.SAMPLE_REFERENCES, (True, True)),
    ]
    for one, seed, references, lacked in questions:
        every.sources(one, changes, seed, references=references)
        assert asked.pop() == lacked
        every.sources(one, changes, seed, references=references)
        assert asked == []
