"""The database: tables, transactions and the clock. Nothing else commits."""

from core.store.clock import now
from core.store.database import Database, StorageFull, after_commit, serialise
from core.store.migrate import revision, upgrade
from core.store.tables import Base, Cohort, Counter, Event, Experiment, MetricBlock, Run, Tag, Worker

__all__ = [
    "Base",
    "Cohort",
    "Counter",
    "Database",
    "Event",
    "Experiment",
    "MetricBlock",
    "Run",
    "StorageFull",
    "Tag",
    "Worker",
    "after_commit",
    "now",
    "revision",
    "serialise",
    "upgrade",
]
