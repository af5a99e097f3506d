"""Adam."""

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field

from core.optimizers import Optimizer, optimizers
from core.registry import Positive

Decay = Annotated[float, Field(ge=0, lt=1)]


@optimizers.register(
    formula="m = b1·m + (1-b1)·g, v = b2·v + (1-b2)·g²; w -= lr·(m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)",
    source="Kingma & Ba 2015, arXiv:1412.6980",
)
def adam(*, lr: Positive = 0.001, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8) -> Optimizer:
    """Steps scaled by running means of the gradient and of its square, both corrected for their start at zero."""
    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps},
        slots=("m", "v"),
        update=_update,
        reference=lambda parameters: torch.optim.Adam(parameters, lr=lr, betas=(beta1, beta2), eps=eps),
    )


def _update(
    w: torch.Tensor, g: torch.Tensor, state: Mapping[str, torch.Tensor], t: int, hyper: Mapping[str, torch.Tensor]
) -> None:
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    m, v = state["m"], state["v"]
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g * (1 - beta2))
    denominator = v.sqrt().div_((1 - beta2**t).sqrt()).add_(hyper["eps"])
    w.addcdiv_(m * (-hyper["lr"] / (1 - beta1**t)), denominator)
