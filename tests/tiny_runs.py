"""The smallest pictures and runs that the tests of training share."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from dino_core.config import (
    CropConfig,
    HeadConfig,
    LossConfig,
    MaskConfig,
    OptimConfig,
    ScheduleConfig,
    TrainConfig,
    ViTConfig,
)
from dino_core.runs.checkpoints import model_file
from dino_core.runs.folder import read_metrics
from dino_core.runs.presets import RunConfig
from dino_core.runs.sample_pictures import save_arrays
from dino_core.runs.setup import Setup
from dino_core.step.loader import generator_for
from dino_core.student_teacher import StudentTeacher

TRAIN = TrainConfig(
    vit=ViTConfig(dim=16, depth=2, heads=2, patch_size=4, image_size=16, drop_path=0.2),
    dino_head=HeadConfig(prototypes=12, hidden=20, bottleneck=8, linear_std=None),
    ibot_head=HeadConfig(prototypes=10, hidden=20, bottleneck=8, linear_std=None),
    crops=CropConfig(global_size=16, local_size=8, local_count=2, global_scale=(0.5, 1.0)),
    masks=MaskConfig(min_block=1),
    loss=LossConfig(centering="sinkhorn_knopp"),
    optim=OptimConfig(layer_decay=0.9),
    schedule=ScheduleConfig(
        epochs=8,
        epoch_length=1,
        batch_size=6,
        base_learning_rate=1e-2,
        warmup_epochs=2,
        teacher_temperature_epochs=4,
    ),
)
RUN = RunConfig(train=TRAIN, measure_every=2, checkpoint_every=2, milestones=2)


def differing_pair(config: TrainConfig) -> StudentTeacher:
    """Student and teacher that differ, so that no figure can be mistaken for another."""
    pair = StudentTeacher(config, generator=generator_for(0, "weights", 0))
    generator = generator_for(1, "weights", 0)
    with torch.no_grad():
        for parameter in pair.student.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return pair


def longer(steps: int, **changes: object) -> RunConfig:
    schedule = replace(TRAIN.schedule, epochs=steps)
    return replace(RUN, train=replace(TRAIN, schedule=schedule), **changes)


def setup(data: Path, run: RunConfig = RUN, **changes: object) -> Setup:
    return Setup(run=run, data=str(data), **{"threads": 1, **changes})


def picture(seed: int, colour: tuple[int, int, int] | None = None, side: int = 20) -> bytes:
    """A PNG of noise, around a colour where one is given."""
    noise = np.random.default_rng(seed).integers(0, 256, (side, side + 4, 3))
    if colour is not None:
        noise = 0.3 * noise + 0.7 * np.array(colour)
    file = BytesIO()
    Image.fromarray(noise.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def files(root: Path, contents: dict[str, bytes]) -> Path:
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def zipped(path: Path, contents: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def noise_folder(root: Path, count: int = 10) -> Path:
    return files(root, {f"{i:02}.png": picture(i) for i in range(count)})


COLOURS = {"blue": (20, 40, 220), "green": (30, 200, 40), "red": (220, 30, 30)}


def coloured(per_class: int = 12, prefix: str = "") -> dict[str, bytes]:
    """Classes that a linear classifier tells apart; the same file names in each."""
    return {
        f"{prefix}{name}/{i:02}.png": picture(100 * k + i, colour)
        for k, (name, colour) in enumerate(COLOURS.items())
        for i in range(per_class)
    }


def zip_bomb(path: Path) -> Path:
    return zipped(path, {"a.png": bytes(30 << 20)}, zipfile.ZIP_DEFLATED)


# How a visitor's zip may be wrong: what makes it, and what is said of it.
WRONG_ZIPS: list[tuple[Callable[[Path], Path], str]] = [
    (lambda path: zipped(path, {"../../evil.png": picture(0)}), "leads outside"),
    (lambda path: zipped(path, {"readme.txt": b"words"}), "has no pictures"),
    (zip_bomb, "would unpack to"),
    (lambda path: path.write_bytes(b"no zip at all") and path, "is no zip"),
    (lambda path: path.write_bytes(b"") or path, "is no zip"),
]


# --- what a run left behind


def final(folder: Path, steps: int = 8) -> dict[str, Tensor]:
    """Copied: what is mapped from a file changes with it."""
    tensors = load_file(model_file(folder / "checkpoints", steps))
    return {name: tensor.clone() for name, tensor in tensors.items()}


def step_lines(folder: Path) -> list[dict[str, Any]]:
    """What was noted after each step, without what milestones measured."""
    return [line for line in read_metrics(folder) if "loss" in line]


def losses(folder: Path) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in step_lines(folder)]


def even(loss: LossConfig) -> RunConfig:
    """Every crop has 4 masked patches: a mean of means is then the mean. No drop path."""
    masks = replace(TRAIN.masks, probability=1.0, ratio=(0.25, 0.25))
    vit = replace(TRAIN.vit, drop_path=0.0)
    schedule = replace(TRAIN.schedule, epochs=5)
    config = replace(TRAIN, loss=loss, masks=masks, vit=vit, schedule=schedule)
    return replace(RUN, train=config, checkpoint_every=5)


def compare(one: Path, other: Path, step: int = 5) -> None:
    """Every loss, gradient norm and measurement on the way, and the weights after so many steps."""
    lines, others = read_metrics(one), read_metrics(other)
    assert [line["step"] for line in lines] == [line["step"] for line in others]
    for line, second in zip(lines, others, strict=True):
        if "loss" not in line:  # k-NN at a milestone
            continue
        for name in ("loss", "terms", "logged"):
            assert second[name] == pytest.approx(line[name], abs=1e-5), (line["step"], name)
        norms = pytest.approx(line["gradient_norms"], rel=1e-5)
        assert second["gradient_norms"] == norms, line["step"]
    tensors, copies = final(one, step), final(other, step)
    assert list(tensors) == list(copies)
    for name, tensor in tensors.items():
        copy = copies[name]
        if name.endswith("attn.qkv.bias"):  # the keys' third has no gradient but rounding noise,
            tensor, copy = (t.reshape(3, -1)[[0, 2]] for t in (tensor, copy))
        # which AdamW makes as large as any other
        torch.testing.assert_close(copy, tensor, rtol=0, atol=1e-5, msg=name)


# --- runs in a process of their own, which can be killed


def run_there(
    folder: str, chosen: Setup | None, rank: int = 0, world: int = 1, port: int = 0
) -> None:
    """Starts a run, or goes on with it where none is given; as one of several processes."""
    import os

    from dino_core.runs.pretraining import train

    torch.set_num_threads(1)
    if world > 1:
        os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1")
        os.environ["MASTER_PORT"] = str(port)
    train(folder, chosen, resume=chosen is None)


def limited_run(folder: str, chosen: Setup, largest_file: int) -> None:
    """A run on a disk that takes no file larger than so many bytes."""
    import resource
    import sys

    from dino_core.runs.exit_codes import exit_code
    from dino_core.runs.pretraining import train

    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        train(folder, chosen)
    except Exception as error:
        sys.exit(exit_code(error))


def noted_run(
    folder: Path, preset: str, batch: int, kind: str = "pretraining", **more: Any
) -> Path:
    """What a run has noted after three steps, and nothing else of it."""
    folder.mkdir(parents=True)
    schedule = {"batch_size": batch, "epochs": 4}
    run = {"preset": preset, "train": {"schedule": schedule, "vit": {"dim": 48}}, **more}
    config = {
        "format": 1,
        "kind": kind,
        "preset": preset,
        "setup": {"run": run, "data": "/private/pictures.zip", "probes": ["/private/me.png"]},
        "pictures": {"count": 40, "fingerprint": "x"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    lines = [{"step": i, "loss": 5.0 - i, "seconds": 1.0} for i in range(3)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def kept_moment(
    folder: Path, moment: str, seed: int, **changes: np.ndarray
) -> dict[str, np.ndarray]:
    """A moment of a run with two pictures, as it lies in its folder."""
    rng = np.random.default_rng(seed)
    arrays = {
        "names": np.array(["/private/cat.jpg", "/private/dog.jpg"]),
        "pictures": rng.integers(0, 256, (2, 8, 8, 3)).astype(np.uint8),
        "attention": rng.random((2, 3, 4, 4)).astype(np.float32),
        "pca": rng.random((2, 4, 4, 3)).astype(np.float32),
        "features": rng.standard_normal((2, 4, 4, 6)).astype(np.float16),
    } | changes
    save_arrays(folder / "probes" / f"{moment}.npz", arrays)
    return arrays
