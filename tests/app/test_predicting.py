"""Try it: the page, the named endpoint and the command line say the same of a picture."""

import json
import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from safetensors.numpy import load
from safetensors.torch import save_file
from tiny_models import TINY, shake, tiny_vit
from tiny_runs import COLOURS, coloured, picture, zipped

from app.jobs.run_cards import RunJob
from app.page.api import Endpoints
from app.routes.all_routes import add_routes
from app.services import Services, build_services
from app.state.checkpoints import GONE
from app.state.classifiers import Classifiers
from app.visitors import COOKIE, owner_of
from dino_core.cli.main import main
from dino_core.finetuning.classification import FinetuneSetup, finetune
from dino_core.scenes.predicting import NONE_HERE
from dino_core.weights import save_backbone
from dino_core.weights.peers import hugging_face_config, hugging_face_state

KEY = "k" * 32


@dataclass(frozen=True)
class Tuned:
    """A server with a finished fine-tuning of ada's."""

    app: FastAPI
    services: Services
    folder: Path
    picture: Path

    def visitor(self, secret: str) -> TestClient:
        cookie = self.services.visitors.cookie_of(secret)
        return TestClient(self.app, cookies={COOKIE: cookie})


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSIDE_DINOV2_RUNS", str(home / "runs"))
        patch.setenv("INSIDE_DINOV2_GALLERIES", str(home / "galleries"))
        services = build_services("preview_vits14", None, "cpu")
    vit = tiny_vit(replace(TINY, layer_scale_init=None))
    weights = save_backbone(vit, home / "w.safetensors")
    data = zipped(home / "data.zip", coloured(6))
    setup = FinetuneSetup(data=str(data), weights=str(weights), size=28, epochs=5, threads=1)
    finetune(home / "runs" / "colours", setup)
    services.runs._put(
        RunJob(
            name="colours",
            owner=owner_of("ada"),
            title="t",
            data=str(data),
            kind="fine-tuning",
            steps=5,
            data_name="data.zip",
            asked=1.0,
            waiting=False,
        )
    )
    red = home / "red.png"
    red.write_bytes(picture(999, COLOURS["red"]))
    app = FastAPI()
    add_routes(app, services)
    return Tuned(app, services, home / "runs" / "colours", red)


@pytest.fixture(scope="module")
def said(tuned: Tuned) -> dict[str, Any]:
    """What the page is told of ada's open picture."""
    ada = tuned.visitor("ada")
    opened = ada.post(
        f"/view/{KEY}/again?model=preview_vits14&size=56", content=tuned.picture.read_bytes()
    )
    assert opened.status_code == 200, opened.text
    answer = ada.get(f"/view/{KEY}/predict?run=colours")
    assert answer.headers["cache-control"] == "no-store", "the run may be deleted"
    return unpacked(answer)


def unpacked(answer: Any) -> dict[str, Any]:
    """A scene as the page reads it."""
    assert answer.status_code == 200, answer.text
    length = int.from_bytes(answer.content[:8], "little")
    header = json.loads(answer.content[8 : 8 + length])
    return {**load(answer.content), **json.loads(header["__metadata__"]["facts"])}


def test_page_endpoint_and_command_say_the_same(
    tuned: Tuned, said: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(tuned.picture), "--model", str(tuned.folder)]) == 0
    named = zip(said["classes"], said["probabilities"], strict=True)
    words = ", ".join(f"{name} {100 * p:.1f} %" for name, p in named)
    assert capsys.readouterr().out == f"{tuned.picture}: {words}\n"

    tuned.services.uploads.add("ada", [str(tuned.picture)])
    cookies = {COOKIE: tuned.services.visitors.cookie_of("ada")}
    request: Any = SimpleNamespace(cookies=cookies)
    file = {"path": str(tuned.picture)}
    endpoint = Endpoints(tuned.services).predict(file, request, "colours")
    dropped = tuned.visitor("ada").post("/runs/colours/predict", content=tuned.picture.read_bytes())
    for answer in (endpoint, dropped.json()):
        for name in ("classes", "probabilities", "logits", "bias", "class_token", "nearest"):
            assert answer[name] == said[name], name
    assert np.allclose(endpoint["patches"], said["patches"])


def test_the_map_adds_up_to_the_logit(said: dict[str, Any]) -> None:
    total = np.array(said["bias"]) + said["class_token"] + said["patches"].sum((1, 2))
    assert np.allclose(total, said["logits"], atol=1e-5)
    assert said["grid"] == [2, 2]
    assert said["picture"].shape == (28, 28, 3)
    assert said["probabilities"] == sorted(said["probabilities"], reverse=True)


def test_the_nearest_are_training_pictures(tuned: Tuned, said: dict[str, Any]) -> None:
    ada, nearest = tuned.visitor("ada"), said["nearest"]
    assert nearest[0]["label"] == "red"
    cosines = [one["cosine"] for one in nearest]
    assert cosines == sorted(cosines, reverse=True)
    address = f"/runs/colours/training/{nearest[0]['index']}.jpg"
    image = ada.get(address)
    assert (image.status_code, image.headers["content-type"]) == (200, "image/jpeg")
    assert ada.get("/runs/colours/training/999.jpg").status_code == 404
    assert tuned.visitor("bob").get(address).status_code == 403


def test_a_run_of_somebody_s_pictures_answers_nobody_else(tuned: Tuned) -> None:
    bob, body = tuned.visitor("bob"), tuned.picture.read_bytes()
    assert bob.post("/runs/colours/predict", content=body).status_code == 403
    opened = bob.post(f"/view/{'b' * 32}/again?model=preview_vits14&size=56", content=body)
    assert opened.status_code == 200
    assert bob.get(f"/view/{'b' * 32}/predict?run=colours").status_code == 403
    request: Any = SimpleNamespace(cookies={})
    with pytest.raises(gr.Error, match="another visitor's"):
        Endpoints(tuned.services).predict({"path": "x"}, request, "colours")


def test_what_cannot_be_asked_says_so(tuned: Tuned, said: dict[str, Any]) -> None:
    ada = tuned.visitor("ada")
    broken = ada.post("/runs/colours/predict", content=b"no picture")
    assert broken.status_code == 422
    assert broken.text
    assert ada.get(f"/view/{KEY}/predict?run=other").status_code == 404
    other = tuned.services.runs.folder / "begun"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"format": 1, "kind": "pretraining"}))
    refused = ada.get(f"/view/{KEY}/predict?run=begun")
    assert refused.status_code == 422
    assert "no classifier yet" in refused.text
    file = tuned.folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    refused = ada.get(f"/view/{KEY}/predict?run=colours")
    file.write_bytes(whole)
    assert (refused.status_code, refused.text) == (422, "The classifier of this run is damaged.")


def test_two_classifiers_are_kept_and_the_longest_unused_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        "dino_core.scenes.predicting.open_tuned",
        lambda folder, device: opened.append(folder.name) or folder.name,
    )
    monkeypatch.setattr("dino_core.scenes.predicting.model_file", lambda folder: folder / "model")
    kept = Classifiers(SimpleNamespace(device="cpu"))  # type: ignore[arg-type]
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").touch()
    for name in "abacab":
        assert kept.find(tmp_path / name) == name
    assert opened == ["a", "b", "c", "b"], "a was asked again before there was a third"
    os.utime(tmp_path / "b" / "model", (1, 1))
    kept.find(tmp_path / "b")
    assert opened[-1] == "b", "its file is another one"
    (tmp_path / "c" / "model").unlink()
    assert kept.find(tmp_path / "c") == "c"


# --- of a checkpoint


@pytest.fixture(scope="module")
def brought(tuned: Tuned) -> Any:
    """What is noted of a classifier of transformers' names that ada has brought, and its file."""
    made = torch.nn.Linear(2 * 64, 3)
    shake(made, 7)
    vit = tiny_vit(replace(TINY, dim=64, heads=1))
    state = {f"dinov2.{name}": tensor for name, tensor in hugging_face_state(vit).items()}
    path = tuned.picture.with_name("cats.pth")
    torch.save(state | {f"classifier.{n}": t for n, t in made.state_dict().items()}, path)
    answer = tuned.visitor("ada").post("/checkpoints?name=cats.pth", content=path.read_bytes())
    assert answer.status_code == 200, answer.text
    return answer.json(), path


def test_a_brought_classifier_says_the_same_by_page_endpoint_and_command(
    tuned: Tuned, brought: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, path = brought
    name, ada = facts["name"], tuned.visitor("ada")
    words = "as in transformers: it reads the class token and the mean of the patches"
    assert words in facts["classifier"]
    assert facts["classifier"] in facts["notes"]
    key = "c" * 32
    body = tuned.picture.read_bytes()
    view = ada.post(f"/view/{key}/again?model={name}&size=56", content=body).json()
    assert view["classifier"] == facts["classifier"]
    said = unpacked(ada.get(f"/view/{key}/predict?model={name}"))
    total = np.array(said["bias"]) + said["class_token"] + np.sum(said["patches"], (1, 2))
    assert np.allclose(total, said["logits"], atol=1e-4)
    assert (said["reads"], said["by_patches"]) == (facts["classifier"], True)
    assert said["nearest"] == []
    assert "does not say" in said["without"]

    assert main(["predict", str(tuned.picture), "--model", str(path)]) == 0
    named = zip(said["classes"], said["probabilities"], strict=True)
    words = ", ".join(f"{name} {100 * p:.1f} %" for name, p in named)
    assert set(said["classes"]) == {"class 0", "class 1", "class 2"}
    assert capsys.readouterr().out == f"{tuned.picture}: {words}\n"

    tuned.services.uploads.add("ada", [str(tuned.picture)])
    cookies = {COOKIE: tuned.services.visitors.cookie_of("ada")}
    request: Any = SimpleNamespace(cookies=cookies)
    file = {"path": str(tuned.picture)}
    endpoint = Endpoints(tuned.services).predict(file, request, model=name)
    dropped = ada.post(f"/models/{name}/predict", content=body)
    for answer in (endpoint, dropped.json()):
        assert answer["logits"] == said["logits"]


def test_nobody_else_sees_a_brought_classifier(tuned: Tuned, brought: Any) -> None:
    name, bob, body = brought[0]["name"], tuned.visitor("bob"), tuned.picture.read_bytes()
    key = "d" * 32
    opened = bob.post(f"/view/{key}/again?model=preview_vits14&size=56", content=body)
    assert opened.status_code == 200
    assert "classifier" not in opened.json()
    refused = bob.get(f"/view/{key}/predict?model={name}")
    assert (refused.status_code, refused.text) == (422, GONE)
    assert bob.post(f"/models/{name}/predict", content=body).text == GONE
    stranger = TestClient(tuned.app)
    assert stranger.post(f"/models/{name}/predict", content=body).status_code == 403
    request: Any = SimpleNamespace(cookies={})
    tuned.services.uploads.add("", [str(tuned.picture)])
    with pytest.raises(gr.Error):
        Endpoints(tuned.services).predict({"sample": "cat.jpg"}, request, model=name)
    none_here = bob.get(f"/view/{key}/predict?model=preview_vits14")
    assert (none_here.status_code, none_here.text) == (422, NONE_HERE)


def test_a_classifier_stays_when_its_backbone_s_heads_had_to_be_said(tuned: Tuned) -> None:
    state = tiny_vit().state_dict() | {"head.weight": torch.ones(2, 48), "head.bias": torch.ones(2)}
    path = tuned.picture.with_name("silent.pth")
    torch.save(state, path)
    eve = tuned.visitor("eve")
    question = eve.post("/checkpoints?name=silent.pth", content=path.read_bytes()).json()
    answer = eve.post(f"/checkpoints/asked/{question['token']}?field=heads&value=3").json()
    assert "as in the official code: it reads the class token alone" in answer["classifier"]
    body = tuned.picture.read_bytes()
    said = eve.post(f"/models/{answer['name']}/predict", content=body).json()
    assert said["probabilities"] == pytest.approx([0.5, 0.5], abs=1e-5), (
        "both have the same weights"
    )
    assert not said["by_patches"]


def test_the_classes_of_a_zipped_folder_have_their_names(tuned: Tuned, tmp_path: Path) -> None:
    """And in the zip are other files too, which stay there."""
    vit = tiny_vit()
    state = {f"dinov2.{name}": tensor for name, tensor in hugging_face_state(vit).items()}
    made = torch.nn.Linear(96, 2).state_dict()
    save_file(state | {f"classifier.{n}": t for n, t in made.items()}, tmp_path / "w")
    stated = hugging_face_config(vit.config) | {"id2label": {"0": "<b>cat</b>", "1": "dog"}}
    contents = {
        "cats/model.safetensors": (tmp_path / "w").read_bytes(),
        "cats/config.json": json.dumps(stated).encode(),
        "cats/../../outside.txt": b"no",
        "__MACOSX/cats/._config.json": b"no",
    }
    sent = zipped(tmp_path / "cats.zip", contents, zipfile.ZIP_DEFLATED).read_bytes()
    fay = tuned.visitor("fay")
    answer = fay.post("/checkpoints?name=cats.zip", content=sent)
    assert answer.status_code == 200, answer.text
    facts = answer.json()
    assert (facts["title"], facts["file"], facts["heads"]) == ("cats.zip", "cats", 3)
    folder = tuned.services.checkpoints.find(owner_of("fay"), facts["name"])[0].parent
    assert sorted(one.name for one in folder.iterdir()) == ["config.json", "model.safetensors"]
    said = fay.post(f"/models/{facts['name']}/predict", content=tuned.picture.read_bytes()).json()
    assert set(said["classes"]) == {"<b>cat</b>", "dog"}
    assert fay.delete(f"/checkpoints/{facts['name']}").status_code == 200
    assert not folder.exists()


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"a/config.json": b"{}", "a/model.safetensors": bytes(9 << 20)}, "9,437,184 bytes, more"),
        ({"config.json": bytes(9 << 20), "model.safetensors": b"x"}, "config.json of 9,437,184"),
        ({"config.json": b"{}", "model.safetensors": b"nonsense"}, "is no checkpoint"),
        ({"config.json": b"{}"}, "a zip of 1 files and no checkpoint"),
        ({"x/config.json": b"{}", "y/model.safetensors": b""}, "a zip of 2 files and no"),
    ],
)
def test_a_hostile_zip_is_refused_and_leaves_nothing(
    tuned: Tuned, tmp_path: Path, contents: dict[str, bytes], words: str
) -> None:
    sent = zipped(tmp_path / "evil.zip", contents, zipfile.ZIP_DEFLATED).read_bytes()
    answer = tuned.visitor("mal").post("/checkpoints?name=evil.zip", content=sent)
    assert answer.status_code == 422
    assert words in answer.text
    assert not [*tuned.services.checkpoints.of(owner_of("mal")).glob("*")]


def test_a_damaged_zip_is_refused_in_words(tuned: Tuned, tmp_path: Path) -> None:
    contents = {"config.json": b"{}", "model.safetensors": b"safe" * 99}
    whole = zipped(tmp_path / "torn.zip", contents).read_bytes()
    torn = whole.replace(b"safesafe", b"tornsafe", 1)
    answer = tuned.visitor("mal").post("/checkpoints?name=torn.zip", content=torn)
    assert (answer.status_code, answer.text) == (
        422, "torn.zip is damaged: it cannot be unpacked.",
    )  # fmt: skip
