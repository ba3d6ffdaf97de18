"""What was asked for -> what a run is made of: its pictures, its weights, its configuration."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from PIL import Image

from dino_core.datasets import (
    Pictures,
    cifar10,
    cifar10_folder,
    find_pictures,
    sample_pictures,
)
from dino_core.evaluation import knn
from dino_core.images import open_picture
from dino_core.runs.folder import RunFolder
from dino_core.runs.option import Kind
from dino_core.runs.presets import RunConfig, from_plain, with_ready_heads
from dino_core.runs.pretrained_heads import (
    PREVIEW_HEADS,
    fitting_heads,
    heads_for,
)
from dino_core.runs.request import (
    BUNDLED_HEADS,
    CIFAR10,
    NEW_HEADS,
    SAMPLES,
    RunRequest,
    config_of,
    full_path,
    settled_for,
)
from dino_core.runs.tensorboard import check_installed
from dino_core.step.distributed import World
from dino_core.weights import Backbone, load_backbone


@dataclass(frozen=True)
class Setup:
    """What a run is made of; `config.json` holds it, and with it a run can be taken up again."""

    run: RunConfig
    data: str  # a folder or zip, or SAMPLES or CIFAR10
    include: tuple[str, ...] = ()  # see `datasets.find_pictures`; the samples are taken as they are
    exclude: tuple[str, ...] = ()
    stretch: bool = False
    download: bool = False  # may fetch CIFAR10
    model: str | None = None  # start from this backbone
    weights: str | None = None  # or from this file
    heads: str | None = None  # a file, BUNDLED_HEADS or NEW_HEADS; None: what fits the preset
    probes: tuple[str, ...] = ()  # pictures to look at, at each milestone
    knn: str | None = None  # a labelled folder or zip
    knn_per_class: tuple[int, int] = (500, 200)  # training and test pictures
    device: str = "cpu"
    threads: int = 0  # 0: as many as PyTorch takes
    workers: int = 0  # processes that make crops; 0: a thread
    tensorboard: bool = False  # event files beside metrics.jsonl
    gradient_shares: int = 0  # steps between looks at whose the gradients are; 0: never
    shard: bool = False  # each process keeps a share of the model, see `sharding.py`
    request: RunRequest | None = None  # as a person asked for it, where one did

    @classmethod
    def of(cls, request: RunRequest) -> Self:
        """ValueError for a preset there is not, or numbers that do not go together."""
        settled, same = settled_for(request, cls)
        return cls(run=config_of(settled), **same | {"request": settled})


AnySetup = TypeVar("AnySetup", bound=Setup)


def check_processes(setup: Setup, world: World) -> None:
    """ValueError for shards in a single process, for event files that nobody can write, and for
    gradients that no process has whole."""
    check_installed(setup.tensorboard)
    if setup.shard and setup.gradient_shares:
        raise ValueError(
            "--gradient-shares wants whole gradients, of which each process has only its share "
            "with --shard: leave one of the two out (a run that began with it goes on without by "
            "--resume --gradient-shares 0)."
        )
    if setup.shard and world.group is None:
        raise ValueError(
            "--shard shares the model out over several processes, but there is only this one: "
            "start them by torchrun --nproc-per-node N -m -- dino_core train, or leave --shard out "
            "(a run that began with it goes on without by --resume --no-shard)."
        )


def read_pictures(setup: Setup) -> Pictures:
    if setup.data == SAMPLES:
        return sample_pictures()
    if setup.data == CIFAR10:
        return cifar10(cifar10_folder(), setup.download).part("train")
    return find_pictures(
        setup.data, include=setup.include, exclude=setup.exclude, stretch=setup.stretch
    ).part("train")


def validated(setup: Setup) -> tuple[Setup, Pictures]:
    """Checks what can be checked before anything is written, and settles the architecture."""
    pictures = read_pictures(setup)
    check_readable(pictures, setup.data)
    config = setup.run
    backbone = start_weights(setup)
    if backbone is not None:
        vit = replace(
            backbone.vit.config,
            drop_path=config.train.vit.drop_path,
            fused_attention=config.train.vit.fused_attention,
        )
        config = replace(config, train=replace(config.train, vit=vit))
    elif config.needs_weights:
        raise ValueError(
            f"The preset {config.preset} goes on from weights: name them by --model or --weights."
        )
    crops = config.train.crops
    check_whole_patches((crops.global_size, crops.local_size), config.train.vit.patch_size)
    check_looked_at(setup)
    return with_heads(with_full_paths(replace(setup, run=config))), pictures


def check_readable(pictures: Pictures, data: str) -> None:
    """ValueError unless at least one is a picture: the run would be pointless."""
    for index in range(len(pictures)):
        try:
            pictures.picture(index)
            return
        except ValueError as error:
            reason = error
    raise ValueError(f"None of the pictures in {data} can be read. {reason}")


def check_whole_patches(sizes: tuple[int, ...], patch: int) -> None:
    for size in sizes:
        if size % patch:
            raise ValueError(f"Crops of {size} px are no multiple of the patch size {patch}.")


def check_looked_at(setup: Setup) -> None:
    """ValueError for what is to be looked at during the run, and cannot be."""
    labelled_set(setup)
    for name in setup.probes:
        read_probe(name)


def with_heads(setup: Setup) -> Setup:
    """Decides between new heads, which are warmed first, and ready ones.

    Ready are those of a file, and, for the preset continue, those that come with the backbone.
    """
    heads, config = setup.heads, setup.run
    if heads is None:
        ready = config.preset == "continue" and not setup.weights and heads_for(setup.model)
        heads = BUNDLED_HEADS if ready else NEW_HEADS
    if heads == NEW_HEADS:
        return replace(setup, heads=heads)
    fitting_heads(heads_file(heads), config.train)  # or says why not
    return replace(setup, heads=heads, run=with_ready_heads(config))


def heads_file(heads: str) -> str | Path:
    return PREVIEW_HEADS if heads == BUNDLED_HEADS else heads


def with_full_paths(setup: AnySetup) -> AnySetup:
    """So that the run can be taken up from another folder."""

    def full(name: str | None) -> str | None:
        return None if name is None else full_path(name)

    return replace(
        setup,
        data=str(full(setup.data)),
        weights=full(setup.weights),
        heads=full(setup.heads),
        knn=full(setup.knn),
        probes=tuple(full_path(name) for name in setup.probes),
    )


def as_config(
    setup: Setup, pictures: Pictures, world: World, kind: Kind = "pretraining"
) -> dict[str, Any]:
    """What config.json says."""
    return {
        "kind": kind,
        "preset": setup.run.preset,
        "steps": setup.run.steps,
        "setup": asdict(setup),
        "pictures": {"count": len(pictures), "fingerprint": pictures.fingerprint},
        "processes": world.size,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def stored_setup(run: RunFolder) -> Setup:
    return setup_in(run, Setup, "pretraining")


def setup_in(run: RunFolder, kind: type[AnySetup], word: Kind) -> AnySetup:
    """What the run in a folder is made of. ValueError where it is a run of another kind."""
    config = run.read_config()
    if config.get("kind") != word:
        raise ValueError(f"{run.path} is a run of another kind: {config.get('kind')}.")
    setup = from_plain(kind, config["setup"])
    return replace(setup, threads=setup.threads or config["threads"])


def check_same_pictures(run: RunFolder, pictures: Pictures) -> None:
    stored = run.read_config()["pictures"]
    if pictures.fingerprint != stored["fingerprint"]:
        raise ValueError(
            f"The pictures are not those that the run started with: {stored['count']} then, "
            f"{len(pictures)} now in {pictures.source}, or some were renamed or changed. Put them "
            f"back, or start a new run from the newest checkpoint with --weights."
        )


def start_weights(setup: Setup) -> Backbone | None:
    if setup.model is None and setup.weights is None:
        return None
    return load_backbone(setup.model, setup.weights)


def labelled_set(setup: Setup) -> knn.LabelledSet | None:
    if setup.knn is None:
        return None
    if setup.knn == CIFAR10:
        pictures = cifar10(cifar10_folder(), setup.download)
    else:
        pictures = find_pictures(setup.knn)
    return knn.LabelledSet.of(pictures, *setup.knn_per_class)


def read_probe(name: str) -> Image.Image:
    try:
        return open_picture(name)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
