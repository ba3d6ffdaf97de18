"""What scenes hold, as types for the page's scripts.

    python -m dino_core.scenes.typescript > static/js/types/scenes.d.ts

One namespace a module, one interface a dataclass. An array becomes the typed array of the dtype
that its comment states, with its shape; everything else becomes a fact. What a dict holds is said
by a class: `Annotated[dict[str, Any], CropFacts]`. A dataclass of which nothing is sent (it holds a
model or a picture) is left out.
"""

import dataclasses
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, Literal, Union

import numpy as np

import dino_core.scenes
from dino_core.scenes.help_texts import field_comments

HEAD = """\
/* What the server sends, scene by scene. Written by `python -m dino_core.scenes.typescript`
   from the dataclasses of dino_core/scenes; a test says when it is out of date. Do not edit. */
"""
ARRAYS = {"float32": "Float32Array", "int32": "Int32Array"}
ARRAYS |= {"uint8": "Uint8Array", "int8": "Int8Array", "bool": "Uint8Array"}  # one byte each
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
PLAIN[Any] = "unknown"
STATED = re.compile(
    r"(float32|uint8|int8|int32|bool) \[([^\]]*)\]|\[([^\]]*)\] (float32|uint8|int8|int32|bool)"
)


class NotSentError(TypeError):
    """A type that is never part of a scene."""


def declarations() -> str:
    """The whole file."""
    modules = []
    for module in scene_modules():
        interfaces = []
        for cls in own_dataclasses(module):
            try:
                interfaces.append(interface(cls))
            except NotSentError:
                if cls.__name__.endswith("Scene"):
                    raise
        if interfaces:
            name = module.__name__.rsplit(".", 1)[1]
            body = "\n\n".join(interfaces).replace("\n", "\n  ").replace("\n  \n", "\n\n")
            modules.append(f"export namespace {name} {{\n  {body}\n}}\n")
    return "\n".join([HEAD, *modules])


def scene_modules() -> Iterator[types.ModuleType]:
    for found in pkgutil.iter_modules(dino_core.scenes.__path__):
        if found.name != "typescript":
            yield import_module(f"dino_core.scenes.{found.name}")


def own_dataclasses(module: types.ModuleType) -> list[type]:
    return [
        cls
        for cls in vars(module).values()
        if isinstance(cls, type)
        and dataclasses.is_dataclass(cls)
        and cls.__module__ == module.__name__
    ]


def interface(cls: type) -> str:
    """One dataclass. One without arrays is sent as JSON, and its fields are its own."""
    hints, comments = typing.get_type_hints(cls, include_extras=True), field_comments(cls)
    arrays, facts, shapes = [], [], []
    for field in dataclasses.fields(cls):
        hint, comment = hints[field.name], comments.get(field.name, "")
        if is_array(hint):
            name, optional = array_name(field.name, hint), "?" if allows_none(hint) else ""
            array, shape = stated_array(cls, field.name, comment)
            arrays.append(documented(f"{name}{optional}: {array};", comment))
            shapes.append(f"{name}{optional}: {shape};")
        else:
            facts.append(documented(f"{field.name}: {typescript(hint)};", comment))
    if arrays:
        inner = [f"facts: {block(facts)};", f"shapes: {block(shapes)};"]
        return f"{summary(cls)}export interface {cls.__name__} {block(arrays + inner)}"
    return f"{summary(cls)}export interface {cls.__name__} {block(facts)}"


def block(lines: list[str]) -> str:
    if not lines:
        return "{}"
    return "{\n" + "\n".join("  " + line.replace("\n", "\n  ") for line in lines) + "\n}"


def documented(line: str, comment: str) -> str:
    return f"/** {comment} */\n{line}" if comment else line


def summary(cls: type) -> str:
    words = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
    generated = words.startswith(f"{cls.__name__}(")  # dataclass writes one where there is none
    return f"/** {words} */\n" if words and not generated else ""


def is_array(hint: Any) -> bool:
    """np.ndarray, one that may be missing, or a tuple of them."""
    return hint is np.ndarray or np.ndarray in typing.get_args(hint)


def allows_none(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def array_name(name: str, hint: Any) -> str:
    """The arrays of a tuple are named name.0, name.1, ..."""
    return f"[name: `{name}.${{number}}`]" if typing.get_origin(hint) is tuple else name


def stated_array(cls: type, name: str, comment: str) -> tuple[str, str]:
    """The typed array and its shape, from a comment such as `float32 [h, w, 3]`."""
    stated = STATED.search(comment)
    if stated is None:
        raise NotSentError(f"{cls.__name__}.{name}: its comment states no dtype and shape.")
    dimensions = (stated[2] or stated[3]).split(",")
    numbers = [d.strip() if d.strip().isdecimal() else "number" for d in dimensions]
    return ARRAYS[stated[1] or stated[4]], f"[{', '.join(numbers)}]"


def typescript(hint: Any) -> str:
    """A Python type as JSON hands it over."""
    if (isinstance(hint, type(None) | type) and hint in PLAIN) or hint is Any:
        return PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        meant = [one for one in arguments[1:] if is_record(one)]
        return record(meant[0]) if meant else typescript(arguments[0])
    if origin is Literal:
        return " | ".join(literal(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(typescript(one) for one in arguments)
    if origin in (list, tuple):
        if origin is tuple and Ellipsis not in arguments:
            return f"[{', '.join(typescript(one) for one in arguments)}]"
        inner = typescript(arguments[0])
        return f"({inner})[]" if "|" in inner and "\n" not in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<{typescript(arguments[0])}, {typescript(arguments[1])}>"
    if origin is typing.NotRequired:
        return typescript(arguments[0])
    if is_record(hint):
        return record(hint)
    raise NotSentError(f"{hint} is no part of a scene.")


def is_record(hint: Any) -> bool:
    """A class that says what a dict holds."""
    return typing.is_typeddict(hint) or dataclasses.is_dataclass(hint)


def literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def record(cls: Any) -> str:
    """A TypedDict, or a dataclass as a dict."""
    hints, comments = typing.get_type_hints(cls, include_extras=True), field_comments(cls)
    wanted = getattr(cls, "__required_keys__", hints)
    return block(
        [
            documented(
                f"{name}{'' if name in wanted else '?'}: {typescript(hint)};",
                comments.get(name, ""),
            )
            for name, hint in hints.items()
        ]
    )


if __name__ == "__main__":
    print(declarations(), end="")
