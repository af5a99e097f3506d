"""Requests of users: to submit an experiment; to preview, edit, cancel, pause, retry and delete it; to declare more of
one that is trained elsewhere; to upload data; to drain a worker."""

from core.experiments.requests.control import cancel, delete, pause, resume, retry
from core.experiments.requests.draft import (
    Draft,
    ExternalPreview,
    Preview,
    draft,
    draft_external,
    fingerprint_of,
    preview,
)
from core.experiments.requests.drain import drain_worker
from core.experiments.requests.edit import ExperimentEdit, description, edit
from core.experiments.requests.growth import grow
from core.experiments.requests.quotas import Limits, check_priority
from core.experiments.requests.submit import known_under, submit
from core.experiments.requests.uploads import delete_dataset

__all__ = [
    "Draft",
    "ExperimentEdit",
    "ExternalPreview",
    "Limits",
    "Preview",
    "cancel",
    "check_priority",
    "delete",
    "delete_dataset",
    "description",
    "draft",
    "draft_external",
    "drain_worker",
    "edit",
    "fingerprint_of",
    "grow",
    "known_under",
    "pause",
    "preview",
    "resume",
    "retry",
    "submit",
]
