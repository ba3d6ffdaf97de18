"""config.py; presets, students, experiments and options of runs/: every number of every recipe.

What a name stands for does not change by the way. Who changes one on purpose writes recipes.json
anew, `python tests/test_recipes.py`, and reads the difference.
"""

import dataclasses
import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dino_core import config
from dino_core.finetuning.setup import FinetuneSetup
from dino_core.runs.experiments import EXPERIMENTS, with_experiments
from dino_core.runs.option import Option
from dino_core.runs.presets import LONG, PRESETS, TINY
from dino_core.runs.request import DEFAULTS as UNSAID
from dino_core.runs.request import RunRequest
from dino_core.runs.students import RECIPES

FILE = Path(__file__).parent / "recipes.json"
DEFAULTS = (
    config.CropConfig,
    config.MaskConfig,
    config.ViTConfig,
    config.PCAConfig,
    config.PropagationConfig,
    config.HeadConfig,
    config.LossConfig,
    config.OptimConfig,
    config.ScheduleConfig,
    config.FollowConfig,
    config.TrainConfig,
)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers and words of nested dataclasses, by their dotted names."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        yield name, list(value) if isinstance(value, tuple) else value
        return
    for key, inner in vars(value).items():
        yield from leaves(inner, f"{name}.{key}" if name else key)


@cache
def plain_of(name: str) -> dict[str, Any]:
    """What a run is compared with: an experiment with its preset, all others with the same one."""
    preset = name.split()[-1] if " in " in name else "official-short"
    return dict(leaves(PRESETS[preset]))


def table() -> Iterator[tuple[str, Option]]:
    """What may be asked of a run: the fields of a request, and how each is written."""
    for one in dataclasses.fields(RunRequest):
        if "option" in one.metadata:
            yield one.name, one.metadata["option"]


def taken(name: str, option: Option) -> dict[str, Any]:
    """All of an option but its words: for which commands it is, what it takes, what it is unless
    it is said."""
    found = {key: value for key, value in vars(option).items() if key not in ("help", "metavar")}
    default = UNSAID[name]
    return {
        **{key: list(one) if isinstance(one, tuple) else one for key, one in found.items()},
        "type": option.type.__name__,
        "default": list(default) if isinstance(default, tuple) else default,
    }


@cache
def recipes() -> dict[str, dict[str, Any]]:
    """All of them by name; of runs what is not as in the one that they are compared with."""
    runs = {f"train {name}": one for name, one in PRESETS.items()}
    for recipe, students in RECIPES.items():
        runs |= {f"distil {name} by {recipe}": one for name, one in students.items()}
    for name in EXPERIMENTS:
        runs |= {f"{name} in {on.preset}": with_experiments(on, [name]) for on in (TINY, LONG)}
    return {
        **{kind.__name__: dict(leaves(kind())) for kind in DEFAULTS},
        "finetune": dict(leaves(FinetuneSetup("data"))),
        **{name: dict(leaves(one)) for name, one in vars(config).items() if name[:4] == "VIT_"},
        **{f"PCA {name}": dict(leaves(one)) for name, one in config.PCA_PRESETS.items()},
        **{f"option {name}": taken(name, one) for name, one in table()},
        "train official-short": plain_of(""),
        **{
            name: {
                key: value for key, value in leaves(one) if plain_of(name).get(key, "-") != value
            }
            for name, one in runs.items()
            if name != "train official-short"
        },
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other) and type(one) is type(other)


WRITTEN = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def test_there_is_no_other_recipe() -> None:
    assert recipes().keys() == WRITTEN.keys()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_recipe_is_what_is_written_of_it(name: str) -> None:
    found, written = recipes()[name], WRITTEN[name]
    assert found.keys() == written.keys()
    assert {key: found[key] for key in found if not same(found[key], written[key])} == {}


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in recipes().items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
