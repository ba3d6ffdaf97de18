"""Changes -> edits of one picture: what is to stand at each place, in numbers.

    zero    0
    mean    the mean over the reference pictures, by kind of token
    noise   Gaussian, with that mean and the standard deviation of each channel
    other   what another picture has at the same place
    own     what is there: no edit at all

The noise of a place follows from the seed, the place and the picture alone, so that a picture gets
the same whatever it is looked at with. Positions and registers are learnt and the same for every
picture: their mean over pictures, and what another picture has, are their own.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dino_core.analysis.inspection import Inspection
from dino_core.vit import (
    BlockRequest,
    Edit,
    SiteName,
    VisionTransformer,
    by_block,
    check_edits,
    check_range,
)
from dino_core.whatif.reference import Statistics
from dino_core.whatif.words import Change, Kind, Who


@dataclass(frozen=True)
class Sources:
    """Where values come from; what no change needs may be missing."""

    statistics: Statistics | None = None
    other: Inspection | None = None  # another picture of the same size, without edits
    seed: int = 0


@dataclass(frozen=True)
class Values:
    """What is to stand at the places of one picture."""

    vit: VisionTransformer
    seen: Inspection  # without edits
    sources: Sources = Sources()
    registers: int = 0  # that are left in

    @torch.inference_mode()
    def at(self, kind: Kind, site: SiteName, block: int | None) -> Tensor:
        """Of a whole site, for the kinds zero, mean, noise, other and own: [(A,) N, width].

        Of positions [1 + P, D]. ValueError where the sources do not have what is needed.
        """
        if kind == "zero":
            return torch.zeros_like(self.at("own", site, block))
        if block is None:
            return self._at_the_input(kind)
        if kind in ("own", "other"):
            source = self.seen if kind == "own" else self.sources.other
            if source is None:
                raise ValueError("There is no other picture to take values from.")
            there = stands_at(self.vit, source, site, block)
            rows = self._rows(1 + source.registers + torch.arange(self._patches))
            return there[..., rows, :]
        statistics = self.sources.statistics
        if statistics is None:
            raise ValueError("There are no reference pictures to take a mean from.")
        R = self.vit.config.registers
        kinds = self._rows(torch.full((self._patches,), 1 + R))
        mean = statistics.mean[site][block][..., kinds, :]
        if kind == "mean":
            return mean
        return mean + statistics.std[site][block][..., kinds, :] * self._noise(site, block, mean)

    @property
    def _patches(self) -> int:
        return self.seen.grid[0] * self.seen.grid[1]

    def _rows(self, patches: Tensor) -> Tensor:
        """Rows of class token and registers, as far as they are left in, before those given."""
        return torch.cat([torch.arange(1 + self.registers), patches])

    def _at_the_input(self, kind: Kind) -> Tensor:
        """Of the positions: the class token has one, and the patches share their mean."""
        table = self.vit.positions(self.seen.grid)[0]  # [1 + P, D]
        if kind in ("own", "other"):
            return table
        patches = table[1:].double()
        mean = torch.cat([table[:1], patches.mean(0, keepdim=True).to(table).expand_as(table[1:])])
        if kind == "mean":
            return mean
        std = patches.std(0, correction=0).to(table)
        noise = self._noise("positions", None, table)
        return torch.cat([mean[:1], mean[1:] + std * noise[1:]])

    def _noise(self, site: SiteName, block: int | None, like: Tensor) -> Tensor:
        """Standard normal numbers that follow from the seed, the place and the picture."""
        told = f"{self.sources.seed} {site} {block} {self.seen.digest}".encode()
        digest = hashlib.blake2b(told, digest_size=7).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest, "big"))
        return torch.randn(like.shape, generator=generator).to(like)


@torch.inference_mode()
def stands_at(vit: VisionTransformer, seen: Inspection, site: SiteName, block: int) -> Tensor:
    """What stands at a site of a picture that was looked at: [(A,) N, width]. One block's cost."""
    stream = seen.tokens[block - 1] if block else seen.embedded  # [N, D]
    if site == "tokens":
        return stream
    found: list[Tensor] = []

    def look(there: Tensor) -> Tensor:
        found.append(there[0])
        return there

    request = BlockRequest(edits=by_block([Edit(site, look, block=block)])[block])
    vit.blocks[block](stream[None], request)
    return found[0]


def as_edits(
    vit: VisionTransformer, seen: Inspection, changes: Sequence[Change], sources: Sources
) -> list[Edit]:
    """The edits of one picture that was looked at, in the order of the changes.

    ValueError, with the change's own words, for a place that this model or picture does not have.
    """
    check_changes(vit, seen.grid, changes)
    values = Values(vit, seen, sources, _registers_left(vit, changes))
    edits = []
    for change in changes:
        for place in _places(vit, seen.grid, change, values.registers):
            edit = _with_value(change, place, values)
            if edit is not None:
                edits.append(edit)
    return edits


def check_changes(vit: VisionTransformer, grid: tuple[int, int], changes: Sequence[Change]) -> None:
    """ValueError, with the change's own words, for what is not there; before any forward."""
    registers = _registers_left(vit, changes)
    for change in changes:
        try:
            places = _places(vit, grid, change, registers)
            check_edits(places, vit.config, grid, registers)
        except ValueError as error:
            raise ValueError(f"{change}: {error}") from None


def _registers_left(vit: VisionTransformer, changes: Sequence[Change]) -> int:
    out = any(change.site == "registers" and change.kind == "out" for change in changes)
    return 0 if out else vit.config.registers


def _places(
    vit: VisionTransformer, grid: tuple[int, int], change: Change, registers: int
) -> list[Edit]:
    """One edit for each block, with nothing as its value yet."""
    if change.site == "registers" and not vit.config.registers:
        raise ValueError("This model has no registers.")
    inside = change.site != "positions"
    tokens = keys = None
    if change.tokens is not None:
        tokens = tokens_of(change.tokens, grid, registers if inside else 0)
    if change.keys is not None:
        keys = tokens_of(change.keys, grid, registers)
        if len(keys) == 1 + registers + grid[0] * grid[1]:
            raise ValueError("That leaves them no token to see: let them see one.")
    blocks: Iterable[int | None] = [None]
    if change.blocks is not None:
        check_range("block", change.blocks, vit.config.depth)
        blocks = range(change.blocks[0], change.blocks[1] + 1)
    return [Edit(change.site, 0.0, block, change.unit, tokens, keys) for block in blocks]


def tokens_of(who: Who, grid: tuple[int, int], registers: int) -> list[int]:
    """Indices of tokens, each once, in ascending order. ValueError for what is not there."""
    h, w = grid
    first = 1 + registers
    found: set[int] = set()
    for one in who:
        if one == "cls":
            found.add(0)
        elif one == "registers":
            if not registers:
                raise ValueError("There are no registers here.")
            found.update(range(1, first))
        elif one == "patches":
            found.update(range(first, first + h * w))
        else:
            row, column = one
            if not (0 <= row < h and 0 <= column < w):
                raise ValueError(
                    f"The picture has {h} x {w} patches, rows 0 to {h - 1} and columns 0 to "
                    f"{w - 1}; there is no patch {row},{column}."
                )
            found.add(first + row * w + column)
    return sorted(found)


def _with_value(change: Change, place: Edit, values: Values) -> Edit | None:
    """The place with its value; None where everything is to stay as it is."""
    kind = change.kind
    if kind == "own":
        return None
    if kind == "out":
        return replace(place, value=None)
    if kind == "knockout":
        return replace(place, value=-math.inf)
    if kind == "temperature":
        temperature = change.temperature
        assert temperature is not None
        return replace(place, value=lambda scores: scores / temperature)
    if kind == "zero":
        return place
    if place.site == "registers" or (place.block is None and kind == "other"):
        return None  # learnt, and so the same for every picture
    there = values.at(kind, place.site, place.block)
    if place.site == "neuron":
        there = there if place.unit is None else there[:, place.unit]
        return replace(place, value=there if place.tokens is None else there[list(place.tokens)])
    there = there if place.unit is None else there[place.unit]
    rows = slice(None) if place.tokens is None else list(place.tokens)
    return replace(place, value=there[..., rows, :])
