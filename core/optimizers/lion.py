"""Lion."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import decay_
from core.registry import NonNegative, Positive


@optimizers.register(
    formula="w *= 1 - lr·weight_decay; w -= lr·sign(b1·m + (1-b1)·g); m = b2·m + (1-b2)·g",
    source="Chen et al. 2023, arXiv:2302.06675",
    aliases=["Lion"],
)
def lion(
    *, lr: Positive = 0.0001, beta1: Decay = 0.9, beta2: Decay = 0.99, weight_decay: NonNegative = 0.0
) -> Optimizer:
    """The sign of a mix of gradient and momentum: every weight moves by the same amount.

    It wants a rate 3 to 10 times smaller than Adam's, with a weight decay as many times larger.
    """

    def reference(parameters: Iterable[Any]) -> Any:
        from lion_pytorch import Lion  # noqa: PLC0415  the tests' alone

        return Lion(parameters, lr=lr, betas=(beta1, beta2), weight_decay=weight_decay)

    return Optimizer(
        hyper={"lr": lr, "beta1": beta1, "beta2": beta2, "weight_decay": weight_decay},
        slots=("m",),
        update=_update,
        reference=reference,
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    _t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
) -> None:
    decay_(w, hyper)
    beta1, beta2, m = hyper["beta1"], hyper["beta2"], state["m"]
    direction = (m * beta1.to(w.dtype)).addcmul_(g, (1 - beta1).to(w.dtype)).sign_()
    w.addcmul_(direction, (-hyper["lr"]).to(w.dtype))
    # not lerp_, which makes NaN of an infinite gradient where this keeps its sign
    m.mul_(beta2.to(w.dtype)).addcmul_(g, (1 - beta2).to(w.dtype))
