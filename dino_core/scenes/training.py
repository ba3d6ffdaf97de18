"""The training screen: what can be started, and what the folder of a run has to show.

Nothing here imports torch before it is needed: runs can be listed and watched at once.
"""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dino_core.assets import SAMPLES
from dino_core.runs.charts import confusion_charts, curve_charts
from dino_core.runs.folder import (
    RunFolder,
    finite,
    is_alive,
    launch,
    list_runs,
    read_state,
    request,
    write_json,
)
from dino_core.runs.presets import PRESET_WORDS, PRESETS, find_preset

__all__ = [
    "ProbeScene",
    "Wanted",
    "arguments",
    "command_of",
    "confusion_charts",
    "curve_charts",
    "is_alive",
    "launch",
    "list_runs",
    "look_through",
    "metrics_from",
    "milestones",
    "mistake_picture",
    "preset_choices",
    "probe_scene",
    "read_state",
    "report_of",
    "request",
    "resume_arguments",
    "verdict_of",
    "weights_file",
    "write_json",
]

FIT = {"cpu": ("tiny", "continue", "heads"), "cuda": ("small", "continue", "heads", "tiny")}
LONGEST = 100_000  # steps a page may ask for
CHUNK = 2 * 2**20  # bytes of metrics in one answer
TAIL = 256 * 2**10  # bytes of metrics that a verdict needs
KEPT = (
    *(
        "step",
        "loss",
        "logged",
        "uniform",
        "gradient_norms",
        "measured",
        "knn",
        "matching",
        "stage",
    ),
    *("steps_per_second", "pictures_per_second", "data_wait", "seconds"),
    *("train_loss", "validation_loss", "validation_accuracy"),
)


# --- what can be started


@dataclass(frozen=True)
class Wanted:
    """A run as a person asked for it on the page. Paths come from the server, never from there."""

    kind: Literal["pretraining", "fine-tuning"]
    data: str  # a zip or folder, or "samples"
    preset: str = "tiny"
    steps: int = 400
    batch: int | None = None
    knn: bool = False
    part: Literal["head", "blocks", "all"] = "head"
    blocks: int = 2
    epochs: int | None = None
    model: str | None = None
    weights: str | None = None
    probes: tuple[str, ...] = ()
    seed: int = 0
    threads: int = 1
    device: str = "cpu"


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


def arguments(wanted: Wanted, folder: Path) -> list[str]:
    """The command that starts the run. ValueError in a sentence for what cannot be started."""
    shared = ["--run", str(folder), "--seed", str(wanted.seed), "--threads", str(wanted.threads)]
    shared += ["--device", wanted.device]
    if wanted.model:
        shared += ["--model", wanted.model]
    if wanted.weights:
        shared += ["--weights", wanted.weights]
    if wanted.probes:
        shared += ["--probe", *wanted.probes]
    if wanted.kind == "fine-tuning":
        return [*_tuning(wanted), *shared]
    preset = find_preset(wanted.preset)
    if wanted.preset not in FIT["cuda" if wanted.device.startswith("cuda") else "cpu"]:
        raise ValueError(
            f"The preset {wanted.preset} is too large for this machine: take its command along "
            f"and start it where the GPUs are."
        )
    if not 1 <= wanted.steps <= LONGEST:
        raise ValueError(
            f"A run from this page has 1 to {LONGEST:,} steps, not {wanted.steps:,}: choose fewer, "
            f"or start it from the command line."
        )
    if preset.needs_weights and not (wanted.model or wanted.weights):
        raise ValueError(f"The preset {wanted.preset} goes on from weights: choose a model.")
    chosen = ["--preset", wanted.preset, "--steps", str(wanted.steps)]
    if wanted.batch:
        chosen += ["--batch", str(wanted.batch)]
    if wanted.knn:
        chosen += ["--knn", wanted.data]
    return ["train", "--data", wanted.data, *chosen, *shared]


def _tuning(wanted: Wanted) -> list[str]:
    if wanted.data == "samples":
        raise ValueError("Fine-tuning wants labels: upload a zip with a folder for each class.")
    chosen = ["--train", wanted.part]
    if wanted.part == "blocks":
        chosen += ["--blocks", str(wanted.blocks)]
    if wanted.epochs:
        chosen += ["--epochs", str(wanted.epochs)]
    if wanted.batch:
        chosen += ["--batch", str(wanted.batch)]
    return ["finetune", "--data", wanted.data, *chosen]


def resume_arguments(folder: Path) -> list[str]:
    kind = RunFolder(folder).read_config().get("kind")
    command = "finetune" if kind == "fine-tuning" else "train"
    return [command, "--run", str(folder), "--resume"]


def look_through(path: Path) -> dict[str, Any]:
    """What is in a zip of pictures. ValueError in a sentence when it is refused."""
    from dino_core.datasets import find_pictures

    pictures = find_pictures(path)
    labels = pictures.labels or ()
    counts = [0] * len(pictures.classes)
    for label in labels:
        counts[label] += 1
    return {
        "pictures": len(pictures),
        "classes": dict(zip(pictures.classes, counts, strict=True)),
        "divided": pictures.splits is not None,
    }


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
    except FileNotFoundError:
        return {"lines": [], "next": 0, "mark": "", "anew": True, "more": False}
    whole = data[: data.rfind(b"\n") + 1]  # a line still being written comes next time
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
        except ValueError:
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def verdict_of(folder: Path) -> dict[str, str] | None:
    """What the library makes of the newest steps; waits for torch when nobody needed it before."""
    path = RunFolder(folder).metrics_file
    try:
        with path.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - TAIL, 0))
            lines = _parsed(file.read())
    except FileNotFoundError:
        return None
    from dino_core.step.metrics import diagnose

    found = diagnose(lines)
    return {"kind": found.kind, "words": found.message}


def milestones(folder: Path) -> list[str]:
    """Names of the moments at which the chosen pictures were looked at, in their order."""
    found = sorted(path.stem for path in RunFolder(folder).probes.glob("*.npz"))
    return sorted(found, key=("before", "after").index) if "before" in found else found


@dataclass(frozen=True)
class ProbeScene:
    """What the backbone of one milestone made of the chosen pictures."""

    pictures: np.ndarray  # [n, H, W, 3] uint8
    attention: np.ndarray  # [n, A, h, w] float32, last block, class token's row
    pca: np.ndarray  # [n, h, w, 3] uint8
    moment: str
    names: list[str]
    grid: tuple[int, int]
    heads: int


def probe_scene(folder: Path, moment: str) -> ProbeScene:
    """ValueError when there is no such moment."""
    if moment not in milestones(folder):
        raise ValueError("This run has nothing to show for that moment.")
    with np.load(RunFolder(folder).probes / f"{moment}.npz", allow_pickle=False) as arrays:
        attention = arrays["attention"].astype(np.float32)
        return ProbeScene(
            pictures=arrays["pictures"],
            attention=attention,
            pca=(255 * arrays["pca"].clip(0, 1)).round().astype(np.uint8),
            moment=moment,
            names=[Path(str(name)).stem for name in arrays["names"]],
            grid=(attention.shape[2], attention.shape[3]),
            heads=attention.shape[1],
        )


def report_of(folder: Path, with_files: bool) -> dict[str, Any]:
    """The test of a fine-tuning. Names of files only for whom they belong to."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ValueError("The test comes at the end of the fine-tuning.") from None
    report["skipped"] = report.get("skipped", []) if with_files else []
    for i, mistake in enumerate(report["mistakes"]):
        mistake["number"] = i
        if not with_files:
            del mistake["file"]
    return report


def mistake_picture(folder: Path, number: int) -> bytes:
    """The picture of one wrong answer, as a small JPEG."""
    from dino_core.datasets import find_pictures
    from dino_core.draw.encode import jpeg

    mistakes = report_of(folder, with_files=True)["mistakes"]
    if not 0 <= number < len(mistakes):
        raise ValueError("There is no such mistake.")
    pictures = find_pictures(RunFolder(folder).read_config()["setup"]["data"])
    name = mistakes[number]["file"]
    if name not in pictures.names:
        raise ValueError("The picture is no longer there.")
    return jpeg(pictures.picture(pictures.names.index(name)), 320)


def weights_file(folder: Path) -> Path | None:
    """What there is to take along: the finished weights, or else the newest checkpoint."""
    for name in ("backbone.safetensors", "model.safetensors"):
        if (folder / name).is_file():
            return folder / name
    found = sorted(RunFolder(folder).checkpoints.glob("step-*.safetensors"))
    models = [path for path in found if not path.stem.endswith(".optimiser")]
    tuned = (folder / "best.safetensors").is_file()  # there, a checkpoint is only good to go on
    return models[-1] if models and not tuned else None


def command_of(folder: Path, data: str = "pictures.zip") -> str:
    """The line that repeats a run, with `data` for the file that it learned from."""
    config = RunFolder(folder).read_config()
    setup = config["setup"]
    name = setup["data"] if setup["data"] in ("samples", "cifar10") else data
    if config["kind"] == "fine-tuning":
        words = ["finetune", "--data", name, "--train", setup["part"]]
        words += ["--blocks", str(setup["blocks"])] if setup["part"] == "blocks" else []
        words += ["--epochs", str(setup["epochs"]), "--batch", str(setup["batch_size"])]
        words += ["--size", str(setup["size"]), "--seed", str(setup["seed"])]
    else:
        run = setup["run"]
        schedule = run["train"]["schedule"]
        steps = schedule["epochs"] * schedule["epoch_length"]
        words = ["train", "--data", name, "--preset", run["preset"], "--steps", str(steps)]
        words += ["--batch", str(schedule["batch_size"]), "--seed", str(run["seed"])]
        words += ["--knn", name] if setup["knn"] else []
    words += ["--threads", str(config["threads"])]
    words += ["--model", setup["model"]] if setup["model"] else []
    words += ["--weights", Path(setup["weights"]).name] if setup["weights"] else []
    probes = [_short(probe) for probe in setup["probes"]]
    words += ["--probe", *probes] if probes else []
    return shlex.join(["python", "-m", "dino_core", *words, "--run", "runs/again"])


def _short(picture: str) -> str:
    path = Path(picture)
    return f"static/samples/{path.name}" if path.parent == SAMPLES else "picture.png"
