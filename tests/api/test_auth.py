"""A key is asked for where keys are configured; without them only this machine is answered."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.keys import InvalidKeys, KeyRing, create, owner, read_keys
from core.settings import Settings
from core.store import Database, upgrade


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def key(keys_file: Path) -> str:
    return create(keys_file, "lab")


@pytest.fixture
def guarded(key: str, keys_file: Path, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path, sweep_seconds=3600, api_keys_file=keys_file)
    upgrade(Database(settings.database).engine)
    with TestClient(create_app(settings), base_url="http://lab.example") as client:
        yield client


def test_a_key_is_needed_and_enough(guarded: TestClient, key: str) -> None:
    for bad in (
        {},
        {"Authorization": f"Basic {key}"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {key}x"},
    ):
        answer = guarded.get("/experiments", headers=bad)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
    assert guarded.get("/experiments", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_load_balancer_needs_no_key(guarded: TestClient) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200


def test_one_keys_idempotency_does_not_touch_anothers(guarded: TestClient, key: str, keys_file: Path) -> None:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
    first = guarded.post("/experiments", json={}, headers=headers).json()["id"]
    assert guarded.post("/experiments", json={}, headers=headers).json()["id"] == first


@pytest.mark.parametrize(
    ("address", "name", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8000", 200),
        ("127.0.0.1", "localhost", 200),
        ("[::1]", "[::1]:8000", 200),
        ("127.0.0.1", "LOCALHOST.:8000", 200),
        ("127.0.0.1", "attacker.example", 403),
        ("127.0.0.1", "attacker.example]", 403),
        ("127.0.0.1", "[attacker.example]", 403),
        ("127.0.0.1", "[::1].attacker.example", 403),
        ("127.0.0.1", "[::1", 403),
        ("127.0.0.1", "[127.0.0.1]attacker.example:8000", 403),
        ("127.0.0.1", "attacker.example:8000@localhost", 403),
        ("127.0.0.1", "localhost@attacker.example", 403),
        ("127.0.0.1", "localhost:8000:8000", 403),
        ("127.0.0.1", "localhost..", 403),
        ("127.0.0.1", "localhost, attacker.example", 403),
        ("127.0.0.1", "", 403),
        ("127.0.0.1", "127.0.0.1.attacker.example:8000", 403),
        ("192.168.0.7", "localhost", 403),
    ],
)
def test_without_keys_only_loopback_is_answered(client: TestClient, address: str, name: str, status: int) -> None:
    """A web page could reach a service on this machine through a name of its own that resolves to loopback."""
    assert client.get(f"http://{address}/healthz", headers={"Host": name}).status_code == status


def test_the_file_holds_no_key(key: str, keys_file: Path) -> None:
    assert key not in keys_file.read_text()
    assert key.split("_", 2)[2] not in keys_file.read_text()
    assert keys_file.stat().st_mode & 0o077 == 0
    assert owner(key, read_keys(keys_file)) == "lab"


def test_a_revoked_key_and_anothers_secret_are_refused(key: str, keys_file: Path) -> None:
    other = create(keys_file, "other")
    known = read_keys(keys_file)
    assert owner(other, known) == "other"
    assert owner(other.replace("other", "lab"), known) is None
    assert owner(key, {name: one for name, one in known.items() if name != "lab"}) is None
    assert owner("", known) is None
    assert owner("initlab_lab_", known) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no key"),
        ("# nothing\n", "has no key"),
        ("lab:abc\n", "line 1"),
        ("\nlab\n", "line 2"),
        (f"a:{'0' * 64}\na:{'1' * 64}\n", "line 2"),
    ],
)
def test_a_bad_keys_file_is_refused_with_its_line(keys_file: Path, text: str, message: str) -> None:
    keys_file.write_text(text)
    with pytest.raises(InvalidKeys, match=message):
        read_keys(keys_file)


def test_the_server_refuses_an_open_address_without_keys(tmp_path: Path) -> None:
    upgrade(Database(Settings(data_dir=tmp_path).database).engine)
    command = [sys.executable, "-m", "api", "--host", "0.0.0.0", "--port", "0"]
    ended = subprocess.run(
        command, env={"INITLAB_DATA_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "no API keys are configured" in ended.stderr


def test_the_command_makes_a_key_that_works(keys_file: Path) -> None:
    command = [sys.executable, "-m", "api.keys", "create", "--file", str(keys_file), "--id", "ci"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert owner(ended.stdout.strip(), read_keys(keys_file)) == "ci"
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2
    assert "already" in again.stderr


def test_a_key_ring_that_has_read_nothing_asks_for_keys(tmp_path: Path) -> None:
    assert KeyRing(Database(f"sqlite:///{tmp_path / 'none.sqlite'}")).is_needed, "it cannot know that there are none"
