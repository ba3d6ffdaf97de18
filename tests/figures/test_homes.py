"""Charts with axes have one home, Plotly; panels of pictures one, matplotlib: read off the code."""

from pathlib import Path

import pytest
from import_graph import imports

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "dino_core" / "figures"
PLOTLY = {"charts.py", "curves.py", "histograms.py", "layers.py", "matrix.py", "theme.py"} | {
    "effects.py",
    "step.py",
    "runs.py",
    "shares.py",
}
MATPLOTLIB = {"panels.py", "maps.py", "samples.py", "depth.py", "views.py", "show.py"} | {
    "changed.py",
    "tray.py",
}
NEITHER = {"__init__.py", "files.py", "offline_page.py"}  # names of both, for types; draws nothing
CODE = [
    path
    for room in ("dino_core", "app", "benchmarks", "examples")
    for path in sorted((ROOT / room).rglob("*.py"))
]


def roots(path: Path, for_types: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(path, for_types)}


def test_every_file_of_the_room_has_a_home() -> None:
    assert {path.name for path in ROOM.glob("*.py")} == PLOTLY | MATPLOTLIB | NEITHER


@pytest.mark.parametrize("name", sorted(PLOTLY))
def test_charts_are_plotly_s_alone(name: str) -> None:
    assert "matplotlib" not in roots(ROOM / name)
    mates = {f"dino_core.figures.{Path(other).stem}" for other in MATPLOTLIB}
    assert not [full for full in imports(ROOM / name) if full.rsplit(".", 1)[0] in mates]


@pytest.mark.parametrize("name", sorted(MATPLOTLIB))
def test_panels_are_matplotlib_s_alone(name: str) -> None:
    assert "plotly" not in roots(ROOM / name)
    charts = {f"dino_core.figures.{Path(other).stem}" for other in PLOTLY}
    assert not [full for full in imports(ROOM / name) if full.rsplit(".", 1)[0] in charts]


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_figures_are_drawn_nowhere_else_and_without_pyplot(path: Path) -> None:
    assert not [name for name in imports(path) if "pyplot" in name or "pylab" in name]
    if path.parent != ROOM:
        loaded = roots(path, for_types=False)
        assert loaded.isdisjoint({"plotly", "matplotlib"}), "figures are made in figures/"
