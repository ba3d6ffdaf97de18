"""Files of charts: whole, offline, the same each time."""

import re
from pathlib import Path

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from dino_core.figures import confusion, mask_counts, pretraining_curves, save
from dino_core.figures.files import html_page, label_of, panel_page, plotly_script
from dino_core.figures.panels import new_figure

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


def test_charts_with_one_cursor_are_one_chart_where_the_first_of_them_stands() -> None:
    """And those that have no point are left out, alone or among others."""
    from dino_core.figures import block_updates, change_by_layer, screening, token_lengths
    from dino_core.figures.files import _joined

    ones = np.ones((3, 2, 4))
    blocks = {"updates": block_updates(ones, 0), "lengths": token_lengths(ones[:, 0], 0)}
    alone = {"change": change_by_layer(np.ones(3), np.ones(3)), "counts": mask_counts([0, 1])}
    found = _joined({"updates": blocks["updates"], **alone, "lengths": blocks["lengths"]}, "dark")
    assert [len(one.data) for one in found] == [8, 2, 1]
    assert found[0].layout.yaxis2.domain is not None
    assert found[0].layout.template.layout.font.color == "#f1f5f9"
    assert [one is chart for one, chart in zip(found[1:], alone.values(), strict=True)] == [
        True
    ] * 2
    [one] = _joined({"updates": blocks["updates"]}, "light")
    assert one is blocks["updates"]
    some = _joined(pretraining_curves([]) | {"counts": alone["counts"]}, "light")
    assert some == [alone["counts"]]
    maps = screening(ones[..., None], ones[..., None], values=["a", "b", "c"], units=["x", "y"])
    assert len(_joined(maps, "light")) == len(maps) == 6


def test_plotly_itself_stands_before_the_first_chart_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def to_html(self: object, **options: object) -> str:
        asked.append(options)
        return f"<{options['div_id']}>"

    monkeypatch.setattr("plotly.graph_objects.Figure.to_html", to_html)
    page = html_page({"one": mask_counts([0, 1]), "two": mask_counts([1])}, "a < b", "dark")
    assert [one.pop("include_plotlyjs") for one in asked] == [True, False]
    for number, one in enumerate(asked, 1):
        config = one.pop("config")
        assert one == {"full_html": False, "div_id": f"chart-{number}"}
        assert config == {
            "displaylogo": False,
            "responsive": True,
            "toImageButtonOptions": {"format": "svg", "filename": "chart"},
        }
    head, body = page.split("<body>\n")
    assert head.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    assert "<title>a &lt; b</title>" in head
    assert "background:#0f172a;color:#f1f5f9;" in head
    assert body.endswith("</style>\n<chart-1>\n<chart-2>\n</body>\n</html>\n")


@pytest.mark.parametrize(("dpi", "fine"), [(29, False), (30, True), (2400, True), (2401, False)])
def test_a_picture_has_30_to_2400_dots_per_inch(
    dpi: int, fine: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = new_figure(40, 30)
    told: list[tuple[object, ...]] = []

    def drawing(*given: object) -> bytes:
        told.append(given)
        return b"drawn"

    monkeypatch.setattr("dino_core.figures.files.panel_bytes", drawing)
    if fine:
        path = save(figure, tmp_path / "new" / "A.PNG", dpi=dpi, caption="words")
        assert path.read_bytes() == b"drawn"
        assert told == [(figure, "png", dpi, "words")]
        return
    with pytest.raises(ValueError, match=f"30 to 2400 dots per inch, not {dpi}"):
        save(figure, tmp_path / "a.png", dpi=dpi)


def test_a_panel_s_label_is_its_header_in_one_line() -> None:
    figure = new_figure(40, 30)
    assert label_of(figure) == ""
    figure.text(0, 0, "Two\n  lines")
    figure.text(0, 0, "more")
    assert label_of(figure) == "Two lines"


def test_charts_may_follow_a_panel(tmp_path: Path) -> None:
    charts = {"counts": mask_counts([0, 1])}
    path = save(new_figure(40, 30), tmp_path / "a.html", caption="Words.", charts=charts)
    text = path.read_text(encoding="utf-8")
    assert text.index("</figure>") < text.index('id="chart-1"') < text.index("</body>")
    assert text.count(get_plotlyjs()) == 1
