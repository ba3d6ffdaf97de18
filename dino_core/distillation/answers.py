"""What a frozen teacher says of crops: asked once, kept by content and crop.

One SQLite database for each teacher, size and grid, beside the embeddings. A row is a crop:

    key      digest of the picture's file, and the box in pixels
    answer   float16 [1 + P, F]: the class token, then the patch tokens, brought to the student's
             grid of P patches by averaging (7 x 7 -> 4 x 4), all after the final norm

Each batch is one transaction, in the order of the steps: after a kill what was answered is there,
and the crops that are still to be asked about are those that would have been asked about anyway.
The answers of a run that goes on are so the same bit for bit.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dino_core.distillation.views import as_floats, normalised
from dino_core.embedding.cache import cache_folder, model_key
from dino_core.embedding.database import Database
from dino_core.weights import Backbone

FORMAT = 1  # goes up when the same crop gives other answers than before
KEPT = 4 * 2**30  # bytes of all answers together; files that were not opened for longest go first
AT_ONCE = 32  # crops in one forward; a smaller rest is filled up, so that every forward is alike
TABLE = "CREATE TABLE IF NOT EXISTS answers (crop BLOB PRIMARY KEY NOT NULL, answer BLOB)"


def answers_file(
    teacher: Backbone, size: int, grid: tuple[int, int], bfloat16: bool = False
) -> Path:
    """Where the answers of this teacher at this size, for this grid of a student, are kept."""
    key = {"format": FORMAT, **model_key(teacher), "size": size, "grid": list(grid)}
    key["autocast"] = bfloat16
    text = json.dumps(key, sort_keys=True).encode()
    digest = hashlib.blake2b(text, digest_size=8).hexdigest()
    return cache_folder() / f"{teacher.name}-answers-{digest}.sqlite"


def sweep(opened: Path, most: int = KEPT) -> None:
    """Files of answers go, those first that were not opened for longest, until what stays is at
    most so many bytes; the one that is open stays. A run that goes on asks again for what is gone.
    """
    found = []
    for path in opened.parent.glob("*-answers-*.sqlite"):
        with suppress(OSError):  # another process was quicker
            facts = path.stat()
            found.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total > most and path != opened:
            with suppress(OSError):  # another process has it open, where that is a reason
                path.unlink()
                total -= size


class Answers:
    """Asks the teacher, or looks up what it said. For use as a context."""

    def __init__(
        self, teacher: Backbone, size: int, grid: tuple[int, int], bfloat16: bool = False
    ) -> None:
        """`size` px at which the teacher looks, `grid` (h, w) of the student; under autocast?"""
        self.vit, self.size, self.grid = teacher.vit.eval().requires_grad_(False), size, grid
        self.bfloat16 = bfloat16
        self.path = answers_file(teacher, size, grid, bfloat16)
        self.shape = (1 + grid[0] * grid[1], teacher.vit.config.dim)
        self._base = Database(self.path, TABLE, holds="The teacher's answers")
        self.path.touch()
        sweep(self.path)

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def of(self, keys: Sequence[bytes], pixels: Callable[[int], np.ndarray]) -> tuple[Tensor, int]:
        """Float32 [B, 1 + P, F] on the teacher's device, and of how many it was asked just now.

        `pixels(i)` is crop i as the teacher sees it: uint8 [size, size, 3].
        """
        found = {key: answer for key in keys if (answer := self._look_up(key)) is not None}
        missing: dict[bytes, int] = {}  # key -> where it is first, in order
        for i, key in enumerate(keys):
            if key not in found:
                missing.setdefault(key, i)
        new = list(missing.items())
        for start in range(0, len(new), AT_ONCE):
            part = new[start : start + AT_ONCE]
            answers = self.ask(np.stack([pixels(i) for _, i in part]))
            self._put([key for key, _ in part], answers)
            found |= {key: answer for (key, _), answer in zip(part, answers, strict=True)}
        rows = np.stack([found[key] for key in keys])
        return torch.from_numpy(rows).to(self.vit.pos_embed.device).float(), len(new)

    @torch.inference_mode()
    def ask(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 [n, size, size, 3], n <= AT_ONCE -> float16 [n, 1 + P, F]."""
        n = len(pixels)
        filled = np.concatenate([pixels, np.repeat(pixels[-1:], AT_ONCE - n, axis=0)])
        images = normalised(as_floats(filled, self.vit.pos_embed.device))
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.bfloat16):
            out = self.vit(images.to(self.vit.pos_embed.dtype))
        h, w = self.vit.patch_grid(images)
        maps = out.patches.float().transpose(1, 2).unflatten(2, (h, w))  # [n, F, h, w]
        patches = F.adaptive_avg_pool2d(maps, self.grid).flatten(2).transpose(1, 2)  # [n, P, F]
        answers = torch.cat([out.cls.float()[:, None], patches], dim=1)[:n]
        result: np.ndarray = answers.half().cpu().numpy()
        if not np.isfinite(result).all():
            raise ValueError(
                "The teacher's answers are not finite: its weights are damaged or no backbone's."
            )
        return result

    def _look_up(self, key: bytes) -> np.ndarray | None:
        row = self._base.row("SELECT answer FROM answers WHERE crop = ?", key)
        if row is None or len(row[0]) != 2 * self.shape[0] * self.shape[1]:
            return None
        return np.frombuffer(row[0], np.float16).reshape(self.shape)

    def _put(self, keys: Sequence[bytes], answers: np.ndarray) -> None:
        rows = [(key, answer.tobytes()) for key, answer in zip(keys, answers, strict=True)]
        self._base.write("REPLACE INTO answers VALUES (?, ?)", rows)
