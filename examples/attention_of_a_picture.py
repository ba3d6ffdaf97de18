"""What one patch of a picture attends to, in every head of a layer, as a figure for print.

    python examples/attention_of_a_picture.py [PICTURE [FIGURE]]

Without a picture it is the cat among the samples; a figure ends in .svg, .pdf or .png.
"""

import sys
from pathlib import Path

from dino_core import figures, fit_to_patches, inspect, load_backbone, open_picture, to_tensor
from dino_core.analysis.attention import entropy
from dino_core.assets import SAMPLES

QUERY = (5, 8)  # row and column of a patch
LAYER = 10


def main(picture: str | Path = SAMPLES / "cat.jpg", figure: str = "attention.pdf") -> None:
    backbone = load_backbone("preview_vits14")
    fitted = fit_to_patches(open_picture(picture), backbone.vit.config.patch_size, 224)
    seen = inspect(backbone.vit, to_tensor(fitted.picture))  # one forward, then look-ups
    print(seen)

    rows = seen.rows(seen.token_at(*QUERY))[LAYER]  # [A, N], each sums to 1
    for head, (row, spread) in enumerate(zip(rows, entropy(rows), strict=True)):
        place = divmod(seen.on_grid(row).argmax().item(), seen.grid[1])
        print(f"head {head}: most to patch {place}, entropy {spread:.2f} nats")

    print("figure ->", figures.save(figures.attention(seen, QUERY, layer=LAYER), figure))


if __name__ == "__main__":
    main(*sys.argv[1:])
