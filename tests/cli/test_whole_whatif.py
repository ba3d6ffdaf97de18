"""whatif and export: what each says, and what it hands on."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_commands import Drawn, Place, holds, line_of, run, same_calls

from dino_core.analysis.effects import effects
from dino_core.cli import export, whatif_screening
from dino_core.config import PCA_PRESETS
from dino_core.whatif import Plan, Sources, as_edits, parse_changes

Said = pytest.CaptureFixture[str]
EDIT = ["--edit", "attention:1=zero", "--edit", "head:2.1=zero"]


def asked(place: Place, target: Path, *words: object) -> list[Any]:
    common = ["--size", "56x84", "--weights", place.weights, "--output", target]
    return ["whatif", *place.pictures, *words, *common]


@pytest.fixture
def fitted(place: Place) -> list[Any]:
    """Both pictures at 56 x 84 px, seen."""
    from dino_core.analysis.inspection import inspect
    from dino_core.images import fit_to_patches, to_tensor

    size = (56, 84)
    found = [fit_to_patches(one.picture, 14, size, "resize") for one in place.fitted]
    return [inspect(place.backbone.vit, to_tensor(one.picture)) for one in found]


def test_edits(place: Place, fitted: list[Any], drawn: Drawn, tmp_path: Path, capsys: Said) -> None:
    target, page = tmp_path / "new" / "a.npz", tmp_path / "a.html"
    chosen = ["--layer", "-3", "--head", "2", "--preset", "dinov3-notebook", "--flip"]
    words = [*asked(place, target, *EDIT, *chosen), "--figure", page]
    ran = run(capsys, *words)
    vit, changes = place.backbone.vit, parse_changes([EDIT[1], EDIT[3]])
    nothing = Sources(None, None, 0)
    found = [effects(vit, seen, as_edits(vit, seen, changes, nothing)) for seen in fitted]
    befores, afters = ([getattr(one, part).normed for one in found] for part in ("before", "after"))
    arrays = {
        "cls_before": [one[0].numpy() for one in befores],
        "cls_after": [one[0].numpy() for one in afters],
        "patches_before": [one[3:].reshape(4, 6, 24).numpy() for one in befores],
        "patches_after": [one[3:].reshape(4, 6, 24).numpy() for one in afters],
    }
    names = ("cls_cosine", "patch_cosine", "cls_cosine_by_layer", "patch_cosine_by_layer")
    arrays |= {name: [getattr(one, name).numpy() for one in found] for name in names}
    holds(target, **{name: np.stack(each) for name, each in arrays.items()})
    said = [
        f"{path}: cosine of the class token {float(cls):.4f}, of the patches {patches.mean():.4f}"
        for path, cls, patches in zip(
            place.pictures, arrays["cls_cosine"], arrays["patch_cosine"], strict=True
        )
    ]
    done = f"Before and after -> {target} ({place.title})"
    assert ran.out == [f"Figure -> {page}", line_of(*map(quoted, words)), *said, done]
    config = replace(PCA_PRESETS["dinov3-notebook"], flip=True)
    options = {"layer": 0, "head": 2, "config": config, "width": "page"}
    changed = ("change_by_layer", [np.stack(arrays[name]).mean(0) for name in names[2:]], {})
    caption = {"dpi": 300, "caption": line_of(*map(quoted, words)), "charts": {"change": "panel"}}
    same_calls(
        drawn.pop(),
        ("before_and_after", [found, ", ".join(map(str, changes))], options),
        changed,
        ("save", ["panel", page], caption),
    )


def quoted(word: object) -> str:
    import shlex

    return shlex.quote(str(word))


def test_of_more_pictures_than_a_panel_holds_a_page_has_the_change_alone(
    place: Place, drawn: Drawn, tmp_path: Path, capsys: Said
) -> None:
    words = asked(place, tmp_path / "a.npz", *EDIT, "--figure", tmp_path / "a.html")
    few, many = place.pictures[:1] * 12, place.pictures[:1] * 13
    at = words.index("56x84")
    words[at] = "14x14"
    assert run(capsys, words[0], *few, *words[3:]).code == 0
    assert [name for name, *_ in drawn.pop()] == ["before_and_after", "change_by_layer", "save"]
    assert run(capsys, words[0], *many, *words[3:]).code == 0
    (changed, (_, (shown, _), options)) = drawn.pop()
    assert changed[0] == "change_by_layer"
    assert (shown, options) == ({"change": "panel"}, {})


# --- screening


def test_screening(place: Place, tmp_path: Path, capsys: Said, drawn: Drawn) -> None:
    """The library's effects, value by value; what is strongest is said of each."""
    target, page = tmp_path / "a.npz", tmp_path / "a.html"
    charts: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "dino_core.figures.screening", lambda *a, **k: charts.append((a, k)) or {"chart": 1}
        )
        words = asked(place, target, "--screen", "heads", "--values", "own, zero", "--figure", page)
        ran = run(capsys, *words)
    same_calls(drawn.pop(), ("save", [{"chart": 1}, page], {}))
    with np.load(target) as file:
        arrays = dict(file)
    assert {name: one.shape for name, one in arrays.items()} == {
        "effect_cls": (2, 3, 3, 2),
        "effect_patches": (2, 3, 3, 2),
    }
    assert np.abs(arrays["effect_cls"][0]).max() < 1e-5, "own changes nothing"
    plan = Plan("heads", ("own", "zero"), 0)
    vit = place.backbone.vit
    units = plan.unit_names(vit)
    (((cls, patches), options),) = charts
    np.testing.assert_array_equal(cls, arrays["effect_cls"])
    np.testing.assert_array_equal(patches, arrays["effect_patches"])
    assert options == {"values": ("own", "zero"), "units": units}
    assert ran.out[0].startswith("own: mean effect on the class token ")
    mean = arrays["effect_cls"][1].mean(-1)
    block, unit = np.unravel_index(mean.argmax(), mean.shape)
    assert ran.out[1:] == [
        f"zero: mean effect on the class token {mean.mean():.4f}, most by {units[unit]} of block "
        f"{block}, {mean.max():.4f}",
        f"Effects -> {target} ({place.title})",
    ]


def test_the_usual_values_are_four(
    place: Place, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[Any] = []

    def references(args: Namespace, backbone: Any, *, measured: bool, needed: bool) -> None:
        asked_for.append((measured, needed))
        raise ValueError("That is all.")

    monkeypatch.setattr(whatif_screening, "References", references)
    for words, wanted in (
        ([], (True, True)),
        (["--values", "zero,own"], (False, False)),
        (["--values", "other"], (False, True)),
        (["--values", "noise"], (True, True)),
    ):
        ran = run(capsys, *asked(place, tmp_path / "a.npz", "--screen", "blocks", *words))
        assert ran.err == ["That is all."]
        assert asked_for.pop() == wanted
    assert whatif_screening.VALUES.split(",") == ["zero", "mean", "noise", "other"]


def test_words_on_what_a_screening_finds() -> None:
    change: Any = SimpleNamespace(before=0.5, change=np.array([[-0.25, 0.125]]))
    plan: Any = SimpleNamespace(parts="heads", values=("zero", "mean"))
    assert whatif_screening.accuracy_words(change, plan) == (
        "20-NN accuracy 50.0 %; after each change of heads from 25.0 to 62.5 %"
    )
    effect = np.zeros((2, 3, 2, 4))
    effect[0, 2, 1] = [0.1, 0.2, 0.3, 0.6]
    effect[1, 0, 0] = 0.9
    effect[1, 1, 1, 0] = 3.0
    assert whatif_screening.strongest({"effect_cls": effect}, plan, ["attention", "MLP"]) == [
        "zero: mean effect on the class token 0.0500, most by MLP of block 2, 0.3000",
        "mean: mean effect on the class token 0.2750, most by attention of block 0, 0.9000",
    ]


# --- export


def test_an_export_is_told_step_by_step(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def library(vit: str, to: str, path: Path, *, attention: bool, stage: Any) -> Any:
        calls.append((vit, to, path, attention))
        stage("Begun.")
        checks = [SimpleNamespace(size=(224, 196), difference=1.24e-6)]
        return SimpleNamespace(checks=checks, notes=["A note."], path=path / "x")

    def opened(*names: Any, **options: Any) -> Any:
        calls.append((names, options))
        return SimpleNamespace(vit="vit")

    monkeypatch.setattr("dino_core.weights.export.export_backbone", library)
    monkeypatch.setattr("dino_core.weights.load_backbone", opened)
    out = tmp_path / "out"
    words = ["--to", "onnx", "--output", out]
    ran = run(capsys, "export", "preview_vits14", *words)
    assert ran.err == ["Begun."]
    assert ran.out == [
        "196 x 224 px: equal to 1.2e-06 of the largest number",
        "A note.",
        f"onnx -> {out / 'x'}",
    ]
    assert calls == [(("preview_vits14",), {}), ("vit", "onnx", out, False)]
    calls.clear()
    more = ["--attention", "--heads", "3", "--position-grid", "2x4", "--branch", "b"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(capsys, "export", "~/file.pth", *words, *more).code == 0
    told = {"weights": tmp_path / "file.pth", "heads": 3, "grid": (2, 4), "branch": "b"}
    assert calls == [((), told), ("vit", "onnx", out, True)]


def test_the_weights_of_a_run(tmp_path: Path) -> None:
    """Finished ones first, else the newest checkpoint; the optimiser's memory is none."""
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(ValueError, match="has no weights yet"):
        export._weights_of_run(tmp_path)
    for name in ("step-2", "step-1", "step-3.optimiser", "other"):
        (tmp_path / "checkpoints" / f"{name}.safetensors").touch()
    newest = tmp_path / "checkpoints" / "step-2.safetensors"
    assert export._weights_of_run(tmp_path) == newest
    (tmp_path / "backbone.safetensors").touch()
    assert export._weights_of_run(tmp_path) == tmp_path / "backbone.safetensors"
