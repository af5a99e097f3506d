"""Requests of users: to submit an experiment; to preview, edit, cancel, pause, retry and delete it; to upload data; to
drain a worker."""

from core.experiments.requests.control import cancel, delete, pause, resume, retry
from core.experiments.requests.draft import Draft, Preview, draft, fingerprint_of, preview
from core.experiments.requests.drain import drain_worker
from core.experiments.requests.edit import ExperimentEdit, description, edit
from core.experiments.requests.quotas import Limits, check_priority
from core.experiments.requests.submit import known_under, submit
from core.experiments.requests.uploads import delete_dataset

__all__ = [
    "Draft",
    "ExperimentEdit",
    "Limits",
    "Preview",
    "cancel",
    "check_priority",
    "delete",
    "delete_dataset",
    "description",
    "draft",
    "drain_worker",
    "edit",
    "fingerprint_of",
    "known_under",
    "pause",
    "preview",
    "resume",
    "retry",
    "submit",
]
