"""slow_motion/gradients.py against numpy, for a network of three layers and terms of every kind."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dino_core.slow_motion import gradients
from dino_core.slow_motion.gradients import (
    Layers,
    LossGradients,
    gradient_shares,
    gradients_in,
    gradients_of,
)


class Network(nn.Module):
    """Parameters named as a student's are."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.backbone = nn.Module()
        self.backbone.cls_token = nn.Parameter(torch.randn(3, generator=generator))
        self.backbone.blocks = nn.ModuleList([nn.Linear(3, 3) for _ in range(2)])
        with torch.no_grad():
            for p in self.backbone.blocks.parameters():
                p.copy_(torch.randn(p.shape, generator=generator))

    def forward(self) -> torch.Tensor:
        x = self.backbone.cls_token
        for block in self.backbone.blocks:
            x = torch.tanh(block(x))
        return x


def terms_of(network: Network) -> dict[str, torch.Tensor]:
    """Two that pull at all, one at the last block alone, one at nothing."""
    x = network()
    last = network.backbone.blocks[1].bias
    return {
        "first": x.sum(),
        "second": -(x**2).sum(),
        "last": 2 * last.sum(),
        "none": torch.zeros(()),
    }


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def by_hand(network: Network) -> np.ndarray:
    """[m, parameters] all gradients as rows, and where the layers begin."""
    rows = []
    for term in terms_of(network).values():
        network.zero_grad()
        if term.requires_grad:
            term.backward(retain_graph=True)
        grads = [
            torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in network.parameters()
        ]
        rows.append(torch.cat([g.flatten() for g in grads]).double().numpy())
    network.zero_grad()
    return np.stack(rows)


SLICES = (slice(0, 3), slice(3, 15), slice(15, 27))  # embeddings, block 0, block 1


def test_layers_lie_in_the_order_of_the_data(network: Network) -> None:
    layers = Layers.of_network(network)
    assert layers.names[1:] == ("block 0", "block 1")
    assert layers.of == (0, 1, 1, 2, 2)
    tensors = [None, torch.full((3, 3), 2.0), None, torch.ones(3, 3), torch.ones(3)]
    assert layers.squares(tensors).tolist() == [0, 36, 12]
    with pytest.raises(ValueError):
        layers.squares(tensors[:-1])


def test_norms_shares_and_cosines(network: Network, by_hand: np.ndarray) -> None:
    _, found = gradients_in(network, terms_of(network))
    assert found.terms == ("first", "second", "last", "none")
    total = by_hand.sum(0)
    for n, where in enumerate(SLICES):
        rows, g = by_hand[:, where], total[where]
        np.testing.assert_allclose(found.products[n], rows @ rows.T, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found.norms[n], np.linalg.norm(rows, axis=1), rtol=1e-4)
        assert found.total[n].item() == pytest.approx(np.linalg.norm(g), rel=1e-4)
        np.testing.assert_allclose(found.shares[n], rows @ g / (g @ g), rtol=1e-3, atol=1e-6)
    lengths = np.linalg.norm(by_hand[:3], axis=1)
    cosines = by_hand[:3] @ by_hand[:3].T / lengths[:, None] / lengths
    np.testing.assert_allclose(found.cosines[:3, :3], cosines, rtol=1e-4, atol=1e-6)
    assert not found.cosines[3].any()
    assert not found.cosines[:, 3].any()


def test_nothing_is_left_behind(network: Network) -> None:
    terms, asked = terms_of(network), []
    layers, parameters = Layers.of_network(network), list(network.parameters())
    gradients_of(terms, parameters, layers, check=lambda: asked.append(1))
    assert len(asked) == 4, "before each term"
    assert all(p.grad is None for p in parameters)
    terms["first"].backward()  # the graph is still there

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gradients_of(terms, parameters, layers, check=stop)


def test_what_does_not_learn_has_no_gradient(network: Network, by_hand: np.ndarray) -> None:
    network.backbone.blocks[0].requires_grad_(False)
    layers, found = gradients_in(network, terms_of(network))
    assert len(layers.names) == 3
    assert found.norms[1].tolist() == [0, 0, 0, 0]
    rows = by_hand[:, SLICES[2]]
    np.testing.assert_allclose(found.norms[2], np.linalg.norm(rows, axis=1), rtol=1e-4)
    shares: Any = gradient_shares(network, terms_of(network))
    assert list(shares) == ["first", "second", "last"], "the other pulls nowhere"
    assert [one["block 0"] for one in shares.values()] == [None] * 3
    g = rows.sum(0)
    assert shares["last"]["block 1"] == pytest.approx(float(rows[2] @ g / (g @ g)), rel=1e-3)
    assert sum(one["block 1"] for one in shares.values()) == pytest.approx(1)


def test_terms_that_cancel_have_no_share() -> None:
    products = torch.tensor([[[1.0, -1.0], [-1.0, 1.0]]], dtype=torch.float64)
    found = LossGradients(("a", "b"), products)
    assert found.total.tolist() == [0]
    assert found.shares.tolist() == [[0, 0]]
    assert found.cosines.tolist() == [[1, -1], [-1, 1]]
    assert gradients.inner(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]])) == 11.0
