"""Changes to one forward: a site, an index and a value.

The transformer knows the sites alone; what is to stand there is the caller's. What lies at each:

    tokens      [B, N, D]      the stream that enters a block: class token, registers, patches
    positions   [1, 1 + P, D]  the position embedding before it is added; registers have none
    scores      [B, A, N, N]   q k / sqrt(d) of a block before the softmax, queries by keys
    head        [B, A, N, d]   what the heads of a block have mixed, before the output projection
    attention   [B, N, D]      what attention adds to the stream, after LayerScale
    mlp         [B, N, D]      what the MLP adds to the stream, after LayerScale
    neuron      [B, N, hidden] the MLP's hidden units after the nonlinearity, after SwiGLU's gate
    registers   [1, R, D]      at the input; with the value None they are left out

    Edit("head", 0.0, block=11, unit=3)                      # head 3 of block 11 says nothing
    Edit("tokens", mean, block=4, tokens=[0])                # another class token, mean is [D]
    Edit("scores", lambda scores: scores / 0.5, block=11)    # a temperature
    Edit("scores", -math.inf, block=6, tokens=[0], keys=range(1, 257))  # what 0 does not see

Several edits hold in the order given, also at one place. A site that is not named costs nothing;
`scores` needs the softmax written out, in its block alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from dino_core.config import ViTConfig

SiteName = Literal[
    "tokens", "positions", "scores", "head", "attention", "mlp", "neuron", "registers"
]
SITES: tuple[SiteName, ...] = get_args(SiteName)
AT_THE_INPUT = ("positions", "registers")  # the others are a block's
WITH_UNITS = {"scores": "head", "head": "head", "neuron": "unit"}
SITES_IN_WORDS = f"{', '.join(SITES[:-1])} and {SITES[-1]}"

# What is to stand there: numbers that fit; or a function of what is there, for example `x / 2`.
# A function that changes the whole of a place may answer for more pictures than it was given (B of
# one): from there on the forward is that of all of them.
Value = Tensor | float | Callable[[Tensor], Tensor] | None


@dataclass(frozen=True, eq=False)
class Edit:
    """What is to stand at one place of the forward. Everything counts from 0."""

    site: SiteName
    value: Value
    block: int | None = None
    unit: int | None = None  # a head, or a hidden unit of the MLP; None: all of them
    tokens: Sequence[int] | None = None  # rows, of `scores` the queries; None: all of them
    keys: Sequence[int] | None = None  # of `scores` alone: columns

    @property
    def place(self) -> str:
        """Where, as the command line writes it: head:11.3."""
        block = "" if self.block is None else f":{self.block}"
        return f"{self.site}{block}{'' if self.unit is None else f'.{self.unit}'}"

    def apply(self, there: Tensor) -> Tensor:
        """What is there -> the same with this edit; what was handed in is left as it is."""
        where = self._index(there)
        if where is None and callable(self.value):
            return self.value(there)
        there = there.clone()
        where = slice(None) if where is None else where
        value = self.value(there[where]) if callable(self.value) else self.value
        there[where] = value.to(there) if isinstance(value, Tensor) else value  # type: ignore[assignment]
        return there

    def _index(self, there: Tensor) -> Any:
        """What `there[...]` is to be given; None for all of it."""
        if self.unit is None and self.tokens is None and self.keys is None:
            return None
        every = slice(None)
        rows: Any = every if self.tokens is None else list(self.tokens)
        unit: Any = every if self.unit is None else self.unit
        if self.site == "neuron":
            return every, rows, unit
        if self.site == "head":
            return every, unit, rows
        if self.site == "scores":
            if self.keys is None:
                return every, unit, rows
            queries = range(there.shape[2]) if self.tokens is None else self.tokens
            return every, unit, torch.tensor(queries)[:, None], torch.tensor(self.keys)[None]
        return every, rows


def edited(there: Tensor, edits: Iterable[Edit]) -> Tensor:
    """What is there, after all of these edits in their order."""
    for edit in edits:
        there = edit.apply(there)
    return there


@dataclass(frozen=True)
class EditsBySite:
    """The edits of one block, by site. None at all for most blocks of most forwards."""

    tokens: Sequence[Edit] = ()
    scores: Sequence[Edit] = ()
    head: Sequence[Edit] = ()
    attention: Sequence[Edit] = ()
    mlp: Sequence[Edit] = ()
    neuron: Sequence[Edit] = ()


UNEDITED = EditsBySite()


def by_block(edits: Iterable[Edit]) -> Mapping[int, EditsBySite]:
    """The blocks that are changed, and how."""
    found: dict[int, dict[str, list[Edit]]] = {}
    for edit in edits:
        if edit.block is not None:
            found.setdefault(edit.block, {}).setdefault(edit.site, []).append(edit)
    return {block: EditsBySite(**sites) for block, sites in found.items()}


def at_site(edits: Iterable[Edit], site: SiteName) -> list[Edit]:
    """Those at one of the sites of the input."""
    return [edit for edit in edits if edit.site == site]


def registers_out(edits: Iterable[Edit]) -> bool:
    """Whether the registers are left out."""
    return any(
        edit.site == "registers" and edit.value is None and edit.tokens is None for edit in edits
    )


# --- checked before the forward


def check_range(what: str, indices: Iterable[int], count: int) -> None:
    """Raises ValueError unless every index lies in 0 .. count - 1."""
    wrong = sorted(i for i in set(indices) if not 0 <= i < count)
    if wrong:
        raise ValueError(f"This model has {what}s 0 to {count - 1}; there is no {what} {wrong[0]}.")


@dataclass(frozen=True)
class _Shapes:
    """How large the sites of a forward are, without the pictures."""

    config: ViTConfig
    patches: int
    registers: int
    sizes: Mapping[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        config, N = self.config, 1 + self.registers + self.patches
        sizes: dict[str, tuple[int, ...]] = dict.fromkeys(
            ("tokens", "attention", "mlp"), (N, config.dim)
        )
        sizes["positions"] = (1 + self.patches, config.dim)
        sizes["scores"] = (config.heads, N, N)
        sizes["head"] = (config.heads, N, config.head_dim)
        sizes["neuron"] = (N, config.hidden)
        sizes["registers"] = (self.registers, config.dim)
        object.__setattr__(self, "sizes", sizes)

    def of(self, edit: Edit) -> list[int]:
        """Of what this edit replaces, without the pictures: [..., n, width]."""
        *heads, rows, width = self.sizes[edit.site]
        rows = rows if edit.tokens is None else len(edit.tokens)
        width = width if edit.keys is None else len(edit.keys)
        if edit.site == "neuron":
            return [rows] if edit.unit is not None else [rows, width]
        return [*(heads if edit.unit is None else []), rows, width]


def check_edits(
    edits: Sequence[Edit],
    config: ViTConfig,
    grid: tuple[int, int],
    registers: int | None = None,
) -> None:
    """Raises ValueError for what this model does not have, and for values that do not fit.

    In a sentence that names the place and what there is instead. `registers` are those of the
    stream, where the model's own may have been left out.
    """
    if not edits:
        return
    if registers is None:
        registers = 0 if registers_out(edits) else config.registers
    shapes = _Shapes(config, grid[0] * grid[1], registers)
    for edit in edits:
        if edit.site not in SITES:
            raise ValueError(f"There is no site {edit.site!r}: they are {SITES_IN_WORDS}.")
        try:
            _check_place(edit, config, shapes)
            _check_value(edit, shapes)
        except ValueError as error:
            raise ValueError(f"{edit.place}: {error}") from None


def _check_place(edit: Edit, config: ViTConfig, shapes: _Shapes) -> None:
    at_input = edit.site in AT_THE_INPUT
    if at_input and edit.block is not None:
        raise ValueError(f"{edit.site} are at the input, before any block: name no block.")
    if not at_input:
        if edit.block is None:
            raise ValueError(f"Which block? This model has blocks 0 to {config.depth - 1}.")
        check_range("block", [edit.block], config.depth)
    if edit.unit is not None:
        if edit.site not in WITH_UNITS:
            raise ValueError(f"{edit.site} has no units: only {', '.join(WITH_UNITS)} have.")
        what = WITH_UNITS[edit.site]
        check_range(what, [edit.unit], config.heads if what == "head" else config.hidden)
    if edit.keys is not None and edit.site != "scores":
        raise ValueError(f"{edit.site} has no keys: only scores have.")
    if edit.site == "registers" and not config.registers:
        raise ValueError("This model has no registers.")
    rows = shapes.sizes[edit.site][-2]
    check_range("register" if edit.site == "registers" else "token", edit.tokens or (), rows)
    check_range("token", edit.keys or (), rows)


def _check_value(edit: Edit, shapes: _Shapes) -> None:
    if edit.value is None:
        if edit.site != "registers" or edit.tokens is not None:
            raise ValueError("Only the registers, all of them, can be left out: give a value.")
        return
    if callable(edit.value):
        return
    value = torch.as_tensor(edit.value)
    there = shapes.of(edit)
    own = list(value.shape)
    kept = own[1:] if len(own) > len(there) else own  # without the pictures
    fits = len(kept) <= len(there) and all(
        mine in (1, size) for mine, size in zip(reversed(kept), reversed(there), strict=False)
    )
    if not fits:
        raise ValueError(f"The value has the shape {own}, but what is there has {there}.")
    if value.isnan().any() or (edit.site != "scores" and value.isinf().any()):
        raise ValueError("The value holds something that is no finite number.")
