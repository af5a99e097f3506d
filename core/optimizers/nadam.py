"""NAdam: Adam with Nesterov's momentum."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import decayed, update_moments
from core.registry import Alias, NonNegative, Positive


@optimizers.register(
    formula="mu_t = b1·(1 - 0.96^(t·momentum_decay) / 2); m = b1·m + (1-b1)·g, v = b2·v + (1-b2)·g²; "
    "w -= lr·(mu_(t+1)·m / (1 - mu_1···mu_(t+1)) + (1-mu_t)·g / (1 - mu_1···mu_t)) / (sqrt(v / (1-b2^t)) + eps)",
    source="Dozat 2016, openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ, in the form of torch.optim.NAdam",
    aliases=["NAdam", Alias("Nadam", defaults={"lr": 0.001, "eps": 1e-7})],
)
def nadam(
    *,
    lr: Positive = 0.002,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    momentum_decay: NonNegative = 0.004,
    decoupled_weight_decay: bool = False,
) -> Optimizer:
    """Adam that looks one step of momentum ahead, with a momentum that grows from beta1 / 2 towards beta1.

    `weight_decay` is that of an L2 penalty, or AdamW's with `decoupled_weight_decay`.
    """

    def reference(parameters: Iterable[Any]) -> torch.optim.Optimizer:
        return _exact(
            torch.optim.NAdam(
                parameters,
                lr=lr,
                betas=(beta1, beta2),
                eps=eps,
                weight_decay=weight_decay,
                momentum_decay=momentum_decay,
                decoupled_weight_decay=decoupled_weight_decay,
            )
        )

    return Optimizer(
        hyper={
            "lr": lr,
            "beta1": beta1,
            "beta2": beta2,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
        },
        slots=("m", "v"),
        scalars=("gap",),
        update=_decoupled if decoupled_weight_decay else _update,
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
    g = decayed(w, g, hyper, decoupled)
    lr, beta1, beta2 = hyper["lr"], hyper["beta1"], hyper["beta2"]
    mu, ahead = (beta1 * (1 - 0.5 * torch.pow(0.96, i * hyper["momentum_decay"])) for i in (t, t + 1))
    gap = state["gap"].mul_(mu).add_(1 - mu)  # 1 - mu_1···mu_t: zero at the start, as the product is not
    correction = (1 - beta2**t).sqrt()
    m, v, scratch = update_moments(state, g, hyper)
    # as in Adam, the division by sqrt(1 - b2^t) goes into the rates
    root = torch.sqrt(v, out=scratch).add_((hyper["eps"] * correction).to(w.dtype))
    step = g * (-lr * correction * (1 - mu) / gap).to(w.dtype)
    step.addcmul_(m, (-lr * correction * ahead / (1 - ahead + gap * ahead)).to(w.dtype))
    w.addcdiv_(step, root)


def _exact(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Update as torch does, with mu_1···mu_t in float64, which torch keeps only where that is the default type."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.tensor(0.0),
                "mu_product": torch.tensor(1.0, dtype=torch.float64),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
    return optimizer


_decoupled = partial(_update, decoupled=True)
