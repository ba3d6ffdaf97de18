"""The commands of many pictures: embed, evaluate, gallery.

    python -m dino_core embed pictures.zip --output features.parquet
    python -m dino_core evaluate --train train.zip --test test.zip --method knn --output knn.json
    python -m dino_core gallery pictures.zip --output galleries/first

Nothing here imports torch before a command runs.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dino_core.cli.command import Option, add_command, count, positive
from dino_core.cli.evaluate import evaluate, evaluate_options
from dino_core.cli.features import (
    DATA,
    choice_of,
    choice_options,
    embedding,
    facts_of,
    model_options,
    preparation_of,
    report_broken,
    reported,
)
from dino_core.cli.outputs import output_folder
from dino_core.cli.parts import (
    folder_of_parts,
    names_folder,
    several_processes,
    work_in_parts,
)
from dino_core.cli.weights import load_weights
from dino_core.runs.exit_codes import DONE, INTERRUPTED

if TYPE_CHECKING:
    from tqdm import tqdm

    from dino_core.datasets import Pictures


def add_parsers(commands: Any) -> None:
    """Adds the commands to `argparse`'s subparsers."""
    for run, options_of in (
        (embed, embed_options),
        (evaluate, evaluate_options),
        (gallery, gallery_options),
    ):
        add_command(commands, run, options_of)


# --- embed


def embed_options(option: Option) -> None:
    option("data", metavar="DATA", help=DATA)
    option(
        "--output",
        required=True,
        metavar="FILE",
        help="ends in .parquet or .npz; a folder, or with several processes (torchrun) the folder "
        "of this name, gets parts in Parquet",
    )
    option("--layers", action="store_true", help="class token and mean patch of every layer too")
    words = "columns x and y of a .parquet: the class tokens on a map"
    option("--map", choices=("pca", "tsne", "umap"), help=words)
    option(
        "--neighbours",
        type=positive,
        default=0,
        metavar="K",
        help="column neighbors of a .parquet: ids, rows from 0, and distances, 1 - cosine",
    )
    option(
        "--thumbnails",
        type=positive,
        default=0,
        metavar="PX",
        help="column image of a .parquet: JPEGs, so many px along the longer side",
    )
    model_options(option)
    choice_options(option)


def embed(args: argparse.Namespace) -> None:
    """Features of many pictures, as a table.

    For each picture its name, label, class and split (from the folders it lies in), the class token
    and the mean of the patch tokens after the final norm (float32), and with --layers both after
    every block (float16). Broken files are named and left out. What is computed is kept by the
    content of each file: an interrupted run goes on where it was, and doing it again takes seconds.
    Started by torchrun, each process writes parts of its own into a folder, which reads as one
    table; the same command goes on with what is missing, by however many processes.
    """
    from dino_core.embedding.explore import exploring_columns
    from dino_core.embedding.tables import check_target, write
    from dino_core.gallery.sources import pictures_of

    if several_processes() or names_folder(args.output):
        if args.map or args.neighbours or args.thumbnails:
            raise ValueError(
                "--map, --neighbours and --thumbnails are columns of one .parquet file, not of "
                "parts."
            )
        embed_in_parts(args)
        return
    target = check_target(Path(args.output))
    asked = {"method": args.map, "neighbours": args.neighbours, "thumbnails": args.thumbnails}
    if any(asked.values()) and target.suffix.lower() != ".parquet":
        raise ValueError("--map, --neighbours and --thumbnails are columns of one .parquet file.")
    pictures = reported(pictures_of(args.data, **choice_of(args)))
    backbone, preparation = load_weights(args), preparation_of(args)
    facts = facts_of(args, backbone, preparation)
    with embedding(args, backbone, preparation, args.layers, target) as features:
        embedded = features(pictures, "embed")
        write(target, embedded, facts, exploring_columns(embedded, **asked))
    kept = len(embedded.pictures) - embedded.computed
    again = f", {kept:,} of them known before" if kept else ""
    print(f"{len(embedded.pictures):,} pictures{again} -> {target} ({backbone.info.title})")


def embed_in_parts(args: argparse.Namespace) -> None:
    """The same as a folder of parts, by one process or by several."""
    from dino_core.gallery.sources import pictures_of

    def make() -> "tuple[Path, Pictures]":
        folder = folder_of_parts(args.output)
        return folder, reported(pictures_of(args.data, **choice_of(args)))

    with work_in_parts(args, make) as work:
        folder, pictures = work.made
        embedded = work.embed(pictures, folder, "embed", layers=args.layers)
        if embedded is not None:
            count, title = len(embedded.pictures), work.backbone.info.title
            print(f"{count:,} pictures -> {folder}, {len(embedded.parts):,} parts ({title})")


# --- gallery


def gallery_options(option: Option) -> None:
    option("data", metavar="DATA", help=DATA)
    option("--output", required=True, metavar="DIR", help="new, or one to go on with")
    option("--model", metavar="NAME", help="see the command models (default: the one on this disk)")
    option("--weights", metavar="FILE", help="a checkpoint of your own")
    option("--size", type=positive, default=224, help="px, whole patches (default: 224)")
    option("--seed", type=int, default=0, metavar="S", help="default: 0")
    option("--device", default="cpu", help="cpu (default), cuda, cuda:1")
    option("--threads", type=count, default=0, metavar="N", help="default: all")
    option(
        "--patch-megabytes",
        type=count,
        default=1024,
        metavar="MB",
        help="disk for patch features, which the search of similar patches needs (default: 1024)",
    )
    choice_options(option)


def gallery(args: argparse.Namespace) -> int:
    """Makes the folder behind the page's map of many pictures.

    Features of every layer, thumbnails, maps (PCA, UMAP, t-SNE), clusters and probes. Ctrl-C stops
    after the batch it is in, or a moment later; the same command goes on from there.
    """
    from dino_core.gallery.build import build
    from dino_core.gallery.folder import GalleryFolder
    from dino_core.gallery.options import Options
    from dino_core.gallery.sources import pictures_of

    folder = output_folder(args.output)
    names = ("model", "weights", "size", "seed", "device", "threads", "patch_megabytes")
    chosen = {name: getattr(args, name) for name in names} | choice_of(args)
    if not (folder / "config.json").exists():
        reported(pictures_of(args.data, **choice_of(args)))
    watch = Watch()
    try:
        end = build(args.data, folder, Options(**chosen), watch)
    finally:
        watch.close()
    store = GalleryFolder(folder)
    state = store.state()
    report_broken(state["broken"], state["broken_count"])
    if end == "ready":
        facts = store.facts()
        classes = f" in {len(facts['classes'])} classes" if facts["classes"] else ""
        print(f"{store.count():,} pictures{classes} -> {folder} ({facts['title']})")
        return DONE
    print(f"{state['words']} The same command does it: {folder} has what was done.")
    return INTERRUPTED if end == "interrupted" else DONE


class Watch:
    """Says on standard error how far a gallery is: a bar for the pictures, then sentences."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._said = ""

    def __call__(self, state: dict[str, Any]) -> None:
        if state["state"] == "embedding" and state.get("done") is not None:
            self._show(state["done"], state["total"])
            return
        self.close()
        words = state.get("doing") or state["words"]
        if words != self._said and state["state"] not in ("stopped", "failed"):
            self._said = words
            print(words, file=sys.stderr, flush=True)

    def _show(self, done: int, total: int) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=total, initial=done, desc="gallery", unit="picture")
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Ends the line of the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
