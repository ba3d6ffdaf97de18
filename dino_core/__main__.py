"""The command line: pictures in, arrays (NPZ) and pictures (PNG) out.

    python -m dino_core features cat.jpg --output cat.npz
    python -m dino_core attention cat.jpg --layer -1 --query 12,20 --output attention
    python -m dino_core pca cat.jpg flower.jpg --preset dinov2-notebook --output pca
    python -m dino_core crops cat.jpg --seed 3 --output crops
    python -m dino_core masks --grid 16x16 --ratio 0.3 --count 100 --seed 0 --output masks.npz
    python -m dino_core models

Nothing is computed here: every command reads, asks the library, and writes. Exit code 0 when done,
2 for a mistake, which is said in a sentence on standard error, 130 when interrupted.

Whatever takes time to import, torch above all, is imported by the functions that need it, so that
`--help` and `models` answer at once.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from dino_core.config import BLUR_AS_RUN, BLUR_AS_WRITTEN, PCA_PRESETS, CropConfig, MaskConfig

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image
    from torch import Tensor

    from dino_core.analysis.inspection import Inspection
    from dino_core.images import Fitted
    from dino_core.weights import Backbone

SHORT_SIDE = 518  # px: the size that the released models learned their positions at
BLUR = {"as-run": BLUR_AS_RUN, "as-written": BLUR_AS_WRITTEN}

Size = int | tuple[int, int] | Literal["native"]  # short side, (height, width), or as it is
Item = TypeVar("Item")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code. argparse itself exits with 2 as well."""
    args = build_parser().parse_args(argv)
    code = 2
    try:
        args.run(args)
        return 0
    except KeyboardInterrupt:
        code, sentence = 130, "Stopped."
    except ValueError as error:
        sentence = str(error)
    except OSError as error:
        sentence = f"{error.filename or 'The system says'}: {error.strerror or error}."
    except (MemoryError, RuntimeError) as error:  # PyTorch says RuntimeError when memory is short
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        sentence = "There is not enough memory for this: choose a smaller --size or --model."
    print(sentence, file=sys.stderr)  # here, where a progress bar has already ended its line
    return code


# --- what can be asked


def build_parser() -> argparse.ArgumentParser:
    started_as_module = Path(sys.argv[0]).name == "__main__.py"
    parser = argparse.ArgumentParser(
        prog="python -m dino_core" if started_as_module else None,
        description="See what happens inside DINOv2. COMMAND --help says more.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, add_options in (
        (features, features_options),
        (attention, attention_options),
        (pca, pca_options),
        (crops, crops_options),
        (masks, masks_options),
        (models, models_options),
    ):
        words = (run.__doc__ or "").split("\n\n")
        command = commands.add_parser(run.__name__, help=words[0], description="\n\n".join(words))
        command.set_defaults(run=run)
        add_options(command.add_argument)
    return parser
