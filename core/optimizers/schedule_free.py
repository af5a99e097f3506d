"""Schedule-free AdamW."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import torch
from pydantic import Field

from core.optimizers import Decay, Optimizer, UpdateNumber, optimizers
from core.optimizers._lanes import all_zero
from core.registry import CountFromZero, NonNegative, Positive

Power = Annotated[float, Field(ge=0, le=10)]


@optimizers.register(
    formula="s = lr·min(1, t / warmup_steps); c = p_t / sum(p), p_t = t^r·max(s)^weight_lr_power; "
    "v = b2·v + (1-b2)·g²; "
    "u = g / (sqrt(v / (1-b2^t)) + eps) + weight_decay·y; z -= s·u; x = (1-c)·x + c·z; y = b1·x + (1-b1)·z; "
    "trained at y, evaluated at x",
    source="Defazio et al. 2024, arXiv:2405.15682",
    aliases=["AdamWScheduleFree"],
)
def schedule_free_adamw(
    *,
    lr: Positive = 0.0025,
    beta1: Annotated[float, Field(gt=0, lt=1)] = 0.9,
    beta2: Decay = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
    warmup_steps: CountFromZero = 0,
    r: Power = 0.0,
    weight_lr_power: Power = 2.0,
) -> Optimizer:
    """AdamW with an average of the weights in place of a falling learning rate; meant for a constant schedule.

    Evaluation uses the average x, training a point y near it. Running means of batch norms stay those of y.
    """

    def reference(parameters: Iterable[Any]) -> Any:
        from schedulefree import AdamWScheduleFree  # noqa: PLC0415  the tests' alone

        optimizer = AdamWScheduleFree(
            parameters,
            lr=lr,
            betas=(beta1, beta2),
            eps=eps,
            weight_decay=weight_decay,
            warmup_steps=warmup_steps,
            r=r,
            weight_lr_power=weight_lr_power,
        )
        optimizer.train()  # evaluation is between its eval() and train()
        return optimizer

    return Optimizer(
        hyper={
            "lr": lr,
            "beta1": beta1,
            "beta2": beta2,
            "eps": eps,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
        },
        slots=("ahead", "v"),
        scalars=("weight_sum", "lr_max"),
        update=_update,
        reference=reference,
        evaluated=_evaluated,
    )


def _update(
    y: torch.Tensor,
    g: torch.Tensor,
    state: Mapping[str, torch.Tensor],
    t: UpdateNumber,
    hyper: Mapping[str, torch.Tensor],
) -> None:
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    lr = hyper["lr"] * (t / hyper["warmup_steps"].clamp(min=1)).clamp(max=1)
    lr_max = torch.maximum(state["lr_max"], lr, out=state["lr_max"])
    weight = t ** hyper["r"] * lr_max ** hyper["weight_lr_power"]
    weight_sum = state["weight_sum"].add_(weight)
    new = torch.where(weight_sum > 0, weight / weight_sum, 0.0)

    correction = (1 - beta2**t).sqrt()
    scratch = g * (1 - beta2).to(y.dtype)
    v = state["v"].mul_(beta2.to(y.dtype)).addcmul_(g, scratch)
    torch.sqrt(v, out=scratch).add_((hyper["eps"] * correction).to(y.dtype))
    step = torch.div(g, scratch, out=scratch).mul_(correction.to(y.dtype))
    if not all_zero(hyper["weight_decay"]):
        step.addcmul_(y, hyper["weight_decay"].to(y.dtype))
    # z is kept as its lead over y: zero at the start, and exact where the two are near each other
    ahead = state["ahead"]
    y.addcmul_(ahead, new.to(y.dtype)).addcmul_(step, (lr * (beta1 * (1 - new) - 1)).to(y.dtype))
    ahead.addcmul_(step, (-lr * beta1).to(y.dtype)).mul_((1 - new).to(y.dtype))


def _evaluated(y: torch.Tensor, state: Mapping[str, torch.Tensor], hyper: Mapping[str, torch.Tensor]) -> torch.Tensor:
    return torch.addcmul(y, state["ahead"], (1 - 1 / hyper["beta1"]).to(y.dtype))
