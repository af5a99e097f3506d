"""Writes what is decided, and what is open, in one sentence."""

from collections.abc import Sequence

from core.analysis.report.verdict import quoted
from core.analysis.shapes import Comparison, Report
from core.analysis.wording import difference
from core.metrics import Measure

NAMED = 3
"""The most labels in a list; the rest are counted."""


def headline(report: Report, metric: Measure) -> str:
    """Return "Decided: ...; open: ...", of the reference and the arms that it was compared with.

    Where nothing is decided about the reference, the wins among the others are named. Empty where nothing is compared:
    there is no reference, one arm, or a metric that runs share.
    """
    pruned = {one["arm"] for one in report["saved"]["pruned"]}
    mine = [c for c in report["comparisons"] if c["a"] == report["reference"] and c["b"] not in pruned]
    if not mine:
        return ""
    name = quoted([report["reference"] or ""])
    decided = _best(mine, name, metric) if report["baseline"] is None else _baseline(mine, name, metric)
    equal = [c["b"] for c in mine if c["decision"] == "equivalent"]
    if equal and report["margin"] is not None:
        within = f"equivalent within {difference(metric, report['margin'])}"
        both = f"{name} and {quoted(equal)}" if len(equal) == 1 else f"{name} and each of {_named(equal)}"
        decided.append(f"{both} are {within}")
    others = [] if decided else _among_others(report, metric, pruned)
    left = [c for c in mine if c["decision"] == "open"]
    said = ", and ".join(decided or others) or "nothing"
    return f"Decided: {said}; open: {_open(left, name, metric, bool(decided))}."


def _best(mine: Sequence[Comparison], name: str, metric: Measure) -> list[str]:
    say = metric.labels
    won = [c["b"] for c in mine if c["decision"] == "better"]
    lost = [c["b"] for c in mine if c["decision"] == "worse"]
    decided = [f"{name} has a {say.better} {metric.label} than {_named(won)}"] if won else []
    return decided + ([f"{_named(lost)} has a {say.better} one on the seeds that both finished"] if lost else [])


def _baseline(mine: Sequence[Comparison], name: str, metric: Measure) -> list[str]:
    say = metric.labels
    won = [c["b"] for c in mine if c["decision"] == "better"]
    lost = [c["b"] for c in mine if c["decision"] == "worse"]
    sides = [(who, word) for who, word in ((lost, say.better), (won, say.worse)) if who]
    what = (f"{metric.label} than the baseline {name}", "one")
    return [f"{_named(who)} {_have(who)} a {word} {one}" for (who, word), one in zip(sides, what, strict=False)]


def _among_others(report: Report, metric: Measure, pruned: set[str]) -> list[str]:
    """Say which of the other arms beats which, of the first winner in the order."""
    wins = [w for w in report["verdict"]["beats"] if not pruned.intersection((w["winner"], w["loser"]))]
    if not wins:
        return []
    order = report["verdict"]["order"]
    winner = min((w["winner"] for w in wins), key=lambda label: order.index(label) if label in order else len(order))
    beaten = [w["loser"] for w in wins if w["winner"] == winner]
    rest = len(wins) - len(beaten)
    more = f" ({rest} more such pair{'' if rest == 1 else 's'} below)" if rest else ""
    return [f"{quoted([winner])} has a {metric.labels.better} {metric.label} than {_named(beaten)}{more}"]


def _named(labels: list[str]) -> str:
    return quoted(labels, NAMED)


def _have(labels: list[str]) -> str:
    return "has" if len(labels) == 1 else "have"


def _open(left: list[Comparison], name: str, metric: Measure, decided: bool) -> str:
    if not left:
        return "nothing"
    if len(left) <= NAMED and decided:
        return f"{_named([c['b'] for c in left])} cannot be told apart from {name}"
    if decided:
        return f"{len(left)} others cannot be told apart from {name}"
    best = f"the {metric.labels.best} {metric.label}"
    return f"which arm has {best}, as {name} and {_others(len(left))} cannot be told apart"


def _others(n: int) -> str:
    return "one other" if n == 1 else f"{n} others"
