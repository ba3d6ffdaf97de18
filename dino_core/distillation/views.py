"""Step -> the crops of a batch: part of a picture, as the student sees it and as the teacher would.

A set of n pictures and a teacher that may be asked about m crops: each picture is cut into
m // n crops, or, where there are more pictures than that, m of them are taken, evenly spread. The
first crop of a picture is its middle square, whole; the others have random boxes that follow from
the picture's content alone, so that another run, whatever its seed, finds their answers.

    place g of the endless row -> picture i of pass k -> crop k % (m // n) of it, flipped or not

A batch is a function of (seed, step), as everywhere (`step/loader.py`).
"""

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dino_core.config import CropConfig, FollowConfig
from dino_core.crops import Box, draw_crops
from dino_core.datasets import Pictures
from dino_core.images import IMAGENET_MEAN, IMAGENET_STD
from dino_core.runs.presets import RunConfig
from dino_core.step.loader import EndlessRow, generator_for, share_of

DIGEST_BYTES = 16


@dataclass(frozen=True)
class View:
    """One crop of a picture, and how the student's copy of it is varied."""

    index: int  # of the picture in the set
    box: Box  # px of the picture
    key: bytes  # the picture's content and the box: what an answer is kept under
    flipped: bool  # crop and answer, left to right
    gain: float
    offset: float  # of white


@dataclass(frozen=True)
class RawViews:
    """What the student sees, as bytes, and where it comes from."""

    pixels: np.ndarray  # uint8 [B, H, W, 3], flipped where the view says so
    views: tuple[View, ...]
    broken: tuple[tuple[str, str], ...]  # (name, why) of files that could not be read


def asked_about(pictures: Pictures, answers: int) -> tuple[Pictures, int]:
    """The pictures that are used, and in how many crops each is cut."""
    n = len(pictures)
    if n <= answers:
        return pictures, answers // n
    return pictures.subset([i * n // answers for i in range(answers)]), 1


class ViewMaker:
    """The views of a step, in a worker or here. `pictures` are those of `asked_about`."""

    def __init__(
        self, pictures: Pictures, crops: int, config: RunConfig, rank: int = 0, world: int = 1
    ) -> None:
        assert config.follow is not None
        self.pictures, self.crops, self.config = pictures, crops, config
        self.follow: FollowConfig = config.follow
        self.rank, self.world = rank, world
        self.row = EndlessRow(pictures, config.seed)
        self._digests: dict[int, bytes] = {}

    def make(self, step: int) -> RawViews:
        """The part of one step's batch that belongs to this process."""
        total, size = self.config.batch_size, self.config.train.crops.global_size
        broken: dict[str, str] = {}
        mine = share_of(total, self.rank, self.world)
        views = [self.view_at(step * total + i, broken) for i in mine]
        pixels = [self.pixels(view, size) for view in views]
        return RawViews(np.stack(pixels), tuple(views), tuple(broken.items()))

    def view_at(self, place: int, broken: dict[str, str]) -> View:
        """The view that stands at a place of the endless row."""
        index, picture = self.row.at(place, broken)
        box = self.box(index, picture, place // len(self.pictures) % self.crops)
        flip, gain, offset = torch.rand(
            3, generator=generator_for(self.config.seed, "view", place)
        ).tolist()
        follow = self.follow
        return View(
            index=index,
            box=box,
            key=self.digest(index) + struct.pack("<4i", *box),
            flipped=flip < follow.flip_probability,
            gain=1 + follow.gain * (2 * gain - 1),
            offset=follow.offset * (2 * offset - 1),
        )

    def box(self, index: int, picture: Image.Image, number: int) -> Box:
        """Crop `number` of a picture. 0 is the middle square."""
        width, height = picture.size
        if number == 0:
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            return left, top, left + side, top + side
        config = CropConfig(global_scale=self.follow.crop_scale, local_count=0)
        generator = generator_for(0, f"crop of {self.digest(index).hex()}", number)
        return draw_crops(width, height, config, generator)[0].box

    def digest(self, index: int) -> bytes:
        """Of the picture's file."""
        if index not in self._digests:
            data = self.pictures.read(index)
            self._digests[index] = hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()
        return self._digests[index]

    def pixels(self, view: View, size: int, *, upright: bool = False) -> np.ndarray:
        """uint8 [size, size, 3], bicubic; `upright`: never flipped, as the teacher is asked."""
        picture = self.row.picture(view.index)
        crop = picture.resize((size, size), Image.Resampling.BICUBIC, view.box)
        pixels = np.asarray(crop)
        return pixels[:, ::-1] if view.flipped and not upright else pixels


def student_images(raw: RawViews, device: torch.device | str = "cpu") -> Tensor:
    """Bytes -> normalised float32 [B, 3, H, W], brighter or darker as each view says."""
    images = as_floats(raw.pixels, device)  # [B, 3, H, W] in 0 to 1
    gain, offset = (
        torch.tensor([getattr(view, name) for view in raw.views], device=device).view(-1, 1, 1, 1)
        for name in ("gain", "offset")
    )
    return normalised(images.mul_(gain).add_(offset))


def as_floats(pixels: np.ndarray, device: torch.device | str) -> Tensor:
    """uint8 [B, H, W, 3] -> float32 [B, 3, H, W] in 0 to 1."""
    images = torch.from_numpy(pixels.copy()).to(device).permute(0, 3, 1, 2)
    return images.to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def normalised(images: Tensor) -> Tensor:
    """Float32 [B, 3, H, W] in 0 to 1 -> with ImageNet's mean and standard deviation, in place."""
    mean, std = (
        torch.tensor(v, device=images.device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return images.sub_(mean).div_(std)
