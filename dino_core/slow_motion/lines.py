"""The source of functions as it lies in the file that runs: which lines, and which statement.

    read_functions([train_step, make_targets])
    StatementsOf(code.co_filename).at(137)      # the statement that line 137 belongs to

A statement may go over several lines, and Python speaks of each of them while it runs; for a reader
it is one. Of a compound statement (`if`, `for`, `with`, `def`) only the head counts as its own.
"""

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from dino_core.source_code import read_syntax

ROOT = Path(__file__).parents[2]  # above the package


@dataclass(frozen=True)
class Statement:
    """Lines of a file, counted from 1, and the names that they leave behind."""

    first: int
    last: int
    names: tuple[str, ...]  # that are bound, left to right
    text: str  # its first line, without the spaces before it
    simple: bool  # neither the head of a compound statement nor a definition
    returns: bool


@dataclass(frozen=True)
class Function:
    """A function as a reader sees it, those inside it included."""

    name: str
    file: str  # from the folder of the package on, with slashes
    first: int  # line of the file, counted from 1
    lines: tuple[str, ...]
    docstring: tuple[int, int] | None  # first and last line of it

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1


def source_of(function: Callable[..., Any]) -> CodeType:
    """The code of a function itself, not that of decorators around it."""
    code = inspect.unwrap(function).__code__
    assert isinstance(code, CodeType)
    return code


def with_inner(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of functions defined in it; comprehensions are none."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not constant.co_name.startswith("<"):
            yield from with_inner(constant)


def read_functions(functions: Iterable[Callable[..., Any]]) -> tuple[Function, ...]:
    """The functions with their lines, in the order given."""
    return tuple(_read_function(source_of(function)) for function in functions)


def _read_function(code: CodeType) -> Function:
    tree, lines = read_syntax(code.co_filename)
    found = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name == code.co_name
        and _start(node) == code.co_firstlineno
    )
    first, last = _start(found), found.end_lineno or found.lineno
    doc, docstring = found.body[0], None
    if ast.get_docstring(found) is not None:
        docstring = (doc.lineno, doc.end_lineno or doc.lineno)
    return Function(
        name=code.co_name,
        file=Path(code.co_filename).resolve().relative_to(ROOT).as_posix(),
        first=first,
        lines=tuple(lines[first - 1 : last]),
        docstring=docstring,
    )


def _start(node: ast.FunctionDef) -> int:
    """Where it begins, decorators included."""
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


class StatementsOf:
    """The statements of a file, by line."""

    def __init__(self, file: str) -> None:
        tree, lines = read_syntax(file)
        self._by_line: dict[int, Statement] = {}
        for node in ast.walk(tree):  # outer ones first: inner ones take their lines from them
            if isinstance(node, ast.stmt):
                first, last = node.lineno, node.end_lineno or node.lineno
                body = getattr(node, "body", None)
                if body:
                    last = max(first, body[0].lineno - 1)
                statement = Statement(
                    first,
                    last,
                    names=tuple(_bound(node)),
                    text=lines[first - 1].strip(),
                    simple=not body,
                    returns=isinstance(node, ast.Return),
                )
                self._by_line |= dict.fromkeys(range(first, last + 1), statement)

    def at(self, line: int) -> Statement | None:
        """None for a line that belongs to none, such as an empty one."""
        return self._by_line.get(line)

    def starting(self, text: str, between: tuple[int, int]) -> Statement:
        """The statement that begins with `text`, among some lines."""
        first, last = between
        lines = (self._by_line.get(line) for line in range(first, last + 1))
        return next(one for one in lines if one is not None and one.text.startswith(text))


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds: `a, (b, c) = ...`, `a: T = ...`, `a += ...`."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id
