"""Numbers as people read them: accuracies in percent, their differences in percentage points, losses as they are."""


def is_share(metric: str) -> bool:
    """Whether the metric is a share of examples, written in percent."""
    return metric.endswith("accuracy")


def direction(metric: str) -> int:
    """1 where more is better, as of an accuracy or R², -1 where less is, as of a loss."""
    return -1 if metric.endswith("loss") else 1


def metric_name(metric: str) -> str:
    """`valid_accuracy` as "validation accuracy"."""
    words = metric.replace("_", " ").replace("valid ", "validation ").replace("train ", "training ")
    return words.replace("r2", "R²")


def number(metric: str, value: float | None) -> str:
    """A value of the metric with its unit, "-" where there is none."""
    if value is None:
        return "-"
    return f"{100 * value:.2f} %" if is_share(metric) else f"{value:.4g}"


def difference(metric: str, value: float | None, signed: bool = False) -> str:
    """A difference of two values of the metric with its unit, "-" where there is none."""
    if value is None:
        return "-"
    sign = "+" if signed else ""
    return f"{100 * value:{sign}.2f} percentage points" if is_share(metric) else f"{value:{sign}.4g}"


def span(metric: str, low: float | None, high: float | None, signed: bool = False) -> str:
    """An interval, the unit once; empty where there is none."""
    if low is None or high is None:
        return ""
    sign = "+" if signed else ""
    if not is_share(metric):
        return f"{low:{sign}.4g} to {high:{sign}.4g}"
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}{'' if signed else ' %'}"


def p_value(p: float | None, words: str = "") -> str:
    """A p value in a sentence: "= 0.012", "< 0.001"; `words` stand before an exact one."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{words or '= '}{p:.3f}"
