"""The decorator gives a function its seeds, and takes what it returns or logs."""

from typing import Any

import pytest

import initlab
from initlab import ClientError, Run
from tests.initlab.tracking.stand_in import StandIn


def series(stand_in: StandIn) -> list[tuple[str, int, dict[str, Any], dict[str, Any] | None]]:
    return [(run.arm, run.seed, run.series, run.end) for run in stand_in.runs]


def test_a_number_is_the_score(stand_in: StandIn) -> None:
    @initlab.compare(["a", "b"], seeds=2)
    def train(seed: int, arm: str) -> float:
        return seed + (arm == "a")

    assert train().status == "succeeded"
    assert [(arm, seed, points) for arm, seed, points, _ in series(stand_in)] == [
        ("a", 0, {"score": [(0, 1.0)]}),
        ("b", 0, {"score": [(0, 0.0)]}),
        ("a", 1, {"score": [(0, 2.0)]}),
        ("b", 1, {"score": [(0, 1.0)]}),
    ]
    assert train.__wrapped__(3, "a") == 4  # type: ignore[attr-defined]


def test_numbers_by_metric_or_a_log_do_too(stand_in: StandIn) -> None:
    @initlab.compare(["a"], [7], {"loss": {"direction": "min", "per": "step"}, "accuracy": "max"}, outcome="accuracy")
    def train(run: Run, seed: int) -> dict[str, float]:
        run.log(0, loss=2.0)
        run.log(1, loss=1.0)
        return {"accuracy": seed / 10}

    train()
    assert series(stand_in) == [
        ("a", 7, {"loss": [(0, 2.0), (1, 1.0)], "accuracy": [(0, 0.7)]}, {"outcome": "completed"})
    ]


def test_an_exception_ends_it_or_fails_its_run_alone(stand_in: StandIn) -> None:
    def train(seed: int) -> float:
        return 1 / seed

    with pytest.raises(ZeroDivisionError):
        initlab.compare(["a"], 3, key="one")(train)()
    ends = [run.end and run.end["outcome"] for run in stand_in.runs]
    assert ends == ["failed", None, None]
    initlab.compare(["a"], 3, key="one")(train)()  # goes on behind what has ended
    assert [run.end and run.end["outcome"] for run in stand_in.runs] == ["failed", "completed", "completed"]
    initlab.compare(["a"], 3, on_error="continue")(train)()
    assert [run.end and run.end["outcome"] for run in stand_in.runs[3:]] == ["failed", "completed", "completed"]


def test_functions_that_cannot_be_called_are_refused_at_once(stand_in: StandIn) -> None:
    with pytest.raises(TypeError, match="has to take `seed`"):
        initlab.compare(["a"], 3)(lambda arm: len(arm))

    @initlab.compare({"a": {"lr": 1}, "b": {}}, 1)
    def train(seed: int, lr: float) -> float:
        return lr

    with pytest.raises(TypeError, match="train takes lr, which arm 'b' has not in its config"):
        train()
    assert initlab.compare(["a"], 1)(lambda **given: float(len(given)))().status == "succeeded"
    with pytest.raises(ClientError, match="logged nothing"):
        initlab.compare(["a"], 1)(lambda seed: dict.fromkeys([], seed) or None)()


def test_a_run_that_a_look_left_out_meanwhile_is_passed_over(stand_in: StandIn) -> None:
    stand_in.unneeded = "b", 1

    @initlab.compare(["a", "b"], seeds={"from": 1, "to": 2})
    def train(seed: int) -> float:
        return seed

    assert train().status == "succeeded"
    assert [(run.arm, run.seed) for run in stand_in.runs] == [("a", 0), ("b", 0), ("a", 1)]
