"""The commands that look at pictures: features, attention, pca, crops, masks.

Nothing is computed here: every command reads, asks the library, and writes.

Whatever takes time to import, torch above all, is imported by the functions that need it, so that
`--help` answers at once.
"""

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dino_core.command import Option, add_command, count, grid, patch, ratio, size
from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, PCA_PRESETS, CropConfig, MaskConfig

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import Tensor

    from dino_core.analysis.inspection import Inspection
    from dino_core.images import Fitted
    from dino_core.vit import ViTOutput
    from dino_core.weights import Backbone

SHORT_SIDE = 518  # px: the size that the released models learned their positions at
BLUR = {"as-run": BLUR_AS_RUN, "as-written": BLUR_AS_WRITTEN}

Item = TypeVar("Item")


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, add_options in (
        (features, features_options),
        (attention, attention_options),
        (pca, pca_options),
        (crops, crops_options),
        (masks, masks_options),
    ):
        add_command(commands, run, add_options, argparse.HelpFormatter)


# --- features


def features_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    option(
        "--output",
        required=True,
        metavar="FILE.npz",
        help="one file for all pictures, which then must have one size; with {name} in it, a file "
        "for each picture, named after it; anything that does not end in .npz is a folder for such",
    )
    model_options(option)


def features(args: argparse.Namespace) -> None:
    """Class token, registers, patches and attention as arrays.

    An NPZ of float32: cls [B, D], registers [B, R, D] and patches [B, h, w, D] after the final
    norm, and cls_attention [B, layers, heads, h, w], the class token's softmax row over all tokens,
    of which the patches are shown.
    """
    backbone = load(args)

    def arrays_of(path: str) -> dict[str, "np.ndarray"]:
        out = with_class_rows(backbone, fit(path, args, backbone))
        assert out.rows is not None
        return {
            "cls": array(out.cls[0]),
            "registers": array(out.register_tokens[0]),
            "patches": array(out.patches[0].unflatten(0, out.grid)),
            "cls_attention": array(out.rows[0, :, :, 0, out.first_patch :].unflatten(-1, out.grid)),
        }

    if args.output.endswith(".npz") and "{name}" not in args.output:
        check_same_size(args, backbone)
        Path(args.output).parent.mkdir(parents=True, exist_ok=True)  # before the long work
        save(Path(args.output), stack([arrays_of(path) for path in with_progress(args.images)]))
    else:
        pattern = args.output if "{name}" in args.output else f"{args.output}/{{name}}"
        named = list(zip(args.images, picture_names(args.images), strict=True))
        for path, name in with_progress(named):
            target = pattern.replace("{name}", name).removesuffix(".npz") + ".npz"
            save(Path(target), stack([arrays_of(path)]))
    report(f"Features -> {args.output}", backbone)


# --- attention


def attention_options(option: Option) -> None:
    option("image", metavar="IMAGE")
    layer_option(option, required=True)
    option(
        "--query", type=patch, metavar="ROW,COL", help="a patch, from 0,0 (default: class token)"
    )
    option("--output", required=True, metavar="DIR")
    model_options(option)


def attention(args: argparse.Namespace) -> None:
    """What one token attends to, in every head of a layer.

    Pictures of every head, each from 0 to its own largest value, and of their mean; and
    attention.npz of float32: rows [heads, tokens], which sum to 1, attention [heads, h, w], their
    patch part, and entropy [heads] in nats.
    """
    from dino_core.analysis.attention import entropy
    from dino_core.draw.pictures import contact_sheet

    backbone = load(args)
    layer = from_end(args.layer, backbone)
    fitted = fit(args.image, args, backbone)
    seen = look(backbone, fitted)
    token = seen.token_at(*args.query) if args.query else 0
    rows = seen.rows(token)[layer].float()  # [A, N]
    maps = array(seen.on_grid(rows))  # [A, h, w]

    heads = [over_picture(values, fitted, args.query) for values in maps]
    pictures = {f"head_{head:02}": picture for head, picture in enumerate(heads)}
    pictures["heads"] = contact_sheet(heads, columns=math.isqrt(len(heads) - 1) + 1)
    pictures["mean"] = over_picture(maps.mean(0), fitted, args.query)
    save_pictures(args.output, pictures)
    arrays = {"rows": array(rows), "attention": maps, "entropy": array(entropy(rows))}
    save(Path(args.output, "attention.npz"), arrays)
    report(f"Layer {layer}, {len(heads)} heads -> {args.output}", backbone)


# --- pca


def pca_options(option: Option) -> None:
    option("images", nargs="+", metavar="IMAGE")
    layer_option(option, required=False)
    option("--preset", choices=PCA_PRESETS, default="paper", help="default: paper")
    option(
        "--flip", action="store_true", help="the other side of the first component is the object"
    )
    option("--output", required=True, metavar="DIR")
    model_options(option)


def pca(args: argparse.Namespace) -> None:
    """Patch features as colours, with one PCA for all pictures.

    For each picture a PNG and an NPZ: colours [h, w, 3] in 0 to 1, foreground [h, w], scores
    [h, w, k] on the components and first [h, w], the foreground score; with them the PCA that the
    pictures share: mean [D], components [k, D], variance [k], ratio [k].
    """
    from dino_core.analysis.pca import colour_features
    from dino_core.draw.pictures import enlarge, to_bytes

    config = replace(PCA_PRESETS[args.preset], flip=args.flip)
    args.size = args.size or config.short_side
    names = picture_names(args.images)
    backbone = load(args)
    layer = from_end(args.layer, backbone)
    patches, grids = [], []
    for path in with_progress(args.images):
        seen = look(backbone, fit(path, args, backbone))
        patches.append(seen.patches(layer))
        grids.append(seen.grid)
    result = colour_features(patches, grids, config)

    shared = {name: array(value) for name, value in vars(result.pca).items()}
    for name, view in zip(names, result.pictures, strict=True):
        arrays = {name: array(value) for name, value in vars(view).items()}
        save(Path(args.output, f"{name}.npz"), arrays | shared)
        colours = to_bytes(arrays["colours"])
        save_pictures(args.output, {name: enlarge(colours, backbone.vit.config.patch_size)})
    report(f"Layer {layer} in colours -> {args.output}", backbone, result.note)


# --- crops


def crops_options(option: Option) -> None:
    option("image", metavar="IMAGE")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    option("--locals", type=count, default=CropConfig.local_count, metavar="L", help="default: 8")
    option("--blur", choices=BLUR, default="as-run", help="in the official code; default: as-run")
    option("--output", required=True, metavar="DIR")


def crops(args: argparse.Namespace) -> None:
    """The two global and the local crops of a picture.

    Pictures of every crop and of the boxes; and crops.json, where the list "crops" holds for each
    its kind, box [x0, y0, x1, y1] in pixels of the source, flip and colour operations in order.
    """
    import torch

    from dino_core.crops import sample_crops
    from dino_core.draw.colours import crop_colour
    from dino_core.draw.pictures import draw_boxes

    picture = read(args.image)
    config = CropConfig(local_count=args.locals, blur_probability=BLUR[args.blur])
    drawn = sample_crops(picture, config, torch.Generator().manual_seed(args.seed))
    pictures = {f"{crop.kind}_{crop.index}": crop.pixels for crop in drawn}
    facts = []
    for crop, name in zip(drawn, pictures, strict=True):
        fact = crop.as_dict()
        facts.append({"file": f"{name}.png", **fact, "flip": fact.pop("flipped")})
    colours = [crop_colour(crop.kind, crop.index) for crop in drawn]
    pictures["boxes"] = draw_boxes(picture, [crop.box for crop in drawn], colours)
    save_pictures(args.output, pictures)
    answer = {"picture": args.image, "seed": args.seed, "blur": args.blur, "crops": facts}
    text = json.dumps(answer, indent=1, ensure_ascii=False)
    Path(args.output, "crops.json").write_text(text + "\n", encoding="utf-8")
    report(f"{len(drawn)} crops -> {args.output}")


# --- masks


def masks_options(option: Option) -> None:
    option("--grid", type=grid, default=(16, 16), metavar="HxW", help="patches, default: 16x16")
    option("--ratio", type=ratio, default=0.3, help="share of hidden patches, default: 0.3")
    option("--count", type=count, default=1, metavar="N", help="default: 1")
    option("--seed", type=count, default=0, metavar="S", help="default: 0")
    option("--output", required=True, metavar="FILE.npz")


def masks(args: argparse.Namespace) -> None:
    """Block masks for iBOT.

    An NPZ with masks [N, h, w], bool, true where hidden: int(h * w * ratio) patches, or a few less
    where no block would fit any more.
    """
    import torch

    from dino_core.masks import sample_block_mask

    h, w = args.grid
    target = int(h * w * args.ratio)
    config, generator = MaskConfig(), torch.Generator().manual_seed(args.seed)
    hidden = torch.zeros(args.count, h, w, dtype=torch.bool)
    for mask in hidden:
        mask.copy_(sample_block_mask(args.grid, target, config, generator).mask)
    save(Path(args.output), {"masks": array(hidden)})
    report(f"{args.count} masks of {target} among {h * w} patches -> {args.output}")


# --- options that several commands have


def layer_option(option: Option, required: bool) -> None:
    words = "block, counted from 0, or from the end: -1 is the last"
    option("--layer", type=int, required=required, default=-1, metavar="L", help=words)


def model_options(option: Option) -> None:
    option("--model", metavar="NAME", help="see the command models (default: the one on this disk)")
    option("--weights", metavar="FILE", help="a checkpoint of your own")
    option("--heads", type=int, metavar="A", help="of a checkpoint that does not tell")
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
    option("--device", default="cpu", help="cpu (default), cuda, cuda:1, mps")
    option("--dtype", choices=("float32", "bfloat16"), default="float32", help="default: float32")


# --- reading


def load(args: argparse.Namespace) -> "Backbone":
    import torch

    from dino_core.weights import load_backbone

    dtype = getattr(torch, args.dtype)
    return load_backbone(
        args.model, args.weights, device=args.device, dtype=dtype, heads=args.heads
    )


def read(path: str) -> "Image.Image":
    """An RGB picture. What is wrong with a file is said with its name."""
    from dino_core.images import open_picture

    try:
        return open_picture(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def fit(path: str, args: argparse.Namespace, backbone: "Backbone") -> "Fitted":
    """The picture in whole patches, as --size and --fit want it."""
    from dino_core.images import fit_to_patches

    picture, side = read(path), backbone.vit.config.patch_size
    wanted, what = args.size or SHORT_SIDE, "--size"
    if wanted == "native":
        wanted, what = (picture.height, picture.width), path
    if isinstance(wanted, tuple) and any(length % side for length in wanted):
        near = "x".join(str(max(round(length / side), 1) * side) for length in wanted)
        raise ValueError(
            f"{what} is {wanted[0]}x{wanted[1]} px (height x width), but both must be multiples of "
            f"the patch size {side}: give --size {near}, or a short side such as {SHORT_SIDE}."
        )
    return fit_to_patches(picture, side, wanted, args.fit)


def check_same_size(args: argparse.Namespace, backbone: "Backbone") -> None:
    """ValueError, before the long work, unless all pictures will have one size."""
    if isinstance(args.size, tuple) or len(args.images) == 1:
        return
    first, *others = args.images
    width, height = fit(first, args, backbone).picture.size
    for path in others:
        other = fit(path, args, backbone).picture.size
        if other != (width, height):
            raise ValueError(
                f"One file holds pictures of one size, but {first} becomes {height}x{width} px and "
                f"{path} {other[1]}x{other[0]}: give --size {height}x{width}, or let --output be "
                f"a folder."
            )


def picture_names(images: Iterable[str]) -> list[str]:
    """What the results for each picture are called: its file name without the ending."""
    names: dict[str, str] = {}
    for path in images:
        name = Path(path).stem
        if name in names:
            raise ValueError(
                f"The results for {names[name]} and {path} would have one name: {name}."
            )
        names[name] = path
    return list(names)


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
    from PIL import Image

    from dino_core.draw.pictures import draw_boxes, heat_map, overlay
    from dino_core.images import patch_box

    mixed = overlay(np.asarray(fitted.picture), heat_map(values, 0, values.max()))
    if query is None:
        return mixed
    box = patch_box(*query, fitted.patch_size)
    return draw_boxes(Image.fromarray(mixed), [box], [(255, 255, 255)])


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
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def save_pictures(folder: str, pictures: Mapping[str, "np.ndarray"]) -> None:
    from dino_core.draw.encode import png

    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, pixels in pictures.items():
        Path(folder, f"{name}.png").write_bytes(png(pixels))


def report(done: str, backbone: "Backbone | None" = None, note: str = "") -> None:
    """What was made, and with which weights."""
    print(f"{done} ({backbone.info.title})" if backbone else done)
    if note:
        print(note)
