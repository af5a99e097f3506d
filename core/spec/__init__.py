"""The one validated description of an experiment: request body = stored row = trainer input."""

from core.spec._arms import Arm
from core.spec._body import LIMITS, Spec, Treatment, parse
from core.spec._check import ArmFacts, check

__all__ = ["LIMITS", "Arm", "ArmFacts", "Spec", "Treatment", "check", "parse"]
