"""What the rules share: numbers of lanes looked at, and weight decay."""

from collections.abc import Mapping

import torch


def same(hyper: Mapping[str, torch.Tensor]) -> dict[str, float] | None:
    """The one value that all lanes have of each number; None where they differ or looking would wait for a device."""
    values: dict[str, float] = {}
    for key, lanes in hyper.items():
        distinct = set(lanes.flatten().tolist()) if lanes.device.type == "cpu" else ()
        if len(distinct) != 1:
            return None
        (values[key],) = distinct
    return values


def all_zero(lanes: torch.Tensor) -> bool:
    """Whether a number is zero for every lane and a pass can be saved; False where looking would wait for a device."""
    return lanes.device.type == "cpu" and not lanes.any()


def penalised(w: torch.Tensor, g: torch.Tensor, hyper: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The gradient of the loss plus weight_decay / 2 · |w|²; `g` itself where nothing decays."""
    decay = hyper["weight_decay"]
    return g if all_zero(decay) else torch.addcmul(g, w, decay.to(w.dtype))


def decay_(w: torch.Tensor, hyper: Mapping[str, torch.Tensor]) -> None:
    """Weight decay decoupled from the gradient: w *= 1 - lr · weight_decay."""
    if not all_zero(hyper["weight_decay"]):
        w.mul_((1 - hyper["lr"] * hyper["weight_decay"]).to(w.dtype))
