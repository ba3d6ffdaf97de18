"""The command line: pictures in, arrays (NPZ) and pictures (PNG) out.

    python -m dino_core features cat.jpg --output cat.npz
    python -m dino_core attention cat.jpg --layer -1 --query 12,20 --output attention/
    python -m dino_core pca cat.jpg dog.jpg --preset dinov2-notebook --output pca/
    python -m dino_core crops cat.jpg --seed 3 --output crops/
    python -m dino_core masks --grid 16x16 --ratio 0.3 --count 100 --seed 0 --output masks.npz
    python -m dino_core models

Nothing is computed here: every command reads, asks the library, and writes. Exit code 0 when done,
2 for a mistake that is said in words on standard error, 130 when interrupted.

Modules that take time to import, torch above all, are imported by the commands that need them, so
that `--help` and `models` answer at once.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, PCA_PRESETS, CropConfig, MaskConfig

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from dino_core.analysis.inspection import Inspection
    from dino_core.images import Fitted
    from dino_core.weights import Backbone

SHORT_SIDE = 518  # px: the size that the released models' positions were learned at
BLUR = {"as-run": BLUR_AS_RUN, "as-written": BLUR_AS_WRITTEN}

Size = int | tuple[int, int] | Literal["native"]  # short side, (height, width), or as it is


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code. argparse's own errors exit with 2 as well."""
    args = build_parser().parse_args(argv)
    try:
        args.run(args)
    except KeyboardInterrupt:
        return fail("Stopped.", 130)
    except ValueError as error:
        return fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return fail(f"{where}{error.strerror or error}.")
    except (MemoryError, RuntimeError) as error:  # PyTorch says RuntimeError when memory is short
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return fail("There is not enough memory for this: choose a smaller --size or --model.")
    return 0


def fail(sentence: str, code: int = 2) -> int:
    print(sentence, file=sys.stderr)
    return code


# --- what can be asked


def build_parser() -> argparse.ArgumentParser:
    started_as_module = Path(sys.argv[0]).name == "__main__.py"
    parser = argparse.ArgumentParser(
        prog="python -m dino_core" if started_as_module else None,
        description="See what happens inside DINOv2: features, attention, crops, masks.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser
    command = add("features", help="class token, registers, patches and attention as arrays")
    command.set_defaults(run=features)
    command.add_argument("images", nargs="+", metavar="IMAGE")
    add_output(
        command,
        "one .npz file for all pictures, which must then have one size; with {name} in it, a file "
        "for each picture, named after it; without .npz, a folder with such files",
    )
    add_model_options(command)

    command = add("attention", help="what one query attends to in every head of a layer")
    command.set_defaults(run=attention)
    command.add_argument("image", metavar="IMAGE")
    add_layer(command, required=True)
    command.add_argument(
        "--query", type=patch, metavar="ROW,COL", help="a patch, from 0,0; else the class token"
    )
    add_output(command, "folder for the pictures and attention.npz", metavar="DIR")
    add_model_options(command)

    command = add("pca", help="patch features as colours, one PCA for all pictures")
    command.set_defaults(run=pca)
    command.add_argument("images", nargs="+", metavar="IMAGE")
    add_layer(command, required=False)
    command.add_argument("--preset", choices=PCA_PRESETS, default="paper", help="default: paper")
    command.add_argument("--flip", action="store_true", help="take the other side as foreground")
    add_output(command, "folder for a .png and a .npz of each picture", metavar="DIR")
    add_model_options(command)

    command = add("crops", help="the global and local crops of a picture")
    command.set_defaults(run=crops)
    command.add_argument("image", metavar="IMAGE")
    add_seed(command)
    command.add_argument("--locals", type=count, default=CropConfig.local_count, metavar="L")
    command.add_argument("--blur", choices=BLUR, default="as-run", help="default: as-run")
    add_output(command, "folder for the crops, boxes.png and crops.json", metavar="DIR")

    command = add("masks", help="block masks for iBOT")
    command.set_defaults(run=masks)
    command.add_argument("--grid", type=grid, default=(16, 16), metavar="HxW", help="patches")
    command.add_argument("--ratio", type=ratio, default=0.3, help="share hidden, 0 to 1")
    command.add_argument("--count", type=count, default=1, metavar="N")
    add_seed(command)
    add_output(command, "a .npz file")

    command = add("models", help="which models there are, and whose weights are on this disk")
    command.set_defaults(run=models)
    command.add_argument("--download", metavar="NAME", help="fetch the weights of this model")
    return parser


def add_output(command: argparse.ArgumentParser, help: str, metavar: str = "FILE.npz") -> None:
    command.add_argument("--output", required=True, metavar=metavar, help=help)


def add_layer(command: argparse.ArgumentParser, required: bool) -> None:
    words = "block, counted from 0; negative from the end: -1 is the last"
    command.add_argument("--layer", type=int, required=required, default=-1, help=words)


def add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=count, default=0, metavar="S", help="default: 0")


def add_model_options(command: argparse.ArgumentParser) -> None:
    option = command.add_argument
    option("--model", metavar="NAME", help="see the command models; default: what is on this disk")
    option("--weights", metavar="FILE", help="a checkpoint of your own instead")
    option("--heads", type=int, metavar="A", help="of a checkpoint that does not say it")
    option(
        "--size",
        type=size,
        help=f"native: as it is; 518: short side in px; 224x336: height x width "
        f"(default: {SHORT_SIDE}, or the size of the preset)",
    )
    option(
        "--fit",
        choices=("resize", "pad", "crop"),
        default="resize",
        help="how the picture comes to whole patches (default: resize, a little stretched)",
    )
    option("--device", default="cpu", help="cpu (default), cuda, cuda:1, mps")
    option("--dtype", choices=("float32", "bfloat16"), default="float32")


# --- words -> values


def size(text: str) -> Size:
    if text == "native":
        return "native"
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither native, nor N, nor HEIGHTxWIDTH")
    first, second = match.groups()
    return (int(first), int(second)) if second else int(first)


def grid(text: str) -> tuple[int, int]:
    return two_numbers(text, "x", "a grid such as 16x16")


def patch(text: str) -> tuple[int, int]:
    return two_numbers(text, ",", "a patch such as 3,7 (row, column)")


def two_numbers(text: str, between: str, wanted: str) -> tuple[int, int]:
    match = re.fullmatch(rf"(\d+){between}(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
    return int(match[1]), int(match[2])


def count(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


# --- the commands


def features(args: argparse.Namespace) -> None:
    """Per picture: cls [D], registers [R, D], patches [h, w, D] after the final norm, and
    cls_attention [layers, heads, h, w], the patch part of the class token's softmax rows."""
    one_file = args.output.endswith(".npz") and "{name}" not in args.output
    if one_file:
        targets = [Path(args.output)]
    else:
        pattern = args.output if "{name}" in args.output else f"{args.output}/{{name}}.npz"
        names = picture_names(args.images)
        targets = [Path(pattern.replace("{name}", name)).with_suffix(".npz") for name in names]
    backbone = load(args)

    def seen_in(path: str) -> dict[str, "np.ndarray"]:
        seen = look(backbone, fit(path, args, backbone))
        return {
            "cls": array(seen.normed[0]),
            "registers": array(seen.normed[1 : seen.first_patch]),
            "patches": array(seen.normed[seen.first_patch :].unflatten(0, seen.grid)),
            "cls_attention": array(seen.on_grid(seen.cls_rows())),
        }

    if one_file:
        check_same_size(args, backbone)
        save(targets[0], [seen_in(path) for path in with_progress(args.images)])
    else:
        for path, target in zip(with_progress(args.images), targets, strict=True):
            save(target, [seen_in(path)])
    report(backbone, targets)


def attention(args: argparse.Namespace) -> None:
    """attention.npz: rows [heads, tokens], attention [heads, h, w] (their patch part), entropy
    [heads] in nats. PNG: every head over the picture, from 0 to its own largest value, and the
    mean of the heads."""
    from dino_core.analysis.attention import entropy
    from dino_core.draw.pictures import contact_sheet

    backbone = load(args)
    fitted = fit(args.image, args, backbone)
    layer = from_end(args.layer, backbone)
    seen = look(backbone, fitted)
    token = seen.token_at(*args.query) if args.query else 0
    rows = seen.rows(token)[layer].float()  # [A, N]
    maps = array(seen.on_grid(rows))  # [A, h, w]

    folder = make_folder(args.output)
    heads = [over_picture(values, fitted, args.query) for values in maps]
    pictures = {f"head_{head:02}": heads[head] for head in range(len(heads))}
    pictures["mean"] = over_picture(maps.mean(0), fitted, args.query)
    pictures["heads"] = contact_sheet(heads, columns=6)
    arrays = {"rows": array(rows), "attention": maps, "entropy": array(entropy(rows))}
    save(folder / "attention.npz", [arrays], stacked=False)
    report(backbone, [folder / "attention.npz", *save_pictures(folder, pictures)])


def pca(args: argparse.Namespace) -> None:
    """For each picture a PNG of its colours and an NPZ: colours [h, w, 3], foreground [h, w],
    scores [h, w, k] and first [h, w] of every patch, and the PCA that all pictures share: mean
    [D], components [k, D], variance [k], ratio [k]."""
    from dino_core.analysis.pca import colour_features
    from dino_core.draw.pictures import enlarge, to_bytes

    config = replace(PCA_PRESETS[args.preset], flip=args.flip)
    names = picture_names(args.images)
    args.size = args.size or config.short_side
    backbone = load(args)
    layer = from_end(args.layer, backbone)
    patches, grids = [], []
    for path in with_progress(args.images):
        seen = look(backbone, fit(path, args, backbone))
        patches.append(seen.patches(layer).float())
        grids.append(seen.grid)
    result = colour_features(patches, grids, config)

    folder = make_folder(args.output)
    shared = {name: array(value) for name, value in vars(result.pca).items()}
    written = []
    for name, view in zip(names, result.pictures, strict=True):
        arrays = {name: array(value) for name, value in vars(view).items()}
        save(folder / f"{name}.npz", [shared | arrays], stacked=False)
        colours = enlarge(to_bytes(arrays["colours"]), backbone.vit.config.patch_size)
        written += [folder / f"{name}.npz", *save_pictures(folder, {name: colours})]
    if result.note:
        print(result.note, file=sys.stderr)
    report(backbone, written)


def crops(args: argparse.Namespace) -> None:
    """A PNG of each crop, the boxes on the picture, and crops.json with every decision."""
    import torch

    from dino_core.crops import sample_crops
    from dino_core.draw.colours import crop_colour
    from dino_core.draw.pictures import draw_boxes

    picture = read(args.image)
    config = CropConfig(local_count=args.locals, blur_probability=BLUR[args.blur])
    drawn = sample_crops(picture, config, torch.Generator().manual_seed(args.seed))
    colours = [crop_colour(crop.kind, crop.index) for crop in drawn]
    pictures = {f"{crop.kind}_{crop.index}": crop.pixels for crop in drawn}
    decisions = [{"file": f"{crop.kind}_{crop.index}.png", **crop.as_dict()} for crop in drawn]
    for decision in decisions:
        decision["flip"] = decision.pop("flipped")
    facts = {"picture": args.image, "seed": args.seed, "blur": args.blur, "crops": decisions}

    folder = make_folder(args.output)
    boxes = draw_boxes(picture, [crop.box for crop in drawn], colours)
    save_pictures(folder, pictures | {"boxes": boxes})
    (folder / "crops.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{len(drawn)} crops in {folder}")


def masks(args: argparse.Namespace) -> None:
    """masks: bool [N, h, w], true where hidden. Each aims at int(h * w * ratio) patches."""
    import torch

    from dino_core.masks import sample_block_mask

    h, w = args.grid
    target = int(h * w * args.ratio)
    generator = torch.Generator().manual_seed(args.seed)
    drawn = [
        sample_block_mask(args.grid, target, MaskConfig(), generator) for _ in range(args.count)
    ]
    hidden = torch.stack([one.mask for one in drawn])
    save(Path(args.output), [{"masks": hidden.numpy()}], stacked=False)
    mean = hidden.sum((1, 2)).double().mean().item()
    print(f"{len(drawn)} masks in {args.output}: {target} of {h * w} wanted, {mean:.1f} hidden")


def models(args: argparse.Namespace) -> None:
    """The catalogue, or one download."""
    from dino_core.weights import catalogue, default_model

    if args.download:
        print(download(args.download))
        return
    default = default_model()
    for variant in catalogue():
        config = variant.config
        print(f"{variant.name}{' (default)' if variant.name == default else ''}")
        print(f"    {variant.title}: {variant.parameters:,} parameters, width {config.dim}, ", end="")
        print(f"{config.depth} blocks, {config.heads} heads, {config.registers} registers")
        if variant.path:
            print(f"    on disk: {variant.path}")
        else:
            print(f"    not on disk: {variant.megabytes} MB from {variant.url}")
        print(f"    source: {variant.source}; licence: {variant.licence}")


def download(name: str) -> Path:
    """One model from its publisher, with a progress bar."""
    from tqdm import tqdm

    from dino_core.weights import download

    with tqdm(desc=name, unit="B", unit_scale=True, unit_divisor=1000) as bar:

        def progress(received: int, total: int | None) -> None:
            bar.total = total
            bar.update(received - bar.n)

        return download(name, progress=progress)


# --- reading


def load(args: argparse.Namespace) -> "Backbone":
    import torch

    from dino_core.weights import load_backbone

    dtype = getattr(torch, args.dtype)
    return load_backbone(
        args.model, args.weights, device=args.device, dtype=dtype, heads=args.heads
    )


def read(path: str) -> "Image":
    """An RGB picture; what is wrong with a file is said with its name."""
    from dino_core.images import open_picture

    try:
        return open_picture(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def fit(path: str, args: argparse.Namespace, backbone: "Backbone") -> "Fitted":
    """The picture in whole patches, as --size and --fit want it."""
    from dino_core.images import fit_to_patches

    picture, side = read(path), backbone.vit.config.patch_size
    wanted: Size = args.size or SHORT_SIDE
    if wanted == "native":
        wanted, given = (picture.height, picture.width), f"{path} as it is"
    else:
        given = "--size"
    if isinstance(wanted, tuple) and (wanted[0] % side or wanted[1] % side):
        near = "x".join(str(max(round(length / side), 1) * side) for length in wanted)
        raise ValueError(
            f"{given} has {wanted[0]}x{wanted[1]} px (height x width), but both must be multiples "
            f"of the patch size {side}: try --size {near}."
        )
    return fit_to_patches(picture, side, wanted, args.fit)


def check_same_size(args: argparse.Namespace, backbone: "Backbone") -> None:
    """ValueError before the long work, unless all pictures will have one size."""
    if isinstance(args.size, tuple) or len(args.images) == 1:
        return
    first, *others = args.images
    width, height = fit(first, args, backbone).picture.size
    for path in others:
        other = fit(path, args, backbone).picture.size
        if other != (width, height):
            raise ValueError(
                f"One file holds pictures of one size, but {first} is {height}x{width} px and "
                f"{path} {other[1]}x{other[0]}: give --size {height}x{width}, or a file for each "
                f"picture with --output '{{name}}.npz'."
            )


def picture_names(images: Sequence[str]) -> list[str]:
    """What the results of each picture are called: its file name without the ending."""
    names: dict[str, str] = {}
    for path in images:
        name = Path(path).stem
        if name in names:
            raise ValueError(
                f"{names[name]} and {path} would both be written as {name}: rename one of them."
            )
        names[name] = path
    return list(names)


def from_end(layer: int, backbone: "Backbone") -> int:
    """-1 -> the last block."""
    depth = backbone.vit.config.depth
    if not -depth <= layer < depth:
        raise ValueError(
            f"{backbone.name} has layers 0 to {depth - 1}, or -{depth} to -1 from the end; there "
            f"is no layer {layer}."
        )
    return layer % depth


def look(backbone: "Backbone", fitted: "Fitted") -> "Inspection":
    from dino_core.analysis.inspection import inspect
    from dino_core.images import to_tensor

    return inspect(backbone.vit, to_tensor(fitted.picture))


# --- writing
