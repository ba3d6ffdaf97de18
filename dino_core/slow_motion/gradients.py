"""Whose gradient is it: how much each loss has in the gradients of each layer.

With g_i the gradient of term i of the loss with respect to one layer's parameters, as one long
vector, and g = sum_i g_i what the step goes by, everything follows from the inner products:

    norm of g_i        sqrt(<g_i, g_i>)
    cosine of i and j  <g_i, g_j> / (|g_i| |g_j|)      1: they pull alike, -1: against each other
    share of i         <g_i, g> / <g, g>               adds up to 1; below 0: pulls backwards
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from dino_core.analysis.distance import place_of


@dataclass(frozen=True, eq=False)
class Layers:
    """The parameters of a student by layer, in the data's order."""

    names: tuple[str, ...]
    of: tuple[int, ...]  # layer of each parameter, in the order of `parameters()`

    @classmethod
    def of_network(cls, network: nn.Module) -> "Layers":
        places = [place_of(name) for name, _ in network.named_parameters()]
        order = sorted(set(places))
        at = {place: i for i, place in enumerate(order)}
        return cls(tuple(name for _, name in order), tuple(at[place] for place in places))

    def squares(self, tensors: Iterable[Tensor | None]) -> Tensor:
        """A tensor for each parameter, None is zero -> squared lengths by layer, float64 [n]."""
        sums = torch.zeros(len(self.names), dtype=torch.float64)
        for layer, tensor in zip(self.of, tensors, strict=True):
            if tensor is not None:
                sums[layer] += inner(tensor, tensor)
        return sums


@dataclass(frozen=True, eq=False)
class LossGradients:
    """The gradients of a step's terms by layer: n layers, m terms."""

    terms: tuple[str, ...]
    products: Tensor  # float64 [n, m, m] inner products of the terms' gradients

    @property
    def norms(self) -> Tensor:
        """[n, m] of each term's gradient."""
        return self.products.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()

    @property
    def total(self) -> Tensor:
        """[n] of their sum."""
        return self.products.sum(dim=(1, 2)).clamp_min(0).sqrt()

    @property
    def shares(self) -> Tensor:
        """[n, m] of each term in the sum; rows add up to 1, or are 0 where there is no gradient."""
        with_sum = self.products.sum(dim=2)  # [n, m] <g_i, g>
        whole = with_sum.sum(dim=1, keepdim=True)
        return torch.where(whole > 0, with_sum / whole, torch.zeros_like(with_sum))

    @property
    def cosines(self) -> Tensor:
        """[m, m] between the terms' gradients of all layers together; 0 where one has none."""
        products = self.products.sum(dim=0)
        norms = products.diagonal().clamp_min(0).sqrt()
        lengths = norms[:, None] * norms[None]
        return torch.where(lengths > 0, products / lengths, torch.zeros_like(products))


def gradients_of(
    terms: Mapping[str, Tensor],
    parameters: Sequence[nn.Parameter],
    layers: Layers,
    check: Callable[[], None] = lambda: None,
) -> LossGradients:
    """Each term's own gradients, by layer. The graph stays as it is, and so does every `.grad`.

    A term without a gradient, because its weight is 0 or it has nothing to ask, has zeros. `check`
    is called before each term's backward pass; what it raises is raised.
    """
    names = tuple(terms)
    products = torch.zeros(len(layers.names), len(names), len(names), dtype=torch.float64)
    found: list[Sequence[Tensor | None]] = []
    for i, term in enumerate(terms.values()):
        check()
        own: Sequence[Tensor | None] = [None] * len(parameters)
        if term.requires_grad:
            own = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
        found.append(own)
        for j in range(i + 1):
            for layer, one, other in zip(layers.of, own, found[j], strict=True):
                if one is not None and other is not None:
                    products[layer, i, j] += inner(one, other)
    lower = products.tril(-1)
    return LossGradients(names, products + lower.transpose(1, 2))


def gradients_in(
    network: nn.Module, terms: Mapping[str, Tensor], check: Callable[[], None] = lambda: None
) -> tuple[Layers, LossGradients]:
    """The same for whatever of a network learns, by all its layers."""
    layers, parameters = Layers.of_network(network), list(network.parameters())
    learning = [i for i, parameter in enumerate(parameters) if parameter.requires_grad]
    those = replace(layers, of=tuple(layers.of[i] for i in learning))
    return layers, gradients_of(terms, [parameters[i] for i in learning], those, check)


def gradient_shares(
    network: nn.Module, terms: Mapping[str, Tensor]
) -> dict[str, dict[str, float | None]]:
    """term -> layer -> its share in the gradients, in the data's order; None where the layer has
    none. Terms without a gradient anywhere are left out."""
    layers, found = gradients_in(network, terms)
    shares, there = found.shares.tolist(), (found.total > 0).tolist()
    return {
        name: {layer: shares[n][m] if there[n] else None for n, layer in enumerate(layers.names)}
        for m, name in enumerate(found.terms)
        if found.norms[:, m].any()
    }


def inner(one: Tensor, other: Tensor) -> float:
    """<one, other>, both as one long vector."""
    return float(torch.dot(one.detach().flatten(), other.detach().flatten()))
