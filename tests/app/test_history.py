"""Back and Forward, links to one's own pictures, and pictures on their way to the server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = "document.querySelector('.inside-screen.open')?.id"


def open_tab(page: Page, screen: str) -> None:
    page.click(f"#tab-{screen}")
    page.wait_for_selector(f"[data-view={screen}][data-ready]")


def upload(page: Page, path: Path) -> str:
    """Sends a picture through the widget; the link once it is shown, as far as it names that."""
    before = page.url
    page.set_input_files("#picture input[type=file]", path)
    page.wait_for_function(
        "before => location.hash.includes('picture=') && location.href !== before", arg=before
    )
    return page.url.split("&size=")[0]  # a layer comes into it as soon as a view has one


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A photo of more bytes than may be sent, and of more pixels than are needed."""
    path = tmp_path / "large.png"
    Image.new("RGB", (2600, 3600), "teal").save(path, compress_level=0)
    assert path.stat().st_size > 25 * 2**20
    return path


@pytest.fixture(scope="module")
def teal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of one's own."""
    path = tmp_path_factory.mktemp("own") / "teal.png"
    Image.new("RGB", (300, 220), "teal").save(path)
    return path


@pytest.fixture(scope="module")
def shared(visitors: Callable[..., Page]) -> Page:
    page = visitors("#screen=masks")
    page.wait_for_function("location.hash.includes('sample=cat.jpg')")
    return page


@pytest.fixture
def page(shared: Page) -> Page:
    """One page for all tests, which begin with a sample on Masks."""
    shared.set_viewport_size({"width": 1440, "height": 1000})
    open_tab(shared, "masks")
    if "sample=cat.jpg" not in shared.url:
        shared.click('#samples button[data-file="cat.jpg"]')
        shared.wait_for_function("location.hash.includes('sample=cat.jpg')")
        expect(shared.locator("#status")).to_contain_text("Chelsea")
    return shared


def test_back_and_forward_go_through_screens(page: Page) -> None:
    for screen in ("attention", "masks", "crops"):
        open_tab(page, screen)
    page.go_back()
    page.wait_for_function(f"{OPEN} === 'screen-masks'")
    page.go_back()
    page.wait_for_function(f"{OPEN} === 'screen-attention'")
    page.go_forward()
    page.wait_for_function(f"{OPEN} === 'screen-masks'")
    page.reload()
    page.wait_for_function(f"{OPEN} === 'screen-masks'")


def test_back_goes_to_the_picture_before(page: Page, teal: Path) -> None:
    own = upload(page, teal)
    page.go_back()
    page.wait_for_function("location.hash.includes('sample=cat.jpg')")
    expect(page.locator("#status")).to_contain_text("Chelsea")
    page.go_forward()
    page.wait_for_function("own => location.href.startsWith(own)", arg=own)
    expect(page.locator("#status")).to_contain_text("what you had open")


def test_steps_that_are_taken_before_their_pictures_have_come(page: Page, teal: Path) -> None:
    """Back and at once Forward: the address is that of the picture which is shown in the end."""
    own = upload(page, teal)
    steps = page.evaluate("history.length")
    page.evaluate(
        """() => new Promise((resolve) => {
            addEventListener("popstate", () => { history.forward();
                addEventListener("popstate", resolve, { once: true }); }, { once: true });
            history.back();
        })"""
    )
    assert page.url.startswith(own)
    expect(page.locator("#status")).to_contain_text("what you had open")
    page.wait_for_selector("[data-view=masks][data-ready]:not([data-drawing])")
    assert page.url.startswith(own)
    assert page.evaluate("history.length") == steps, "what was gone past is no step of its own"
    page.go_back()
    page.wait_for_function("location.hash.includes('sample=cat.jpg')")
    expect(page.locator("#status")).to_contain_text("Chelsea")


def test_somebody_s_own_picture_is_not_there_for_others(
    page: Page, visitor: Callable[..., Page], teal: Path
) -> None:
    """The link says so, and its patch is not put on the sample."""
    own = upload(page, teal)
    other = visitor(f"#screen=attention&{own.split('#')[1]}&row=3&col=4")
    expect(other.locator("#status")).to_contain_text("The picture of this link is not here")
    other.wait_for_function("location.hash.includes('sample=cat.jpg')")
    assert "row=" not in other.url


def test_a_large_photo_is_no_wall(page: Page, large: Path) -> None:
    upload(page, large)
    expect(page.locator("#status")).to_contain_text("Your picture.")


@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "picture"])
def test_heic_and_a_file_without_an_ending_reach_the_server(
    page: Page, tmp_path: Path, name: str
) -> None:
    heif = pytest.importorskip("pillow_heif")
    picture = Image.new("RGB", (320, 240), "teal")
    if name.endswith("HEIC"):
        heif.from_pillow(picture).save(str(tmp_path / "a.heic"))
        (tmp_path / "a.heic").rename(tmp_path / name)
    else:
        picture.save(tmp_path / name, format="PNG")
    upload(page, tmp_path / name)
    expect(page.locator("#status")).to_contain_text("Your picture.")


def test_a_picture_without_an_ending_can_be_chosen(page: Page) -> None:
    page.locator("#picture").click(position={"x": 5, "y": 5})
    assert page.locator("#picture input[type=file]").first.get_attribute("accept") is None


@pytest.mark.parametrize("width", [800, 1024, 1440])
def test_the_strip_is_whole_and_stays_in_reach(page: Page, width: int) -> None:
    page.click("#tab-attention")
    page.set_viewport_size({"width": width, "height": 560})  # lower than any screen is long
    page.wait_for_selector("[data-view=attention][data-ready]")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("scrollY === 0")
    page.mouse.move(width / 2, 400)  # over the picture: a lesson beside it scrolls alone
    page.mouse.wheel(0, 900)
    page.wait_for_function("scrollY > 100")
    for tab in page.locator(".inside-strip [role=tab]").all():
        box = tab.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert 0 <= box["y"] < 200


def test_the_keyboard_has_a_way_past_the_rail(page: Page) -> None:
    page.click("#tab-attention")
    page.wait_for_selector("[data-view=attention][data-ready]")
    skip = page.locator(".inside-skip")
    skip.focus()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("[data-view=attention]")).to_be_focused()
