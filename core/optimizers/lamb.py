"""LAMB: Adam whose steps are as long as the weights say."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import lengths, trust_ratios, update_moments
from core.optimizers._timm import timm_optimizer
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="m = b1·m + (1-b1)·g, v = b2·v + (1-b2)·g²; "
    "u = (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps) + weight_decay·w; w -= lr·|w| / |u|·u, of each parameter",
    source="You et al. 2020, arXiv:1904.00962, in the form of timm.optim.Lamb",
    aliases=["Lamb", "LAMB"],
)
def lamb(
    *,
    lr: Positive = 0.001,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Positive = 1e-6,
    weight_decay: NonNegative = 0.01,
    always_adapt: bool = False,
) -> Optimizer:
    """Adam's step of each parameter, made as long as `lr` times the parameter itself; for large batches.

    A parameter that does not decay keeps Adam's own length, as do biases and norms with `weight_decay_on: "weights"`,
    unless `always_adapt`. timm clips the gradient to a norm of 1 beside: `gradient_clip: {"norm": 1.0}`.
    """

    def reference(parameters: Iterable[Any]) -> Any:
        return timm_optimizer("Lamb")(
            parameters,
            lr=lr,
            betas=(beta1, beta2),
            eps=eps,
            weight_decay=weight_decay,
            max_grad_norm=None,
            always_adapt=always_adapt,
        )

    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay},
        slots=("m", "v"),
        update=_always if always_adapt else _update,
        reference=reference,
        as_a_whole=True,
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
    always: bool = False,
) -> None:
    correction = (1 - hyper["beta2"] ** t).sqrt()
    m, v, scratch = update_moments(state, g, hyper)
    torch.sqrt(v, out=scratch).add_((hyper["eps"] * correction).to(w.dtype))
    step = torch.div(m, scratch, out=scratch).mul_((correction / (1 - hyper["beta1"] ** t)).to(w.dtype))
    decay = hyper["weight_decay"]
    step.addcmul_(w, decay.to(w.dtype))
    ours, steps = lengths(w), lengths(step)
    ratio = trust_ratios(always or decay > 0, ours / steps, ours, steps)
    w.addcmul_(step, (-hyper["lr"]).to(w.dtype) * ratio)


_always = partial(_update, always=True)
