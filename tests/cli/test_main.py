"""cli/main.py, files.py, weights.py and outputs.py: what all commands share."""

import argparse
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_commands import Place, run

from dino_core.cli import files, weights
from dino_core.cli import main as command_line
from dino_core.cli.command import one_for_a_figure, write_figure
from dino_core.cli.main import build_parser, main
from dino_core.cli.outputs import output_file, output_files, output_folders, picture_names
from dino_core.runs.exit_codes import SAID

Said = pytest.CaptureFixture[str]


def noting(notes: list[str], left_out: list[str], code: int | None) -> Any:
    def noting(args: Namespace) -> int | None:
        """Says things."""
        args.notes, args.left_out = notes, left_out
        print(args.line)
        return code

    return (noting, lambda option: option("words", nargs="*"))


@pytest.mark.parametrize(
    ("left_out", "code", "ends"), [([], None, 0), ([], 7, 7), (["a"], None, 5), (["a"], 7, 7)]
)
def test_what_is_said_at_the_end_and_the_exit_code(
    left_out: list[str], code: int | None, ends: int, capsys: Said
) -> None:
    more = [noting(["One.", "Two."], left_out, code)]
    assert main(["noting", "it's", "x"], more=more) == ends
    said = capsys.readouterr()
    assert said.out == "python -m dino_core noting 'it'\"'\"'s' x\n"
    assert said.err.splitlines() == ["One.", "Two.", *(f"Left out: {one}" for one in left_out)]


def failing(error: BaseException) -> Any:
    def failing(args: Namespace) -> None:
        """Fails."""
        raise error

    return (failing, lambda _: None)


def test_how_a_failure_ends(capsys: Said) -> None:
    told = ValueError("Somebody said it.")
    told.add_note(SAID)
    for error, code, said in (
        (ValueError("Wrong."), 2, "Wrong.\n"),
        (FloatingPointError("Not finite."), 3, "Not finite.\n"),
        (OSError(28, "No space", "f"), 4, "The disk is full: f could not be written. Make room.\n"),
        (FileNotFoundError(2, "No such file", "f"), 2, "f: No such file.\n"),
        (told, 2, ""),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
    ):
        assert main(["failing"], more=[failing(error)]) == code
        assert capsys.readouterr().err == said
    with pytest.raises(TypeError):
        main(["failing"], more=[failing(TypeError("a bug"))])
    assert main(["failing"], more=[failing(BrokenPipeError())]) == 141


def test_what_was_typed_and_how_the_program_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = argparse.ArgumentParser(prog="p")
    monkeypatch.setattr(sys, "argv", ["x", "a b", "c"])
    assert command_line.command_line(parser, None) == "p 'a b' c"
    assert command_line.command_line(parser, ["d"]) == "p d"
    for called, prog in (
        ("/usr/bin/inside-dinov2", "inside-dinov2"),
        ("inside-dinov2.exe", "inside-dinov2"),
        ("/x/__main__.py", "python -m dino_core"),
    ):
        monkeypatch.setattr(sys, "argv", [called])
        assert build_parser().prog == prog
    told = build_parser().format_help()
    assert "exit codes:\n  0    done, or stopped as asked from outside\n  2 " in told
    assert told.startswith("usage: python -m dino_core [-h] COMMAND ...\n\nSee what happens inside")


# --- reading and writing


def args_of(**values: Any) -> Namespace:
    usual = {"stretch": False, "size": None, "fit": "resize", "images": ["a.png"]}
    return Namespace(**{**usual, **values})


def test_pictures_in_whole_patches(place: Place, tmp_path: Path) -> None:
    image = str(tmp_path / "a.png")
    Image.new("RGB", (60, 30), "teal").save(image)

    def size(**values: Any) -> tuple[int, int]:
        picture = files.fit(image, args_of(**values), place.backbone).picture
        return picture.height, picture.width

    assert size() == (518, 1036)
    assert size(size=28) == (28, 56)
    assert size(size=(42, 28)) == (42, 28)
    assert size(size=29, fit="pad") == (42, 70)
    assert size(size=29, fit="crop") == (28, 56)
    for wanted, words in (
        ((43, 28), "--size is 43x28 px (height x width), but both must be multiples of the patch "),
        ((28, 5), "size 14: give --size 28x14, or a short side such as 518."),
        ("native", f"{image} is 30x60 px"),
        ("native", "give --size 28x56, or"),
        ((3, 14), "give --size 14x14, or"),
    ):
        with pytest.raises(ValueError) as caught:
            size(size=wanted)
        assert words in str(caught.value)


def test_layers_are_counted_from_both_ends(place: Place) -> None:
    assert [files.from_end(layer, place.backbone) for layer in range(-3, 3)] == [0, 1, 2, 0, 1, 2]
    for layer in (3, -4):
        with pytest.raises(ValueError) as caught:
            files.from_end(layer, place.backbone)
        assert str(caught.value) == (
            f"tiny has layers 0 to 2, or -1 to -3 from the end, but no layer {layer}."
        )


def test_one_file_wants_one_size(place: Place) -> None:
    images = [str(path) for path in place.pictures]
    for values in ({"images": images[:1]}, {"images": images, "size": (28, 28)}):
        files.check_same_size(args_of(**values), place.backbone)
    files.check_same_size(args_of(images=[images[0]] * 2, size="native"), place.backbone)
    with pytest.raises(ValueError) as caught:
        files.check_same_size(args_of(images=images, size="native"), place.backbone, " or not")
    assert str(caught.value) == (
        f"One file holds pictures of one size, but {images[0]} becomes 56x84 px and {images[1]} "
        f"70x56: give --size 56x84 or not."
    )


def test_what_cannot_be_read_is_left_out_once(place: Place, tmp_path: Path) -> None:
    good, bad = str(place.pictures[0]), str(tmp_path / "none.png")
    words = "There is no such file: choose a picture file."
    args = args_of(images=[bad, good, bad], references=None)
    files.leave_out_unreadable(args, "references")
    assert not hasattr(args, "left_out")
    files.leave_out_unreadable(args)
    assert args.images == [good]
    assert args.left_out == [f"{bad}: {words}"] * 2
    args.references = [bad, good]
    files.leave_out_unreadable(args, "references")
    assert (args.references, len(args.left_out)) == ([good], 3)
    for images, rest in (([bad], ""), ([bad, bad], " None of the 2 files can be used.")):
        with pytest.raises(ValueError) as caught:
            files.leave_out_unreadable(args_of(images=images))
        assert str(caught.value) == f"{bad}: {words}{rest}"


def test_arrays_are_numpy_s_and_numbers_are_float32() -> None:
    for tensor, kind in (
        (torch.ones(2, dtype=torch.bfloat16), np.float32),
        (torch.ones(2, dtype=torch.float64), np.float32),
        (torch.ones(2, dtype=torch.int64), np.int64),
        (torch.ones(2, dtype=torch.bool), np.bool_),
    ):
        assert files.array(tensor).dtype == kind
    rows = [{"a": np.zeros(2), "b": np.array(1)}, {"a": np.ones(2), "b": np.array(2)}]
    assert {name: one.tolist() for name, one in files.stack(rows).items()} == {
        "a": [[0, 0], [1, 1]],
        "b": [1, 2],
    }


def test_a_bar_is_of_two_pictures_or_more(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 2))  # every look at the clock takes two seconds
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    assert list(files.with_progress(["a"])) == ["a"]
    assert capsys.readouterr().err == ""
    assert list(files.with_progress(["a", "b"])) == ["a", "b"]
    last = capsys.readouterr().err
    assert "2/2" in last
    assert "picture" in last


# --- a model


def test_what_is_asked_of_a_model(
    capsys: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from types import SimpleNamespace

    calls: list[Any] = []

    def load(*names: Any, **options: Any) -> Any:
        calls.append((names, options))
        return SimpleNamespace(info=SimpleNamespace(notes=("Odd.", "Old.")))

    monkeypatch.setattr("dino_core.weights.load_backbone", load)
    words = ["features", "x.png", "--output", "f.npz", "--device", "cuda:1"]
    words += ["--dtype", "bfloat16", "--heads", "3", "--position-grid", "2x4", "--branch", "b"]
    parser = build_parser()
    weights.load_weights(parser.parse_args([*words, "--model", "m"]))
    assert capsys.readouterr().err == ""
    given = parser.parse_args([*words, "--weights", "w.pth"])
    weights.load_weights(given)
    assert capsys.readouterr().err == "w.pth: Odd.\nw.pth: Old.\n"
    weights.load_weights(given, quiet=True)
    assert capsys.readouterr().err == ""
    options = {"device": "cuda:1", "dtype": torch.bfloat16}
    told = {**options, "heads": 3, "grid": (2, 4), "branch": "b"}
    assert calls == [(("m", None), told), ((None, "w.pth"), told), ((None, "w.pth"), told)]
    calls.clear()
    (tmp_path / "file").touch()
    for name in ("m", str(tmp_path / "file")):
        weights.load_named(name, given)
    assert calls == [(("m", None), options), ((None, str(tmp_path / "file")), options)]


# --- figures, places


def test_a_figure_only_where_asked_and_of_one_picture() -> None:
    def draw(width: Any) -> Any:
        raise AssertionError("nothing is drawn")

    write_figure(Namespace(figure=None), draw)
    one_for_a_figure(args_of(figure=None, images=["a", "b"]))
    one_for_a_figure(args_of(figure="a.svg"))
    with pytest.raises(ValueError, match="shows one picture"):
        one_for_a_figure(args_of(figure="a.svg", images=["a", "b"]))


@pytest.mark.parametrize(
    ("ending", "charts"), [("svg", None), ("html", {"c": 1}), ("HTML", {"c": 1})]
)
def test_charts_stand_below_a_panel_on_a_page(
    ending: str, charts: Any, drawn: Any, capsys: Said
) -> None:
    path = Path(f"a.{ending}")
    args = Namespace(figure=path, figure_dpi=72, figure_width="column", line="words")
    write_figure(args, lambda width: f"panel of a {width}", lambda: {"c": 1})  # type: ignore
    options = {"dpi": 72, "caption": "Label. Repeated by: words", "charts": charts}
    assert drawn.pop() == [("save", ["panel of a column", path], options)]
    assert capsys.readouterr().out == f"Figure -> {path}\nLabel. Repeated by: words\n"


def test_places_of_several_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert picture_names(["a/x.y.png", "b/z"]) == ["x.y", "z"]
    with pytest.raises(ValueError, match=r"The results for a/x\.png and b/x\.jpg would have one"):
        picture_names(["a/x.png", "b/x.jpg"])
    assert output_folders(["a/x.png"], "out") == {"a/x.png": "out"}
    two = output_folders(["a/x.png", "y.png"], "out")
    assert two == {"a/x.png": os.path.join("out", "x"), "y.png": os.path.join("out", "y")}
    assert output_files(["x.png"], "out.NPZ", ".npz") == {"x.png": "out.NPZ"}
    with pytest.raises(ValueError, match=r"out\.csv should be a folder, but it is or looks like"):
        output_folders(["x.png"], "out.csv")
    with pytest.raises(ValueError, match=r"out\.csv should end in \.npz\."):
        output_file("out.csv", ".npz")
    for name in ("v1.5", "a.b_c", "x.toolongforanending"):
        assert output_folders(["x.png"], name) == {"x.png": name}


def test_words_that_a_console_cannot_print(tmp_path: Path, place: Place, capsys: Said) -> None:
    class Deaf:
        """A stream that cannot be told how to print."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Deaf())
        command_line.make_printable()
    assert run(capsys, "masks", "--output", tmp_path / "m.npz").code == 0
