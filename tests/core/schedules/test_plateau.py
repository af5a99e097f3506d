"""Reduction on a plateau: torch's algorithm run beside it, and by hand where the rule is our own."""

import json
import math
import random
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from core.schedules import Reactive, State, bind, rates, reported_rates, schedules
from tests.core.schedules.curves import B

NAN, INF = math.nan, math.inf


def plateau(**parameters: Any) -> Reactive:
    bound = bind(schedules.parse({"name": "reduce_on_plateau", **parameters}), B, 100, 1)
    assert isinstance(bound, Reactive)
    return bound


def after_each(bound: Reactive, metrics: list[float]) -> list[float]:
    """The rate before any metric, and after each."""
    return reported_rates(bound, len(metrics) + 1, 1, metrics)


def torchs(metrics: list[float], **parameters: Any) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=B)
    scheduler = ReduceLROnPlateau(optimizer, **parameters)
    found = [B]
    for metric in metrics:
        scheduler.step(metric)
        found.append(float(optimizer.param_groups[0]["lr"]))
    return found


def sequences(lowest: float) -> list[list[float]]:
    """Random ones, one that falls and stalls, one that rises and stalls, and some whose values get lost."""
    chance = random.Random(0)
    noise = [[round(chance.uniform(lowest, 1.0), 2) for _ in range(60)] for _ in range(4)]
    falls = [1 - min(t, 20) / 25 for t in range(60)]
    lost = [NAN if t in (0, 1, 7, 30, 31, 32, 33) else x for t, x in enumerate(noise[0])]
    infinite = [INF if t in (3, 20) else x for t, x in enumerate(noise[1])]
    return [*noise, falls, falls[::-1], [0.5] * 60, lost, infinite, [NAN] * 60]


@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"factor": 0.5, "patience": 0},
        {"factor": 0.5, "patience": 0, "cooldown": 2, "threshold": 0.3},
        {"factor": 0.7, "patience": 2, "cooldown": 5, "threshold": 0.05, "min_lr": 0.02},
        {"factor": 0.9, "patience": 1, "eps": 0.006},
        {"factor": 0.5, "patience": 3, "min_lr": 0.5},
        {"factor": 0.0, "patience": 5, "threshold": 0.0},
    ],
    ids=str,
)
def test_the_rate_is_torchs(mode: str, threshold_mode: str, rest: dict[str, Any]) -> None:
    """Also where the first metric is NaN. Relative thresholds see positive metrics: below zero torch's goes wrong."""
    parameters = {"mode": mode, "threshold_mode": threshold_mode, **rest}
    for metrics in sequences(lowest=0.01 if threshold_mode == "rel" else -1.0):
        if mode == "max":
            metrics = [
                -INF if metric == INF else metric for metric in metrics
            ]  # an infinite loss, not an infinite gain
        assert after_each(plateau(**parameters), metrics) == pytest.approx(torchs(metrics, **parameters), rel=1e-12)


def test_some_of_these_reduce_and_some_do_not() -> None:
    ends = {min(torchs(metrics, factor=0.5, patience=3)) for metrics in sequences(0.01)}
    assert len(ends) >= 4


HALVE = {"factor": 0.5, "threshold": 0.1}
BY_HAND: list[tuple[dict[str, Any], list[float], list[float]]] = [
    # Relative thresholds of a negative best: -0.95 is no better than -1 (torch and Paddle take it for better) ...
    ({"patience": 0}, [-1.0, -0.95, -0.9], [0.1, 0.1, 0.05, 0.025]),
    # ... and -1.05 is not better by 0.1, while -1.2 is.
    ({"patience": 0}, [-1.0, -1.05, -1.2], [0.1, 0.1, 0.05, 0.05]),
    ({"patience": 0, "mode": "max"}, [-1.0, -1.05, -0.95, -0.8], [0.1, 0.1, 0.05, 0.025, 0.025]),
    ({"patience": 0}, [0.0, -0.05, -0.2], [0.1, 0.1, 0.05, 0.05]),
    # One threshold on either side of zero: 0.2 must fall below 0.18, 0.02 below 0.018, -0.1 below -0.2.
    ({"patience": 0}, [0.2, 0.19, 0.17, -0.1, -0.15], [0.1, 0.1, 0.05, 0.05, 0.05, 0.025]),
    # NaN is bad wherever it comes and never the best; Paddle would keep a first NaN and reduce for ever.
    ({"patience": 1}, [NAN, 1.0, 0.5, NAN, 0.4, NAN, NAN], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05]),
    ({"patience": 0}, [NAN, NAN, 1.0], [0.1, 0.05, 0.025, 0.025]),
    ({"patience": 0, "mode": "max"}, [NAN, -3.0, -2.0], [0.1, 0.05, 0.05, 0.05]),
    # So is what is infinite, on either side.
    ({"patience": 0}, [INF, 3.0, -INF, 2.0], [0.1, 0.05, 0.05, 0.025, 0.025]),
]


@pytest.mark.parametrize("flavour", ["torch", "paddle"])
@pytest.mark.parametrize(("parameters", "metrics", "expected"), BY_HAND, ids=[str(case[:2]) for case in BY_HAND])
def test_our_rule_where_peers_fail(
    parameters: dict[str, Any], metrics: list[float], expected: list[float], flavour: str
) -> None:
    found = after_each(plateau(**HALVE, **parameters, flavour=flavour), metrics)
    assert found == pytest.approx(expected, rel=1e-12)


def test_while_it_cools_torch_takes_note_of_the_best_and_paddle_looks_away() -> None:
    """A reduction after the second 1.0; then 0.2 within the cooldown, which 0.5 is worse than and 1.0 is not."""
    metrics = [1.0, 1.0, 0.2, 0.5, 0.5]
    cooling = {"factor": 0.5, "patience": 0, "cooldown": 1}
    assert after_each(plateau(**cooling), metrics) == [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]
    assert after_each(plateau(**cooling, flavour="paddle"), metrics) == [0.1, 0.1, 0.05, 0.05, 0.05, 0.025]


def test_the_metric_is_reported_after_its_epoch() -> None:
    bound = bind(schedules.parse({"name": "reduce_on_plateau", "patience": 0, "factor": 0.5}), 1.0, 9, 3)
    assert isinstance(bound, Reactive)
    assert reported_rates(bound, 9, 3, [1.0, 1.0]) == [1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5]
    assert reported_rates(bound, 9, 3, [NAN, 1.0]) == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert rates(bound, range(9)) == [1.0] * 9  # nothing reported, nothing changes


def test_the_state_is_a_value_that_survives_json() -> None:
    metrics = [1.0, NAN, NAN, 0.1, 0.1, 0.1, 0.1, 0.1]
    for flavour in ("torch", "paddle"):
        bound = plateau(patience=1, cooldown=2, factor=0.3, flavour=flavour)
        straight: State = bound.start
        stored = bound.start
        for t, metric in enumerate(metrics):
            before = straight
            straight = bound.react(before, t, metric)
            assert bound.react(before, t, metric) == straight
            stored = bound.react(tuple(json.loads(json.dumps(stored, allow_nan=False))), t, metric)
            assert stored == straight
        assert bound.rate(straight, 99) < B
        assert bound.rate(bound.start, 99) == B


def warm(w: int, unit: str, steps_per_epoch: int, metrics: list[float], steps: int) -> list[float]:
    after = {"name": "reduce_on_plateau", "patience": 0, "factor": 0.5}
    raw = {"name": "linear_warmup", "warmup_steps": w, "unit": unit, "after": after}
    bound = bind(schedules.parse(raw), 1.0, steps, steps_per_epoch)
    assert isinstance(bound, Reactive)
    return reported_rates(bound, steps, steps_per_epoch, metrics)


def test_a_warm_up_keeps_its_metrics_to_itself() -> None:
    """The plateau begins at t = w and hears what is reported from there on: at t = w for the first time."""
    assert warm(2, "step", 1, [0.1, 1.0, 1.0, 1.0], 6) == [0, 0.5, 1, 0.5, 0.25, 0.25]
    assert warm(3, "step", 1, [0.1, 0.1, 1.0, 0.5], 6) == pytest.approx([0, 1 / 3, 2 / 3, 1, 1, 1])
    assert warm(0, "step", 1, [1.0, 1.0], 4) == [1, 1, 0.5, 0.5]


def test_a_warm_up_in_epochs_and_one_that_ends_within_an_epoch() -> None:
    assert warm(1, "epoch", 2, [1.0, 1.0, 1.0], 8) == [0, 0, 1, 1, 0.5, 0.5, 0.25, 0.25]
    assert warm(3, "step", 2, [0.1, 1.0, 1.0], 8) == pytest.approx([0, 1 / 3, 2 / 3, 1, 1, 1, 0.5, 0.5])


def test_warm_ups_around_a_plateau_nest() -> None:
    inner = {"name": "linear_warmup", "warmup_steps": 1, "after": {"name": "reduce_on_plateau", "patience": 0}}
    bound = bind(
        schedules.parse({"name": "linear_warmup", "warmup_steps": 1, "start_lr": 0.7, "after": inner}), 1, 6, 1
    )
    assert isinstance(bound, Reactive)
    assert bound.metric == "valid_loss"
    assert reported_rates(bound, 5, 1, [0.1, 1.0, 1.0]) == pytest.approx([0.7, 0, 1, 0.1, 0.1])


def test_the_metric_says_which_way_it_improves() -> None:
    """ViS4mer#4: an accuracy that rises is no plateau."""
    rising = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92]
    plateau = {"name": "reduce_on_plateau", "metric": "valid_accuracy", "patience": 1, "factor": 0.5}

    def rates_of(**given: Any) -> list[float]:
        bound = bind(schedules.parse({**plateau, **given}), 1.0, 8, 1)
        assert isinstance(bound, Reactive)
        return reported_rates(bound, 8, 1, rising)

    assert rates_of() == rates_of(mode="auto") == rates_of(mode="max") == [1.0] * 8
    assert rates_of(mode="min") == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]  # as asked for, with a warning
    assert rates_of(metric="valid_loss") == rates_of(mode="min")
