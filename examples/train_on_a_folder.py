"""DINOv2 from scratch on a folder or zip of pictures; its curves as a page that opens offline.

    python examples/train_on_a_folder.py [FOLDER_OR_ZIP [STEPS]]

Without pictures it is the samples. The run is a folder, runs/example: killed, it goes on with
`python -m dino_core train --run runs/example --resume`.
"""

import sys

from dino_core import figures
from dino_core.runs.folder import read_metrics
from dino_core.runs.presets import find_preset, with_batch, with_steps
from dino_core.runs.pretraining import train
from dino_core.runs.setup import SAMPLES, Setup
from dino_core.step.diagnosis import diagnose

RUN = "runs/example"


def main(data: str = SAMPLES, steps: str = "200") -> None:
    preset = with_steps(with_batch(find_preset("tiny"), 8), int(steps))
    print(train(RUN, Setup(run=preset, data=data)))

    lines = read_metrics(RUN)  # one a step, and one a milestone
    last = next(line for line in reversed(lines) if "logged" in line)
    for name, value in last["logged"].items():
        uniform = last["uniform"].get(name)
        beside = f", {uniform:.3f} for uniform output" if uniform else ""
        print(f"{name}: {value:.3f}{beside}")
    print(diagnose(lines).message)
    print("curves ->", figures.save(figures.pretraining_curves(lines), "curves.html"))


if __name__ == "__main__":
    main(*sys.argv[1:])
