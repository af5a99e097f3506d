"""Writes warnings: sentences on what a report's numbers cannot carry."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from core.analysis.looks import decided_by
from core.analysis.report.verdict import more_may_come, quoted
from core.analysis.shapes import ArmReport, Report
from core.analysis.wording import difference, number
from core.datasets import DataError
from core.design import DATASET_FIELDS
from core.errors import Warned
from core.metrics import Measure
from core.results import Results

FEW = 5
"""The number of seeds below which an interval is wide, and leans on the runs being normally distributed."""
CEILING = 0.99
"""The accuracy or R² above which arms have little room left to differ."""
Arms = Sequence[ArmReport]


def warn(report: Report, results: Results, known: Mapping[str, Measure]) -> list[str]:
    """Return one sentence for each thing to beware of; `report` has its arms and comparisons, `known` all outcomes."""
    arms, measure = report["arms"], known[report["metric"]]
    return [
        *_diverged(arms, results),
        *_missing(report, measure),
        *_few(arms),
        *_optimistic(arms, measure, results),
        *_chance(arms, results),
        *_of_the_mean(arms, results),
        *_no_width(arms, measure),
        *_beyond(report, measure),
        *_comparisons(report, measure),
        *_ceiling(report, measure),
        *_looks(report, results),
        *_data_sets(results),
        *_budgets(results),
        *_grid(report, results),
    ]


def said(sentences: Iterable[str]) -> list[Warned]:
    """Return sentences that are about no field of a spec as warnings."""
    return [{"path": "", "message": sentence} for sentence in sentences]


def _diverged(arms: Arms, results: Results) -> Iterator[str]:
    for arm in arms:
        if not arm["diverged"]:
            continue
        seeds = [r.seed for r in results.runs if r.arm == arm["label"] and r.outcome == "diverged"]
        shown = ", ".join(map(str, seeds[:10])) + (", ..." if len(seeds) > 10 else "")
        all_of = arm["diverged"] == arm["runs"]
        every = f"all {arm['runs']} runs" if arm["runs"] > 1 else "its only run"
        which = every if all_of else f"{arm['diverged']} of {arm['runs']} runs"
        left = "are" if arm["diverged"] > 1 else "is"
        mean = f"its mean is of N = {arm['n']} others only" if arm["n"] else "it has no mean"
        yield (
            f"{quoted([arm['label']])}: {which} diverged (seed{'s' if len(seeds) > 1 else ''} {shown}) "
            f"and {left} left out: {mean}."
        )


def _missing(report: Report, measure: Measure) -> Iterator[str]:
    arms = report["arms"]
    waits = "have not finished (queued, running or cancelled)" if more_may_come(report["runs"]) else "were cancelled"
    counts: list[tuple[Callable[[ArmReport], int], str]] = [
        (lambda arm: arm["failed"], "failed"),
        (lambda arm: arm["unfinished"], waits),
        (lambda arm: arm["not_finite"], measure.never),
    ]
    for count, words in counts:
        hit = [arm for arm in arms if count(arm)]
        if hit:
            total, runs = sum(count(arm) for arm in hit), sum(arm["runs"] for arm in arms)
            yield f"{total} of {runs} runs {words}, of {quoted([arm['label'] for arm in hit])}; they are in no mean."


def _few(arms: Arms) -> Iterator[str]:
    by_n: dict[int, list[str]] = defaultdict(list)
    for arm in arms:
        if 0 < arm["n"] < FEW:
            by_n[arm["n"]].append(arm["label"])
    for n, labels in sorted(by_n.items()):
        whose = "every arm" if len(labels) == len(arms) else quoted(labels)
        effect = "there is no interval and no test" if n == 1 else "intervals are wide and lean on normality"
        yield f"Few seeds: N = {n} in {whose}; {effect}. Use {FEW} or more."


def _optimistic(arms: Arms, measure: Measure, results: Results) -> Iterator[str]:
    """Say that a maximum gains from noise, and between which arms' curves it differs."""
    if not measure.extreme:
        return
    score, seen = results.design.score, ""
    if score is not None and measure.name == f"best_{score.name}":
        jumps = [(one["mean"], arm["label"]) for arm in arms if (one := arm["outcomes"].get("stability")) is not None]
        found = sorted((jump, label) for jump, label in jumps if jump is not None)
        if len(found) > 1 and found[0][0] < found[-1][0]:
            least, most = (f"{quoted([label])} by {difference(score, jump)}" for jump, label in (found[0], found[-1]))
            seen = f" From epoch to epoch jump the curves of {least}, and those of {most}."
    yield (
        f"The {measure.label} is optimistic: the best of all epochs gains from noise, and of two equal arms the one "
        f"whose curve jumps more has the better one.{seen} Choose an epoch by it, and judge by the last one or by a "
        "test split."
    )


def _chance(arms: Arms, results: Results) -> Iterator[str]:
    """Name the arms whose validation accuracy is that of naming the most frequent class always."""
    at_chance: dict[tuple[int, float], list[str]] = defaultdict(list)
    for label, values in _finals(results, results.design.find("accuracy", "valid")).items():
        training = results.design.arm(label).training
        if training is None:
            return
        try:
            data = training.info()
        except DataError:
            return  # without the data set's sizes chance is not known
        classes = max(2, data.outputs)
        chance = data.chance or 1 / classes
        if sum(values) / len(values) <= chance + 3 * math.sqrt(chance * (1 - chance) / data.valid):
            at_chance[classes, chance].append(label)
    for (classes, chance), labels in at_chance.items():
        whole = "No arm learned" if len(labels) == len(arms) else f"{quoted(labels)} did not learn"
        yield f"{whole}: the validation accuracy is at chance level, {100 * chance:.3g} % for {classes} classes."


def _finals(results: Results, metric: Measure | None) -> dict[str, list[float]]:
    """Return the last values of the runs that came to their end, by arm."""
    finals: dict[str, list[float]] = defaultdict(list)
    for run in results.runs:
        value = None if metric is None else run.final.get(metric.name)
        if value is not None and run.status == "succeeded" and run.outcome not in ("diverged", "pruned"):
            finals[run.arm].append(value)
    return finals


def _of_the_mean(arms: Arms, results: Results) -> Iterator[str]:
    """Name the arms of a regression that explain nothing of the validation targets."""
    finals = _finals(results, results.design.find("R²", "valid"))
    labels = [label for label, values in finals.items() if sum(values) / len(values) <= 0]
    if labels:
        whole = "No arm learned" if len(labels) == len(arms) else f"{quoted(labels)} did not learn"
        yield f"{whole}: predicting the mean always would be as good on the validation split (R² of 0 or less)."


def _no_width(arms: Arms, measure: Measure) -> Iterator[str]:
    hit = [arm for arm in arms if arm["n"] > 1 and arm["sd"] == 0]
    if hit:
        values = ", ".join(f"{quoted([arm['label']])} at {number(measure, arm['mean'])}" for arm in hit)
        yield f"Every run of an arm ended at the same value: {values}. An interval without width is not certainty."


def _beyond(report: Report, measure: Measure) -> Iterator[str]:
    if not measure.share:
        return
    first = report["reference"] if report["baseline"] is None else None  # its interval in words is the wider one
    hit = [
        arm["label"]
        for arm in report["arms"]
        for bounds in [(arm["simultaneous"] if arm["label"] == first else None) or arm]
        if bounds["ci_low"] is not None and (bounds["ci_low"] < 0 or (bounds["ci_high"] or 0.0) > 1)
    ]
    if hit:
        yield (
            f"The interval of {quoted(hit)} reaches outside 0 to 100 %: Student's t does not know the bounds, and "
            "is rough there."
        )


def _comparisons(report: Report, measure: Measure) -> Iterator[str]:
    n = {arm["label"]: arm["n"] for arm in report["arms"]}
    unpaired = [c["b"] for c in report["comparisons"] if c["n"] < min(n[c["a"]], n[c["b"]])]
    if unpaired:
        why = "a look decided before the others were trained" if report["looks"] else "the seeds differ"
        yield f"Compared on fewer seeds than either arm finished, because {why}: {quoted(unpaired)}."
    for c in report["comparisons"]:
        if c["n"] > 1 and c["effect_size"] is None and c["difference"] and c["test"] in ("signs", "constants"):
            p = (
                "p is the exact sign test's"
                if c["test"] == "signs"
                else "p is the chance at most that two equal arms come to two constants"
            )
            yield (
                f"{quoted([c['a']])} and {quoted([c['b']])} differ by the same "
                f"{difference(measure, abs(c['difference']))} in all {c['n']} pairs. Without variation there "
                f"is no t test; {p}."
            )


def _ceiling(report: Report, measure: Measure) -> Iterator[str]:
    if measure.bounds[1] != 1 or measure.sign < 0:
        return
    high = [arm["label"] for arm in report["arms"] if arm["n"] and (arm["mean"] or 0.0) >= CEILING]
    if len(high) > 1 and report["reference"] in high:
        yield (
            f"Ceiling: the mean of {quoted(high)} is {number(measure, CEILING)} or more, which leaves little room to "
            "differ. Fewer epochs, the updates to a target, or a harder task may tell them apart."
        )


def _looks(report: Report, results: Results) -> Iterator[str]:
    """Name decisions of looks that the runs as they are now do not bear out: some were trained again since."""
    if report["metric"] != results.design.primary.name or report["alpha"] != results.design.alpha:
        return
    now = {frozenset((c["a"], c["b"])): c for c in report["comparisons"]}
    for (a, b), one in decided_by(results.looks).items():
        found = now.get(frozenset((a, b)))
        if one["decision"] not in ("better", "worse") or found is None:
            continue
        better, other = (a, b) if one["decision"] == "better" else (b, a)
        if found["better"] != better:
            yield (
                f"After {one['seeds']} seeds a look found {quoted([better])} better than {quoted([other])}, and no "
                "more were trained for that. Runs that have ended since, trained again, leave it open: more seeds, in "
                "a new experiment, would tell."
            )


def _data_sets(results: Results) -> Iterator[str]:
    """Say that arms have different data sets, where these are no blocks."""
    design = results.design
    if design.dataset_grid is not None:
        return
    sets = {tuple(arm.settings.get(field, "").partition("(")[0] for field in DATASET_FIELDS) for arm in design.arms}
    if len(sets) > 1:
        yield (
            "Arms have different data sets, so that a difference between them may be that of the data. A grid over "
            "dataset compares arms within each set, and over all sets."
        )


def _budgets(results: Results) -> Iterator[str]:
    """Name arms that were given more updates or examples than others."""
    updates: dict[str, int] = {}
    examples: dict[str, int] = {}
    for arm in results.design.arms:
        if arm.training is None:
            return
        updates[arm.label] = results.steps_in_epoch(arm.label) * arm.training.epochs
        try:
            examples[arm.label] = arm.training.info().train * arm.training.epochs
        except DataError:
            examples.clear()  # without the data set's sizes they are not known
            break
    if len(set(updates.values())) == 1 and len(set(examples.values())) <= 1:
        return
    parts = [
        _range(values, unit)
        for values, unit in ((updates, "updates"), (examples, "examples"))
        if len(set(values.values())) > 1
    ]
    same = f", of the same {next(iter(examples.values())):,} examples" if len(set(examples.values())) == 1 else ""
    yield f"Budgets differ: a run has {' and '.join(parts)}{same}. A difference may be that of the budget."


def _range(values: Mapping[str, int], unit: str) -> str:
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    return f"{values[low]:,} ({quoted([low])}) to {values[high]:,} ({quoted([high])}) {unit}"


def _grid(report: Report, results: Results) -> Iterator[str]:
    if report["factorial"] is None:
        return
    n, seeds = report["factorial"]["complete"], len(results.design.seeds)
    if not report["factorial"]["effects"]:
        yield "No effects of the grid: they need two seeds with values that connect all cells."
    elif n < seeds:
        yield (
            f"Only {n} of {seeds} seeds have a value in every cell of the grid: its effects are of all seeds, by least "
            "squares within each."
        )
