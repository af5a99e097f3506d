"""What an update costs by a machine's profile: more of anything is never cheaper."""

import pytest

from core.models import models
from core.spec import size
from core.training import Layout, Profile
from core.training.planning.profile import Costs, CostsByLayout, Device, Way, Work, amounts, estimate, estimate_start

SIZE = size(models.parse({"name": "cnn", "channels": [4], "dense": [8]}), (1, 8, 8), 10)
LAYOUTS: list[Layout] = ["loop", "vmap"]
WEIGHED = [name for name in SIZE._fields if name not in ("layers", "norms", "dropped")]
"""The sizes that take time: what is dropped is drawn in next to none."""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("more", [*WEIGHED, "batch", "lanes"])
def test_more_work_takes_longer(more: str, device: Device, layout: Layout) -> None:
    (way, *_) = Profile.guess(2, device=device).ways
    before = estimate(way, Work(SIZE, 10), 2, layout)
    if more == "lanes":
        assert estimate(way, Work(SIZE, 10), 3, layout) > before
    elif more == "batch":
        assert estimate(way, Work(SIZE, 11), 2, layout) > before
    elif (device, layout, more) != ("cuda", "loop", "patches"):  # whose kernels keep patches to themselves
        larger = SIZE._replace(**{more: getattr(SIZE, more) + 1})
        assert estimate(way, Work(larger, 10), 2, layout) > before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_cost_weighs_its_own_amount(layout: Layout) -> None:
    """One lane after the other calls every layer for each of them."""
    counted = amounts(Work(SIZE, 10), 3, layout)
    assert counted == (
        1,
        3,
        SIZE.calls * (3 if layout == "loop" else 1),
        SIZE.dense_flops * 30,
        SIZE.conv_flops * 30,
        SIZE.patches * 30,
        SIZE.activations * 30,
        SIZE.parameters * 3,
    )
    nothing = dict.fromkeys(Costs.model_fields, 0.0)
    for name, amount in zip(Costs.model_fields, counted, strict=True):
        way = with_costs(**{layout: Costs(**nothing | {name: 2.0})})
        assert estimate(way, Work(SIZE, 10), 3, layout) == 2 * amount


def test_a_layout_and_a_precision_have_costs_of_their_own() -> None:
    slow = Costs(**dict.fromkeys(Costs.model_fields, 1.0))
    assert estimate(with_costs(loop=slow), Work(SIZE, 10), 2, "loop") > 1
    assert estimate(with_costs(loop=slow), Work(SIZE, 10), 2, "vmap") < 1
    way = with_costs()
    both = way.model_copy(update={"costs": way.costs | {"bf16": CostsByLayout(loop=slow, vmap=slow)}})
    assert estimate(both, Work(SIZE, 10, "bf16"), 2, "loop") > 1
    assert estimate(both, Work(SIZE, 10, "fp32"), 2, "loop") < 1
    assert estimate(both, Work(SIZE, 10, "tf32"), 2, "loop") < 1, "as float32, where it was not measured"


def with_costs(**costs: Costs) -> Way:
    """The guess with other costs of a layout."""
    (way,) = Profile.guess().ways
    return way.model_copy(update={"costs": {"fp32": way.costs["fp32"].model_copy(update=costs)}})


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
