"""Findings: what is wrong with an arm, and why. One file a rule; the files with an underscore hold what rules share."""

from core.analysis.findings._evidence import layers_by_arm
from core.analysis.findings._findings import findings
from core.analysis.findings._rule import Bound, Bounds, Finding, Measured, Numbers, Rule, rules
from core.analysis.findings._runs import Curves, LayerDiagnostics

__all__ = [
    "Bound",
    "Bounds",
    "Curves",
    "Finding",
    "LayerDiagnostics",
    "Measured",
    "Numbers",
    "Rule",
    "findings",
    "layers_by_arm",
    "rules",
]
