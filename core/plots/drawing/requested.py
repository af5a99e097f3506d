"""A picture's data with the options of a request."""

from collections.abc import Callable, Sequence
from typing import Any

from core.errors import InvalidSpec
from core.plots.drawing.bands import with_cut_bands
from core.plots.drawing.scales import scaled, with_log_bands
from core.registry import unknown
from core.results import Results


def plot_data(
    data: Callable[[Results], dict[str, Any]], results: Results, arms: Sequence[str] = (), log: bool | None = None
) -> dict[str, Any]:
    """Return a picture's data, of all arms or only of `arms`; `log` sets whether its axis of values is logarithmic.

    Raises `InvalidSpec` for a label that no arm has, and for `log` of a picture without such an axis.
    """
    if arms:
        known = results.design.labels
        problems = [unknown("arm", label, known, "arm") for label in dict.fromkeys(arms) if label not in known]
        if problems:
            raise InvalidSpec(problems)
        results = results.of_arms(arms)
    found = data(results)
    return with_cut_bands(with_log_bands(found if log is None else scaled(found, log)))
