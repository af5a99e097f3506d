"""Statistics of finished experiments: intervals, paired comparisons, the verdict, and thinning for pictures."""

from core.analysis.findings import findings, layers_by_arm
from core.analysis.looks import Look, decided_by, foresee, looks_taken, outline, take_look
from core.analysis.outcomes import final_values, measures, outcome_names, run_outcomes
from core.analysis.report.batch_size import scan_entries
from core.analysis.report.coordinates import coordinate_entries
from core.analysis.report.energy import amount, energy
from core.analysis.report.html import html
from core.analysis.report.kinds import target_words
from core.analysis.report.lr_range import RangeCurve, range_curves, range_entries, range_rates
from core.analysis.report.markdown import markdown
from core.analysis.report.report import build_report, compare_arms
from core.analysis.report.study import study_ruling
from core.analysis.shapes import Report
from core.analysis.statistics.intervals import Summary, summaries, summarize
from core.analysis.statistics.judgement import best_first
from core.analysis.statistics.paired import Comparisons, compare, holm
from core.analysis.statistics.parts import PartMeans, part_means
from core.analysis.statistics.pruning import Decision, RungRule, RungValues, decide_rung, pruned_arms
from core.analysis.statistics.sequential import look_levels
from core.analysis.statistics.thin import thin
from core.analysis.wording import number

__all__ = [
    "Comparisons",
    "Decision",
    "Look",
    "PartMeans",
    "RangeCurve",
    "Report",
    "RungRule",
    "RungValues",
    "Summary",
    "amount",
    "best_first",
    "build_report",
    "compare",
    "compare_arms",
    "coordinate_entries",
    "decide_rung",
    "decided_by",
    "energy",
    "final_values",
    "findings",
    "foresee",
    "holm",
    "html",
    "layers_by_arm",
    "look_levels",
    "looks_taken",
    "markdown",
    "measures",
    "number",
    "outcome_names",
    "outline",
    "part_means",
    "pruned_arms",
    "range_curves",
    "range_entries",
    "range_rates",
    "run_outcomes",
    "scan_entries",
    "study_ruling",
    "summaries",
    "summarize",
    "take_look",
    "target_words",
    "thin",
]
