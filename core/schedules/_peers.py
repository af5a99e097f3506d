"""Names that torch, Keras, optax and Paddle have for a schedule, with their defaults, units and parameters.

torch's schedulers are stepped after every epoch, but for those of one run, OneCycleLR and CyclicLR. Paddle's and Keras'
count calls, whatever calls them: they have the schedule's own unit.
"""

from collections.abc import Callable, Mapping
from typing import Any

from core.registry import Alias

_BASE = "a schedule starts from the optimizer's lr: give it there, or to a part of another schedule as its lr"
_EVERYWHERE = {
    **dict.fromkeys(("learning_rate", "initial_learning_rate", "base_lr", "base_learning_rate", "init_value"), _BASE),
    "last_epoch": "a run begins at its first update: leave it out",
    "verbose": "leave it out",
}
BEGUN = "give it as the milestone of a sequential that begins with constant"
"""Of optax's `transition_begin`."""
OF_THE_OPTIMIZER = "is the optimizer's lr: give it there, or to a part of another schedule as its lr"
WARMED: Mapping[str, Any] = {
    "renames": {"init_value": "start_lr"},
    "refuses": {"peak_value": OF_THE_OPTIMIZER, "exponent": "is 1 here: leave it out"},
}
"""The parameters of optax's warm-ups."""
AMBIGUOUS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "piecewise_constant_schedule": (
        "is optax's, by factors of the rate before: give multistep where all are the same, or piecewise with rates",
        ("multistep", "piecewise"),
    ),
    "piecewise_interpolate_schedule": (
        "is optax's, by factors of the rate before: give sequential, whose parts have an lr of their own",
        ("sequential",),
    ),
    "warmup_exponential_decay_schedule": (
        'is optax\'s: give linear_warmup with "after": {"name": "exponential", "gamma": ...}',
        ("linear_warmup", "exponential"),
    ),
    "sgdr_schedule": (
        "is optax's list of cycles: give cosine_restarts, or sequential of cosine_warmup parts",
        ("cosine_restarts", "sequential"),
    ),
    "cosine_onecycle_schedule": (
        "is optax's, whose phases end an update later than torch's: give onecycle, which is torch's",
        ("onecycle",),
    ),
    "linear_onecycle_schedule": (
        'is optax\'s, whose last phase is another: give onecycle with "anneal_strategy": "linear", which is torch\'s',
        ("onecycle",),
    ),
    "get_polynomial_decay_schedule_with_warmup": (
        'is transformers\': give linear_warmup with "after": {"name": "polynomial", "end_lr": 1e-7}',
        ("linear_warmup", "polynomial"),
    ),
    "get_wsd_schedule": (
        'is transformers\': give wsd with "decay_type": "cosine"',
        ("wsd",),
    ),
    "get_cosine_with_hard_restarts_schedule_with_warmup": (
        'is transformers\': give linear_warmup with "after": {"name": "cosine_restarts", "T_0": ...}',
        ("linear_warmup", "cosine_restarts"),
    ),
}
"""Names that no schedule here goes by, what is said of each, and the names to choose from."""
MOMENTUM = "only the rate moves here, momentum stays as it is: leave it out"
OF_THE_LR = "is a share of the lr in Keras and optax: give eta_min, a rate"


def peers(
    *names: str,
    defaults: Mapping[str, Any] | None = None,
    renames: Mapping[str, str] | None = None,
    converts: Mapping[str, Callable[[Any], Any]] | None = None,
    refuses: Mapping[str, str] | None = None,
) -> list[Alias]:
    """Return names that other libraries have for one schedule, all with the same meaning."""
    renames, converts = renames or {}, converts or {}
    shared = {key: why for key, why in _EVERYWHERE.items() if key not in renames}
    return [
        Alias(name, defaults=defaults or {}, renames=renames, converts=converts, refuses={**shared, **(refuses or {})})
        for name in names
    ]


def torchs(
    *names: str,
    defaults: Mapping[str, Any] | None = None,
    renames: Mapping[str, str] | None = None,
    refuses: Mapping[str, str] | None = None,
) -> list[Alias]:
    """Return torch's names for one schedule that is stepped after every epoch."""
    return peers(*names, defaults={"unit": "epoch", **(defaults or {})}, renames=renames, refuses=refuses)
