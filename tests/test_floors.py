"""Who may import whom, read off the source; and what an import costs."""

import subprocess
import sys
from pathlib import Path

import pytest
from import_graph import imports

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"account", "assets", "config", "images", "initialisation", "interruption", "source_code"},
    {"crops", "masks", "vit", "heads", "targets", "losses", "schedules", "draw", "writing"},
    {"student_teacher", "update", "weights", "analysis"},
    {"datasets", "jobs"},
    {"step", "embedding", "figures"},
    {"evaluation", "whatif", "slow_motion"},
    {"runs", "gallery"},
    {"finetuning", "distillation"},
    {"scenes", "cli"},
    {"__main__"},  # the command line, beside the app
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

LIBRARY = sorted((ROOT / "dino_core").rglob("*.py"))
APP = sorted((ROOT / "app").rglob("*.py"))
APP_MAY_IMPORT = {
    "app", "dino_core.account", "dino_core.assets", "dino_core.config", "dino_core.interruption",
    "dino_core.scenes",
    "dino_core.jobs", "dino_core.runs.folder", "dino_core.runs.option", "dino_core.runs.request",
    "dino_core.runs.request_io",  # what a server reads and writes of runs, all without torch
    "filelock", "gradio", "fastapi", "starlette", "uvicorn",
}  # fmt: skip
# The rooms of the page. Two files of first_visit/ stand on floors of their own.
APP_FLOORS = [
    {"paths", "visitors", "encodings", "gradio_import"},
    {"first_visit", "guide"},
    {"state"},
    {"jobs"},
    {"services"},
    {"routes"},
    {"page", "middleware"},
    {"server"},
    {"__main__", "first_visit.build"},  # what a person starts
    {"console"},
]
APP_FLOOR = {room: floor for floor, rooms in enumerate(APP_FLOORS) for room in rooms}
APP_NEVER = {"torch", "torchvision", "numpy", "dino_core.vit"}
LIBRARY_NEVER = {"gradio", "fastapi", "starlette", "uvicorn", "app"}


def room(path: Path) -> str:
    """dino_core/vit.py -> vit; dino_core/scenes/masks.py -> scenes; dino_core/__init__.py -> ''."""
    first = path.relative_to(ROOT / "dino_core").parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def app_room(name: str) -> str:
    """app.routes.masks -> routes; app.first_visit.build -> first_visit.build; app -> ''."""
    parts = name.split(".")[1:]
    build = ".".join(parts[:2])
    return build if build in APP_FLOOR else parts[0] if parts else ""


def module(path: Path) -> str:
    """app/page/main.py -> app.page.main; app/page/__init__.py -> app.page."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The ways through a graph that come back to where they began, one for each step back."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> None:
        if node in way:
            found.append([*way[way.index(node) :], node])
        elif node not in done:
            for other in sorted(edges.get(node, ())):
                walk(other, [*way, node])
            done.add(node)

    for node in sorted(edges):
        walk(node, [])
    return found


def starts_with(name: str, prefixes: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text(
        "import a.b\nif TYPE_CHECKING:\n    from c import d\n"
        "def f():\n    from e.f import g, h\n    if x:\n        import i as j\n"
    )
    assert imports(path) == {"a.b", "c.d", "e.f.g", "e.f.h", "i"}
    assert imports(path, for_types=False) == {"a.b", "e.f.g", "e.f.h", "i"}


def test_there_is_something_to_read() -> None:
    assert {room(path) for path in LIBRARY} - {""} <= set(FLOOR), "a room that is not on the map"
    assert len(LIBRARY) > 10


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_library_imports_lower_floors_only(path: Path) -> None:
    here = room(path)
    for name in imports(path):
        assert not starts_with(name, LIBRARY_NEVER), f"{path.name} imports {name}"
        if here and name.startswith("dino_core."):
            other = name.split(".")[1]
            if other == here:
                continue
            assert other in FLOOR, f"{path.name} imports {name}: say which room it means"
            assert FLOOR[other] < FLOOR[here], f"{path.name} imports {name}, not a lower floor"


@pytest.mark.parametrize("path", APP, ids=lambda path: str(path.relative_to(ROOT)))
def test_app_imports_scenes_and_widgets_only(path: Path) -> None:
    console = path.relative_to(ROOT).as_posix() == "app/console.py"  # the one program of both
    for name in imports(path, for_types=False) - (
        {"dino_core.__main__.main"} if console else set()
    ):
        if name.split(".")[0] not in sys.stdlib_module_names:
            assert starts_with(name, APP_MAY_IMPORT), f"{path.name} imports {name}"
    for name in imports(path):
        assert not starts_with(name, APP_NEVER), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", APP, ids=lambda path: str(path.relative_to(ROOT)))
def test_app_imports_its_lower_floors_only(path: Path) -> None:
    here = app_room(module(path))
    for name in imports(path):
        if not starts_with(name, {"app"}):
            continue
        other = app_room(name)
        assert other in APP_FLOOR, f"{path.name} imports {name}: say which room it means"
        if here and other != here:
            assert APP_FLOOR[other] < APP_FLOOR[here], f"{path.name} imports {name}, a higher floor"


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c", "b"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_app_has_no_circle_of_imports() -> None:
    files = {module(path): path for path in APP}
    edges = {}
    for here, path in files.items():
        # `from app.page import rail` names a file, `from app.page.rail import Rail` what is in it.
        names = {name if name in files else name.rpartition(".")[0] for name in imports(path)}
        edges[here] = (names & set(files)) - {here}
    assert edges["app.server"] > {"app.services"}
    assert circles(edges) == []


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.slow
def test_library_works_without_what_only_the_app_needs() -> None:
    modules = [module(path) for path in LIBRARY]
    code = f"""
import importlib, sys
for name in ("gradio", "plotly", "umap", "fastapi", "matplotlib", "timm", "transformers"):
    sys.modules[name] = None  # importing it now raises ImportError
for name in {modules}:
    importlib.import_module(name)
import dino_core
for name in dino_core.__all__:
    getattr(dino_core, name)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["dino_core", "dino_core.config", "dino_core.__main__"])
def test_import_does_not_wait_for_torch(module: str) -> None:
    done = run(f"import sys, {module}; print('torch' in sys.modules, 'scipy' in sys.modules)")
    assert done.stdout.split() == ["False", "False"], done.stderr


@pytest.mark.slow
def test_an_import_changes_nothing_and_says_nothing() -> None:
    code = """
import torch
before = torch.get_rng_state(), torch.get_num_threads(), torch.is_grad_enabled()
import dino_core
for name in dino_core.__all__:
    getattr(dino_core, name)
assert torch.equal(torch.get_rng_state(), before[0])
assert (torch.get_num_threads(), torch.is_grad_enabled()) == before[1:]
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
