"""Runs in a real browser: started, watched, reloaded, stopped, taken up again; a fine-tuning."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tiny_runs import COLOURS, coloured, picture, zipped

pytestmark = pytest.mark.browser
Shown = Callable[[Page, str], dict]
TWINS = ("crimson", "scarlet")  # classes that nobody can tell apart


def wait_for(page: Page, words: str) -> None:
    """Waits for something about what the training screen says it shows, called `it`."""
    page.wait_for_function(
        f"(() => {{ const it = document.querySelector('[data-view=training]')?.inside;"
        f" return it && ({words}); }})()",
        timeout=120_000,
    )


def ask(page: Page, word: str) -> None:
    page.click(f'[data-view="training"] [data-action="{word}"]')


@pytest.fixture
def training(visitor: Callable[..., Page]) -> Iterator[Page]:
    """The training screen of a new visitor; a run that is still alive at the end is stopped."""
    page = visitor("#screen=training")
    yield page
    button = page.locator('[data-view="training"] [data-action="stop"]')
    if button.count():
        button.click()
        wait_for(page, "!['running', 'paused', 'starting'].includes(it.state)")


def begin(page: Page, shown: Shown) -> dict:
    """Starts a run of 20 steps, watches it grow, and pauses it: what it was when it began."""
    form = page.locator(".inside-form")
    expect(form.get_by_role("button", name="Distil", exact=True)).to_have_attribute(
        "aria-pressed",
        "true",  # a first run is one in which something is learnt
    )
    form.get_by_text("Without labels", exact=True).click()
    form.get_by_text("More", exact=True).click()
    form.get_by_label("Steps", exact=True).locator("visible=true").fill("20")
    form.get_by_label("Pictures a step").fill("16")  # long enough to be paused in between
    form.get_by_label("Gradient shares every").fill("10")
    form.locator(".inside-start").click()
    wait_for(page, "it.lines >= 1")
    begun = shown(page, "training")
    wait_for(page, f"it.lines > {begun['lines']}")  # the curve grows by itself
    ask(page, "pause")
    wait_for(page, "it.state === 'paused'")
    return begun


def look_at_curves(page: Page) -> None:
    page.locator(".inside-open [data-chart=ibot_loss]").scroll_into_view_if_needed()
    drawn = page.locator(
        ".inside-open [data-chart=ibot_loss][data-drawn] .scatterlayer path.js-line"
    )
    expect(drawn.first).to_be_attached()
    empty = page.locator(".inside-open [data-chart=knn]")
    expect(empty).to_be_hidden()  # nothing was measured: a chart without points is not shown


def look_at_gradients(page: Page) -> None:
    """Whose they are: a chart for each loss, with a column for each look."""
    chart = ".inside-gradients [data-chart=shares_ibot]"
    page.locator(chart).scroll_into_view_if_needed()
    page.wait_for_function(
        f"document.querySelector('{chart}').data?.[0].x.join() === '1,10,20'", timeout=60_000
    )
    expect(page.locator(".inside-gradients .inside-plot")).to_have_count(4)


def walk_through_time(page: Page) -> None:
    wait_for(page, "it.moment === 'step-00000020'")
    slider = page.locator(".inside-time input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    wait_for(page, "it.moment === 'step-00000000'")
    expect(page.locator(".inside-time")).to_contain_text("step 0")
    assert "ln K" in page.locator(".inside-open").inner_text()


def find_on_other_screens(page: Page, shown: Shown, run: str) -> None:
    page.click("#tab-update")
    page.wait_for_function(
        "document.querySelector('[data-view=update]').inside?.layers > 10", timeout=30_000
    )
    followed = shown(page, "update")
    assert followed["run"] == run
    assert (followed["source"], followed["total"]) == ("run", 20), (
        "its own schedules, not a preset's"
    )
    presets = page.locator("[data-view=update]").get_by_label("Preset")
    expect(presets.locator("option:checked")).to_have_text("The open run")
    page.click("#tab-losses")
    page.wait_for_selector("[data-view=losses][data-ready]")
    page.locator("[data-view=losses] select").select_option(f"run:{run}", timeout=30_000)
    page.wait_for_function(
        f"document.querySelector('[data-view=losses]').inside?.pair === 'run:{run}'",
        timeout=60_000,
    )


def open_as_a_model(page: Page) -> None:
    """What the run has learnt is in the list of models, and stands beside the preview."""
    page.click("#tab-training")
    page.get_by_label("Weights", exact=True).select_option("10")  # a milestone
    page.get_by_role("button", name="Compare with the preview").click()
    page.wait_for_function(
        """() => { const it = document.querySelector("[data-view=features]")?.inside;
            return it?.mode === "compare" && it.model === "preview_vits14" && it.likeness; }""",
        timeout=60_000,
    )
    way = page.locator("[data-view=features]").get_by_role("button", name="Compare")
    expect(way).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#model input")).to_have_value("tiny, 20 steps, step 10 (yours)")
    expect(page.locator(".inside-compare figcaption").first).to_contain_text("tiny, 20 steps")


def test_a_run_survives_the_page_and_can_be_steered(
    training: Page, shown: Shown, visitor: Callable[..., Page]
) -> None:
    page = training
    begun = begin(page, shown)
    assert begun["mine"]
    page.reload()
    wait_for(page, "it.state === 'paused' && it.lines >= 1")
    found = shown(page, "training")
    assert (found["run"], found["mine"]) == (begun["run"], True)
    look_at_curves(page)

    other = visitor(f"#screen=training&run={begun['run']}")
    wait_for(other, f"it.run === '{begun['run']}' && it.lines >= 1")
    assert not shown(other, "training")["mine"]
    expect(other.locator(".inside-open")).to_contain_text("You are watching")
    assert other.locator("[data-action]").count() == 0

    ask(page, "stop")
    wait_for(page, "it.state === 'stopped'")
    assert shown(page, "training")["step"] < 20
    ask(page, "resume")
    wait_for(page, "it.state === 'finished'")
    wait_for(other, "it.state === 'finished'")  # both watch the same run
    done = shown(page, "training")
    assert (done["step"], len(done["moments"])) == (20, 5)
    assert done["lines"] == 20 + 5, "each step and each milestone once, whatever came between"
    for one in (page, other):  # extended in place, each step once, however often it was asked
        one.locator("[data-chart=ibot_loss]").scroll_into_view_if_needed()
        one.wait_for_function(
            "document.querySelector('[data-chart=ibot_loss]').data?.[0].x.length === 20"
        )
    look_at_gradients(page)
    walk_through_time(page)
    find_on_other_screens(page, shown, begun["run"])
    open_as_a_model(page)

    page.click("#tab-training")
    ask(page, "delete")
    expect(page.locator("[data-action=delete]")).to_have_text("Really delete?")
    ask(page, "delete")
    wait_for(page, "it.run === null")
    assert begun["run"] not in [run for run, *_ in shown(page, "training")["runs"]]


def test_a_student_follows_its_teacher_under_the_slider(training: Page, shown: Shown) -> None:
    page, form = training, training.locator(".inside-form")
    form.get_by_text("Distil", exact=True).click()
    expect(form.get_by_label("Teacher", exact=True)).to_be_visible()
    expect(form.get_by_label("Student", exact=True)).to_have_value("photos")
    expect(form.get_by_label("Preset")).to_be_hidden()
    steps = form.get_by_label("Steps", exact=True).locator("visible=true")
    form.get_by_text("By prototypes", exact=True).click()
    expect(form).to_contain_text("It wants a teacher with heads")
    expect(steps).to_have_value("400")
    form.get_by_text("By features", exact=True).click()
    expect(form).to_contain_text("looks like its teacher within two minutes")
    expect(steps).to_have_value("200")
    form.get_by_label("Steps", exact=True).locator("visible=true").fill("2")
    form.get_by_text("More", exact=True).click()
    form.get_by_label("Pictures a step").fill("4")
    form.locator(".inside-start").click()
    wait_for(page, "it.state === 'finished' && it.moment === 'step-00000002'")
    assert shown(page, "training")["moments"] == [
        "step-00000000", "step-00000001", "step-00000002", "teacher",
    ]  # fmt: skip
    expect(page.locator(".inside-open")).to_contain_text("agrees with the teacher's by")
    page.locator(".inside-open [data-chart=agreement]").scroll_into_view_if_needed()
    drawn = page.locator(".inside-open [data-chart=agreement][data-drawn] path.js-line")
    expect(drawn.first).to_be_attached()
    page.locator(".inside-time input[type=range]").focus()
    page.keyboard.press("End")
    wait_for(page, "it.moment === 'teacher'")
    expect(page.locator(".inside-time")).to_contain_text("cat, teacher:")
    expect(page.locator(".inside-time")).to_contain_text("the teacher's PCA")


def start_fine_tuning(page: Page, folder: Path) -> None:
    """Of five classes, two of which are the same picture over and over: one of them is mistaken."""
    form = page.locator(".inside-form")
    form.get_by_text("With labels").click()
    expect(form.locator(".inside-start")).to_be_disabled()
    expect(form.locator(".inside-why")).to_contain_text("Choose or upload a zip first")
    files = {**coloured(6), "red/readme.txt": b"not a picture"}
    files |= {f"{name}/{i}.png": picture(0, (90, 90, 90)) for name in TWINS for i in range(6)}
    form.locator("input[type=file]").set_input_files(zipped(folder / "five.zip", files))
    expect(form).to_contain_text("30 pictures in 5 classes")
    expect(form.locator(".inside-left-out")).to_contain_text("Not used: 1 file.")
    expect(form.locator(".inside-left-out")).to_contain_text("readme.txt")
    expect(form.locator(".inside-why")).to_be_hidden()
    which = form.locator(".inside-picture-choice")
    expect(which.locator("summary")).to_have_text("Which pictures")
    which.locator("summary").click()
    which.get_by_label("Leave out").fill("red, *.txt")
    which.get_by_role("button", name="Look again").click()
    expect(form).to_contain_text("24 pictures in 4 classes")
    which.get_by_label("Leave out").fill("")
    which.get_by_role("button", name="Look again").click()
    expect(form).to_contain_text("30 pictures in 5 classes")
    form.get_by_label("Epochs at most").fill("4")
    form.locator(".inside-start").click()


def centre_of(page: Page, row: int, column: int) -> tuple[float, float]:
    """Of a cell of the confusion matrix, in pixels of the page."""
    place = page.evaluate(
        """([row, column]) => {
            const plot = document.querySelector(".inside-confusion .inside-plot");
            plot.scrollIntoView({ block: "center" });
            const box = plot.getBoundingClientRect(), { xaxis, yaxis } = plot._fullLayout;
            return [
                box.x + xaxis._offset + xaxis.c2p(column),
                box.y + yaxis._offset + yaxis.c2p(row),
            ];
        }""",
        [row, column],
    )
    return place[0], place[1]


def look_at_confusions(page: Page, confusion: list[list[int]]) -> None:
    page.locator(".inside-confusion .inside-plot").scroll_into_view_if_needed()
    drawn = page.wait_for_selector(".inside-confusion .inside-plot[data-drawn]")
    assert drawn.evaluate("it => it.data[0].text") == confusion
    cells = page.locator(".inside-confusions tbody td")  # for those who do not see the chart
    assert cells.all_text_contents() == [str(n) for row in confusion for n in row]


def open_a_cell(page: Page, confusion: list[list[int]]) -> None:
    """A cell shows its pictures alone: by a click, and by the keys; on a narrow screen too."""
    wrong = [(i, j) for i, row in enumerate(confusion) for j, n in enumerate(row) if n and i != j]
    row, column = wrong[0]
    pictures = page.locator(".inside-mistakes figure")
    expect(pictures).to_have_count(len(wrong))
    page.mouse.click(*centre_of(page, row, column))
    wait_for(page, f"String(it.cell) === '{row},{column}'")
    expect(pictures).to_have_count(confusion[row][column])
    expect(page.locator(".inside-test")).to_contain_text(" taken for ")
    page.get_by_text("Show all mistakes").click()
    wait_for(page, "it.cell === null")
    expect(pictures).to_have_count(len(wrong))

    page.locator(".inside-confusion .inside-plot").focus()
    page.keyboard.press("Escape")  # what the pointer had pointed at
    for key in ["ArrowRight"] + ["ArrowDown"] * row + ["ArrowRight"] * column:
        page.keyboard.press(key)
    spoken = page.locator(".inside-confusions [aria-live]")
    expect(spoken).to_contain_text(f": {confusion[row][column]} of 1 ")
    page.keyboard.press("Enter")
    wait_for(page, f"String(it.cell) === '{row},{column}'")

    page.set_viewport_size({"width": 390, "height": 800})
    wide, box = page.evaluate(
        """() => [document.documentElement.scrollWidth,
            document.querySelector(".inside-confusion").getBoundingClientRect().right]"""
    )
    assert wide <= 390, "the page itself does not scroll sideways"
    assert box <= 390


def try_it(page: Page) -> None:
    """The open picture is asked at once, another one when it is handed in."""
    panel = page.locator(".inside-try:not([hidden])")
    bars = panel.locator(".inside-classes button")
    expect(bars).to_have_count(5)
    expect(panel.locator(".inside-note").first).to_contain_text("cat.jpg: ")
    expect(panel.locator(".inside-table tr")).to_have_count(4)
    expect(panel.locator(".inside-try-columns figcaption b")).to_contain_text(
        bars.first.locator("b").inner_text()
    )
    bars.nth(1).click()
    expect(panel.locator(".inside-try-columns figcaption b")).to_contain_text(
        bars.nth(1).locator("b").inner_text()
    )
    near = panel.locator(".inside-thumbs").first.locator("img")
    expect(near).to_have_count(8)
    near.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.inside-thumbs img').naturalWidth > 0")
    red = {"name": "a red one.png", "mimeType": "image/png", "buffer": picture(77, COLOURS["red"])}
    panel.locator("input[type=file]").set_input_files(red)
    expect(panel.locator('figure[title="a red one.png"] b')).to_have_text("red")


def test_fine_tuning_shows_its_test(training: Page, shown: Shown, tmp_path: Path) -> None:
    page = training
    start_fine_tuning(page, tmp_path)
    wait_for(page, "it.state === 'finished' && it.confusion")
    state = shown(page, "training")
    assert sum(map(sum, state["confusion"])) == 5, "a fifth of every class is the test"
    right = sum(row[i] for i, row in enumerate(state["confusion"]))
    assert state["accuracy"] == pytest.approx(right / 5)
    assert state["moments"] == ["before", "after"]
    wait_for(page, "it.bestLayer")
    best = page.locator(".inside-test .inside-best")
    layer = shown(page, "training")["bestLayer"]["layer"]
    expect(best).to_contain_text(f"best at layer {layer}: ")
    drawn = ".inside-test .inside-probe-chart[data-drawn]"
    page.locator(".inside-test .inside-probe-chart").scroll_into_view_if_needed()
    chart = page.locator(drawn)
    expect(chart).to_be_attached()
    other = "Logistic" if shown(page, "training")["bestLayer"]["classifier"] == "knn" else "k-NN"
    page.locator(".inside-test").get_by_role("button", name=other).click()
    best.get_by_role("button", name="Go there").click()
    expect(chart).to_be_focused()
    expect(chart).to_be_in_viewport()
    page.wait_for_function(f"document.querySelector('{drawn}').layout.shapes[0].x0 === {layer}")
    weights = page.locator(".inside-test .inside-weights")
    expect(weights).to_contain_text("Preview ViT-S/14 (not the official weights). Not the official")
    try_it(page)
    look_at_confusions(page, state["confusion"])
    open_a_cell(page, state["confusion"])
