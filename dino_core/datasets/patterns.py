"""What a person names as a set: a path, or a pattern of many. Never an address on the network.

    set-{000000..000999}.tar    numbers, as wide as they are written; {0..90..10} in steps
    {train,val}-0.tar           one or the other
    set-*.tar                   whatever is there

WebDataset's own patterns may also be web addresses, or commands after `pipe:`. Neither is ever
followed: sets are files on this disk.
"""

import glob
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

MAX_FILES = 1_000_000  # that one pattern may name
NAMED = 3  # missing files that a sentence names
_ADDRESS = re.compile(r"(pipe|file|data):|[A-Za-z][A-Za-z0-9+.-]+:/", re.IGNORECASE)
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,18})\.\.(\d{1,18})(?:\.\.(\d{1,18}))?")


def is_address(source: str) -> bool:
    """Whether a text is a web address or a command, and not a path: https://..., pipe:..."""
    return bool(_ADDRESS.match(source))


def refuse_address(source: str | Path) -> None:
    """ValueError for a web address or a command."""
    text = str(source)
    if is_address(text) and not Path(text).exists():
        what = "a command" if text.lower().startswith("pipe:") else "an address"
        raise ValueError(
            f"{text[:200]} is {what}, which is never followed: copy the set onto this disk, and "
            f"name a folder, a zip, a table or shards there."
        )


def is_pattern(path: Path) -> bool:
    """Whether a path names several files at once. One that exists is no pattern."""
    return bool(_BRACES.search(str(path)) or re.search(r"[*?\[]", str(path))) and not path.exists()


def matching_files(pattern: Path) -> list[Path]:
    """The files that a pattern names, in its order. ValueError unless all of them are there."""
    if _BRACES.search(str(pattern)):
        paths = [Path(text) for text in expanded(str(pattern))]
    else:
        paths = sorted(Path(text) for text in glob.glob(str(pattern)))
        if not paths:
            raise ValueError(f"There is no file of the pattern {pattern}.")
    missing = [path for path in paths if not path.is_file()]
    if missing:
        named = ", ".join(path.name for path in missing[:NAMED])
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        raise ValueError(
            f"Of the {len(paths):,} files that {pattern} names {len(paths) - len(missing):,} are "
            f"there: {named}{more} are not. Copy them, or name those that are there."
        )
    return list(dict.fromkeys(paths))


def expanded(pattern: str) -> list[str]:
    """All texts that a pattern of braces stands for, as a shell would write them."""
    pieces: list[str] = []
    choices: list[list[str]] = []
    end = 0
    count = 1
    for found in _BRACES.finditer(pattern):
        count *= _how_many(found[1], pattern)
        if count > MAX_FILES:
            raise ValueError(f"{pattern} names more than {MAX_FILES:,} files.")
        pieces.append(pattern[end : found.start()])
        choices.append(list(_choices(found[1])))
        end = found.end()
    assert count == prod(map(len, choices))
    texts = [""]
    for piece, options in zip(pieces, choices, strict=True):
        texts = [f"{text}{piece}{option}" for text in texts for option in options]
    return [f"{text}{pattern[end:]}" for text in texts]


def _how_many(braces: str, pattern: str) -> int:
    match = _RANGE.fullmatch(braces)
    if match is None:
        if "," not in braces:
            raise ValueError(
                f"{pattern} has {{{braces}}}, which is neither a range such as {{000..999}} nor a "
                f"list such as {{train,val}}."
            )
        return braces.count(",") + 1
    return abs(int(match[2]) - int(match[1])) // max(int(match[3] or 1), 1) + 1


def _choices(braces: str) -> Iterator[str]:
    match = _RANGE.fullmatch(braces)
    if match is None:
        yield from braces.split(",")
        return
    first, last, step = int(match[1]), int(match[2]), max(int(match[3] or 1), 1)
    padded = any(len(text) > 1 and text[0] == "0" for text in (match[1], match[2]))
    width = max(len(match[1]), len(match[2])) if padded else 0
    for number in range(first, last + 1, step) if first <= last else range(first, last - 1, -step):
        yield f"{number:0{width}}"
