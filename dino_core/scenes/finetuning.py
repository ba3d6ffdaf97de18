"""What a fine-tuning's test says, and beside it what is known of the weights it began with."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dino_core.jobs import read_json
from dino_core.runs.folder import RunFolder

if TYPE_CHECKING:
    from dino_core.datasets import Pictures
    from dino_core.scenes.gallery_probes import Probe

# What of a report says nothing about anybody's classes.
PUBLIC = (
    *("part", "best_epoch", "counts", "skipped", "pictures", "confusion", "weights", "layers"),
    *("accuracy", "standard_error", "balanced_accuracy", "always_the_commonest"),
)
DAMAGED_REPORT = "The report of this run is damaged."


def report_of(folder: Path, with_files: bool) -> dict[str, Any]:
    """The test of a fine-tuning, and on which weights it stands.

    Names of files, and notes that may hold one, only for whom they belong to.
    """
    path = folder / "report.json"
    if not path.exists():
        raise ValueError("The test comes at the end of the fine-tuning.")
    report = read_json(path) or {}
    mistakes = report.get("mistakes")
    if not isinstance(mistakes, list) or not all(isinstance(one, dict) for one in mistakes):
        raise ValueError(DAMAGED_REPORT)
    report["layers"] = (folder / "layers.json").is_file()
    report["skipped"] = report.get("skipped", []) if with_files else []
    report["weights"] = _weights_sentence(
        read_json(folder / "config.json") or {}, with_notes=with_files
    )
    for i, mistake in enumerate(mistakes):
        mistake["number"] = i
        if not with_files:
            mistake.pop("file", None)
    return report


def without_class_names(report: dict[str, Any]) -> dict[str, Any]:
    """A report for other visitors: the names of somebody's classes become class 0, class 1, ...

    A name is what stands where a name is kept, whatever word it is; the sentence on how unequal the
    classes are is made anew, from the numbers.
    """
    from dino_core.finetuning.reports import imbalance_of

    try:
        classes = [str(one["name"]) for one in report["classes"]]
        public = {name: f"class {i}" for i, name in enumerate(classes)}
        values = {name: report[name] for name in PUBLIC if name in report}
        values["classes"] = [one | {"name": public[str(one["name"])]} for one in report["classes"]]
        values["mistakes"] = [_without_names(one, public) for one in report["mistakes"]]
        counts = report["balance"]["counts"]
        values["balance"] = imbalance_of({public[name]: int(n) for name, n in counts.items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError(DAMAGED_REPORT) from None
    return values


def _without_names(mistake: dict[str, Any], public: dict[str, str]) -> dict[str, Any]:
    shares = {public[name]: float(p) for name, p in mistake["probabilities"].items()}
    return {
        "number": mistake["number"],
        "true": public[mistake["true"]],
        "predicted": public[mistake["predicted"]],
        "probabilities": shares,
    }


def layer_probe(folder: Path) -> "Probe":
    """What each layer of the backbone as it came reads off a fine-tuning's own pictures.

    ValueError where nothing was judged: before that, or by a version that did not.
    """
    from dino_core.scenes.gallery_probes import Probe

    values = read_json(folder / "layers.json")
    if values is None:
        raise ValueError("The layers of this run have not been judged.")
    try:
        accuracy, low, high = (
            np.asarray(values[name], np.float32) for name in ("accuracy", "low", "high")
        )
        scene = Probe(
            accuracy=accuracy,
            low=low,
            high=high,
            chance=float(values["chance"]),
            pictures=int(values["pictures"]),
            complete=True,
            words=str(values["words"]),
        )
        shape = (len(accuracy), len(scene.kinds), len(scene.methods))
        if not len(accuracy) or {accuracy.shape, low.shape, high.shape} != {shape}:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError("What was noted of the layers of this run is damaged.") from None
    return scene


def _weights_sentence(config: dict[str, Any], *, with_notes: bool) -> str:
    """Which weights a fine-tuning began with, and what is known of them; "" where none noted it."""
    from dino_core.scenes.models import STANDINGS

    title, standing = config.get("weights"), STANDINGS.get(str(config.get("weights_standing")))
    notes = config.get("weights_notes") if with_notes else None
    notes = notes if isinstance(notes, list) else []
    if standing and standing.lower() in str(title).lower():
        standing = None  # the preview's title says it itself
    return ". ".join(str(one).rstrip(".") for one in (title, standing, *notes) if one)


def mistake_picture(folder: Path, number: int) -> bytes:
    """The picture of one wrong answer, as a small JPEG."""
    from dino_core.draw.encode import jpeg

    mistakes = report_of(folder, with_files=True)["mistakes"]
    if not 0 <= number < len(mistakes):
        raise ValueError("There is no such mistake.")
    name, pictures = mistakes[number].get("file"), pictures_of(folder)
    if name not in pictures.names:
        raise ValueError("The picture is no longer there.")
    return jpeg(pictures.picture(pictures.names.index(name)), 320)


def pictures_of(folder: Path) -> "Pictures":
    """What a run learned from, chosen and read as it did. ValueError where nobody can tell."""
    from dino_core.datasets import find_pictures

    setup = RunFolder(folder).read_config().get("setup")
    data = setup.get("data") if isinstance(setup, dict) else None
    if not isinstance(setup, dict) or not isinstance(data, str):
        raise ValueError("The configuration of this run is damaged.")
    include, exclude = (_names_in(setup.get(name)) for name in ("include", "exclude"))
    return find_pictures(
        data, include=include, exclude=exclude, stretch=setup.get("stretch") is True
    )


def _names_in(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
