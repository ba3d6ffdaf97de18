"""The command step: what it writes is the step that the library makes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_commands import asked_with_pair

from dino_core.__main__ import main
from dino_core.images import open_picture
from dino_core.runs.pretrained_heads import load_heads
from dino_core.slow_motion import Choices, Session

SHAPES = {
    **dict.fromkeys(("gradient_norms", "weights", "moved", "teacher_moved", "apart"), (11,)),
    **dict.fromkeys(("term_norms", "shares"), (11, 4)),
    **dict.fromkeys(("before", "after", "terms"), (4,)),
    **dict.fromkeys(("loss_before", "loss_after"), (2,)),
    "layers": (11,),
    "cosines": (4, 4),
    "dino": (4, 2, 3),
    "koleo": (2, 3),
    "masks": (6, 16),
}


def asked(folder: Path, *words: str) -> list[str]:
    return [*map(str, asked_with_pair("step", folder, *words))]


def test_references_that_cannot_be_read_are_left_out_and_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, files = tmp_path / "broken.png", [tmp_path / "a.npz", tmp_path / "b.npz"]
    broken.write_bytes(b"no picture")
    words = asked(folder, "--output")
    assert main([*words, str(files[0])]) == 0
    at = words.index("--references") + 1
    code = main([*words[:at], str(broken), *words[at:], str(files[1])])
    assert "broken.png" in capsys.readouterr().err
    assert code != 0, "and the command says so"
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_is_written_is_the_step(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "new" / "step.npz", tmp_path / "step.html"
    words = ["--steps", "2", "--seed", "4", "--learning-rate", "0.002", "--koleo-weight", "0.3"]
    assert main(asked(folder, *words, "--output", str(file), "--figure", str(page))) == 0
    printed = capsys.readouterr().out
    pair, config = load_heads(folder / "pair.safetensors")
    pictures = [open_picture(folder / f"{i}.png") for i in range(3)]
    choices = Choices(seed=4, learning_rate=0.002, koleo_weight=0.3)
    session = Session(pair, config, pictures, choices)
    steps = [session.step(), session.step()]
    with np.load(file) as held:
        found = dict(held)
    assert {name: array.shape for name, array in found.items() if name in SHAPES} == SHAPES
    assert found.keys() - SHAPES.keys() == {"ibot", "lines", "values"}
    last = steps[1]
    for name, expected in (
        ("gradient_norms", last.gradient_norms),
        ("shares", last.gradients.shares),
        ("teacher_moved", last.moved.teacher),
        ("after", torch.tensor(list(last.terms_after.values()))),
        ("loss_before", torch.tensor([one.result.loss for one in steps])),
        ("ibot", last.result.ibot_terms),
    ):
        assert found[name] == pytest.approx(expected.numpy(), rel=1e-5, abs=1e-9), name
    assert list(found["terms"]) == list(last.result.terms)
    at = list(found["lines"]).index(f"dino_core/step/train_step.py:{last.visits[-1].first}")
    assert found["values"][-1].startswith("returned.loss = ")
    assert at == len(found["lines"]) - 1
    assert f"{last.result.loss:.4f}" in printed
    assert "step 0: loss" in printed
    text = page.read_text(encoding="utf-8")
    assert all(title in text for title in ("Whose gradients", "How far they moved", "Step by step"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--temperature", "0"], "above 0"),
        (["--learning-rate", "-1"], "learning rate"),
        (["--references", "0.png"], "one other picture"),
        (["--dino-weight", "0", "--ibot-weight", "0", "--koleo-weight", "0"], "nothing to learn"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    folder: Path, words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(folder / word) if word.endswith(".png") else word for word in words]
    assert main(asked(folder, *words)) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
