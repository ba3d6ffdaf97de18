"""finetuning/classification.py: what a run leaves in its folder, said in full."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import TINY, tiny_vit
from tiny_runs import COLOURS, coloured, files, picture, zipped

from dino_core.datasets import find_pictures
from dino_core.finetuning import classification
from dino_core.finetuning.classification import (
    FinetuneSetup,
    check_size,
    chosen_probes,
    divide,
    finetune,
    load_classifier,
    predict,
    stored_setup,
    with_full_paths,
)
from dino_core.finetuning.features import Divided
from dino_core.images import open_picture
from dino_core.runs.control import Control
from dino_core.runs.folder import RunFolder, read_metrics, read_state, request_action
from dino_core.weights import load_backbone, save_backbone

BROKEN = "red/05.png"  # a training picture, with seed 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FinetuneSetup:
    """Three classes of 6, 10 and 10, one file of them broken."""
    root = tmp_path_factory.mktemp("made")
    contents = {n: b for n, b in coloured(10).items() if n[:5] != "blue/" or n < "blue/06"}
    data = zipped(root / "data.zip", contents | {BROKEN: b"junk"})
    vit = tiny_vit(replace(TINY, layer_scale_init=None))
    weights = save_backbone(vit, root / "w.safetensors")
    return FinetuneSetup(
        data=str(data),
        weights=str(weights),
        size=28,
        epochs=12,
        batch_size=8,
        patience=2,
        threads=1,
    )


@pytest.fixture(scope="module")
def told(made: FinetuneSetup, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A finished run of a head alone, and the states that it went through."""
    folder, states = tmp_path_factory.mktemp("runs") / "run", []
    put = RunFolder.put_state

    def noting(run: RunFolder, *state: Any) -> None:
        states.append(state)
        put(run, *state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "put_state", noting)
        assert finetune(folder, made) == "finished"
    return folder, states


def stored(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_its_configuration(made: FinetuneSetup, told: tuple[Path, list[Any]]) -> None:
    folder, _ = told
    pictures = find_pictures(made.data)
    info = load_backbone(weights=made.weights).info
    assert stored(folder, "config.json") == {
        "format": 1,
        "kind": "fine-tuning",
        "steps": 12,
        "setup": json.loads(json.dumps(asdict(made))),
        "weights": info.title,
        "weights_standing": info.standing,
        "weights_notes": list(info.notes),
        "classes": ["blue", "green", "red"],
        "pictures": {
            "count": 26,
            "fingerprint": pictures.fingerprint,
            "train": 18,
            "validation": 3,
            "test": 5,
        },
        "threads": 1,
        "torch": torch.__version__,
    }


def test_its_report(made: FinetuneSetup, told: tuple[Path, list[Any]]) -> None:
    """What the stored model says of each test picture, counted by hand."""
    folder, _ = told
    parts = divide(find_pictures(made.data), made)
    classifier, labels = load_classifier(folder), parts.test.labels
    assert labels is not None
    said = [dict(predict(classifier, parts.test.picture(i))) for i in range(5)]
    confusion = np.zeros((3, 3), int)
    for answer, label in zip(said, labels, strict=True):
        confusion[label, list(COLOURS).index(max(answer, key=lambda name: answer[name]))] += 1
    right = int(confusion.trace())
    report = stored(folder, "report.json")
    lines = read_metrics(folder)
    best = min(lines, key=lambda line: line["validation_loss"])
    assert {name: report[name] for name in list(report)[:9]} == {
        "part": "head",
        "best_epoch": best["step"],
        "balance": {
            "counts": {"blue": 4, "green": 7, "red": 6},
            "ratio": 7 / 4,
            "words": "The classes are about equally large.",
        },
        "counts": {"train": 17, "validation": 3, "test": 5},
        "skipped": [{"file": BROKEN, "why": report["skipped"][0]["why"]}],
        "pictures": 5,
        "accuracy": right / 5,
        "standard_error": pytest.approx((right / 5 * (1 - right / 5) / 5) ** 0.5),
        "balanced_accuracy": pytest.approx(np.mean(confusion.diagonal() / confusion.sum(1))),
    }
    assert report["confusion"] == confusion.tolist()
    assert report["always_the_commonest"] == 2 / 5
    assert len(report["mistakes"]) == 5 - right
    for wrong in report["mistakes"]:
        there = said[parts.test.names.index(wrong["file"])]
        assert wrong["probabilities"] == pytest.approx(there, abs=1e-4)


def test_the_states_that_it_goes_through(told: tuple[Path, list[Any]]) -> None:
    folder, states = told
    first = next(i for i, state in enumerate(states) if state[1].startswith("Epoch"))
    looking = states[: first - 2]  # picture by picture, or several at once
    assert {state[0] for state in looking} == {"running"}
    assert {state[2:] for state in looking} == {(0, 12)}
    said = [state[1] for state in looking]
    for name, count in (("train", 18), ("validation", 3), ("test", 5)):
        assert [words for words in said if name in words][-1] == (
            f"Features of the {name} pictures: {count} of {count}."
        )
    assert states[first - 2 : first] == [
        ("running", f"Judging layer {layer} of the backbone as it came.", 0, 12) for layer in (0, 1)
    ]
    lines = read_metrics(folder)
    assert [line["step"] for line in lines] == [*range(1, len(lines) + 1)]
    epochs = states[first : first + len(lines)]
    assert epochs == [
        ("running", state[1], line["step"], 12, None)
        for state, line in zip(epochs, lines, strict=True)
    ]
    testing, finished = states[first + len(lines) :]
    assert testing == ("running", "Testing.", 12, 12)
    report = stored(folder, "report.json")
    best = classification.best_sentence(RunFolder(folder))
    title = stored(folder, "config.json")["weights"]
    words = (
        f"Finished: {100 * report['accuracy']:.1f} % of 5 test pictures right (± "
        f"{100 * report['standard_error']:.1f}); always the commonest class would be 40.0 %. It "
        f"began with {title}, as they came {best}."
    )
    assert finished == ("finished", words, 12, 12, 0.0)
    log = (folder / "log.txt").read_text()
    assert f"Skipped {BROKEN}: " in log
    assert f"The head was best after {report['best_epoch']} epochs." in log
    assert log.rstrip().endswith(words)
    for line in (json.loads(raw) for raw in (folder / "metrics.jsonl").read_text().splitlines()):
        assert line["stage"] == "head"
    (folder / "layers.json").rename(folder / "aside.json")
    assert classification.weights_sentence(RunFolder(folder)) == title
    (folder / "aside.json").rename(folder / "layers.json")


def test_the_parts_of_a_set_follow_from_the_seed(made: FinetuneSetup) -> None:
    pictures = find_pictures(made.data)
    for chosen in (made, replace(made, seed=5, test_share=0.5, validation_share=0.3)):
        parts = divide(pictures, chosen)
        rest, test = pictures.divide(chosen.test_share, chosen.seed)
        train, validation = rest.divide(chosen.validation_share, chosen.seed + 1)
        assert parts == Divided(train, validation, test)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({f"{place}/0.png": picture(0) for place in ("train/a", "train/b", "test/a", "test/b")},
         "leaves no picture to validate"),
        ({f"train/a/{i}.png": picture(i) for i in range(5)}
         | {f"test/b/{i}.png": picture(i) for i in range(5)}, "pictures of one class only"),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_from_is_refused(
    tmp_path: Path, made: FinetuneSetup, contents: dict[str, bytes], words: str
) -> None:
    pictures = find_pictures(files(tmp_path / "few", contents))
    with pytest.raises(ValueError, match=words):
        divide(pictures, made)


def test_the_first_picture_of_up_to_four_classes_is_looked_at(
    tmp_path: Path, made: FinetuneSetup
) -> None:
    names = [f"{kind}/{i}.png" for kind in "abcdef" for i in range(2)]
    contents = {name: picture(i) for i, name in enumerate(names)} | {"b/0.png": b"junk"}
    found = find_pictures(files(tmp_path / "six", contents))
    probes = chosen_probes(made, Divided(found, found, found))
    assert [name for name, _ in probes] == ["a/0.png", "c/0.png", "d/0.png", "e/0.png"]
    assert probes[1][1].tobytes() == open_picture(tmp_path / "six/c/0.png").tobytes()
    asked = str(tmp_path / "six/f/1.png")
    [(name, shown)] = chosen_probes(replace(made, probes=(asked,)), Divided(found, found, found))
    assert name == asked
    assert shown.tobytes() == open_picture(asked).tobytes()
    nobody = found.subset([])
    assert chosen_probes(made, Divided(found, found, nobody)) == []


def test_a_run_is_taken_up_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = FinetuneSetup("data", weights="w.safetensors", probes=("a.png", "samples"))
    here = os.getcwd()
    assert with_full_paths(asked) == replace(
        asked, data=f"{here}/data", weights=f"{here}/w.safetensors",
        probes=(f"{here}/a.png", "samples"),
    )  # fmt: skip
    assert with_full_paths(replace(asked, weights=None)).weights is None


def test_the_setup_that_is_stored_counts_but_for_what_is_changed(run: RunFolder) -> None:
    config = run.read_config()
    setup = FinetuneSetup("data", probes=("a.png",), rate=0.5)
    for threads, expected in ((0, 3), (2, 2)):
        values = asdict(replace(setup, threads=threads))
        run.config_file.write_text(json.dumps(config | {"setup": values, "threads": 3}))
        assert stored_setup(run, {}) == replace(setup, threads=expected)
    assert stored_setup(run, {"threads": 5, "data": "other"}) == replace(
        setup, threads=5, data="other"
    )
    run.config_file.write_text(json.dumps(config | {"kind": "distillation"}))
    with pytest.raises(ValueError, match="a run of another kind: distillation"):
        stored_setup(run, {})


@pytest.mark.parametrize(("size", "near"), [(3, 14), (20, 14), (22, 28), (225, 224)])
def test_the_nearest_size_of_whole_patches_is_named(size: int, near: int) -> None:
    check_size(near, 14)
    with pytest.raises(ValueError, match=f"of {size} px are no whole .* --size {near}[.]"):
        check_size(size, 14)


def stop_at(words: str, folder: Path) -> Callable[..., None]:
    """put_state as it is, and a wish to stop as soon as these words are in it."""
    put = RunFolder.put_state

    def putting(run: RunFolder, state: Any, said: str, *rest: Any) -> None:
        put(run, state, said, *rest)
        if words in said and state == "running":
            request_action(folder, "stop")

    return putting


@pytest.mark.parametrize(
    ("words", "step"),
    [("the validation pictures", 0), ("Judging layer 0", 0), ("Epoch 1:", 0)],
)
def test_a_run_that_is_stopped_says_so_and_goes_on(
    tmp_path: Path,
    made: FinetuneSetup,
    told: tuple[Path, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    step: int,
) -> None:
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "put_state", stop_at(words, folder))
        assert finetune(folder, made) == "stopped"
    state = read_state(folder)
    assert (state.state, state.words) == ("stopped", "Stopped, as asked.")
    assert (state.step, state.steps) == (step, 12)
    assert "Stopped, as asked." in (folder / "log.txt").read_text()
    assert not (folder / "control").exists()
    assert finetune(folder, resume=True, changes={"patience": 2}) == "finished"
    for name in ("report.json", "layers.json"):
        assert stored(folder, name) == stored(told[0], name)
    steps = [line["step"] for line in read_metrics(folder)]
    assert steps == [line["step"] for line in read_metrics(told[0])], "no line twice"


def test_ctrl_c_is_told_from_a_stop(
    tmp_path: Path, made: FinetuneSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    def interrupted(*_: Any) -> None:
        raise classification.StopRequested

    monkeypatch.setattr(classification, "_finetune", interrupted)
    enter = Control.__enter__

    def entering(control: Control) -> Control:
        control.interrupted = signal.SIGINT
        return enter(control)

    monkeypatch.setattr(Control, "__enter__", entering)
    assert finetune(tmp_path / "run", made) == "interrupted"
