"""The use cases: what the API and the workers call. States change nowhere else."""

from core.experiments.admit import Limits, check_priority
from core.experiments.control import cancel, delete, pause, resume, retry
from core.experiments.datasets import delete_dataset
from core.experiments.preview import preview
from core.experiments.submit import submit
from core.experiments.sweep import Sweeper, sweep

__all__ = [
    "Limits",
    "Sweeper",
    "cancel",
    "check_priority",
    "delete",
    "delete_dataset",
    "pause",
    "preview",
    "resume",
    "retry",
    "submit",
    "sweep",
]
