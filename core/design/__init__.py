"""The design of an experiment, whoever trains it: arms on paired seeds, metrics with directions, outcome, baseline."""

from core.design._arm import ArmTraining, DesignArm, Layers, Weights
from core.design._blocks import FIELDS as DATASET_FIELDS
from core.design._blocks import DatasetGrid
from core.design._design import FEWEST_PAIRS, Design, Target
from core.design._kinds import BatchSizeScan, CoordinateCheck, LrRangeTest
from core.design._sources import SOURCE_NAMES, SOURCES, Source, Varied

__all__ = [
    "DATASET_FIELDS",
    "FEWEST_PAIRS",
    "SOURCES",
    "SOURCE_NAMES",
    "ArmTraining",
    "BatchSizeScan",
    "CoordinateCheck",
    "DatasetGrid",
    "Design",
    "DesignArm",
    "Layers",
    "LrRangeTest",
    "Source",
    "Target",
    "Varied",
    "Weights",
]
