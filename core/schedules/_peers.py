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
