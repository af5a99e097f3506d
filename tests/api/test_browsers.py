"""What a page of elsewhere may have a browser do, and what a browser may do with an answer."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import create
from core.settings import Settings
from core.store import Database, upgrade

OURS = "http://127.0.0.1"
SPEC = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1}
TABLE = b"a,label\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(40))


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({}, False),  # a program
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://any.example"}, False),  # a proxy may rename the host
        ({"Sec-Fetch-Site": "none"}, False),  # the user's own doing
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),  # another port, or a name beside it
        ({"Sec-Fetch-Site": ""}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OURS}, True),
        ({"Origin": OURS}, False),  # a browser of before 2023
        ({"Origin": f"{OURS}:8888"}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "http://127.0.0.1.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://[evil"}, True),
        ({"Origin": ""}, True),
    ],
)
def test_only_pages_of_the_service_and_programs_change_something(
    client: TestClient, said: dict[str, str], refused: bool
) -> None:
    sent = client.post("/datasets", files={"file": ("table.csv", TABLE)}, data={"target": "label"}, headers=said)
    assert sent.status_code == (403 if refused else 201), sent.text
    assert len(client.get("/datasets").json()["items"]) == (0 if refused else 1)
    assert client.get("/experiments", headers=said).status_code == 200


def test_a_bodyless_post_of_a_page_of_elsewhere_cancels_nothing(client: TestClient) -> None:
    here = client.post("/experiments", json=SPEC).headers["location"]
    refused = client.post(f"{here}/cancel", headers={"Origin": "http://evil.example"})
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert client.get(here).json()["status"] == "queued"
    assert client.post(f"{here}/cancel", headers={"Origin": OURS}).status_code == 202


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[TestClient]:
    """An application with a key, which its client sends."""
    key = create(tmp_path / "keys", "lab")
    settings = Settings(data_dir=tmp_path, sweep_seconds=3600, api_keys_file=tmp_path / "keys")
    upgrade(Database(settings.database).engine)
    sent = {"Authorization": f"Bearer {key}"}
    with TestClient(create_app(settings), base_url="http://lab.example", headers=sent) as client:
        yield client


def test_with_a_key_it_is_refused_too(guarded: TestClient) -> None:
    assert guarded.post("/experiments", json=SPEC, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert guarded.post("/experiments", json=SPEC, headers={"Origin": "https://lab.example"}).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/experiments", 200),
        ("GET", "/healthz", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/experiments", 405),
        ("POST", "/experiments", 415),
        ("GET", "/experiments?limit=0", 422),
    ],
)
def test_every_answer_says_what_may_be_done_with_it(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    _assert_sealed(answer.headers)


def test_a_refusal_and_a_fault_say_it_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    _assert_sealed(client.get("/experiments", headers={"Host": "evil.example"}).headers)
    monkeypatch.setattr("api.routes.experiments.experiments", None)  # which cannot be called
    broken = TestClient(client.app, base_url=OURS, client=("127.0.0.1", 1), raise_server_exceptions=False)
    answer = broken.get("/experiments")
    assert answer.status_code == 500
    _assert_sealed(answer.headers)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("report?format=html", {"img-src 'self'", "style-src 'unsafe-inline'"}),
        ("plots/loss.svg", {"img-src data:", "style-src 'unsafe-inline'", "sandbox"}),
        ("plots/loss.png", set()),
    ],
)
def test_what_a_browser_shows_has_a_policy_without_scripts(client: TestClient, path: str, allowed: set[str]) -> None:
    here = client.post("/experiments", json=SPEC).headers["location"]
    answer = client.get(f"{here}/{path}")
    assert answer.status_code == 200, answer.text
    policy = _assert_policy(answer.headers)
    assert policy - allowed == SEALED
    assert allowed <= policy


SEALED = {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}


def _assert_policy(headers: Mapping[str, str]) -> set[str]:
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = {one.strip() for one in headers["content-security-policy"].split(";")}
    assert policy >= SEALED
    return policy


def _assert_sealed(headers: Mapping[str, str]) -> None:
    assert _assert_policy(headers) == SEALED
