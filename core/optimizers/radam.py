"""RAdam: Adam that waits for its second moment."""

from collections.abc import Mapping
from functools import partial

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import decayed, update_moments
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="m = b1·m + (1-b1)·g, v = b2·v + (1-b2)·g²; p = 2/(1-b2) - 1, q = p - 2t·b2^t / (1-b2^t); "
    "if q > 5: w -= lr·sqrt((q-4)(q-2)p / ((p-4)(p-2)q))·(m / (1-b1^t))·sqrt(1-b2^t) / (sqrt(v) + eps), "
    "else w -= lr·m / (1-b1^t)",
    source="Liu et al. 2020, arXiv:1908.03265, in the form of torch.optim.RAdam",
    aliases=["RAdam"],
)
def radam(
    *,
    lr: Positive = 0.001,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    decoupled_weight_decay: bool = False,
) -> Optimizer:
    """Adam with a warm-up of its own: plain momentum until the mean of squares is worth dividing by, then rectified.

    `weight_decay` is that of an L2 penalty, or AdamW's with `decoupled_weight_decay`.
    """
    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay},
        slots=("m", "v"),
        update=_decoupled if decoupled_weight_decay else _update,
        reference=lambda parameters: torch.optim.RAdam(
            parameters,
            lr=lr,
            betas=(beta1, beta2),
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
        ),
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
    decoupled: bool = False,
) -> None:
    g = decayed(w, g, hyper, decoupled)
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    rectified, factor = _rectification(beta2, t)
    m, v, scratch = update_moments(state, g, hyper)
    torch.sqrt(v, out=scratch).add_(hyper["eps"].to(w.dtype)).masked_fill_(~rectified, 1.0)
    torch.div(m, scratch, out=scratch)
    w.addcmul_(scratch, (-hyper["lr"] * factor / (1 - beta1**t)).to(w.dtype))


def _rectification(beta2: torch.Tensor, t: UpdateNumber) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which lanes already divide by their root mean square, and each lane's factor of the rate."""
    correction = 1 - beta2**t
    most = 2 / (1 - beta2) - 1
    length = most - 2 * t * beta2**t / correction
    ratio = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
    rectified = length > 5
    return rectified, torch.where(rectified, (ratio * correction).sqrt(), 1.0)


_decoupled = partial(_update, decoupled=True)
