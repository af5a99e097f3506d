"""Writes what is decided, and what is open, in one sentence."""

from core.analysis.report.verdict import quoted
from core.analysis.shapes import Comparison, Report
from core.metrics import Measure

NAMED = 3
"""The most labels in a list; the rest are counted."""


def headline(report: Report, metric: Measure) -> str:
    """Return "Decided: ...; open: ...", of the reference and the arms that it was compared with.

    Empty where nothing is compared: there is no reference, one arm, or a metric that runs share.
    """
    pruned = {one["arm"] for one in report["saved"]["pruned"]}
    mine = [c for c in report["comparisons"] if c["a"] == report["reference"] and c["b"] not in pruned]
    if not mine:
        return ""
    won = [c["b"] for c in mine if c["better"] == c["a"]]
    lost = [c["b"] for c in mine if c["better"] == c["b"]]
    left = [c for c in mine if c["better"] is None]
    say, name = metric.labels, quoted([report["reference"] or ""])
    if report["baseline"] is None:
        decided = [f"{name} has a {say.better} {metric.label} than {_named(won)}"] if won else []
        decided += [f"{_named(lost)} has a {say.better} one on the seeds that both finished"] if lost else []
    else:
        sides = [(who, word) for who, word in ((lost, say.better), (won, say.worse)) if who]
        what = (f"{metric.label} than the baseline {name}", "one")
        decided = [f"{_named(who)} {_have(who)} a {word} {one}" for (who, word), one in zip(sides, what, strict=False)]
    return f"Decided: {', and '.join(decided) or 'nothing'}; open: {_open(left, name, metric, bool(decided))}."


def _named(labels: list[str]) -> str:
    return quoted(labels, NAMED)


def _have(labels: list[str]) -> str:
    return "has" if len(labels) == 1 else "have"


def _open(left: list[Comparison], name: str, metric: Measure, decided: bool) -> str:
    if not left:
        return "nothing"
    if len(left) <= NAMED and decided:
        return f"{_named([c['b'] for c in left])} cannot be told apart from it"
    if decided:
        return f"{len(left)} others cannot be told apart from it"
    best = f"the {metric.labels.best} {metric.label}"
    return f"which arm has {best}, as {name} and {_others(len(left))} cannot be told apart"


def _others(n: int) -> str:
    return "one other" if n == 1 else f"{n} others"
