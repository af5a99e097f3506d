"""The axis of differences between arms."""

import math
from typing import Any

from core.analysis.shapes import Comparison, Report
from core.metrics import Measure
from core.plots.drawing.frames import padded, plain_number

DECIDED = "one of the two beats the other by the verdict"
"""The report's rule for a decided comparison, for captions."""
TURNED = {"better": "worse", "worse": "better"}
"""A decision about b against a, by that about a against b."""
SYMLOG_FROM = 30.0
"""Ratio of widest to narrowest difference from which the axis is logarithmic on both sides."""


def difference_unit(metric: Measure) -> int:
    """Return the factor of displayed differences: 100 for shares, which differ by percentage points, else 1."""
    return 100 if metric.share else 1


def difference_axis(differences: list[list[float | None]], metric: Measure) -> dict[str, Any]:
    """Return the axis of differences, one list of ends each: linear, unless the small ones could not be seen."""
    label = "difference (percentage points)" if metric.share else f"difference in {metric.label}"
    x: dict[str, Any] = {"label": label, "scale": "linear", "kind": "number"}
    known = [[v for v in one if v is not None] for one in differences]
    extents = [max(map(abs, one)) for one in known if one]
    if not extents:
        return x | {"limits": (-1.0, 1.0)}
    low, high = min(0.0, *(min(one) for one in known if one)), max(0.0, *(max(one) for one in known if one))
    small = min([e for e in extents if e > 0], default=0.0)
    if small == 0 or max(extents) / small < SYMLOG_FROM:
        return x | {"limits": padded(low, high, 0.06)}
    within = 10.0 ** math.floor(math.log10(small))
    return x | {
        "label": f"{x['label']}; logarithmic beyond ±{plain_number(within)}",
        "scale": "symlog",
        "linear_within": within,
        "limits": (_outward(low, within), _outward(high, within)),
    }


def _outward(value: float, within: float) -> float:
    return math.copysign(max(abs(value) * 1.6, within), value)


def relative_to(comparison: Comparison, reference: str) -> dict[str, Any]:
    """Return the report's comparison as the other arm less `reference`.

    `arm`, `n`, `mean`, `ci_low`, `ci_high` for all pairs together, `alone_low`, `alone_high` for this one, its p, its
    `decision` from the arm's side, and whether one of the two beats the other.
    """
    turned = comparison["a"] == reference
    low, high = comparison["ci_low"], comparison["ci_high"]
    alone = comparison["individual"]["ci_low"], comparison["individual"]["ci_high"]
    low, high = (high, low) if turned else (low, high)
    alone_low, alone_high = alone[::-1] if turned else alone
    ends = {
        "mean": comparison["difference"],
        "ci_low": low,
        "ci_high": high,
        "alone_low": alone_low,
        "alone_high": alone_high,
    }
    return {
        "arm": comparison["b"] if turned else comparison["a"],
        "n": comparison["n"],
        **{key: -value + 0.0 if turned and value is not None else value for key, value in ends.items()},
        "p_adjusted": comparison["p_adjusted"],
        "decision": TURNED.get(comparison["decision"], comparison["decision"]) if turned else comparison["decision"],
        "decided": comparison["better"] is not None,
    }


def against(report: Report) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """Return the arm that others are compared with (None: no comparisons), and its comparisons by the other's label."""
    reference = report["reference"]
    mine = [relative_to(c, reference) for c in report["comparisons"] if reference in (c["a"], c["b"])]
    return (reference if mine else None), {one["arm"]: one for one in mine}
