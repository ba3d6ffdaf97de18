"""Runs a function as it is and writes down what its lines leave behind, as a debugger would.

Python calls a trace function (`sys.settrace`) before each line of the functions that are watched,
and nothing at all where none is set: code that may be recorded does not know of it, and pays
nothing. Only this thread is traced, and only while `run` runs. A debugger or a measurement of
coverage that traces already stands aside for so long.

    recorder = Recorder([train_step, make_targets], probes)
    result = recorder.run(lambda: train_step(pair, batch, ...))
    recorder.visits         # statement by statement, a call's own lines before the line that calls
    recorder.names          # what the first function's names held at its end
"""

import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, TypeVar

from dino_core.slow_motion.lines import (
    Function,
    Statement,
    StatementsOf,
    read_functions,
    with_inner,
)
from dino_core.slow_motion.lines import source_of as code_of
from dino_core.slow_motion.values import Value, values_of

Result = TypeVar("Result")
Names = dict[str, Any]  # a frame's
RETURNED = "returned"  # what a return statement hands back goes by this name


@dataclass(frozen=True)
class Probe:
    """What is to be looked at around one statement, and is in no name. It must change nothing."""

    function: str
    statement: str  # how it begins
    before: Callable[[Names], None] | None = None
    after: Callable[[Names], None] | None = None


@dataclass(frozen=True)
class Visit:
    """One statement that was run. The first of a call is the head of its function."""

    function: int  # whose lines it is among, of `Recorder.functions`
    within: str  # the function itself, which may be an inner one
    first: int  # lines of the file
    last: int
    depth: int  # calls that it lies in, of watched functions: 0 in the first one
    callers: tuple[tuple[int, int], ...]  # function and line of each of those, the outermost first
    call: int  # which call of a function, counted from 0 over all of them
    values: tuple[Value, ...]


@dataclass
class _Call:
    """A watched function that has not returned yet."""

    code: CodeType
    number: int
    section: int
    current: Statement | None = None


class Recorder:
    """Watches some functions. The first is the one to be run; `check` is called at each line, and
    what it raises ends the run."""

    def __init__(
        self,
        functions: Sequence[Callable[..., Any]],
        probes: Sequence[Probe] = (),
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.functions: tuple[Function, ...] = read_functions(functions)
        self.visits: list[Visit] = []
        self.names: Names = {}
        self._check = check
        self._section: dict[CodeType, int] = {}
        for section, function in enumerate(functions):
            for code in with_inner(code_of(function)):
                self._section[code] = section
        self._statements = {c.co_filename: StatementsOf(c.co_filename) for c in self._section}
        self._probes = {self._place(probe): probe for probe in probes}
        self._open: list[_Call] = []
        self._calls = 0

    def _place(self, probe: Probe) -> tuple[str, int]:
        """File and first line of the statement that a probe is about."""
        section = next(i for i, one in enumerate(self.functions) if one.name == probe.function)
        function = self.functions[section]
        file = next(code.co_filename for code, at in self._section.items() if at == section)
        statements = self._statements[file]
        return file, statements.starting(probe.statement, (function.first, function.last)).first

    def run(self, work: Callable[[], Result]) -> Result:
        """Does the work, of which the watched functions are recorded; what it raises is raised."""
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            return work()
        finally:
            sys.settrace(before)
            self._open.clear()

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Asked for every function that is called; a watched one is followed line by line."""
        code = frame.f_code
        section = self._section.get(code)
        if section is None or event != "call":
            return None
        call = _Call(code, self._calls, section)
        self._calls += 1
        self._open.append(call)
        count = code.co_argcount + code.co_kwonlyargcount
        lines = map(self._statements[code.co_filename].at, itertools.count(code.co_firstlineno))
        head = next(one for one in lines if one and one.text.startswith("def "))  # or decorators
        self._add(call, head, frame, code.co_varnames[:count])
        return self._on_event

    def _on_event(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._check()
        call = self._open[-1]
        if event == "line":
            statement = self._statements[frame.f_code.co_filename].at(frame.f_lineno)
            if statement is not call.current:
                self._finish(call, frame)
                call.current = statement
                self._probe(call, frame, after=False)
        elif event == "return":
            self._finish(call, frame, argument)
            if call.number == 0:
                self.names = dict(frame.f_locals)
            self._open.pop()
        return self._on_event

    def _finish(self, call: _Call, frame: FrameType, returned: Any = None) -> None:
        statement = call.current
        if statement is None or not statement.simple:
            return
        self._probe(call, frame, after=True)
        self._add(call, statement, frame, statement.names, returned)

    def _add(
        self,
        call: _Call,
        statement: Statement,
        frame: FrameType,
        names: Sequence[str],
        returned: Any = None,
    ) -> None:
        held = {name: frame.f_locals[name] for name in names if name in frame.f_locals}
        if statement.returns:
            held[RETURNED] = returned
        callers = self._open[:-1]
        self.visits.append(
            Visit(
                function=call.section,
                within=call.code.co_name,
                first=statement.first,
                last=statement.last,
                depth=len(callers),
                callers=tuple((c.section, c.current.first) for c in callers if c.current),
                call=call.number,
                values=tuple(v for name, one in held.items() for v in values_of(name, one)),
            )
        )

    def _probe(self, call: _Call, frame: FrameType, *, after: bool) -> None:
        if call.current is None:
            return
        probe = self._probes.get((frame.f_code.co_filename, call.current.first))
        if probe is not None:
            look = probe.after if after else probe.before
            if look is not None:
                look(frame.f_locals)
