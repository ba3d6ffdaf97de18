"""What is installed: the wheel, what it needs, and where it can be imported."""

import ast
import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
POSIX_ONLY = ("fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog")
# A peer that is compared with where somebody has it; FiftyOne, and what is installed beside it.
NOT_DEMANDED = {"lightly_train", "fiftyone", "mongoengine", "mongomock", "pymongo"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# --- what it needs


def declared(*extras: str) -> dict[str, Requirement]:
    """The dependencies of the library and those of some extras, by name; extras of extras too."""
    optional = PROJECT["optional-dependencies"]
    waiting = [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]
    found = {}
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name == PROJECT["name"]:
            waiting += [line for extra in requirement.extras for line in optional[extra]]
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def imported(folder: str) -> set[str]:
    """Top names of everything that the Python files of a folder import, anywhere in them."""
    names: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
                constants = (one.value for one in node.args if isinstance(one, ast.Constant))
                names |= {name.split(".")[0] for name in constants if isinstance(name, str)}
    return names - set(sys.stdlib_module_names) - NOT_DEMANDED


def packages_of(folder: str) -> set[str]:
    """The packages that the files of a folder import, by the names they are installed by."""
    owners = importlib.metadata.packages_distributions()
    own = {"dino_core", "app", "benchmarks", "tests"} | {
        path.stem for path in (ROOT / "tests").rglob("*") if folder == "tests"
    }
    return {canonicalize_name(owners[name][0]) for name in imported(folder) - own}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("dino_core", ["umap", "export", "video"]),
        ("app", ["app"]),
        ("benchmarks", ["dev"]),
        ("tests", ["dev"]),
    ],
)
def test_every_imported_package_is_declared(folder: str, extras: list[str]) -> None:
    assert packages_of(folder) <= set(declared(*extras))


@pytest.mark.slow
def test_nothing_is_declared_that_nobody_imports() -> None:
    assert set(declared()) <= packages_of("dino_core")
    assert set(declared("app")) <= packages_of("dino_core") | packages_of("app")


def test_the_library_alone_needs_nothing_of_the_page() -> None:
    page = {"gradio", "fastapi", "starlette", "uvicorn", "umap-learn"}
    assert not page & set(declared())


def pins() -> dict[str, Version]:
    """What requirements.txt and requirements-dev.txt pin."""
    text = "".join((ROOT / f"requirements{name}.txt").read_text() for name in ("", "-dev"))
    found = re.findall(r"^([\w.-]+)==(\S+)$", text, flags=re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


def test_every_declared_package_is_pinned_within_its_range() -> None:
    pinned, wanted = pins(), declared("dev")
    assert set(pinned) == set(wanted)
    outside = [str(one) for name, one in wanted.items() if pinned[name] not in one.specifier]
    assert not outside


def test_the_lock_says_the_same_as_the_pins() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {
        canonicalize_name(name): Version(version)
        for name, version in re.findall(r"^([\w.-]+)==(\S+) \\$", lock, flags=re.MULTILINE)
    }
    assert {name: locked.get(name) for name in pins()} == pins(), "run make lock"
    assert lock.count("--hash=sha256:") >= len(locked)
    assert "://" not in lock, "an address has no place in it"


# --- where it can be imported


@pytest.mark.slow
def test_no_import_needs_what_only_unix_has() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for folder in ("dino_core", "app")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    code = f"""
import asyncio, importlib, multiprocessing, subprocess, sys  # as this Unix has them
import torch, torch.distributed
from app.gradio_import import import_gradio
import_gradio()
for name in {POSIX_ONLY}:
    sys.modules[name] = None  # importing it now raises ImportError
for name in {modules}:
    importlib.import_module(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


# --- the wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; it sees the other packages of this one."""
    source, home = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("dino_core", "app", "static"):
        leave_out = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, source / name, ignore=leave_out)
    for folder in ("node_modules/tool/dist", "test/screens"):
        (source / "static" / "js" / folder).mkdir(parents=True, exist_ok=True)
        (source / "static" / "js" / folder / "developers_only.js").touch()

    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", home, source)
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv")
    python = home / "venv" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "shared.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", *home.glob("*.whl"))
    return site


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env=environment(cwd),
        cwd=cwd,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(home: Path | None) -> dict[str, str]:
    """As somebody has it who never saw the checkout."""
    ours = ("PYTHONPATH", "XDG_DATA_HOME", "INSIDE_DINOV2_")
    found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return found | ({"HOME": str(home), "GRADIO_TEMP_DIR": str(home / "gradio")} if home else {})


def command_of(site: Path) -> Path:
    return site.parents[2] / "bin" / "inside-dinov2"


def files_of(site: Path) -> set[str]:
    """What is installed, less what Python compiles."""
    paths = (path.relative_to(site) for path in site.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


@pytest.mark.slow
def test_the_wheel_carries_what_a_page_needs_and_no_more(installed: Path) -> None:
    files = files_of(installed)
    static = ROOT / "static"
    for folder in ("css", "samples", "weights", "first", "gallery"):
        there = {path for path in (static / folder).rglob("*") if path.is_file()}
        assert {f"dino_core/static/{path.relative_to(static).as_posix()}" for path in there} == {
            name for name in files if name.startswith(f"dino_core/static/{folder}/")
        }
    assert {"dino_core/py.typed", "app/py.typed", "app/page/text/attention.md"} <= files
    assert any(name.startswith("dino_core/static/js/") for name in files)
    unwanted = re.compile(
        r"node_modules|developers_only|static/js/.*(json|config)|screenshots|^(tests|benchmarks|static)/"
    )
    assert not [name for name in files if unwanted.search(name)]


@pytest.mark.slow
def test_an_installed_command_works_in_any_folder(installed: Path, tmp_path: Path) -> None:
    inside = command_of(installed)
    assert "page" in run(inside, "--help", cwd=tmp_path)
    sample = installed / "dino_core" / "static" / "samples" / "cat.jpg"
    run(inside, "features", sample, "--output", "cat.npz", cwd=tmp_path)
    with np.load(tmp_path / "cat.npz") as arrays:
        assert arrays["cls"].shape == (1, 384)
        assert np.isfinite(arrays["patches"]).all()


@contextmanager
def page_of(site: Path, folder: Path) -> Iterator[str]:
    """The address of the installed page, served from an empty folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log.txt"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [command_of(site), "page", "--port", str(port)],
            cwd=folder,
            env=environment(folder),
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}"
        assert "Traceback" not in log.read_text()  # before the end, which cuts off open streams
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        assert server.poll() is None, log.read_text()
        try:
            return urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no page opened: {log.read_text()}")


@pytest.mark.slow
def test_an_installed_page_answers_in_any_folder(installed: Path, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    before = files_of(installed)
    with page_of(installed, tmp_path) as url:
        with urllib.request.urlopen(url) as response:
            page = response.read().decode()
        scripts = re.findall(r"inside/js/@[\w/-]+\.js", page)
        assert scripts
        with urllib.request.urlopen(f"{url}/{scripts[0]}") as response:
            assert "javascript" in response.headers["Content-Type"]
        sample = installed / "dino_core" / "static" / "samples" / "cat.jpg"
        client = Client(url, verbose=False, download_files=str(tmp_path / "client"))
        answer = client.predict(handle_file(str(sample)), api_name="/features")
        assert np.shape(answer["colours"])[-1] == 3

    made = tmp_path / ".local" / "share" / "inside-dinov2"
    assert (made / "galleries").is_dir()
    assert files_of(installed) == before, "a page writes nothing where it is installed"
