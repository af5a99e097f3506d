"""The OpenAPI document is made when the service starts, and nobody waits for it who does not ask for it."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import document
from api.app import create_app
from core.settings import Settings


@pytest.fixture
def app(settings: Settings, migrated_sqlite: Path) -> FastAPI:
    settings.data_dir.mkdir()
    shutil.copy(migrated_sqlite, settings.data_dir)
    return create_app(settings)


def test_it_is_made_in_a_thread_at_the_start(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on, makers = threading.Event(), threading.Event(), []
    make = app.openapi

    def slowly() -> dict[str, Any]:
        makers.append(threading.current_thread())
        begun.set()
        assert goes_on.wait(60)
        return make()

    monkeypatch.setattr(app, "openapi", slowly)
    monkeypatch.setattr(document, "_made", None)
    with TestClient(app, base_url="http://127.0.0.1") as client, ThreadPoolExecutor(2) as threads:
        assert begun.wait(60), "it waited for somebody to ask"
        waiting = [threads.submit(client.get, "/openapi.json") for _ in range(2)]
        assert client.get("/healthz").status_code == 200
        goes_on.set()
        first, second = (one.result(60) for one in waiting)
        assert first.json() == second.json() == make()
        assert len(makers) == 1, "it was made once"
        again = client.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
