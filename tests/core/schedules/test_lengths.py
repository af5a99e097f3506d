"""Lengths as shares of the run, and epochs whose rate moves with every update; beside counts that say the same."""

from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from core.datasets import DatasetPaths
from core.schedules import schedules
from core.spec import check, parse, warnings_of
from tests.core.schedules.curves import agree, ours
from tests.core.spec.test_lint import SCAN

RUN = 40
"""Updates of a run, of eight epochs."""
SHARED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "constant_warmup"}, {"warmup_steps": 0.1}),
    ({"name": "cosine", "beyond": "periodic"}, {"T_max": 0.25}),
    ({"name": "cosine_restarts", "T_mult": 2}, {"T_0": 0.25}),
    ({"name": "cosine_warmup"}, {"warmup_steps": 0.1, "total_steps": 0.75}),
    ({"name": "cyclic", "max_lr": 0.5}, {"step_size_up": 0.1, "step_size_down": 0.2}),
    ({"name": "exponential", "gamma": 0.5, "staircase": True}, {"decay_steps": 0.25}),
    ({"name": "constant_factor"}, {"total_steps": 0.25}),
    ({"name": "inverse_sqrt"}, {"warmup_steps": 0.1}),
    ({"name": "inverse_time", "gamma": 0.5, "staircase": True}, {"decay_steps": 0.25}),
    ({"name": "linear_decay"}, {"warmup_steps": 0.1, "total_steps": 0.75}),
    ({"name": "linear_factor"}, {"total_steps": 0.25}),
    ({"name": "linear_warmup", "after": "cosine"}, {"warmup_steps": 0.1}),
    ({"name": "multistep", "gamma": 0.5}, {"milestones": [0.25, 0.75]}),
    ({"name": "noam", "d_model": 4}, {"warmup_steps": 0.1}),
    ({"name": "onecycle"}, {"total_steps": 0.75}),
    ({"name": "piecewise", "values": [0.3, 0.2, 0.1]}, {"boundaries": [0.25, 0.75]}),
    ({"name": "polynomial", "cycle": True}, {"decay_steps": 0.25}),
    ({"name": "rex"}, {"total_steps": 0.75}),
    ({"name": "sequential", "parts": ["cosine", "rex"]}, {"milestones": [0.25]}),
    ({"name": "step"}, {"step_size": 0.25}),
    ({"name": "tanh"}, {"T_max": 0.75}),
    ({"name": "wsd"}, {"warmup_steps": 0.1, "stable_steps": 0.25, "decay_steps": 0.5}),
]


def scaled(lengths: dict[str, Any], by: Any) -> dict[str, Any]:
    return {key: [by(one) for one in value] if isinstance(value, list) else by(value) for key, value in lengths.items()}


def percent(share: float) -> str:
    return f"{100 * share:g}%"


def curve(raw: Any, **given: Any) -> list[float]:
    return ours({**raw, **given}, steps=RUN, steps_per_epoch=5)


def test_every_schedule_with_a_length_is_among_them() -> None:
    with_lengths = {
        name for name, entry in schedules.items() if "such as" in str(entry.model_json_schema()["properties"])
    }
    assert {raw["name"] for raw, _ in SHARED} == with_lengths


@pytest.mark.parametrize(("raw", "lengths"), SHARED, ids=lambda one: one.get("name", ""))
def test_a_share_is_so_much_of_the_run(raw: Any, lengths: dict[str, Any]) -> None:
    counts = scaled(lengths, lambda share: round(share * RUN))
    assert curve(raw, unit="step", **scaled(lengths, percent)) == curve(raw, unit="step", **counts)
    assert curve(raw, unit="step", **counts) != curve(raw, unit="step", **scaled(counts, lambda n: n + 1))


@pytest.mark.parametrize(("raw", "lengths"), SHARED, ids=lambda one: one.get("name", ""))
def test_epochs_that_move_with_every_update_are_as_many_updates(raw: Any, lengths: dict[str, Any]) -> None:
    epochs = scaled(lengths, lambda share: round(share * RUN / 5) or 1)
    updates = curve(raw, unit="step", **scaled(epochs, lambda n: 5 * n))
    if raw["name"] == "noam":  # the rate of t updates is B / sqrt(d_model·t)
        raw = {**raw, "d_model": 5 * raw["d_model"]}
    fine = curve(raw, unit="epoch", per="update", **epochs)
    agree(fine, updates, within=1e-12)
    coarse = curve(raw, unit="epoch", **epochs)
    if raw["name"] not in ("onecycle", "sequential"):  # which count to their last epoch, or keep their parts' units
        assert coarse == [fine[t - t % 5] for t in range(RUN)]


def test_a_share_that_ends_within_a_unit_has_begun_it() -> None:
    """transformers' warmup_ratio: ceil(15 x 0.1) = 2 updates."""
    warm = {"name": "linear_warmup", "warmup_steps": "10%"}
    assert ours(warm, steps=15, base=1.0)[:4] == [0, 0.5, 1, 1]
    assert ours({**warm, "unit": "epoch"}, steps=15, steps_per_epoch=5, base=1.0) == [0] * 5 + [1] * 10
    assert ours({**warm, "unit": "epoch", "per": "update"}, steps=15, steps_per_epoch=5, base=1.0)[:4] == [0, 0.5, 1, 1]
    assert ours({"name": "step", "unit": "step", "step_size": "0.1%"}, steps=3, base=1.0) == pytest.approx(
        [1, 0.1, 0.01]
    )


def test_the_share_of_a_part_is_of_what_the_part_has() -> None:
    warm = {"name": "linear_warmup", "warmup_steps": "20%", "after": {"name": "constant_factor", "total_steps": "50%"}}
    assert ours(warm, steps=10, base=3.0) == pytest.approx([0, 1.5, 1, 1, 1, 1, 3, 3, 3, 3])


def test_an_expression_moves_with_every_update() -> None:
    half = {"name": "lambda", "fn": "0.5 ** t", "unit": "epoch", "per": "update"}
    agree(ours(half, steps=2000, steps_per_epoch=4), [0.1 * 0.5 ** (t / 4) for t in range(2000)], within=1e-12)
    steps = {"name": "lambda", "fn": "step + 100 * epoch", "unit": "epoch", "per": "update"}
    assert ours(steps, steps=9, steps_per_epoch=4, base=1.0) == [0, 1, 2, 3, 104, 105, 106, 107, 208]


@pytest.mark.parametrize(
    ("ratios", "counts"),
    [
        ({"name": "linear_warmup", "warmup_ratio": 0.1}, {"name": "linear_warmup", "warmup_steps": "10%"}),
        ({"name": "cosine", "total_ratio": 0.5}, {"name": "cosine", "T_max": "50%"}),
        ({"name": "rex", "total_ratio": 1}, {"name": "rex", "total_steps": "100%"}),
        ({"name": "polynomial", "total_ratio": 0.07}, {"name": "polynomial", "decay_steps": "7%"}),
        ({"name": "multistep", "milestone_ratios": [0.5, 0.75]}, {"name": "multistep", "milestones": ["50%", "75%"]}),
        (
            {"name": "wsd", "warmup_ratio": 0, "stable_ratio": 0.333, "decay_ratio": 1e-3, "min_ratio": 0.5},
            {"name": "wsd", "warmup_steps": "0%", "stable_steps": "33.3%", "decay_steps": "0.1%", "min_ratio": 0.5},
        ),
    ],
    ids=str,
)
def test_other_libraries_ratios_are_shares(ratios: Any, counts: Any) -> None:
    assert schedules.parse(ratios) == schedules.parse(counts)


@pytest.mark.parametrize(
    ("raw", "path", "words"),
    [
        ({"name": "linear_warmup", "warmup_steps": "ten"}, "warmup_steps", 'such as "10%"'),
        ({"name": "linear_warmup", "warmup_steps": "-1%"}, "warmup_steps", 'such as "10%"'),
        ({"name": "linear_warmup", "warmup_steps": True}, "warmup_steps", 'such as "10%"'),
        ({"name": "cosine", "T_max": "0%"}, "T_max", "1 or more"),
        ({"name": "linear_warmup", "warmup_ratio": 10}, "warmup_ratio", "from 0 to 1"),
        ({"name": "linear_warmup", "warmup_ratio": "10%"}, "warmup_ratio", "from 0 to 1"),
        ({"name": "linear_warmup", "warmup_ratio": 0.1, "warmup_steps": 3}, "warmup_ratio", "as a share of the run"),
        ({"name": "linear_warmup", "warmup_steps": 3, "warmup_ratio": 0.1}, "warmup_ratio", "as a share of the run"),
        ({"name": "multistep", "milestone_ratios": [0.5, 0.25]}, "milestone_ratios", "rise strictly"),
        ({"name": "multistep", "milestones": [5, "50%"]}, "milestones", "not both"),
        ({"name": "linear_decay", "total_steps": "10%", "warmup_steps": "20%"}, "", "counts the warm-up"),
        ({"name": "cosine", "warmup_ratio": 0.1}, "warmup_ratio", "unknown field"),
    ],
    ids=str,
)
def test_what_is_no_length_is_refused(raw: Any, path: str, words: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        schedules.parse(raw)
    (problem,) = (caught.value.context or {})["problems"]
    assert (problem.path, words in problem.message) == (path, True), problem


def test_ratios_are_compared_in_a_grid() -> None:
    grid = {"schedule.warmup_ratio": [0, 0.05, 0.1]}
    spec = parse({"schedule": {"name": "linear_warmup", "warmup_steps": 5}, "grid": grid})
    canonical = spec.canonical()
    assert canonical["grid"] == {"schedule.warmup_steps": ["0%", "5%", "10%"]}
    assert [arm.treatment.schedule.warmup_steps for arm in spec.expanded] == ["0%", "5%", "10%"]
    assert parse(canonical).canonical() == canonical
    arms = parse({"schedule": {"name": "linear_warmup", "warmup_steps": 5}, "arms": [{"schedule.warmup_ratio": 0.5}]})
    assert arms.expanded[0].treatment.schedule.warmup_steps == "50%"


@pytest.mark.parametrize("warmup", [{"warmup_ratio": 0.1}, {"unit": "epoch", "per": "update", "warmup_steps": 1}])
def test_a_scan_s_batches_all_see_the_warm_up_and_its_peak(warmup: dict[str, Any]) -> None:
    """SlowFast#188: with batches of 512 a run has 15 updates."""
    scan = SCAN | {"schedule": {"name": "linear_warmup", **warmup}}
    spec = parse(scan)
    infos = check(spec, DatasetPaths())
    assert warnings_of(spec, infos) == []
    peaks = [
        max(ours(scan["schedule"], info.steps, info.steps_per_epoch, arm.treatment.optimizer.lr))
        for arm, info in zip(spec.expanded, infos, strict=True)
    ]
    assert peaks == pytest.approx([0.1, 1.6])


def test_a_decay_may_be_shorter_than_an_epoch() -> None:
    short = {"name": "cosine_warmup", "unit": "epoch", "per": "update", "warmup_steps": 1, "total_steps": "20%"}
    agree(curve(short), curve({**short, "unit": "step", "per": "unit", "warmup_steps": 5, "total_steps": 8}), 1e-12)
