"""The lion of optax, and its sharpness-aware minimization, update by update."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from core.spec import Sam, Treatment
from core.training.lanes.ascent import Ascent
from core.training.plain_settings import sharpen
from tests.core.optimizers.stacks import arms, problem, stacked


def test_lion_is_optaxs_too() -> None:
    start, gradients = problem("lion", 4, dtype=torch.float32)
    got = stacked(arms("lion"), start, gradients)
    for i, lane in enumerate(arms("lion")):
        n = lane.hyper
        peer = optax.lion(n["lr"], b1=n["beta1"], b2=n["beta2"], weight_decay=n["weight_decay"])
        w = start[i].numpy()
        state = peer.init(w)
        for g in gradients:
            step, state = peer.update(g[i].numpy(), state, w)
            w = optax.apply_updates(w, step)
        np.testing.assert_allclose(got[i].numpy(), np.asarray(w), rtol=5e-5, atol=5e-5)


def logistic(params: Any, x: Any, y: Any) -> Any:
    """The loss of a network of one hidden layer, by JAX."""
    hidden = jnp.tanh(x @ params["0.weight"].T + params["0.bias"])
    return optax.sigmoid_binary_cross_entropy((hidden @ params["2.weight"].T + params["2.bias"])[:, 0], y).mean()


@pytest.mark.parametrize("rho", [0.05, 0.5])
def test_the_plain_loop_climbs_as_optax_does(rho: float) -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    x, y = torch.randn(12, 16, 4), torch.randint(2, (12, 16)).float()
    params: Any = {name: jnp.asarray(value.detach().numpy()) for name, value in net.named_parameters()}
    outer, ascent = optax.sgd(0.3, momentum=0.9), optax.chain(optax.contrib.normalize(), optax.sgd(rho))
    peer = optax.contrib.sam(outer, ascent, opaque_mode=True)
    state = peer.init(params)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    differentiated: Any = jax.jit(jax.grad(logistic))
    for inputs, labels in zip(x, y, strict=True):

        def loss(inputs: torch.Tensor = inputs, labels: torch.Tensor = labels) -> torch.Tensor:
            return torch.nn.functional.binary_cross_entropy_with_logits(net(inputs)[:, 0], labels)

        net.zero_grad()
        torch.autograd.backward(loss())
        sharpen(Treatment(sam=Sam(rho=rho)), net, loss)
        optimizer.step()
        batch = inputs.numpy(), labels.numpy()
        gradient: Any = lambda at, _i=0, batch=batch: differentiated(at, *batch)  # noqa: E731
        updates, state = peer.update(gradient(params), state, params, grad_fn=gradient)
        params = optax.apply_updates(params, updates)
    for name, value in net.named_parameters():
        np.testing.assert_allclose(value.detach().numpy(), np.asarray(params[name]), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("adaptive", [False, True])
def test_lanes_climb_as_far_as_their_rho(adaptive: bool) -> None:
    """|e| = rho, and adaptively |e / w| = rho, of all parameters of a lane together; then they are where they were."""
    random = torch.Generator().manual_seed(0)
    weights, gradients = (
        [torch.randn(3, *s, generator=random, dtype=torch.float64) for s in [(4, 2), (5,)]] for _ in "ab"
    )
    before = [stack.clone() for stack in weights]
    ascent = Ascent([Sam(rho=rho, adaptive=adaptive) for rho in (0.05, 0.5, 2.0)], "cpu")
    with ascent(weights, gradients):
        steps = [w - b for w, b in zip(weights, before, strict=True)]
        for step, b, g in zip(steps, before, gradients, strict=True):
            assert (step * g >= 0).all(), "along the gradient, weight by weight"
            if adaptive:
                step /= b.abs()
        lengths = torch.cat([step.flatten(1) for step in steps], 1).norm(dim=1)
        torch.testing.assert_close(lengths, torch.tensor([0.05, 0.5, 2.0], dtype=torch.float64))
    assert all(map(torch.equal, weights, before))
