"""The contract of all rules: a newcomer is tested by existing. Its examples stand in a test file of its own name."""

import importlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.analysis.findings import Bound, Curves, Finding, LayerDiagnostics, Measured, Rule, rules
from core.analysis.findings._findings import ArmFindings, found_in_arm, summarized
from tests.core.analysis.findings.evidence import CLASSES, REGRESSION, curves, layers

HEALTHY: Mapping[type[Any], Any] = {LayerDiagnostics: layers(), Curves: curves()}
each_rule = pytest.mark.parametrize("rule", rules.values(), ids=rules)


def examples(rule: Rule[Any]) -> list[Any]:
    """Return the runs of which the rule's own test file says that the rule finds something in them."""
    file = Path(__file__).with_name(f"test_{rule.name}.py")
    found: list[Any] = []
    if file.exists():
        found = getattr(importlib.import_module(f"tests.core.analysis.findings.{file.stem}"), "EXAMPLES", [])
    assert found, f"write runs in which {rule.name} finds something into EXAMPLES of {file}"
    return found


def the_finding(rule: Rule[Any], run: Any) -> Finding:
    found = rule.find(run)
    assert found is not None
    return found


def arm_of(rule: Rule[Any], run: Any, count: int, measured: Measured) -> ArmFindings:
    """An arm whose runs are that one, `count` times."""
    assert isinstance(run, rule.looks_at)
    return judged("an arm", [run] * count, measured)


def judged(label: str, runs: Sequence[Any], measured: Measured) -> ArmFindings:
    arm = ArmFindings(label, measured)
    for run in runs:
        arm.judge(run)
    return arm


@each_rule
def test_a_rule_finds_something_in_its_examples_and_nothing_in_a_healthy_run(rule: Rule[Any]) -> None:
    assert examples(rule)
    for run in examples(rule):
        assert isinstance(run, rule.looks_at)
        found = the_finding(rule, run)
        assert found.bound in rule.bounds
        if rule.looks_at is LayerDiagnostics:
            assert found.layer in found.layers
            assert set(found.layers) <= {*run.hidden, run.output}
            assert found.step in run.steps
        else:
            assert (found.layer, list(found.layers)) == (None, [])
            assert found.step == len(run.losses) - 1
    assert rule.find(HEALTHY[rule.looks_at]) is None


@each_rule
@pytest.mark.parametrize("measured", [CLASSES, REGRESSION], ids=["classes", "a regression"])
def test_an_explanation_is_filled_with_the_findings_own_numbers(rule: Rule[Any], measured: Measured) -> None:
    for run in examples(rule):
        found = the_finding(rule, run)
        for some in ([found], [found] * 3):
            told = summarized(arm_of(rule, run, len(some) + 1, measured), rule, some, None)
            assert told.keys() == {"arm", "kind", "layer", "step", "evidence", "explanation", "explained_by"}
            assert (told["arm"], told["kind"]) == ("an arm", rule.name)
            assert not set("{}") & set(told["explanation"])
            assert told["explanation"].endswith(".")
            assert (found.layer or "") in told["explanation"]
            evidence = told["evidence"]
            assert evidence.keys() - {"layers"} == {*found.numbers, "threshold", "seeds", "of"}
            assert (evidence["seeds"], evidence["of"]) == (len(some), len(some) + 1)
            assert evidence["threshold"] == rule.bounds[found.bound].value
            assert json.loads(json.dumps(told, allow_nan=False)) == told


@each_rule
def test_an_explanation_speaks_of_what_is_not_finite(rule: Rule[Any]) -> None:
    for run in examples(rule):
        found = the_finding(rule, run)
        nothing = replace(found, numbers=dict.fromkeys(found.numbers, float("nan")))
        told = summarized(arm_of(rule, run, 1, CLASSES), rule, [nothing], None)
        assert {told["evidence"][name] for name in found.numbers} == {None}
        assert "nan" not in told["explanation"]


@each_rule
def test_every_bound_is_read(rule: Rule[Any]) -> None:
    class Recorded(dict[str, float]):
        def __getitem__(self, name: str) -> float:
            read.add(name)
            return super().__getitem__(name)

    read: set[str] = set()
    bounds = Recorded({name: bound.value for name, bound in rule.bounds.items()})
    for run in (*examples(rule), HEALTHY[rule.looks_at]):
        rule.check(run, bounds)
    assert read == set(rule.bounds)


def found_of(*, of_layers: LayerDiagnostics, of_curves: Curves) -> list[tuple[str, str | None]]:
    """The rules that find something in such an arm, in their order, each with what explains it."""
    found = found_in_arm(judged("a", [of_layers, of_curves], CLASSES))
    return [(one.rule.name, None if one.cause is None else one.cause.name) for one in found]


FLAT, FLAT_AND_SLOW = curves([1.0] * 12), curves([1.0] * 12, lr=1e-4)
BURST = curves([1.0, 5.0, math.inf, math.nan], diverged=True)
DEAD = {"fc1": [0.0, 0.9], "fc2": [0.0, 0.9]}


@each_rule
def test_what_a_rule_explains_is_a_rule(rule: Rule[Any]) -> None:
    assert rule.explains <= rules.keys() - {rule.name}


@pytest.mark.parametrize(
    ("alone", "wrong"),
    [(FLAT, "flat_loss"), (FLAT_AND_SLOW, "lr_too_small"), (BURST, "lr_too_large")],
    ids=["flat", "flat and slow", "burst"],
)
@pytest.mark.parametrize("reason", [rule for rule in rules.values() if rule.looks_at is LayerDiagnostics], ids=str)
def test_a_rate_is_not_blamed_for_what_the_layers_explain(reason: Rule[Any], alone: Curves, wrong: str) -> None:
    assert found_of(of_layers=layers(), of_curves=alone) == [(wrong, None)]
    both = found_of(of_layers=examples(reason)[0], of_curves=alone)
    assert both[0][0] == reason.name
    assert ((wrong, None) in both) == (wrong not in reason.explains)


def test_the_causes_come_first_and_what_follows_from_them_says_so() -> None:
    alike = {"fc1": [1.0, 1.0], "fc2": [1.0, 1.0], "fc3": [1.0, 1.0]}
    dead = {"fc1": [0.9, 0.9], "fc2": [0.9, 0.9]}
    grows = {"fc1": [1.0, 1.0], "fc2": [900.0, 900.0]}
    run = layers(neuron_cosine=alike, activation_dead=dead, activation_std=grows)
    assert found_of(of_layers=run, of_curves=BURST) == [
        ("symmetry", None),
        ("dead_relu", "symmetry"),
        ("exploding_activations", "symmetry"),
    ]


def test_what_came_of_training_does_not_explain_what_was_there_before() -> None:
    """Rectifiers that die of a rate too large are its doing; activations that explode at the start are not."""
    assert found_of(of_layers=layers(activation_dead=DEAD), of_curves=BURST) == [
        ("lr_too_large", None),
        ("dead_relu", "lr_too_large"),
    ]
    grows = {"fc1": [1.0, 1.0], "fc2": [900.0, 900.0]}
    assert found_of(of_layers=layers(activation_std=grows), of_curves=BURST) == [("exploding_activations", None)]
    later = {"fc1": [1.0, 1.0], "fc2": [1.0, 900.0]}
    assert found_of(of_layers=layers(activation_std=later), of_curves=BURST) == [
        ("lr_too_large", None),
        ("exploding_activations", "lr_too_large"),
    ]


PARTS: dict[str, Any] = {
    "name": "sleepy",
    "label": "sleepy neurons",
    "rank": 5,
    "looks_at": Curves,
    "bounds": {"yawns": Bound(3, "yawns in an epoch, above")},
    "check": lambda _run, _bounds: None,
    "explanation": "It yawned {yawns} times.",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_rule_without_one_of_its_parts_is_refused(part: str) -> None:
    Rule(**PARTS)
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{part}'"):
        Rule(**{name: value for name, value in PARTS.items() if name != part})


@pytest.mark.parametrize(
    ("part", "empty", "said"),
    [
        ("name", "", "name"),
        ("label", "", "label"),
        ("explanation", "", "explanation"),
        ("bounds", {}, "bounds"),
        ("bounds", {"yawns": Bound(3, "")}, "meaning of 'yawns'"),
    ],
)
def test_a_rule_of_which_a_part_is_empty_is_refused(part: str, empty: object, said: str) -> None:
    with pytest.raises(ValueError, match=f"the {said} is missing"):
        Rule(**PARTS | {part: empty})


@pytest.mark.parametrize("part", ["name", "rank", "label"])
def test_a_name_a_rank_and_a_label_are_taken_once(part: str) -> None:
    taken = getattr(rules["overfitting"], part)
    with pytest.raises(ValueError, match=f"the {part} {taken!r} is already registered"):
        rules.add(Rule(**PARTS | {part: taken}))
    assert len({getattr(rule, part) for rule in rules.values()}) == len(rules)
