"""Schedules that do not do what their users mean, and those that do. Expected rates by hand."""

from typing import Any

import pytest

from core.schedules import lint_schedule, schedules
from tests.core.entries import raw as raw_of

CLEAN: list[Any] = [
    "constant",
    "cosine",
    "linear_decay",
    "linear_factor",
    "constant_factor",
    "onecycle",
    "polynomial",
    "reduce_on_plateau",
    "rex",
    "tanh",
    {"name": "cosine_restarts", "T_0": 4, "m_mul": 0.5},
    {"name": "cosine_restarts", "T_0": 20, "m_mul": 0.5},
    {"name": "sequential", "parts": [{"name": "linear_factor"}, "cosine"], "milestones": [5]},
    {"name": "sequential", "parts": ["constant_factor", "cosine"], "milestones": [5]},
    {"name": "linear_warmup", "unit": "epoch", "per": "update", "warmup_steps": 2, "after": "cosine"},
    {"name": "linear_warmup", "warmup_steps": 10, "after": {"name": "cosine", "lr": 0.1}},
    {"name": "linear_warmup", "warmup_steps": "40%", "after": "reduce_on_plateau"},
    {"name": "cosine_warmup", "warmup_steps": 4, "start_lr": 0.01},
    {"name": "cyclic", "max_lr": 0.5, "step_size_up": 4},
    {"name": "exponential", "gamma": 0.9, "end_lr": 0.01},
    {"name": "inverse_sqrt", "warmup_steps": 3},
    {"name": "lambda", "fn": "0.9 ** t"},
    {"name": "linear_warmup", "warmup_steps": 0},
    {"name": "linear_warmup", "warmup_steps": 4, "start_lr": 0.05, "end_lr": 0.1, "after": "cosine"},
    {"name": "noam", "d_model": 64, "warmup_steps": 4},
    {"name": "onecycle", "max_lr": 0.01},
    {"name": "piecewise", "boundaries": [5], "values": [1.0, 0.5]},
    {"name": "piecewise", "boundaries": [5], "values": [0.01, 0.1]},
    {"name": "reduce_on_plateau", "metric": "valid_accuracy", "mode": "max"},
    {"name": "sequential", "parts": [{"name": "exponential", "gamma": 0.5}, "cosine"], "milestones": [4]},
    {"name": "step", "step_size": 2},
    {"name": "step", "step_size": 15, "unit": "step"},
    {"name": "exponential", "gamma": 0.99},
    {"name": "inverse_time", "gamma": 0.01},
    {"name": "lambda", "fn": "max(0.1, 1 - t / 20)"},
    {"name": "polynomial", "decay_steps": 15, "cycle": True},
    {"name": "wsd", "warmup_steps": 3, "decay_steps": 3},
]
RISES = "so the rate rises to it"
DOWN = "so the warm-up goes down"
RISING: list[tuple[Any, str, str]] = [
    ({"name": "polynomial", "end_lr": 0.2}, "end_lr", RISES),
    ({"name": "cosine", "eta_min": 0.2}, "eta_min", RISES),
    ({"name": "cosine", "eta_min": 0.2, "T_max": 3, "beyond": "periodic"}, "eta_min", RISES),
    ({"name": "cosine_warmup", "warmup_steps": 2, "eta_min": 0.2}, "eta_min", RISES),
    ({"name": "cosine_restarts", "T_0": 3, "eta_min": 0.2}, "eta_min", RISES),
    ({"name": "linear_decay", "end_lr": 0.2}, "end_lr", RISES),
    ({"name": "tanh", "eta_min": 0.2}, "eta_min", RISES),
    ({"name": "rex", "min_lr": 0.2}, "min_lr", RISES),
    ({"name": "exponential", "gamma": 0.9, "end_lr": 0.2}, "end_lr", RISES),
    ({"name": "reduce_on_plateau", "min_lr": 0.2}, "min_lr", RISES),
    ({"name": "linear_warmup", "warmup_steps": 2, "after": {"name": "rex", "min_lr": 0.2}}, "after.min_lr", RISES),
    ({"name": "chained", "parts": ["constant", {"name": "tanh", "eta_min": 0.2}]}, "parts[1].eta_min", RISES),
    ({"name": "linear_warmup", "warmup_steps": 4, "start_lr": 0.2}, "start_lr", DOWN),
    ({"name": "linear_warmup", "warmup_steps": 4, "start_lr": 0.05, "end_lr": 0.01}, "start_lr", DOWN),
    ({"name": "constant_warmup", "warmup_steps": 4, "start_lr": 0.2}, "start_lr", DOWN),
    ({"name": "linear_factor", "start_factor": 3.0}, "", "begins at 0.3, above the lr of 0.1"),
    ({"name": "onecycle", "div_factor": 0.5}, "", "begins at 0.2, above the lr of 0.1"),
    ({"name": "linear_warmup", "warmup_steps": 4, "end_lr": 0.5}, "end_lr", "what follows begins at 0.1"),
    ({"name": "cosine_warmup", "warmup_steps": 4, "start_lr": 0.2}, "start_lr", DOWN),
    ({"name": "cyclic", "max_lr": 0.05, "step_size_up": 3}, "max_lr", "so the rate first goes down"),
    ({"name": "exponential", "gamma": 1.1}, "", "rises from 0.1 to 0.6116 in the last update"),
    ({"name": "multiplicative", "fn": "2"}, "", "rises from 0.1 to"),
    ({"name": "lambda", "fn": "1 + t"}, "", "rises from 0.1 to 2 in the last update"),
    ({"name": "linear_factor", "start_factor": 1.0, "end_factor": 3.0}, "", "rises from 0.1 to 0.3"),
    ({"name": "cyclic", "max_lr": 0.5}, "", "rises from 0.1 to 0.1038"),
    ({"name": "step", "step_size": 1, "gamma": 2.0}, "", "rises from 0.1 to 0.8"),
    ({"name": "cosine_restarts", "T_0": 5, "m_mul": 1.5}, "m_mul", "the highest rate is 0.3375, the lr 0.1"),
    ({"name": "cosine_restarts", "T_0": 1, "m_mul": 2.0}, "m_mul", "every restart begins higher"),
    ({"name": "chained", "parts": ["constant", {"name": "sgdr", "T_0": 5, "m_mul": 2.0}]}, "parts[1].m_mul", "is 2"),
]
COVERED: list[tuple[Any, str]] = [
    ({"name": "linear_warmup", "warmup_steps": 40}, "to 0.0475 in the last update: the lr of 0.1 is never reached"),
    ({"name": "linear_warmup", "warmup_steps": 20, "after": "cosine"}, "to 0.095 in the last update"),
    ({"name": "linear_warmup", "warmup_steps": 19}, "nothing is trained after the warm-up"),
    ({"name": "linear_warmup", "unit": "epoch", "warmup_steps": 5, "start_lr": 0.01}, "the lr of 0.1 is never reached"),
    ({"name": "constant_warmup", "warmup_steps": 40}, "to 0.0475"),
    ({"name": "cosine_warmup", "warmup_steps": 40}, "to 0.0475"),
    ({"name": "inverse_sqrt", "warmup_steps": 40}, "to 0.0475"),
    ({"name": "linear_decay", "warmup_steps": 40}, "to 0.0475"),
    ({"name": "wsd", "warmup_steps": 40, "decay_steps": 1}, "to 0.0475"),
    ({"name": "linear_factor", "start_factor": 0.0, "total_steps": 40}, "to 0.0475"),
    ({"name": "onecycle", "total_steps": 200}, "rises through the whole run"),
    ({"name": "noam", "d_model": 1, "warmup_steps": 4000}, "is never reached"),
    ({"name": "lambda", "fn": "min(1, t / 100)"}, "to 0.019"),
]
IDLE: list[tuple[Any, str]] = [
    ({"name": "linear_warmup", "unit": "epoch", "warmup_steps": 2}, "the whole of epoch 0"),
    ({"name": "cosine", "unit": "epoch", "T_max": 2}, "the whole of 2 epochs, from 2 to 3"),
    ({"name": "linear_decay", "total_steps": 10}, "the whole of 2 epochs, from 2 to 3"),
    ({"name": "exponential", "gamma": 1e-6}, "the whole of 3 epochs, from 1 to 3"),
    ({"name": "piecewise", "unit": "epoch", "boundaries": [3], "values": [0.1, 0.0]}, "the whole of epoch 3"),
]
CUT: list[tuple[Any, str]] = [
    ({"name": "cosine", "T_max": 200}, "is 0.09779 in the last update, and falls to 0 only after the end of the run"),
    ({"name": "cosine", "unit": "epoch", "T_max": 10}, "is 0.07939 in the last update"),
    ({"name": "cosine_warmup", "warmup_steps": 4, "total_steps": 100, "eta_min": 0.01}, "falls to 0.01 only after"),
    ({"name": "linear_warmup", "warmup_steps": 4, "after": {"name": "cosine", "T_max": 100}}, "falls to 0 only after"),
    ({"name": "polynomial", "decay_steps": 40, "end_lr": 0.0}, "is 0.0525 in the last update"),
    ({"name": "linear_decay", "total_steps": 40}, "is 0.0525 in the last update"),
    ({"name": "tanh", "T_max": 60}, "falls to 0"),
    ({"name": "rex", "total_steps": 60}, "falls to 0"),
    ({"name": "wsd", "warmup_steps": 4, "stable_steps": 30, "decay_steps": 10}, "is 0.1 in the last update"),
    ({"name": "piecewise", "boundaries": [5, 30], "values": [0.1, 0.08, 0.01]}, "is 0.08 in the last update"),
    ({"name": "lambda", "fn": "max(0.1, 1 - t / 100)"}, "falls to 0.01 only after"),
]


def found(raw: Any, base: float = 0.1, steps: int = 20, steps_per_epoch: int = 5) -> list[tuple[str, str]]:
    return [(p.path, p.message) for p in lint_schedule(schedules.parse(raw), base, steps, steps_per_epoch)]


@pytest.mark.parametrize("raw", CLEAN, ids=str)
@pytest.mark.parametrize("steps", [20, 40])
def test_a_schedule_that_does_what_it_says_is_left_alone(raw: Any, steps: int) -> None:
    assert found(raw, steps=steps) == []


@pytest.mark.parametrize(("raw", "path", "words"), RISING, ids=str)
def test_a_rate_that_goes_the_wrong_way_is_told(raw: Any, path: str, words: str) -> None:
    ((where, message),) = found(raw)
    assert (where, words in message) == (path, True), message


def test_the_default_end_of_a_polynomial_is_above_a_small_rate() -> None:
    """keras#18747: from 5e-5 it rises to 1e-4."""
    assert found("polynomial", base=5e-5, steps=10) == [
        ("end_lr", "is 0.0001, above the lr of 5e-05, so the rate rises to it instead of falling: give less")
    ]


@pytest.mark.parametrize(("raw", "words"), COVERED, ids=str)
def test_a_warm_up_that_covers_the_run_is_told(raw: Any, words: str) -> None:
    ((path, message),) = [one for one in found(raw) if "whole of" not in one[1]]
    assert path == ""
    assert words in message
    assert '"10%"' in message


@pytest.mark.parametrize(("raw", "words"), CUT, ids=str)
def test_a_decay_that_the_run_cuts_short_is_told(raw: Any, words: str) -> None:
    ((path, message),) = found(raw)
    assert (path, words in message) == ("", True), message
    assert '"10%"' in message


@pytest.mark.parametrize(("length", "told"), [(20, False), (25, False), (26, True)])
def test_a_tenth_of_its_fall_may_be_left(length: int, told: bool) -> None:
    """(1 + cos(20 pi / 25)) / 2 is .095, with 26 it is .126."""
    assert bool(found({"name": "cosine", "T_max": length})) == told


@pytest.mark.parametrize(("raw", "words"), IDLE, ids=str)
def test_an_epoch_at_rate_0_is_told(raw: Any, words: str) -> None:
    ((path, message),) = found(raw)
    assert (path, words in message) == ("", True), message


def test_an_epoch_at_rate_0_is_seen_in_a_long_run() -> None:
    ((_, message),) = found({"name": "cosine", "T_max": 900_000}, steps=1_000_000, steps_per_epoch=1000)
    assert "from 900 to 999 (of" in message


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "step", "step_size": 30},
        {"name": "multistep", "milestones": [4, 8]},
        {"name": "piecewise", "boundaries": [20], "values": [0.1, 0.01]},
        {"name": "lambda", "fn": "1 if epoch < 30 else 0.1"},
    ],
    ids=str,
)
def test_a_change_that_comes_after_the_run_is_told(raw: Any) -> None:
    ((_, message),) = found(raw)
    assert message.startswith("is 0.1 in every update: it changes only after the end of the run")


@pytest.mark.parametrize(
    "held", [lambda raw: raw, lambda raw: {"name": "linear_warmup", "warmup_steps": 2, "after": raw}]
)
def test_a_mode_against_its_metric_is_told(held: Any) -> None:
    plateau = {"name": "reduce_on_plateau", "metric": "valid_accuracy", "mode": "min"}
    ((path, message),) = found(held(plateau))
    assert path.endswith("mode")
    assert message.startswith('is "min", but valid_accuracy is better when it is larger')
    assert found(held({**plateau, "mode": "max"})) == []


@pytest.mark.parametrize("name", [*schedules])
@pytest.mark.parametrize(("steps", "steps_per_epoch"), [(1, 1), (1, 7), (50, 1), (50_000, 7)])
def test_any_schedule_is_looked_at(name: str, steps: int, steps_per_epoch: int) -> None:
    for problem in lint_schedule(schedules.parse(raw_of("schedule", name)), 1e-9, steps, steps_per_epoch):
        assert problem.message
