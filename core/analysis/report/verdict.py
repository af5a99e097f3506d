"""Writes the verdict in plain sentences: which arm is best, what it beats and by how much, and what stays open."""

from collections.abc import Sequence

from core.analysis.shapes import ArmReport, Comparison, Report, SeedsWanted, Verdict
from core.analysis.statistics.judgement import LEVEL
from core.analysis.wording import difference, number, p_value, span
from core.metrics import Measure

MOST = 6
"""The most labels named in one sentence; the rest are counted."""

APART = 2
"""The most arms whose differences from the best, if they are not told apart, are given with their intervals."""


def verdict(report: Report, metric: Measure) -> str:
    """Return sentences on a report's arms, comparisons and groups."""
    arms = {arm["label"]: arm for arm in report["arms"]}
    groups = report["verdict"]["groups"]
    if not groups:
        return _nothing(list(arms.values()))
    name = report["baseline"]
    if name is not None and not arms[name]["n"]:
        return f"Cannot tell: no run of the baseline {quoted([name])} has a result."
    first = arms[report["reference"] or ""]
    text = [_lead(first, metric, name is not None, alone=len(arms) == 1)]
    if len(arms) == 1:
        return f"{text[0]} There is one arm, so nothing is compared."
    if metric.shared:
        shared = "Runs that train together share it: it is one measurement, not several"
        return f"{text[0]} {shared}, so arms are not compared by it."
    comparisons = [c for c in report["comparisons"] if c["a"] == first["label"]]
    if name is None:
        text += _unreliable(first, list(arms.values()), metric)
        text += _against_best(comparisons, metric, len(arms))
    else:
        text += _against_baseline(comparisons, metric)
    return " ".join(
        [*text, *_separation(report["verdict"], comparisons, metric), *_conclusion(comparisons, name, metric)]
    )


def quoted(labels: Sequence[str], most: int = MOST) -> str:
    """Return labels in a sentence: "a", "b" and 3 more."""
    shown = [f'"{label}"' for label in labels[:most]]
    if len(labels) > most:
        return f"{', '.join(shown)} and {len(labels) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _nothing(arms: Sequence[ArmReport]) -> str:
    runs, diverged, unfinished = (sum(arm[key] for arm in arms) for key in ("runs", "diverged", "unfinished"))
    if runs and diverged == runs:
        return f"Cannot tell: all {runs} runs diverged (N = 0)."
    if unfinished:
        return f"Cannot tell yet: no run has finished with a result (N = 0 of {runs}; {unfinished} unfinished)."
    return f"Cannot tell: no run finished with a result (N = 0 of {runs})."


def _lead(arm: ArmReport, metric: Measure, baseline: bool, alone: bool) -> str:
    sure = span(metric, arm["ci_low"], arm["ci_high"])
    known = f"N = {arm['n']}, 95 % interval {sure}" if sure else f"N = {arm['n']}, no interval"
    lost = f"; {arm['diverged']} of its {arm['runs']} runs diverged and are left out" if arm["diverged"] else ""
    label = quoted([arm["label"]])
    who = f"The baseline {label} has the" if baseline else f"{label} has the"
    who += "" if baseline or alone else f" {metric.labels.best}"
    return f"{who} mean {metric.label} {number(metric, arm['mean'])} ({known}{lost})."


def _unreliable(first: ArmReport, arms: Sequence[ArmReport], metric: Measure) -> list[str]:
    """Name arms whose survivors did better than the best arm's runs."""
    sign = metric.sign
    labels = [a["label"] for a in arms if a["n"] > 1 and sign * (a["mean"] or 0.0) > sign * (first["mean"] or 0.0)]
    if not labels:
        return []
    return [
        f"The mean of {quoted(labels)} is {metric.labels.better}, but of half of the runs or fewer: "
        "the others came to no value, so it does not come first."
    ]


def _against_best(comparisons: Sequence[Comparison], metric: Measure, arms: int) -> list[str]:
    beaten = [c for c in comparisons if c["better"] == c["a"]]
    reverse = [c for c in comparisons if c["better"] == c["b"]]
    family = f"Holm over all {arms * (arms - 1) // 2} pairs of arms" if arms > 2 else "one comparison"
    say = metric.labels
    return [
        *_sentences(f"It is {say.better} than", beaten, metric, family),
        *_sentences(f"But on the seeds that both finished it is {say.worse} than", reverse, metric, family),
        *_undecided([c for c in comparisons if c["better"] is None], metric),
    ]


def _against_baseline(comparisons: Sequence[Comparison], metric: Measure) -> list[str]:
    better = [c for c in comparisons if c["better"] == c["b"]]
    worse = [c for c in comparisons if c["better"] == c["a"]]
    family = f"Holm over the {len(comparisons)} comparisons with it" if len(comparisons) > 1 else "one comparison"
    say = metric.labels
    return [
        *_sentences(f"{say.better.capitalize()} than it:", better, metric, family),
        *_sentences(f"{say.worse.capitalize()} than it:", worse, metric, family),
        *_undecided([c for c in comparisons if c["better"] is None], metric),
    ]


def _sentences(opening: str, comparisons: Sequence[Comparison], metric: Measure, family: str) -> list[str]:
    by_value = [c for c in comparisons if _differs(c)]
    text = []
    if by_value:
        parts = [
            f'"{c["b"]}" by {difference(metric, abs(c["difference"] or 0.0))} (N = {c["n"]} pairs)'
            for c in by_value[:MOST]
        ]
        worst = max(c["p_adjusted"] or 0.0 for c in by_value)
        text.append(f"{opening} {_listed(parts, by_value)}; adjusted p {p_value(worst, 'at most ')} ({family}).")
    by_loss = [c for c in comparisons if not _differs(c)]
    if by_loss:
        parts = [f'"{c["b"]}" ({_lost(c, 0)} against {_lost(c, 1)})' for c in by_loss[:MOST]]
        worst = max(c["p_lost_adjusted"] or 0.0 for c in by_loss)
        fewer = "Fewer" if by_loss[0]["better"] == by_loss[0]["a"] else "More"
        text.append(
            f"{fewer} of its runs came to no value than of {_listed(parts, by_loss)}; Fisher's exact test, adjusted p "
            f"{p_value(worst, 'at most ')}."
        )
    return text


def _undecided(comparisons: Sequence[Comparison], metric: Measure) -> list[str]:
    mixed = [c for c in comparisons if _differs(c)]
    tested = [c for c in comparisons if c["p_adjusted"] is not None and not _differs(c)]
    untested = [c for c in comparisons if c["p_adjusted"] is None]
    text = []
    if len(tested) > APART:
        text.append(f"{len(tested)} others cannot be told apart from it: {quoted([c['b'] for c in tested])}.")
    elif tested:
        text.append(f"It cannot be told apart from {_listed([_open(c, metric) for c in tested], tested)}.")
    if mixed:
        parts = [
            f'"{c["b"]}" (difference {difference(metric, c["difference"], signed=True)} over N = {c["n"]} pairs, '
            f"but without a value were {_lost(c, 0)} runs against {_lost(c, 1)})"
            for c in mixed[:MOST]
        ]
        text.append(
            f"Values and losses of runs point opposite ways, so neither is called {metric.labels.better}, with "
            f"{_listed(parts, mixed)}."
        )
    if untested:
        text.append(
            f"Cannot tell about {quoted([c['b'] for c in untested])}: fewer than two seeds finished in both arms."
        )
    return text


def _conclusion(comparisons: Sequence[Comparison], baseline: str | None, metric: Measure) -> list[str]:
    """Say that nothing was decided, if so."""
    say = metric.labels
    if any(c["better"] == c["a"] or (baseline is not None and c["better"] is not None) for c in comparisons):
        return []
    if all(c["better"] is not None for c in comparisons):
        return []
    all_of = say.best if baseline is None else f"{say.better} or {say.worse} than it"
    return [f"So these runs cannot tell which arm is {all_of}."]


def _separation(verdict: Verdict, comparisons: Sequence[Comparison], metric: Measure) -> list[str]:
    """Say which difference the pairs of the two foremost arms would show, if they were not told apart."""
    seen, wanted = verdict["detectable"], verdict["seeds_wanted"]
    if (
        seen is None
        or wanted is None
        or not any(c["b"] == seen["b"] and c["better"] is None and not _differs(c) for c in comparisons)
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
        seeds = "more than 10,000" if wanted["seeds"] is None else f"{wanted['seeds']}"
        return f"{seeds} seeds are planned to show {asked}"
    if wanted["fewest"] is None:
        return "to show one such as these pairs allow would take more than 10,000 seeds"
    most = f"at most {wanted['most']}" if wanted["most"] is not None else "without a bound, as it may be none at all"
    return (
        f"to show a difference that these pairs allow would take {wanted['fewest']} seeds at least, {most}: "
        "a margin in the spec would plan them"
    )


def _listed(parts: Sequence[str], all_of: Sequence[Comparison]) -> str:
    return ", ".join([*parts, *([f"{len(all_of) - MOST} more"] if len(all_of) > MOST else [])])


def _lost(c: Comparison, side: int) -> str:
    return f"{c['lost'][side]} of {c['finished'][side]}"


def _open(c: Comparison, metric: Measure) -> str:
    sure = span(metric, c["ci_low"], c["ci_high"], signed=True)
    return (
        f'"{c["b"]}" (difference {difference(metric, c["difference"], signed=True)}, 95 % interval {sure}, '
        f"N = {c['n']} pairs, adjusted p {p_value(c['p_adjusted'])})"
    )


def _differs(c: Comparison) -> bool:
    return c["p_adjusted"] is not None and c["p_adjusted"] < LEVEL
