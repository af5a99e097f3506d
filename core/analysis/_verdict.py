"""The verdict in plain sentences: what is best, what it beats and by how much, and what cannot be told."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis._numbers import difference, direction, metric_name, number, p_value, span

LEVEL = 0.05
MOST = 6
"""Labels named in one sentence; the rest are counted."""


def verdict(report: Mapping[str, Any], groups: Sequence[Sequence[str]]) -> str:
    """Sentences on a report's arms and comparisons; `groups` are its groups of labels."""
    arms = {arm["label"]: arm for arm in report["arms"]}
    if not groups:
        return _nothing(list(arms.values()))
    name = report["baseline"]
    if name is not None and not arms[name]["n"]:
        return f"Cannot tell: no run of the baseline {quoted([name])} has a result."
    first = arms[groups[0][0] if name is None else name]
    text = [_lead(first, report["metric"], name is not None, alone=len(arms) == 1)]
    if len(arms) == 1:
        return f"{text[0]} There is one arm, so nothing is compared."
    comparisons = report["comparisons"]
    if name is None:
        text += _against_best(comparisons, report["metric"], len(arms))
    else:
        text += _against_baseline(comparisons, report["metric"])
    return " ".join(text)


def quoted(labels: Sequence[str], most: int = MOST) -> str:
    """Labels in a sentence: "a", "b" and 3 more."""
    shown = [f'"{label}"' for label in labels[:most]]
    if len(labels) > most:
        return f"{', '.join(shown)} and {len(labels) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _nothing(arms: Sequence[Mapping[str, Any]]) -> str:
    runs, diverged, unfinished = (sum(arm[key] for arm in arms) for key in ("runs", "diverged", "unfinished"))
    if runs and diverged == runs:
        return f"Cannot tell: all {runs} runs diverged (N = 0)."
    if unfinished:
        return f"Cannot tell yet: no run has finished with a result (N = 0 of {runs}; {unfinished} unfinished)."
    return f"Cannot tell: no run finished with a result (N = 0 of {runs})."


def _lead(arm: Mapping[str, Any], metric: str, baseline: bool, alone: bool) -> str:
    sure = span(metric, arm["ci_low"], arm["ci_high"])
    known = f"N = {arm['n']}, 95 % interval {sure}" if sure else f"N = {arm['n']}, no interval"
    lost = f"; {arm['diverged']} of its {arm['runs']} runs diverged and are left out" if arm["diverged"] else ""
    label = quoted([arm["label"]])
    who = f"The baseline {label} has the" if baseline else f"{label} has the" if alone else f"{label} has the best"
    return f"{who} mean {metric_name(metric)} {number(metric, arm['mean'])} ({known}{lost})."


def _against_best(comparisons: Sequence[Mapping[str, Any]], metric: str, arms: int) -> list[str]:
    sign = direction(metric)
    beaten = [c for c in comparisons if _differs(c) and sign * c["difference"] > 0]
    reverse = [c for c in comparisons if _differs(c) and sign * c["difference"] < 0]
    family = f"Holm over all {arms * (arms - 1) // 2} pairs of arms" if arms > 2 else "one comparison"
    return [
        *_sentences("It is better than", beaten, metric, family),
        *_sentences("But on the seeds that both finished it is worse than", reverse, metric, family),
        *_undecided([c for c in comparisons if not _differs(c)], metric, "best" if not beaten else None),
    ]


def _against_baseline(comparisons: Sequence[Mapping[str, Any]], metric: str) -> list[str]:
    sign = direction(metric)
    better = [c for c in comparisons if _differs(c) and sign * c["difference"] < 0]
    worse = [c for c in comparisons if _differs(c) and sign * c["difference"] > 0]
    family = f"Holm over the {len(comparisons)} comparisons with it" if len(comparisons) > 1 else "one comparison"
    return [
        *_sentences("Better than it:", better, metric, family),
        *_sentences("Worse than it:", worse, metric, family),
        *_undecided(
            [c for c in comparisons if not _differs(c)], metric, None if better or worse else "better or worse than it"
        ),
    ]


def _sentences(opening: str, comparisons: Sequence[Mapping[str, Any]], metric: str, family: str) -> list[str]:
    if not comparisons:
        return []
    parts = [
        f'"{c["b"]}" by {difference(metric, abs(c["difference"]))} (N = {c["n"]} pairs)' for c in comparisons[:MOST]
    ]
    if len(comparisons) > MOST:
        parts.append(f"{len(comparisons) - MOST} more")
    worst = max(c["p_adjusted"] for c in comparisons)
    return [f"{opening} {', '.join(parts)}; adjusted p {p_value(worst, 'at most ')} ({family})."]


def _undecided(comparisons: Sequence[Mapping[str, Any]], metric: str, all_of: str | None) -> list[str]:
    tested = [c for c in comparisons if c["p_adjusted"] is not None]
    untested = [c["b"] for c in comparisons if c["p_adjusted"] is None]
    text = []
    if tested:
        parts = [_open(c, metric) for c in tested[:MOST]]
        if len(tested) > MOST:
            parts.append(f"{len(tested) - MOST} more")
        text.append(f"It cannot be told apart from {', '.join(parts)}.")
    if untested:
        text.append(f"Cannot tell about {quoted(untested)}: fewer than two seeds finished in both arms.")
    if all_of is not None and comparisons:
        text.append(f"So these runs cannot tell which arm is {all_of}.")
    return text


def _open(c: Mapping[str, Any], metric: str) -> str:
    sure = span(metric, c["ci_low"], c["ci_high"], signed=True)
    return (
        f'"{c["b"]}" (difference {difference(metric, c["difference"], signed=True)}, 95 % interval {sure}, '
        f"N = {c['n']} pairs, adjusted p {p_value(c['p_adjusted'])})"
    )


def _differs(c: Mapping[str, Any]) -> bool:
    return c["p_adjusted"] is not None and c["p_adjusted"] < LEVEL
