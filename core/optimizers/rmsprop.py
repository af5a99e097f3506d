"""RMSprop."""

from collections.abc import Mapping

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import all_zero, penalised
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="g += weight_decay·w; v = alpha·v + (1-alpha)·g²; with centered m = alpha·m + (1-alpha)·g and v - m² for v;"
    " u = momentum·u + g / (sqrt(v) + eps); w -= lr·u",
    source="Tieleman & Hinton 2012, Coursera lecture 6.5; centered: Graves 2013, arXiv:1308.0850; "
    "in the form of torch.optim.RMSprop",
    aliases=["RMSprop"],
)
def rmsprop(
    *,
    lr: Positive = 0.01,
    alpha: Decay = 0.99,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    momentum: Decay = 0.0,
    centered: bool = False,
) -> Optimizer:
    """The gradient over a running root mean square of itself, uncorrected for its start at zero.

    `centered` takes the mean off first. Where rounding makes that variance negative it counts as 0; torch has a NaN.
    """
    return Optimizer(
        hyper={"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum},
        slots=("v", "u", "m") if centered else ("v", "u"),
        update=_update,
        reference=lambda parameters: torch.optim.RMSprop(
            parameters, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered
        ),
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    _t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
) -> None:
    g = penalised(w, g, hyper)
    rest = (1 - hyper["alpha"]).to(w.dtype)
    scratch = g * rest
    v = state["v"].mul_(hyper["alpha"].to(w.dtype)).addcmul_(g, scratch)
    if "m" in state:
        m = state["m"].lerp_(g, rest)
        v = torch.addcmul(v, m, m, value=-1, out=scratch).clamp_(min=0)
    root = torch.sqrt(v, out=scratch).add_(hyper["eps"].to(w.dtype))
    step = torch.div(g, root, out=scratch)
    if not all_zero(hyper["momentum"]):
        step = state["u"].mul_(hyper["momentum"].to(w.dtype)).add_(step)
    w.addcmul_(step, (-hyper["lr"]).to(w.dtype))
