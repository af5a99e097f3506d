"""Statistics of finished experiments: intervals, paired comparisons, the verdict, and thinning for pictures."""

from core.analysis._energy import amount, energy
from core.analysis._markdown import markdown
from core.analysis._numbers import is_share, metric_name, number
from core.analysis._paired import Comparisons, Summary, compare, holm, summarize
from core.analysis._report import best_first, final_values, finite, report
from core.analysis._rungs import Decision, decide_rung, pruned_arms
from core.analysis._thin import thin

__all__ = [
    "Comparisons",
    "Decision",
    "Summary",
    "amount",
    "best_first",
    "compare",
    "decide_rung",
    "energy",
    "final_values",
    "finite",
    "holm",
    "is_share",
    "markdown",
    "metric_name",
    "number",
    "pruned_arms",
    "report",
    "summarize",
    "thin",
]
