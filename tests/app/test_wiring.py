"""What the page is built of and what a touch of it calls: every event with what it reads and
changes, and the widgets with what they begin with. Built in this process, shown nowhere."""

import json
from collections.abc import Iterator
from html import escape
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from app.page import api, client_side, components, main
from app.page.rail import any_name, sample_credits
from app.page.screens import SCREENS
from app.page.theme import theme
from app.paths import TEXT
from app.services import build_services

CHOSEN = "model size seed"
ASKING = "session shown"
PICTURE = f"session picture status badge {CHOSEN} strip"  # what another picture changes
READY = main.READY


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNS", "GALLERIES", "HOME"):
            patch.setenv(f"INSIDE_DINOV2_{name}", str(home / name.lower()))
        yield main.build_app(build_services("preview_vits14", None, "cpu"))


def name_of(block: Any) -> str:
    return "session" if isinstance(block, gr.State) else block.elem_id.removeprefix("view-")


def names(blocks: Any) -> str:
    return " ".join(map(name_of, blocks))


class Event:
    """One event of the page, in plain words."""

    def __init__(self, page: gr.Blocks, event: Any) -> None:
        (target, word), *_ = [*event.targets, (None, "")]
        shown = name_of(page.blocks[target]) if target in page.blocks else ""
        self.called = event.name or ""
        self.when = f"{shown} {word}".strip()
        self.reads, self.changes = names(event.inputs), names(event.outputs)
        self.script = event.js
        self.before = event.trigger_after
        self.mode = event.trigger_mode
        self.progress = f"{event.show_progress} {names(event.show_progress_on or ())}".strip()
        self.private = event.api_visibility == "private"
        self.one_at_a_time = event.concurrency_id == "model" and event.concurrency_limit == 1


def events(page: gr.Blocks) -> list[Event]:
    return [Event(page, one) for one in page.fns.values() if one.api_visibility != "public"]


ASKS = "minimal status"
TOUCHES = [
    ("arrive", "load", f"link {CHOSEN}", PICTURE, client_side.ARRIVES, "hidden status"),
    ("open_file", "then", f"{ASKING} uploaded {CHOSEN}", PICTURE, client_side.BEGINS, ASKS),
    ("restore", "emptied change", f"{ASKING} emptied", "picture status", client_side.SHOWN, ""),
    ("travel", "strip select", f"{ASKING} strip {CHOSEN}", PICTURE, client_side.BEGINS, ASKS),
    (
        *("open_sample", "samples select", f"{ASKING} samples {CHOSEN}", PICTURE),
        *(client_side.BEGINS, ASKS),
    ),
    (
        *("open_gallery_picture", "gallery select", f"{ASKING} gallery {CHOSEN}", PICTURE),
        *(client_side.BEGINS, ASKS),
    ),
    (
        *("open_tray_picture", "tray select", f"{ASKING} tray {CHOSEN}", PICTURE),
        *(client_side.BEGINS, ASKS),
    ),
    ("change_model", "wanted change", f"{ASKING} {CHOSEN}", PICTURE, client_side.BEGINS, ASKS),
    (
        *("open_checkpoint", "checkpoint select", f"{ASKING} checkpoint {CHOSEN}", PICTURE),
        *(client_side.BEGINS, ASKS),
    ),
    ("redraw", "seed change", f"{ASKING} seed", "status strip", client_side.SHOWN, ""),
]


def check_that_a_touch_calls_its_handler(page: gr.Blocks) -> None:
    found = {one.called: one for one in events(page) if one.called}
    assert [*found] == [name for name, *_ in TOUCHES]
    for name, when, reads, changes, script, progress in TOUCHES:
        one = found[name]
        assert (one.when, one.reads, one.changes) == (when, reads, changes), name
        assert one.script == script, name
        assert one.progress == (progress or "hidden"), name
        assert one.one_at_a_time == bool(progress), f"{name}: those that ask a model wait in a row"
        assert one.mode == ("once" if name == "arrive" else "always_last"), name
        assert one.private, "programs have the named endpoints"


def check_what_a_browser_does_by_itself(page: gr.Blocks) -> None:
    """It sets equations when a view is made, looks after the widget, and says what was answered."""
    every = {one: event for one, event in page.fns.items() if event.api_visibility != "public"}
    plain = [(key, Event(page, event)) for key, event in every.items() if event.fn is None]
    assert all(one.private for _, one in plain)
    alone = [(o.when, o.reads, o.changes, o.script, o.progress) for _, o in plain if not o.before]
    lessons = [
        (f"{name} expand", "", f"lesson-{name}", f"() => {json.dumps(lesson(name))}", "full")
        for name in SCREENS
    ]
    assert alone == [
        *lessons,
        ("load", "", "", READY, "full"),
        ("picture upload", "picture", "uploaded", "(file) => file.path", "full"),
        ("picture change", "picture", "emptied", client_side.EMPTIED, "hidden"),
        ("model input", "model size wanted", "wanted", client_side.WANTED, "hidden"),
        ("size input", "model size wanted", "wanted", client_side.WANTED, "hidden"),
        ("again click", "seed", "seed", client_side.NEXT_SEED, "full"),
    ]
    after = [(page.fns[one.before].name, one.script) for _, one in plain if one.before]
    asked = [name for name, *_, script, _ in TOUCHES if script == client_side.BEGINS]
    assert after[0] == ("arrive", client_side.ARRIVED)
    assert after[1:] == [(name, client_side.ENDS) for name in asked]
    (opens,) = [one for one in events(page) if one.called == "open_file"]
    assert page.fns[opens.before].js == "(file) => file.path", "once the server has the file"


def lesson(name: str) -> str:
    return (TEXT / f"{name}.md").read_text(encoding="utf-8")


def widgets(page: gr.Blocks) -> dict[str, dict[str, Any]]:
    return {
        block.elem_id: {"kind": type(block).__name__, **block.get_config()}
        for block in page.blocks.values()
        if getattr(block, "elem_id", None)
    }


RAIL: dict[str, dict[str, Any]] = {
    "page": {"kind": "Row", "equal_height": False},
    "rail": {"kind": "Column", "scale": 0, "min_width": 288},
    "picture": {
        "kind": "Image",
        "type": "filepath",
        "label": "Picture",
        "sources": ["upload", "clipboard"],
        "height": 200,
        "buttons": [],
    },
    "samples": {"kind": "HTML"},
    "status": {"kind": "HTML"},
    "model": {"kind": "Dropdown", "label": "Model", "value": "preview_vits14"},
    "badge": {"kind": "HTML"},
    "checkpoint": {"kind": "HTML"},
    "size": {"kind": "Radio", "label": "Input size (short side)", "value": 224},
    "seed": {
        "kind": "Number",
        "label": "Seed",
        "value": 0,
        "precision": 0,
        "minimum": 0,
        "maximum": 2**31 - 1,
    },
    "again": {"kind": "Button", "value": "Draw again", "size": "sm"},
    "main": {"kind": "Column", "scale": 1, "min_width": 320},
    **{
        name: {"kind": "Textbox", "visible": "hidden", "label": label}
        for name, label in (
            *(("link", "Link"), ("shown", "Shown"), ("uploaded", "Upload")),
            *(("emptied", "Emptied"), ("wanted", "Wanted")),
        )
    },
}


def check_widgets_and_what_they_begin_with(page: gr.Blocks) -> None:
    found = widgets(page)
    views = ["view-strip", "view-welcome", *(f"view-{name}" for name in SCREENS)]
    screens = ["screen-welcome", *(f"screen-{name}" for name in SCREENS)]
    lessons = [f"lesson-{name}" for name in SCREENS]
    assert set(found) == {"brand", *RAIL, *views, *screens, *lessons}
    for name, wanted in RAIL.items():
        assert {key: found[name][key] for key in wanted} == wanted, name
    assert [value for _, value in found["size"]["choices"]] == [224, 448, 518]
    assert found["picture"]["value"]["path"] == "cat.jpg"
    assert found["picture"]["value"]["url"] == "/view/first/source.jpg"
    assert "inside-badge" in found["badge"]["value"]
    assert 'role="status"' in found["status"]["value"]
    assert page.title == "Inside DINOv2"
    assert (page.fill_width, page.analytics_enabled) == (True, False)
    assert page.delete_cache == (600, 3600), "every ten minutes, what is older than an hour"
    for name in screens:
        assert found[name]["elem_classes"] == ["inside-screen"]
    for name in lessons:
        assert found[name]["elem_classes"] == ["inside-lesson"]
        assert found[name]["sanitize_html"] is False
        assert [(one["left"], one["display"]) for one in found[name]["latex_delimiters"]] == [
            ("$$", True),
            ("$", False),
        ]
    for name in views:
        said = found[name]["js_on_load"]
        assert f'Inside.mount("{name.removeprefix("view-")}", {{ element, props, watch' in said
        assert found[name]["apply_default_css"] is False
    view = found["view-strip"]["props"]["view"]
    assert (view["key"], view["model"], view["size"]) == ("first", "preview_vits14", 224)


def check_names_of_the_list(page: gr.Blocks) -> None:
    """A checkpoint's, which was not there when the page was built, is another server's no less."""
    (model,) = [one for one in page.blocks.values() if getattr(one, "elem_id", "") == "model"]
    assert model.preprocess("checkpoint-0") == "checkpoint-0"
    assert (any_name(None), any_name("a")) == ("", "a")


# --- endpoints for programs

DRAWN = ["crops", "masks"]
LOOKED_AT = [
    *("compare", "grid", "tray", "tokens", "similar", "match", "clusters", "rollout", "norms"),
    *("depth", "whatif", "figure", "film", "webpage", "video", "attention", "features", "losses"),
    *("step", "predict"),
]


def check_endpoints(page: gr.Blocks) -> None:
    public = [one for one in page.fns.values() if one.api_visibility == "public"]
    assert [one.api_name for one in public] == [*DRAWN, *LOOKED_AT]
    for one in public:
        model = one.api_name not in DRAWN
        assert (one.concurrency_id == "model") == model, one.api_name
        assert one.concurrency_limit == ("default" if model else 2), one.api_name
        said = one.api_description
        assert said.endswith(api.PICTURE), one.api_name
        assert said == " ".join(said.split())
        assert len(said) > len(api.PICTURE) + 30, "and its own words before"


def test_the_page_as_it_is_built(page: gr.Blocks) -> None:
    check_that_a_touch_calls_its_handler(page)
    check_what_a_browser_does_by_itself(page)
    check_widgets_and_what_they_begin_with(page)
    check_names_of_the_list(page)
    check_endpoints(page)


# --- components


def test_sample_buttons_name_their_maker_and_nothing_of_a_file_is_markup() -> None:
    credits = sample_credits()
    odd = {"file": "a&b.jpg", "title": "<A>", "author": '"B"', "licence": "CC & co"}
    html = components.sample_buttons([*credits, odd]).html_template
    assert html.count("<button") == html.count("</button>") == len(credits) + 1
    assert (
        '<button type="button" data-file="a&amp;b.jpg" title="&lt;A&gt;. &quot;B&quot;, CC &amp; '
        'co"><img src="inside/samples/thumbs/a&amp;b.jpg" width="64" height="64" '
        'alt="&lt;A&gt;"></button>'
    ) in html
    for one in credits:
        assert f'title="{escape(one["title"])}. {escape(one["author"])}, ' in html


@pytest.mark.parametrize(("first", "kind"), [("Official <x>", "official"), ("A try", "preview")])
def test_a_badge_tells_what_weights_are(first: str, kind: str) -> None:
    html = components.badge([first, "one & two", "three"])
    assert html == (
        f'<details class="inside-badge {kind}"><summary>{escape(first)}</summary>'
        "<p>one &amp; two</p><p>three</p></details>"
    )


def test_a_status_is_read_out_and_an_alarm_at_once() -> None:
    assert components.status_line("a < b") == (
        '<p class="inside-status calm" role="status">a &lt; b</p>'
    )
    assert components.status_line("a", alarm=True) == (
        '<p class="inside-status alarm" role="alert">a</p>'
    )


def test_a_view_is_an_empty_place_with_what_it_is_given() -> None:
    view = components.canvas_view("strip", view={"key": "k"})
    assert (view.elem_id, view.html_template) == (
        "view-strip",
        '<div class="inside-view waiting"></div>',
    )
    assert view.props == {"view": {"key": "k"}}
    assert view.apply_default_css is False
    button = components.checkpoint_button()
    assert (button.elem_id, button.apply_default_css) == ("checkpoint", False)
    assert components.sample_buttons([]).apply_default_css is False


def test_fonts_come_from_the_visitor_s_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(gr.themes, "Default", lambda **named: told.append(named))
    theme()
    assert told == [
        {
            "primary_hue": "indigo",
            "neutral_hue": "slate",
            "font": ["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
            "font_mono": ["ui-monospace", "Menlo", "monospace"],
        }
    ]


def test_a_page_of_other_weights_shows_no_stored_picture(
    page: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stands in the widget before a model has seen the sample, and no badge is there."""
    from app.page.rail import build_rail

    models = SimpleNamespace(
        weights="mine.pth", choices=lambda: [("mine", "mine")], default="mine", describe=None
    )
    with gr.Blocks():
        rail = build_rail(SimpleNamespace(models=models, first_visit=None))  # type: ignore[arg-type]
    assert rail.picture.value is None
    assert rail.badge.value == ""
    assert rail.model.choices == [("mine", "mine")]
