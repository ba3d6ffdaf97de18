"""What the commands about pictures share: options, reading and writing."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dino_core.assets import SAMPLES
from dino_core.cli.command import Option, count, size
from dino_core.cli.weights import weights_options
from dino_core.writing import replacing

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import Tensor

    from dino_core.analysis.inspection import Inspection
    from dino_core.images import Fitted
    from dino_core.vit import ViTOutput
    from dino_core.weights import Backbone

SHORT_SIDE = 518  # px: the size that the released models learned their positions at

Item = TypeVar("Item")


# --- options that several commands have


def layer_option(option: Option, required: bool) -> None:
    words = "block, counted from 0, or from the end: -1 is the last"
    option("--layer", type=int, required=required, default=-1, metavar="L", help=words)


def model_options(option: Option) -> None:
    weights_options(option)
    input_options(option)


def input_options(option: Option) -> None:
    option(
        "--size",
        type=size,
        help="native: as the picture is; N: short side in px; HxW: exactly, height x width "
        f"(default: {SHORT_SIDE}, or what the preset says)",
    )
    option(
        "--fit",
        choices=("resize", "pad", "crop"),
        default="resize",
        help="how a picture comes to whole patches (default: resize, which stretches a little)",
    )
    stretch_option(option)
    option("--device", default="cpu", help="cpu (default), cuda, cuda:1, mps")
    option("--dtype", choices=("float32", "bfloat16"), default="float32", help="default: float32")


def stretch_option(option: Option) -> None:
    option(
        "--stretch",
        action="store_true",
        help="show 16-bit pictures from the smallest to the largest value that occurs in them",
    )


def pair_options(option: Option, *, pair: str, seed: str) -> None:
    """A student and teacher, and what they look at beside the picture. The words of help differ."""
    option("--pair", metavar="RUN", help=f"a run's folder or a file of heads{pair}")
    option(
        "--references", nargs="+", metavar="IMAGE", help="the rest of the batch (default: samples)"
    )
    option("--seed", type=count, default=0, metavar="S", help=seed)
    option("--targets", choices=("centering", "sinkhorn_knopp"), default="centering")
    option("--temperature", type=float, metavar="T", help="of the teacher (default: as trained)")


# --- reading


def read(path: str, args: argparse.Namespace) -> "Image.Image":
    """An RGB picture, stretched where --stretch says so.

    What is wrong with a file is said with its name; what one should know of how it was read, when
    the command is done.
    """
    from dino_core.images import notes_of, open_picture

    try:
        picture = open_picture(path, stretch=args.stretch)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    for note in notes_of(picture):
        add_note(args, path, note)
    return picture


def read_with_others(
    path: str, args: argparse.Namespace
) -> "tuple[Image.Image, list[Image.Image]]":
    """The picture, and the rest of its batch: --references or the samples, never itself."""
    picture, itself = read(path, args), Path(path).resolve()
    others = [Path(each) for each in args.references or sorted(SAMPLES.glob("*.jpg"))]
    return picture, [read(str(each), args) for each in others if each.resolve() != itself]


def add_note(args: argparse.Namespace, path: str, note: str) -> None:
    """A sentence on a picture for the end of the command, once however often it is read."""
    notes = vars(args).setdefault("notes", [])
    if (sentence := f"{path}: {note}") not in notes:
        notes.append(sentence)


def leave_out_unreadable(args: argparse.Namespace, option: str = "images") -> None:
    """Keeps those that are pictures; the others are named when the command is done.

    Nothing where the option was not given. ValueError when it is none of them.
    """
    if (paths := getattr(args, option)) is None:
        return
    kept = []
    left_out: list[str] = []
    for path in paths:
        try:
            read(path, args)
            kept.append(path)
        except ValueError as error:
            left_out.append(str(error))
    if not kept:
        rest = f" None of the {len(paths)} files can be used." if len(paths) > 1 else ""
        raise ValueError(left_out[0] + rest)
    setattr(args, option, kept)
    args.left_out = [*getattr(args, "left_out", []), *left_out]


def fit(path: str, args: argparse.Namespace, backbone: "Backbone") -> "Fitted":
    """The picture in whole patches, as --size and --fit want it."""
    from dino_core.images import fit_to_patches

    picture, side = read(path, args), backbone.vit.config.patch_size
    wanted, what = args.size or SHORT_SIDE, "--size"
    if wanted == "native":
        wanted, what = (picture.height, picture.width), path
    if isinstance(wanted, tuple) and any(length % side for length in wanted):
        near = "x".join(str(max(round(length / side), 1) * side) for length in wanted)
        raise ValueError(
            f"{what} is {wanted[0]}x{wanted[1]} px (height x width), but both must be multiples of "
            f"the patch size {side}: give --size {near}, or a short side such as {SHORT_SIDE}."
        )
    fitted = fit_to_patches(picture, side, wanted, args.fit)
    if fitted.note:
        add_note(args, path, fitted.note)
    return fitted


def check_same_size(
    args: argparse.Namespace, backbone: "Backbone", instead: str = ", or let --output be a folder"
) -> None:
    """ValueError, before the long work, unless all pictures will have one size.

    `instead` says what else would help.
    """
    if isinstance(args.size, tuple) or len(args.images) == 1:
        return
    first, *others = args.images
    width, height = fit(first, args, backbone).picture.size
    for path in others:
        other = fit(path, args, backbone).picture.size
        if other != (width, height):
            raise ValueError(
                f"One file holds pictures of one size, but {first} becomes {height}x{width} px and "
                f"{path} {other[1]}x{other[0]}: give --size {height}x{width}{instead}."
            )


def from_end(layer: int, backbone: "Backbone") -> int:
    """-1 -> the last block."""
    depth = backbone.vit.config.depth
    if not -depth <= layer < depth:
        raise ValueError(
            f"{backbone.name} has layers 0 to {depth - 1}, or -1 to -{depth} from the end, but no "
            f"layer {layer}."
        )
    return layer % depth


def look(backbone: "Backbone", fitted: "Fitted") -> "Inspection":
    from dino_core.analysis.inspection import inspect
    from dino_core.images import to_tensor

    return inspect(backbone.vit, to_tensor(fitted.picture))


def with_class_rows(backbone: "Backbone", fitted: "Fitted") -> "ViTOutput":
    """One forward that keeps what the class token attends to, and nothing else of the blocks."""
    import torch

    from dino_core.images import to_tensor

    with torch.inference_mode():
        images = to_tensor(fitted.picture)[None].to(backbone.vit.pos_embed)
        return backbone.vit(images, rows=[0])


# --- drawing and writing


def with_progress(items: Sequence[Item]) -> Iterable[Item]:
    """The same items, with a bar on standard error once the first second has passed."""
    from tqdm import tqdm

    return tqdm(items, unit="picture", delay=1, disable=len(items) < 2)


def over_picture(
    values: "np.ndarray", fitted: "Fitted", query: tuple[int, int] | None
) -> "np.ndarray":
    """A map [h, w] over the picture, from 0 to its largest value, with the query's patch framed."""
    import numpy as np

    from dino_core.draw.pictures import map_over
    from dino_core.images import patch_box

    box = patch_box(*query, fitted.patch_size) if query else None
    return map_over(values, np.asarray(fitted.picture), box)


def array(tensor: "Tensor") -> "np.ndarray":
    """Any tensor -> NumPy; numbers as float32, since bfloat16 is unknown there."""
    return (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()


def stack(rows: Sequence[Mapping[str, "np.ndarray"]]) -> dict[str, "np.ndarray"]:
    """The arrays of B pictures -> one array [B, ...] for each name."""
    import numpy as np

    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def save(path: Path, arrays: Mapping[str, "np.ndarray"]) -> None:
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def save_pictures(folder: str, pictures: Mapping[str, "np.ndarray"]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from dino_core.draw.encode import png

    Path(folder).mkdir(parents=True, exist_ok=True)

    def write(name: str) -> None:
        Path(folder, f"{name}.png").write_bytes(png(pictures[name]))

    with ThreadPoolExecutor() as pool:  # compressing waits for no other thread
        list(pool.map(write, pictures))


def report(done: str, backbone: "Backbone | None" = None, note: str = "") -> None:
    """What was made, and with which weights."""
    print(f"{done} ({backbone.info.title})" if backbone else done)
    if note:
        print(note)
