"""Several pictures on one line: each gets what it gets alone, in a place named after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tiny_home import bright_in_the_middle
from tiny_models import TINY, tiny_vit
from tiny_steps import SMALL

from dino_core.__main__ import main
from dino_core.cli.outputs import output_files
from dino_core.runs.exit_codes import LEFT_OUT, MISTAKE
from dino_core.runs.pretrained_heads import OWN, save_heads
from dino_core.student_teacher import StudentTeacher
from dino_core.weights import save_backbone

# What stands behind the pictures, and the ending of each result: none for a folder.
COMMANDS = {
    "attention": ("--layer 1 --size native --weights TINY", {"--output": ""}),
    "crops": ("--locals 1 --seed 3", {"--output": ""}),
    "film": (
        "--steps 1 --size native --weights TINY",
        {"--output": ".webp", "--arrays": ".npz"},
    ),
    "losses": ("--pair PAIR --references ONE TWO --seed 2", {"--output": ".npz"}),
    "step": ("--pair PAIR --references ONE TWO --seed 2", {"--output": ".npz"}),
    "webpage": ("--size native --weights TINY", {"--output": ".html"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """one.png and two.png, broken.png, which is none, a tiny model and a small pair."""
    folder = tmp_path_factory.mktemp("several")
    bright_in_the_middle(folder)
    (folder / "broken.png").write_bytes(b"<!DOCTYPE html>")
    save_backbone(tiny_vit(TINY), folder / "tiny.safetensors")
    pair = StudentTeacher(SMALL, generator=torch.Generator().manual_seed(1))
    save_heads(pair, SMALL, OWN, folder / "pair.safetensors")
    return folder


def run(folder: Path, command: str, pictures: str, *words: str) -> int:
    """The command on the pictures that are named, without its endings; -> its exit code."""
    places = {
        "ONE": str(folder / "one.png"),
        "TWO": str(folder / "two.png"),
        "TINY": str(folder / "tiny.safetensors"),
        "PAIR": str(folder / "pair.safetensors"),
    }
    images = [str(folder / f"{name}.png") for name in pictures.split()]
    options = [places.get(word, word) for word in COMMANDS[command][0].split()]
    return main([command, *images, *options, *words])


def results(command: str, place: Path, name: str = "") -> Iterator[str]:
    """Options: where the results of one picture go, or those of several without a name."""
    for option, ending in COMMANDS[command][1].items():
        yield from (option, str(place / f"{name}{ending}" if name else place))


def contents(place: Path) -> dict[str, bytes]:
    files = (path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_of_several_is_what_it_is_alone(
    command: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both, alone = tmp_path / "both", tmp_path / "alone"
    assert run(folder, command, "one broken two", *results(command, both)) == LEFT_OUT
    assert capsys.readouterr().err.count("broken.png: This is a web page") == 1
    for name in ("one", "two"):
        assert run(folder, command, name, *results(command, alone, name)) == 0
    assert len(contents(both)) >= 2
    assert contents(both).keys() == contents(alone).keys()
    assert contents(both) == contents(alone)


@pytest.mark.parametrize("command", COMMANDS)
def test_two_of_one_name_are_refused_before_the_work(
    command: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "out"
    assert run(folder, command, "one again/one", *results(command, place)) == MISTAKE
    assert "would have one name: one." in capsys.readouterr().err
    assert not place.exists()


@pytest.mark.parametrize("command", ["crops", "film", "step"])
def test_a_figure_of_one_picture_is_refused_of_two(
    command: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "out"
    words = [*results(command, place), "--figure", str(tmp_path / "a.html")]
    assert run(folder, command, "one two", *words) == MISTAKE
    assert "shows one picture: give one" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_is_left_of_several_lies_where_several_lie(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "crops", "one broken", "--output", str(tmp_path)) == LEFT_OUT
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_references_and_pictures_that_cannot_be_read_are_all_named_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references = [str(folder / name) for name in ("two.png", "three.png")]
    words = ["--references", *references]  # argparse keeps the last
    assert run(folder, "losses", "one broken one", *words) == LEFT_OUT
    said = capsys.readouterr()
    assert said.err.count("broken.png: ") == said.err.count("three.png: ") == 1
    tables = said.out.split(f"{folder / 'one.png'}\n")
    assert (len(tables), tables[0], tables[1]) == (3, "", tables[2])


def test_files_of_several_pictures(tmp_path: Path) -> None:
    """A folder has the first ending; {name} chooses another, of one picture as well."""
    two, ways = ["a/x.1.jpg", "b/y.png"], (".webp", ".gif")
    found = output_files(two, str(tmp_path / "new"), *ways)
    assert found == {two[0]: str(tmp_path / "new/x.1.webp"), two[1]: str(tmp_path / "new/y.webp")}
    pattern = str(tmp_path / "{name}/film.gif")
    assert list(output_files(two, pattern, *ways).values()) == [
        str(tmp_path / "x.1/film.gif"),
        str(tmp_path / "y/film.gif"),
    ]
    assert list(output_files(two[1:], pattern, *ways).values()) == [str(tmp_path / "y/film.gif")]
    assert output_files(two, None, *ways) == {}
    assert output_files(two[:1], "./film.gif", *ways) == {two[0]: "./film.gif"}
    with pytest.raises(ValueError, match=r"film\.gif should be a folder"):
        output_files(two, str(tmp_path / "film.gif"), *ways)
    with pytest.raises(ValueError, match=r"should end in \.webp or \.gif"):
        output_files(two, str(tmp_path / "{name}.png"), *ways)
