"""Requests of users: to submit an experiment, to preview, cancel, pause, retry and delete it, and to upload data."""

from core.experiments.requests.control import cancel, delete, pause, resume, retry
from core.experiments.requests.preview import preview
from core.experiments.requests.quotas import Limits, check_priority
from core.experiments.requests.submit import submit
from core.experiments.requests.uploads import delete_dataset

__all__ = [
    "Limits",
    "cancel",
    "check_priority",
    "delete",
    "delete_dataset",
    "pause",
    "preview",
    "resume",
    "retry",
    "submit",
]
