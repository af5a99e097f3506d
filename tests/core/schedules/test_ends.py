"""Where peers disagree, fail or stop: the first and last values, zero lengths, turns. Expected rates by hand."""

import math
from typing import Any

import pytest

from core.schedules import bind, rates, schedules
from tests.core.schedules.curves import by_step, ours


def at(raw: Any, *steps: int, base: float = 1.0, length: int = 10) -> list[float]:
    return rates(bind(schedules.parse(raw), base, length, 1), steps)


def near(*expected: float) -> Any:
    return pytest.approx(list(expected), rel=1e-12, abs=1e-15)


def test_pieces_change_at_their_boundaries() -> None:
    """The course's example: 1.0 until 100, 0.5 until 200, then 0.1."""
    course = {"name": "piecewise", "boundaries": [100, 200], "values": [1.0, 0.5, 0.1]}
    assert at(course, 0, 99, 100, 199, 200, 10**9) == [1.0, 1.0, 0.5, 0.5, 0.1, 0.1]
    assert at({"name": "piecewise", "boundaries": [], "values": [0.3]}, 0, 5) == [0.3, 0.3]


def test_a_milestone_at_zero_applies_at_once() -> None:
    assert at(by_step("multistep", milestones=[0, 2], gamma=0.5), 0, 1, 2, 3) == [0.5, 0.5, 0.25, 0.25]


def test_inverse_time_in_stairs() -> None:
    stairs = {"name": "inverse_time", "gamma": 0.5, "decay_steps": 4, "staircase": True}
    assert at(stairs, 0, 3, 4, 7, 8) == near(1, 1, 1 / 1.5, 1 / 1.5, 1 / 2)
    assert at({**stairs, "staircase": False}, 0, 2, 4, 8) == near(1, 1 / 1.25, 1 / 1.5, 1 / 2)


def test_a_polynomial_ends_at_its_own_end_even_if_that_is_higher() -> None:
    assert at({"name": "polynomial", "decay_steps": 2}, 0, 1, 2, 3, base=1e-5) == near(1e-5, 5.5e-5, 1e-4, 1e-4)


def test_a_polynomial_cycle_touches_its_end_at_every_multiple_and_rises_to_ever_less() -> None:
    cycle = {"name": "polynomial", "decay_steps": 10, "end_lr": 0.0, "cycle": True}
    assert at(cycle, 0, 5, 10, 11, 15, 20, 21, 30) == near(1, 1 / 2, 0, 9 / 20, 1 / 4, 0, 9 / 30, 0)


def test_noam_with_and_without_warm_up() -> None:
    assert at({"name": "noam", "d_model": 4, "warmup_steps": 16}, 0, 4, 16, 64) == near(0, 1 / 32, 1 / 8, 1 / 16)
    assert at({"name": "noam", "d_model": 4, "warmup_steps": 0}, 0, 1, 4, 16) == near(1 / 2, 1 / 2, 1 / 4, 1 / 8)


def test_the_inverse_square_root_has_a_timescale_of_its_own_without_warm_up() -> None:
    assert at({"name": "inverse_sqrt", "warmup_steps": 4}, 0, 3, 4, 16) == near(0, 3 / 4, 1, 1 / 2)
    assert at({"name": "inverse_sqrt", "warmup_steps": 0}, 0, 30_000) == near(1, 1 / 2)


def test_one_cycle_skips_a_phase_of_no_length() -> None:
    """p·T = 1: torch and Paddle divide by zero."""
    linear = {"name": "onecycle", "total_steps": 5, "pct_start": 0.2, "anneal_strategy": "linear"}
    linear |= {"div_factor": 2.0, "final_div_factor": 5.0}
    assert at(linear, 0, 1, 2, 3, 4, 5, 99) == near(1, 0.775, 0.55, 0.325, 0.1, 0.1, 0.1)
    three = {**linear, "three_phase": True, "final_div_factor": 2.0}  # the second phase has no length either
    assert at(three, 0, 2, 4, 5) == near(0.5, 0.375, 0.25, 0.25)
    assert at({**linear, "pct_start": 1.0}, 0, 2, 4, 5) == near(0.5, 0.75, 1, 0.1)
    assert at({**linear, "total_steps": 1, "pct_start": 1.0}, 0, 1) == near(0.1, 0.1)


def test_one_cycle_goes_up_to_the_optimizers_rate_or_its_own() -> None:
    cycle = {"name": "onecycle", "pct_start": 0.3, "total_steps": 10}
    assert at(cycle, 0, 2, 9, 10, base=0.5) == near(0.02, 0.5, 2e-6, 2e-6)
    assert at({**cycle, "max_lr": 0.25}, 0, 2, 9, 10, base=0.5) == near(0.01, 0.25, 1e-6, 1e-6)


def test_a_cycle_turns_at_its_peak_and_at_its_foot() -> None:
    cycle = {"name": "cyclic", "max_lr": 3.0, "step_size_up": 2, "step_size_down": 4}
    assert at(cycle, 0, 1, 2, 3, 5, 6, 8) == near(1, 2, 3, 2.5, 1.5, 1, 3)
    assert at({**cycle, "mode": "triangular2"}, 2, 6, 8, 14) == near(3, 1, 2, 1.5)
    assert at({**cycle, "mode": "exp_range", "gamma": 0.5}, 1, 2, 8) == near(1.5, 1.5, 1 + 2 / 256)
    assert at({**cycle, "mode": "triangular2"}, 6 * 10**6 + 2) == near(1)


def test_a_restart_is_at_the_peak_where_a_logarithm_is_wrong() -> None:
    """torch's step(epoch), Paddle, timm and Keras give 0 at t = 1210 = 10 + 30 + 90 + 270 + 810."""
    restarts = {"name": "cosine_restarts", "T_0": 10, "T_mult": 3}
    assert at(restarts, 0, 10, 40, 130, 400, 1210) == [1] * 6
    last = (1 + math.cos(math.pi * 809 / 810)) / 2
    assert at({**restarts, "m_mul": 0.5}, 5, 10, 25, 1209, 1210) == near(1 / 2, 1 / 2, 1 / 4, last / 16, 1 / 32)
    assert at({**restarts, "eta_min": 0.5, "m_mul": 0.5}, 10, 25) == near(0.5, 0.5)


def test_restarts_far_away_are_found_at_once() -> None:
    assert at({"name": "cosine_restarts", "T_0": 1, "T_mult": 2}, 2**60 - 1, 2**60 - 1 + 2**59) == near(1, 0.5)
    assert at({"name": "cosine_restarts", "T_0": 7}, 7 * 10**15, 7 * 10**15 + 1) == near(
        1, (1 + math.cos(math.pi / 7)) / 2
    )


@pytest.mark.parametrize(("shape", "middle"), [("linear", 0.5), ("cosine", 0.5), ("1-sqrt", 1 - math.sqrt(0.5))])
def test_warm_up_stable_decay(shape: str, middle: float) -> None:
    wsd = {"name": "wsd", "warmup_steps": 2, "stable_steps": 3, "decay_steps": 4, "decay_type": shape}
    assert at(wsd, 0, 1, 2, 4, 5, 7, 9, 10) == near(0, 0.5, 1, 1, 1, middle, 0, 0)
    assert at({**wsd, "min_ratio": 0.2}, 1, 4, 7, 9, 10) == near(0.5, 1, 0.2 + 0.8 * middle, 0.2, 0.2)
    assert at({**wsd, "warmup_steps": 0, "stable_steps": 0}, 0, 2, 4) == near(1, middle, 0)
    assert at({**wsd, "decay_steps": 0, "min_ratio": 0.2}, 4, 5, 6) == near(1, 0.2, 0.2)


def test_what_a_warm_up_stable_decay_leaves_out_is_what_the_run_has_left() -> None:
    whole = {"name": "wsd", "warmup_steps": 2, "stable_steps": 3, "decay_steps": 5}
    for left_out in ("stable_steps", "decay_steps"):
        assert ours({**whole, left_out: None}, steps=10) == ours(whole, steps=10)
    assert at({"name": "wsd", "warmup_steps": 8, "decay_steps": 5}, 7, 8, 13) == near(7 / 8, 1, 0)


def test_a_linear_decay_after_a_warm_up_that_leaves_nothing() -> None:
    decay = {"name": "linear_decay", "warmup_steps": 4, "total_steps": 4, "end_lr": 0.25}
    assert at(decay, 0, 3, 4, 5) == near(0, 3 / 4, 0.25, 0.25)
    assert at({**decay, "total_steps": 8}, 4, 6, 7, 8, 9) == near(1, 0.625, 0.4375, 0.25, 0.25)


def test_rex_is_above_the_straight_line() -> None:
    """(1 - u) / (1/2 + (1 - u) / 2) as in the paper."""
    rex = {"name": "rex", "total_steps": 4, "min_lr": 0.1}
    paper = [(1 - u) / (0.5 + (1 - u) / 2) for u in (0, 0.25, 0.5, 0.75, 1, 1)]
    assert at(rex, 0, 1, 2, 3, 4, 9) == near(*[0.1 + 0.9 * p for p in paper])


def test_no_warm_up_is_the_whole_rate_from_the_first_update() -> None:
    """optax.warmup_constant_schedule would stay at its start for ever."""
    assert at({"name": "constant_warmup", "warmup_steps": 0, "start_lr": 0.5}, 0, 1) == [1, 1]
    assert at({"name": "cosine_warmup", "warmup_steps": 0, "total_steps": 2}, 0, 1, 2) == near(1, 0.5, 0)
    assert at({"name": "linear_decay", "total_steps": 2}, 0, 1, 2) == near(1, 0.5, 0)


def test_cosine_warm_up_peaks_where_it_turns_and_holds_or_climbs_back() -> None:
    warm = {"name": "cosine_warmup", "warmup_steps": 2, "total_steps": 4, "start_lr": 0.5, "eta_min": 0.25}
    assert at(warm, 0, 1, 2, 3, 4, 5, 9) == near(0.5, 0.75, 1, 0.625, 0.25, 0.25, 0.25)
    assert at({**warm, "beyond": "periodic"}, 4, 5, 6, 7) == near(0.25, 0.625, 1, 0.625)
    assert at({**warm, "total_steps": 2}, 1, 2, 3) == near(0.75, 1, 0.25)


def test_factors_of_no_length_are_at_their_end() -> None:
    """torch's LinearLR would stay at the start factor for ever."""
    assert at({"name": "linear_factor", "start_factor": 0.0, "end_factor": 0.5, "total_steps": 0}, 0, 9) == [0.5, 0.5]
    assert at({"name": "constant_factor", "factor": 0.0, "total_steps": 0}, 0, 9) == [1, 1]
    assert at({"name": "linear_factor", "start_factor": 0.0, "total_steps": 2}, 0, 1, 2, 3) == [0, 0.5, 1, 1]
    assert at({"name": "constant_factor", "factor": 0.0, "total_steps": 2}, 0, 1, 2) == [0, 0, 1]


def test_tanh_jumps_to_its_end() -> None:
    tanh = {"name": "tanh", "T_max": 4, "lb": -1.0, "ub": 1.0, "eta_min": 0.1}
    assert at(tanh, 0, 2, 4, 5) == near(0.1 + 0.9 * (1 + math.tanh(1)) / 2, 0.55, 0.1, 0.1)


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "exponential", "gamma": 2.0},
        {"name": "cosine_restarts", "T_0": 1, "m_mul": 2.0},
        {"name": "cyclic", "max_lr": 1.0, "step_size_up": 1, "step_size_down": 2, "mode": "exp_range", "gamma": 2.0},
        by_step("step", step_size=1, gamma=1e12),
        by_step("multistep", milestones=list(range(500)), gamma=1e12),
    ],
    ids=str,
)
def test_a_rate_beyond_all_numbers_is_refused_with_its_update(raw: Any) -> None:
    with pytest.raises(ValueError, match="at update 5000;"):
        at(raw, 5000, base=0.5)


def test_a_rate_below_zero_is_refused_with_its_update() -> None:
    """An exponential range around a falling cycle grows past zero."""
    raw = {"name": "cyclic", "max_lr": 0.1, "step_size_up": 1, "mode": "exp_range", "gamma": 2.0}
    assert at(raw, 0) == [1]
    with pytest.raises(ValueError, match=r"the rate -0\.8 at update 1;"):
        at(raw, 1)
