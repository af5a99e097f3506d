"""Gradient clipping: a bound on what one batch may ask for."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Bound = Annotated[float, Field(gt=0, lt=1e30)]
ClippingRule = Literal["norm", "value", "adaptive"]


class Clipping(NamedTuple):
    """One rule of clipping, and its bound."""

    rule: ClippingRule
    bound: float


class GradientClip(BaseModel):
    """A bound on the gradients of an update; give one of the three.

    `norm` bounds the length of the gradient of all parameters together: g *= min(1, norm / (|g| + 1e-6)) (Pascanu,
    Mikolov & Bengio 2013, arXiv:1211.5063, in the form of `torch.nn.utils.clip_grad_norm_`). `value` bounds each
    number, as `clip_grad_value_`. `adaptive` bounds each unit's gradient by that part of the length of the unit's
    weights (Brock et al. 2021, arXiv:2102.06171, in the form of timm's `adaptive_clip_grad`: of all parameters, a bias
    or a gain as one unit).
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    example: ClassVar[Mapping[str, float]] = {"norm": 1.0}
    elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("max_norm", "clip_norm", "clipnorm", "global_clipnorm", "max_grad_norm"), "is norm here"),
        **dict.fromkeys(("clip_value", "clipvalue", "max_value"), "is value here"),
        **dict.fromkeys(("clip_factor", "agc"), "is adaptive here"),
        "norm_type": "is 2 here: leave it out",
    }

    norm: Bound | None = None
    value: Bound | None = None
    adaptive: Bound | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(bound is not None for _, bound in self) != 1:
            raise ValueError('give one of norm, value and adaptive, such as {"norm": 1.0}')
        return self

    @property
    def clipping(self) -> Clipping:
        """The rule and its bound."""
        rules: tuple[ClippingRule, ...] = ("norm", "value", "adaptive")
        rule = next(rule for rule in rules if getattr(self, rule) is not None)
        return Clipping(rule, getattr(self, rule))
