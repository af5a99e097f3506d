"""Muon: steps along the orthogonal matrix that is nearest to the momentum."""

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import decay_, lengths
from core.optimizers.adam import adamw
from core.registry import NonNegative, Positive

QUINTIC = (3.4445, -4.7750, 2.0315)
"""The polynomial a·x + b·x³ + c·x⁵ that takes singular values to about 1: from 0.7 to 1.2 after `ITERATIONS`."""
ITERATIONS = 5
TINY = 1e-7
"""The least length that a matrix is divided by."""


@optimizers.register(
    formula="m = momentum·m + (1-momentum)·g; u = momentum·m + (1-momentum)·g; X = u / |u|, "
    "5 times X = 3.4445·X - 4.775·(X·Xᵀ)·X + 2.0315·(X·Xᵀ)²·X; "
    "w *= 1 - lr·weight_decay; w -= lr·sqrt(max(1, outputs / inputs))·X; all but hidden layers' weights: AdamW at "
    "adamw_lr_scale·lr",
    source="Jordan et al. 2024, kellerjordan.github.io/posts/muon, in the form of torch.optim.Muon; match_rms_adamw: "
    "Liu et al. 2025, arXiv:2502.16982",
)
def muon(
    *,
    lr: Positive = 0.02,
    momentum: Decay = 0.95,
    weight_decay: NonNegative = 0.0,
    match_rms_adamw: bool = False,
    adamw_lr_scale: Positive = 0.015,
    adamw_beta1: Decay = 0.9,
    adamw_beta2: Decay = 0.95,
    adamw_eps: Positive = 1e-10,
) -> Optimizer:
    """Nesterov momentum whose singular values are all made about 1, for the weights of hidden layers alone.

    A convolution's weight is the matrix (outputs, inputs · kernel); stacked projections of an attention are one matrix.
    The first and the last layer, biases, norms and embeddings are trained by AdamW, as the authors do, at
    `adamw_lr_scale` times Muon's rate (theirs are 0.02 and 0.0003) and with the same weight decay.
    `match_rms_adamw` makes steps 0.2·sqrt(max(outputs, inputs)) times as long, those of AdamW: its rate then fits, with
    an `adamw_lr_scale` of 1. Computed in the weights' precision, where torch and the authors round to bfloat16.
    """
    return Optimizer(
        hyper={"lr": lr, "momentum": momentum, "weight_decay": weight_decay},
        slots=("m",),
        update=_matched if match_rms_adamw else _update,
        reference=lambda parameters: _Matrices(
            parameters, lr=lr, momentum=momentum, weight_decay=weight_decay, matched=match_rms_adamw
        ),
        as_a_whole=True,
        others=adamw(
            lr=lr * adamw_lr_scale, beta1=adamw_beta1, beta2=adamw_beta2, eps=adamw_eps, weight_decay=weight_decay
        ),
    )


def _update(
    w: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    _t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
    matched: bool = False,
) -> None:
    momentum = hyper["momentum"].to(w.dtype)
    m = state["m"].lerp_(g, 1 - momentum)
    step = orthogonal(torch.lerp(g, m, momentum).flatten(2))
    outputs, inputs = step.shape[1:]
    longer = 0.2 * math.sqrt(max(outputs, inputs)) if matched else math.sqrt(max(1, outputs / inputs))
    decay_(w, hyper)
    w.addcmul_(step.view_as(w), (-hyper["lr"] * longer).to(w.dtype))


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Return matrices, (lanes, rows, columns), with singular values of about 1 in place of their own.

    Newton and Schulz's iteration, as products of all lanes at a time; zeros stay zeros.
    """
    if len(matrices) > 1 and matrices.device.type == "cpu" and torch.get_num_threads() > 1:
        # the CPU's library shares a batch's products out among threads by their count, and rounds accordingly
        return torch.cat([orthogonal(one) for one in matrices.split(1)])
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / lengths(x).clamp(min=TINY)
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).contiguous()


class _Exact(torch.Tensor):
    """A gradient that keeps its precision where torch's Muon rounds it to bfloat16."""

    def bfloat16(self, *_args: Any, **_named: Any) -> torch.Tensor:
        return self.clone()


class _Matrices(torch.optim.Muon):
    """torch's Muon in the precision of its parameters, for all of two dimensions or more: matrices in their memory."""

    def __init__(self, parameters: Iterable[Any], matched: bool, **numbers: Any) -> None:
        groups = [one if isinstance(one, dict) else {"params": [one]} for one in parameters]
        self._whole = [parameter for group in groups for parameter in group["params"]]
        self._flat = [parameter.detach().flatten(1) for parameter in self._whole]
        views = iter(self._flat)
        groups = [{**group, "params": [next(views) for _ in group["params"]]} for group in groups]
        super().__init__(groups, **numbers, adjust_lr_fn="match_rms_adamw" if matched else "original")

    def step(self, closure: Any = None) -> Any:
        for whole, flat in zip(self._whole, self._flat, strict=True):
            flat.grad = None if whole.grad is None else whole.grad.flatten(1).as_subclass(_Exact)
        return super().step(closure)  # type: ignore[no-untyped-call]


_matched = partial(_update, matched=True)
