"""Cycles found by plain counting, for any lengths."""

import math
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.schedules import bind, rates, schedules
from tests.core.schedules.curves import by_plan

lengths = st.integers(1, 40)
times = st.integers(0, 3000)


def rate(t: int, **raw: Any) -> float:
    return rates(bind(schedules.parse(raw), 1.0, 10, 1), [t])[0]


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


@by_plan
@given(times, lengths, st.integers(1, 5))
def test_a_restart_comes_after_every_cycle(t: int, first: int, growth: int) -> None:
    i, r, period = 0, 0, first
    for _ in range(t):
        r += 1
        if r == period:
            i, r, period = i + 1, 0, period * growth
    expected = 0.9**i * (1 + math.cos(math.pi * r / period)) / 2
    assert close(rate(t, name="cosine_restarts", T_0=first, T_mult=growth, m_mul=0.9), expected)


@by_plan
@given(times, lengths, lengths)
def test_a_cycle_goes_up_and_down_one_update_at_a_time(t: int, up: int, down: int) -> None:
    height, r, cycle = Fraction(0), 0, 0
    for _ in range(t):
        height += Fraction(1, up) if r < up else -Fraction(1, down)
        r += 1
        if r == up + down:
            r, cycle = 0, cycle + 1
    assert 0 <= height <= 1
    expected = 1 + 2 * float(height) * 0.5**cycle
    cyclic = {"name": "cyclic", "max_lr": 3.0, "step_size_up": up, "step_size_down": down, "mode": "triangular2"}
    assert close(rate(t, **cyclic), expected)


@by_plan
@given(times, lengths)
def test_a_polynomial_cycle_lasts_until_the_multiple_that_is_not_passed(t: int, length: int) -> None:
    end = length
    while end < t:
        end += length
    expected = float((1 - Fraction(t, end)) ** 2)
    assert close(rate(t, name="polynomial", decay_steps=length, end_lr=0.0, power=2.0, cycle=True), expected)


@by_plan
@given(times, st.lists(st.integers(0, 3000), min_size=1, max_size=8, unique=True).map(sorted))
def test_pieces_and_steps_count_the_milestones_passed(t: int, milestones: list[int]) -> None:
    passed = sum(m <= t for m in milestones)
    values = [float(i) for i in range(len(milestones) + 1)]
    assert rate(t, name="piecewise", boundaries=milestones, values=values) == passed
    assert close(rate(t, name="multistep", unit="step", milestones=milestones, gamma=0.5), 0.5**passed)
    parts = [{"name": "lambda", "fn": f"{i} + t / 10000"} for i in range(len(values))]
    since = t - max([0, *(m for m in milestones if m <= t)])
    assert close(rate(t, name="sequential", milestones=milestones, parts=parts), passed + since / 10000)
