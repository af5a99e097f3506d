"""The contract of all outcomes: a newcomer is tested by existing."""

import json
from typing import Any

import pytest

from core.analysis import build_report, outcome_names, run_outcomes
from core.analysis.outcomes import OutcomeEntry, outcomes
from core.metrics import is_metric
from tests.core.entries import is_named
from tests.core.plots.conftest import MakeResults
from tests.core.plots.conftest import experiment as experiment  # not this folder's, which knows one kind
from tests.core.plots.kinds import KINDS

each_outcome = pytest.mark.parametrize("entry", outcomes.values(), ids=outcomes)
WHOLE: dict[str, Any] = {
    "name": "luck",
    "label": "luck",
    "direction": "max",
    "rank": 1,
    "explanation": "The luck that a run had.",
    "of_run": lambda _run, _results: 1.0,
}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"label": ""}, "label"),
    ({"direction": "none"}, "direction"),
    ({"direction": "most"}, "direction"),
    ({"explanation": ""}, "explanation"),
    ({"explanation": "luck"}, "explanation"),
    ({"of_run": None}, "of_run or of_curve"),
    ({"of_curve": lambda _series, _results: 1.0}, "of_run or of_curve"),
]


@each_outcome
def test_some_kind_of_experiment_has_it(experiment: MakeResults, entry: OutcomeEntry) -> None:
    """Its values are of runs that have it, and the report that judges by it can be sent."""
    for make in KINDS.values():
        results = make(experiment)
        if entry.name not in outcome_names(results):
            continue
        values = [run[entry.name] for run in run_outcomes(results).values()]
        low, high = entry.bounds
        known = [value for value in values if value is not None]
        assert all(low is None or value >= low for value in known)
        assert all(high is None or value <= high for value in known)
        if known:
            found = build_report(results, entry.name)
            assert entry.label in str(found["verdict"])
            json.dumps(found, allow_nan=False)
            return
    pytest.fail(f"no run of any kind has {entry.name}: add one to tests/core/plots/kinds.py")


@each_outcome
def test_it_has_a_test_of_its_own(entry: OutcomeEntry) -> None:
    assert is_named(entry.name, "analysis/outcomes"), f"test {entry.name} by hand in tests/core/analysis/outcomes"


def test_no_outcome_hides_another() -> None:
    """A run's outcomes are the last values of metrics, the best ones, `diverged`, and the entries, by name."""
    taken = [name for name in outcomes if is_metric(name.removeprefix("best_")) or name == "diverged"]
    assert not taken, "give these another name, as a metric's last or best value has it"


def test_no_two_have_one_place() -> None:
    assert len({entry.rank for entry in outcomes.values()}) == len(outcomes)


def test_an_outcome_without_meaning_is_none() -> None:
    assert OutcomeEntry(**WHOLE).sign == 1
    for missing in ("name", "label", "direction", "rank", "explanation"):
        with pytest.raises(TypeError, match=missing):
            OutcomeEntry(**{key: value for key, value in WHOLE.items() if key != missing})
    for wrong, word in WRONG:
        with pytest.raises(ValueError, match=word):
            OutcomeEntry(**(WHOLE | wrong))
