"""A service that others can reach, and its keys."""

import shutil
from pathlib import Path

import pytest

from api.keys import stored
from core.exposure import Unprotected, is_loopback, refuse_without_keys
from core.settings import Settings
from core.store import Database


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    shutil.copy(migrated_sqlite, tmp_path)
    return Settings(data_dir=tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "192.0.2.1", "lab.example"])
def test_an_open_address_needs_a_key(settings: Settings, host: str) -> None:
    with pytest.raises(Unprotected, match="initlab keys create"):
        refuse_without_keys(host, settings)
    refuse_without_keys(host, settings.model_copy(update={"api_keys_file": Path("keys")}))
    database = Database(settings.database)
    with database.transaction() as session:
        stored.create(session, "me")
    database.dispose()
    refuse_without_keys(host, settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_needs_none(settings: Settings, host: str) -> None:
    assert is_loopback(host.strip("[]"))
    refuse_without_keys(host, settings)
