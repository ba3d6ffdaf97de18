"""What a screen shows, printed: the file that the command in its caption writes."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from alike import assert_same
from fastapi.testclient import TestClient
from tiny_home import open_sample, with_samples

from app.server import build_server
from dino_core.__main__ import main

pytestmark = pytest.mark.slow  # each view is printed twice
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_samples(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[TestClient]:
    """A visitor who has a sample open at 56 px."""
    server = build_server(weights=home / "tiny.safetensors")
    client = TestClient(server, base_url="http://localhost")
    services = server.state.services
    services.pictures.share("cat", lambda: open_sample(services, "cat.jpg"))
    services.pictures.share("coffee", lambda: open_sample(services, "coffee.jpg"))
    yield client
    client.close()


@pytest.mark.parametrize(
    "asked",
    [
        "attention?layer=0&row=1&column=2&head=1&width=column",
        "attention?layer=1&width=120",
        "rollout?",
        "similarity?row=3&column=0&layer=0",
        "pca?layer=0&preset=all-patches&flip=true",
        "norms?",
        "layers?preset=all-patches&flip=true&align=signs&robust=true",
        "clusters?k=3&layer=0",
        "similarity?row=3&column=0&layer=0&second=coffee",
        "matches?second=coffee&layer=1&preset=all-patches",
        "matches?second=coffee&object_only=false",
        "comparison?layer=0&second_layer=1",
        "drawn/crops?seed=3&blur=as written&local_count=2",
        "drawn/masks?seed=4&ratio=0.25",
    ],
)
def test_the_command_in_the_caption_writes_the_same_file(
    client: TestClient, home: Path, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = asked if asked.startswith("drawn/") else f"print/{asked}"
    answer = client.get(f"/view/cat/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/svg+xml")
    caption = client.get(f"/view/cat/{path}&caption=true").text
    words = shlex.split(caption.partition("Repeated by: python -m dino_core ")[2])
    monkeypatch.chdir(home)
    assert main(words) == 0
    written = Path(words[words.index("--figure") + 1]).read_bytes()
    assert_same(answer.content, written)


def test_pdf_and_png_are_of_the_width_asked_for(client: TestClient) -> None:
    import io

    from PIL import Image

    png = client.get("/view/cat/print/attention?kind=png&width=column").content
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.width == pytest.approx(89 / 25.4 * 300, abs=1)
    pdf = client.get("/view/cat/print/attention?kind=pdf")
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-disposition"] == 'attachment; filename="attention.pdf"'


def test_a_printed_pair_has_as_many_lines_as_the_command_draws(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dino_core.scenes import prints

    draw, drawn = prints.figures.matches, []

    def noted(seen: object, other: object, pairs: list, **how: object) -> object:
        drawn.append(pairs)
        return draw(seen, other, pairs, **how)

    monkeypatch.setattr(prints, "LINES", 3)
    monkeypatch.setattr(prints.figures, "matches", noted)
    assert client.get("/view/cat/print/matches?second=coffee&object_only=false").status_code == 200
    assert {len(pairs) for pairs in drawn} == {3}


def test_what_no_command_repeats_is_said(client: TestClient) -> None:
    caption = client.get("/view/cat/print/pca?preset=all-patches&whiten=true&caption=true").text
    assert caption.endswith("The preset all-patches with whiten True: by no command.")
    caption = client.get("/view/cat/drawn/crops?local_high=0.2&caption=true").text
    assert caption.endswith("other sizes or areas than the official ones: by no command.")
    caption = client.get("/view/cat/print/matches?second=coffee&flip=true&caption=true").text
    assert caption.endswith("The other side as the foreground: by no command.")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("maps?", "Printed are attention"),
        ("similarity?", "Choose a patch first"),
        ("matches?", "Choose a second picture first"),
        ("comparison?second_layer=2", "layers 0 to 1"),
        ("attention?layer=2", "layers 0 to 1"),
        ("attention?head=3", "heads 0 to 2"),
        ("attention?width=5", "30 to 1000 mm"),
        ("attention?width=nan", "30 to 1000 mm"),
        ("attention?width=wide", "column or page wide"),
        ("attention?kind=gif", "This request is not right: kind"),
    ],
)
def test_bad_requests_get_a_sentence(client: TestClient, asked: str, words: str) -> None:
    answer = client.get(f"/view/cat/print/{asked}")
    assert (answer.status_code, words in answer.text) == (422, True), answer.text
