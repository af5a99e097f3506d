"""The same spec gives the same bits, run after run; company changes nothing that is drawn, and nothing that is measured
but by rounding."""

from typing import Any

import pytest
import torch

from core.training import Lane, MemoryRecorder
from core.training.lanes.batches import BatchSource
from core.training.lanes.clock import Moment
from core.training.lanes.dropout import Masks
from core.training.lanes.grid import Grid
from core.training.lanes.initial import initial_stacks
from core.training.lanes.network import network
from tests.core.training.trials import PICTURES, assert_near, assert_same, made, trained

PLATEAU = {"name": "reduce_on_plateau", "mode": "max", "factor": 0.5, "patience": 0, "eps": 0.0}
MLP = {"name": "mlp", "hidden": [12, 8], "activation": "tanh", "dropout": 0.3}
CNN = {"name": "cnn", "channels": [4], "dense": [8], "activation": "elu", "dropout": 0.2, "dense_dropout": 0.3}
CASES: dict[str, dict[str, Any]] = {
    "mlp": {"model": MLP, "schedule": PLATEAU},
    "cnn": {"model": CNN, "schedule": PLATEAU, "augment": {"crop": 1, "flip": True}},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_twice_is_bit_identical_whatever_the_clock_says(make_lanes: Any, case: str, dtype: torch.dtype) -> None:
    """Blocks of one update and one block for all; a checkpoint before every update and none."""
    data, info = made(PICTURES, train=54, valid=20)
    arms = [{"initializer": "he_normal"}, {"initializer": "torch_default", "schedule": "cosine"}]
    lanes = make_lanes(*arms, seeds=(0, 3), batch_size=16, epochs=3, **CASES[case])
    first = trained(lanes, data, info, dtype=dtype)
    assert len({values.tobytes() for (_, metric), values in first.series.items() if metric == "train_loss"}) == 4
    kept: list[int] = []
    for options in (
        {},
        {"block_seconds": 0},
        {"block_seconds": 3600},
        {"keep": lambda checkpoint: kept.append(checkpoint.step), "keep_seconds": 0},
    ):
        assert_same(trained(lanes, data, info, dtype=dtype, **options), first)
    assert kept == list(range(12))


ARMS: list[dict[str, Any]] = [
    {"initializer": "he_normal"},
    {"initializer": "torch_default", "optimizer.lr": 0.02},
    {"initializer": "glorot_uniform", "schedule": "cosine"},
]
# Stable on purpose: smooth activations and small rates. Where training is chaotic it multiplies the last bit by ten
# every few updates, and no trainer that sums in another order could stay near.
STEADY = {"optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.5}, "batch_size": 16}
COMPANIES: dict[str, list[int]] = {
    "alone": [4],
    "one seed": [3, 4, 5],
    "one arm": [1, 4, 7],
    "even": [1, 2, 4, 5],
    "uneven": [8, 4, 0, 5, 1],
    "backwards": [8, 7, 6, 5, 4, 3, 2, 1, 0],
}
"""Places among three seeds x three arms, seed by seed; each with run 4."""


def nine(make_lanes: Any, **given: Any) -> list[Lane]:
    lanes = make_lanes(*ARMS, seeds=(0, 3, 5), **{**STEADY, **given})
    return sorted(lanes, key=lambda lane: (lane.seed, lane.run))


WIDE = {"name": "mlp", "hidden": [160], "dropout": 0.2}
"""With a first layer that is large enough for a product of its own kind."""
NORMED = {"name": "mlp", "hidden": [16, 16], "norm": "batch_norm"}
CONVOLUTIONS = {"name": "cnn", "channels": [16, 16], "dense": []}
NARROW = {"name": "mlp", "hidden": [16, 32], "activation": "leaky_relu", "dropout": 0.3}
BIT_BY_BIT = [("loop", CONVOLUTIONS), ("loop", NORMED), ("loop", WIDE), ("vmap", WIDE), ("vmap", NARROW)]
"""By vmap those that `arrange` calls independent: torch's kernels round by place where lanes are no whole vectors."""


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize(("layout", "model"), BIT_BY_BIT, ids=[f"{way}-{i}" for i, (way, _) in enumerate(BIT_BY_BIT)])
def test_company_changes_no_bit(make_lanes: Any, layout: str, model: dict[str, Any], company: str) -> None:
    """In one layout: a lone lane too has the bits that it has among others. Inputs are so many that arms share them."""
    data, info = made((3, 16, 16), train=84, valid=20)
    lanes = nine(make_lanes, model=model, epochs=2, batch_size=32)
    whole = trained(lanes, data, info, layout=layout)
    some = trained([lanes[place] for place in COMPANIES[company]], data, info, layout=layout)
    for key, values in some.series.items():
        assert values.tobytes() == whole.series[key].tobytes(), key


WHOLE = [
    {"name": "muon", "lr": 0.3, "adamw_lr_scale": 1e-9},  # adamw rounds by whether the lanes agree on its numbers
    {"name": "lamb", "lr": 0.3},
    {"name": "lars", "lr": 0.3},
]


@pytest.mark.parametrize("optimizer", WHOLE, ids=lambda optimizer: optimizer["name"])
def test_company_changes_no_bit_of_rules_of_whole_parameters(make_lanes: Any, optimizer: dict[str, Any]) -> None:
    """With an ascent before each gradient, whose length is that of all parameters together."""
    data, info = made((3, 16, 16), train=84, valid=20)
    model = {"name": "mlp", "hidden": [64, 64, 16]}
    lanes = nine(make_lanes, model=model, epochs=2, batch_size=32, optimizer=optimizer, sam={"rho": 0.1})
    whole = trained(lanes, data, info, layout="loop")
    for company in ("alone", "uneven"):
        some = trained([lanes[place] for place in COMPANIES[company]], data, info, layout="loop")
        for key, values in some.series.items():
            assert values.tobytes() == whole.series[key].tobytes(), key


@pytest.mark.parametrize("model", [MLP, CNN], ids=lambda model: model["name"])
@pytest.mark.parametrize(
    ("dtype", "updates", "rtol"),
    [(torch.float64, 200, 1e-12), (torch.float32, 100, 1e-4)],
    ids=["float64", "float32"],
)
def test_company_does_not_matter(
    make_lanes: Any, model: dict[str, Any], dtype: torch.dtype, updates: int, rtol: float
) -> None:
    data, info = made(PICTURES, train=78, valid=20)
    lanes = nine(make_lanes, model=model, epochs=updates // 5)
    together = trained(lanes, data, info, dtype=dtype)
    assert all(len(together.series[lane.run, "train_loss"]) == updates for lane in lanes)
    for places in COMPANIES.values():
        company = [lanes[place] for place in places]
        apart = trained(company, data, info, dtype=dtype)
        assert_near(apart, together, rtol, runs=[lane.run for lane in company])


@pytest.mark.parametrize("company", COMPANIES)
def test_what_is_drawn_is_the_same_in_any_company(make_lanes: Any, company: str) -> None:
    data, info = made(PICTURES, train=30, valid=20)
    augment = {"crop": 2, "flip": True}
    lanes = nine(make_lanes, model=CNN | {"dropout": 0.5}, epochs=1, augment=augment, initializer="he_normal")

    def drawn(company: list[Lane], run: int) -> list[torch.Tensor]:
        """All that a lane is given at random: initial values, two epochs' batches, masks."""
        grid = Grid(company, "cpu", 1000)
        (at,) = [i for i, lane in enumerate(grid.lanes) if lane.run == run]
        treatment = company[0].treatment
        state = initial_stacks(grid.lanes, info, lambda _seed: data.x_train, lambda _seed: data.y_train, torch.float32)
        values = {name.partition("/")[2]: stack[0] for name, stack in state.items()}
        masks = Masks(network(treatment, info, values).dropout, grid.seeds, torch.float32)
        feed = BatchSource(data.x_train, data.y_train, grid.seeds, 16, torch.float32, treatment.augment)
        found = [stack[at] for stack in state.values()]
        for step in range(4):
            feed.start(step // 2)
            x, y = feed.batch(Moment(step, step % 2, 0), 16)
            found.append(grid.per_lane(y)[at])
            group = at // grid.arms
            found += [grid.per_group(shared)[group] for shared in (x, *masks.draw(step, y.shape[1]).values())]
        return found

    run = lanes[4].run
    alone = drawn([lanes[4]], run)
    here = drawn([lanes[place] for place in COMPANIES[company]], run)
    assert len(alone) == len(here) > 4 * 4
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(alone, here, strict=True))


def test_runs_of_a_seed_share_what_they_should_and_no_more(make_lanes: Any) -> None:
    """Two arms that differ in nothing train alike, bit for bit; another seed has other data, masks and weights."""
    data, info = made(PICTURES, train=54, valid=20)
    lanes = make_lanes({}, {}, seeds=(0, 3), model=MLP, **STEADY)
    recorder: MemoryRecorder = trained(lanes, data, info)
    (a, other, b, _) = (recorder.series[lane.run, "train_loss"] for lane in lanes)
    assert a.tobytes() == b.tobytes()
    assert not (a == other).any()
