"""The findings of every arm: faults that most of its runs have, with the medians of the numbers that show them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from core.analysis.findings._evidence import evidence_by_run, measured_of
from core.analysis.findings._rule import Finding, Measured, Rule, rules
from core.analysis.findings._runs import Curves, LayerDiagnostics
from core.analysis.shapes import FindingReport
from core.finite import finite_or_none
from core.results import Results


class Found(NamedTuple):
    """A rule, its findings in an arm's runs, and the rule whose finding they follow from."""

    rule: Rule[Any]
    findings: Sequence[Finding]
    cause: Rule[Any] | None


def findings(results: Results) -> list[FindingReport]:
    """Return what is wrong with each arm, in the order of the arms, causes first; of each rule at most one an arm.

    `{arm, kind, layer, step, evidence, explanation, explained_by}`: the rule's name, the layer that most runs have it
    in (None for what curves show), the update at which most of those show it, and in `evidence` the medians over them,
    the `threshold` that they pass, all `layers` that have it, and how many `seeds` have it `of` how many that could be
    judged: always more than half. `explained_by` is the kind that it follows from, by what its rule `explains`; a rule
    that would name a wrong cause then, such as the learning rate, is silent. Rules that look at layers need a spec
    with `diagnostics`, but for neurons that the initializer makes alike; those that look at curves need finished runs.
    The bounds are in the rules' files. No number is NaN or infinite.
    """
    arms = {label: ArmFindings(label, measured_of(results.design)) for label in results.design.labels}
    for run in evidence_by_run(results):
        for evidence in (run.layers, run.curves):
            if evidence is not None:
                arms[run.arm].judge(evidence)
    return [summarized(arm, *found) for arm in arms.values() for found in found_in_arm(arm)]


class ArmFindings:
    """The findings of every rule in an arm's runs, and the number of runs that it could judge."""

    def __init__(self, label: str, measured: Measured) -> None:
        self.label = label
        self.measured = measured
        self.judged: Counter[type[Any]] = Counter()
        self.found: dict[str, list[Finding]] = {name: [] for name in rules}

    def judge(self, run: LayerDiagnostics | Curves) -> None:
        """Have every rule that looks at such evidence look at a run's."""
        self.judged[type(run)] += 1
        for rule in rules.values():
            found = rule.find(run) if rule.looks_at is type(run) else None
            if found is not None:
                self.found[rule.name].append(found)


def found_in_arm(arm: ArmFindings) -> list[Found]:
    """Return what more than half of the runs have, in the order of causes, each with what explains it.

    What the first update shows has not come of training, so it comes before what later ones show; of one time the
    rules' ranks decide. A finding follows from one before it whose rule explains its rule.
    """
    most: list[tuple[Rule[Any], list[Finding]]] = []
    for rule in rules.values():
        found = arm.found[rule.name]
        if 2 * len(found) > arm.judged[rule.looks_at]:
            most.append((rule, found))
    most.sort(key=lambda one: (not _at_start(*one), one[0].rank))
    told: list[Found] = []
    for i, (rule, found) in enumerate(most):
        cause = next((before for before, _ in most[:i] if rule.name in before.explains), None)
        if cause is None or not rule.unless_explained:
            told.append(Found(rule, found, cause))
    return told


def _at_start(rule: Rule[Any], found: Sequence[Finding]) -> bool:
    return rule.looks_at is LayerDiagnostics and 2 * sum(one.step == 0 for one in found) > len(found)


def summarized(arm: ArmFindings, rule: Rule[Any], found: Sequence[Finding], cause: Rule[Any] | None) -> FindingReport:
    """Return one finding of a rule from those in an arm's runs, `cause` the rule whose finding it follows from."""
    layer = Counter(one.layer for one in found).most_common(1)[0][0]
    step = Counter(one.step for one in found if one.layer == layer).most_common(1)[0][0]
    same = [one for one in found if (one.layer, one.step) == (layer, step)]
    numbers = {name: _median(one.numbers[name] for one in same if name in one.numbers) for name in same[0].numbers}
    evidence: dict[str, Any] = numbers | {
        "threshold": rule.bounds[same[0].bound].value,
        "seeds": len(found),
        "of": arm.judged[rule.looks_at],
    }
    if layer is not None:
        layers = Counter(name for one in same for name in one.layers)
        evidence["layers"] = [name for name, count in layers.items() if 2 * count > len(same)]
    explanation = rule.explain(numbers, layer, step, arm.measured)
    return {
        "arm": arm.label,
        "kind": rule.name,
        "layer": layer,
        "step": step,
        "evidence": evidence,
        "explanation": explanation,
        "explained_by": None if cause is None else cause.name,
    }


def _median(values: Iterable[float]) -> float | None:
    """Return the median, None where it is not finite."""
    return finite_or_none(float(np.median([*values])))
