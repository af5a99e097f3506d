"""Statistics of finished experiments: intervals, paired comparisons, the verdict, and thinning for pictures."""

from core.analysis._lr_range import RangeCurve, range_curves, range_entries, range_rates
from core.analysis._markdown import markdown
from core.analysis._numbers import is_share, metric_name, number
from core.analysis._paired import Comparisons, Summary, compare, holm, summarize
from core.analysis._report import best_first, final_values, finite, report
from core.analysis._thin import thin

__all__ = [
    "Comparisons",
    "RangeCurve",
    "Summary",
    "best_first",
    "compare",
    "final_values",
    "finite",
    "holm",
    "is_share",
    "markdown",
    "metric_name",
    "number",
    "range_curves",
    "range_entries",
    "range_rates",
    "report",
    "summarize",
    "thin",
]
