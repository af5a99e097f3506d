"""The one validated description of an experiment: request body = stored row = trainer input."""

from core.spec._arms import Arm
from core.spec._body import Spec
from core.spec._check import ArmInfo, check
from core.spec._clipping import Clipping, GradientClip
from core.spec._coordinates import CoordinateCheck
from core.spec._diagnostics import Diagnostics
from core.spec._examples import Augment
from core.spec._focal import FocalLoss
from core.spec._keep import WHICH, Which
from core.spec._kinds import Kind, LrRange
from core.spec._layers import PROJECTIONS, hidden_weights, layers_of, norms_of
from core.spec._limits import LIMITS, Alpha, Margin, Seed, Text
from core.spec._lint import warnings_of
from core.spec._parsing import parse, parse_stored
from core.spec._plugins import changed, used_pins
from core.spec._precision import HALVES, Precision
from core.spec._pruning import Pruning
from core.spec._rates import rate_factors
from core.spec._repeat import Repeat
from core.spec._scan import BatchSizeScan
from core.spec._seeds import AdaptiveSeeds, Seeds, adaptive_unfit, blocks_of
from core.spec._sharpness import Sam
from core.spec._size import Size, size
from core.spec._slow_starts import looks_in_a_row
from core.spec._stopping import EarlyStopping, Patience
from core.spec._study import StudyName, misplaced
from core.spec._target import Target
from core.spec._treatment import Treatment
from core.spec._vary import SourceSeeds
from core.spec._words import described

__all__ = [
    "HALVES",
    "LIMITS",
    "PROJECTIONS",
    "WHICH",
    "AdaptiveSeeds",
    "Alpha",
    "Arm",
    "ArmInfo",
    "Augment",
    "BatchSizeScan",
    "Clipping",
    "CoordinateCheck",
    "Diagnostics",
    "EarlyStopping",
    "FocalLoss",
    "GradientClip",
    "Kind",
    "LrRange",
    "Margin",
    "Patience",
    "Precision",
    "Pruning",
    "Repeat",
    "Sam",
    "Seed",
    "Seeds",
    "Size",
    "SourceSeeds",
    "Spec",
    "StudyName",
    "Target",
    "Text",
    "Treatment",
    "Which",
    "adaptive_unfit",
    "blocks_of",
    "changed",
    "check",
    "described",
    "hidden_weights",
    "layers_of",
    "looks_in_a_row",
    "misplaced",
    "norms_of",
    "parse",
    "parse_stored",
    "rate_factors",
    "size",
    "used_pins",
    "warnings_of",
]
