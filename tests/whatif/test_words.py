"""Changes in words: read, written and refused."""

import pytest

from dino_core.whatif.words import Change, parse_change

READ = {
    "head:8.3=mean": Change("head", "mean", (8, 8), 3),
    "head:8=mean": Change("head", "mean", (8, 8)),
    "attention:5=zero": Change("attention", "zero", (5, 5)),
    "mlp:0-7=noise": Change("mlp", "noise", (0, 7)),
    "neuron:4.120=other": Change("neuron", "other", (4, 4), 120),
    "neuron:4.120[cls]=own": Change("neuron", "own", (4, 4), 120, ("cls",)),
    "scores:11.2=temperature 0.5": Change("scores", "temperature", (11, 11), 2, temperature=0.5),
    "scores:11[3,4]=temperature 2": Change(
        "scores", "temperature", (11, 11), None, ((3, 4),), temperature=2.0
    ),
    "scores:6-11=cls!patches": Change("scores", "knockout", (6, 11), None, ("cls",), ("patches",)),
    "scores:6.1=3,4;3,5!registers;0,0": Change(
        "scores", "knockout", (6, 6), 1, ((3, 4), (3, 5)), ("registers", (0, 0))
    ),
    "tokens:0[3,4;3,5]=mean": Change("tokens", "mean", (0, 0), None, ((3, 4), (3, 5))),
    "tokens:0[3,4-6;4,4;4,5]=mean": Change(
        "tokens", "mean", (0, 0), None, ((3, 4), (3, 5), (3, 6), (4, 4), (4, 5))
    ),
    "positions=zero": Change("positions", "zero"),
    "positions[12,0]=noise": Change("positions", "noise", tokens=((12, 0),)),
    "registers=out": Change("registers", "out"),
    "registers=zero": Change("registers", "zero"),
}


@pytest.mark.parametrize("text", READ)
def test_read_and_written_back(text: str) -> None:
    change = parse_change(text)
    assert change == READ[text]
    assert str(change) == text


def test_room_between_words_does_not_matter() -> None:
    assert parse_change(" tokens:0[ 3, 4 ; cls ] = mean ") == parse_change("tokens:0[3,4;cls]=mean")


def test_rows_and_columns_from_the_first_to_the_last() -> None:
    whole = "0,1;0,2;0,3;1,1;1,2;1,3"
    assert parse_change("tokens:0[0-1,1-3]=mean") == parse_change(f"tokens:0[{whole}]=mean")
    assert str(parse_change(f"tokens:0[{whole}]=mean")) == "tokens:0[0,1-3;1,1-3]=mean"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("head:8.3", "A change is written SITE=VALUE, for example head:8.3=mean"),
        ("", "SITE=VALUE"),
        ("head:8.3.1=mean", "SITE=VALUE"),
        ("head:-1=mean", "SITE=VALUE"),
        ("heads:8.3=mean", "no site 'heads': they are tokens, positions, scores, head, attention"),
        ("head=mean", r"Which block\? Write head:BLOCK"),
        ("registers:3=out", "at the input, before any block: write registers=VALUE"),
        ("head:5-3=zero", "from the first to the last: 3-5"),
        ("mlp:5.3=zero", "mlp has no units: write mlp:5"),
        ("head:8.3=medium", "takes one of zero, mean, noise, other, own, not 'medium'"),
        ("head:8.3=out", "takes one of"),
        ("registers=gone", "zero, mean, noise, other, own, out"),
        ("registers[cls]=zero", "changed together"),
        ("scores:1=zero", "own, a temperature such as temperature 0.5, or who does not see whom"),
        ("scores:1=temperature 0", "above 0, not '0'"),
        ("scores:1=temperature hot", "above 0, not 'hot'"),
        ("scores:1=temperature nan", "above 0"),
        ("scores:1=temperature inf", "above 0"),
        ("scores:1=cls!everything", "Tokens are cls, registers, patches or ROW,COLUMN, not 'every"),
        ("scores:1[cls]=cls!patches", r"before the !: leave \[...\] out"),
        ("tokens:0[3;4]=zero", "ROW,COLUMN, not '3'"),
        ("tokens:0[4-3,0]=zero", "from the first to the last: 4-3,0"),
        ("tokens:0[0-99999,0-99999]=zero", "at most 65536 are named"),
        ("tokens:0[" + "0-255,0-255;" * 9 + "cls]=zero", "at most 65536 are named"),
        ("tokens:0[]=zero", "ROW,COLUMN, not ''"),
    ],
)
def test_refused_in_words_that_name_what_there_is(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        parse_change(text)
    assert str(refused.value).startswith(text)


def test_as_many_patches_as_a_picture_can_have() -> None:
    change = parse_change("tokens:0[0-255,0-255]=zero")
    assert change.tokens is not None
    assert len(change.tokens) == 65536
