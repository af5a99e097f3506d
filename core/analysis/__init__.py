"""Statistics of finished experiments: intervals, paired comparisons, the verdict, and thinning for pictures."""

from core.analysis._findings import findings, layers_of_arm
from core.analysis._markdown import markdown
from core.analysis._numbers import is_share, metric_name, number
from core.analysis._paired import Comparisons, Summary, compare, holm, summarize
from core.analysis._report import best_first, final_values, finite, report
from core.analysis._thin import thin

__all__ = [
    "Comparisons",
    "Summary",
    "best_first",
    "compare",
    "final_values",
    "findings",
    "finite",
    "holm",
    "is_share",
    "layers_of_arm",
    "markdown",
    "metric_name",
    "number",
    "report",
    "summarize",
    "thin",
]
