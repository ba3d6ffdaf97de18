"""Screen 1: the two global and the local crops, with every decision that made them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from PIL import Image

from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, CropConfig
from dino_core.crops import JITTER_ORDERS, Decisions, draw_crops, overlap, sample_crops
from dino_core.draw.colours import crop_colour
from dino_core.figures.histograms import crop_areas, crop_aspects
from dino_core.figures.theme import Theme
from dino_core.scenes.facts import CropFacts
from dino_core.scenes.help_texts import field_comments

if TYPE_CHECKING:
    import plotly.graph_objects as go

BLUR = {"as run": BLUR_AS_RUN, "as written": BLUR_AS_WRITTEN}
OPERATIONS = ("flip", "jitter", "grey", "blur", "solarize")
LARGEST_SEED = 2**31 - 1
MOST_LOCALS = 12
LARGEST_SIDE = 336  # px, of a finished crop
DRAWS = 200  # pictures' worth of decisions in the histograms
AREA_BARS, ASPECT_BARS = 20, 10

Kinds = tuple[float, float, float]  # for global crop 1, global crop 2, and the local crops


@dataclass(frozen=True)
class CropsScene:
    """The crops in order: the global ones, then the local ones. n crops."""

    picture_size: tuple[int, int]  # (width, height) of the source, px
    seed: int
    blur: str  # "as run" or "as written"
    blurs: dict[str, Kinds]  # probability of blur under each of these names
    patch_size: int
    config: Annotated[dict[str, Any], CropConfig]  # every number of the CropConfig that was used
    official: Annotated[dict[str, Any], CropConfig]  # and what it is when nothing is chosen
    help: dict[str, str]  # what its fields mean
    kinds: tuple[int, int, int]  # how many crops there are of each kind
    probabilities: dict[str, Kinds]  # of each operation
    fired: dict[str, tuple[int, int, int]]  # in how many crops of each kind it did
    crops: list[Annotated[dict[str, Any], CropFacts]]
    colours: list[tuple[int, int, int]]
    pixels: tuple[np.ndarray, ...]  # n x uint8 [size, size, 3]
    overlaps: np.ndarray  # float32 [n, n], share of the smaller box in per cent
    ious: np.ndarray  # float32 [n, n], intersection over union in per cent


@dataclass(frozen=True)
class CropDrawsScene:
    """The decisions of many draws on the same picture: that of the seed, and the seeds after it."""

    draws: int
    rates: dict[str, Kinds]  # in what share of the crops an operation fired
    area_edges: np.ndarray  # float32 [AREA_BARS + 1], share of the picture
    area_global: np.ndarray  # int32 [AREA_BARS]
    area_local: np.ndarray  # int32 [AREA_BARS]
    aspect_edges: np.ndarray  # float32 [BARS + 1], width / height, evenly spaced in its logarithm
    aspect_global: np.ndarray  # int32 [BARS], what rounding takes over an end counted at that end
    aspect_local: np.ndarray  # int32 [BARS]

    def charts(self, theme: Theme) -> "dict[str, go.Figure]":
        """Areas and shapes of global and local crops."""
        area = self.area_edges.tolist(), self.area_global.tolist(), self.area_local.tolist()
        aspect = self.aspect_edges.tolist(), self.aspect_global.tolist(), self.aspect_local.tolist()
        return {"area": crop_areas(*area, theme), "aspect": crop_aspects(*aspect, theme)}


def crops_scene(
    source: Image.Image,
    seed: int,
    blur: str = "as run",
    patch_size: int = 14,
    chosen: Mapping[str, Any] | None = None,
) -> CropsScene:
    """The crops that a seed gives. ValueError for a choice that makes no sense."""
    config = crop_config(blur, patch_size, chosen)
    crops = sample_crops(source, config, seeded(seed))
    shared = [[overlap(a.box, b.box) for b in crops] for a in crops]
    return CropsScene(
        picture_size=source.size,
        seed=seed,
        blur=blur,
        blurs=BLUR,
        patch_size=patch_size,
        config=asdict(config),
        official=asdict(crop_config(blur, patch_size)),
        help=field_comments(CropConfig),
        kinds=(1, 1, config.local_count),
        probabilities={
            "flip": (config.flip_probability,) * 3,
            "jitter": (config.jitter_probability,) * 3,
            "grey": (config.grey_probability,) * 3,
            "blur": config.blur_probability,
            "solarize": config.solarize_probability,
        },
        fired=count_fired(crops),
        crops=[crop.as_dict() for crop in crops],
        colours=[crop_colour(crop.kind, crop.index) for crop in crops],
        pixels=tuple(crop.pixels for crop in crops),
        overlaps=np.array([[two.of_smaller for two in row] for row in shared], np.float32),
        ious=np.array([[two.iou for two in row] for row in shared], np.float32),
    )


def crop_draws_scene(
    picture_size: tuple[int, int],
    seed: int,
    blur: str = "as run",
    patch_size: int = 14,
    chosen: Mapping[str, Any] | None = None,
) -> CropDrawsScene:
    """What DRAWS seeds decide for a picture of this size; no pixel is touched."""
    config = crop_config(blur, patch_size, chosen)
    check_seed(seed)
    seeds = [(seed + i) % (LARGEST_SEED + 1) for i in range(DRAWS)]
    crops = [c for s in seeds for c in draw_crops(*picture_size, config, seeded(s))]
    counts = count_fired(crops)
    kinds = np.maximum(DRAWS * np.array([1, 1, config.local_count]), 1)
    area_edges = np.linspace(0, 1, AREA_BARS + 1)
    aspect_edges = np.geomspace(*config.aspect_ratio, ASPECT_BARS + 1)

    def histogram(kind: str, values: str, edges: np.ndarray) -> np.ndarray:
        drawn = [getattr(crop, values) for crop in crops if crop.kind == kind]
        return np.histogram(np.clip(drawn, edges[0], edges[-1]), edges)[0].astype(np.int32)

    return CropDrawsScene(
        draws=DRAWS,
        rates={name: tuple((np.array(counts[name]) / kinds).tolist()) for name in OPERATIONS},
        area_edges=area_edges.astype(np.float32),
        area_global=histogram("global", "area_fraction", area_edges),
        area_local=histogram("local", "area_fraction", area_edges),
        aspect_edges=aspect_edges.astype(np.float32),
        aspect_global=histogram("global", "aspect", aspect_edges),
        aspect_local=histogram("local", "aspect", aspect_edges),
    )


def count_fired(crops: Sequence[Decisions]) -> dict[str, tuple[int, int, int]]:
    """In how many crops of each kind every operation fired."""
    counts = {name: [0, 0, 0] for name in OPERATIONS}
    for crop in crops:
        names = {operation.name for operation in crop.operations}
        happened = {
            "flip": crop.flipped,
            "jitter": not names.isdisjoint(JITTER_ORDERS[0]),
            "grey": "grey" in names,
            "blur": "blur" in names,
            "solarize": "solarize" in names,
        }
        kind = crop.index if crop.kind == "global" else 2
        for name in OPERATIONS:
            counts[name][kind] += happened[name]
    return {name: (one, two, local) for name, (one, two, local) in counts.items()}


# --- what a person may choose


def seeded(seed: int) -> torch.Generator:
    """The generator of a seed. Crops, masks and thumbnails each start from a fresh one."""
    check_seed(seed)
    return torch.Generator().manual_seed(seed)


def check_seed(seed: int) -> None:
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"A seed is a whole number from 0 to {LARGEST_SEED}, but is {seed}.")


def crop_config(
    blur: str = "as run", patch_size: int = 14, chosen: Mapping[str, Any] | None = None
) -> CropConfig:
    """The official numbers, and over them what was chosen; None stands for the official one.

    The official local crop is the multiple of the patch size near 98 px: 98 for 14, 96 for 16.
    """
    if blur not in BLUR:
        raise ValueError(f"Blur is one of {', '.join(BLUR)}, but is {blur!r}.")
    official = CropConfig(blur_probability=BLUR[blur])
    whole = {
        "global_size": patch_size * round(official.global_size / patch_size),
        "local_size": patch_size * round(official.local_size / patch_size),
    }
    own = {name: value for name, value in (chosen or {}).items() if value is not None}
    config = replace(official, **whole | own)
    for kind in ("global", "local"):
        _check_scale(kind, getattr(config, f"{kind}_scale"))
        _check_side(kind, getattr(config, f"{kind}_size"), patch_size)
    if not 0 <= config.local_count <= MOST_LOCALS:
        raise ValueError(
            f"There can be 0 to {MOST_LOCALS} local crops, but {config.local_count} were wanted."
        )
    return config


def _check_scale(kind: str, scale: tuple[float, float]) -> None:
    low, high = scale
    if not 0 < low <= high <= 1:
        raise ValueError(
            f"The area of a {kind} crop is drawn between two shares of the picture, above 0 and up "
            f"to 1, the smaller one first; {low:g} to {high:g} is not."
        )


def _check_side(kind: str, size: int, patch_size: int) -> None:
    if size % patch_size or not patch_size <= size <= LARGEST_SIDE:
        raise ValueError(
            f"A {kind} crop is a whole number of patches of {patch_size} px wide, up to "
            f"{LARGEST_SIDE} px: {size} px is not. Choose a multiple of {patch_size}."
        )
