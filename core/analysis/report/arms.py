"""The part of a report that is about each arm by itself."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.analysis.shapes import ArmReport, Outcomes, Statistics
from core.analysis.statistics.chances import rate, unseen_at_most
from core.analysis.statistics.intervals import Floats, Summary
from core.analysis.statistics.judgement import Judgement
from core.finite import finite_or_none
from core.results import Results, RunResult


class ArmContext(NamedTuple):
    """The results that the reports of all arms draw on."""

    measure: str
    """The name of the outcome that is judged."""
    found: Mapping[str, Sequence[Summary]]
    """Every outcome's summaries, by arm."""
    outcomes: Outcomes
    gone: set[str]
    """The labels of pruned arms."""
    chances: Floats
    """The chance of each arm to be the best, (arms,)."""
    judged: Judgement
    compared: bool
    """False of an outcome that runs share: no arm has a place in it."""
    together: Sequence[Summary]
    """Summaries of the outcome that is judged, whose intervals hold for all arms together."""


def runs_by_arm(results: Results) -> dict[str, list[RunResult]]:
    """Return the runs of every arm, by its label."""
    runs: dict[str, list[RunResult]] = {label: [] for label in results.design.labels}
    for run in results.runs:
        runs[run.arm].append(run)
    return runs


def arm_reports(labels: Sequence[str], runs: Mapping[str, Sequence[RunResult]], context: ArmContext) -> list[ArmReport]:
    """Return the report of every arm, in their order."""
    return [_arm(i, label, runs[label], context) for i, label in enumerate(labels)]


def _arm(index: int, label: str, runs: Sequence[RunResult], context: ArmContext) -> ArmReport:
    finished = [run for run in runs if run.status == "succeeded"]
    pruned = label in context.gone
    ended = [] if pruned else finished
    diverged = sum(run.outcome == "diverged" for run in finished)
    failed = sum(run.status == "failed" for run in runs)
    rates = {"completed": rate(len(ended) - diverged if ended else 0, len(ended))}
    if "steps_to_target" in context.found:
        reached = sum(context.outcomes[run.id]["steps_to_target"] is not None for run in ended)
        rates["reached_target"] = rate(reached, len(ended))
    survivors = [run for run in ended if run.outcome != "diverged"]
    return {
        "label": label,
        **_statistics(context.found[context.measure][index]),
        "simultaneous": {
            "ci_low": finite_or_none(context.together[index].ci_low),
            "ci_high": finite_or_none(context.together[index].ci_high),
        },
        "rank_low": _place(context, context.judged.decisions.rank_low[index]),
        "rank_high": _place(context, context.judged.decisions.rank_high[index]),
        "p_best": finite_or_none(context.chances[index]),
        "runs": len(runs),
        "diverged": diverged,
        "failed": failed,
        "unfinished": len(runs) - len(finished) - failed,
        "stopped_early": sum(run.outcome == "stopped_early" for run in finished),
        "pruned": len(finished) - diverged if pruned else 0,
        "not_finite": sum(context.outcomes[run.id][context.measure] is None for run in survivors),
        "lost": int(context.judged.lost[index]),
        "unseen_at_most": unseen_at_most(len(ended)),
        "rates": rates,
        "outcomes": {name: _statistics(one[index]) for name, one in context.found.items()},
    }


def _place(context: ArmContext, place: int) -> int | None:
    return int(place) or None if context.compared else None


def _statistics(summary: Summary) -> Statistics:
    return {
        "n": summary.n,
        "mean": finite_or_none(summary.mean),
        "sd": finite_or_none(summary.sd),
        "median": finite_or_none(summary.median),
        "iqm": finite_or_none(summary.iqm),
        "ci_low": finite_or_none(summary.ci_low),
        "ci_high": finite_or_none(summary.ci_high),
        "interval": summary.interval,
    }
