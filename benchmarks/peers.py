"""One picture from the command to the file, beside featlens and dinotool: PCA and attention.

Each command is a process of its own, from its start to its end, as a person waits for it. All see
the same picture at 518 x 518 px with the same weights, which lie on this disk:

    featlens    timm's ViT-S/14, from a folder as timm writes them (`local-dir:`); its only
                view of attention is a rollout through all layers. Ours is timed twice beside it: as
                what a person asks of either, where the class token looks in the last layer, and as
                the same rollout, for which there is no bar
    dinotool    torch.hub's dinov2_vits14, where the hub's folder has a few lines that hand out
                timm's model of the same weights, with fused attention, in place of the official
                code: nobody may download anything, and their proxies lead nowhere

The peers live in an environment of their own, which is asked for or looked for:

    python -m venv build/peers
    build/peers/bin/pip install "featlens[timm]==0.3.2" dinotool==0.4.0
    python -m benchmarks peers                    # INSIDE_DINOV2_PEERS=PYTHON names another
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from benchmarks.results import Result, Skipped
from benchmarks.timing import race
from dino_core.assets import SAMPLES
from dino_core.images import IMAGENET_MEAN, IMAGENET_STD
from dino_core.weights import load_backbone
from dino_core.weights.peers import timm_model, timm_state
from dino_core.weights.variants import PREVIEW

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = {"featlens": "0.3.2", "dinotool": "0.4.0"}
PICTURE = SAMPLES / "astronaut.jpg"  # square: nobody stretches it
SIDE = 518  # px
BARS = {"PCA": 0.55, "attention": 0.5}
NOWHERE = "http://127.0.0.1:9"  # a proxy that answers nobody

# What torch.hub finds in its folder: a model that answers as the official one does.
HUBCONF = """
dependencies = ["torch", "timm"]


def dinov2_vits14(pretrained=True):
    import timm

    model = timm.create_model({source!r}, pretrained=True, img_size={side}).eval()
    features = model.forward_features

    def forward_features(images):
        tokens = features(images)
        return {{"x_norm_clstoken": tokens[:, 0], "x_norm_patchtokens": tokens[:, 1:]}}

    model.forward_features = forward_features
    model.patch_size = 14
    return model
"""
Command = list[str]


def run(quick: bool) -> Iterator[Result]:
    python = peers_python()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = write_weights(folder / "timm", folder / "hub")
        environment = surroundings(folder)
        for what, commands in contests(python, f"local-dir:{weights}", folder).items():
            yield from contest(what, commands, folder, environment, seconds=1 if quick else 120)


def contests(python: str, source: str, folder: Path) -> dict[str, dict[str, Command]]:
    """For PCA and for attention, what each is called by, ours first. Each writes into `folder`."""
    ours = [sys.executable, "-m", "dino_core"]
    chosen = [str(PICTURE), "--model", PREVIEW, "--size", f"{SIDE}x{SIDE}"]
    lens, tool = (str(Path(python).with_name(name)) for name in VERSIONS)
    attention = [
        *(lens, "--models", f"timm:{source}", "--images", str(PICTURE), "--mode", "attention"),
        *("--img-size", str(SIDE), "--device", "cpu"),
        *("--out", str(folder / "featlens" / "attention.png")),
    ]

    def to(name: str) -> Command:
        return ["--output", str(folder / "ours" / name)]

    return {
        "PCA": {
            "ours": [*ours, "pca", *chosen, *to("pca")],
            "featlens": [
                *(lens, "--models", f"timm:{source}", "--layers", "-1", "--images", str(PICTURE)),
                *("--mode", "visualize", "--img-size", str(SIDE), "--device", "cpu"),
                *("--out", str(folder / "featlens" / "pca.png")),
            ],
            "dinotool": [
                *(tool, str(PICTURE), "--model-name", "dinov2_vits14", "--only-pca", "--force"),
                *("--input-size", str(SIDE), str(SIDE)),
                *("--output", str(folder / "dinotool" / "pca.png")),
            ],
        },
        "attention": {
            "ours": [*ours, "attention", *chosen, "--layer", "-1", *to("attention")],
            "featlens": attention,
        },
        "rollout": {
            "ours": [*ours, "rollout", *chosen, *to("rollout")],
            "featlens": attention,
        },
    }


def contest(
    what: str,
    commands: Mapping[str, Command],
    folder: Path,
    environment: Mapping[str, str],
    *,
    seconds: float,
) -> Iterator[Result]:
    """Ours beside each of the others. One that cannot run here is named, with the reason."""
    calls: dict[str, Callable[[], object]] = {}
    reasons = {}
    for name, command in commands.items():
        (folder / name).mkdir(exist_ok=True)
        try:
            call(command, folder, environment)
        except Skipped as reason:
            reasons[name] = str(reason)
            continue
        if not any((folder / name).rglob("*.png")):
            reasons[name] = "it has written no picture"
            continue
        calls[name] = lambda command=command: call(command, folder, environment)  # type: ignore[misc]
    if "ours" in reasons:
        raise RuntimeError(f"Our own command failed: {reasons['ours']}")
    times = race(calls, seconds, wall=True) if len(calls) > 1 else None
    for name in list(commands)[1:]:
        if name in reasons or times is None:
            print(f"  {what}, {name} {VERSIONS[name]} skipped: {reasons[name]}", flush=True)
            continue
        yield Result(
            name=f"{what} of a picture, command to file",
            value=times.ratio("ours", name),
            unit=f"of {name} {VERSIONS[name]}",
            at_most=BARS.get(what),
            note=times.note("ours", name),
        )


def call(command: Command, folder: Path, environment: Mapping[str, str]) -> None:
    """Runs a command to its end. Skipped, with its last words, where it fails."""
    try:
        subprocess.run(
            command, cwd=folder, env=dict(environment), capture_output=True, check=True, timeout=600
        )
    except FileNotFoundError:
        raise Skipped(f"there is no {Path(command[0]).name} in its environment") from None
    except subprocess.TimeoutExpired:
        raise Skipped("it was not done within 10 minutes") from None
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="replace").strip().splitlines()
        raise Skipped(f"it failed: {words[-1] if words else error.returncode}") from None


# --- what they need


def peers_python() -> str:
    """The Python of the peers' environment. Skipped where there is none."""
    named = os.environ.get("INSIDE_DINOV2_PEERS", "")
    python = named or str(ROOT / "build" / "peers" / "bin" / "python")
    if not Path(python).is_file():
        wanted = " ".join(f"{name}=={version}" for name, version in VERSIONS.items())
        raise Skipped(
            f"there is no {named or 'build/peers'}: make an environment with {wanted}, and name "
            "its Python in INSIDE_DINOV2_PEERS"
        )
    return python


def write_weights(folder: Path, hub: Path) -> Path:
    """The preview's weights as timm keeps a model in a folder, and as torch.hub finds it."""
    backbone = load_backbone(PREVIEW)
    name, _ = timm_model(backbone.vit)
    folder.mkdir()
    tensors = {key: value.contiguous() for key, value in timm_state(backbone.vit).items()}
    save_file(tensors, folder / "model.safetensors")
    facts = {
        "architecture": name,
        "num_classes": 0,
        "pretrained_cfg": {
            "input_size": [3, SIDE, SIDE],
            "mean": list(IMAGENET_MEAN),
            "std": list(IMAGENET_STD),
            "num_classes": 0,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
        },
    }
    (folder / "config.json").write_text(json.dumps(facts), encoding="utf-8")
    checkout = hub / "hub" / "facebookresearch_dinov2_main"
    checkout.mkdir(parents=True)
    lines = HUBCONF.format(source=f"local-dir:{folder}", side=SIDE)
    (checkout / "hubconf.py").write_text(lines, encoding="utf-8")
    return folder


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of every command: so many threads, one processor, no way out."""
    threads = str(torch.get_num_threads())
    return os.environ | {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "CUDA_VISIBLE_DEVICES": "",
        "TORCH_HOME": str(folder / "hub"),
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(ROOT),
        "http_proxy": NOWHERE,
        "https_proxy": NOWHERE,
    }
