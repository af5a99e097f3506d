"""A small part of the real digits, and lanes to train on it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from core.datasets import DatasetInfo, DatasetPaths, Splits, datasets
from core.spec import parse
from core.training import Lane

FACTS = DatasetInfo((1, 8, 8), 10, 1000, 150)
"""With batches of 32: 31 whole ones and one of 8."""

SMALL = {
    "model": {"name": "mlp", "hidden": [16, 12], "dropout": 0.3},
    "batch_size": 32,
    "epochs": 2,
}

MakeLanes = Callable[..., list[Lane]]


@pytest.fixture(scope="session")
def splits() -> Splits:
    whole = datasets.parse("digits").build().load(DatasetPaths())
    return Splits(
        whole.x_train[: FACTS.train],
        whole.y_train[: FACTS.train],
        whole.x_valid[: FACTS.valid],
        whole.y_valid[: FACTS.valid],
    )


@pytest.fixture(scope="session")
def info() -> DatasetInfo:
    return FACTS


@pytest.fixture
def make_lanes() -> MakeLanes:
    """`make_lanes(*arms, seeds=..., **base)`: one lane for every arm and seed, run = 100 * arm + seed."""

    def make(*arms: dict[str, Any], seeds: tuple[int, ...] = (0,), **base: Any) -> list[Lane]:
        labelled = [{"label": f"arm {i}"} | arm for i, arm in enumerate(arms)]
        expanded = parse(SMALL | base | {"arms": labelled}).expanded
        return [Lane(100 * i + seed, arm.treatment, seed) for i, arm in enumerate(expanded) for seed in seeds]

    return make


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Two threads that wait for one another on a busy machine take 20 times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _global_generator_is_left_alone() -> Iterator[None]:
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state())
