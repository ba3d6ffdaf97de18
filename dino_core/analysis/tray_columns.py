"""The columns of a tray, and how a person writes one.

    VIEW[:LAYER[.HEAD]][@[PICTURE:]ROW,COL][/MODEL]

    input                   the picture
    pca:8                   layer 8 as colours, one basis for all pictures
    attention:11.3          what the class token attends to, layer 11, head 3
    attention:11@1:6,12     the mean of all heads, and what the patch 6,12 of picture 1, and the one
                            at the same place in every other picture, attends to
    similar@1:6,12          likeness to patch 6,12 of picture 1, last layer
    clusters:8 norms:8      parts that are alike, lengths of tokens
    difference:8            how differently the models 0 and 1 relate each patch to the others
    pca:8/1                 of model 1

Everything is counted from 0, layers also from the end: -1 is the last, and that which is meant
without one. PICTURE is a row of the tray, 0 where it is not given.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

ColumnView = Literal["input", "pca", "attention", "similar", "clusters", "norms", "difference"]
VIEWS: tuple[ColumnView, ...] = get_args(ColumnView)
MOST_ROWS, MOST_COLUMNS = 12, 12
MOST_MODELS = MOST_COLUMNS  # one more could not be seen
WORD = re.compile(
    r"(?P<view>[a-z]+)(?::(?P<layer>-?\d{1,4})(?:\.(?P<head>\d{1,4}))?)?"
    r"(?:@(?:(?P<picture>\d{1,4}):)?(?P<row>\d{1,4}),(?P<column>\d{1,4}))?(?:/(?P<model>\d{1,2}))?"
)


@dataclass(frozen=True)
class Column:
    """One view of every picture of a tray."""

    view: ColumnView
    layer: int = -1
    head: int | None = None  # of attention; None: the mean of all
    query: tuple[int, int] | None = None  # a patch; None: the class token, of attention
    picture: int = 0  # whose patch it is
    model: int = 0

    @property
    def word(self) -> str:
        """As a person writes it."""
        head = "" if self.head is None else f".{self.head}"
        # A picture has no layer; the last one need not be said.
        layer = "" if self.view == "input" or (self.layer == -1 and not head) else f":{self.layer}"
        place = f"@{self.picture}:{self.query[0]},{self.query[1]}" if self.query else ""
        return f"{self.view}{layer}{head}{place}{f'/{self.model}' if self.model else ''}"


def column_of(word: str) -> Column:
    """ValueError in a sentence for a word that says no column."""
    found = WORD.fullmatch(word.strip())
    if found is None or found["view"] not in VIEWS:
        raise ValueError(
            f"A column is one of {', '.join(VIEWS)}, with what it shows as in attention:11.3, "
            f"similar:8@0:6,12 or pca/1, not {word[:60]!r}."
        )
    numbers = {
        name: int(found[name]) for name in ("layer", "head", "picture", "model") if found[name]
    }
    query = (int(found["row"]), int(found["column"])) if found["row"] else None
    column = Column(found["view"], query=query, **numbers)
    refuse_what_is_not_shown(column, word)
    return column


def refuse_what_is_not_shown(column: Column, word: str) -> None:
    """ValueError for a head, a patch or a layer where there is none."""
    view = column.view
    if view == "similar" and column.query is None:
        raise ValueError(f"{word}: similar to which patch? Write similar@PICTURE:ROW,COL.")
    if column.head is not None and view != "attention":
        raise ValueError(f"{word}: only attention has heads.")
    if column.query is not None and view not in ("attention", "similar"):
        raise ValueError(f"{word}: only attention and similar are asked of a patch.")
    if view == "input" and column != Column("input"):
        raise ValueError(f"{word}: the input has no layer and no model, write input.")
    if view == "difference" and column.model:
        raise ValueError(f"{word}: the difference is always that of the models 0 and 1.")
