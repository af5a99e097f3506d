"""Adagrad."""

from collections.abc import Mapping

import torch

from core.optimizers import Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import penalised
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="g += weight_decay·w; s += g², at first s = initial_accumulator_value; "
    "w -= lr / (1 + (t-1)·lr_decay)·g / (sqrt(s) + eps)",
    source="Duchi, Hazan & Singer 2011, jmlr.org/papers/v12/duchi11a.html, in the form of torch.optim.Adagrad",
    aliases=["Adagrad"],
)
def adagrad(
    *,
    lr: Positive = 0.01,
    lr_decay: NonNegative = 0.0,
    weight_decay: NonNegative = 0.0,
    initial_accumulator_value: NonNegative = 0.0,
    eps: Positive = 1e-10,
) -> Optimizer:
    """The gradient over the root of the sum of all its squares: weights that seldom move keep a large step."""
    return Optimizer(
        hyper={
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
        },
        slots=("s",),
        update=_update,
        reference=lambda parameters: torch.optim.Adagrad(
            parameters,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
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
    s = state["s"].addcmul_(g, g)
    root = (s + hyper["initial_accumulator_value"].to(w.dtype)).sqrt_().add_(hyper["eps"].to(w.dtype))
    step = torch.div(g, root, out=root)
    w.addcmul_(step, (-hyper["lr"] / (1 + (t - 1) * hyper["lr_decay"])).to(w.dtype))
