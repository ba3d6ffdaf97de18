"""compare, grid, tray, tokens: what a program is answered is what the command writes."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from tiny_home import with_picture

from app.page.model_endpoints import ModelEndpoints
from app.services import build_services
from dino_core.__main__ import main
from dino_core.config import ViTConfig

CONFIG = ViTConfig(dim=48, depth=3, heads=3, image_size=56, registers=2)
OTHER = "preview_vits14"  # a model that is in every checkout
ASKING: Any = SimpleNamespace(cookies={})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with with_picture(tmp_path_factory.mktemp("home"), CONFIG) as home:
        yield home


@pytest.fixture(scope="module")
def endpoints(home: Path) -> ModelEndpoints:
    services = build_services(None, home / "tiny.safetensors", "cpu")
    services.uploads.add("", [str(home / "picture.png")])
    return ModelEndpoints(services)


def answer(home: Path, endpoint: Any, **chosen: Any) -> dict[str, Any]:
    found: dict[str, Any] = endpoint({"path": str(home / "picture.png")}, ASKING, size=56, **chosen)
    return found


def command(home: Path, out: Path, *words: object) -> dict[str, np.ndarray]:
    """What a command writes of the same picture."""
    assert main([*map(str, words), "--size", "56", "--output", str(out)]) == 0
    with np.load(out / "picture.npz") as file:
        return dict(file)


def test_compare(home: Path, endpoints: ModelEndpoints, tmp_path: Path) -> None:
    chosen = {"first_layer": 0, "second_layer": -1, "preset": "all-patches"}
    ours, model = answer(home, endpoints.compare, **chosen), home / "tiny.safetensors"
    options = ("--layers", 0, -1, "--preset", "all-patches")
    wanted = command(home, tmp_path, "compare", model, model, home / "picture.png", *options)
    assert ours["cka"] == pytest.approx(float(wanted["cka"]), abs=1e-5)
    assert ours["order"] == wanted["order"].tolist()
    for name in ("correlation", "scores", "second_scores", "layers"):
        np.testing.assert_allclose(ours[name], wanted[name], atol=1e-4, err_msg=name)


def test_tray(home: Path, endpoints: ModelEndpoints, tmp_path: Path) -> None:
    columns = ["input", "pca:0", "attention:1.2@1:1,5", "clusters", "difference"]
    picture, model = home / "picture.png", str(home / "tiny.safetensors")
    chosen = {"columns": columns, "k": 3, "flip": True, "method": "order"}
    ours = endpoints.tray([{"path": str(picture)}] * 2, ASKING, **chosen, second="tiny", size=56)
    line = ["tray", picture, picture, "--columns", *columns, "--k", 3, "--flip", "--align", "order"]
    line += ["--weights", model, "--second", model, "--size", "56", "--output", tmp_path]
    assert main([*map(str, line)]) == 0
    with np.load(tmp_path / "tray.npz") as wanted:
        for column in range(1, 5):
            for row in range(2):
                got = ours["maps"][column][row]
                np.testing.assert_allclose(got, wanted[f"map_{column}_{row}"], atol=1e-4)
            assert ours["columns"][column]["numbers"] == pytest.approx(
                wanted[f"numbers_{column}"].tolist(), abs=1e-4
            )
    assert ours["models"] == ["tiny", "tiny"]
    asked = {"columns": ["norms", "norms/2"], "size": 56}
    three = endpoints.tray([{"path": str(picture)}], ASKING, **asked, second=[OTHER, "tiny"])
    assert three["models"] == ["tiny", OTHER, "tiny"]
    assert three["maps"][0] == three["maps"][1], "model 2, and not the one between"
    with pytest.raises(gr.Error, match="1 to 12 models, not 13"):
        endpoints.tray([{"path": str(picture)}], ASKING, second=["tiny"] * 12)
    with pytest.raises(gr.Error, match="1 to 12 pictures, not 13"):
        endpoints.tray([{"path": str(picture)}] * 13, ASKING)


@pytest.mark.parametrize("view", ["pca", "attention", "similar"])
def test_grid(home: Path, endpoints: ModelEndpoints, tmp_path: Path, view: str) -> None:
    where = {} if view == "pca" else {"row": 1, "column": 5}
    chosen = {"models": ["", ""], "layers": [1, -1], "view": view, "preset": "all-patches"}
    ours, model = answer(home, endpoints.grid, **chosen, **where), home / "tiny.safetensors"
    query = ("--query", "1,5") if where else ()
    options = ("--layers", 1, -1, "--view", view, "--preset", "all-patches", *query)
    wanted = command(
        home, tmp_path, "grid", home / "picture.png", "--models", model, model, *options
    )
    assert ours["layers"] == [[1, 2], [1, 2]]
    np.testing.assert_allclose(ours["cka"], wanted["cka"], atol=1e-5)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        np.testing.assert_allclose(ours["maps"][i][j], wanted[f"map_{i}_{j}"], atol=1e-4)
        if view == "pca":
            assert ours["cosine"][i][j] == pytest.approx(float(wanted[f"cosine_{i}_{j}"]), abs=1e-4)


def test_tokens(home: Path, endpoints: ModelEndpoints, tmp_path: Path) -> None:
    ours, model = answer(home, endpoints.tokens), home / "tiny.safetensors"
    wanted = command(home, tmp_path, "tokens", home / "picture.png", "--weights", model)
    assert ours["neighbours"][0][0][0][0] is None, "above the first row there is nothing"
    for name, values in wanted.items():
        mine = np.array(ours[name], np.float32)
        np.testing.assert_allclose(mine, values, atol=1e-4, err_msg=name)


def test_what_is_not_there_is_said_in_a_sentence(home: Path, endpoints: ModelEndpoints) -> None:
    grid = {"models": [""], "layers": [-1]}
    with pytest.raises(gr.Error, match="similar to which patch"):
        answer(home, endpoints.grid, **grid, view="similar")
    with pytest.raises(gr.Error, match="A view is one of pca, attention, similar"):
        answer(home, endpoints.grid, **grid, view="maps")
    with pytest.raises(gr.Error, match="there is no 1,6"):
        answer(home, endpoints.grid, **grid, view="attention", row=1, column=6)
    with pytest.raises(gr.Error, match="1 to 48 cells, not 1 times 49"):
        answer(home, endpoints.grid, models=[""], layers=[0] * 49)
    with pytest.raises(gr.Error, match="At most 6 models"):
        answer(home, endpoints.grid, models=[""] * 7, layers=[0])
    with pytest.raises(gr.Error, match="no layer 3"):
        answer(home, endpoints.compare, second_layer=3)
    with pytest.raises(gr.Error, match="Upload the picture first"):
        endpoints.tokens({"path": "/etc/hostname"}, ASKING)
