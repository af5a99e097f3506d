"""Settings of a training in its plan: the time and memory that they add."""

from typing import Any

import pytest

from core.training.options import Layout
from core.training.planning.plan import _bytes
from tests.core.training.planning.test_plan import planned


def test_what_is_judged_beside_takes_time_and_averages_take_memory() -> None:
    arms = [{"label": "a"}]
    sample, whole, averaged = (
        planned(arms=arms, **given)[2] for given in ({}, {"evaluate": {"train": "all"}}, {"ema_decay": 0.9})
    )
    assert whole.seconds > sample.seconds
    assert averaged.seconds > sample.seconds
    assert averaged.memory > sample.memory == whole.memory


@pytest.mark.parametrize("layout", ["vmap", "loop"])
def test_parts_of_a_batch_take_less_memory_and_more_calls(layout: Layout) -> None:
    def of(**given: Any) -> tuple[int, float]:
        spec, (info,), plan = planned(arms=[{"label": "a"}], seeds=1, model="transformer", batch_size=1000, **given)
        (cohort,) = plan.cohorts
        return sum(_bytes(spec.expanded[0].treatment, info, spec, layout)), cohort.seconds

    whole, parts = of(), of(micro_batch_size=100)
    assert parts[0] < 0.3 * whole[0], "the values of all layers for a tenth of the examples"
    assert parts[1] > whole[1]
    looks = {"diagnostics": {"every": 9}}
    assert of(micro_batch_size=100, **looks)[0] >= of(**looks)[0], "a look is at the whole batch"


def test_mixtures_take_memory() -> None:
    plain, mixed = (planned(arms=[{"label": "a"}], layout="vmap", mixup=alpha)[2] for alpha in (0.0, 0.2))
    assert mixed.memory > plain.memory


def test_a_dropped_batch_takes_no_time() -> None:
    whole, dropped = (
        planned(arms=[{"label": "a"}], batch_size=1000, drop_last=drop)[2] for drop in (False, True)
    )  # of 1,438
    even = planned(arms=[{"label": "a"}], batch_size=1438, epochs=10)[2]
    assert dropped.seconds < whole.seconds
    assert dropped.seconds < even.seconds


def test_an_ascent_takes_a_pass_and_a_copy_of_the_weights() -> None:
    arms = [{"label": "a"}]
    plain, sharp = (planned(arms=arms, seeds=1, epochs=100, sam=sam)[2] for sam in (None, {"rho": 0.1}))
    assert 1.5 < sharp.seconds / plain.seconds <= 2
    _, (info,), _ = planned(arms=arms)
    assert sharp.memory - plain.memory == 4 * info.size.parameters


def test_updates_that_may_be_skipped_take_a_copy_of_the_weights_and_of_the_optimizers_state() -> None:
    arms = [{"label": "a"}]
    plain, half = (planned(arms=arms, seeds=1, layout="loop", precision=name)[2] for name in ("bf16", "fp16"))
    _, (info,), _ = planned(arms=arms)
    assert half.memory - plain.memory == 4 * info.size.parameters * (1 + 2), "Adam has two slots"
