"""The gradient noise: against per-example gradients, the plain loop, and training without it."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from core.datasets import DatasetInfo, Splits
from core.metrics.gradient_noise import NOISE_METRICS
from core.training import Checkpoint, Lane, MemoryRecorder, Resume, TrainOptions, initial_state, train_lanes, train_run
from core.training.noise import Noise, estimates
from tests.core.training.trials import PICTURES, assert_near, assert_same, made, trained

MLP = {"name": "mlp", "hidden": [6, 5], "activation": "tanh"}
CNN = {"name": "cnn", "channels": [3], "dense": [6], "batch_norm": False}
STILL = {"optimizer": {"name": "sgd", "lr": 1e-12}}
"""The weights stay where they start, so that every batch is a draw from the same gradients."""


def gradients(lane: Lane, data: Splits, info: DatasetInfo) -> torch.Tensor:
    """Every training example's gradient at the start, (examples, parameters), by brute force."""
    weights = initial_state(lane.treatment, info, lane.seed, torch.float64)
    with torch.device("meta"):
        module = lane.treatment.model.build()(info.inputs, info.outputs)
    leaves = {name: value.requires_grad_() for name, value in weights.items()}
    found = []
    for x, y in zip(data.x_train.double(), data.y_train, strict=True):
        outputs = functional_call(module, leaves, (x.unsqueeze(0),))
        parts = torch.autograd.grad(cross_entropy(outputs, y.unsqueeze(0)), [*leaves.values()])
        found.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(found)


@pytest.mark.parametrize(("batch", "train"), [(4, 24), (5, 24), (24, 24)], ids=["even", "odd", "all"])
def test_the_means_are_those_of_the_per_example_gradients(make_lanes: Any, batch: int, train: int) -> None:
    """Over so many orders the estimates' means come to the gradient's square and the examples' variance."""
    data, info = made(PICTURES, train=train, valid=6)
    lanes = make_lanes({}, seeds=(0, 1), model=MLP, batch_size=batch, epochs=40, **STILL)
    recorder = trained(lanes, data, info, dtype=torch.float64, noise_every=1)
    for lane in lanes:
        each = gradients(lane, data, info)
        mean = each.mean(0)
        exact = [mean.dot(mean).item(), (each - mean).square().sum(1).mean().item()]
        for metric, expected in zip(NOISE_METRICS, exact, strict=True):
            values = recorder.series[lane.run, metric]
            error = values.std(ddof=1) / math.sqrt(len(values))
            assert values.mean() == pytest.approx(expected, abs=4 * error + 1e-9 * expected), (metric, lane.seed)
            assert error < 0.1 * expected


def test_without_the_terms_of_a_finite_split_they_are_the_paper_s() -> None:
    """Appendix A.1, equations A.2 and A.3, with B_small = b / 2, B_big = b and |G_small|² the mean over both halves."""
    random = np.random.default_rng(0)
    h, other = random.standard_normal((2, 50))
    g, b = (h + other) / 2, 16
    small, big = (h @ h + other @ other) / 2, g @ g
    length = (b * big - b / 2 * small) / (b - b / 2)
    spread = (small - big) / (1 / (b / 2) - 1 / b)
    found = estimates(torch.tensor((h - g) @ (h - g)), torch.tensor(big), b // 2, b, 10**15)
    assert [one.item() for one in found] == pytest.approx([length, spread], rel=1e-9)


def test_noise_of_a_known_size_is_found() -> None:
    """Gradients are drawn around G with a variance of 1 in each of 400 numbers: a scale of 400 / |G|² = 25."""
    random = torch.Generator().manual_seed(0)
    signal, b = torch.full((400,), 0.2, dtype=torch.float64), 8
    noise = Noise(2, 10**9, 1, "cpu", {})
    for _ in range(200):
        each = signal + torch.randn(2, b, 400, generator=random, dtype=torch.float64)
        noise.add([each.mean(1)], [each[:, : b // 2].mean(1)], b // 2, b)
    length, spread = noise.take()
    torch.testing.assert_close(spread, torch.full((2,), 400.0, dtype=torch.float64), rtol=0.02, atol=0)
    torch.testing.assert_close(spread / length, torch.full((2,), 25.0, dtype=torch.float64), rtol=0.1, atol=0)


def test_a_gradient_that_is_not_finite_is_left_out_of_its_lane() -> None:
    random = torch.Generator().manual_seed(0)
    together, first, second = (Noise(lanes, 100, 1, "cpu", {}) for lanes in (2, 1, 1))
    for update in range(4):
        whole, half = torch.randn(2, 2, 5, generator=random)
        second.add([whole[1:]], [half[1:]], 4, 8)
        if update == 1:
            whole[0, 3] = torch.inf
        elif update == 2:
            half[0, 3] = torch.nan
        else:
            first.add([whole[:1]], [half[:1]], 4, 8)
        together.add([whole], [half], 4, 8)
    torch.testing.assert_close(together.take(), torch.cat([first.take(), second.take()], 1), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("model", "seeds"), [(MLP | {"dropout": 0.3}, (0, 3)), (CNN, (0, 3)), (CNN, (0,))], ids=str)
def test_it_agrees_with_the_plain_loop(make_lanes: Any, model: Any, seeds: tuple[int, ...]) -> None:
    data, info = made(PICTURES, train=22, valid=10)  # batches of 7, 7, 7 and 1
    law = {"name": "mup", "base_width": 4} if model["name"] == "mlp" else "he_normal"
    arms = [{"initializer": law}, {"optimizer.lr": 0.02}][: len(seeds)]
    parts = {"micro_batch_size": 2} if model["name"] == "mlp" else {}
    lanes = make_lanes(*arms, seeds=seeds, model=model, batch_size=7, epochs=3, augment={"flip": True}, **parts)
    fast, slow = trained(lanes, data, info, dtype=torch.float64, noise_every=2), MemoryRecorder()
    for lane in lanes:
        train_run(lane, data, info, slow, dtype=torch.float64, noise_every=2)
    assert {len(fast.series[lane.run, metric]) for lane in lanes for metric in NOISE_METRICS} == {3}
    assert_near(fast, slow, rtol=1e-9)


@pytest.mark.parametrize("seeds", [(0,), (0, 3)], ids=str)
def test_training_is_what_it_is_without(
    make_lanes: Any, splits: Splits, info: DatasetInfo, seeds: tuple[int, ...]
) -> None:
    lanes = make_lanes({}, {"schedule": "cosine"}, seeds=seeds, epochs=2)
    without, measured = trained(lanes, splits, info), trained(lanes, splits, info, noise_every=3)
    for key in [key for key in measured.series if key[1] in NOISE_METRICS]:
        del measured.blocks[key]
    assert_same(measured, without)


def test_it_goes_on_from_a_checkpoint_inside_an_epoch(make_lanes: Any) -> None:
    data, info = made(PICTURES, train=22, valid=10)
    lanes, kept = make_lanes({}, {"optimizer.lr": 0.01}, model=MLP, batch_size=4, epochs=2), []

    def keep(checkpoint: Checkpoint) -> None:
        kept.append((checkpoint, copy.deepcopy(whole)))

    whole = MemoryRecorder()
    train_lanes(lanes, data, info, whole, TrainOptions(noise_every=2, keep_seconds=0), keep=keep)
    assert len(kept) == 12
    for checkpoint, recorder in kept:
        train_lanes(lanes, data, info, recorder, TrainOptions(noise_every=2), Resume(start=checkpoint))
        assert_same(recorder, whole)


def test_a_lane_that_leaves_takes_its_sums_along(make_lanes: Any) -> None:
    data, info = made(PICTURES, train=22, valid=10)
    base = {"model": {"name": "mlp", "hidden": [6], "activation": "linear"}, "optimizer": {"name": "sgd", "lr": 0.01}}
    lanes = make_lanes({"initializer": "ones", "optimizer.lr": 1e12}, {}, {"schedule": "rex"}, batch_size=4, **base)
    together = trained(lanes, data, info, noise_every=2)
    assert together.outcomes[0] == "diverged"
    assert (0, "gradient_squared") not in together.series
    alone = trained(lanes[1:], data, info, noise_every=2)
    assert_near(together, alone, rtol=1e-4, runs=[100, 200])


def test_an_epoch_without_a_batch_of_two_has_none(make_lanes: Any) -> None:
    data, info = made(PICTURES, train=6, valid=4)
    lanes = make_lanes({}, model=MLP, batch_size=1, epochs=1)
    assert np.isnan(trained(lanes, data, info, noise_every=1).series[0, "gradient_variance"]).all()
