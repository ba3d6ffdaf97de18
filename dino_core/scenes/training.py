"""The training screen: what can be started, and what the folder of a run has to show.

Nothing here imports torch before it is needed: runs can be listed and watched at once.
"""

import json
import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from dino_core.assets import SAMPLES
from dino_core.distillation import verdict
from dino_core.jobs import number_in
from dino_core.runs.charts import confusion_charts, curve_charts, share_charts
from dino_core.runs.experiments import EXCLUSIVE, EXPERIMENTS, titles_of
from dino_core.runs.folder import RunFolder, finite
from dino_core.runs.history import sentence as history_sentence
from dino_core.runs.notes import read_notes, write_notes
from dino_core.runs.presets import PRESET_WORDS, PRESETS
from dino_core.runs.request import NO_PATHS, RunRequest
from dino_core.runs.request_io import stored_request
from dino_core.runs.students import RECIPES, Recipe, words_of
from dino_core.step.diagnosis import Diagnosis, diagnose

__all__ = [
    "RECIPES",
    "check_heads",
    "command_of",
    "confusion_charts",
    "curve_charts",
    "experiment_choices",
    "history_of",
    "kept_steps",
    "metrics_from",
    "moment_words",
    "preset_choices",
    "read_notes",
    "share_charts",
    "student_choices",
    "switches_of",
    "titles_of",
    "verdict_of",
    "weights_at",
    "weights_file",
    "write_notes",
]

FIT = {"cpu": ("tiny", "continue", "heads"), "cuda": ("small", "continue", "heads", "tiny")}
STEP = re.compile(r"step-(\d{8,})\.safetensors")
FIT_TO_TEACH = {
    "cpu": ("photos", "light", "tiny", "demo"),
    "cuda": ("photos", "light", "small", "tiny", "demo"),
}
CHUNK = 2 * 2**20  # bytes of metrics in one answer
TAIL = 256 * 2**10  # bytes of metrics that a verdict needs
KEPT = (
    *(
        "step",
        "loss",
        "logged",
        "uniform",
        "gradient_norms",
        "agreement",
        "measured",
        "knn",
        "patch_knn",
        "piece_knn",
        "matching",
        "patch_cosine",
        "stage",
    ),
    *("steps_per_second", "pictures_per_second", "data_wait", "seconds"),
    *("train_loss", "validation_loss", "validation_accuracy"),
)


# --- what can be started


def preset_choices(device: str) -> list[dict[str, Any]]:
    """Every preset, those that fit this machine first."""
    fit = FIT["cuda" if device.startswith("cuda") else "cpu"]
    names = [*fit, *(name for name in PRESETS if name not in fit)]
    return [
        {
            "name": name,
            "words": PRESET_WORDS[name],
            "steps": PRESETS[name].steps,
            "batch": PRESETS[name].batch_size,
            "needs_weights": PRESETS[name].needs_weights,
            "fits": name in fit,
        }
        for name in names
    ]


def student_choices(device: str, recipe: Recipe = "features") -> list[dict[str, Any]]:
    """Every student of a distillation, those that fit this machine first."""
    fit, students = FIT_TO_TEACH["cuda" if device.startswith("cuda") else "cpu"], RECIPES[recipe]
    names = [*fit, *(name for name in students if name not in fit)]
    return [
        {
            "name": name,
            "words": words_of(name, recipe),
            "steps": students[name].steps,
            "batch": students[name].batch_size,
            "needs_weights": True,  # the teacher's
            "fits": name in fit,
        }
        for name in names
    ]


def check_heads(request: RunRequest) -> None:
    """ValueError for a distillation by prototypes whose teacher has no heads, or other patches
    than its student; in it a file has no folder."""
    from dino_core.distillation import heads
    from dino_core.distillation.setup import DistilSetup

    setup = DistilSetup.of(request)
    try:
        heads.with_heads_of(setup, heads.load_teacher(setup)[1])
    except ValueError as error:
        teacher = Path(request.teacher or "")
        raise ValueError(str(error).replace(str(teacher), teacher.name)) from None


def experiment_choices() -> list[dict[str, Any]]:
    """Every switch of an experiment, what it should do, and which others it excludes."""
    return [
        {
            "name": name,
            "title": one.title,
            "words": one.words,
            "excludes": [o for pair in EXCLUSIVE if name in pair for o in pair if o != name],
        }
        for name, one in EXPERIMENTS.items()
    ]


# --- what a run's folder shows


def metrics_from(folder: Path, start: int = 0, mark: str = "") -> dict[str, Any]:
    """The lines of metrics.jsonl from a byte on, and where to go on reading.

    `mark` names the file that `start` counts in. A run that goes on writes a new one without the
    steps that come again: then everything is sent anew, and `anew` says so.
    """
    path = RunFolder(folder).metrics_file
    try:
        with path.open("rb") as file:
            here = str(os.fstat(file.fileno()).st_ino)
            anew = mark != here or start > os.fstat(file.fileno()).st_size
            file.seek(0 if anew else start)
            data = file.read(CHUNK)
    except OSError:
        return {"lines": [], "next": 0, "mark": "", "anew": True, "more": False}
    whole = data[: data.rfind(b"\n") + 1]  # a line still being written comes next time
    if not whole and len(data) == CHUNK:  # no line is so long: the file is damaged here
        whole = data
    return {
        "lines": [compact(line) for line in _parsed(whole)],
        "next": (0 if anew else start) + len(whole),
        "mark": here,
        "anew": anew,
        "more": len(data) == CHUNK,
    }


def compact(line: dict[str, Any]) -> dict[str, Any]:
    """What curves need of a line, in as many digits as a screen shows."""
    kept = {name: line[name] for name in KEPT if line.get(name) is not None}
    if line.get("gradient_shares"):
        kept["gradient_shares"] = True  # that there are some: `share_charts` draws them
    return finite(_rounded(kept))


def _rounded(value: Any) -> Any:
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return value


def _parsed(data: bytes) -> list[dict[str, Any]]:
    lines = []
    for raw in data.split(b"\n"):
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and number_in(line, "step") is not None:
            lines.append(line)
    return lines


def verdict_of(folder: Path) -> dict[str, str] | None:
    """What the library makes of the newest steps."""
    path = RunFolder(folder).metrics_file
    try:
        with path.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - TAIL, 0))
            lines = _parsed(file.read())
    except OSError:
        return None
    try:
        found = diagnosis(lines)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None  # lines that no run wrote so
    return {"kind": found.kind, "words": found.message}


def diagnosis(lines: list[dict[str, Any]]) -> Diagnosis | verdict.Diagnosis:
    if any("agreement" in line for line in lines):  # a distillation by features
        return verdict.diagnose(lines)
    return diagnose(lines)


def switches_of(folder: Path) -> str:
    """What is switched in the experiment that a run is, for a sentence; "" where it is none."""
    try:
        request = stored_request(RunFolder(folder).read_config())
    except ValueError:
        return ""
    return "" if request is None else titles_of(request.experiment)


def history_of(folder: Path) -> list[str]:
    """What was mended in a run, a sentence each; what no run wrote so is left out."""
    found = []
    try:
        entries = RunFolder(folder).read_config().get("history", [])
    except ValueError:
        return []
    for entry in entries if isinstance(entries, list) else []:
        with suppress(KeyError, TypeError, AttributeError):
            found.append(history_sentence(entry))
    return found


def weights_file(folder: Path) -> Path | None:
    """What there is to take along: the finished weights, or else the newest checkpoint."""
    for name in ("backbone.safetensors", "model.safetensors"):
        if (folder / name).is_file():
            return folder / name
    kept = kept_steps(folder)
    return weights_at(folder, kept[-1]) if kept else None


def kept_steps(folder: Path) -> list[int]:
    """The steps of which a run still has the weights, oldest first."""
    if (folder / "best.safetensors").is_file():  # of a fine-tuning: only good to go on
        return []
    found = RunFolder(folder).checkpoints.glob("step-*.safetensors")
    return sorted(int(match[1]) for path in found if (match := STEP.fullmatch(path.name)))


def weights_at(folder: Path, step: int | None) -> Path | None:
    """The weights of a step, or without one what came out last; None where they are not kept."""
    if step is None:
        return weights_file(folder)
    path = RunFolder(folder).checkpoints / f"step-{step:08}.safetensors"
    return path if step in kept_steps(folder) else None


def moment_words(weights: Path) -> str:
    """What a run's file of weights is of."""
    match = STEP.fullmatch(weights.name)
    return f"step {int(match[1])}" if match else "finished"


def command_of(folder: Path, data: str = "pictures.zip") -> str:
    """The line that repeats a run, with `data` for the file that it learned from.

    "" for a run that no command began. Files of this machine are named without their folders.
    """
    request = stored_request(RunFolder(folder).read_config())
    if request is None:
        return ""

    def name(path: str | None) -> str | None:
        return None if path is None else Path(path).name

    return replace(
        request,
        data=request.data if request.data in NO_PATHS else data,
        folder="runs/again",
        knn=request.knn and (request.knn if request.knn in NO_PATHS else data),
        weights=name(request.weights),
        heads=name(request.heads),
        teacher=name(request.teacher),
        probes=tuple(_short(probe) for probe in request.probes),
    ).command()


def _short(picture: str) -> str:
    path = Path(picture)
    return f"static/samples/{path.name}" if path.parent == SAMPLES else "picture.png"
