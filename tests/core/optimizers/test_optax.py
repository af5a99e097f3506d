"""The lion of optax, update by update."""

import numpy as np
import optax
import torch

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
