"""What a report decides about a change."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from core.analysis import compare_arms, study_ruling
from core.analysis.shapes import Report
from core.results import Results


def report(**decisions: str) -> Report:
    """A report in which the baseline was compared with arms: each is better, worse, equivalent or open itself."""
    mirrored = {"better": "worse", "worse": "better"}
    compared = [
        {
            "a": "now",
            "b": label,
            "decision": mirrored.get(decision, decision),
            "better": label if decision == "better" else "now" if decision == "worse" else None,
            "p_adjusted": None if label == "lost" else 0.01 * (1 + place),
        }
        for place, (label, decision) in enumerate(decisions.items())
    ]
    order = ["second", "now", "first", "third"]
    found: dict[str, Any] = {"baseline": "now", "comparisons": compared, "verdict": {"order": order}, "datasets": None}
    return cast(Report, found)


@pytest.mark.parametrize(
    ("decisions", "ruling"),
    [
        ({"first": "better"}, ("keep", "first", 0.01)),
        ({"first": "better", "second": "better", "third": "worse"}, ("keep", "second", 0.02)),
        ({"first": "better", "second": "open"}, ("keep", "first", 0.01)),
        ({"first": "worse", "second": "equivalent"}, ("discard", None, 0.01)),
        ({"first": "worse", "second": "open"}, ("inconclusive", None, 0.01)),
        ({"lost": "open"}, ("inconclusive", None, None)),
        ({}, ("inconclusive", None, None)),
    ],
)
def test_the_ruling(decisions: dict[str, str], ruling: tuple[Any, ...]) -> None:
    assert study_ruling(report(**decisions)) == ruling


def test_over_data_sets_it_is_that_of_all_together() -> None:
    compared = [{"a": "10", "b": "20", "decision": "worse", "p_adjusted": 0.02}]
    ranks = [{"label": label, "mean_rank": rank} for label, rank in (("10", 1.8), ("20", 1.2))]
    found: dict[str, Any] = {"baseline": "10", "comparisons": compared, "treatments": ranks}
    whole: dict[str, Any] = {"baseline": "10 on digits", "comparisons": [], "verdict": {"order": []}, "datasets": found}
    assert study_ruling(cast(Report, whole)) == ("keep", "20", 0.02)


def test_the_report_says_what_its_study_decides_once_all_runs_have_ended(experiment: Callable[..., Results]) -> None:
    values = {"a": [0.5, 0.51, 0.49, 0.5], "b": [0.8, 0.82, 0.79, 0.8]}
    spec = {"study": "chain", "baseline": "a", "alpha": 0.0024}
    whole = compare_arms(experiment(values, **spec))
    assert whole["study"] == {"name": "chain", "decision": "keep", "arm": "b"}
    said = 'In the study "chain", at the level 0.0024 that it gave to this experiment: keep "b".'
    assert said in (whole["verdict"]["text"] or "")
    waits = compare_arms(experiment({**values, "b": [0.8, 0.82, 0.79, "running"]}, **spec))
    assert waits["study"] == {"name": "chain", "decision": None, "arm": None}
    assert "once all runs have ended" in (waits["verdict"]["text"] or "")
    ended = compare_arms(experiment({**values, "b": [0.8, 0.82, 0.79, "cancelled"]}, **spec))
    assert ended["study"] == {"name": "chain", "decision": "keep", "arm": "b"}
    assert compare_arms(experiment(values))["study"] is None
    results = experiment(values, **spec)
    for asked in ({"alpha": 0.3}, {"margin": 0.1}, {"metric": "seconds"}):
        other = compare_arms(results, **asked)
        assert (other["study"], "In the study" in (other["verdict"]["text"] or "")) == (None, False)
