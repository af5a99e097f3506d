"""Experiments that somebody else trains: what is declared of them, and the design that it makes."""

from core.external._design import PAIRED, design_of, external_results
from core.external._growth import Growth, grown
from core.external._names import direction_of, outcome_of
from core.external._spec import (
    KIND,
    MOST_METRICS,
    DeclaredMetric,
    ExternalArm,
    ExternalSpec,
    ExternalTarget,
    parse,
    reserved,
)

__all__ = [
    "KIND",
    "MOST_METRICS",
    "PAIRED",
    "DeclaredMetric",
    "ExternalArm",
    "ExternalSpec",
    "ExternalTarget",
    "Growth",
    "design_of",
    "direction_of",
    "external_results",
    "grown",
    "outcome_of",
    "parse",
    "reserved",
]
