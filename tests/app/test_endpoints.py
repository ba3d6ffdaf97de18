"""The named endpoints, called as a program would."""

import json
import re
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from hostile import write_files

from dino_core import fit_to_patches, inspect, load_backbone, open_picture, to_tensor
from dino_core.runs.pretrained_heads import CIFAR_PAIR
from dino_core.runs.progress import open_pair
from dino_core.scenes.attention import rollout_scene
from dino_core.scenes.depth import depth_scene
from dino_core.scenes.features import clusters_scene
from dino_core.scenes.matching import matches_scene
from dino_core.scenes.similarity import similarity_scene
from dino_core.scenes.tokens import blocks_scene
from dino_core.slow_motion import Choices, Session
from dino_core.step.loss_inspection import break_down, picture_logits, reference_batch

CAT = Path(__file__).resolve().parents[2] / "static" / "samples" / "cat.jpg"


@pytest.fixture(scope="module")
def client(server: str) -> Client:
    return Client(server, verbose=False)


@pytest.fixture(scope="module")
def seen():
    vit = load_backbone("preview_vits14").vit
    return inspect(vit, to_tensor(fit_to_patches(open_picture(CAT), 14, 224).picture))


def test_only_the_views_are_public(client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {
        *("/crops", "/masks", "/attention", "/features", "/losses", "/step"),
        *("/similar", "/match", "/clusters", "/rollout", "/norms", "/depth", "/whatif"),
        *("/compare", "/grid", "/tray", "/tokens", "/figure", "/film", "/webpage", "/video"),
        "/predict",
    }


def test_a_browser_is_told_of_none_of_them(server: str) -> None:
    with urllib.request.urlopen(f"{server}/") as page:
        config = page.read().decode().split("window.gradio_config = ", 1)[1]
    told, _ = json.JSONDecoder().raw_decode(config)
    with urllib.request.urlopen(f"{server}/config") as answer:
        whole = json.load(answer)
    browser, programs = (
        {block["id"]: block["type"] for block in c["components"]} for c in (told, whole)
    )
    assert "api" not in browser.values()
    assert browser == {id: kind for id, kind in programs.items() if kind != "api"}
    asked = {event["id"] for event in told["dependencies"]}
    named = {event["id"] for event in whole["dependencies"] if event["api_visibility"] == "public"}
    assert len(named) == 22
    assert asked == {event["id"] for event in whole["dependencies"]} - named
    assert {child["id"] for child in told["layout"]["children"]} <= set(browser)


def test_the_lines_of_the_documentation_run(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (CAT.parents[2] / "docs" / "page.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(CAT.parent)
    names: dict[str, Any] = {}
    exec(lines.replace("http://127.0.0.1:7860", server), names)
    assert np.array(names["answer"]["rows"]).shape == (6, 16, 24)


def test_crops_and_masks(client: Client) -> None:
    crops = client.predict(handle_file(CAT), seed=3, api_name="/crops")["crops"]
    again = client.predict(handle_file(CAT), seed=3, api_name="/crops")["crops"]
    other = client.predict(handle_file(CAT), seed=4, api_name="/crops")["crops"]
    assert [crop["kind"] for crop in crops] == ["global"] * 2 + ["local"] * 8
    assert crops == again
    assert crops != other
    masks = client.predict(handle_file(CAT), seed=3, ratio=0.3, api_name="/masks")
    assert np.array(masks["mask"]).sum() == masks["achieved"] <= masks["target"] == 76


def test_attention_equals_the_library(client: Client, seen) -> None:
    answer = client.predict(handle_file(CAT), layer=8, row=5, column=6, api_name="/attention")
    wanted = seen.on_grid(seen.rows(seen.token_at(5, 6)))[8]
    np.testing.assert_allclose(np.array(answer["rows"]), wanted, atol=1e-6)


def test_features_equal_the_library(client: Client, seen) -> None:
    answer = client.predict(handle_file(CAT), layer=11, api_name="/features")
    assert np.array(answer["colours"]).shape == (*seen.grid, 3)
    assert 0.1 < np.array(answer["foreground"]).mean() < 0.9


def test_views_of_one_or_two_pictures_equal_the_scenes(client: Client, seen) -> None:
    coffee = CAT.with_name("coffee.jpg")
    vit = load_backbone("preview_vits14").vit
    other = inspect(vit, to_tensor(fit_to_patches(open_picture(coffee), 14, 224).picture))
    answer = client.predict(
        handle_file(CAT), row=5, column=6, other=handle_file(coffee), layer=8, api_name="/similar"
    )
    wanted = similarity_scene(seen, 8, 5, 6, other).similarity
    np.testing.assert_allclose(np.array(answer["similarity"]), wanted, atol=1e-5)
    answer = client.predict(handle_file(CAT), handle_file(coffee), api_name="/match")
    matches = matches_scene(seen, other, 11)
    assert answer["count"] == matches.count
    np.testing.assert_array_equal(answer["lines"], matches.lines)
    answer = client.predict(handle_file(CAT), k=4, api_name="/clusters")
    np.testing.assert_array_equal(answer["labels"], clusters_scene(seen, 11, 4, 0).labels)
    answer = client.predict(handle_file(CAT), api_name="/rollout")
    np.testing.assert_allclose(answer["rollout"], rollout_scene(seen).rollout, atol=1e-6)
    answer = client.predict(handle_file(CAT), api_name="/norms")
    np.testing.assert_allclose(answer["norms"], blocks_scene(vit, seen).norms, rtol=1e-4)
    answer = client.predict(handle_file(CAT), method="signs", flip=True, api_name="/depth")
    scene = depth_scene(seen, flip=True, method="signs")
    assert answer["cosine"] == pytest.approx(scene.cosine, abs=1e-4)
    assert np.abs(np.array(answer["colours"]) - scene.colours.astype(int)).mean() < 0.5


@pytest.mark.slow
def test_losses_equal_the_library(client: Client) -> None:
    chosen = {"seed": 2, "pair": "cifar", "temperature": 0.05}
    answer = client.predict(handle_file(CAT), **chosen, api_name="/losses")
    pair, config, _ = open_pair(CIFAR_PAIR)
    references = reference_batch(
        pair, config, [open_picture(path) for path in CAT.parent.glob("*.jpg")]
    )
    loss = replace(config.loss, centering="centering")
    found = break_down(picture_logits(pair, config, open_picture(CAT), 2), references, loss, 0.05)
    np.testing.assert_allclose(answer["dino"], found.dino, atol=1e-4)
    np.testing.assert_allclose(answer["ibot"], found.ibot, atol=1e-4)
    assert answer["terms"] == pytest.approx(found.terms, abs=1e-4)
    assert np.array(answer["mask"]).sum() == len(answer["ibot"])


@pytest.mark.slow
def test_step_equals_the_library(client: Client) -> None:
    chosen = {"seed": 2, "learning_rate": 1e-4, "koleo": 0.5}
    answer = client.predict(handle_file(CAT), **chosen, api_name="/step")
    pair, config, _ = open_pair(CIFAR_PAIR)
    credits = json.loads((CAT.parent / "credits.json").read_text(encoding="utf-8"))
    pictures = [open_picture(CAT.parent / one["file"]) for one in credits]
    choices = Choices(2, learning_rate=1e-4, koleo_weight=0.5)
    step = Session(pair, config, [open_picture(CAT), *pictures], choices).step()
    assert answer["before"] == pytest.approx(step.result.terms, rel=1e-4)
    assert answer["after"] == pytest.approx(step.terms_after, rel=1e-3)
    np.testing.assert_allclose(answer["shares"], step.gradients.shares, atol=1e-3)
    assert answer["visits"][-1]["first"] == step.visits[-1].first


@pytest.mark.parametrize("name", ["corrupt.png", "empty.png", "huge.png", "drawing.svg"])
def test_hostile_files_get_a_sentence(client: Client, tmp_path: Path, name: str) -> None:
    file = write_files(tmp_path)[name]
    with pytest.raises(AppError) as refusal:
        client.predict(handle_file(file), api_name="/crops")
    assert "Traceback" not in str(refusal.value)
    assert "gradio" not in str(refusal.value).lower()


def test_bad_choices_get_a_sentence(client: Client) -> None:
    with pytest.raises(AppError, match="layers 0 to 11"):
        client.predict(handle_file(CAT), layer=99, api_name="/attention")
    with pytest.raises(AppError, match="A preset is one of"):
        client.predict(handle_file(CAT), preset="nonsense", api_name="/features")
    with pytest.raises(AppError, match="no patch 99,0"):
        client.predict(handle_file(CAT), row=99, column=0, api_name="/similar")
    with pytest.raises(AppError, match="There is no pair"):
        client.predict(handle_file(CAT), pair="nonsense", api_name="/losses")
    with pytest.raises(AppError, match="model"):
        client.predict(handle_file(CAT), model="nonsense", api_name="/features")


def test_files_of_the_server_are_not_opened(server: str) -> None:
    """A path that did not come through the upload is refused, whatever is there."""
    body = {"data": [{"path": str(CAT), "meta": {"_type": "gradio.FileData"}}, 0, "as run"]}
    request = urllib.request.Request(
        f"{server}/gradio_api/call/crops",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    event = json.load(urllib.request.urlopen(request))["event_id"]
    answer = urllib.request.urlopen(f"{server}/gradio_api/call/crops/{event}").read().decode()
    assert "event: error" in answer
    assert "box" not in answer
