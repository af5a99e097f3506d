"""Training: the runs of a cohort as lanes of one program, and one run as the plain loop that specifies it."""

from core.training.checkpoint import Checkpoint, DamagedCheckpoint
from core.training.descent import SECONDS_OF_UPDATE, Trajectory, Valley, descend
from core.training.initialize import calibration_examples, initial_state
from core.training.lanes.data import TrainingData, load_data
from core.training.lanes.kept_weights import RunWeights
from core.training.lanes.trainer import Stopped, train_lanes
from core.training.library import train
from core.training.options import Layout, Resume, TrainOptions
from core.training.planning.plan import Plan, PlannedCohort, make_plan
from core.training.planning.profile import Profile
from core.training.recorder import Lane, MemoryRecorder, Recorder, lane_of
from core.training.reference import train_run
from core.training.signal import signal
from core.training.signal_cost import signal_seconds
from core.training.weights import load_model
from core.training.weights_folder import weights_file

__all__ = [
    "SECONDS_OF_UPDATE",
    "Checkpoint",
    "DamagedCheckpoint",
    "Lane",
    "Layout",
    "MemoryRecorder",
    "Plan",
    "PlannedCohort",
    "Profile",
    "Recorder",
    "Resume",
    "RunWeights",
    "Stopped",
    "TrainOptions",
    "TrainingData",
    "Trajectory",
    "Valley",
    "calibration_examples",
    "descend",
    "initial_state",
    "lane_of",
    "load_data",
    "load_model",
    "make_plan",
    "signal",
    "signal_seconds",
    "train",
    "train_lanes",
    "train_run",
    "weights_file",
]
