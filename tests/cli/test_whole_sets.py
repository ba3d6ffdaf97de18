"""embed, evaluate, gallery, in one process or several: all that each says and hands on."""

import json
from argparse import Namespace
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_commands import Drawn, files_in, run, same_calls
from tiny_galleries import labelled_folder
from tiny_runs import coloured, files

from dino_core.cli import features
from dino_core.cli.evaluate import how, protocol_of, strength
from dino_core.cli.main import build_parser
from dino_core.datasets import find_pictures
from dino_core.embedding.embed import cache_for, embed
from dino_core.embedding.preparation import Preparation
from dino_core.evaluation import protocols
from dino_core.evaluation.protocols import Protocol
from dino_core.weights import Backbone

Said = pytest.CaptureFixture[str]


@pytest.fixture
def tiny(weights: Path) -> list[str]:
    return ["--weights", str(weights), "--size", "28"]


# --- embed


def test_embed(tiny: list[str], backbone: Backbone, tmp_path: Path, capsys: Said) -> None:
    root, target = labelled_folder(tmp_path / "data", 3), tmp_path / "out" / "f.npz"
    words = ["embed", root, *tiny, "--exclude", "blue", "--output", target]
    ran = run(capsys, *words)
    title = backbone.info.title
    assert ran.out == [f"6 pictures -> {target} ({title})"]
    left = "3 files were left out (blue/00.png, blue/01.png, blue/02.png): Left out as asked."
    assert ran.err[0] == f"data: {left}"
    assert ran.err[-2] == "Left out were 1 that cannot be used:"
    assert ran.err[-1].startswith("  green/zz.png: ")
    preparation = Preparation(28, "crop")
    pictures = find_pictures(root, exclude=("blue",))
    with cache_for(backbone, preparation) as cache:
        found = embed(backbone, pictures, preparation, cache)
        wanted = {name: found.array(name) for name in ("cls", "mean_patch")}
    assert found.computed == 0, "all is kept"
    with np.load(target) as file:
        for name, values in wanted.items():
            np.testing.assert_array_equal(file[name], values)
        assert list(file["names"]) == list(found.pictures.names)
        facts = json.loads(str(file["facts"]))
    assert facts == {
        "model": backbone.name,
        "title": title,
        "official": False,
        "dtype": "float32",
        "preparation": vars(preparation),
        "broken": [list(one) for one in found.broken],
    }
    again = run(capsys, *words)
    assert again.out == [f"6 pictures, 6 of them known before -> {target} ({title})"]


def test_what_is_not_to_be_kept_is_gone_afterwards(
    tiny: list[str], tmp_path: Path, home: Path, capsys: Said
) -> None:
    root, target = files(tmp_path / "data", coloured(1)), tmp_path / "out" / "f.npz"
    assert run(capsys, "embed", root, *tiny, "--no-cache", "--output", target).code == 0
    assert files_in(target.parent) == ["f.npz"]
    assert not home.exists() or files_in(home) == []
    assert run(capsys, "embed", root, *tiny, "--output", target).code == 0
    assert len(files_in(home)) >= 1


@pytest.mark.parametrize("words", [["--map", "pca"], ["--neighbours", "2"], ["--thumbnails", "20"]])
def test_columns_are_of_one_parquet_file(
    words: list[str], tiny: list[str], tmp_path: Path, capsys: Said
) -> None:
    root = files(tmp_path / "data", coloured(1))
    asked = ["embed", root, *tiny, *words, "--output"]
    for target, of in ((tmp_path / "f.npz", "file."), (tmp_path / "parts", "file, not of parts.")):
        ran = run(capsys, *asked, target)
        assert (ran.code, len(ran.err)) == (2, 1)
        assert ran.err[0] == (
            f"--map, --neighbours and --thumbnails are columns of one .parquet {of}"
        )
    assert run(capsys, *asked, tmp_path / "f.parquet").code == 0
    import pyarrow.parquet as parquet

    table = parquet.read_table(tmp_path / "f.parquet")
    more = {"--map": {"x", "y"}, "--neighbours": {"neighbors"}, "--thumbnails": {"image"}}
    own = {"name", "label", "class", "split", "cls", "mean_patch"}
    assert set(table.column_names) - own == more[words[0]]
    if "--neighbours" in words:
        assert {len(one["ids"]) for one in table["neighbors"].to_pylist()} == {2}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], Preparation(224, "crop", "bicubic", "imagenet")),
        (
            ["--size", "28x42", "--fit", "pad", "--interpolation", "bilinear"],
            Preparation((28, 42), "pad", "bilinear", "imagenet"),
        ),
        (
            ["--size", "native", "--fit", "resize", "--normalise", "cifar10"],
            Preparation(None, "resize", "bicubic", "cifar10"),
        ),
    ],
)
def test_how_pictures_are_prepared(words: list[str], wanted: Preparation) -> None:
    args = build_parser().parse_args(["embed", "x", "--output", "f.npz", *words])
    assert features.preparation_of(args) == wanted


def test_options_reach_the_library(
    tiny: list[str], backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    @contextmanager
    def cache(*args: Any) -> Any:
        calls.append(args)
        yield "cache"

    def library(*args: Any, progress: Any, **options: Any) -> Any:
        progress(3)
        calls.append((args, options))
        return SimpleNamespace(broken=())

    monkeypatch.setattr("dino_core.embedding.embed.cache_for", cache)
    monkeypatch.setattr("dino_core.embedding.embed.embed", library)
    words = ["embed", "x", *tiny, "--output", "f.npz", "--batch", "5", "--threads", "7"]
    target, preparation = tmp_path / "f.npz", Preparation(28)
    for more, instead in (([], None), (["--no-cache"], target)):
        args = build_parser().parse_args([*words, *more])
        with features.embedding(args, backbone, preparation, True, target) as embedded:
            embedded([1, 2, 3], "words")  # type: ignore[arg-type]
        asked, (given, options) = calls
        assert asked == (backbone, preparation, True, instead)
        assert given == (backbone, [1, 2, 3], preparation, "cache")
        assert options == {"batch_size": 5, "threads": 7}
        calls.clear()


def test_the_first_five_that_are_broken_are_named(capsys: Said) -> None:
    broken = [(f"{number}.png", "It is damaged.") for number in range(6)]
    features.report_broken([])
    assert capsys.readouterr().err == ""
    features.report_broken(broken[:5])
    said = capsys.readouterr().err.splitlines()
    lines = [f"  {number}.png: It is damaged." for number in range(5)]
    assert said == ["Left out were 5 that cannot be used:", *lines]
    features.report_broken(broken)
    more = "  and {} more, named in the file."
    assert capsys.readouterr().err.splitlines() == [
        "Left out were 6 that cannot be used:",
        *lines,
        more.format(1),
    ]
    features.report_broken(broken, 1234)
    said = capsys.readouterr().err.splitlines()
    assert (said[0], said[-1]) == ("Left out were 1,234 that cannot be used:", more.format("1,229"))


# --- evaluate


def asked(*words: str) -> Namespace:
    common = ["evaluate", "--train", "a", "--test", "b", "--output", "f.json"]
    return build_parser().parse_args([*common, *words])


def test_options_make_the_protocol() -> None:
    assert protocol_of(asked()) == Protocol("knn", "cls", (10, 20, 100, 200), False, 1.0, 0)
    words = ["--features", "both", "--k", "5", "3", "--center", "--exact", "--seed", "4"]
    assert protocol_of(asked(*words, "--layers")) == Protocol(
        "knn", "both", (5, 3), True, 1.0, 4, True, True
    )
    assert protocol_of(asked("--method", "logistic", "--C", "0.5")) == Protocol("logistic", C=0.5)
    assert protocol_of(asked("--method", "logistic", "--C", "search")).C is None
    assert protocol_of(asked("--method", "linear")).method == "linear"
    with pytest.raises(ValueError, match="leave --features out"):
        protocol_of(asked("--method", "linear", "--features", "cls"))
    assert strength("1e-3") == 0.001
    for text in ("0", "-1", "inf", "nan", "many"):
        with pytest.raises(Exception, match="neither a positive number nor search"):
            strength(text)


def test_the_method_in_a_few_words() -> None:
    assert how({"method": "knn", "k": 20, "features": "cls"}) == "20-NN on cls"
    logistic = {"method": "logistic", "features": "both", "C": 0.0123456}
    assert how(logistic) == "logistic regression on both, C = 0.01235"
    chosen = {"blocks": 4, "mean_patch": True, "rate": 0.05}
    words = "linear on the last 4 class tokens{}, rate 0.05"
    assert how({"method": "linear", "chosen": chosen}) == words.format(" and the mean patch")
    assert how({"method": "linear", "chosen": {**chosen, "mean_patch": False}}) == words.format("")


def test_evaluate(
    tiny: list[str], backbone: Backbone, tmp_path: Path, capsys: Said, drawn: Drawn
) -> None:
    """The library's answer, with what it was made of; its numbers in a sentence."""
    broken = {"train/red/zz.png": b"junk", "test/blue/yy.png": b""}
    train, test = coloured(4, "train/"), coloured(3, "test/")
    root = files(tmp_path / "data", train | test | broken)
    target, page = tmp_path / "new" / "a.json", tmp_path / "a.html"
    words = ["evaluate", "--train", root, "--test", root, *tiny, "--k", "3", "--layers"]
    words += ["--limit-per-class", "3", "--limit-test", "2", "--figure", page]
    ran = run(capsys, *words, "--output", target)
    answer = json.loads(target.read_text())
    preparation = Preparation(28)
    pictures = find_pictures(root)
    learned, tested = (
        protocols.labelled(pictures, part, count, "") for part, count in (("train", 3), ("test", 2))
    )
    with cache_for(backbone, preparation, True) as cache:
        both = [embed(backbone, part, preparation, cache) for part in (learned, tested)]
        wanted = protocols.evaluate(*both, Protocol("knn", "cls", (3,), by_layer=True))
    assert answer == json.loads(json.dumps(wanted)) | {
        "method": "knn",
        "features": "cls",
        "trained_on": 9,
        "broken": [list(one) for part in both for one in part.broken],
        "model": backbone.name,
        "title": backbone.info.title,
        "official": False,
        "dtype": "float32",
        "preparation": vars(preparation),
    }
    low, high = wanted["interval"]
    best = wanted["layers"]["best"]
    assert ran.out[0] == (
        f"{100 * wanted['accuracy']:.2f} % of 6 right ({100 * low:.1f} to {100 * high:.1f}), "
        f"3-NN on cls -> {target} ({backbone.info.title})"
    )
    assert ran.out[1].startswith(f"Of these weights, best at layer {best['layer']}: ")
    assert ran.err[-1] == (
        "Careful: 6 of the test pictures are training pictures too, byte for byte, so the figure "
        "flatters."
    )
    panel = ("confusion", [wanted["confusion"], wanted["classes"]], {})
    same_calls(drawn.pop(), panel, ("save", [{"confusion": "panel"}, page], {}))


def test_the_limit_of_the_training_pictures_is_that_of_the_test_unless_said(
    tmp_path: Path,
) -> None:
    from dino_core.cli.evaluate import labelled_sets

    root = str(files(tmp_path / "data", coloured(4, "train/") | coloured(3, "test/")))
    for more, counts in (
        ([], (12, 9)),
        (["--limit-per-class", "2"], (6, 6)),
        (["--limit-test", "1"], (12, 3)),
        (["--limit-per-class", "2", "--limit-test", "1"], (6, 3)),
    ):
        common = ["evaluate", "--train", root, "--test", root, "--output", "f.json"]
        train, test = labelled_sets(build_parser().parse_args([*common, *more]))
        assert (len(train), len(test)) == counts
        assert train.names[0].startswith("train/")
        assert test.names[0].startswith("test/")


def test_what_is_said_of_an_answer(
    tmp_path: Path, backbone: Backbone, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recall, no overlap, no layers; features of linear classifiers are several."""
    from dino_core.cli.evaluate import judge

    answer = {"overlap": 0, "accuracy": 0.5, "interval": (0.25, 0.755), "pictures": 1200}
    answer |= {"recall": {"words": "Nearly all."}, "chosen": {"blocks": 1, "mean_patch": False}}
    answer["chosen"]["rate"] = 0.1  # type: ignore[index]
    monkeypatch.setattr(protocols, "evaluate", lambda *_: dict(answer))
    args = asked("--method", "linear")
    args.output = str(tmp_path / "f.json")
    one = SimpleNamespace(pictures=range(7), broken=[("a", "b")])
    judge(args, protocol_of(args), one, one, backbone)  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "Nearly all.",
        "Judged is the last layer; --layers says which one does best.",
    ]
    assert said.out == (
        f"50.00 % of 1,200 right (25.0 to 75.5), linear on the last 1 class tokens, rate 0.1 -> "
        f"{args.output} ({backbone.info.title})\n"
    )
    written = json.loads(Path(args.output).read_text())
    assert (written["features"], written["trained_on"]) == ("several", 7)
    assert written["broken"] == [["a", "b"], ["a", "b"]]
