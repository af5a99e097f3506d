"""Statistics of finished experiments: intervals, paired comparisons, the verdict, and thinning for pictures."""

from core.analysis._batch_size import scan_entries
from core.analysis._energy import amount, energy
from core.analysis._findings import findings, layers_by_arm
from core.analysis._html import html
from core.analysis._intervals import Summary, summaries, summarize
from core.analysis._judgement import best_first
from core.analysis._lr_range import RangeCurve, range_curves, range_entries, range_rates
from core.analysis._markdown import markdown
from core.analysis._numbers import is_share, metric_name, number
from core.analysis._outcomes import outcome_names, run_outcomes
from core.analysis._paired import Comparisons, compare, holm
from core.analysis._report import compared, final_values, finite, report
from core.analysis._rungs import Decision, decide_rung, pruned_arms
from core.analysis._thin import thin

__all__ = [
    "Comparisons",
    "Decision",
    "RangeCurve",
    "Summary",
    "amount",
    "best_first",
    "compare",
    "compared",
    "decide_rung",
    "energy",
    "final_values",
    "findings",
    "finite",
    "holm",
    "html",
    "is_share",
    "layers_by_arm",
    "markdown",
    "metric_name",
    "number",
    "outcome_names",
    "pruned_arms",
    "range_curves",
    "range_entries",
    "range_rates",
    "report",
    "run_outcomes",
    "scan_entries",
    "summaries",
    "summarize",
    "thin",
]
