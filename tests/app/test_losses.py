"""The screen of heads and losses: its routes, and the page in a real browser."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import Page
from safetensors.numpy import load
from tiny_runs import noise_folder, setup

from app.first_visit import stored
from app.paths import SAMPLES
from app.routes.all_routes import add_routes
from app.services import build_services
from app.state.models import Models
from app.state.pairs import Pairs
from app.visitors import COOKIE
from dino_core.images import open_picture
from dino_core.runs.pretraining import train
from dino_core.runs.progress import open_pair
from dino_core.step.loss_inspection import break_down, picture_logits, reference_batch

VIEW = '[data-view="losses"]'
Shown = Callable[[Page, str], dict]


@pytest.fixture(scope="module")
def client(runs: Path) -> Iterator[TestClient]:
    """The routes alone, with the sample that greets everybody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSIDE_DINOV2_RUNS", str(runs))
        services, app = build_services("preview_vits14", None, "cpu"), FastAPI()
        add_routes(app, services)
        yield TestClient(app, cookies={COOKIE: services.visitors.cookie_of("somebody")})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def test_what_there_is_to_choose_from(client: TestClient) -> None:
    pairs = client.get("/losses/pairs").json()["pairs"]
    assert [(one["name"], one["step"]) for one in pairs] == [("preview", 0), ("cifar", 0)]


def test_the_pair_that_was_looked_at_last_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    for name, call in (
        ("newest_step", lambda folder: 1),
        ("open_run", lambda folder: opened.append(folder.name)),
        ("references_of", lambda pair: ()),
    ):
        monkeypatch.setattr(f"dino_core.scenes.pairs.{name}", call)
    models = SimpleNamespace(exclusive=lambda work: work())
    pairs = Pairs(models, lambda name: Path("runs", name))  # type: ignore[arg-type]
    for name in "abacab":
        assert pairs.find(f"run:{name}").key == (f"run:{name}", 1)
    assert opened == ["a", "b", "c", "b"], "a was looked at again before there was a third"


@pytest.mark.slow
def test_a_picture_s_losses(client: TestClient) -> None:
    asked = f"/view/{stored.KEY}/losses?seed=4&pair=cifar"
    answer = client.get(asked)
    assert load(answer.content)["dino"].shape == (6, 2)
    held = np.load(io.BytesIO(client.get(f"{asked}&form=npz&temperature=0.05").content))
    facts = json.loads(str(held["facts"]))
    assert (facts["seed"], facts["temperature"], facts["targets_by"]) == (4, 0.05, "centering")
    references = client.get(f"/view/{stored.KEY}/losses/references/cifar.jpg")
    assert Image.open(io.BytesIO(references.content)).size == (32 * facts["columns_of_sheet"], 64)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("pair=giant", "There is no pair"),
        ("pair=run:none", "There is no such run"),
        ("pair=cifar&targets=luck", "not by 'luck'"),
        ("pair=cifar&temperature=0", "above 0"),
        ("pair=cifar&student_temperature=-1", "above 0"),
        ("pair=cifar&seed=-1", "A seed is"),
    ],
)
def test_what_cannot_be_had_is_said(client: TestClient, query: str, words: str) -> None:
    answer = client.get(f"/view/{stored.KEY}/losses?seed=0&{query}")
    assert answer.status_code == 422
    assert words in answer.text


def test_a_picture_is_asked_once_for_all_temperatures(client: TestClient, monkeypatch) -> None:
    from dino_core.scenes import pairs

    asked: list[int] = []
    pair_outputs = pairs.pair_outputs
    monkeypatch.setattr(pairs, "pair_outputs", lambda *a: (asked.append(a[2]), pair_outputs(*a))[1])
    for temperature in (0.02, 0.04, 0.06):
        client.get(f"/view/{stored.KEY}/losses?seed=77&pair=cifar&temperature={temperature}")
    assert asked.count(77) == 1


@pytest.mark.slow
def test_a_run_of_one_s_own(client: TestClient, runs: Path, tmp_path: Path) -> None:
    assert train(runs / "mine", setup(noise_folder(tmp_path))) == "finished"
    *_, mine = client.get("/losses/pairs").json()["pairs"]
    assert (mine["name"], mine["step"]) == ("run:mine", 8)
    scene = load(client.get(f"/view/{stored.KEY}/losses?seed=0&pair=run:mine").content)
    pair, config, _ = open_pair(runs / "mine")
    own = picture_logits(pair, config, open_picture(SAMPLES / stored.SAMPLE), 0)
    others = [path for path in SAMPLES.glob("*.jpg") if path.name != stored.SAMPLE]
    references = reference_batch(pair, config, map(open_picture, others))
    loss = replace(config.loss, centering="centering")
    found = break_down(own, references, loss, config.schedule.teacher_temperature)
    np.testing.assert_allclose(scene["dino"], found.dino.numpy(), atol=1e-4)
    np.testing.assert_allclose(scene["ibot"], found.ibot.numpy(), atol=1e-4)
    sheet = client.get(f"/view/{stored.KEY}/losses/references/run:mine.jpg")
    assert Image.open(io.BytesIO(sheet.content)).size == (16 * len(list(SAMPLES.glob("*.jpg"))), 32)


def test_a_run_that_goes_on_is_another_pair(tmp_path: Path, monkeypatch) -> None:
    pairs = Pairs(Models("preview_vits14", None, "cpu"), lambda name: tmp_path)
    assert pairs.key("run:mine") == ("run:mine", 0)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-00000020.safetensors").touch()
    assert pairs.key("run:mine") == ("run:mine", 20)


@pytest.mark.browser
def test_pairs_of_crops_patches_and_temperatures(visitor, shown: Shown) -> None:
    page = visitor("#screen=losses")
    page.wait_for_selector(f"{VIEW}[data-ready]")
    state = shown(page, "losses")
    assert state["between"] == [2, 0]
    page.hover(f'{VIEW} [data-pair="5.1"]')
    assert shown(page, "losses")["between"] == [5, 1]
    assert f"{state['dino'][11]:.2f} nats" in shown(page, "losses")["caption"]
    page.mouse.move(0, 0)
    assert shown(page, "losses")["between"] == [2, 0]
    page.locator(f'{VIEW} [data-pair="2.0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert shown(page, "losses")["between"] == [3, 1]
    assert page.locator(f'{VIEW} [aria-pressed="true"][data-pair]').count() == 1
    page.locator(f"{VIEW} .inside-picture").focus()
    row, col = shown(page, "losses")["patch"]["at"]
    page.keyboard.press("ArrowUp")
    assert shown(page, "losses")["patch"]["at"] == [row - 1, col]
    for _ in range(16):  # to the right there is a patch that is not masked
        page.keyboard.press("ArrowRight")
    patch = shown(page, "losses")["patch"]
    assert patch["at"] == [row - 1, 15]
    assert [patch["row"], patch["col"]] != patch["at"], "the numbers are those of a masked patch"

    terms = shown(page, "losses")["terms"]
    page.click(f"{VIEW} [data-value=sinkhorn_knopp]")
    page.wait_for_function(
        f"document.querySelector('{VIEW}').inside.targets === 'sinkhorn_knopp'", timeout=60_000
    )
    assert shown(page, "losses")["terms"] != terms
    page.wait_for_function("location.hash.includes('targets=sinkhorn_knopp')")
    page.wait_for_selector("#lesson-losses.settled")
    words = page.locator("#lesson-losses").inner_text()
    assert "…" not in words
    assert "Sinkhorn-Knopp, from a batch of 8" in words


@pytest.mark.browser
def test_what_is_shown_is_dimmed_while_another_answer_is_on_its_way(visitor) -> None:
    page = visitor("#screen=losses")
    page.wait_for_selector(f"{VIEW}[data-ready]")
    held: list = []
    # The answer does not come yet.
    page.route("**/losses?*targets=*", lambda route: held.append(route))
    with page.expect_request("**/losses?*targets=sinkhorn*"):
        page.click(f"{VIEW} [data-value=sinkhorn_knopp]")
    page.wait_for_selector(f"{VIEW} .inside-losses[aria-busy=true]")
    assert page.evaluate(f"document.querySelector('{VIEW}').inside.targets") == "centering"
    page.wait_for_function("true")  # the held request has been handed over by now
    for route in held:
        route.continue_()
    page.unroute("**/losses?*targets=*")
    page.wait_for_selector(f"{VIEW} .inside-losses[aria-busy=false]", timeout=60_000)
    assert page.evaluate(f"document.querySelector('{VIEW}').inside.targets") == "sinkhorn_knopp"
    crops = page.locator(f"{VIEW} thead .thumbnail small").all_inner_texts()
    assert crops[:3] == ["G0", "G1", "L0"], "counted from 0, as the model does"


@pytest.mark.browser
def test_a_link_brings_the_small_pair_back(visitor, shown: Shown) -> None:
    page = visitor("#screen=losses&pair=cifar&between=3.1&hot=0.05&sample=coffee.jpg&seed=2")
    page.wait_for_function(
        f"document.querySelector('{VIEW}').inside?.seed === 2"
        f" && document.querySelector('{VIEW}').inside.key !== 'first'",
        timeout=60_000,
    )
    state = shown(page, "losses")
    assert (state["pair"], state["between"], state["temperature"]) == ("cifar", [3, 1], 0.05)
    assert len(state["dino"]) == 12
    titles = page.locator(f"{VIEW} select option").all_inner_texts()
    assert titles[1].startswith("Small pair")
