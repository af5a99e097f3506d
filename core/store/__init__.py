"""The database: tables, transactions and the clock. Nothing else commits."""

from core.store.access import ApiKey, EndedSession, Member, Project, Usage
from core.store.changes import ChangeWatch, announce
from core.store.clock import now
from core.store.database import AS_BYTES, Database, StorageFull, after_commit, serialise
from core.store.migrate import is_current, require_current, revision, upgrade
from core.store.mlflow_tables import MlflowExperiment, MlflowPoint, MlflowRun
from core.store.process_tables import ApiProcess, Counter
from core.store.series_tables import EpochValue, MetricBlock
from core.store.study_tables import Study, StudyEntry
from core.store.tables import (
    Base,
    Cohort,
    Event,
    Experiment,
    Run,
    SavedReport,
    Status,
    Tag,
    Worker,
)
from core.store.waiting import once_it_answers
from core.store.webhook_tables import Delivery, Webhook

__all__ = [
    "AS_BYTES",
    "ApiKey",
    "ApiProcess",
    "Base",
    "ChangeWatch",
    "Cohort",
    "Counter",
    "Database",
    "Delivery",
    "EndedSession",
    "EpochValue",
    "Event",
    "Experiment",
    "Member",
    "MetricBlock",
    "MlflowExperiment",
    "MlflowPoint",
    "MlflowRun",
    "Project",
    "Run",
    "SavedReport",
    "Status",
    "StorageFull",
    "Study",
    "StudyEntry",
    "Tag",
    "Usage",
    "Webhook",
    "Worker",
    "after_commit",
    "announce",
    "is_current",
    "now",
    "once_it_answers",
    "require_current",
    "revision",
    "serialise",
    "upgrade",
]
