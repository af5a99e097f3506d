"""Schedules that end a run high or idle, and warm-ups that lead nowhere. Expected rates by hand."""

from typing import Any

import pytest

from tests.core.schedules.test_lint import found

AGAIN: list[tuple[Any, str]] = [
    ({"name": "CosineAnnealingLR", "T_max": 2, "eta_min": 0.001}, "by update 10, and is 0.0505 again in the last"),
    ({"name": "cosine", "T_max": 5, "beyond": "periodic"}, "falls to 0 by update 5, and is 0.09045 again"),
    ({"name": "cosine_warmup", "warmup_steps": 4, "total_steps": 12, "beyond": "periodic"}, "by update 12, and is"),
    ({"name": "linear_warmup", "warmup_steps": 4, "after": {"name": "cosine", "T_max": 8, "beyond": "periodic"}}, ""),
    ({"name": "cosine_restarts", "T_0": 8}, "and is 0.06913 again in the last update"),
    ({"name": "piecewise", "boundaries": [5, 15], "values": [0.1, 0.01, 0.1]}, "falls to 0.01 by update 5"),
    ({"name": "sequential", "parts": ["cosine", "constant"], "milestones": [10]}, "and is 0.1 again"),
]
"""Decays that end the run high."""
CYCLE: list[tuple[Any, str]] = [
    ({"name": "cosine_restarts", "T_0": 40}, "is 0.05392 in the last update, and falls to 0.0001541 only in update 39"),
    ({"name": "cosine_restarts", "T_0": 40, "m_mul": 2.0}, "only in update 39"),
    ({"name": "cosine_restarts", "unit": "epoch", "T_0": 30}, "is 0.09755 in the last update"),
    ({"name": "cosine", "T_max": 40, "beyond": "periodic"}, "falls to 0 only in update 40"),
    ({"name": "linear_warmup", "warmup_steps": 4, "after": {"name": "sgdr", "T_0": 40}}, "only in update 43"),
]
"""Cycles whose first fall the run cuts short."""
HARDLY: list[tuple[Any, str]] = [
    ({"name": "onecycle", "total_steps": 10}, "is below 0.001 of its highest rate, 0.1, in the last 55% of the run"),
    ({"name": "exponential", "gamma": 0.5}, "in the last 50% of the run"),
    ({"name": "multistep", "milestones": [4, 6, 8], "gamma": 0.05, "unit": "step"}, "in the last 60% of the run"),
]
"""By hand: 0.5^10 = 1/1024, 0.05^3 = 1/8000."""
JUNCTIONS: list[tuple[Any, str, str]] = [
    (
        {"name": "sequential", "parts": [{"name": "linear_warmup", "warmup_steps": 20}, "cosine"], "milestones": [5]},
        "parts[0]",
        "warms up to 0.02 by update 4, where what follows begins at 0.1: the warm-up never reaches it",
    ),
    (
        {
            "name": "sequential",
            "parts": [{"name": "linear_factor", "start_factor": 0.1, "total_steps": 50}, "cosine"],
            "milestones": [10],
        },
        "parts[0]",
        "warms up to 0.0262 by update 9",
    ),
    (
        {"name": "chained", "parts": [{"name": "linear_factor", "start_factor": 0.1, "total_steps": 40}, "cosine"]},
        "",
        "warms up to 0.01872 at most, and the lr of 0.1 is never reached",
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 10, "end_lr": 0.01, "after": "cosine"},
        "end_lr",
        "warms up to 0.009 by update 9, where what follows begins at 0.1",
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 10, "after": {"name": "cosine", "lr": 0.01}},
        "after",
        "warms up to 0.09, and what follows begins at 0.01: the rate that is warmed up to is never trained with",
    ),
    (
        {
            "name": "sequential",
            "parts": [{"name": "linear_warmup", "warmup_steps": 10}, {"name": "cosine", "lr": 0.01}],
            "milestones": ["50%"],
        },
        "parts[0]",
        "is never trained with",
    ),
    (
        {
            "name": "sequential",
            "parts": [
                {"name": "linear_warmup", "unit": "epoch", "warmup_steps": 4, "start_lr": 0.001, "per": "update"},
                "cosine",
            ],
            "milestones": [1],
            "unit": "epoch",
            "per": "update",
        },
        "parts[0]",
        "warms up to 0.0208 by update 4, where what follows begins at 0.1",
    ),
    (
        {
            "name": "linear_warmup",
            "warmup_steps": 2,
            "start_lr": 0.08,
            "end_lr": 0.1,
            "after": {
                "name": "sequential",
                "parts": [{"name": "linear_factor", "start_factor": 0.9, "total_steps": 50, "lr": 0.01}, "cosine"],
                "milestones": [8],
            },
        },
        "after.parts[0]",
        "where what follows begins at 0.1",
    ),
]


@pytest.mark.parametrize(("raw", "words"), [*AGAIN, *CYCLE], ids=str)
def test_a_rate_that_is_high_in_the_end_is_told(raw: Any, words: str) -> None:
    ((path, message),) = found(raw)
    assert (path, words in message) == ("", True), message
    assert '"10%"' in message


@pytest.mark.parametrize(("raw", "words"), HARDLY, ids=str)
def test_a_run_that_hardly_trains_towards_its_end_is_told(raw: Any, words: str) -> None:
    ((path, message),) = found(raw, steps=20, steps_per_epoch=20)
    assert (path, words in message) == ("", True), message


@pytest.mark.parametrize(("raw", "path", "words"), JUNCTIONS, ids=lambda one: str(one)[:60])
def test_a_warm_up_that_what_follows_does_not_go_on_from_is_told(raw: Any, path: str, words: str) -> None:
    assert [message for where, message in found(raw) if where == path and words in message], found(raw)


def test_noam_never_comes_to_the_lr_and_is_told_of_its_own_peak() -> None:
    """Vaswani et al. 2017: 512^-0.5 · 4000^-0.5 = 0.0007 at its highest."""
    ((_, message),) = found({"name": "noam", "d_model": 512, "warmup_steps": 4000}, base=1.0)
    assert "its highest rate is never reached" in message
