"""The page's scripts are told what scenes hold, and tested on what the server sends."""

import dataclasses
import json
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
import pytest
from script_golden import FILE as GOLDEN
from script_golden import as_json, golden, unpacked
from script_scene import FILE, example

from dino_core.scenes import typescript
from dino_core.scenes.typescript import NotSentError, declarations, interface

TYPES = FILE.parents[1] / "types/scenes.d.ts"


class Box(TypedDict):
    kind: Literal["global", "local"]
    side: NotRequired[int]  # px


@dataclasses.dataclass(frozen=True)
class TinyScene:
    """Two words."""

    size: tuple[int, int]  # px
    note: str | None
    boxes: list[Annotated[dict[str, Any], Box]]
    map: np.ndarray  # float32 [h, w, 3], of something
    pixels: tuple[np.ndarray, ...]  # n x uint8 [8, 8]
    more: np.ndarray | None = None  # [n] int32


TINY = """\
/** Two words. */
export interface TinyScene {
  /** float32 [h, w, 3], of something */
  map: Float32Array;
  /** n x uint8 [8, 8] */
  [name: `pixels.${number}`]: Uint8Array;
  /** [n] int32 */
  more?: Int32Array;
  facts: {
    /** px */
    size: [number, number];
    note: string | null;
    boxes: {
      kind: "global" | "local";
      /** px */
      side?: number;
    }[];
  };
  shapes: {
    map: [number, number, 3];
    [name: `pixels.${number}`]: [8, 8];
    more?: [number];
  };
}"""


def test_types_say_what_scenes_hold() -> None:
    wanted = "`python -m dino_core.scenes.typescript > static/js/types/scenes.d.ts`"
    assert declarations() == TYPES.read_text(encoding="utf-8"), f"Out of date: run {wanted}"


def test_an_interface_has_arrays_facts_and_shapes() -> None:
    assert interface(TinyScene) == TINY


def test_an_array_without_its_dtype_is_refused() -> None:
    @dataclasses.dataclass(frozen=True)
    class Unstated:
        values: np.ndarray  # something

    with pytest.raises(NotSentError, match=r"Unstated\.values"):
        interface(Unstated)


def test_what_holds_a_model_is_left_out() -> None:
    assert "OpenPicture" not in declarations()
    with pytest.raises(NotSentError):
        typescript.typescript(object)


def test_scripts_are_tested_on_what_python_writes() -> None:
    assert FILE.read_bytes() == example(), (
        "Out of date: run `PYTHONPATH=. python tests/script_scene.py`"
    )


def test_what_the_pages_arithmetic_is_held_to_is_what_python_computes() -> None:
    stored, computed = json.loads(GOLDEN.read_text()), as_json(golden())
    assert {name: part.keys() for name, part in stored.items()} == {
        name: part.keys() for name, part in computed.items()
    }
    message = "Out of date: run `PYTHONPATH=.:tests python tests/script_golden.py`"
    close = {"rtol": 1e-4, "atol": 1e-5, "err_msg": message}  # processors round differently
    for name, part in computed.items():
        for scene, old in zip(part.pop("scenes"), stored[name].pop("scenes"), strict=True):
            (arrays, facts), (old_arrays, old_facts) = unpacked(scene), unpacked(old)
            assert facts.keys() == old_facts.keys(), message
            assert arrays.keys() == old_arrays.keys(), message
            for key, array in arrays.items():
                np.testing.assert_allclose(array, old_arrays[key], **close)
        for key, values in part.items():
            np.testing.assert_allclose(values, stored[name][key], **close)
