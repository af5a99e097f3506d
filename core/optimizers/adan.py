"""Adan: adaptive Nesterov momentum."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import decay_
from core.optimizers._timm import timm_optimizer
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="d = g - the gradient before, at first 0; m = b1·m + (1-b1)·g; c = b2·c + (1-b2)·d; "
    "n = b3·n + (1-b3)·(g + b2·d)²; w -= lr·(m / (1-b1^t) + b2·c / (1-b2^t)) / (sqrt(n / (1-b3^t)) + eps); "
    "w /= 1 + lr·weight_decay",
    source="Xie et al. 2022, arXiv:2208.06677, in the form of timm.optim.Adan; each beta is 1 - the paper's",
    aliases=["Adan"],
)
def adan(
    *,
    lr: Positive = 0.001,
    beta1: Decay = 0.98,
    beta2: Decay = 0.92,
    beta3: Decay = 0.99,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    no_prox: bool = False,
) -> Optimizer:
    """Adam with the differences of gradients in its momentum and in its scale, so that it looks ahead.

    Weight decay is a proximal step, w / (1 + lr·weight_decay) at the end, or AdamW's before the step with `no_prox`.
    It stands rates 5 to 10 times those of Adam.
    """

    def reference(parameters: Iterable[Any]) -> Any:
        return timm_optimizer("Adan")(
            parameters, lr=lr, betas=(beta1, beta2, beta3), eps=eps, weight_decay=weight_decay, no_prox=no_prox
        )

    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "beta3": beta3, "eps": eps, "weight_decay": weight_decay},
        slots=("m", "c", "n", "before"),
        update=_decoupled if no_prox else _update,
        reference=reference,
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
    decoupled: bool = False,
) -> None:
    beta1, beta2, beta3 = hyper["beta1"], hyper["beta2"], hyper["beta3"]
    m, c, n, before = (state[slot] for slot in ("m", "c", "n", "before"))
    change = torch.where(torch.as_tensor(t == 1), 0.0, g - before)
    before.copy_(g)
    m.lerp_(g, (1 - beta1).to(w.dtype))
    # not lerp_, which makes NaN of an infinite change where timm's keeps its sign
    c.mul_(beta2.to(w.dtype)).addcmul_(change, (1 - beta2).to(w.dtype))
    ahead = torch.addcmul(g, change, beta2.to(w.dtype))
    n.mul_(beta3.to(w.dtype)).addcmul_(ahead, ahead * (1 - beta3).to(w.dtype))
    if decoupled:
        decay_(w, hyper)
    correction = (1 - beta3**t).sqrt()
    # as in Adam, the division by sqrt(1 - b3^t) goes into the rates
    root = torch.sqrt(n, out=ahead).add_((hyper["eps"] * correction).to(w.dtype))
    step = m * (-hyper["lr"] * correction / (1 - beta1**t)).to(w.dtype)
    step.addcmul_(c, (-hyper["lr"] * correction * beta2 / (1 - beta2**t)).to(w.dtype))
    w.addcdiv_(step, root)
    if not decoupled:
        w.div_((1 + hyper["lr"] * hyper["weight_decay"]).to(w.dtype))


_decoupled = partial(_update, decoupled=True)
