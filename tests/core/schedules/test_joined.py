"""Schedules made of others. Expected rates by hand, or from the parts alone."""

import math
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from core.schedules import schedules
from tests.core.schedules.curves import by_step, ours

PLATEAU = {"name": "reduce_on_plateau"}


def one(raw: Any, steps: int, steps_per_epoch: int = 1) -> list[float]:
    return ours(raw, steps, steps_per_epoch, base=1.0)


def sequence(parts: list[Any], milestones: list[int], **rest: Any) -> dict[str, Any]:
    return {"name": "sequential", "parts": parts, "milestones": milestones, **rest}


HALVES = {"name": "exponential", "gamma": 0.5}


def test_every_part_starts_from_the_base_at_its_own_zero() -> None:
    assert one(sequence([HALVES, HALVES, "constant"], [2, 5]), 7) == [1, 0.5, 1, 0.5, 0.25, 1, 1]
    assert one(sequence(["constant"], []), 2) == [1, 1]


def test_a_milestone_at_zero_skips_the_first_part() -> None:
    assert one(sequence([{"name": "constant_factor", "factor": 0.0}, HALVES], [0]), 3) == [1, 0.5, 0.25]


def test_a_length_left_out_is_the_parts_own() -> None:
    assert one(sequence(["cosine", "linear_decay", "rex"], [4, 6]), 12) == [
        *one("cosine", 4),
        *one("linear_decay", 2),
        *one("rex", 6),
    ]


def test_parts_keep_their_own_unit() -> None:
    by_epoch = {**HALVES, "unit": "epoch"}
    assert one(sequence([HALVES, by_epoch], [3]), 8, 2) == [1, 0.5, 0.25, 1, 1, 0.5, 0.5, 0.25]
    assert one(sequence([by_epoch, HALVES], [2], unit="epoch"), 8, 2) == [1, 1, 0.5, 0.5, 1, 1, 0.25, 0.25]
    epochs = {"name": "cosine", "unit": "epoch"}
    assert one(sequence([epochs, "constant"], [2], unit="epoch"), 6, 2) == pytest.approx([1, 1, 0.5, 0.5, 1, 1])
    assert one(sequence(["linear_decay", "constant"], [2], unit="epoch"), 6, 2) == [1, 1, 0.5, 0.5, 1, 1]


def test_a_chain_is_the_product_of_factors() -> None:
    parts = [HALVES, {"name": "constant_factor", "factor": 0.5, "total_steps": 2}, by_step("step", step_size=3)]
    expected = [0.5, 0.25, 0.25, 0.0125]
    assert one({"name": "chained", "parts": parts}, 4) == pytest.approx(expected)
    doubled = ours({"name": "chained", "parts": parts}, 4, base=2.0)
    assert doubled == pytest.approx([2 * rate for rate in expected])  # B counts once, however many parts
    assert one({"name": "chained", "parts": [HALVES]}, 4) == one(HALVES, 4)


def test_a_chain_of_a_rate_of_zero_is_zero() -> None:
    rates = {"name": "piecewise", "boundaries": [1], "values": [0.5, 0.25]}
    assert ours({"name": "chained", "parts": [rates, "cosine"]}, 3, base=0.0) == [0, 0, 0]


def test_the_parts_of_a_chain_have_the_runs_length_and_their_own_unit() -> None:
    chain = {"name": "chained", "parts": ["linear_decay", {**HALVES, "unit": "epoch"}]}
    assert one(chain, 4, 2) == [1, 0.75, 0.25, 0.125]
    assert one({**chain, "unit": "epoch"}, 4, 2) == [1, 1, 0.25, 0.25]


def refused(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(PydanticCustomError) as caught:
        schedules.parse(raw)
    return [(p.path, p.message) for p in (caught.value.context or {})["problems"]]


WARM = {"name": "linear_warmup", "warmup_steps": 2, "after": PLATEAU}


@pytest.mark.parametrize("deaf", [PLATEAU, WARM, {**WARM, "after": WARM}], ids=["itself", "warmed", "warmed twice"])
def test_a_part_cannot_answer_to_a_metric_however_deep(deaf: Any) -> None:
    ((path, message),) = refused(sequence(["constant", deaf], [3]))
    assert path == "parts[1]"
    assert "answers to a metric" in message
    assert [path for path, _ in refused({"name": "chained", "parts": [deaf]})] == ["parts[0]"]
    inside = {"name": "linear_warmup", "warmup_steps": 1, "after": sequence([deaf, "constant"], [1])}
    assert [path for path, _ in refused(inside)] == ["after.parts[0]"]


def test_a_warm_up_around_a_sequence_has_it_start_where_the_ramp_ends() -> None:
    raw = {"name": "linear_warmup", "warmup_steps": 2, "after": sequence([HALVES, "linear_decay"], [2])}
    assert one(raw, 8) == [0, 0.5, 1, 0.5, 1, 0.75, 0.5, 0.25]


def test_a_part_may_start_from_a_rate_of_its_own() -> None:
    """optax.join_schedules([exponential_decay(1.0, 1, 0.9), cosine_decay_schedule(0.5, 5)], [4])."""
    parts = [{"name": "exponential", "gamma": 0.9}, {"name": "cosine", "T_max": 5, "lr": 0.5}]
    joined = ours({"name": "sequential", "parts": parts, "milestones": [4]}, steps=10, base=1.0)
    expected = [0.9**t for t in range(4)] + [0.25 * (1 + math.cos(math.pi * min(t, 5) / 5)) for t in range(6)]
    assert joined == pytest.approx(expected, rel=1e-12)
    after = ours({"name": "linear_warmup", "warmup_steps": 2, "after": {"name": "constant", "lr": 0.25}}, 4, base=1.0)
    assert after == [0, 0.5, 0.25, 0.25]


def test_a_chained_part_is_a_factor_of_its_own_rate() -> None:
    parts: list[Any] = [{"name": "exponential", "gamma": 0.5, "lr": 0.3}, {"name": "cosine", "lr": 8.0, "eta_min": 4.0}]
    chained = ours({"name": "chained", "parts": parts}, steps=4, base=1.0)
    factors = [(0.5 + 0.25 * (1 + math.cos(math.pi * t / 4))) * 0.5**t for t in range(4)]
    assert chained == pytest.approx(factors, rel=1e-12)


def test_only_a_part_has_a_rate_of_its_own() -> None:
    with pytest.raises(ValueError, match="give it to the optimizer"):
        ours({"name": "cosine", "lr": 0.5})
