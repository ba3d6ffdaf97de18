"""`export`: a checkpoint or a run for another library, proven by that library."""

import argparse
import sys
from pathlib import Path
from typing import Any

from dino_core.cli.command import Option, add_command
from dino_core.cli.weights import checkpoint_options

TARGETS = ("official", "transformers", "timm", "onnx")


def add_parsers(commands: Any) -> None:
    add_command(commands, export, export_options)


def export_options(option: Option) -> None:
    option("checkpoint", metavar="CHECKPOINT_OR_RUN", help="a model by name, a file, or a run")
    option("--to", required=True, choices=TARGETS, help="who will read it")
    option("--output", required=True, type=Path, metavar="PATH", help="a file, or a new folder")
    checkpoint_options(option)
    option("--attention", action="store_true", help="onnx: also the class token's attention")


def export(args: argparse.Namespace) -> None:
    """Write a backbone for another library, which then proves that the numbers are the same.

    official      FILE.pth or FILE.safetensors with the official names
    transformers  a folder for AutoModel.from_pretrained, processor included
    timm          FILE.pth or FILE.safetensors for timm.create_model(..., checkpoint_path=FILE)
    onnx          FILE.onnx with free batch, height and width

    CHECKPOINT_OR_RUN is a model by name (see models), a checkpoint of any origin, or the folder of
    a run, whose finished weights or newest checkpoint is taken.
    """
    from dino_core.weights.export import export_backbone

    vit = _open(args)
    done = export_backbone(vit, args.to, args.output, attention=args.attention, stage=_say)
    for check in done.checks:
        height, width = check.size
        print(f"{width} x {height} px: equal to {check.difference:.1e} of the largest number")
    for note in done.notes:
        print(note)
    print(f"{args.to} -> {done.path}")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _open(args: argparse.Namespace) -> Any:
    from dino_core.weights import load_backbone
    from dino_core.weights.variants import VARIANTS

    asked: str = args.checkpoint
    if asked in {variant.name for variant in VARIANTS}:
        return load_backbone(asked).vit
    path = Path(asked).expanduser()
    if (path / "checkpoints").is_dir() or (path / "backbone.safetensors").is_file():
        path = _weights_of_run(path)
    said = {"heads": args.heads, "grid": args.position_grid, "branch": args.branch}
    return load_backbone(weights=path, **said).vit


def _weights_of_run(folder: Path) -> Path:
    """What came out of a run, or its newest checkpoint."""
    finished = folder / "backbone.safetensors"
    if finished.is_file():
        return finished
    found = sorted((folder / "checkpoints").glob("step-*.safetensors"))
    models = [path for path in found if not path.stem.endswith(".optimiser")]
    if not models:
        raise ValueError(f"The run {folder} has no weights yet.")
    return models[-1]
