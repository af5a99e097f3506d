import itertools
from typing import Any

import pytest

from core.datasets import Sources
from core.spec import ArmFacts, Spec, check, parse
from core.training import plan, plan_cohorts
from core.training.plan import program

ARMS = [
    {"label": "a", "initializer": "zeros"},
    {"label": "b", "batch_size": 32},
    {"label": "c", "schedule": "cosine", "optimizer.lr": 0.1, "initializer": "he_normal"},
    {"label": "d", "optimizer": "sgd"},
]


def planned(**given: Any) -> tuple[Spec, list[ArmFacts], list[list[tuple[int, int]]]]:
    spec = parse({"arms": ARMS, "epochs": 1} | given)
    facts = check(spec, Sources())
    return spec, facts, plan_cohorts(spec, facts)


def test_runs_of_one_program_train_together_seed_by_seed() -> None:
    spec, _, cohorts = planned(seeds=[4, 2])
    assert cohorts == [[(0, 4), (2, 4), (0, 2), (2, 2)], [(1, 4), (1, 2)], [(3, 4), (3, 2)]]
    assert all(len({program(spec.expanded[arm].treatment) for arm, _ in cohort}) == 1 for cohort in cohorts)


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 7, 8, 1000])
def test_every_run_comes_once_and_no_cohort_is_too_wide(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "LANES", lanes)
    _, _, cohorts = planned(seeds=5, arms=ARMS[:1] + ARMS[2:3] + [{"label": "e", "initializer": "ones"}])
    assert sorted(itertools.chain(*cohorts)) == [(arm, seed) for arm in range(3) for seed in range(5)]
    assert max(map(len, cohorts)) <= lanes
    if lanes >= 3:  # the three arms of a seed fit
        assert all(len(cohort) % 3 == 0 for cohort in cohorts)


def test_memory_bounds_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, facts, _ = planned()
    # weights, gradients, a temporary, and Adam's two slots; a batch's values in every layer, and their gradients
    numbers = facts[0].parameters * (3 + 2) + facts[0].activations * spec.batch_size * 2
    room_for_four = numbers * 4 * 4
    monkeypatch.setattr(plan, "MEMORY_BYTES", room_for_four)
    assert [len(cohort) for cohort in planned(arms=ARMS[:1], seeds=5)[2]] == [2, 3]
    monkeypatch.setattr(plan, "MEMORY_BYTES", 1)
    assert [len(cohort) for cohort in planned(arms=ARMS[:1], seeds=5)[2]] == [1] * 5
