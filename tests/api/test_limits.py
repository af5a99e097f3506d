"""The limits of an API key: one program that goes wild leaves the service to the others."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import InvalidKeys, Scope, create, read_keys
from core.settings import Settings
from core.store import Database, upgrade

SPEC: dict[str, Any] = {"arms": [{"label": "a"}, {"label": "b"}], "seeds": 2, "epochs": 1}
Enter = Callable[..., TestClient]


@pytest.fixture
def enter(tmp_path: Path) -> Iterator[Enter]:
    """Gives a client of one service, with a key that the words limit."""
    with ExitStack() as stack:

        def come(*words: str, **settings: Any) -> TestClient:
            keys = tmp_path / "keys"
            sent = {
                "Authorization": f"Bearer {create(keys, f'key-{len(keys.read_text()) if keys.exists() else 0}', words)}"
            }
            current = Settings(data_dir=tmp_path, sweep_seconds=3600, api_keys_file=keys, **settings)
            database = Database(current.database)
            upgrade(database.engine)
            database.dispose()
            return stack.enter_context(TestClient(create_app(current), base_url="http://lab.example", headers=sent))

        yield come


def test_a_key_has_no_more_unfinished_runs_than_its_own(enter: Enter) -> None:
    limited, other = enter("unfinished_runs=7"), enter()
    accepted = limited.post("/experiments", json=SPEC, headers={"Idempotency-Key": "k"})
    assert accepted.status_code == 202
    refused = limited.post("/experiments", json=SPEC)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    assert "4 runs of this API key have not ended" in refused.json()["detail"]
    assert (
        limited.post("/experiments", json=SPEC, headers={"Idempotency-Key": "k"}).json()["id"] == accepted.json()["id"]
    )
    assert len(limited.get("/experiments").json()["items"]) == 1
    assert limited.post("/experiments", json=SPEC | {"seeds": 1}).status_code == 202
    assert other.post("/experiments", json=SPEC).status_code == 202
    limited.post(accepted.headers["location"] + "/cancel")
    assert limited.post("/experiments", json=SPEC).status_code == 202


def test_the_services_own_number_holds_for_keys_that_name_none(enter: Enter) -> None:
    for client, status in (
        (enter(max_unfinished_runs=3), 422),
        (enter("unfinished_runs=4", max_unfinished_runs=3), 202),
    ):
        assert client.post("/experiments", json=SPEC).status_code == status


def test_without_keys_all_users_are_one(client: TestClient, settings: Settings) -> None:
    current = settings.model_copy(update={"max_unfinished_runs": 5})
    with TestClient(create_app(current), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as limited:
        assert client.post("/experiments", json=SPEC).status_code == 202
        assert "4 runs of this service have not ended" in limited.post("/experiments", json=SPEC).json()["detail"]


@pytest.mark.parametrize("path", ["/experiments", "/experiments/preview"])
def test_a_priority_above_the_keys_is_refused_by_its_field(enter: Enter, path: str) -> None:
    limited = enter("priority=10")
    refused = limited.post(path, json=SPEC | {"priority": 11})
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == ["priority"]
    assert limited.post(path, json=SPEC | {"priority": 10}).status_code < 300


def test_a_key_sends_no_more_requests_than_its_own(enter: Enter) -> None:
    limited, other = enter("requests=3/hour"), enter()
    assert [limited.get("/catalog").status_code for _ in range(5)] == [200] * 3 + [429] * 2
    refused = limited.get("/catalog")
    assert refused.headers["content-type"] == "application/problem+json"
    wait = int(refused.headers["Retry-After"])
    assert 3500 < wait <= 3600
    assert refused.headers["RateLimit-Policy"] == '"requests";q=3;w=3600'
    assert refused.headers["RateLimit"] == f'"requests";r=0;t={wait}'
    assert limited.get("/healthz").status_code == 200
    assert other.get("/catalog").status_code == 200


def test_every_answer_says_how_many_requests_are_left(enter: Enter) -> None:
    limited, other = enter("requests=3/minute"), enter()
    for left in (2, 1, 0):
        answer = limited.get("/catalog")
        assert answer.headers["RateLimit-Policy"] == '"requests";q=3;w=60'
        assert re.fullmatch(rf'"requests";r={left};t=(60|5\d)', answer.headers["RateLimit"])
    assert "RateLimit" not in other.get("/catalog").headers
    assert "RateLimit" not in limited.get("/healthz").headers


def test_who_waited_as_told_is_answered(enter: Enter) -> None:
    limited = enter("requests=1/second")
    while (answer := limited.get("/catalog")).status_code == 200:
        pass
    told = time.monotonic() + int(answer.headers["Retry-After"])
    while limited.get("/catalog").status_code == 429:
        assert time.monotonic() < told + 5


def test_a_line_may_have_limits_and_need_not(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"old:{'0' * 64}\n new:{'1' * 64}  unfinished_runs=2000 priority=-5  requests=20/minute\n")
    old, new = read_keys(keys).values()
    assert old[1:] == (Scope.ADMIN, *[None] * 7)
    assert (new.unfinished_runs, new.priority, str(new.requests)) == (2000, -5, "20 per 1 minute")


@pytest.mark.parametrize(
    "word",
    ["run=5", "priority", "priority=", "priority=high", "unfinished_runs=-1", "requests=20", "requests=0/second",
     "requests=2/fortnight", "requests=1/second;2/day", "priority=1 priority=1", "#", "id:0"],
)  # fmt: skip
def test_an_unknown_word_is_refused_with_its_line(tmp_path: Path, word: str) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"# keys\nlab:{'0' * 64} {word}\n")
    with pytest.raises(InvalidKeys) as refusal:
        read_keys(keys)
    assert f"line 2: {word.split()[-1]!r}" in str(refusal.value)


def test_the_command_makes_a_key_with_limits(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "api.keys", "create", "--file", str(tmp_path / "keys"), "--id"]
    subprocess.run([*command, "ci", "--unfinished-runs=50", "--requests=5/second"], check=True, timeout=60)
    key = read_keys(tmp_path / "keys")["ci"]
    assert (key.unfinished_runs, key.priority, str(key.requests)) == (50, None, "5 per 1 second")
    wrong = subprocess.run([*command, "cd", "--priority=high"], capture_output=True, text=True, check=False, timeout=60)
    assert (wrong.returncode, "'priority=high'" in wrong.stderr) == (2, True)
    assert list(read_keys(tmp_path / "keys")) == ["ci"]
