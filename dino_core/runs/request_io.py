"""A run's request from and to JSON, and from a command line."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

from dino_core.jobs import write_json
from dino_core.runs.experiments import check_experiments
from dino_core.runs.option import Kind
from dino_core.runs.presets import find_preset, from_plain
from dino_core.runs.request import (
    COMMANDS,
    DEFAULTS,
    RunRequest,
    full_path,
    map_value,
    options,
)

FILE = "request.json"


# --- JSON


def parse_request(values: Mapping[str, Any], most: Mapping[str, int] | None = None) -> RunRequest:
    """What came as JSON -> a request; null is the default. ValueError in a sentence.

    `most` sets lower limits than the table's: field -> the largest number.
    """
    kind = values.get("kind", "pretraining")
    if kind not in get_args(Kind):
        raise ValueError("A run is pretraining, fine-tuning or distillation.")
    found: dict[str, Any] = {}
    known = dict(options(kind))
    for name, value in values.items():
        if name == "kind" or value is None or is_default(name, value):
            continue
        if name not in known:
            raise ValueError(f"A {kind} run has no option {name!r}.")
        if name == "preset":
            find_preset(str(value))  # or says which there are
        high = (most or {}).get(name)
        if not known[name].accepts(value, high):
            label = name.replace("_", " ")
            raise ValueError(f"The {label} must be {known[name].described(high)}.")
        found[name] = tuple(value) if isinstance(value, list) else value
    check_experiments(found.get("experiment", ()))
    return RunRequest(kind=kind, **found)


def is_default(name: str, value: Any) -> bool:
    return type(value) is type(DEFAULTS.get(name)) and value == DEFAULTS[name]


def as_plain(request: RunRequest) -> dict[str, Any]:
    """For JSON: the kind, and whatever is not the default."""
    values = asdict(request)
    return {name: value for name, value in values.items() if value != DEFAULTS[name]}


def write_request(folder: Path, request: RunRequest) -> Path:
    """request.json in the run's folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / FILE, as_plain(request), indent=1)
    return folder / FILE


def read_request(path: str | Path) -> RunRequest:
    """ValueError, with the file's name, for what is no request."""
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is no request: it is not JSON.") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path} is no request: it holds no JSON object.")
    try:
        return parse_request(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def stored_request(config: Mapping[str, Any]) -> RunRequest | None:
    """What the run of this config.json began with, settled; None where no request began it.

    ValueError where it is damaged.
    """
    try:
        setup = config["setup"]
        if setup.get("request") is None:
            return None
        request = from_plain(RunRequest, setup["request"])
        threads = request.threads or config["threads"]
        return replace(request, threads=threads, heads=setup.get("heads", request.heads))
    except (KeyError, TypeError, AttributeError):
        raise ValueError("The config.json of this run is damaged.") from None


# --- a command line


def add_options(parser_option: Callable[..., Any], kind: Kind) -> None:
    """Every option of a command, and --request, which they are laid over."""
    parser_option(
        "--request",
        metavar="FILE",
        help="a request.json: start from what it asks for; options given beside it count instead",
    )
    for name, option in options(kind):
        option.add_to(parser_option, name)


def given_options(args: argparse.Namespace, kind: Kind) -> dict[str, Any]:
    """What a person has said: field -> value, of the file and of the line.

    ValueError for a file that is no request, or that is one of another command.
    """
    found: dict[str, Any] = {}
    if args.request:
        request = read_request(args.request)
        if request.kind != kind:
            raise ValueError(f"{args.request} asks for {COMMANDS[request.kind]}: use that command.")
        found |= {k: v for k, v in asdict(request).items() if k != "kind" and v != DEFAULTS[k]}
    for name, _ in options(kind):
        if hasattr(args, name):
            value = getattr(args, name)
            found[name] = tuple(value) if isinstance(value, list) else value
    return found


def changes_for(stored: RunRequest | None, given: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """What may differ when a run goes on. ValueError, by name, for what may not.

    `stored` is what the run began with, None where that is not known. Options that are repeated as
    they were are no change.
    """
    changes: dict[str, Any] = {}
    for name, option in options(kind):
        if name not in given or name == "folder":
            continue
        now = map_value(full_path, given[name]) if option.is_path else given[name]
        if option.may_change:
            changes[name] = now
        elif stored is None:
            raise ValueError(
                f"{option.flag} is fixed since the run began, and this run does not say what it "
                f"began with: leave it out."
            )
        elif now != getattr(stored, name):
            before = getattr(stored, name)
            before = " ".join(option.arguments(before)) if before else "without it"
            raise ValueError(
                f"{option.flag} is fixed since the run began ({before}): leave it out, or start a "
                f"new run."
            )
    return changes
