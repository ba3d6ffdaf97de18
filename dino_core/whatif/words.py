"""A change in words, as a person writes it: SITE=VALUE.

    head:8.3=mean               head 3 of block 8 mixes what it mixes on average
    attention:5=zero            attention adds nothing in block 5
    neuron:4.120=zero           unit 120 of block 4's MLP
    scores:11.2=temperature 0.5 its attention is twice as sharp before the softmax
    scores:6-11=cls!patches     in blocks 6 to 11 the class token does not see the patches
    tokens:0[3,4;3,5]=mean      two patches by row and column, in the stream that enters block 0
    registers=out               the model without its registers

    tokens:0[3-5,4-9]=mean      three rows of six patches

Blocks, heads and units count from 0; without a head or unit all of them are meant, without [...]
all tokens. Tokens are cls, registers, patches or ROW,COLUMN, each of the two FIRST-LAST for
several, with ; between them.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

from dino_core.vit.edits import AT_THE_INPUT, SITES, SITES_IN_WORDS, WITH_UNITS, SiteName

Group = Literal["cls", "registers", "patches"]
Who = tuple[Group | tuple[int, int], ...]  # tokens: groups, and patches by row and column
Kind = Literal["zero", "mean", "noise", "other", "own", "temperature", "knockout", "out"]

GROUPS: tuple[Group, ...] = get_args(Group)
PLAIN: tuple[Kind, ...] = ("zero", "mean", "noise", "other", "own")
_PLACE = re.compile(
    r"(?P<site>[a-z]+)(:(?P<first>\d+)(-(?P<last>\d+))?(\.(?P<unit>\d+))?)?(\[(?P<who>[^\]]*)\])?"
)
_PATCHES = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?\s*,\s*(\d{1,5})(?:-(\d{1,5}))?")
MOST_PATCHES = 2**16  # that one change names: more than any picture has
_FORM = "SITE=VALUE, for example head:8.3=mean or tokens:0[3,4;3,5]=zero"


@dataclass(frozen=True)
class Change:
    """One change, not yet about a certain picture or model."""

    site: SiteName
    kind: Kind
    blocks: tuple[int, int] | None = None  # the first and the last; None: at the input
    unit: int | None = None  # a head or hidden unit; None: all of them
    tokens: Who | None = None  # None: all of them; of a knockout who does not see
    keys: Who | None = None  # of a knockout: whom
    temperature: float | None = None

    def __str__(self) -> str:
        """As it is written; `parse_change` reads it back."""
        return f"{self.place}={self.value}"

    @property
    def place(self) -> str:
        text: str = self.site
        if self.blocks is not None:
            first, last = self.blocks
            text += f":{first}" if first == last else f":{first}-{last}"
        if self.unit is not None:
            text += f".{self.unit}"
        if self.tokens is not None and self.kind != "knockout":
            text += f"[{who_text(self.tokens)}]"
        return text

    @property
    def value(self) -> str:
        if self.kind == "temperature":
            return f"temperature {self.temperature:g}"
        if self.kind == "knockout":
            return f"{who_text(self.tokens or ())}!{who_text(self.keys or ())}"
        return self.kind

    @property
    def needs_statistics(self) -> bool:
        """Whether its value is read off reference pictures, all of them."""
        return self.kind in ("mean", "noise") and self.site not in AT_THE_INPUT

    @property
    def needs_other(self) -> bool:
        """Whether its value is read off another picture."""
        return self.kind == "other" and self.site not in AT_THE_INPUT


def who_text(who: Who) -> str:
    """As it is written; three patches and more that follow each other in a row as one."""
    parts: list[str] = []
    at = 0
    while at < len(who):
        one = who[at]
        if isinstance(one, str):
            parts.append(one)
            at += 1
            continue
        row, column = one
        end = at + 1
        while end < len(who) and who[end] == (row, column + end - at):
            end += 1
        if end - at > 2:
            parts.append(f"{row},{column}-{column + end - at - 1}")
            at = end
        else:
            parts.append(f"{row},{column}")
            at += 1
    return ";".join(parts)


def parse_change(text: str) -> Change:
    """ValueError, in a sentence that names what exists, for what is no change."""
    try:
        return _parse(text.strip())
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def parse_changes(texts: Sequence[str]) -> list[Change]:
    return [parse_change(text) for text in texts]


def _parse(text: str) -> Change:
    place, equals, value = text.partition("=")
    match = _PLACE.fullmatch(place.strip())
    if not equals or match is None:
        raise ValueError(f"A change is written {_FORM}.")
    site = next((name for name in SITES if name == match["site"]), None)
    if site is None:
        raise ValueError(f"There is no site {match['site']!r}: they are {SITES_IN_WORDS}.")
    blocks = _blocks(site, match["first"], match["last"])
    unit = None if match["unit"] is None else int(match["unit"])
    if unit is not None and site not in WITH_UNITS:
        raise ValueError(f"{site} has no units: write {site}:{match['first']}.")
    tokens = None if match["who"] is None else parse_who(match["who"])
    if tokens is not None and site == "registers":
        raise ValueError("The registers are changed together: leave [...] out.")
    kind, temperature, who, whom = _value(site, value.strip())
    if who is not None and tokens is not None:
        raise ValueError("Who does not see stands before the !: leave [...] out.")
    return Change(site, kind, blocks, unit, tokens if who is None else who, whom, temperature)


def _blocks(site: SiteName, first: str | None, last: str | None) -> tuple[int, int] | None:
    if site in AT_THE_INPUT:
        if first is not None:
            raise ValueError(f"{site} are at the input, before any block: write {site}=VALUE.")
        return None
    if first is None:
        raise ValueError(f"Which block? Write {site}:BLOCK or {site}:FIRST-LAST.")
    start, end = int(first), int(first if last is None else last)
    if end < start:
        raise ValueError(f"Blocks go from the first to the last: {end}-{start}.")
    return start, end


def _value(site: SiteName, text: str) -> tuple[Kind, float | None, Who | None, Who | None]:
    """(kind, temperature, who does not see, whom)."""
    if text == "own":
        return "own", None, None, None
    if site == "scores":
        return _of_scores(text)
    kinds = (*PLAIN, "out") if site == "registers" else PLAIN
    kind = next((one for one in kinds if one == text), None)
    if kind is None:
        raise ValueError(f"{site} takes one of {', '.join(kinds)}, not {text!r}.")
    return kind, None, None, None


def _of_scores(text: str) -> tuple[Kind, float | None, Who | None, Who | None]:
    if "!" in text:
        who, _, whom = text.partition("!")
        return "knockout", None, parse_who(who), parse_who(whom)
    word, _, number = text.partition(" ")
    if word != "temperature":
        raise ValueError(
            f"scores take own, a temperature such as temperature 0.5, or who does not see whom "
            f"such as cls!patches, not {text!r}."
        )
    try:
        temperature = float(number)
    except ValueError:
        temperature = math.nan
    if not 0 < temperature < math.inf:
        raise ValueError(f"A temperature is a number above 0, not {number.strip()!r}.")
    return "temperature", temperature, None, None


def parse_who(text: str) -> Who:
    """cls;patches;3,4 -> ("cls", "patches", (3, 4)). ValueError for anything else."""
    every = (one for part in text.split(";") for one in _some_of_who(part.strip()))
    found = tuple(islice(every, MOST_PATCHES + 1))
    if len(found) > MOST_PATCHES:
        raise ValueError(_TOO_MANY)
    return found


_TOO_MANY = f"No picture has that many patches: at most {MOST_PATCHES} are named."


def _some_of_who(part: str) -> Iterator[Group | tuple[int, int]]:
    group = next((one for one in GROUPS if one == part), None)
    if group is not None:
        yield group
        return
    match = _PATCHES.fullmatch(part)
    if match is None:
        raise ValueError(f"Tokens are {', '.join(GROUPS)} or ROW,COLUMN, not {part!r}.")
    top, left = int(match[1]), int(match[3])
    bottom, right = int(match[2] or top), int(match[4] or left)
    if bottom < top or right < left:
        raise ValueError(f"Rows and columns go from the first to the last: {part}.")
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            yield row, column
