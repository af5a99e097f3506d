"""Random specs: the same by their number, of every kind, and answered by the service without a fault."""

import json
from collections import Counter

import pytest
from fastapi.testclient import TestClient
from fuzzed import Fuzzer

from api.app import create_app
from core.settings import Settings


@pytest.fixture(scope="module")
def fuzzer() -> Fuzzer:
    return Fuzzer(create_app(Settings()).openapi())


def test_a_number_is_a_body_and_another_seed_makes_others(fuzzer: Fuzzer) -> None:
    document = create_app(Settings()).openapi()
    again, other = Fuzzer(document), Fuzzer(document, seed=1)
    assert [fuzzer.body(number) for number in range(50)] == [again.body(number) for number in range(50)]
    assert sum(fuzzer.body(number) == other.body(number) for number in range(50)) < 10


def test_bodies_are_of_many_kinds(fuzzer: Fuzzer) -> None:
    kinds: Counter[str] = Counter()
    for number in range(400):
        try:
            spec = json.loads(fuzzer.body(number))
        except (ValueError, RecursionError):
            kinds["no JSON"] += 1
        else:
            kinds.update([*spec] if isinstance(spec, dict) else ["no object"])
    assert kinds["no JSON"] > 5
    for field in ("arms", "grid", "schedule", "model", "initializer", "optimizer", "kind", "pruning", "diagnostics"):
        assert kinds[field] > 10, field


def test_the_service_has_no_fault(client: TestClient, fuzzer: Fuzzer) -> None:
    """A few of them; `make fuzz` sends 50,000."""
    sent = {"Content-Type": "application/json"}
    bodies = (fuzzer.body(number) for number in range(40))
    answers = [client.post("/experiments/preview", content=body, headers=sent) for body in bodies]
    assert {answer.status_code for answer in answers} == {200, 422}
