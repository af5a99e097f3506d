"""What an update costs by a machine's profile: more of anything is never cheaper."""

import pytest

from core.models import models
from core.spec import size
from core.training import Profile
from core.training.planning.profile import Costs, Work, amounts, estimate, estimate_start

SIZE = size(models.parse({"name": "cnn", "channels": [4], "dense": [8]}), (1, 8, 8), 10)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("more", [*SIZE._fields[1:], "batch", "lanes"])
def test_more_work_takes_longer(more: str, device: str) -> None:
    (way, *_) = Profile.guess(2, device=device).ways  # type: ignore[arg-type]
    before = estimate(way, Work(SIZE, 10), 2)
    if more == "lanes":
        assert estimate(way, Work(SIZE, 10), 3) > before
    elif more == "batch":
        assert estimate(way, Work(SIZE, 11), 2) > before
    else:
        larger = SIZE._replace(**{more: getattr(SIZE, more) + 1})
        assert estimate(way, Work(larger, 10), 2) > before


def test_every_cost_weighs_its_own_amount() -> None:
    counted = amounts(Work(SIZE, 10), 3)
    assert counted == (
        1,
        SIZE.calls,
        SIZE.dense_flops * 30,
        SIZE.conv_flops * 30,
        SIZE.activations * 30,
        SIZE.parameters * 3,
    )
    nothing = dict.fromkeys(Costs.model_fields, 0.0)
    (way,) = Profile.guess().ways
    for name, amount in zip(Costs.model_fields, counted, strict=True):
        only = way.model_copy(update={"lanes": Costs(**nothing | {name: 2.0})})
        assert estimate(only, Work(SIZE, 10), 3) == 2 * amount


def test_a_lane_alone_has_costs_of_its_own() -> None:
    (way,) = Profile.guess().ways
    other = way.model_copy(update={"one": way.one.model_copy(update={"update": 1.0})})
    assert estimate(other, Work(SIZE, 10), 1) > 1 > estimate(other, Work(SIZE, 10), 2)


def test_a_cohort_starts_later_the_more_it_starts_from() -> None:
    (way,) = Profile.guess().ways
    assert way.start < estimate_start(way, Work(SIZE, 10), 1) < estimate_start(way, Work(SIZE, 10), 2)


def test_a_guess_uses_all_cores_in_either_way_and_one_process_a_gpu() -> None:
    ways = [(way.device, way.processes, way.threads) for way in Profile.guess(4).ways]
    assert ways == [("cpu", 4, 1), ("cpu", 1, 4)]
    assert [(way.processes, way.threads) for way in Profile.guess(1).ways] == [(1, 1)]
    gpu = Profile.guess(4, device="cuda")
    assert (gpu.processes, [way.device for way in gpu.ways]) == (1, ["cuda"])
    two = Profile.guess(4, device="cuda", gpus=2)
    assert (two.processes, [way.processes for way in two.ways]) == (2, [2])


def test_a_process_has_a_gpu_to_itself_and_a_part_of_the_machines_memory() -> None:
    gpus, cores = Profile.guess(memory=80, device="cuda", gpus=8), Profile.guess(8, memory=80)
    assert [gpus.memory_of(way) for way in gpus.ways] == [80]
    assert [cores.memory_of(way) for way in cores.ways] == [10, 80]
