"""embed and evaluate by several processes, killed at some moment, going on as another number."""

import argparse
import json
import random
import re
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from forked import Program, command, free_port
from sharded import sharded
from tiny_runs import coloured

from dino_core.__main__ import main
from dino_core.cli import parts
from dino_core.cli.parts import Tally, first_does, tallies_sentence
from dino_core.runs.exit_codes import MISTAKE, exit_code, is_said
from dino_core.step.distributed import World

PICTURES = 30  # and one that is broken


@pytest.fixture
def words(weights: Path, tmp_path: Path) -> list[str]:
    contents = coloured(PICTURES // 3) | {"green/zz.png": b"junk"}
    data = sharded(tmp_path / "set", contents, per_shard=7)
    tiny = ["--weights", str(weights), "--size", "28", "--part", "4"]
    return ["embed", str(data), *tiny, "--output"]


def processes(words: Sequence[str], home: Path, world: int) -> list[Program]:
    """The command as torchrun would start it."""
    found = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    common = {"INSIDE_DINOV2_HOME": str(home), **found}
    return [command(words, {**common, "RANK": str(rank)}) for rank in range(world)]


def ends(children: Sequence[Program]) -> list[tuple[str, str]]:
    """(standard output, standard error) of each."""
    said = [child.communicate(timeout=240) for child in children]
    assert [child.returncode for child in children] == [0] * len(children), said
    return said


def test_a_folder_gets_parts_of_one_process_too(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, str(tmp_path / "one.parquet")]) == 0
    assert main([*words, str(tmp_path / "parts")]) == 0
    said = capsys.readouterr()
    begun, done, *broken = said.err.splitlines()[-4:]
    assert begun == "embed: 8 parts by 1 process."
    assert re.fullmatch(
        r"embed: 31 pictures in [\d.]+ s, [\d.]+ a second; \d+ % of the time was spent waiting for "
        r"files\.",
        done,
    )
    assert broken[0] == "Left out were 1 that cannot be used:"
    assert broken[1].startswith("  set-000002.tar/000020.png: This is a text file")
    whole, parted = said.out.splitlines()
    assert whole.startswith(f"30 pictures -> {tmp_path / 'one.parquet'} (")
    assert parted.startswith(f"30 pictures -> {tmp_path / 'parts'}, 8 parts (")
    log = (tmp_path / "parts" / "_job" / "log.txt").read_text(encoding="utf-8").splitlines()
    assert [line[20:] for line in log] == [begun, done]
    one = parquet.read_table(tmp_path / "one.parquet")
    many = parquet.read_table(tmp_path / "parts")
    assert one.drop(["cls", "mean_patch"]).equals(many.drop(["cls", "mean_patch"]))
    for a, b in zip(one["cls"].to_pylist(), many["cls"].to_pylist(), strict=True):
        assert a == pytest.approx(b, abs=1e-5)
    assert main([*words, str(tmp_path / "parts")]) == 0
    assert "0 by 1 process" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "parts"), "--layers"]) == 2
    assert "layers differs" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_and_resumed_by_another_number(words: list[str], tmp_path: Path) -> None:
    """Two processes killed at a random moment, then three: row for row what one gives."""
    assert main([*words, str(tmp_path / "one")]) == 0
    many = tmp_path / "many.parquet"
    enough = random.randrange(1, 6)
    children = processes([*words, str(many)], tmp_path / "home", 2)
    stop = time.monotonic() + 240
    while len(list(many.glob("part-*"))) < enough and time.monotonic() < stop:
        assert all(child.poll() is None for child in children) or list(many.glob("part-*"))
        time.sleep(0.002)
    for child in children:
        child.kill()
        child.communicate()
    there = len(list(many.glob("part-*")))
    first, *others = ends(processes([*words, str(many)], tmp_path / "home", 3))
    assert f"{there} of 8 parts are there" in first[1], first
    assert "30 pictures -> " in first[0]
    assert others == [("", "")] * 2
    if there < 8:
        assert "The slowest was process" in (many / "_job" / "log.txt").read_text()
    assert parquet.read_table(many).equals(parquet.read_table(tmp_path / "one"))


@pytest.mark.slow
def test_evaluate_by_two_is_evaluate_by_one(words: list[str], tmp_path: Path) -> None:
    data, *tiny = words[1:-1]
    answers = []
    for name in ("one.json", "two.json"):
        asked = ["evaluate", "--train", data, "--test", data, *tiny, "--k", "3"]
        asked += ["--output", str(tmp_path / name)]
        if name == "one.json":
            assert main(asked) == 0
        else:
            said = ends(processes([*asked, "--no-cache"], tmp_path / "home", 2))
            assert "100.00 % of 30 right" in said[0][0]
        answers.append(json.loads((tmp_path / name).read_text()))
    assert answers[0] == answers[1]
    assert not (tmp_path / "two.features").exists()


class Other:
    """The world of a process that is not the first, whose make has failed."""

    first = False

    def share(self, value: object) -> tuple[None, bool]:
        return None, True


def test_a_mistake_is_said_once() -> None:
    """Process 1 ends with the same code as the first, and without a word."""
    with pytest.raises(ValueError) as caught:
        first_does(Other(), lambda: pytest.fail("the first process does it"))  # type: ignore[arg-type]
    assert is_said(caught.value)
    assert exit_code(caught.value) == MISTAKE
    with pytest.raises(OSError, match="gone"):
        first_does(World(), lambda: (_ for _ in ()).throw(OSError("gone")))
    assert first_does(World(), lambda: 3) == 3


@pytest.mark.parametrize("first", [True, False])
def test_what_there_is_to_say_of_weights_is_said_by_the_first(
    monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    said: list[tuple[str, bool]] = []

    def noted(args: argparse.Namespace, *, quiet: bool = False) -> str:
        said.append((args.device, quiet))
        return "backbone"

    class Some:
        device = "cuda:1"
        share = staticmethod(lambda value: (value[0], False))

    Some.first = first  # type: ignore[attr-defined]
    monkeypatch.setattr(parts, "load_weights", noted)
    monkeypatch.setattr(
        "dino_core.step.distributed.joined", lambda device, apart: nullcontext(Some)
    )
    with parts.work_in_parts(argparse.Namespace(device="auto"), lambda: "made") as work:
        assert work.made == ("made" if first else None)
        assert (work.world, work.backbone) == (Some, "backbone")
    assert said == [("cuda:1", not first)]


def test_what_the_log_says() -> None:
    tallies = [Tally(0, "a", 100, 10.0, 1.0), Tally(1, "b", 60, 20.0, 5.0)]
    assert tallies_sentence(tallies) == (
        "160 pictures in 20.0 s, 8.0 a second; 20 % of the time was spent waiting for files. The "
        "slowest was process 1 on b: 60 pictures in 20.0 s, and 15.0 s the mean."
    )
