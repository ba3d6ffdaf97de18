"""The smallest pictures and runs that the tests of training share."""

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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
from dino_core.training.presets import RunConfig
from dino_core.training.setup import Setup

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


# --- runs in a process of their own, which can be killed


def run_there(
    folder: str, chosen: Setup | None, rank: int = 0, world: int = 1, port: int = 0
) -> None:
    """Starts a run, or goes on with it where none is given; as one of several processes."""
    import os

    import torch

    from dino_core.training.pretrain import train

    torch.set_num_threads(1)
    if world > 1:
        os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1")
        os.environ["MASTER_PORT"] = str(port)
    train(folder, chosen, resume=chosen is None)


def limited_run(folder: str, chosen: Setup, largest_file: int) -> None:
    """A run on a disk that takes no file larger than so many bytes."""
    import resource
    import sys

    from dino_core.training.endings import exit_code
    from dino_core.training.pretrain import train

    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        train(folder, chosen)
    except Exception as error:
        sys.exit(exit_code(error))


def processes() -> Any:
    """Processes that start at once, from a server that has imported torch already."""
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dino_core.training.pretrain"])
    return context
