"""What peers leave open: units, lengths that are left out, and what is refused. Expected rates by hand."""

from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from core.schedules import bind, schedules


def rates(raw: Any, steps: int, steps_per_epoch: int = 1, base: float = 1.0) -> list[float]:
    curve: Any = bind(schedules.parse(raw), base, steps, steps_per_epoch)
    return [curve(t) for t in range(steps)]


def test_step_counts_epochs_unless_told_otherwise() -> None:
    by_epoch = {"name": "step", "step_size": 2, "gamma": 0.5}
    assert rates(by_epoch, steps=12, steps_per_epoch=2) == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]
    assert rates({**by_epoch, "unit": "step"}, steps=5, steps_per_epoch=2) == [1, 1, 0.5, 0.5, 0.25]


def test_stairs_fall_at_their_multiples_however_far() -> None:
    for name, parameter in (("step", {"step_size": 10}), ("exponential", {"decay_steps": 10, "staircase": True})):
        curve: Any = bind(schedules.parse({"name": name, "unit": "step", "gamma": 0.999, **parameter}), 1.0, 10**6, 1)
        for k in (1, 3, 7, 29, 10**5 - 1):
            assert curve(10 * k - 1) == pytest.approx(0.999 ** (k - 1), rel=1e-12)
            assert curve(10 * k) == pytest.approx(0.999**k, rel=1e-12)


def test_a_decay_never_ends_below_its_floor() -> None:
    decay = {"name": "exponential", "gamma": 0.1, "end_lr": 0.05}
    assert rates(decay, steps=4) == pytest.approx([1, 0.1, 0.05, 0.05], rel=1e-15)
    assert rates({"name": "exponential", "gamma": 0.5}, steps=3000)[-1] == 0.0


def test_cosine_holds_its_end_or_climbs_back() -> None:
    short = {"name": "cosine", "T_max": 2, "eta_min": 0.25}
    assert rates(short, steps=6) == [1, 0.625, 0.25, 0.25, 0.25, 0.25]
    assert rates({**short, "beyond": "periodic"}, steps=6) == pytest.approx([1, 0.625, 0.25, 0.625, 1, 0.625])


def test_a_length_left_out_is_the_runs() -> None:
    assert rates("cosine", steps=4) == rates({"name": "cosine", "T_max": 4}, steps=4)
    epochs = {"name": "cosine", "unit": "epoch"}
    assert rates(epochs, steps=12, steps_per_epoch=3) == rates({**epochs, "T_max": 4}, steps=12, steps_per_epoch=3)


def test_what_follows_a_warm_up_starts_at_its_own_zero() -> None:
    warm = {"name": "linear_warmup", "warmup_steps": 2, "start_lr": 0.5, "after": "cosine"}
    assert rates(warm, steps=6) == [0.5, 0.75, *rates({"name": "cosine", "T_max": 4}, steps=4)]


def test_the_ramp_never_emits_its_end() -> None:
    assert rates({"name": "linear_warmup", "warmup_steps": 2, "end_lr": 8.0}, steps=4) == [0.0, 4.0, 1.0, 1.0]


def test_no_warm_up_is_what_follows() -> None:
    assert rates({"name": "linear_warmup", "warmup_steps": 0, "after": "cosine"}, steps=9) == rates("cosine", steps=9)


def test_warm_up_in_updates_before_a_schedule_in_epochs() -> None:
    """The epochs of what follows begin where the ramp ends."""
    after = {"name": "step", "step_size": 1, "gamma": 0.5}
    warm = {"name": "linear_warmup", "warmup_steps": 2, "after": after}
    assert rates(warm, steps=9, steps_per_epoch=3) == [0, 0.5, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_warm_up_in_epochs_before_a_schedule_in_updates() -> None:
    """A warm-up in epochs holds its rate during the epoch, and what follows with it."""
    after = {"name": "exponential", "gamma": 0.5}
    warm = {"name": "linear_warmup", "unit": "epoch", "warmup_steps": 1, "start_lr": 0.1, "after": after}
    assert rates(warm, steps=6, steps_per_epoch=2) == [0.1, 0.1, 1, 1, 0.25, 0.25]


def test_warm_ups_nest() -> None:
    inner = {"name": "linear_warmup", "warmup_steps": 2, "after": "constant"}
    outer = {"name": "linear_warmup", "warmup_steps": 1, "start_lr": 0.7, "after": inner}
    assert rates(outer, steps=5) == [0.7, 0, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"name": "step", "step_size": 0}, "step_size"),
        ({"name": "step"}, "step_size"),
        ({"name": "exponential", "gamma": 0}, "gamma"),
        ({"name": "cosine", "T_max": 0}, "T_max"),
        ({"name": "cosine", "beyond": "bounce"}, "beyond"),
        ({"name": "linear_warmup", "warmup_steps": -1}, "warmup_steps"),
        ({"name": "linear_warmup", "warmup_steps": 1.5}, "warmup_steps"),
        ({"name": "linear_warmup", "warmup_steps": 1, "after": {"name": "step", "step_size": 0}}, "after.step_size"),
        ({"name": "constant", "unit": "hour"}, "unit"),
        ({"name": "piecewise", "boundaries": [5, 3], "values": [1.0, 0.5, 0.1]}, "boundaries"),
        ({"name": "piecewise", "boundaries": [3, 3], "values": [1.0, 0.5, 0.1]}, "boundaries"),
        ({"name": "piecewise", "boundaries": [-1], "values": [1.0, 0.5]}, "boundaries[0]"),
        ({"name": "piecewise", "boundaries": [3], "values": [1.0]}, ""),
        ({"name": "piecewise", "boundaries": [3], "values": [1.0, 0.5, 0.1]}, ""),
        ({"name": "piecewise", "boundaries": [3], "values": [1.0, -0.5]}, "values[1]"),
        ({"name": "natural_exp", "gamma": -0.1}, "gamma"),
        ({"name": "natural_exp", "gamma": 0}, "gamma"),
        ({"name": "inverse_time", "gamma": -0.1}, "gamma"),
        ({"name": "inverse_time", "gamma": 1, "decay_steps": 0}, "decay_steps"),
        ({"name": "polynomial", "decay_steps": 0}, "decay_steps"),
        ({"name": "polynomial", "power": 0}, "power"),
        ({"name": "multistep", "milestones": [30, 20]}, "milestones"),
        ({"name": "multistep", "milestones": [30, 30]}, "milestones"),
        ({"name": "multistep", "milestones": []}, "milestones"),
        ({"name": "multistep", "milestones": [1], "gamma": -1}, "gamma"),
        ({"name": "noam", "d_model": 0, "warmup_steps": 1}, "d_model"),
        ({"name": "linear_warmup", "warmup_steps": 1, "after": "cosin"}, "after.name"),
        ({"name": "linear_warmup", "warmup_steps": 1, "start_lr": -0.1}, "start_lr"),
        ({"name": "onecycle", "max_lr": 0}, "max_lr"),
        ({"name": "onecycle", "total_steps": 0}, "total_steps"),
        ({"name": "onecycle", "pct_start": 1.1}, "pct_start"),
        ({"name": "onecycle", "pct_start": -0.1}, "pct_start"),
        ({"name": "onecycle", "pct_start": 0.6, "three_phase": True}, ""),
        ({"name": "onecycle", "div_factor": 0}, "div_factor"),
        ({"name": "cyclic", "max_lr": 0}, "max_lr"),
        ({"name": "cyclic", "max_lr": 1, "step_size_up": 0}, "step_size_up"),
        ({"name": "cyclic", "max_lr": 1, "step_size_down": 0}, "step_size_down"),
        ({"name": "cosine_restarts", "T_0": 0}, "T_0"),
        ({"name": "cosine_restarts", "T_0": 1, "T_mult": 1.5}, "T_mult"),
        ({"name": "wsd", "warmup_steps": 1}, ""),
        ({"name": "wsd", "warmup_steps": 1, "decay_steps": 1, "min_ratio": 1.5}, "min_ratio"),
        ({"name": "inverse_sqrt", "warmup_steps": 1, "timescale": 0}, "timescale"),
        ({"name": "linear_decay", "total_steps": 5, "warmup_steps": 6}, ""),
        ({"name": "linear_decay", "total_steps": 0}, "total_steps"),
        ({"name": "cosine_warmup", "total_steps": 5, "warmup_steps": 6}, ""),
        ({"name": "rex", "total_steps": 0}, "total_steps"),
        ({"name": "tanh", "lb": 1, "ub": 1}, ""),
        ({"name": "linear_factor", "total_steps": -1}, "total_steps"),
        ({"name": "constant_factor", "factor": -1}, "factor"),
        ({"name": "sequential", "parts": ["constant"], "milestones": [3]}, ""),
        ({"name": "sequential", "parts": ["constant", "cosine", "rex"], "milestones": [3]}, ""),
        ({"name": "sequential", "parts": ["constant", "cosine", "rex"], "milestones": [3, 2]}, "milestones"),
        ({"name": "sequential", "parts": ["constant", "cosin"], "milestones": [3]}, "parts[1].name"),
        ({"name": "chained", "parts": []}, "parts"),
        ({"name": "chained", "parts": ["constant"] * 33}, "parts"),
        ({"name": "reduce_on_plateau", "factor": 1.0}, "factor"),
        ({"name": "reduce_on_plateau", "patience": -1}, "patience"),
        ({"name": "reduce_on_plateau", "mode": "most"}, "mode"),
        ({"name": "reduce_on_plateau", "metric": "loss"}, "metric"),
        ({"name": "reduce_on_plateau", "unit": "step"}, "unit"),
    ],
)
def test_impossible_values_are_refused(raw: object, path: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        schedules.parse(raw)
    assert [p.path for p in (caught.value.context or {})["problems"]] == [path]
