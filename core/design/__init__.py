"""What is compared, whoever trained it: arms on paired seeds, metrics with their directions, outcome and baseline."""

from core.design._arm import ArmTraining, DesignArm, Layers, Weights
from core.design._design import FEWEST_PAIRS, Design, Target
from core.design._kinds import BatchSizeScan, LrRangeTest

__all__ = [
    "FEWEST_PAIRS",
    "ArmTraining",
    "BatchSizeScan",
    "Design",
    "DesignArm",
    "Layers",
    "LrRangeTest",
    "Target",
    "Weights",
]
