"""The manual as the API serves it: built or not, and nothing but it."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import manual
from api.app import create_app
from api.keys import create
from core.settings import Settings


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of a manual, with two pages and a script."""
    folder = tmp_path / "site"
    (folder / "howto").mkdir(parents=True)
    (folder / "index.html").write_text("<p>the manual</p>")
    (folder / "howto" / "more.html").write_text("<p>more</p>")
    (folder / "search.js").write_text("1;")
    (tmp_path / "secret.html").write_text("a secret")
    return folder


@pytest.fixture
def client(tmp_path: Path, site: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A client without a key, of a service that needs keys and has that manual."""
    create(tmp_path / "keys", "student")
    data = tmp_path / "data"
    data.mkdir()
    (data / "initlab.sqlite").write_bytes(migrated_sqlite.read_bytes())
    monkeypatch.setattr(manual, "SITE", site)
    app = create_app(Settings(data_dir=data, api_keys_file=tmp_path / "keys"))
    return TestClient(app, base_url="http://lab.example", client=("10.0.0.7", 1))


def test_a_browser_without_a_key_reads_its_pages_and_can_search(client: TestClient) -> None:
    with client:
        assert str(client.get("/manual").url) == "http://lab.example/manual/"
        found = [client.get(f"/manual/{name}") for name in ("", "howto/more.html", "search.js")]
        assert [one.text for one in found] == ["<p>the manual</p>", "<p>more</p>", "1;"]
        assert [one.headers["content-type"].split(";")[0] for one in found][:2] == ["text/html"] * 2
        policy = found[0].headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "form-action 'self'" in policy
        again = client.get("/manual/search.js", headers={"If-None-Match": found[2].headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["nothing.html", "howto", "%2e%2e/secret.html", "howto/%2e%2e/%2e%2e/secret.html", "a%00.html"]
)
def test_what_it_has_not_is_not_found(client: TestClient, name: str) -> None:
    with client:
        found = client.get(f"/manual/{name}")
    assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json")


def test_a_checkout_without_it_says_how_it_is_built(client: TestClient, site: Path) -> None:
    (site / "index.html").unlink()
    with client:
        found = client.get("/manual/howto/more.html")
        assert found.status_code == 404
        assert "<code>make docs</code>" in found.text
        assert client.get("/page/style.css").status_code == 200
