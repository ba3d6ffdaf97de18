"""A picture of labels, as annotations of films have them: indexed or grey, 0 for nothing."""

from pathlib import Path

import numpy as np
from PIL import Image

from dino_core.images.decode import open_picture
from dino_core.images.patches import Fitted


def read_labels(path: str | Path, name: str = "") -> np.ndarray:
    """The number at each pixel, int64 [H, W]. ValueError in a sentence for any other picture.

    `name` is what the file is called in that sentence, where it is not its path.
    """
    what = name or str(path)
    try:
        open_picture(path)  # or says what is wrong with it
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    with Image.open(path) as picture:
        if picture.mode not in ("P", "L", "1"):
            raise ValueError(f"{what} should be an indexed or grey picture, but is {picture.mode}.")
        return np.array(picture).astype(np.int64)


def labels_on_grid(labels: np.ndarray, fitted: Fitted) -> np.ndarray:
    """Labels int64 [H, W] of the source -> the one in the middle of each patch, int64 [h, w].

    0 where the input was padded. ValueError when they are not of the source's size.
    """
    if labels.shape != fitted.source_size:
        raise ValueError(
            f"The labels have {labels.shape[1]} x {labels.shape[0]} px, but the frames have "
            f"{fitted.source_size[1]} x {fitted.source_size[0]}."
        )
    (h, w), side = fitted.grid, fitted.patch_size
    found = np.zeros((h, w), np.int64)
    for row in range(h):
        for column in range(w):
            x, y = fitted.to_source((column + 0.5) * side, (row + 0.5) * side)
            if 0 <= x < labels.shape[1] and 0 <= y < labels.shape[0]:
                found[row, column] = labels[int(y), int(x)]
    return found
