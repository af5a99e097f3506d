"""An optimizer's way down a valley is that of torch's own, or its authors', by autograd's gradients."""

import math

import numpy as np
import pytest
import torch

from core.optimizers import Optimizer, optimizers
from core.streams import generator
from core.training import Valley, descend

TURNED = Valley((2.0, 40.0), 25.0, (1.0, -0.5))
START = (0.2, 0.3)


def by_torch(name: str, steps: int, noise: torch.Tensor) -> np.ndarray:
    rule: Optimizer = optimizers.parse(name).build()
    w = torch.nn.Parameter(torch.tensor([START], dtype=torch.float64))
    optimizer = rule.reference([w])
    way = [w.detach().clone()]
    for t in range(steps):
        turn = math.radians(TURNED.angle)
        dx, dy = w[0, 0] - TURNED.minimum[0], w[0, 1] - TURNED.minimum[1]
        u, v = math.cos(turn) * dx + math.sin(turn) * dy, math.cos(turn) * dy - math.sin(turn) * dx
        w.grad = None
        ((2.0 * u**2 + 40.0 * v**2) / 2).backward()
        assert w.grad is not None
        w.grad += noise[t]
        optimizer.step()
        way.append(w.detach().clone())
    return torch.cat(way).numpy()


@pytest.mark.parametrize("name", list(optimizers))
def test_every_way_is_the_optimizers_own(name: str) -> None:
    none = torch.zeros(40, 2, dtype=torch.float64)
    found = descend(optimizers.parse(name), TURNED, START, 40)
    np.testing.assert_allclose(found.weights, by_torch(name, 40, none), rtol=1e-9, atol=1e-12)


def test_noise_is_added_to_the_gradients_and_is_the_same_for_all() -> None:
    drawn = 0.5 * torch.randn(30, 2, generator=generator(3, "descent"), dtype=torch.float64)
    for name in ("sgd", "adam"):
        found = descend(optimizers.parse(name), TURNED, START, 30, noise=0.5, seed=3)
        np.testing.assert_allclose(found.weights, by_torch(name, 30, drawn), rtol=1e-9, atol=1e-12)


def test_the_loss_is_that_of_the_valley() -> None:
    straight = Valley((5.0, 150.0), 0.0, (1.0, 1.0))
    found = descend(optimizers.parse("sgd"), straight, (0.85, 1.05), 10)
    assert found.loss[0] == pytest.approx((5 * 0.15**2 + 150 * 0.05**2) / 2)
    # gradient descent multiplies each distance by 1 - lr * curvature: theory, at a rate of 0.01
    t = np.arange(11)
    np.testing.assert_allclose(found.weights[:, 0], 1 - 0.15 * 0.95**t, rtol=1e-12)
    np.testing.assert_allclose(found.weights[:, 1], 1 + 0.05 * (-0.5) ** t, rtol=1e-12)


def test_turning_a_valley_turns_the_way_of_rules_that_know_no_axes() -> None:
    turn = math.radians(30.0)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    straight, turned = Valley((1.0, 30.0), 0.0, (0.0, 0.0)), Valley((1.0, 30.0), 30.0, (0.0, 0.0))
    start = np.array([-1.0, 0.5])
    for name, equal in (("sgd", True), ("adam", False)):
        ways = [
            descend(optimizers.parse(name), valley, first.tolist(), 50).weights
            for valley, first in ((straight, start), (turned, matrix @ start))
        ]
        assert np.allclose(ways[0] @ matrix.T, ways[1], rtol=1e-9, atol=1e-12) == equal


def test_schedule_free_has_other_weights_to_evaluate() -> None:
    found = descend(optimizers.parse("schedule_free_adamw"), TURNED, START, 60)
    assert found.evaluated is not None
    np.testing.assert_array_equal(found.evaluated[0], START)
    assert np.abs(found.evaluated[1:] - found.weights[1:]).max() > 1e-3
    assert descend(optimizers.parse("adam"), TURNED, START, 1).evaluated is None


def test_what_overflows_is_told() -> None:
    found = descend(optimizers.parse({"name": "sgd", "lr": 10.0}), TURNED, START, 400)
    assert np.isfinite(found.loss[0])
    assert not np.isfinite(found.loss[-1])
