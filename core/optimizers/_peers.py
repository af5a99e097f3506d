"""Parameters under the names that torch, Keras, optax and Paddle have for them."""

from collections.abc import Mapping
from typing import Any

from core.errors import Problem
from core.registry import Entry, Reading

_NAMES: Mapping[str, str] = {
    "learning_rate": "lr",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "b1": "beta1",
    "b2": "beta2",
    "b3": "beta3",
    "epsilon": "eps",
    "rho": "alpha",
    "decay": "alpha",
    "trust_coefficient": "trust_coeff",
}
"""A name -> the parameter that it is, where an optimizer has that."""
_CLIPS = 'is a setting beside the optimizer: gradient_clip, such as {"norm": 1.0}'
_LEFT_OUT = "changes no number here: leave it out"
_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("clipnorm", "global_clipnorm", "clipvalue", "grad_clip", "max_grad_norm"), _CLIPS),
    **dict.fromkeys(("use_ema", "ema_momentum"), "is a setting beside the optimizer: ema_decay, such as 0.999"),
    **dict.fromkeys(("foreach", "fused", "capturable", "differentiable", "maximize"), _LEFT_OUT),
}


def read_peers(schema: type[Entry], raw: Mapping[str, Any]) -> Reading:
    """Read an optimizer's parameters under other libraries' names; `betas` is a list, as in torch."""
    read: list[tuple[str, str, Any]] = []
    problems = []
    fields = schema.model_fields
    for given, value in raw.items():
        if given in fields:
            read.append((given, given, value))
        elif given in _REFUSED:
            problems.append(Problem(given, _REFUSED[given]))
        elif given == "betas":
            betas = [name for name in fields if name in ("beta1", "beta2", "beta3")]
            if isinstance(value, list | tuple) and len(value) == len(betas):
                read += [(given, name, one) for name, one in zip(betas, value, strict=True)]
            else:
                said = f"should be a list of {len(betas)} numbers: {', '.join(betas)}"
                problems.append(Problem(given, said if betas else "is of Adam and its like: leave it out"))
        else:
            name = _NAMES.get(given, given)
            read.append((given, name if name in fields else given, value))
    return Reading.of(read, problems)
