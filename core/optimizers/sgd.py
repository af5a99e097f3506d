"""Stochastic gradient descent."""

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field

from core.optimizers import Optimizer, optimizers
from core.registry import Positive


@optimizers.register(
    formula="u = momentum·u + g;  w -= lr·u",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586; Polyak 1964 (momentum), in the form of torch.optim.SGD",
)
def sgd(*, lr: Positive = 0.01, momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0) -> Optimizer:
    """The gradient, or with `momentum` a decaying sum of gradients; the first update's sum is the gradient itself."""
    return Optimizer(
        hyper={"lr": lr, "momentum": momentum},
        slots=("u",),
        update=_update,
        reference=lambda parameters: torch.optim.SGD(parameters, lr=lr, momentum=momentum),
    )


def _update(
    w: torch.Tensor, g: torch.Tensor, state: Mapping[str, torch.Tensor], _t: int, hyper: Mapping[str, torch.Tensor]
) -> None:
    u = state["u"].mul_(hyper["momentum"].to(w.dtype)).add_(g)
    w.addcmul_(u, (-hyper["lr"]).to(w.dtype))
