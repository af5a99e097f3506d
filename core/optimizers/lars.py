"""LARS: momentum whose steps are as long as the weights say."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import lengths, trust_ratios
from core.optimizers._timm import timm_optimizer
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="g = trust_coeff·|w| / (|g| + weight_decay·|w| + eps)·(g + weight_decay·w), of each parameter; "
    "u = momentum·u + g; w -= lr·u",
    source="You, Gitman & Ginsburg 2017, arXiv:1708.03888, in the form of timm.optim.Lars",
    aliases=["Lars", "LARS"],
)
def lars(
    *,
    lr: Positive = 1.0,
    momentum: Decay = 0.9,
    weight_decay: NonNegative = 0.0005,
    trust_coeff: Positive = 0.001,
    eps: Positive = 1e-8,
    always_adapt: bool = False,
) -> Optimizer:
    """SGD with momentum, the gradient of each parameter made `trust_coeff` times as long as the parameter; for large
    batches.

    A parameter that does not decay keeps the gradient's own length, as do biases and norms with
    `weight_decay_on: "weights"`, unless `always_adapt`. The paper has another `lr` for every batch size, up to 32.
    """

    def reference(parameters: Iterable[Any]) -> Any:
        return timm_optimizer("Lars")(
            parameters,
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            trust_coeff=trust_coeff,
            eps=eps,
            always_adapt=always_adapt,
        )

    return Optimizer(
        hyper={"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust_coeff": trust_coeff, "eps": eps},
        slots=("u",),
        update=_always if always_adapt else _update,
        reference=reference,
        as_a_whole=True,
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    _t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
    always: bool = False,
) -> None:
    decay, eps = hyper["weight_decay"], hyper["eps"].to(w.dtype)
    ours, gradients = lengths(w), lengths(g)
    ratio = hyper["trust_coeff"].to(w.dtype) * ours / (gradients + ours * decay.to(w.dtype) + eps)
    ratio = trust_ratios(always or decay > 0, ratio, ours, gradients)
    u = state["u"].mul_(hyper["momentum"].to(w.dtype)).addcmul_(torch.addcmul(g, w, decay.to(w.dtype)), ratio)
    w.addcmul_(u, (-hyper["lr"]).to(w.dtype))


_always = partial(_update, always=True)
