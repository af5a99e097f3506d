"""What a report decides about a change."""

from typing import Any, cast

import pytest

from core.analysis.shapes import Report
from core.experiments.queries.studies import Ruling, rule


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
    found: dict[str, Any] = {"baseline": "now", "comparisons": compared, "verdict": {"order": order}}
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
