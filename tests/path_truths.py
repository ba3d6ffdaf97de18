"""What is right about a picture, asked of the library: the answers to the questions of the path."""

from typing import Any

import numpy as np
from PIL import Image

from dino_core.images import open_picture
from dino_core.scenes import attention, crops, features, losses, masks, tokens, update
from dino_core.scenes.models import PREVIEW, load_model
from dino_core.scenes.pairs import open_bundled, pair_outputs, references_of
from dino_core.scenes.picture import look
from dino_core.scenes.whatif import changed, parse_changes, whatif_scene
from dino_core.whatif import Sources

LAST = 11  # layer of the preview


def on_picture(source: Image.Image) -> dict[str, Any]:
    """Tokens, attention and features of one picture at 224 px in the preview."""
    vit = load_model(PREVIEW).vit
    opened = look(vit, source, 224)
    seen, (h, w) = opened.seen, opened.seen.grid
    middle = (h // 2, w // 2)

    def patch(index: np.integer) -> list[int]:
        return [int(index) // w, int(index) % w]

    lengths = tokens.blocks_scene(vit, seen).norms[-1, seen.first_patch :]
    takes = attention.query_scene(seen, LAST, *middle).rows.mean(0)
    takes[middle] = -1  # another patch is asked for
    class_row = seen.rows(0)[LAST].float().mean(0)
    directions = features.patches_scene(seen, LAST).directions
    alike = directions @ directions[middle[0] * w + middle[1]]
    changes = [parse_changes([f"head:{LAST}.{head}=zero"]) for head in range(seen.heads)]
    left = [
        whatif_scene(changed(vit, seen, one, Sources()), one, LAST).cls_cosine for one in changes
    ]
    foreground = features.features_scene(seen, LAST).foreground
    return {
        "patch-count": h * w,
        "longest-patch": patch(lengths.argmax()),
        "attends-most": patch(takes.argmax()),
        "class-keeps": 100 * float(class_row[0]),
        "farthest-head": int(attention.heads_scene(seen, LAST).distance.argmax()),
        "head-matters": int(np.argmin(left)),
        "foreground-share": 100 * float(foreground.mean()),
        "least-alike": patch(alike.argmin()),
    }


def in_training(source: Image.Image, sample: str = "") -> dict[str, Any]:
    """Crops, masks, losses and schedules with seed 0; the losses in the bundled pair."""
    cut = crops.crops_scene(source, 0)
    boxes = [crop["box"] for crop in cut.crops]
    hidden = masks.masks_scene(source, 0).mask.astype(bool)
    pair = open_bundled("preview")
    scene = losses.losses_scene(
        pair,
        references_of(pair),
        pair_outputs(pair, source, 0),
        0,
        sample=sample,
        chosen=losses.Chosen("centering", None, None),
    )
    grid = scene.mask.shape[1]
    dearest = int(np.flatnonzero(scene.mask)[scene.ibot.argmax()])
    schedule = update.schedule_scene("official-short")
    warm = int(np.searchsorted(schedule.steps, schedule.warmup))
    return {
        "least-shared-crop": int(np.argmin([share_inside(box, boxes[0]) for box in boxes[2:]])),
        "hidden-neighbours": visible_neighbours(hidden),
        "costliest-crop": 1 + int(scene.dino[1:, 0].argmax()),
        "uniform-loss": float(np.log(scene.prototypes[0])),
        "costliest-patch": [dearest // grid, dearest % grid],
        "nearest-sample": int(np.argmin([one["distances"][0] for one in scene.references])),
        "target-entropy": float(scene.teacher_entropy[0]),
        "teacher-memory": 1 / (1 - float(schedule.momentum[warm])),
        "learning-peak": int(schedule.steps[schedule.learning_rate.argmax()]),
    }


def share_inside(box: list[int], other: list[int]) -> float:
    """The share of a box (x0, y0, x1, y1) that lies in another one."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    return max(wide, 0) * max(high, 0) / ((box[2] - box[0]) * (box[3] - box[1]))


def visible_neighbours(hidden: np.ndarray) -> float:
    """How many of its four neighbours a hidden patch [h, w] can see on average."""
    seen = np.pad((~hidden).astype(int), 1)  # beyond the edge nothing is to be seen
    counts = [
        seen[row, col + 1] + seen[row + 2, col + 1] + seen[row + 1, col] + seen[row + 1, col + 2]
        for row, col in np.argwhere(hidden)
    ]
    return float(np.mean(counts))


def sample(name: str) -> Image.Image:
    from app.paths import SAMPLES

    return open_picture(SAMPLES / name)
