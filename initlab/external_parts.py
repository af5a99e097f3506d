"""The parts of an external experiment as people say them, and as the API has them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

Direction = Literal["max", "min", "none"]
"""The values that are better; none: neither, as of a learning rate, which is shown and not compared."""


class Measure(TypedDict, total=False):
    """The properties of a metric beside its name."""

    direction: Direction
    per: Literal["epoch", "step"]
    label: str
    unit: str


class Metric(Measure):
    """A metric with its name."""

    name: str


Arms = Sequence[str | Mapping[str, Any]] | Mapping[str, Any]
"""Labels, arms as the API has them, or a configuration by label."""
Metrics = Mapping[str, Direction | Measure] | Sequence[Metric]
"""The better direction by name, or metrics as the API has them."""


def said_arms(arms: Arms) -> list[dict[str, Any]]:
    """Return arms as the API has them."""
    if isinstance(arms, Mapping):
        return [{"label": label, "config": config or {}} for label, config in arms.items()]
    return [{"label": arm} if isinstance(arm, str) else dict(arm) for arm in arms]


def said_metrics(metrics: Metrics) -> list[dict[str, Any]]:
    """Return metrics as the API has them."""
    if isinstance(metrics, Mapping):
        return [
            {"name": name, **({"direction": said} if isinstance(said, str) else said)} for name, said in metrics.items()
        ]
    return [dict(metric) for metric in metrics]
