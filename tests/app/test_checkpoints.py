"""Visitors' checkpoints by the server's routes: read strictly, kept apart, named by their bytes."""

import json
import os
import pickle
import shlex
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from safetensors.torch import save_file
from tiny_models import TINY, tiny_vit
from tiny_runs import TRAIN, differing_pair

from app.jobs import checkpoints as jobs
from app.page.handlers import Handlers
from app.page.updates import Session
from app.routes.all_routes import add_routes
from app.services import Services, build_services
from app.state import checkpoints as module
from app.state.checkpoints import GONE, KEPT, Checkpoints, file_name
from app.state.models import MOST_OWN
from app.visitors import COOKIE, owner_of
from dino_core.analysis.effects import effects
from dino_core.analysis.inspection import inspect
from dino_core.cli.main import build_parser
from dino_core.images import to_tensor
from dino_core.vit import Edit
from dino_core.weights import load_backbone, save_backbone
from dino_core.whatif import centers_of, heads_say

SAMPLE = "cat.jpg"
WIDE = replace(TINY, dim=64, heads=1)  # a width that tells the number of heads


class Server:
    """The routes alone, with visitors who have secrets of their own."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.services: Services = build_services("preview_vits14", None, "cpu")
        add_routes(self.app, self.services)

    def visitor(self, secret: str) -> TestClient:
        cookie = self.services.visitors.cookie_of(secret)
        return TestClient(self.app, cookies={COOKIE: cookie})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("INSIDE_DINOV2_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("INSIDE_DINOV2_GALLERIES", str(tmp_path / "galleries"))
    return Server()


@pytest.fixture
def weights(tmp_path: Path) -> Callable[[int], Path]:
    @cache  # no two files of the same weights have the same bytes: their metadata has no order
    def written(seed: int) -> Path:
        return save_backbone(tiny_vit(seed=seed), tmp_path / f"mine-{seed}.safetensors")

    return written


def send(client: TestClient, path: Path, name: str = "") -> Any:
    return client.post(f"/checkpoints?name={name or path.name}", content=path.read_bytes())


def look(client: TestClient, model: str) -> Any:
    """The key of a sample that is opened in a model, as a page that comes back has it opened."""
    key = "k" * 32
    return client.post(f"/view/{key}/again?model={model}&size=56&sample={SAMPLE}")


def test_a_checkpoint_is_a_model_with_all_that_is_known_of_it(
    server: Server, weights: Callable[[int], Path]
) -> None:
    ada = server.visitor("ada")
    answer = send(ada, weights(0))
    assert answer.status_code == 200, answer.text
    facts = answer.json()
    shape = ("parameters", "dim", "depth", "heads", "patch_size", "image_size", "layout")
    count = sum(p.numel() for p in tiny_vit().parameters())
    assert [facts[name] for name in shape] == [count, 48, 2, 3, 14, [56, 56], "own"]
    assert (facts["title"], facts["bytes"]) == ("mine-0.safetensors", weights(0).stat().st_size)
    assert facts["name"] == f"checkpoint-{facts['digest'][:24]}"
    assert ada.get("/checkpoints").json() == {"checkpoints": [facts]}

    view = look(ada, facts["name"]).json()
    assert (view["model_title"], view["weights"]) == ("mine-0.safetensors",) * 2
    assert (view["layers"], view["heads"]) == (2, 3)
    for path in ("tokens/blocks", "features/1", "attention/1/cls"):
        assert ada.get(f"/view/{view['key']}/{path}").status_code in (200, 404)
    around = ada.get(f"/view/{view['key']}/around").json()
    assert around["models"][0] == [facts["name"], "mine-0.safetensors (yours)"]
    second = ada.post(f"/view/{view['key']}/second?model=preview_vits14").json()
    likeness = ada.get(f"/view/{view['key']}/likeness?second={second['key']}")
    assert likeness.status_code == 200, "two models side by side"
    for listed in (ada.get("/runs").json(), ada.get("/galleries").json()):
        assert facts["name"] in [name for name, _ in listed["models"]]


def test_what_it_computes_is_what_the_library_computes(
    server: Server, weights: Callable[[int], Path]
) -> None:
    from dino_core.scenes.picture import look as look_at
    from dino_core.scenes.picture import read_picture

    ada, source = server.visitor("ada"), read_picture(Path("static/samples") / SAMPLE)
    for seed in (1, 2):
        name = send(ada, weights(seed), "the same name.pth").json()["name"]
        entry = server.services.look(source, "ada", name, 56)
        expected = look_at(tiny_vit(seed=seed), source, 56).seen.patches(1)
        assert torch.equal(entry.picture.seen.patches(1), expected)
        assert entry.title == ("the same name.pth" if seed == 1 else entry.title)
        assert name[-24:][:6] in entry.title or seed == 1, "no two go by one name"


def test_two_visitors_are_kept_apart(server: Server, weights: Callable[[int], Path]) -> None:
    ada, bob = server.visitor("ada"), server.visitor("bob")
    name = send(ada, weights(0)).json()["name"]
    assert bob.get("/checkpoints").json() == {"checkpoints": []}
    for ask in (look(bob, name), bob.delete(f"/checkpoints/{name}")):
        assert (ask.status_code, ask.text) == (422, GONE)
    for owner in ("", owner_of("bob")):
        with pytest.raises(ValueError, match="somebody else's"):
            server.services.models.backbone(name, owner=owner)
    assert look(ada, name).status_code == 200
    with pytest.raises(ValueError, match="somebody else's"):  # though it is in memory now
        server.services.models.backbone(name, owner=owner_of("bob"))
    assert name not in [n for _, n in server.services.models.choices(owner_of("bob"))]

    for _ in range(2):
        assert send(bob, weights(0), "bob's own.pth").json()["name"] == name, "the same bytes"
    kept = list(server.services.checkpoints.of(owner_of("bob")).iterdir())
    assert sorted(path.suffix for path in kept) == ["", ".json"], "they are kept once"
    assert bob.delete(f"/checkpoints/{name}").status_code == 200
    assert ada.get("/checkpoints").json()["checkpoints"][0]["title"] == "mine-0.safetensors"
    stranger = TestClient(server.app)
    assert send(stranger, weights(0)).status_code == 403


def with_code(path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.system, ("touch /tmp/this-must-not-be",)

    path.write_bytes(pickle.dumps({"model": Evil()}))


def lying_header(path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 324]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + b"too short")


def spoilt(path: Path) -> None:
    state = {name: tensor.clone() for name, tensor in tiny_vit(WIDE).state_dict().items()}
    state["norm.weight"][3] = float("nan")
    torch.save(state, path)


def other_shapes(path: Path) -> None:
    state = {**tiny_vit(WIDE).state_dict(), "norm.weight": torch.zeros(7)}
    torch.save(state, path)


def zipped_pictures(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cats/1.jpg", b"\xff\xd8")


def truncated(path: Path) -> None:
    whole = save_backbone(tiny_vit(), path.with_suffix(".whole")).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def repeated_numbers(path: Path) -> None:
    one = torch.zeros(1)
    torch.save({"patch_embed.proj.weight": one.expand(2**20, 3, 14, 14), "cls_token": one}, path)


def sparse(path: Path) -> None:
    torch.save({"pos_embed": torch.zeros(4, 4).to_sparse()}, path)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "code": (with_code, "could run code"),
    "lying header": (lying_header, "damaged, incomplete"),
    "8 GB header": (lambda p: p.write_bytes(struct.pack("<Q", 8 << 30) + b'{"a": 1}'), "damaged"),
    "NaN": (spoilt, "no finite numbers"),
    "shapes": (other_shapes, r"norm.weight is \[7\], wanted \[64\]"),
    "zip": (zipped_pictures, "a zip of 1 files and no checkpoint"),
    "empty": (lambda p: p.write_bytes(b""), "It is empty"),
    "truncated": (truncated, "damaged, incomplete"),
    "repeated": (repeated_numbers, "repeat few numbers"),
    "sparse": (sparse, "sparse or nested"),
    "words": (lambda p: p.write_bytes(b"nothing but words"), "is no checkpoint"),
    "another config": (
        lambda p: save_file({"a": torch.zeros(1)}, p, {"config": '{"dim": "wide"}'}),
        "No DINOv2 backbone",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_checkpoint_is_refused_in_a_sentence(
    server: Server, tmp_path: Path, kind: str
) -> None:
    write, words = HOSTILE[kind]
    write(tmp_path / "odd.pth")
    ada = server.visitor("ada")
    answer = send(ada, tmp_path / "odd.pth")
    assert answer.status_code == 422
    with pytest.raises(ValueError, match=words):
        raise ValueError(answer.text)
    assert "odd.pth" in answer.text
    assert str(tmp_path) not in answer.text, "folders of the server are nobody's business"
    assert "\n" not in answer.text
    assert ada.get("/checkpoints").json() == {"checkpoints": []}
    folder = server.services.checkpoints.folder
    assert [path for path in folder.rglob("*") if path.is_file()] == [], "and nothing stays"
    assert not Path("/tmp/this-must-not-be").exists()


# --- what a checkpoint does not tell of itself


def silent(path: Path, rows: int = 4) -> Path:
    """Of width 48, which has no usual number of heads; its grid is a square with 4 rows alone."""
    state = {name: tensor.clone() for name, tensor in tiny_vit().state_dict().items()}
    state["pos_embed"] = state["pos_embed"][:, : 1 + 4 * rows].clone()
    torch.save(state, path)
    return path


def say(client: TestClient, token: str, field: str, value: str) -> Any:
    return client.post(f"/checkpoints/asked/{token}", params={"field": field, "value": value})


def test_what_a_checkpoint_does_not_tell_is_asked_and_it_is_not_sent_again(
    server: Server, tmp_path: Path
) -> None:
    ada, bob = server.visitor("ada"), server.visitor("bob")
    asked = send(ada, silent(tmp_path / "mine.pth")).json()
    assert (asked["field"], asked["choices"][:5]) == ("heads", ["1", "2", "3", "4", "6"])
    assert asked["what"] == (
        "mine.pth: The number of heads cannot be read off weights of width 48."
    )
    token = asked["token"]
    assert ada.get("/checkpoints").json() == {"checkpoints": []}
    for stranger in (say(bob, token, "heads", "3"), say(ada, "0" * 24, "heads", "3")):
        assert stranger.text == "This file is no longer kept: add it again."
    for field, value in (("heads", "7"), ("heads", "many"), ("grid", "4"), ("heads", "0")):
        assert say(ada, token, field, value).status_code == 422, "and it waits for another answer"

    facts = say(ada, token, "heads", "3").json()
    assert (facts["heads"], facts["title"]) == (3, "mine.pth")
    assert "mine.pth, read with heads 3" in facts["source"]
    assert ada.get("/checkpoints").json() == {"checkpoints": [facts]}
    vit = server.services.models.backbone(facts["name"], owner=owner_of("ada")).vit
    for name, tensor in tiny_vit().state_dict().items():
        assert torch.equal(vit.state_dict()[name], tensor)
    _, file = server.services.models.options_of(facts["name"], owner_of("ada"))
    assert load_backbone(weights=file).vit.config.heads == 3, "runs and galleries are told as well"
    assert say(ada, token, "heads", "4").status_code == 422, "it waits no longer"


def test_what_repeats_it_says_what_was_said(server: Server, tmp_path: Path) -> None:
    """The visitor has the file that was sent, and not the one that is kept here."""
    ada = server.visitor("ada")
    token = send(ada, silent(tmp_path / "mine.pth", rows=3)).json()["token"]
    say(ada, token, "grid", "3x4")
    facts = say(ada, token, "heads", "2").json()
    assert facts["said"] == {"grid": "3x4", "heads": "2"}
    view = look(ada, facts["name"]).json()
    assert (view["weights"], view["said"]) == ("mine.pth", facts["said"])
    caption = ada.get(f"/view/{view['key']}/print/rollout?caption=true").text
    command = caption.split("python -m dino_core ")[1]
    assert " --weights mine.pth --position-grid 3x4 --heads 2 " in command
    choices = ada.get("/tray/choices").json()
    assert choices["opened"][facts["name"]] == {"weights": "mine.pth", "said": facts["said"]}
    assert choices["titles"][facts["name"]] == facts["title"]
    asked = {"rows": [f"sample/{SAMPLE}"], "columns": ["norms/1"], "model": "preview_vits14"}
    asked |= {"second": facts["name"], "size": 56, "kind": "svg"}
    printed = ada.get("/tray/print", params=asked).text
    assert "model 0 preview_vits14, model 1 mine" in printed, "as the visitor's own command has it"
    assert server.visitor("bob").get("/tray/print", params=asked).status_code == 422

    args = build_parser().parse_args(shlex.split(command))
    assert (args.heads, args.position_grid) == (2, (3, 4))
    vit = load_backbone(weights=tmp_path / "mine.pth", heads=2, grid=(3, 4)).vit
    kept = server.services.models.backbone(facts["name"], owner=owner_of("ada")).vit
    assert vit.config == kept.config
    second = ada.post(f"/view/{view['key']}/second?model=preview_vits14").json()["key"]
    beside = ada.get(f"/view/{view['key']}/print/comparison?caption=true&second={second}").text
    assert "of which more has to be said, beside another model: by no command" in beside


def test_it_may_have_to_be_told_more_than_one_thing(server: Server, tmp_path: Path) -> None:
    ada = server.visitor("ada")
    first = send(ada, silent(tmp_path / "wide.pth", rows=3)).json()
    assert (first["field"], first["choices"]) == ("grid", ["3x4", "4x3", "2x6", "6x2"])
    second = say(ada, first["token"], "grid", "3x4").json()
    assert (second["field"], second["token"]) == ("heads", first["token"])
    facts = say(ada, second["token"], "heads", "2").json()
    assert (facts["heads"], facts["image_size"]) == (2, [42, 56])

    two = {f"{side}.{name}": t for side in "ab" for name, t in tiny_vit(WIDE).state_dict().items()}
    torch.save(two, tmp_path / "two.pth")
    asked = send(ada, tmp_path / "two.pth").json()
    assert (asked["field"], asked["choices"]) == ("branch", ["a", "b"])
    assert say(ada, asked["token"], "branch", "b").json()["dim"] == 64


def test_a_file_that_waits_makes_room_for_the_next_and_is_swept(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, kept = server.visitor("ada"), server.services.checkpoints
    old = send(ada, silent(tmp_path / "one.pth")).json()["token"]
    new = send(ada, silent(tmp_path / "two.pth")).json()["token"]
    assert say(ada, old, "heads", "3").status_code == 422
    assert kept.find_asked(owner_of("ada"), new)[0].name == "two.pth"
    monkeypatch.setattr(jobs, "MAX_ALL", 1000)
    with pytest.raises(ValueError, match="no room"):
        jobs.make_room(kept, owner_of("bob"), "", size=0)
    monkeypatch.setattr(kept, "_now", lambda: 1e12)
    kept.sweep()
    assert not [path for path in kept.folder.rglob("*") if path.is_file()]


def test_a_stored_config_of_nonsense_is_refused(server: Server, tmp_path: Path) -> None:
    state = {name: tensor.contiguous() for name, tensor in tiny_vit().state_dict().items()}
    for config in ({"dim": "wide"}, {"dim": 10**9, "heads": 1}, {"heads": 0}, {"depth": -1}):
        save_file(state, tmp_path / "odd.safetensors", {"config": json.dumps(config)})
        answer = send(server.visitor("ada"), tmp_path / "odd.safetensors")
        assert answer.status_code == 422
        assert answer.text.startswith("odd.safetensors")


def test_one_that_is_too_large_is_let_go(
    server: Server, weights: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_FILE", 1000)
    answer = send(server.visitor("ada"), weights(0))
    assert answer.status_code == 422
    assert answer.text.startswith("The file has more than the 0 MB allowed: save the backbone")
    assert [p for p in server.services.checkpoints.folder.rglob("*") if p.is_file()] == []


def test_the_one_that_was_not_used_for_longest_makes_room(
    server: Server, weights: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PER_VISITOR", 2)
    now = 1e9
    monkeypatch.setattr(server.services.checkpoints, "_now", lambda: now)
    ada, names = server.visitor("ada"), []
    for seed in range(2):
        names.append(send(ada, weights(seed)).json()["name"])
        now += 1
    server.services.models.backbone(names[0], owner=owner_of("ada"))  # used again
    names.append(send(ada, weights(2)).json()["name"])
    kept = {one["name"] for one in ada.get("/checkpoints").json()["checkpoints"]}
    assert kept == {names[0], names[2]}


def test_what_comes_counts_among_the_visitor_s_bytes(
    server: Server, weights: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the ones that are there alone: two would stand where there is room for less."""
    ada = server.visitor("ada")
    monkeypatch.setattr(jobs, "MAX_OWN", 2 * weights(0).stat().st_size - 1)
    names = [send(ada, weights(seed)).json()["name"] for seed in range(2)]
    assert [one["name"] for one in ada.get("/checkpoints").json()["checkpoints"]] == names[1:]


def test_an_address_has_its_share_and_all_have_theirs(
    server: Server, weights: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PER_ADDRESS", 2)
    for seed in range(2):
        assert send(server.visitor(f"visitor {seed}"), weights(seed)).status_code == 200
    refused = send(server.visitor("visitor 2"), weights(2))
    assert (refused.status_code, "2 checkpoints from your address" in refused.text) == (422, True)
    monkeypatch.setattr(jobs, "PER_ADDRESS", 18)
    monkeypatch.setattr(jobs, "MAX_ALL", 3 * weights(0).stat().st_size - 1)
    refused = send(server.visitor("visitor 2"), weights(2))
    assert (refused.status_code, "room" in refused.text) == (422, True)
    assert server.visitor("visitor 2").get("/checkpoints").json()["checkpoints"] == []


def test_what_is_on_its_way_counts_as_what_it_may_become(
    server: Server, weights: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = weights(0).stat().st_size
    visitor = server.visitor("visitor 0")
    monkeypatch.setattr(jobs, "MAX_ALL", 2 * size + 99)
    with jobs.ON_THEIR_WAY.counted(100 + size):
        assert (send(visitor, weights(0)).status_code, visitor.get("/checkpoints").json()) == (
            422,
            {"checkpoints": []},
        )
    with jobs.ON_THEIR_WAY.counted(99 + size):
        assert send(visitor, weights(0)).status_code == 200


def test_a_week_later_it_is_gone_and_what_a_job_needs_is_not(tmp_path: Path) -> None:
    now, used = 1e9, set[str]()
    kept = Checkpoints(tmp_path, lambda: used, lambda: now)
    names = []
    for seed in (1, 2):
        path = kept.place("ada", f"{seed}.pth")
        save_backbone(tiny_vit(seed=seed), path)
        names.append(jobs._read(kept, path, "ada", f"{seed}" * 64, title="t", file="f", address=""))
    paths = [kept.find("ada", one["name"])[0] for one in names]
    used = {str(paths[1].resolve())}
    with pytest.raises(ValueError, match="still needs this checkpoint"):
        kept.remove("ada", names[1]["name"])
    unfinished = kept.place("ada", "half.pth")
    os.utime(unfinished.parent, (now, now))
    now += KEPT + 1
    kept.sweep()
    assert not paths[0].exists()
    assert not unfinished.parent.exists()
    assert kept.find("ada", names[1]["name"])[0] == paths[1]
    with pytest.raises(ValueError, match="no longer kept"):
        kept.find("ada", names[0]["name"])


def test_it_outlives_a_restart_and_says_when_it_does_not(
    server: Server, weights: Callable[[int], Path]
) -> None:
    name = send(server.visitor("ada"), weights(0)).json()["name"]
    again = Server()
    assert look(again.visitor("ada"), name).json()["model"] == name
    entry = again.services.pictures.get("ada", "k" * 32)
    assert entry is not None
    assert again.visitor("ada").delete(f"/checkpoints/{name}").status_code == 200
    answer = again.visitor("ada").get(f"/view/{'k' * 32}/features/1")
    assert answer.status_code == 200, "what was computed stays"
    again.services.models._loaded.clear()
    answer = again.visitor("ada").get(f"/view/{'k' * 32}/tokens/blocks")
    assert (answer.status_code, answer.text) == (422, GONE)


def test_a_link_to_one_that_has_gone_opens_the_preview_and_says_so(server: Server) -> None:
    names = ("session", "picture", "status", "badge", "model", "size", "seed")
    rail: Any = SimpleNamespace(**{name: name for name in names})
    handlers = Handlers(
        server.services, "session", rail, {"gallery": "", "tray": "", "strip": "strip"}
    )  # type: ignore[arg-type, dict-item]
    request: Any = SimpleNamespace(cookies={})
    link = "#sample=coffee.jpg&size=224&model=checkpoint-" + "0" * 24
    for update in (
        handlers.travel(Session(), "", link, "preview_vits14", 224, 0, request),
        handlers.arrive(link, "preview_vits14", 224, 0, request),
    ):
        assert update["model"] == "preview_vits14"
        assert GONE.split(":")[0] in update["status"]
        view = update["strip"]["view"]
        assert (view["model"], view["sample"]) == ("preview_vits14", "coffee.jpg")


def test_memory_holds_few_of_them(server: Server, weights: Callable[[int], Path]) -> None:
    ada, models = server.visitor("ada"), server.services.models
    names = [send(ada, weights(seed)).json()["name"] for seed in range(MOST_OWN + 1)]
    for name in names:
        models.backbone(name, owner=owner_of("ada"))
    assert list(models._loaded) == names[1:]


def test_patches_of_a_page_have_a_bound(server: Server, tmp_path: Path) -> None:
    small = replace(TINY, patch_size=2, image_size=8, dim=24)
    save_backbone(tiny_vit(small), tmp_path / "fine.safetensors")
    ada = server.visitor("ada")
    name = send(ada, tmp_path / "fine.safetensors").json()["name"]
    refused = ada.post(f"/view/{'k' * 32}/again?model={name}&size=224&sample={SAMPLE}")
    assert refused.status_code == 422
    assert "cuts 224 px into 12,544" in refused.text


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\my.pth", "my.pth"),
        ("..", "checkpoint"),
        ("a\0b\n.pth", "a_b_.pth"),
        ("x.safetensors.part", "x.safetensors"),
        ("é" * 200 + ".pth", "é" * 76 + ".pth"),
    ],
)
def test_names_are_names_of_files(called: str, name: str) -> None:
    assert file_name(called) == name


def test_a_note_without_its_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert module.read_noted(tmp_path / "x.json") is None


def test_where_it_has_heads_its_losses_can_be_looked_at(server: Server, tmp_path: Path) -> None:
    vit = replace(TRAIN.vit, dim=64, heads=1, patch_size=28, image_size=56, layer_scale_init=1.0)
    torch.save(differing_pair(replace(TRAIN, vit=vit)).state_dict(), tmp_path / "pair.pth")
    ada, bob = server.visitor("ada"), server.visitor("bob")
    facts = send(ada, tmp_path / "pair.pth").json()
    assert facts["pair"]
    assert "dino_head" in " ".join(facts["notes"])
    listed = [one["name"] for one in ada.get("/losses/pairs").json()["pairs"]]
    assert listed[-1] == facts["name"]
    assert facts["name"] not in str(bob.get("/losses/pairs").json())
    key = look(ada, facts["name"]).json()["key"]
    answer = ada.get(f"/view/{key}/losses?pair={facts['name']}&seed=0")
    assert answer.status_code == 200, answer.text
    assert b"pair.pth" in answer.content
    assert ada.get(f"/view/{key}/losses/references/{facts['name']}.jpg").status_code == 200
    other = bob.post(f"/view/{'b' * 32}/again?model=preview_vits14&size=56&sample={SAMPLE}")
    refused = bob.get(f"/view/{other.json()['key']}/losses?pair={facts['name']}&seed=0")
    assert (refused.status_code, refused.text) == (422, GONE)


def test_what_if_asks_the_heads_of_a_visitor_s_own(server: Server, tmp_path: Path) -> None:
    """As `heads_say` answers for the pair in the file; a file without heads says nothing."""
    vit = replace(TRAIN.vit, dim=64, heads=1, patch_size=28, image_size=56, layer_scale_init=1.0)
    pair = differing_pair(replace(TRAIN, vit=vit))
    torch.save(pair.state_dict(), tmp_path / "pair.pth")
    save_backbone(pair.teacher.backbone, tmp_path / "bare.safetensors")
    ada = server.visitor("ada")
    name = send(ada, tmp_path / "pair.pth").json()["name"]
    key = look(ada, name).json()["key"]
    assert ada.get(f"/view/{key}/whatif/around").json()["pair"] == name
    answer = ada.get(f"/view/{key}/whatif/prototypes?edit=mlp:1=zero&form=npz")
    assert answer.status_code == 200, answer.text
    entry = server.services.pictures.get("ada", key)
    assert entry is not None
    loaded = server.services.pairs.find(name, owner_of("ada"))
    seen = inspect(pair.eval().teacher.backbone, to_tensor(entry.picture.fitted.picture))
    found = effects(pair.teacher.backbone, seen, [Edit("mlp", 0.0, block=1)])
    centers = centers_of([one.answers for one in loaded.references])
    said = heads_say(pair, loaded.pair.config, found, centers)
    with np.load(BytesIO(answer.content)) as arrays:
        np.testing.assert_array_equal(arrays["prototypes"], said.prototypes)
        np.testing.assert_allclose(arrays["probabilities"], said.probabilities, rtol=1e-4)
    bare, key = send(ada, tmp_path / "bare.safetensors").json()["name"], "b" * 32
    ada.post(f"/view/{key}/again?model={bare}&size=56&sample={SAMPLE}")
    assert ada.get(f"/view/{key}/whatif/around").json()["pair"] is None
    refused = ada.get(f"/view/{key}/whatif/prototypes")
    assert (refused.status_code, refused.text) == (422, "No heads come with bare.safetensors.")


# --- what a run has written


@pytest.fixture
def run(server: Server, weights: Callable[[int], Path]) -> Path:
    """A run with two checkpoints, as the command line leaves it."""
    folder = server.services.runs.folder / "small"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.json").write_text('{"format": 1, "kind": "pretraining"}')
    for step in (0, 40):
        os.link(weights(step), folder / "checkpoints" / f"step-{step:08}.safetensors")
        (folder / "checkpoints" / f"step-{step:08}.optimiser.safetensors").touch()
    return folder


def test_milestones_of_a_run_become_models(server: Server, run: Path) -> None:
    ada = server.visitor("ada")
    assert ada.get("/runs/small").json()["kept_steps"] == [0, 40]
    first = ada.post("/checkpoints/run/small?step=0").json()
    last = ada.post("/checkpoints/run/small").json()
    assert [one["title"] for one in (first, last)] == ["small, step 0", "small, step 40"]
    assert first["file"] == "runs/small/checkpoints/step-00000000.safetensors"
    assert first["compare_with"] == "preview_vits14"
    source = run / "checkpoints" / "step-00000040.safetensors"
    source.unlink()  # as a run does that goes on
    backbone = server.services.models.backbone(last["name"], owner=owner_of("ada"))
    assert torch.equal(backbone.vit.cls_token, tiny_vit(seed=40).cls_token)
    assert not last["pair"]
    vit = replace(TRAIN.vit, dim=64, heads=1)
    save_file(differing_pair(replace(TRAIN, vit=vit)).kept(), source)
    pair = ada.post("/checkpoints/run/small?step=40").json()
    assert server.services.pairs.of_model(pair["name"], owner_of("ada")) == pair["name"]
    source.unlink()
    assert ada.post("/checkpoints/run/small?step=40").status_code == 404
    assert ada.post("/checkpoints/run/other").status_code == 404


def test_weights_learnt_from_somebody_s_pictures_are_theirs(server: Server, run: Path) -> None:
    from app.jobs.run_cards import RunJob

    job = RunJob(
        name="small",
        owner=owner_of("ada"),
        title="t",
        data="/x.zip",
        kind="pretraining",
        steps=40,
        data_name="x.zip",
        asked=1.0,
        waiting=False,
    )
    server.services.runs._put(job)
    assert server.visitor("bob").post("/checkpoints/run/small").status_code == 403
    assert server.visitor("ada").post("/checkpoints/run/small").status_code == 200
    assert server.visitor("bob").get("/runs/small").json()["kept_steps"] == []


def test_nobody_is_told_from_where_a_checkpoint_came(
    server: Server, weights: Callable[[int], Path]
) -> None:
    visitor = server.visitor("ada")
    sent = send(visitor, weights(0))
    assert sent.status_code == 200
    assert "address" not in sent.json()
    (listed,) = visitor.get("/checkpoints").json()["checkpoints"]
    assert "address" not in listed


def test_a_visitor_s_checkpoints_have_so_many_bytes_with_the_one_that_comes(
    server: Server, weights: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = weights(0).stat().st_size
    monkeypatch.setattr(jobs, "MAX_OWN", 2 * size + size // 2)
    visitor = server.visitor("ada")
    for seed in range(3):
        assert send(visitor, weights(seed)).status_code == 200
    assert len(visitor.get("/checkpoints").json()["checkpoints"]) == 2


def test_a_note_goes_before_the_file_that_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed between the two leaves a file without a note, which is swept."""
    noted = tmp_path / "1.json"
    noted.write_text("{}")
    seen: list[bool] = []
    monkeypatch.setattr(module.shutil, "rmtree", lambda *_, **__: seen.append(noted.exists()))
    module.forget(noted)
    assert seen == [False]


def test_a_milestone_that_goes_meanwhile_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, weights = Checkpoints(tmp_path / "kept"), tmp_path / "w.safetensors"
    for _ in "gone already", "gone while it is copied":
        with pytest.raises(ValueError, match="has let go of this checkpoint"):
            jobs.take_milestone(kept, weights, owner="ada", title="t", file="f")
        assert not [path for path in kept.folder.rglob("*") if path.parent != kept.folder]
        save_backbone(tiny_vit(), weights)

        def gone(*_: object) -> None:
            raise FileNotFoundError

        monkeypatch.setattr(jobs.os, "link", gone)
        monkeypatch.setattr(jobs.shutil, "copyfile", gone)


@pytest.mark.parametrize(
    ("read", "kind"),
    [(module.read_noted, module.Checkpoint), (module.read_asked, module.Asked)],
)
def test_what_is_noted_counts_only_with_its_file(tmp_path: Path, read: Any, kind: Any) -> None:
    noted, folder = tmp_path / "one.json", tmp_path / "one"
    facts = dict.fromkeys(sorted(kind.__required_keys__), "")
    noted.write_text(json.dumps(facts))
    assert read(noted) is None
    folder.mkdir()
    assert read(noted) is None
    (folder / "my.pth").write_bytes(b"")
    assert read(noted) == facts
    noted.write_text(json.dumps(dict(list(facts.items())[1:])))
    assert read(noted) is None
