"""What a report decides about a change."""

from typing import Any, cast

import pytest

from core.analysis.shapes import Report
from core.experiments.projects.studies import Ruling
from core.experiments.queries.studies import rule


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
    assert rule(7, report(**decisions)) == Ruling(7, *ruling)


def test_over_data_sets_it_is_that_of_all_together() -> None:
    compared = [{"a": "10", "b": "20", "decision": "worse", "p_adjusted": 0.02}]
    ranks = [{"label": label, "mean_rank": rank} for label, rank in (("10", 1.8), ("20", 1.2))]
    found: dict[str, Any] = {"baseline": "10", "comparisons": compared, "treatments": ranks}
    whole: dict[str, Any] = {"baseline": "10 on digits", "comparisons": [], "verdict": {"order": []}, "datasets": found}
    assert rule(7, cast(Report, whole)) == Ruling(7, "keep", "20", 0.02)
