"""The page's files, as a browser asks for them."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import create
from api.page import ENTRANCES, LIBRARIES, STATIC
from core.settings import Settings

FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.*"))
ADDRESSES = [*ENTRANCES, *(f"/page/{name}" for name in FILES), *(f"/page/lib/{name}" for name in LIBRARIES)]
LINK = re.compile(r"""(?:src|href|from|import)\s*[=(]?\s*["'](/page/[^"'$]+)["']""")


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_file_is_served_once_and_runs_nothing_from_elsewhere(client: TestClient, address: str) -> None:
    found = client.get(address)
    assert found.status_code == 200
    assert found.content
    policy = dict(part.strip().split(" ", 1) for part in found.headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["connect-src"]) == ("'none'", "'self'", "'self'")
    again = client.get(address, headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_asks_for_is_there_and_of_this_service(client: TestClient, name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8")
    for address in LINK.findall(text):
        assert client.get(address).status_code == 200, address
    elsewhere = [one for one in re.findall(r"https?://[^\s\"'`)]+", text) if "www.w3.org" not in one]
    assert elsewhere == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".html")])
def test_a_page_has_no_inline_script(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>(?!</script>)", text) == []
    assert re.findall(r"\son\w+=", text) == []


def test_a_file_that_is_not_there_is_not_found(client: TestClient) -> None:
    for name in ("nothing.js", "../api.py", "%2e%2e/__init__.py", "lib/bokeh.py"):
        found = client.get(f"/page/{name}")
        assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json")


def test_its_files_need_no_key_and_what_it_shows_does(tmp_path: Path, migrated_sqlite: Path) -> None:
    keys = tmp_path / "keys"
    create(keys, "student")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "initlab.sqlite").write_bytes(migrated_sqlite.read_bytes())
    app = create_app(Settings(data_dir=folder, api_keys_file=keys))
    with TestClient(app, base_url="http://lab.example", client=("10.0.0.7", 1)) as client:
        assert {client.get(address).status_code for address in ("/", "/docs", "/page/main.js")} == {200}
        assert client.get("/experiments").status_code == 401


def test_its_first_view_is_small() -> None:
    """Under 300 KB, before any compression and without the library of charts."""
    assert sum((STATIC / name).stat().st_size for name in FILES if name != "docs.js") < 300_000
