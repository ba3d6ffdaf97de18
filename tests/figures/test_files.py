"""Files of charts: whole, offline, the same each time."""

import re
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from dino_core.figures import confusion, mask_counts, pretraining_curves, save
from dino_core.figures.files import panel_page, plotly_script

LINES = [{"step": step, "loss": 1.0, "logged": {"ibot_loss": 2.0}} for step in (1, 2)]


def test_one_page_with_plotly_inside(tmp_path: Path) -> None:
    charts = pretraining_curves(LINES) | {"confusion": confusion([[1]], ["a<b"])}
    path = save(charts, tmp_path / "deep" / "curves.html")
    text = path.read_text(encoding="utf-8")
    assert text.count(get_plotlyjs()) == 1
    own = text.replace(get_plotlyjs(), "")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", own), "nothing from elsewhere"
    assert re.findall(r'id="(chart-\d+)"', own) == ["chart-1", "chart-2"], "one stack, one matrix"
    assert "<title>curves</title>" in own
    assert "tabular-nums" in own
    assert [entry.name for entry in path.parent.iterdir()] == ["curves.html"]


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    first, second = (save(mask_counts([0, 1]), tmp_path / name) for name in ("a.html", "b.html"))
    assert first.read_bytes().replace(b"<title>a<", b"<title>b<") == second.read_bytes()


def test_a_dark_page(tmp_path: Path) -> None:
    path = save(mask_counts([0, 1], "dark"), tmp_path / "a.html", theme="dark")
    text = path.read_text(encoding="utf-8")
    assert "background:#0f172a" in text
    assert "spikeline:first-child{display:none}" in text, "no white line below the cursor"


@pytest.mark.parametrize("name", ["a.svg", "a.jpg", "html", "a.html.exe"])
def test_other_endings_are_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"ends in \.html: .* does not"):
        save(mask_counts([0, 1]), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_when_there_is_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw yet"):
        save(pretraining_curves([]), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_there_stays_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.html"
    path.write_text("before")

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save(mask_counts([0, 1]), path)
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.html"]


def test_the_script_is_the_installed_one() -> None:
    import gzip

    import plotly

    script, version = plotly_script()
    assert gzip.decompress(script).decode() == get_plotlyjs()
    assert version == plotly.__version__
    assert plotly_script()[0] is script, "compressed once"


def test_a_caption_stands_in_a_page_as_it_was_written() -> None:
    page = panel_page(b'<?xml version="1.0"?><svg width="1"></svg>', "a & b", "x < y --figure")
    assert "<title>a &amp; b</title>" in page
    assert "<figcaption>x &lt; y --figure</figcaption>" in page
    assert "<?xml" not in page
