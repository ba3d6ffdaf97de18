"""Values stay what they are: dataclasses are frozen, but for those that are filled on their way."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILLED = {
    "app/state/models.py: LoadedModel",
    "app/state/pictures.py: Entry",
    "app/state/screenings.py: Screening",
    "app/state/steps.py: KeptRow",
    "app/state/trays.py: Brought",
    "dino_core/analysis/tray.py: _Kept",
    "dino_core/cli/parts.py: Log",
    "dino_core/datasets/class_names.py: Classes",
    "dino_core/datasets/contents.py: Listing",
    "dino_core/datasets/layout.py: Layout",
    "dino_core/datasets/shards.py: Contained",
    "dino_core/datasets/tables.py: Labelled",
    "dino_core/datasets/tables.py: Table",
    "dino_core/distillation/features.py: Progress",
    "dino_core/embedding/features.py: Clock",
    "dino_core/embedding/reading.py: Group",
    "dino_core/runs/progress.py: Progress",
    "dino_core/scenes/step.py: StepRow",
    "dino_core/slow_motion/recorder.py: _Call",
}
BY_IDENTITY = {
    "dino_core/crops.py: Crop",
    "dino_core/datasets/places.py: Places",
    "dino_core/gallery/screening.py: AccuracyChange",
    "dino_core/gallery/screening.py: Labelled",
    "dino_core/masks.py: BatchMasks",
    "dino_core/masks.py: BlockMask",
    "dino_core/scenes/pairs.py: OpenPair",
    "dino_core/scenes/pairs.py: ReferenceSample",
    "dino_core/scenes/predicting.py: TunedModel",
    "dino_core/scenes/step.py: StepRow",
    "dino_core/scenes/whatif_pictures.py: Several",
    "dino_core/slow_motion/gradients.py: Layers",
    "dino_core/slow_motion/gradients.py: LossGradients",
    "dino_core/slow_motion/recorded.py: Movement",
    "dino_core/slow_motion/recorded.py: RecordedStep",
    "dino_core/slow_motion/session.py: Drawn",
    "dino_core/step/loss_inspection.py: LossBreakdown",
    "dino_core/step/loss_inspection.py: PictureLogits",
    "dino_core/step/loss_inspection.py: ReferencePicture",
    "dino_core/vit/edits.py: Edit",
    "dino_core/weights/classifiers.py: LinearClassifier",
}


MADE = re.compile(r"^ *@dataclass(?:\((.*)\))?\n *class (\w+)", re.MULTILINE)


@cache
def dataclasses() -> dict[str, set[str]]:
    """package/file.py: name of a class -> the options of its decorator."""
    paths = [*ROOT.glob("dino_core/**/*.py"), *ROOT.glob("app/**/*.py")]
    return {
        f"{path.relative_to(ROOT).as_posix()}: {name}": {*options.split(", ")} - {""}
        for path in paths
        for options, name in MADE.findall(path.read_text(encoding="utf-8"))
    }


def test_only_what_is_filled_on_its_way_may_change() -> None:
    assert len(dataclasses()) > 250
    assert {name for name, said in dataclasses().items() if "frozen=True" not in said} == FILLED


def test_what_holds_arrays_is_compared_by_identity() -> None:
    assert {name for name, said in dataclasses().items() if "eq=False" in said} == BY_IDENTITY
    assert set().union(*dataclasses().values()) == {"frozen=True", "eq=False"}
