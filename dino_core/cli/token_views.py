"""rollout, norms, tokens: what the blocks do with tokens, in pictures that a page shows as well."""

import argparse
from pathlib import Path
from typing import Any

from dino_core.cli.command import (
    add_command,
    one_for_a_figure,
    write_figure,
)
from dino_core.cli.files import (
    array,
    over_picture,
    report,
    save,
    save_pictures,
)
from dino_core.cli.views import common_options, look_at_all

# --- rollout


def rollout(args: argparse.Namespace) -> None:
    """Attention of the class token followed through all layers.

    For each picture a PNG and an NPZ: rollout [h, w], the patch part of a row that sums to 1 (heads
    averaged, the residual connection as half of each block).
    """
    from dino_core import figures
    from dino_core.analysis.attention import rollout as followed

    backbone, looked = look_at_all(args)
    maps = []
    for each in looked:
        row = followed(each.seen.queries.float(), each.seen.keys.float())
        maps.append(array(each.seen.on_grid(row)))
        save(Path(args.output, f"{each.name}.npz"), {"rollout": maps[-1]})
        save_pictures(args.output, {each.name: over_picture(maps[-1], each.fitted, None)})
    seen = [each.seen for each in looked]
    title = "Attention rollout of the class token"
    write_figure(args, lambda width: figures.patch_values(seen, maps, title, "weight", width=width))
    report(f"Rollout -> {args.output}", backbone)


# --- norms


def norms(args: argparse.Namespace) -> None:
    """How long the tokens are before the first block and after each, and which stand out.

    For each picture a PNG, the patches' lengths step by step, and an NPZ: norms [T + 1, N] of all
    tokens, patches [T + 1, h, w], outliers [T + 1, h, w], true above threshold [T + 1] = median +
    4 * 1.4826 MAD, and updates [T, 2, N], what attention and the MLP add as a share of what enters.
    """
    from dino_core import figures
    from dino_core.analysis.outliers import find_outliers
    from dino_core.analysis.tokens import relative_updates, stream_norms
    from dino_core.figures.panels import panel_pixels

    one_for_a_figure(args)
    backbone, looked = look_at_all(args)
    standing = 0
    for each in looked:
        seen, lengths = each.seen, stream_norms(each.seen).float()
        out = find_outliers(lengths[:, seen.first_patch :])
        outliers = array(out.mask.unflatten(-1, seen.grid))
        standing += int(outliers.any(0).sum())
        arrays = {
            "norms": array(lengths),
            "patches": array(seen.on_grid(lengths)),
            "outliers": outliers,
            "threshold": array(out.threshold),
            "updates": array(relative_updates(seen)),
        }
        save(Path(args.output, f"{each.name}.npz"), arrays)
        picture = panel_pixels(figures.norms(seen, arrays["patches"], outliers), 150)
        save_pictures(args.output, {each.name: picture})
    patches = arrays["patches"]
    write_figure(args, lambda width: figures.norms(seen, patches, outliers, width=width))
    report(f"Lengths of tokens, {standing} patches stand out -> {args.output}", backbone)


# --- tokens


def tokens(args: argparse.Namespace) -> None:
    """What each patch becomes before the first block, and how alike neighbours are after each.

    For each picture a PNG, the three lengths, and an NPZ: embedding_norms, position_norms and
    token_norms [h, w] of filters . pixels + bias, of the positions, and of their sum; neighbours
    [T + 1, h, w, 4], cosines with the patches above, right, below and left, NaN outside;
    register_cosines [T + 1, R] with the class token.
    """
    from dino_core import figures
    from dino_core.analysis.tokens import token_parts
    from dino_core.draw.pictures import contact_sheet

    one_for_a_figure(args)
    backbone, looked = look_at_all(args)
    for each in looked:
        found = token_parts(backbone.vit, each.seen)
        arrays = {name: array(value) for name, value in vars(found).items()}
        save(Path(args.output, f"{each.name}.npz"), arrays)
        sheet = [over_picture(arrays[name], each.fitted, None) for name in LENGTHS]
        save_pictures(args.output, {each.name: contact_sheet(sheet, columns=3)})
    lengths = {words: arrays[name] for name, words in LENGTHS.items()}
    seen = looked[-1].seen
    write_figure(args, lambda width: figures.token_parts(seen, lengths, width=width))
    report(f"Tokens -> {args.output}", backbone)


LENGTHS = {
    "embedding_norms": "embedding",
    "position_norms": "position",
    "token_norms": "their sum",
}


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run in (rollout, norms, tokens):
        add_command(commands, run, common_options, argparse.HelpFormatter)
