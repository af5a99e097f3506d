"""Stochastic gradient descent."""

from collections.abc import Mapping

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import all_zero, penalised
from core.registry import Alias, NonNegative, Positive, Real


@optimizers.register(
    formula="g += weight_decay·w;  u = momentum·u + (1 - dampening)·g, at first u = g;  "
    "w -= lr·u, with nesterov w -= lr·(g + momentum·u)",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586; Polyak 1964 (momentum), Sutskever et al. 2013 "
    "(nesterov); in the form of torch.optim.SGD",
    aliases=["SGD", Alias("Momentum", defaults={"lr": 0.001, "momentum": 0.9})],
)
def sgd(
    *,
    lr: Positive = 0.01,
    momentum: Decay = 0.0,
    dampening: Real = 0.0,
    weight_decay: NonNegative = 0.0,
    nesterov: bool = False,
) -> Optimizer:
    """The gradient, or with `momentum` a decaying sum of gradients; the first update's sum is the gradient itself.

    `dampening` weakens each further gradient of the sum; `nesterov` looks one step of momentum ahead.
    """
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")
    return Optimizer(
        hyper={"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay},
        slots=("u",),
        update=_nesterov if nesterov else _update,
        steps="sgd",
        reference=lambda parameters: torch.optim.SGD(
            parameters, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        ),
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
) -> None:
    g = penalised(w, g, hyper)
    momentum, dampening = hyper["momentum"], hyper["dampening"]
    if not all_zero(momentum):
        u = state["u"].mul_(momentum.to(w.dtype))
        if all_zero(dampening):
            g = u.add_(g)
        else:  # torch dampens what has momentum only, and no first update
            whole = (momentum == 0) | (t == 1)
            g = u.addcmul_(g, torch.where(whole, 1.0, 1 - dampening).to(w.dtype))
    w.addcmul_(g, (-hyper["lr"]).to(w.dtype))


def _nesterov(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    _t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
) -> None:
    g = penalised(w, g, hyper)
    momentum = hyper["momentum"].to(w.dtype)
    u = state["u"].mul_(momentum).add_(g)
    w.addcmul_(torch.addcmul(g, u, momentum), (-hyper["lr"]).to(w.dtype))
