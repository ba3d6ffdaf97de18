"""The commands embed and evaluate: files, words, refusals, and a kill in the middle."""

import json
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pytest
from alike import assert_same
from forked import command
from sharded import picture_table, sharded
from tiny_galleries import kill_when, labelled_folder, mixed_folder
from tiny_runs import coloured, files, picture, zipped

from dino_core.__main__ import main
from dino_core.gallery.folder import GalleryFolder
from dino_core.gallery.options import Options


@pytest.fixture
def tiny(weights: Path) -> list[str]:
    return ["--weights", str(weights), "--size", "28"]


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Runs a command that must fail with exit code 2 and one sentence; returns the sentence."""
    assert main(list(words)) == 2
    error = capsys.readouterr().err
    assert error.rstrip().endswith(".")
    return error


def test_embed(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, target = labelled_folder(tmp_path / "data", 3), tmp_path / "out" / "f.npz"
    assert main(["embed", str(root), *tiny, "--layers", "--output", str(target)]) == 0
    said = capsys.readouterr()
    assert "9 pictures ->" in said.out
    assert "Left out were 1" in said.err
    assert "green/zz.png: " in said.err
    got = arrays(target)
    assert got["cls"].shape == (9, 32)
    assert got["layers"].shape == (9, 3, 2, 32)
    facts = json.loads(str(got["facts"]))
    assert facts["preparation"]["size"] == 28
    assert facts["official"] is False
    assert main(["embed", str(root), *tiny, "--output", str(tmp_path / "g.npz")]) == 0
    assert "9 of them known before" in capsys.readouterr().out
    np.testing.assert_array_equal(arrays(tmp_path / "g.npz")["cls"], got["cls"])


def test_options_reach_the_pictures(tiny: list[str], tmp_path: Path) -> None:
    root = str(mixed_folder(tmp_path / "data"))
    seen = []
    for extra in (
        [],
        ["--normalise", "cifar10"],
        ["--interpolation", "bilinear"],
        ["--size", "native", "--fit", "pad"],
        ["--fit", "official"],
        ["--dtype", "bfloat16"],
        ["--batch", "1", "--threads", "1", "--no-cache"],
    ):
        target = tmp_path / f"{len(seen)}.npz"
        assert main(["embed", root, *tiny, *extra, "--output", str(target)]) == 0
        seen.append(arrays(target)["cls"])
    for i, other in enumerate(seen[1:-1]):
        assert not np.allclose(other, seen[0], atol=1e-4), i
    np.testing.assert_allclose(seen[-1], seen[0], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_killed_embed_goes_on_and_gives_the_same_file(
    tiny: list[str], tmp_path: Path, home: Path
) -> None:
    root = files(tmp_path / "data", {f"{i:04}.png": picture(i) for i in range(400)})
    words = ["embed", str(root), *tiny, "--batch", "4", "--output"]
    whole = tmp_path / "whole.npz"
    assert main([*words, str(whole)]) == 0

    other, target = tmp_path / "other home", tmp_path / "killed.npz"

    def rows() -> int:
        try:
            (path,) = other.glob("embeddings/*.sqlite")
            with sqlite3.connect(path) as base:
                return int(base.execute("SELECT COUNT(*) FROM pictures").fetchone()[0])
        except (ValueError, sqlite3.OperationalError):
            return 0

    at_home = {"INSIDE_DINOV2_HOME": str(other)}
    kill_when(command([*words, str(target)], at_home), lambda: rows() > 40)
    done = rows()
    assert 40 < done < 400
    assert done % 4 == 0  # whole batches
    assert not target.exists()
    second = command([*words, str(target)], at_home)
    out, err = second.communicate()
    assert second.returncode == 0, err
    assert f"{done:,} of them known before" in out
    assert_same(target.read_bytes(), whole.read_bytes())


@pytest.mark.slow
def test_evaluate(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = files(tmp_path / "data", coloured(12, "train/") | coloured(5, "test/"))
    data = ["--train", str(root), "--test", str(root), *tiny]
    accuracies = {}
    for method in ("knn", "logistic", "linear"):
        target = tmp_path / f"{method}.json"
        words = ["evaluate", *data, "--method", method, "--limit-per-class", "10"]
        words += ["--figure", str(tmp_path / f"{method}.html")]
        assert main([*words, "--limit-test", "4", "--output", str(target)]) == 0
        answer = json.loads(target.read_text())
        assert (answer["trained_on"], answer["pictures"]) == (30, 12)
        assert answer["method"] == method
        accuracies[method] = answer["accuracy"]
        matrix = json.dumps(answer["confusion"], separators=(",", ":"))
        assert matrix in (tmp_path / f"{method}.html").read_text(encoding="utf-8")
        said = capsys.readouterr()
        assert f"{100 * answer['accuracy']:.2f} % of 12 right" in said.out
        assert "12 of the test pictures are training pictures too" in said.err
        assert "Judged is the last layer; --layers says which one does best" in said.err
    assert min(accuracies.values()) > 0.5
    assert answer["overlap"] == 12  # made of the same noise
    words = ["evaluate", *data, "--layers", "--output", f"{tmp_path}/l.json"]
    assert main(words) == 0
    best = json.loads((tmp_path / "l.json").read_text())["layers"]["best"]
    assert f"Of these weights, best at layer {best['layer']}: " in capsys.readouterr().out
    words = ["evaluate", *data, "--method", "logistic", "--C", "search"]
    assert main([*words, "--features", "both", "--output", f"{tmp_path}/s.json"]) == 0
    assert len(json.loads((tmp_path / "s.json").read_text())["search"]) == 45


def test_zips_that_are_traps_are_refused(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = zipped(tmp_path / "outside.zip", {"../../evil.png": picture(0)})
    bomb = zipped(tmp_path / "bomb.zip", {"b.png": b"\0" * 30_000_000}, zipfile.ZIP_DEFLATED)
    liar = tmp_path / "liar.zip"
    liar.write_bytes(b"PK\x03\x04 this is no zip")
    target = str(tmp_path / "f.npz")
    for path, said in ((outside, "leads outside"), (bomb, "would unpack"), (liar, "cut short")):
        for words in (
            ["embed", str(path), *tiny, "--output", target],
            ["gallery", str(path), *tiny, "--output", str(tmp_path / "gallery")],
            ["evaluate", "--train", str(path), "--test", str(path), "--output", f"{target}.json"],
        ):
            assert said in refused(capsys, *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "bomb.zip",
        "liar.zip",
        "outside.zip",
    ]


def test_mistakes_are_said(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    rest = [*tiny, "--output", str(tmp_path / "f.npz")]
    assert "no pictures" in refused(capsys, "embed", str(tmp_path / "empty"), *rest)
    assert "no folder or zip" in refused(capsys, "embed", str(tmp_path / "nothing"), *rest)
    root = str(labelled_folder(tmp_path / "data", 2))
    assert ".npz" in refused(capsys, "embed", root, *tiny, "--output", str(tmp_path / "f.txt"))
    words = refused(capsys, "embed", root, *tiny[:2], "--size", "30", *rest[4:])
    assert "give 28" in words
    both = ["evaluate", "--train", root, "--test"]
    json_file = ["--output", str(tmp_path / "f.json")]
    flat = files(tmp_path / "flat", {"1.png": picture(0)})
    words = refused(capsys, *both, str(flat), *tiny, *json_file)
    assert "no labels" in words
    words = refused(capsys, *both, root, "--method", "linear", "--features", "cls", *json_file)
    assert "leave --features out" in words
    assert ".json" in refused(capsys, *both, root, *tiny, "--output", str(tmp_path / "f.npz"))


def test_one_class_and_one_picture(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = files(tmp_path / "one", {"a.png": picture(0)})
    assert main(["embed", str(root), *tiny, "--output", f"{tmp_path}/f.npz"]) == 0
    assert arrays(tmp_path / "f.npz")["cls"].shape == (1, 32)
    capsys.readouterr()
    data = files(tmp_path / "data", {f"train/red/{i}.png": picture(i) for i in range(3)})
    words = ["evaluate", "--train", str(data), "--test", str(data), *tiny]
    assert "no labels" in refused(capsys, *words, "--output", f"{tmp_path}/f.json")


@pytest.mark.parametrize(
    "words",
    [
        ["embed"],
        ["embed", "x"],
        ["embed", "x", "--output", "f.npz", "--size", "0"],
        ["embed", "x", "--output", "f.npz", "--batch", "0"],
        ["evaluate", "--train", "x", "--output", "f.json"],
        ["evaluate", "--train", "x", "--test", "x", "--output", "f.json", "--C", "-1"],
        ["evaluate", "--train", "x", "--test", "x", "--output", "f.json", "--method", "magic"],
        ["evaluate", "--train", "x", "--test", "x", "--output", "f.json", "--k", "5", "0"],
        ["evaluate", "--train", "x", "--test", "x", "--output", "f.json", "--limit-test", "0"],
        ["evaluate", "--train", "x", "--test", "x", "--output", "f.json", "--limit-per-class=-1"],
        ["gallery", "x"],
    ],
)
def test_what_cannot_be_understood(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2


# --- data as it lies on people's disks


def test_what_is_left_out_and_how_folders_were_understood_is_said(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = coloured(2, "Training/") | coloured(2, "Validation/")
    contents |= {"readme.txt": b"words", "Training/masks/1.png": picture(1)}
    root = files(tmp_path / "data", contents)
    target = tmp_path / "f.npz"
    assert main(["embed", str(root), *tiny, "--output", str(target)]) == 0
    said = capsys.readouterr().err
    assert "data: Divided by its folders: 6 train, 6 val. There is no test, so val is" in said
    assert "1 file was left out (readme.txt): This is a text file" in said
    assert "1 file was left out (Training/masks/1.png): A folder called masks" in said
    words = ["embed", str(root), *tiny, "--include", "masks", "--exclude", "*.txt", "red"]
    assert main([*words, "--output", str(target)]) == 0
    assert "9 pictures, 8 of them known before ->" in capsys.readouterr().out


def test_a_test_set_of_one_class_and_a_table_are_enough(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = files(tmp_path / "train", coloured(4))
    contents = {name: data for name, data in coloured(3).items() if name.startswith("red")}
    one = files(tmp_path / "test", contents)
    rows = ["file,class", *(f"{name},red" for name in contents)]
    (one / "labels.csv").write_text("\n".join(rows))
    for test in (one, one / "red", one / "labels.csv"):
        target = tmp_path / "k.json"
        words = ["evaluate", "--train", str(train), "--test", str(test), *tiny, "--k", "3"]
        assert main([*words, "--output", str(target)]) == 0
        answer = json.loads(target.read_text())
        assert (answer["pictures"], answer["classes"]) == (3, ["blue", "green", "red"])
    assert "The labels are those of labels.csv" in capsys.readouterr().err


@pytest.mark.slow
def test_one_broken_file_among_several_stops_nothing(tiny: list[str], tmp_path: Path) -> None:
    broken = {
        "red/x1.png": b"",
        "red/x2.jpg": b"<!DOCTYPE html>",
        "green/x3.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
        "blue/x4.tif": b"II*\0\xff\xff\xff\xff",
    }
    root = files(tmp_path / "data", coloured(4) | broken)
    for words in (
        ["embed", str(root), "--output", str(tmp_path / "f.npz")],
        [
            "evaluate",
            "--train",
            str(root),
            "--test",
            str(root),
            "--output",
            str(tmp_path / "k.json"),
        ],
        ["gallery", str(root), "--output", str(tmp_path / "g")],
    ):
        assert main([*words, *tiny]) == 0, words[0]
    assert len(json.loads((tmp_path / "k.json").read_text())["broken"]) == 8
    assert json.loads((tmp_path / "g" / "state.json").read_text())["broken_count"] == 4


@pytest.mark.parametrize("kind", ["shards", "table"])
def test_embed_of_shards_is_embed_of_the_folder(
    kind: str, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Features bit for bit, order, labels and classes; a broken picture is named in both."""
    contents = coloured(3) | {"green/zz.png": b"junk"}
    folder = files(tmp_path / "folder", contents)
    source = sharded(tmp_path / "shards", contents, per_shard=4) / "set-{000000..000002}.tar"
    if kind == "table":
        names = sorted(contents)
        classes = ["red", "green", "blue"]
        labels = [classes.index(name.split("/")[0]) for name in names]
        rows = [contents[name] for name in names]
        source = picture_table(tmp_path / "t.parquet", rows, labels, classes)
    tables = []
    for data, name in ((folder, "a.npz"), (source, "b.npz")):
        target = tmp_path / name
        assert main(["embed", str(data), *tiny, "--no-cache", "--output", str(target)]) == 0
        assert "Left out were 1" in capsys.readouterr().err
        tables.append(arrays(target))
    one, other = tables
    np.testing.assert_array_equal(one["cls"], other["cls"])
    np.testing.assert_array_equal(one["mean_patch"], other["mean_patch"])
    np.testing.assert_array_equal(one["classes"][one["labels"]], other["classes"][other["labels"]])
    assert set(other["classes"]) == {"blue", "green", "red"}


def test_evaluate_on_shards(tiny: list[str], tmp_path: Path) -> None:
    contents = coloured(4)
    for prefix in ("train", "test"):
        sharded(tmp_path / "set", contents, per_shard=7, prefix=prefix)
    answer = tmp_path / "knn.json"
    data = str(tmp_path / "set")
    words = ["evaluate", "--train", data, "--test", data, *tiny, "--k", "1"]
    assert main([*words, "--output", str(answer)]) == 0
    found = json.loads(answer.read_text())
    assert (found["accuracy"], found["pictures"], found["overlap"]) == (1.0, 12, 12)


@pytest.mark.parametrize("data", ["pipe:touch OUT", "https://example.org/{000..010}.tar"])
@pytest.mark.parametrize("words", ["embed", "gallery", "train --data", "finetune --data"])
def test_no_command_follows_an_address(
    words: str,
    data: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    place = ["--run", "run"] if "--data" in words else ["--output", "f.npz"]
    if words == "gallery":
        place = ["--output", "folder"]
    assert "never followed" in refused(capsys, *words.split(), data, *place)
    assert not (tmp_path / "OUT").exists()


def test_every_option_reaches_the_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def build(data: str, folder: Path, options: Options, watch: object) -> str:
        asked.extend([data, folder, options])
        raise ValueError("That is all.")

    monkeypatch.setattr("dino_core.gallery.build.build", build)
    data, out = files(tmp_path / "data", coloured(2)), tmp_path / "g"
    options = ["--model", "preview_vits14", "--size", "28", "--seed", "7", "--threads", "3"]
    options += ["--device", "cuda:1", "--patch-megabytes", "5", "--exclude", "red", "--stretch"]
    assert main(["gallery", str(data), "--output", str(out), *options]) == 2
    assert asked == [
        str(data),
        out,
        Options(
            model="preview_vits14",
            size=28,
            seed=7,
            threads=3,
            device="cuda:1",
            patch_megabytes=5,
            exclude=("red",),
            stretch=True,
        ),
    ]


@pytest.mark.parametrize(("end", "code"), [("interrupted", 130), ("stopped", 0)])
def test_a_gallery_that_is_not_done_says_how_it_ended(
    end: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(data: str, folder: Path, options: Options, watch: object) -> str:
        GalleryFolder(folder).create(data, options)
        return end

    monkeypatch.setattr("dino_core.gallery.build.build", build)
    data = files(tmp_path / "data", coloured(1))
    assert main(["gallery", str(data), "--output", str(tmp_path / "g"), "--size", "28"]) == code
