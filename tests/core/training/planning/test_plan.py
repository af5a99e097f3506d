"""Plans: what they owe to every experiment, and how they follow what a machine was measured to do."""

import itertools
import math
from typing import Any

import pytest

from core.datasets import DatasetInfo, DatasetPaths
from core.spec import ArmInfo, Spec, check, parse, size
from core.training import Plan, Profile, make_plan
from core.training.compatibility import compatibility_key
from core.training.planning.arrangement import LANES, LOOPED
from core.training.planning.profile import Costs

ARMS = [
    {"label": "a", "initializer": "zeros"},
    {"label": "b", "batch_size": 32},
    {"label": "c", "schedule": "cosine", "optimizer.lr": 0.1, "initializer": "he_normal"},
    {"label": "d", "optimizer": "sgd"},
]
TINY = {"model": {"name": "mlp", "hidden": [6, 6]}, "dataset": "breast_cancer", "epochs": 200}
FREE_TO_CUT = {"model": {"name": "mlp", "hidden": [16, 16]}, "epochs": 200}
"""Tiny too, and of layers that are alike in any company."""
CONVOLUTIONS = {"model": {"name": "cnn", "channels": [8], "dense": [8]}}
SMALL = {"model": {"name": "mlp", "hidden": [8]}}
FREE = Costs(**dict.fromkeys(Costs.model_fields, 0.0))


def machine(cores: int = 2, memory: int = 2**33) -> Profile:
    return Profile.guess(cores, memory)


def with_costs(profile: Profile, **costs: Costs) -> Profile:
    """The profile with other costs of layouts, `loop` or `vmap`, in every way."""
    ways = [
        way.model_copy(update={"costs": {"fp32": way.costs["fp32"].model_copy(update=costs)}}) for way in profile.ways
    ]
    return profile.model_copy(update={"ways": ways})


def planned(profile: Profile | None = None, **given: Any) -> tuple[Spec, list[ArmInfo], Plan]:
    spec = parse({"arms": ARMS, "epochs": 1} | given)
    info = check(spec, DatasetPaths())
    return spec, info, make_plan(spec, info, profile or machine(cores=1))


def widths(found: Plan) -> list[int]:
    return [len(cohort.members) for cohort in found.cohorts]


def test_runs_of_one_program_train_together_seed_by_seed() -> None:
    spec, _, found = planned(seeds=[4, 2])
    cohorts = sorted(cohort.members for cohort in found.cohorts)
    assert cohorts == [[(0, 4), (2, 4), (0, 2), (2, 2)], [(1, 4), (1, 2)], [(3, 4), (3, 2)]]
    assert all(len({compatibility_key(spec.expanded[arm].treatment) for arm, _ in cohort}) == 1 for cohort in cohorts)


def test_an_optimizers_choices_part_runs_and_its_numbers_do_not() -> None:
    choices: list[dict[str, Any]] = [{}, {"lr": 0.5}, {"nesterov": True}]
    sgd: dict[str, Any] = {"name": "sgd", "momentum": 0.9}
    arms = [{"label": f"{i}", "optimizer": {**sgd, **more}} for i, more in enumerate(choices)]
    assert sorted(cohort.members for cohort in planned(arms=arms, seeds=1)[2].cohorts) == [[(0, 0), (1, 0)], [(2, 0)]]


@pytest.mark.parametrize("cores", [1, 2, 3, 16])
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 7, 8, 1000])
def test_every_run_comes_once_and_no_cohort_is_too_wide(lanes: int, cores: int) -> None:
    three = ARMS[:1] + ARMS[2:3] + [{"label": "e", "initializer": "ones"}]
    for given in ({}, SMALL, FREE_TO_CUT):
        _, _, found = planned(machine(cores), seeds=5, arms=three, lanes=lanes, **{**given, "epochs": 1})
        runs = itertools.chain(*(cohort.members for cohort in found.cohorts))
        assert sorted(runs) == [(arm, seed) for arm in range(3) for seed in range(5)]
        assert max(widths(found)) <= lanes
        by_seed = [(arm, seed) for seed in range(5) for arm in range(3)]
        for cohort in found.cohorts:
            first = by_seed.index(cohort.members[0])
            assert cohort.members == by_seed[first : first + len(cohort.members)]


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_the_runs_of_a_seed_stay_together_while_they_fit(cores: int) -> None:
    arms = [{"initializer": "zeros"}, {"initializer": "ones"}]
    _, _, found = planned(machine(cores), **FREE_TO_CUT, arms=arms, seeds=6)
    assert len(found.cohorts) == cores
    assert all([arm for arm, _ in cohort.members] == [0, 1] * (6 // cores) for cohort in found.cohorts)


def test_a_seed_is_shared_out_only_where_a_process_would_be_idle() -> None:
    arms = [{"label": f"{i}", "optimizer.lr": 0.1 * (i + 1)} for i in range(7)]
    linear = FREE.model_copy(update={"dense": 1e-9, "update": 0.02})
    profile = with_costs(machine(2), loop=linear, vmap=linear)
    assert widths(planned(profile, arms=arms, seeds=5)[2]) == [18, 17]
    assert widths(planned(profile, arms=arms, seeds=4)[2]) == [14, 14]
    assert widths(planned(profile, arms=arms[:3], seeds=13)[2]) == [21, 18]  # where it would hardly pay


@pytest.mark.parametrize("layout", ["loop", "vmap"])
def test_memory_bounds_what_trains_at_once(layout: str) -> None:
    """By hand, for a convolutional network with Adam: by vmap a lane has a batch's values in every layer, their
    gradients and the convolutions' patches; by loop its inputs and masks, and all have the values of one in turn.
    """
    model = {**CONVOLUTIONS["model"], "dropout": 0.25, "dense_dropout": 0.5}
    common: dict[str, Any] = {"arms": ARMS[:1], "epochs": 50, "model": model, "layout": layout}
    spec, info, _ = planned(seeds=16, **common)
    whole, batch = info[0].size, spec.batch_size
    weights = whole.parameters * (3 + 2)  # weights, gradients, a temporary, and Adam's two slots
    data, values = 1797 * (64 + 10), whole.activations * 2 * batch
    if layout == "vmap":
        lane, rest = 4 * (weights + values + 64 * 9 * batch), 4 * data
    else:
        lane, rest = 4 * (weights + (64 + 2 * (8 * 16 + 8)) * batch), 4 * (data + values)
    for cores in (1, 2):
        room_for_four = math.ceil(cores * (4 * lane + rest) / spec.memory_limit)
        _, _, found = planned(machine(cores, room_for_four), seeds=16, **common)
        assert {cohort.layout for cohort in found.cohorts} == {layout}
        assert max(widths(found)) == 4
        assert found.memory == cores * (4 * lane + rest)
        _, _, fewer = planned(machine(cores, room_for_four - cores), seeds=16, **common)
        assert max(widths(fewer)) == 3
    _, _, none = planned(machine(1, 0), seeds=5, **common)
    assert widths(none) == [1] * 5


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize(("free", "layout"), [(2**23, "vmap"), (2**22, "loop")])
def test_the_cohorts_of_one_moment_keep_to_the_limit_and_less_memory_makes_none_wider(
    cores: int, free: int, layout: str
) -> None:
    profile = machine(cores, free)
    widest = []
    for limit in (0.2, 0.3, 0.5, 0.7, 1.0):
        _, _, found = planned(profile, memory_limit=limit, seeds=60, arms=ARMS[:1], layout=layout, **SMALL)
        assert found.memory <= limit * free or max(widths(found)) == 1
        widest.append(max(widths(found)))
    assert widest == sorted(widest)
    assert widest[0] < widest[-1]


def test_the_same_spec_and_profile_give_the_same_plan() -> None:
    assert planned(machine(3))[2] == planned(machine(3))[2]


def test_tiny_networks_train_in_wide_cohorts_one_for_each_process() -> None:
    for cores in (1, 2, 4):
        _, _, found = planned(machine(cores), **FREE_TO_CUT, arms=ARMS[:1], seeds=100)
        assert widths(found) == [100 // cores] * cores
        assert found.processes == cores


def test_where_company_decides_the_bits_every_machine_cuts_alike() -> None:
    for arms in (1, 3):
        given: dict[str, Any] = {**TINY, "arms": [{"label": f"{i}", "optimizer.lr": 0.1 + i} for i in range(arms)]}
        some, *others = (
            [cohort[:3] for cohort in planned(profile, **given, seeds=100)[2].cohorts]
            for profile in (
                machine(1),
                machine(16),
                machine(3, 2**30),
                with_costs(machine(2), loop=FREE, vmap=FREE.model_copy(update={"lane": 1.0})),
            )
        )
        assert all(sorted(other) == sorted(some) for other in others)
        assert not any(cohort.independent for cohort in planned(machine(2), **given, seeds=100)[2].cohorts)


def test_nothing_is_cut_that_would_end_no_sooner() -> None:
    launching = FREE.model_copy(update={"update": 0.01})  # as long for one lane as for many
    _, _, found = planned(with_costs(machine(8), loop=launching, vmap=launching), arms=ARMS[:1], seeds=6)
    assert widths(found) == [6]
    assert found.processes == 1


def test_many_runs_are_not_trained_one_after_the_other_in_one_cohort() -> None:
    _, _, found = planned(machine(1), arms=ARMS[:1], seeds=1000, layout="loop", **SMALL)
    assert max(widths(found)) <= LOOPED


def test_the_study_of_a_gpu_is_one_cohort_by_loop() -> None:
    """30 lanes of a CNN 32-32-64 at batch 512 on 50,000 pictures, on an idle GPU of 79 GiB; a table's are by vmap."""
    arms = [{"label": f"{i}", "optimizer.lr": 0.001 * (i + 1)} for i in range(6)]
    cnn = {"name": "cnn", "channels": [32, 32, 64]}
    gpu = Profile.guess(16, 79 * 2**30, "cuda")
    study = parse({"model": cnn, "batch_size": 512, "device": "cuda", "arms": arms, "seeds": 5, "epochs": 30})
    pictures = DatasetInfo((3, 32, 32), 10, 50_000, 12_500)
    info = [ArmInfo(pictures, size(study.model, pictures.inputs, 10), 98, 30 * 98)] * 6
    found = make_plan(study, info, gpu)
    assert [(len(cohort.members), cohort.layout) for cohort in found.cohorts] == [(30, "loop")]
    table = parse({**TINY, "device": "cuda", "arms": arms, "seeds": 20})
    rows = DatasetInfo((11,), 2, 6400, 1600)
    info = [ArmInfo(rows, size(table.model, rows.inputs, 2), 320, 200 * 320)] * 6
    found = make_plan(table, info, gpu)
    assert [(len(cohort.members), cohort.layout) for cohort in found.cohorts] == [(120, "vmap")]


@pytest.mark.parametrize(("cores", "threads", "processes"), [(4, 1, 4), (4, 2, 2), (4, 3, 1), (4, 8, 1)])
def test_a_run_has_the_threads_that_were_asked_for(cores: int, threads: int, processes: int) -> None:
    _, _, found = planned(machine(cores), arms=ARMS[:1], seeds=8, threads=threads, epochs=1000)
    assert {cohort.threads for cohort in found.cohorts} == {threads}
    assert found.processes == processes


def test_several_machines_share_the_work_and_not_the_memory() -> None:
    two = machine(2).model_copy(update={"machines": 2})
    assert widths(planned(two, **FREE_TO_CUT, arms=ARMS[:1], seeds=100)[2]) == [25] * 4
    alone, both = (planned(profile, **FREE_TO_CUT, arms=ARMS[:1], seeds=100)[2] for profile in (machine(2), two))
    assert both.seconds < alone.seconds


def test_a_device_that_was_never_measured_is_guessed() -> None:
    _, _, found = planned(machine(2), device="cuda", arms=ARMS[:1])
    assert found.device == "cuda"
    gpu = Profile.guess(4, device="cuda")
    assert planned(gpu)[2].device == "cuda"
    assert planned(gpu, device="cpu")[2].device == "cpu"


def test_the_longest_cohorts_come_first_and_tell_when_all_is_done() -> None:
    _, _, found = planned(machine(2), arms=ARMS, seeds=3, epochs=100)
    seconds = [cohort.seconds for cohort in found.cohorts]
    assert seconds == sorted(seconds, reverse=True)
    assert max(seconds[0], sum(seconds) / 2) <= found.seconds <= sum(seconds)


def test_memory_is_that_of_the_largest_cohorts_that_can_meet() -> None:
    arms = [{"label": f"{width}", "model": {"name": "mlp", "hidden": [width]}} for width in (8, 512, 8192)]
    _, _, found = planned(machine(2), arms=arms, seeds=1, epochs=10)
    each = sorted(cohort.memory for cohort in found.cohorts)
    assert len(set(each)) == 3
    assert (found.processes, found.memory) in {(2, each[1] + each[2]), (1, each[2])}


def test_ten_thousand_runs_are_planned() -> None:
    spec = parse({"seeds": 1000, "grid": {"optimizer.lr": [0.1 * i for i in range(1, 11)]}})
    digits = DatasetInfo((1, 8, 8), 10, 1438, 359)
    info = [ArmInfo(digits, size(spec.model, digits.inputs, 10), 15, 150)] * 10
    found = make_plan(spec, info, machine(2, memory=2**40))
    assert sum(widths(found)) == 10_000
    assert max(widths(found)) <= LANES


def test_what_is_measured_beside_takes_time_and_memory() -> None:
    """A look at every layer costs an update and a copy of the weights, the gradient noise half a pass and gradients."""
    _, info, plain = planned(arms=ARMS[:1], seeds=1, epochs=100)
    _, _, looked = planned(arms=ARMS[:1], seeds=1, epochs=100, diagnostics={"every": 4})
    weights = 4 * info[0].size.parameters
    assert looked.memory - plain.memory == weights
    assert 1.15 < looked.seconds / plain.seconds < 1.25  # but for the start and the evaluations a fourth more


def test_seeds_between_two_looks_are_planned_as_an_experiment_of_their_own() -> None:
    """None is trained in the company of one that may not be trained at all; the whole counts as if all were."""
    spec, _, found = planned(seeds={"from": 3, "to": 8, "looks": [3, 5, 8]}, repeat={"rounding": True})
    for look, first, until in ((None, 0, 3), (3, 3, 5), (5, 5, 8)):
        _, _, alone = planned(seeds=[*range(first, until)], repeat={"rounding": True})
        mine = [cohort for cohort in found.cohorts if cohort.look == look]
        assert [cohort._replace(look=None) for cohort in mine] == alone.cohorts
    assert sum(len(cohort.members) for cohort in found.cohorts) == spec.trainings * len(ARMS) * 8
    parts = [planned(seeds=n, repeat={"rounding": True})[2].seconds for n in (3, 2, 3)]
    assert found.seconds == pytest.approx(sum(parts))
