"""What the first bytes say, kind by kind: refusals.txt holds each beginning and its answer.

`python tests/images/test_kinds.py` writes the answers anew: what changed is then read in the diff.
"""

import ast
from pathlib import Path

import pytest

from dino_core.images.formats import HEAD, kind_of, refusal

LIST = Path(__file__).with_name("refusals.txt")


def beginnings() -> list[tuple[bytes, str]]:
    """(the first bytes, the answer), line by line."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [(ast.literal_eval(head), said) for head, said in (one.split("\t") for one in lines)]


def answer(head: bytes) -> str:
    kind = kind_of(head)
    read = f"{kind.name}, read by {kind.decoder}: " if kind and kind.decoder else ""
    return read + refusal(head)


def test_every_beginning_has_its_answer() -> None:
    listed = beginnings()
    assert len(listed) > 130
    for head, said in listed:
        assert answer(head) == said, head


@pytest.mark.parametrize(
    ("head", "length"), [(b"BM", size) for size in (12, 40, 52, 56, 64, 108, 124)]
)
def test_headers_of_bmp_have_known_lengths(head: bytes, length: int) -> None:
    for size, known in ((length, True), (length - 1, False), (length + 1, False)):
        data = head + bytes(12) + size.to_bytes(4, "little") + bytes(30)
        kind = kind_of(data)
        assert (kind is not None and kind.decoder == "BMP") is known


def test_a_sign_cut_in_half_at_the_end_is_still_a_text() -> None:
    """As many bytes are looked at as are enough to tell; a sign has up to four of them."""
    for sign in ("é", "€", "🐈"):
        cut = sign.encode()
        for end in range(1, len(cut)):
            kind = kind_of(b"words " * 9 + cut[:end])
            assert kind is not None
            assert kind.name == "a text file"
    assert kind_of(b"words \xc3 and more") is None
    assert HEAD == 1024


if __name__ == "__main__":
    text = "".join(f"{head!r}\t{answer(head)}\n" for head, _ in beginnings())
    LIST.write_text(text, encoding="utf-8")
