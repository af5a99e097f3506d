"""Numbers as people read them: accuracies in percent, their differences in percentage points, times with their unit."""

from typing import NamedTuple

_LESS = (
    "loss_area",
    "steps_to_target",
    "epochs_to_converge",
    "generalization_gap",
    "stability",
    "seconds",
    "energy_kwh",
    "co2e_g",
)
"""Outcomes, beside losses, of which less is better."""
_DESCRIBE = ("generalization_gap", "stability", "steps_per_second", "seconds", "energy_kwh", "co2e_g")
SHARED = ("steps_per_second", "seconds", "energy_kwh", "co2e_g")
"""Outcomes of the clock and the meter, which the runs of a cohort share: they are no measurements of a run alone."""
_UNITS = {  # of differences: the name of a metric says that it counts
    "steps_to_target": " updates",
    "epochs_to_converge": " epochs",
    "steps_per_second": " updates/s",
    "seconds": " s",
    "energy_kwh": " kWh",
    "co2e_g": " g",
}
_WITH_UNIT = ("seconds", "energy_kwh", "co2e_g")
"""Whose values have it too."""
_NAMES = {
    "loss_area": "area under the training loss (per update)",
    "steps_to_target": "number of updates to the target",
    "epochs_to_converge": "number of epochs to converge",
    "generalization_gap": "generalisation gap",
    "stability": "jump of the validation score between epochs",
    "steps_per_second": "number of updates per second",
    "seconds": "training time",
    "energy_kwh": "energy",
    "co2e_g": "carbon dioxide (CO2e)",
}


class Words(NamedTuple):
    """How arms are called by a metric."""

    best: str
    better: str
    worse: str


def is_share(metric: str) -> bool:
    """Whether the metric is a share of examples, written in percent."""
    return metric.endswith("accuracy")


def direction(metric: str) -> int:
    """1 where more is better, as of an accuracy or R², -1 where less is, as of a loss."""
    return -1 if metric.endswith("loss") or metric in _LESS else 1


def describes(metric: str) -> bool:
    """Whether the outcome is lower or higher, but by itself neither better nor worse."""
    return metric in _DESCRIBE


def words(metric: str) -> Words:
    """Best, better, worse; of what only describes a run: lowest, lower, higher."""
    if not describes(metric):
        return Words("best", "better", "worse")
    return Words("highest", "higher", "lower") if direction(metric) > 0 else Words("lowest", "lower", "higher")


def metric_name(metric: str) -> str:
    """`valid_accuracy` as "validation accuracy"."""
    if metric in _NAMES:
        return _NAMES[metric]
    plain = metric.replace("_", " ").replace("valid ", "validation ").replace("train ", "training ")
    return plain.replace("r2", "R²")


def number(metric: str, value: float | None) -> str:
    """A value of the metric with its unit, "-" where there is none."""
    if value is None:
        return "-"
    return (
        f"{100 * value:.2f} %" if is_share(metric) else f"{value:.4g}{_UNITS[metric] if metric in _WITH_UNIT else ''}"
    )


def difference(metric: str, value: float | None, signed: bool = False) -> str:
    """A difference of two values of the metric with its unit, "-" where there is none."""
    if value is None:
        return "-"
    sign = "+" if signed else ""
    if is_share(metric):
        return f"{100 * value:{sign}.2f} percentage points"
    return f"{value:{sign}.4g}{_UNITS.get(metric, '')}"


def span(metric: str, low: float | None, high: float | None, signed: bool = False) -> str:
    """An interval, the unit once; empty where there is none."""
    if low is None or high is None:
        return ""
    sign = "+" if signed else ""
    if not is_share(metric):
        unit = _UNITS[metric] if metric in _WITH_UNIT and not signed else ""
        return f"{low:{sign}.4g} to {high:{sign}.4g}{unit}"
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}{'' if signed else ' %'}"


def p_value(p: float | None, words: str = "") -> str:
    """A p value in a sentence: "= 0.012", "< 0.001"; `words` stand before an exact one."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{words or '= '}{p:.3f}"
