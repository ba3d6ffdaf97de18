"""Labels carried from the first frame of a film to the others, by likeness of patches.

The protocol with which DINO (Caron et al. 2021, section 4.2) is evaluated on DAVIS 2017, official
code `eval_video_segmentation.py`, and DINOv2 after it: nothing is trained. For a frame t and its
patch i, over the patches j of the first frame and of the last seven, within 12 rows and columns:

    w(i, j) = exp(cos(x_i, x_j) / 0.1), the five largest alone
    label(i) = sum over j of w(i, j) label(j) / sum over j of w(i, j)

What was found for a frame is what the next ones ask.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.analysis.similarity import directions
from dino_core.config import PropagationConfig

DEFAULT = PropagationConfig()


def propagate(
    frames: Iterable[Tensor],
    labels: Tensor,
    grid: tuple[int, int],
    config: PropagationConfig = DEFAULT,
) -> Iterator[Tensor]:
    """Features [P, D] frame by frame, labels [P, k] of the first -> labels [P, k] of every frame.

    Labels are shares, 0 to 1; those of the first frame come back as they are. ValueError when they
    are not of the grid's patches.
    """
    h, w = grid
    if len(labels) != h * w:
        raise ValueError(
            f"The first frame has {h * w} patches, but there are {len(labels)} labels."
        )
    near: Tensor | None = None
    first: tuple[Tensor, Tensor] | None = None
    recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=config.queue)
    for features in frames:
        units = directions(features)
        if first is None:
            labels = labels.to(units)
            first = (units, labels)
            near = neighbourhood(grid, config.radius).to(units.device)
            yield labels
            continue
        assert near is not None
        sources = [first, *recent]
        found = carried(units, sources, near, config)
        recent.append((units, found))
        yield found


def neighbourhood(grid: tuple[int, int], radius: int) -> Tensor:
    """Which patches are within so many rows and columns of each other: bool [P, P]."""
    h, w = grid
    rows, columns = torch.arange(h * w) // w, torch.arange(h * w) % w
    apart = (rows[:, None] - rows).abs().maximum((columns[:, None] - columns).abs())
    return apart <= radius


def carried(
    units: Tensor, sources: list[tuple[Tensor, Tensor]], near: Tensor, config: PropagationConfig
) -> Tensor:
    """One frame's labels [P, k] from directions [P, D] and labels [P, k] of other frames."""
    weights = torch.cat(
        [((units @ other.T) / config.temperature).exp() * near for other, _ in sources], 1
    )  # [P, frames * P]
    count = min(config.neighbours, weights.shape[1])
    least = weights.topk(count, dim=1).values[:, -1:]  # [P, 1]
    weights = weights * (weights >= least)
    return (weights / weights.sum(1, keepdim=True)) @ torch.cat([known for _, known in sources])


def grown(features: Tensor, grid: tuple[int, int], patch: tuple[int, int], least: float) -> Tensor:
    """The patches that hang together with one of them and are like it: bool [P].

    From features [P, D]: cosine with the chosen patch of at least `least`, joined by their sides.
    ValueError for a patch that is not there.
    """
    (h, w), (row, column) = grid, patch
    if not (0 <= row < h and 0 <= column < w):
        raise ValueError(f"A frame has {h} x {w} patches, there is no patch {row},{column}.")
    units = directions(features)
    alike = (units @ units[row * w + column] >= least).unflatten(0, grid).cpu()
    found = torch.zeros(h, w, dtype=torch.bool)
    waiting = [patch]
    while waiting:
        r, c = waiting.pop()
        if not (0 <= r < h and 0 <= c < w) or found[r, c] or not (alike[r, c] or (r, c) == patch):
            continue
        found[r, c] = True
        waiting += [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
    return found.flatten()


def to_masks(labels: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Labels [P, k] -> which is the strongest at each pixel: int64 [H, W].

    As in the official code: bilinear, each label stretched to 0 to 1 where there is any of it.
    """
    maps = labels.T.unflatten(1, grid)[None]  # [1, k, h, w]
    large = F.interpolate(maps.float(), size, mode="bilinear", align_corners=False)[0]
    low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
    stretched = (large - low) / (high - low).clamp_min(1e-12)
    return torch.where(high > 0, stretched, large).argmax(0)
