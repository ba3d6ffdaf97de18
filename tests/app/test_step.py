"""The screen One step: its routes."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tiny_steps import SMALL, small_pictures

from app.first_visit import stored
from app.routes.all_routes import add_routes
from app.services import build_services
from app.state.models import Gone
from app.state.pairs import LoadedPair
from app.state.pictures import Entry
from app.state.steps import Steps
from app.visitors import COOKIE
from dino_core.scenes.pairs import OpenPair
from dino_core.slow_motion import Choices, Session
from dino_core.student_teacher import StudentTeacher


@pytest.fixture(scope="module")
def loaded() -> LoadedPair:
    pair = StudentTeacher(SMALL, generator=torch.Generator().manual_seed(1)).eval()
    return LoadedPair(("small", 0), OpenPair(pair, SMALL, SMALL.crops, "Small", "small"), ())


@pytest.fixture(scope="module")
def services(loaded: LoadedPair):
    services = build_services("preview_vits14", None, "cpu")
    find = services.pairs.find
    services.pairs.find = lambda name, owner: loaded if name == "small" else find(name, owner)
    entry = Entry("", SimpleNamespace(source=small_pictures()[0]), "", 224, "cat.jpg")
    services.pictures.share(stored.KEY, lambda: entry)
    return services


@pytest.fixture(scope="module")
def client(services) -> TestClient:
    """The routes alone, with a small picture for the sample that greets everybody."""
    app = FastAPI()
    add_routes(app, services)
    return TestClient(app, cookies={COOKIE: services.visitors.cookie_of("somebody")})


ASKED = f"/view/{stored.KEY}/step?pair=small&seed=4"


def test_a_step_as_a_file_and_as_charts(client: TestClient, loaded: LoadedPair) -> None:
    held = np.load(io.BytesIO(client.get(f"{ASKED}&number=1&koleo=0.5&form=npz").content))
    facts = json.loads(str(held["facts"]))
    assert (facts["number"], facts["seed"], facts["weights"]["koleo"]) == (1, 4, 0.5)
    assert len(facts["companions"]) == 7, "the picture is a sample: it is no companion of its own"
    assert held["shares"].shape == (11, 4)
    charts = client.get(f"{ASKED}&number=1&koleo=0.5&form=chart").json()
    bars = charts["gradients"]["data"][0]["y"]
    np.testing.assert_allclose(np.array(bars, float), held["gradient_norms"], rtol=1e-5)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("pair=giant", "There is no pair"),
        ("targets=luck", "not by 'luck'"),
        ("temperature=0", "above 0"),
        ("learning_rate=-1", "learning rate"),
        ("dino=0&ibot=0&koleo=0", "nothing to learn"),
        ("number=50", "steps 0 to 49"),
        ("seed=-1", "A seed is"),
        ("dino=nan", "not right: dino"),
    ],
)
def test_what_cannot_be_had_is_said(client: TestClient, query: str, words: str) -> None:
    answer = client.get(f"{ASKED}&{query}")
    assert (answer.status_code, words in answer.text) == (422, True), answer.text


def test_a_step_that_is_not_finite_is_said_in_a_sentence(client: TestClient, monkeypatch) -> None:
    def broken(self, *_: object, **__: object) -> None:
        raise FloatingPointError("Not finite: the KoLeo term.")

    monkeypatch.setattr(Session, "step", broken)
    answer = client.get(f"{ASKED}&seed=99")
    assert (answer.status_code, answer.text) == (422, "Not finite: the KoLeo term.")


class AtOnce:
    """Models without a queue; counts how often work was begun."""

    def __init__(self) -> None:
        self.works = 0

    def exclusive(self, work, *, is_gone):
        self.works += 1
        if is_gone():
            raise Gone
        return work()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of each step that is made from here on, whether recorded or not."""
    numbers: list[int] = []
    for name in ("step", "pass_over"):
        call = getattr(Session, name)

        def counted(self, *more, call=call, **named):
            numbers.append(self.steps)
            return call(self, *more, **named)

        monkeypatch.setattr(Session, name, counted)
    return numbers


def entry_of() -> Entry:
    return Entry("", SimpleNamespace(source=small_pictures()[1]), "", 224)


def test_a_row_goes_on_where_it_stands(loaded: LoadedPair, made: list[int]) -> None:
    steps, entry = Steps(AtOnce()), entry_of()  # type: ignore[arg-type]
    row = [steps.scene(entry, loaded, number, Choices()) for number in range(3)]
    assert made == [0, 1, 2]
    assert len(row[0].companions) == 8
    assert steps.scene(entry, loaded, 2, Choices()) is row[2], "kept with its picture"
    # Another picture's row takes its place; then the same numbers come anew, from the first on.
    steps.scene(entry_of(), loaded, 0, Choices())
    entry.pair_outputs.clear()
    again = steps.scene(entry, loaded, 2, Choices())
    assert made == [0, 1, 2, 0, 0, 1, 2]
    entry.pair_outputs.clear()
    steps.scene(entry, loaded, 1, Choices())
    assert made[7:] == [0, 1], "a row does not go back"
    assert again.before == row[2].before
    np.testing.assert_array_equal(again.student_moved, row[2].student_moved)


def test_other_choices_are_another_row(loaded: LoadedPair, made: list[int]) -> None:
    steps, entry = Steps(AtOnce()), entry_of()  # type: ignore[arg-type]
    steps.scene(entry, loaded, 0, Choices())
    steps.scene(entry, loaded, 1, Choices(learning_rate=1e-5))
    assert made == [0, 0, 1]


def test_a_step_that_is_given_up_leaves_no_row_behind(
    loaded: LoadedPair, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, entry = Steps(AtOnce()), entry_of()  # type: ignore[arg-type]
    first = steps.scene(entry, loaded, 0, Choices())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dino_core.slow_motion.session.record_step", raising(Gone))
        with pytest.raises(Gone):
            steps.scene(entry, loaded, 1, Choices())
    second = steps.scene(entry, loaded, 1, Choices())
    assert made == [0, 1, 0, 1]
    assert second.before != first.before


def raising(error: type[Exception]):
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def test_an_unused_row_is_let_go_of(loaded: LoadedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(AtOnce())  # type: ignore[arg-type]
    steps.scene(entry_of(), loaded, 0, Choices())
    steps.release_unused()
    assert steps._kept is not None
    monkeypatch.setattr("app.state.steps.UNUSED", -1.0)
    steps.release_unused()
    assert steps._kept is None


@pytest.mark.parametrize("number", [-1, 50])
def test_a_row_has_fifty_steps(loaded: LoadedPair, number: int) -> None:
    steps, entry = Steps(AtOnce()), entry_of()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"steps 0 to 49, not {number}"):
        steps.scene(entry, loaded, number, Choices())
    entry.pair_output(("step", (loaded.key, Choices()), 49), lambda: "the last")
    assert steps.scene(entry, loaded, 49, Choices()) == "the last"  # type: ignore[comparison-overlap]
