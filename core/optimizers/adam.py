"""Adam and AdamW."""

from collections.abc import Mapping
from functools import partial

import torch
from torch.optim.adam import adam as fused_adam

from core.optimizers import Decay, Hyper, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import decayed, update_moments
from core.registry import NonNegative, Positive

FORMULA = (
    "m = b1·m + (1-b1)·g, v = b2·v + (1-b2)·g²; w -= lr·(m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps), "
    "with amsgrad the largest v so far"
)


@optimizers.register(
    formula=f"g += weight_decay·w; {FORMULA}",
    source="Kingma & Ba 2015, arXiv:1412.6980; amsgrad: Reddi et al. 2018, arXiv:1904.09237",
)
def adam(
    *,
    lr: Positive = 0.001,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    amsgrad: bool = False,
) -> Optimizer:
    """Steps scaled by running means of the gradient and of its square, both corrected for their start at zero.

    `weight_decay` is that of an L2 penalty: it is scaled like the gradient. `amsgrad` never lets a step grow back.
    """
    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay},
        slots=("m", "v", "v_max") if amsgrad else ("m", "v"),
        update=_update,
        reference=lambda parameters: torch.optim.Adam(
            parameters, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        ),
    )


@optimizers.register(
    formula=f"w *= 1 - lr·weight_decay; {FORMULA}",
    source="Loshchilov & Hutter 2019, arXiv:1711.05101",
)
def adamw(
    *,
    lr: Positive = 0.001,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.01,
    amsgrad: bool = False,
) -> Optimizer:
    """Adam whose weight decay shrinks the weights themselves, in proportion to the learning rate."""
    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay},
        slots=("m", "v", "v_max") if amsgrad else ("m", "v"),
        update=_decoupled,
        reference=lambda parameters: torch.optim.AdamW(
            parameters, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        ),
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Hyper,
    decoupled: bool = False,
) -> None:
    if hyper.same is not None and w.is_contiguous():
        _fused(w, g, state, t, hyper.same, hyper.rate, decoupled)
        return
    g = decayed(w, g, hyper, decoupled)
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    correction = (1 - beta2**t).sqrt()
    m, v, scratch = update_moments(state, g, hyper)
    if "v_max" in state:
        v = torch.maximum(state["v_max"], v, out=state["v_max"])
    # sqrt(v / c) + eps is (sqrt(v) + eps * sqrt(c)) / sqrt(c): the division goes into the rate, one number a lane
    torch.sqrt(v, out=scratch).add_((hyper["eps"] * correction).to(w.dtype))
    torch.div(m, scratch, out=scratch)
    w.addcmul_(scratch, (-hyper["lr"] * correction / (1 - beta1**t)).to(w.dtype))


def _fused(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Mapping[str, float],
    rate: float | torch.Tensor,
    decoupled: bool,
) -> None:
    """Update all lanes in torch's one-pass kernel: 3 times faster on a stack larger than the cache."""
    fused_adam(
        [w],
        [g.contiguous()],  # the kernel reads memory in order, whatever the strides say
        [state["m"]],
        [state["v"]],
        [state["v_max"]] if "v_max" in state else [],
        [torch.full((), t - 1.0) if isinstance(t, int) else (t - 1).float()],
        fused=True,
        amsgrad="v_max" in state,
        maximize=False,
        decoupled_weight_decay=decoupled,
        lr=rate,
        beta1=hyper["beta1"],
        beta2=hyper["beta2"],
        eps=hyper["eps"],
        weight_decay=hyper["weight_decay"],
    )


_decoupled = partial(_update, decoupled=True)
