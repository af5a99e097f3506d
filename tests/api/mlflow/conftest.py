"""MLflow's door, and an experiment behind it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.mlflow.logged import BASE, Call


@pytest.fixture
def call(client: TestClient) -> Call:
    """Posts to the door and returns the answer."""

    def call(path: str, expected: int = 200, /, **body: Any) -> dict[str, Any]:
        answer = client.post(f"{BASE}/{path}", json=body)
        assert answer.status_code == expected, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return call


@pytest.fixture
def experiment(call: Call) -> str:
    return str(call("experiments/create", name="theirs")["experiment_id"])
