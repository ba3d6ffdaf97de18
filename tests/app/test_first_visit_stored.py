"""The first visit's stored answers are what the server would say."""

import gzip

import numpy as np
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import load

from app.first_visit import stored
from app.server import build_server


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(build_server("preview_vits14", None, "cpu", "127.0.0.1", 7860))


def test_the_view_is_the_one_of_the_sample(client: TestClient) -> None:
    # Another seed is not stored, so this one is computed.
    computed = client.get("/view/first/view.json?seed=0").json()
    assert stored.view() == computed


@pytest.mark.parametrize("path", [path for path in stored.PATHS if not path.endswith(".jpg")])
def test_stored_answers_equal_computed_ones(client: TestClient, path: str) -> None:
    data = stored.stored(path)
    assert data is not None, f"{path} is missing: run python -m app.first_visit.stored"
    held = load(gzip.decompress(data))
    separator = "&" if "?" in path else "?"
    computed = load(client.get(f"/view/first/{path}{separator}form=page").content)
    assert held.keys() == computed.keys()
    for name, values in held.items():
        if values.dtype == np.uint8:
            off = np.abs(values.astype(int) - computed[name].astype(int))
            assert (off > 2).mean() < 0.01, name
        else:
            # The processor that stored them may have rounded otherwise.
            np.testing.assert_allclose(values, computed[name], rtol=2e-3, atol=2e-2, err_msg=name)


def test_the_whole_first_visit_is_stored() -> None:
    assert all(stored.stored(path) for path in stored.PATHS)
    assert stored.stored("attention/3") is None
    assert stored.stored("../view.json") is None
