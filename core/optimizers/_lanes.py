"""Parts that the update rules share: weight decay, lengths, and the running means of Adam and its variants."""

from collections.abc import Mapping

import torch


def all_zero(lanes: torch.Tensor) -> bool:
    """Return whether a number is zero for every lane; False on a GPU, where looking would wait for the device."""
    return lanes.device.type == "cpu" and not lanes.any()


def penalised(w: torch.Tensor, g: torch.Tensor, hyper: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the gradient of the loss plus weight_decay / 2 · |w|²; `g` itself where nothing decays."""
    decay = hyper["weight_decay"]
    return g if all_zero(decay) else torch.addcmul(g, w, decay.to(w.dtype))


def decay_(w: torch.Tensor, hyper: Mapping[str, torch.Tensor]) -> None:
    """Apply weight decay decoupled from the gradient: w *= 1 - lr · weight_decay."""
    if not all_zero(hyper["weight_decay"]):
        w.mul_((1 - hyper["lr"] * hyper["weight_decay"]).to(w.dtype))


def decayed(w: torch.Tensor, g: torch.Tensor, hyper: Mapping[str, torch.Tensor], decoupled: bool) -> torch.Tensor:
    """Return the gradient to go on with after weight decay, which shrinks `w` itself where it is decoupled."""
    if decoupled:
        decay_(w, hyper)
        return g
    return penalised(w, g, hyper)


def update_moments(
    state: Mapping[str, torch.Tensor], g: torch.Tensor, hyper: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Update the running means `m` of the gradient and `v` of its square; return both and scratch of their shape."""
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    m, v = state["m"], state["v"]
    m.lerp_(g, (1 - beta1).to(g.dtype))
    scratch = g * (1 - beta2).to(g.dtype)
    v.mul_(beta2.to(g.dtype)).addcmul_(g, scratch)
    return m, v, scratch


def lengths(stack: torch.Tensor) -> torch.Tensor:
    """Return the length of each lane's parameter, (lanes, 1, ..., 1)."""
    dims = tuple(range(1, stack.ndim))
    found: torch.Tensor = torch.linalg.vector_norm(stack, dim=dims, keepdim=True) if dims else stack.abs()
    return found


def trust_ratios(adapted: torch.Tensor | bool, ratio: torch.Tensor, *lengths: torch.Tensor) -> torch.Tensor:
    """Return the ratio where it is asked for and no length is 0, elsewhere 1; all are (lanes, 1, ..., 1)."""
    known = torch.stack(lengths).gt(0).all(0)
    return torch.where(known & adapted, ratio, 1.0)
