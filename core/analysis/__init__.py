"""Statistics of finished experiments: intervals, paired comparisons, the verdict, and thinning for pictures."""

from core.analysis.findings import findings, layers_by_arm
from core.analysis.outcomes import outcome_names, run_outcomes
from core.analysis.report.batch_size import scan_entries
from core.analysis.report.energy import amount, energy
from core.analysis.report.html import html
from core.analysis.report.lr_range import RangeCurve, range_curves, range_entries, range_rates
from core.analysis.report.markdown import markdown
from core.analysis.report.report import compared, final_values, finite, report
from core.analysis.statistics.intervals import Summary, summaries, summarize
from core.analysis.statistics.judgement import best_first
from core.analysis.statistics.paired import Comparisons, compare, holm
from core.analysis.statistics.pruning import Decision, decide_rung, pruned_arms
from core.analysis.statistics.thin import thin
from core.analysis.wording import is_share, metric_name, number

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
