"""The browser is given the page's modules and nothing else, and is told early which it needs."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from app.first_visit.document import needed_modules
from app.paths import STATIC
from app.routes.scripts import Scripts
from app.state.script_version import PageScripts

FILES = [
    "boot.js",
    "settings.js",
    "page/bus.js",
    "screens/crops/index.js",
    "package.json",
    "eslint.config.js",
    "test/one.test.js",
    "types/scenes.d.ts",
    "node_modules/x/index.js",
    "page/notes.txt",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.js").write_text("secret")
    for name in FILES:
        path = tmp_path / "js" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"// {name}")
    return tmp_path / "js"


def test_modules_are_served_and_nothing_else(folder: Path) -> None:
    client = TestClient(Starlette(routes=[Mount("/inside/js", Scripts(PageScripts(folder)))]))
    served = [name for name in FILES if client.get(f"/inside/js/{name}").status_code == 200]
    assert served == FILES[:4]
    for path in ("", "page", "../secret.js", "page/../../secret.js", "page/%2e%2e/package.json"):
        assert client.get(f"/inside/js/{path}").status_code == 404, path


def test_a_link_out_of_the_folder_leads_nowhere(folder: Path) -> None:
    (folder / "page/out.js").symlink_to(folder.parent / "secret.js")
    client = TestClient(Starlette(routes=[Mount("/inside/js", Scripts(PageScripts(folder)))]))
    assert client.get("/inside/js/page/out.js").status_code == 404


def test_a_script_is_kept_for_good_below_the_version_that_there_is(folder: Path) -> None:
    scripts = PageScripts(folder)
    client = TestClient(Starlette(routes=[Mount("/inside/js", Scripts(scripts))]))

    def kept(path: str) -> str:
        response = client.get(f"/inside/js/{path}")
        assert response.text == "// page/bus.js"
        tag = {"if-none-match": response.headers["etag"]}
        again = client.get(f"/inside/js/{path}", headers=tag)
        assert again.status_code == 304
        assert again.headers["cache-control"] == response.headers["cache-control"]
        return response.headers["cache-control"]

    old = scripts.version
    assert kept(f"@{old}/page/bus.js") == "public, max-age=31536000, immutable"
    assert kept("page/bus.js") == kept("@other/page/bus.js") == kept("@/page/bus.js") == "no-cache"
    (folder / "boot.js").write_text("another one")
    scripts.refresh()
    assert kept(f"@{old}/page/bus.js") == "no-cache"
    assert kept(f"@{scripts.version}/page/bus.js").endswith("immutable")
    for path in ("package.json", "test/one.test.js", "../secret.js", "@x/page/bus.js"):
        assert client.get(f"/inside/js/@{scripts.version}/{path}").status_code == 404, path


def test_a_document_names_scripts_by_what_lies_there_when_it_is_asked_for(folder: Path) -> None:
    scripts = PageScripts(folder)
    page = b'<script src="inside/js/boot.js"></script> `inside/js/${name}` inside/samples/a.jpg'

    def named() -> set[bytes]:
        told = scripts.with_versions(page)
        assert told.replace(f"@{scripts.version}/".encode(), b"") == page
        assert told.count(b"inside/js/@") == 2
        return {told}

    seen = named()
    for name in ("test/one.test.js", "node_modules/x/index.js", "types/scenes.d.ts"):
        (folder / name).write_text("changed")
    assert named() == seen, "none of them is the page's"
    for name in (*FILES[:4], "guide/new.js"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("changed")
        assert not named() & seen, name
        seen |= named()
    (folder / "boot.js").unlink()
    assert not named() & seen


def test_all_modules_that_an_entry_needs_are_found_once(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "boot.js").write_text(
        'import { a,\n  b } from "./page/a.js";\nimport "./c.js";\nimport("./d.js");\n'
    )
    (tmp_path / "page/a.js").write_text('export { c } from "../c.js";\nimport("./e.js");\n')
    (tmp_path / "c.js").write_text(
        '// import { x } from "./x.js"\nimport * as a from "./page/a.js";'
    )
    (tmp_path / "f.js").write_text("")
    found = needed_modules(tmp_path, ["boot.js", "f.js"])
    assert sorted(found) == ["boot.js", "c.js", "f.js", "page/a.js"]


def test_the_opening_screen_needs_no_other_screen_and_no_chart() -> None:
    found = needed_modules()
    assert {"boot.js", "page/screens.js"} <= set(found)
    assert all((STATIC / "js" / name).is_file() for name in found)
    screens = {name.split("/")[1] for name in found if name.startswith("screens/")}
    assert screens == {"strip"}  # the one that opens comes with its own
    assert not [name for name in found if name.startswith("charts/")]
