"""The application in this process, on SQLite, without a worker."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from core.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", sweep_seconds=3600)


@pytest.fixture
def client(settings: Settings, migrated_sqlite: Path) -> Iterator[TestClient]:
    settings.data_dir.mkdir()
    shutil.copy(migrated_sqlite, settings.data_dir)
    with TestClient(create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield client
