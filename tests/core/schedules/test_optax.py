"""Every schedule that optax has, update by update."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest

from tests.core.schedules.curves import STEPS, B, agree, by_step, ours
from tests.core.schedules.test_plateau import after_each, plateau, sequences

Peer = Callable[[], Callable[[Any], Any]]


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


CASES: list[tuple[Any, Peer]] = [
    ("constant", lambda: optax.constant_schedule(B)),
    (
        {"name": "piecewise", "boundaries": [30, 101], "values": [B, 0.05, 0.2]},
        lambda: optax.piecewise_constant_schedule(B, {30: 0.5, 101: 4.0}),
    ),
    (by_step("step", step_size=30), lambda: optax.exponential_decay(B, 30, 0.1, staircase=True)),
    ({"name": "exponential", "gamma": 0.5, "decay_steps": 70}, lambda: optax.exponential_decay(B, 70, 0.5)),
    (
        {"name": "exponential", "gamma": 0.5, "decay_steps": 70, "staircase": True},
        lambda: optax.exponential_decay(B, 70, 0.5, staircase=True),
    ),
    (
        {"name": "exponential", "gamma": 0.5, "decay_steps": 70, "end_lr": 0.02},
        lambda: optax.exponential_decay(B, 70, 0.5, end_value=0.02),
    ),
    (
        {"name": "polynomial", "decay_steps": 120, "end_lr": 0.01, "power": 2.5},
        lambda: optax.polynomial_schedule(B, 0.01, 2.5, 120),
    ),
    ({"name": "linear_decay", "end_lr": 0.01}, lambda: optax.linear_schedule(B, 0.01, 500)),
    (
        {"name": "linear_decay", "warmup_steps": 40, "total_steps": 300, "end_lr": 0.01},
        lambda: optax.join_schedules([optax.linear_schedule(0, B, 40), optax.linear_schedule(B, 0.01, 260)], [40]),
    ),
    ({"name": "cosine", "T_max": 300}, lambda: optax.cosine_decay_schedule(B, 300)),
    ({"name": "cosine", "T_max": 300, "eta_min": 0.02}, lambda: optax.cosine_decay_schedule(B, 300, 0.2)),
    (
        {"name": "cosine_warmup", "warmup_steps": 50, "total_steps": 400, "eta_min": 0.003, "start_lr": 0.01},
        lambda: optax.warmup_cosine_decay_schedule(0.01, B, 50, 400, 0.003),
    ),
    (
        {"name": "cosine_restarts", "T_0": 125, "m_mul": 0.5},
        lambda: optax.sgdr_schedule(
            [{"init_value": 0.0, "peak_value": B * 0.5**i, "decay_steps": 125, "warmup_steps": 0} for i in range(4)]
        ),
    ),
    (
        {"name": "onecycle", "total_steps": 401, "pct_start": 101 / 401, "final_div_factor": 1e2},
        lambda: optax.cosine_onecycle_schedule(400, B, 0.25, 25.0, 1e2),  # it peaks at int(p·T) and ends at T
    ),
    (
        {"name": "linear_schedule", "end_value": 0.01, "transition_steps": 120},
        lambda: optax.linear_schedule(B, 0.01, 120),
    ),
    (
        {"name": "polynomial_schedule", "end_value": 0.01, "power": 2.5, "transition_steps": 120},
        lambda: optax.polynomial_schedule(B, 0.01, 2.5, 120),
    ),
    (
        {
            "name": "warmup_cosine_decay_schedule",
            "init_value": 0.01,
            "warmup_steps": 50,
            "decay_steps": 400,
            "end_value": 0.003,
        },
        lambda: optax.warmup_cosine_decay_schedule(0.01, B, 50, 400, 0.003),
    ),
    (
        {"name": "warmup_constant_schedule", "init_value": 0.01, "warmup_steps": 30},
        lambda: optax.warmup_constant_schedule(0.01, B, 30),
    ),
    (
        {"name": "exponential_decay", "transition_steps": 70, "decay_rate": 0.5, "end_value": 0.02},
        lambda: optax.exponential_decay(B, 70, 0.5, end_value=0.02),
    ),
    ({"name": "constant_warmup", "warmup_steps": 30}, lambda: optax.warmup_constant_schedule(0.0, B, 30)),
    (
        {"name": "constant_warmup", "warmup_steps": 30, "start_lr": 0.2},
        lambda: optax.warmup_constant_schedule(0.2, B, 30),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 20},
        lambda: optax.join_schedules([optax.linear_schedule(0, B, 20), optax.constant_schedule(B)], [20]),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 50, "start_lr": 0.01, "after": "cosine"},
        lambda: optax.warmup_cosine_decay_schedule(0.01, B, 50, 500),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 33, "end_lr": 0.3, "after": by_step("step", step_size=40)},
        lambda: optax.join_schedules(
            [optax.linear_schedule(0, 0.3, 33), optax.exponential_decay(B, 40, 0.1, staircase=True)], [33]
        ),
    ),
    (
        {"name": "linear_warmup", "warmup_steps": 0, "after": {"name": "cosine", "T_max": 300}},
        lambda: optax.cosine_decay_schedule(B, 300),
    ),
    ({"name": "linear_warmup", "warmup_steps": 0, "start_lr": 0.01}, lambda: optax.constant_schedule(B)),
    (
        {"name": "linear_warmup", "warmup_steps": 600, "after": "cosine"},
        lambda: optax.linear_schedule(0, B, 600),
    ),
    (
        {
            "name": "sequential",
            "parts": ["cosine", {"name": "exponential", "gamma": 0.97}, "linear_decay"],
            "milestones": [60, 200],
        },
        lambda: optax.join_schedules(
            [optax.cosine_decay_schedule(B, 60), optax.exponential_decay(B, 1, 0.97), optax.linear_schedule(B, 0, 300)],
            [60, 200],
        ),
    ),
    (
        {"name": "wsd", "warmup_steps": 50, "stable_steps": 200, "decay_type": "linear", "min_ratio": 0.1},
        lambda: optax.join_schedules(
            [optax.linear_schedule(0, B, 50), optax.constant_schedule(B), optax.linear_schedule(B, 0.1 * B, 250)],
            [50, 250],
        ),
    ),
]


@pytest.mark.parametrize(("raw", "peer"), CASES, ids=[str(raw) for raw, _ in CASES])
def test_the_rate_is_optaxs(raw: Any, peer: Peer) -> None:
    agree(ours(raw), jax.vmap(peer())(jnp.arange(STEPS)).tolist())


@pytest.mark.parametrize(
    "rest",
    [
        {"patience": 1},
        {"patience": 2},
        {"patience": 1, "cooldown": 1},
        {"patience": 2, "cooldown": 3, "factor": 0.5},
        {"patience": 1, "min_lr": 0.02, "factor": 0.5},
        {"patience": 3, "threshold": 0.05},
        {"patience": 3, "threshold": 0.05, "threshold_mode": "abs"},
    ],
    ids=str,
)
def test_the_plateau_is_optaxs(rest: dict[str, Any]) -> None:
    given = dict(rest)
    threshold, absolute = given.pop("threshold", 1e-4), given.pop("threshold_mode", "rel") == "abs"
    peer = optax.contrib.reduce_on_plateau(
        min_scale=given.pop("min_lr", 0.0) / B,
        **{"rtol": 0.0 if absolute else threshold, "atol": threshold if absolute else 0.0, **given},
    )
    update = jax.jit(lambda state, value: peer.update({"w": jnp.ones(())}, state, value=value)[1])
    for metrics in sequences(lowest=0.01):
        state: Any = peer.init({"w": jnp.ones(())})
        expected = [B]
        for value in metrics:
            state = update(state, value)
            expected.append(B * float(state.scale))
        found = after_each(plateau(flavour="optax", **rest), metrics)
        assert found == pytest.approx(expected, rel=1e-6)
