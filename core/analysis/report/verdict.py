"""Writes the verdict in plain sentences: which arm is best, what it beats and by how much, and what stays open."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.analysis.shapes import ArmReport, Comparison, Report, SeedsWanted, Verdict
from core.analysis.wording import difference, number, p_value, span
from core.design import FEWEST_PAIRS
from core.metrics import Measure

MOST = 6
"""The most labels named in one sentence; the rest are counted."""

APART = 2
"""The most arms whose differences from the best, if they are not told apart, are given with their intervals."""


def verdict(report: Report, metric: Measure) -> str:
    """Return sentences on a report's arms, comparisons and their decisions."""
    arms = {arm["label"]: arm for arm in report["arms"]}
    if not report["verdict"]["groups"]:
        return _nothing(list(arms.values()), report["runs"])
    name = report["baseline"]
    comparisons = [c for c in report["comparisons"] if c["a"] == report["reference"]]
    if name is not None and not arms[name]["n"] and all(c["decision"] == "open" for c in comparisons):
        return f"Cannot tell: no run of the baseline {quoted([name])} has a result."
    first = arms[report["reference"] or ""]
    text = _lead(first, list(arms.values()), metric, report)
    if len(arms) == 1:
        return " ".join([*text, "There is one arm, so nothing is compared."])
    if metric.shared:
        shared = "Runs that train together share it: it is one measurement, not several"
        return " ".join([*text, f"{shared}, so arms are not compared by it."])
    family = _family(report, len(comparisons))
    text += _decided(comparisons, metric, name is not None, family)
    text += _equivalent(comparisons, metric, report["margin"], family)
    text += _undecided([c for c in comparisons if c["decision"] == "open"], metric, _level(report))
    text += _separation(report["verdict"], comparisons, metric)
    return " ".join([*text, *_conclusion(comparisons, name, metric)])


def _family(report: Report, with_it: int) -> str:
    """Return what p is adjusted for; `with_it` are the comparisons with the baseline, where there is one."""
    arms = len(report["arms"])
    number, pairs = arms * (arms - 1) // 2, "pairs of arms"
    if report["baseline"] is not None:
        number, pairs = with_it, "comparisons with it"
    among = f"all {number} {pairs}" if report["baseline"] is None else f"the {number} {pairs}"
    if report["looks"]:
        return f"over {among if number > 1 else 'one comparison'} and all looks"
    return f"Holm over {among}" if number > 1 else "one comparison"


def quoted(labels: Sequence[str], most: int = MOST) -> str:
    """Return labels in a sentence: "a", "b" and 3 more."""
    shown = [f'"{label}"' for label in labels[:most]]
    if len(labels) > most:
        return f"{', '.join(shown)} and {len(labels) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def more_may_come(runs: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a run of a report is still to end; False where what has not finished was cancelled."""
    return any(run["status"] in ("queued", "running") for run in runs)


def _nothing(arms: Sequence[ArmReport], each: Iterable[Mapping[str, Any]]) -> str:
    runs, diverged, unfinished = (sum(arm[key] for arm in arms) for key in ("runs", "diverged", "unfinished"))
    if runs and diverged == runs:
        which = f"all {runs} runs" if runs > 1 else "the only run"
        return f"Cannot tell: {which} diverged (N = 0)."
    if unfinished and not more_may_come(each):
        stopped = f"N = 0 of {runs}; {unfinished} cancelled"
        return f"Cannot tell: it was cancelled before a run finished with a result, and nothing more comes ({stopped})."
    if unfinished:
        return f"Cannot tell yet: no run has finished with a result (N = 0 of {runs}; {unfinished} unfinished)."
    return f"Cannot tell: no run finished with a result (N = 0 of {runs})."


def _lead(first: ArmReport, arms: Sequence[ArmReport], metric: Measure, report: Report) -> list[str]:
    """Introduce the arm that the others are compared with, and name those whose mean alone is better than its."""
    label, baseline = quoted([first["label"]]), report["baseline"] is not None
    if not first["n"]:
        return [f"No run of the baseline {label} came to a value."]
    chosen = not baseline and len(arms) > 1
    above = [] if not chosen or metric.shared else _above(first, arms, metric)
    bounds = first["simultaneous"] if chosen and not metric.shared else None
    low, high = (bounds or first)["ci_low"], (bounds or first)["ci_high"]
    sure = span(metric, low, high)
    level = "95 % interval" if bounds is None else f"{_level(report)} interval for the best of {len(arms)} arms"
    known = f"N = {first['n']}, {level} {sure}" if sure else f"N = {first['n']}, no interval"
    lost = f"; {first['diverged']} of its {first['runs']} runs diverged and are left out" if first["diverged"] else ""
    mean = f"mean {metric.label} {number(metric, first['mean'])} ({known}{lost})."
    if above:
        return [f"{label} comes first, with the {mean}", *above]
    if baseline:
        return [f"The baseline {label} has the {mean}"]
    return [f"{label} has the {f'{metric.labels.best} ' if len(arms) > 1 else ''}{mean}"]


def _above(first: ArmReport, arms: Sequence[ArmReport], metric: Measure) -> list[str]:
    """Name arms of a better mean that do not come first: they lost more runs, have one run, or are beaten."""
    better = [
        a for a in arms if a["mean"] is not None and metric.sign * a["mean"] > metric.sign * (first["mean"] or 0.0)
    ]
    lost = [a["label"] for a in better if a["n"] > 1 and a["lost"]]
    other = [a["label"] for a in better if a["n"] > 1 and not a["lost"]]
    alone = [a["label"] for a in better if a["n"] == 1]
    say, text = metric.labels, []
    if lost:
        text.append(
            f"The mean of {quoted(lost)} is {say.better}, but of the runs that came to a value alone: others were "
            "lost, which is worse than any value."
        )
    if other:
        text.append(
            f"The mean of {quoted(other)} is {say.better}, but of other seeds: those that both finished decide."
        )
    if alone:
        text.append(f"Of {quoted(alone)} there is one value alone.")
    return text


def _level(report: Report) -> str:
    """Return the confidence of the verdict's intervals: "95 %"."""
    return f"{100 * (1 - report['alpha']):.4g} %"


def _decided(comparisons: Sequence[Comparison], metric: Measure, baseline: bool, family: str) -> list[str]:
    won = [c for c in comparisons if c["decision"] == "better"]
    lost = [c for c in comparisons if c["decision"] == "worse"]
    say = metric.labels
    if baseline:
        return [
            *_sentences(f"{say.better.capitalize()} than it:", lost, metric, family),
            *_sentences(f"{say.worse.capitalize()} than it:", won, metric, family),
        ]
    return [
        *_sentences(f"It is {say.better} than", won, metric, family),
        *_sentences(f"But on the seeds that both finished it is {say.worse} than", lost, metric, family),
    ]


def _equivalent(comparisons: Sequence[Comparison], metric: Measure, margin: float | None, family: str) -> list[str]:
    found = [c for c in comparisons if c["decision"] == "equivalent"]
    if not found or margin is None:
        return []
    parts = [
        f'"{c["b"]}" (difference {difference(metric, c["difference"], signed=True)}, {_count(c)})' for c in found[:MOST]
    ]
    sure = _adjusted(c["p_equivalence"] for c in found)
    return [
        f"Equivalent to it within {difference(metric, margin)}: {_listed(parts, found)}; two one-sided tests, adjusted "
        f"p {sure} ({family})."
    ]


def _sentences(opening: str, comparisons: Sequence[Comparison], metric: Measure, family: str) -> list[str]:
    by_value = [c for c in comparisons if c["test"] != "ranks"]
    text = []
    if by_value:
        parts = [
            f'"{c["b"]}" by {difference(metric, abs(c["difference"] or 0.0))} ({_count(c)})' for c in by_value[:MOST]
        ]
        sure = _adjusted(c["p_adjusted"] for c in by_value)
        text.append(f"{opening} {_listed(parts, by_value)}; adjusted p {sure} ({family}).")
        wide = [c["b"] for c in by_value if _holds_zero(c)]
        if wide:
            text.append(
                f"Of {quoted(wide)} Holm decides, while the interval that holds for all pairs together still has 0."
            )
    by_rank = [c for c in comparisons if c["test"] == "ranks"]
    if by_rank:
        parts = [f'"{c["b"]}" (which lost {_lost(c, 1)} runs, against {_lost(c, 0)})' for c in by_rank[:MOST]]
        sure = _adjusted(c["p_adjusted"] for c in by_rank)
        text.append(
            f"{opening} {_listed(parts, by_rank)}, by ranks in which a lost run is the worst; adjusted p {sure} "
            f"({family})."
        )
    return text


def _adjusted(p: Iterable[float | None]) -> str:
    """Return the largest of adjusted p in words: of several a bound."""
    every = [one or 0.0 for one in p]
    return p_value(max(every), "at most " if len(every) > 1 else "")


def _undecided(comparisons: Sequence[Comparison], metric: Measure, level: str) -> list[str]:
    by_rank = [c for c in comparisons if any(c["lost"]) and min(c["finished"]) >= FEWEST_PAIRS]
    rest = [c for c in comparisons if c not in by_rank]
    tested = [c for c in rest if c["p_adjusted"] is not None]
    untested = [c for c in rest if c["p_adjusted"] is None]
    text = []
    if len(tested) > APART:
        text.append(f"{len(tested)} others cannot be told apart from it: {quoted([c['b'] for c in tested])}.")
    elif tested:
        text.append(f"It cannot be told apart from {_listed([_open(c, metric, level) for c in tested], tested)}.")
    if by_rank:
        parts = [_open_by_rank(c, metric) for c in by_rank[:MOST]]
        why = "As runs were lost, which says nothing here" if metric.describes else "With lost runs as the worst"
        text.append(f"{why}, it cannot be told apart from {_listed(parts, by_rank)}.")
    if untested:
        text.append(
            f"Cannot tell about {quoted([c['b'] for c in untested])}: fewer than three seeds finished in both arms."
        )
    return text


def _conclusion(comparisons: Sequence[Comparison], baseline: str | None, metric: Measure) -> list[str]:
    """Say that nothing was decided, if so."""
    say = metric.labels
    if not comparisons or any(c["decision"] != "open" for c in comparisons):
        return []
    all_of = say.best if baseline is None else f"{say.better} or {say.worse} than it"
    return [f"So these runs cannot tell which arm is {all_of}."]


def _separation(verdict: Verdict, comparisons: Sequence[Comparison], metric: Measure) -> list[str]:
    """Say which difference the pairs of the two foremost arms would show, if they were not told apart."""
    seen, wanted = verdict["detectable"], verdict["seeds_wanted"]
    if (
        seen is None
        or wanted is None
        or not any(c["b"] == seen["b"] and c["decision"] == "open" and c["test"] != "ranks" for c in comparisons)
    ):
        return []
    text = (
        f"Between {quoted([seen['a'], seen['b']])}, {seen['n']} pairs would show a true difference of about "
        f"{difference(metric, seen['difference'])} with 80 % power"
    )
    return [f"{text}; {_wanted(wanted, metric)}."]


def _wanted(wanted: SeedsWanted, metric: Measure) -> str:
    """Say how many seeds would decide: by the margin, or a range, as the measured difference alone plans nothing."""
    if wanted["margin"] is not None:
        asked = f"one as large as the margin of {difference(metric, wanted['margin'])}"
        if wanted["seeds"] is None and wanted["floor"]:
            return f"no number of seeds is planned to show {asked}: {_stays(wanted, metric)}"
        seeds = "more than 10,000" if wanted["seeds"] is None else f"{wanted['seeds']}"
        return f"{seeds} seeds are planned to show {asked}"
    if wanted["fewest"] is None and wanted["floor"]:
        return f"no number of seeds would show one such as these pairs allow: {_stays(wanted, metric)}"
    if wanted["fewest"] is None:
        return "to show one such as these pairs allow would take more than 10,000 seeds"
    most = f"at most {wanted['most']}" if wanted["most"] is not None else "without a bound, as it may be none at all"
    return (
        f"to show a difference that these pairs allow would take {wanted['fewest']} seeds at least, {most}: "
        "a margin in the spec would plan them"
    )


def _stays(wanted: SeedsWanted, metric: Measure) -> str:
    error = difference(metric, wanted["floor"])
    return f"a standard error of {error} stays, which the seeds share, and more data alone would lessen"


def _count(c: Comparison) -> str:
    return f"N = {c['n']} {'pairs' if c['paired'] else 'runs each at least'}"


def _listed(parts: Sequence[str], all_of: Sequence[Comparison]) -> str:
    return ", ".join([*parts, *([f"{len(all_of) - MOST} more"] if len(all_of) > MOST else [])])


def _lost(c: Comparison, side: int) -> str:
    return f"{c['lost'][side]} of {c['finished'][side]}"


def _open(c: Comparison, metric: Measure, level: str) -> str:
    sure = span(metric, c["ci_low"], c["ci_high"], signed=True)
    interval = f"{level} interval {sure}, " if sure else ""
    return (
        f'"{c["b"]}" (difference {difference(metric, c["difference"], signed=True)}, {interval}'
        f"{_count(c)}, adjusted p {p_value(c['p_adjusted'])})"
    )


def _open_by_rank(c: Comparison, metric: Measure) -> str:
    known = f"difference {difference(metric, c['difference'], signed=True)} over {_count(c)}, but " if c["n"] else ""
    p = f", adjusted p {p_value(c['p_adjusted'])}" if c["p_adjusted"] is not None else ""
    return f'"{c["b"]}" ({known}it lost {_lost(c, 1)} runs, against {_lost(c, 0)}{p})'


def _holds_zero(c: Comparison) -> bool:
    return c["ci_low"] is not None and c["ci_high"] is not None and c["ci_low"] <= 0 <= c["ci_high"]
