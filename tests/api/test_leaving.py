"""An API that is about to end says so."""

import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.server import Closing


def of(client: TestClient) -> FastAPI:
    assert isinstance(client.app, FastAPI)
    return client.app


def test_it_is_not_ready_while_it_leaves(client: TestClient) -> None:
    assert client.get("/readyz").json()["status"] == "degraded"  # no worker is here
    of(client).state.leaving.set()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "leaving")
    assert answer.headers["retry-after"] == "1"
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/experiments/7", "/nowhere", "/fault"])
def test_every_answer_of_one_that_leaves_is_the_last_on_its_connection(client: TestClient, path: str) -> None:
    def fault() -> None:
        raise ZeroDivisionError

    of(client).add_api_route("/fault", fault)
    leaving = threading.Event()
    served = TestClient(Closing(of(client), leaving), base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert "connection" not in served.get(path).headers
    leaving.set()
    assert served.get(path).headers["connection"] == "close"
