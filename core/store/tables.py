"""The tables. Times are seconds since 1970 by the database's clock (`core.store.now`)."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Identity = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself in SQLite


class Status(StrEnum):
    """The status of an experiment, a cohort or a run; `core.experiments.cohorts.states` says which follows which."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATUS = f"status IN ({', '.join(repr(status.value) for status in Status)})"


UNCOUNTED = text("progress IS NULL")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class Experiment(Base):
    """One posted spec. Its status follows from its cohorts' and is written with theirs."""

    __tablename__ = "experiments"
    __table_args__ = (
        CheckConstraint(STATUS, name="status"),
        Index("ix_experiments_status", "status", "id"),  # lists are filtered by one of these, and go by id
        Index("ix_experiments_owner", "owner", "id"),
        Index("ix_experiments_name", "name", "id"),
        Index("ix_experiments_created_at", "created_at", "id"),
        Index("ix_experiments_to_count", "status", sqlite_where=UNCOUNTED, postgresql_where=UNCOUNTED),
        Index("ix_experiments_project_finished_at", "project", "finished_at"),
        {"sqlite_autoincrement": True},
    )  # an id is never reused

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(10), default=Status.QUEUED)
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Canonical: every default written out."""
    steps_per_epoch: Mapped[list[int]] = mapped_column(JSON)
    """Of each arm."""
    task: Mapped[str] = mapped_column(String(10), server_default="multiclass")
    """The task of all arms: `core.datasets.Task`."""
    idempotency_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the canonical spec, to tell a repeated request from another one under the same key."""
    warnings: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    """Path and message of what its spec probably does not mean; None: it was not looked at."""
    owner: Mapped[str | None] = mapped_column(String(40))
    """The id of the API key or the user that posted it; None where no keys are configured."""
    project: Mapped[str] = mapped_column(String(40), default="default", server_default="default")
    points: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """As many as its runs may have, all metrics together: counted against quotas."""
    weight_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """As many as the weights of its runs may take: counted against quotas."""
    rungs: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """The decisions where its arms were compared before their last epoch: `core.analysis.decide_rung`."""
    looks: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """The looks at its adaptive seeds that were taken: `core.analysis.take_look`."""
    next_look: Mapped[int | None] = mapped_column(Integer)
    """The seeds after which its arms are looked at next; None: they are not. Until then it is running."""
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Its counts where they do not change: until it is first taken, and since it ended; None: count the runs."""
    turn: Mapped[float | None] = mapped_column(Double)
    """Time at which a cohort of it was last taken: experiments of one priority take turns. None: since created."""
    created_at: Mapped[float] = mapped_column(Double)
    started_at: Mapped[float | None] = mapped_column(Double)
    finished_at: Mapped[float | None] = mapped_column(Double, index=True)
    deleted_at: Mapped[float | None] = mapped_column(Double, index=True)
    """It is there for nobody any more; its rows go in small steps (`core.experiments.maintenance.removal`)."""
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    tags: Mapped[list["Tag"]] = relationship(cascade="all, delete-orphan", order_by="Tag.tag", passive_deletes=True)


class Tag(Base):
    """One tag of one experiment, so that lists can be filtered by it."""

    __tablename__ = "tags"
    __table_args__ = (Index("ix_tags_tag", "tag", "experiment_id"),)

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(120), primary_key=True)


class Cohort(Base):
    """Runs that one task of one worker trains together: the unit of queueing, of the lease and of the fence."""

    __tablename__ = "cohorts"
    __table_args__ = (
        CheckConstraint(STATUS, name="status"),
        Index("ix_cohorts_queue", "status", "priority", "id"),
    )

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(10), default=Status.QUEUED)
    priority: Mapped[int] = mapped_column(Integer)
    device: Mapped[str] = mapped_column(String(8))
    queue: Mapped[str | None] = mapped_column(String(40))
    """The label of the workers that may take it; None: any that has its device."""
    threads: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    """Of its training process, as planned: sums of floats depend on how they are shared out."""
    layout: Mapped[str] = mapped_column(String(8), default="vmap", server_default="vmap")
    """The way in which its runs are computed, as planned: `core.training.Layout`."""
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    """Counts claims: every write of a worker carries it, and a write of an older attempt is refused."""
    lost: Mapped[int] = mapped_column(Integer, default=0)
    """Attempts since the last progress that were lost, as when the worker was killed."""
    holder: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[float | None] = mapped_column(Double)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Not to be taken, and to be given back by the worker that holds it. Of all cohorts of an experiment, or none."""
    queued_at: Mapped[float] = mapped_column(Double)
    rung: Mapped[int | None] = mapped_column(Integer)
    """The epochs after which it waits for the others; None: it does not. Not to be taken meanwhile."""
    plugins: Mapped[str | None] = mapped_column(Text)
    """The plug-ins that it needs, as `cohorts.eligibility.needed` writes them; None: none."""
    look: Mapped[int | None] = mapped_column(Integer)
    """The look, by its seeds, that decides whether it is trained; None: it is, or was. Not to be taken before."""
    checkpoint: Mapped[str | None] = mapped_column(String(200))
    """The file that training goes on from, of those in `checkpoints` of the file store."""
    checkpoint_sha256: Mapped[str | None] = mapped_column(String(64))
    checkpoint_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    checkpoint_epochs: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Updates that the file holds, and epochs whose metrics had been measured."""
    checkpoint_before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The checkpoint before it, should the file be damaged: `core.experiments.cohorts.checkpoints.CheckpointRef`."""
    error: Mapped[str | None] = mapped_column(Text)


class Run(Base):
    """One arm trained with one seed, for the first or a second time."""

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint(STATUS, name="status"),
        Index("ix_runs_to_merge", "status", sqlite_where=text("merged = 0"), postgresql_where=text("NOT merged")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), index=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    arm_index: Mapped[int] = mapped_column(Integer)
    arm: Mapped[str] = mapped_column(String(120))
    seed: Mapped[int] = mapped_column(BigInteger)
    repeat: Mapped[bool] = mapped_column(default=False, server_default=false())
    varied: Mapped[str | None] = mapped_column(String(10))
    """Rounding, or a source: all in which a second training (`repeat`) differs from the first, alike in a cohort."""
    status: Mapped[str] = mapped_column(String(10), default=Status.QUEUED)
    outcome: Mapped[str | None] = mapped_column(String(20))
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    steps_done: Mapped[int] = mapped_column(BigInteger, default=0)
    steps_total: Mapped[int] = mapped_column(BigInteger)
    final: Mapped[dict[str, float | None] | None] = mapped_column(JSON)
    correct: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """The examples of the judged split that it got right (`cohorts.packed_bits`); None: not stored. Read if asked."""
    weights: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The files of its weights, by which: `cohorts.weights.WeightsRef`; None: none are kept."""
    classified: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """The summary of its classes on that split (`core.classification`); None: not stored."""
    energy_kwh: Mapped[float | None] = mapped_column(Double)
    """Its share of what its cohorts took, over all attempts; None: it was not measured."""
    co2e_g: Mapped[float | None] = mapped_column(Double)
    energy_source: Mapped[str | None] = mapped_column(String(10))
    """measured, or estimated if any of it is: `core.energy`."""
    started_at: Mapped[float | None] = mapped_column(Double)
    finished_at: Mapped[float | None] = mapped_column(Double)
    error: Mapped[str | None] = mapped_column(Text)
    posts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    received: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """The points that `posts` brought, where it is trained elsewhere: by metric: how many, the last step, its value.

    And `true` of a metric that was declared after the run's end, whose points are taken still.
    """
    merged: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its blocks are few and large: it has ended for good, and the sweeper has put them together."""


class Worker(Base):
    """A training process that is alive, or was when it was last seen."""

    __tablename__ = "workers"

    holder: Mapped[str] = mapped_column(String(200), primary_key=True)
    devices: Mapped[str] = mapped_column(String(40))
    last_seen: Mapped[float] = mapped_column(Double)
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The speed and memory of its machine as `core.training` measured them: plans are made from it."""
    queues: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The queues that it serves: `cpu`, `gpu` and labels, with commas."""
    version: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """Of initlab, as it runs; empty: of a version that did not say."""
    plugins: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Those that it has, by name: `core.plugins.Pin`; None: none."""
    draining: Mapped[bool] = mapped_column(default=False, server_default=false())
    """It was asked to leave: it takes no cohort any more, gives back what it trains, and ends."""
    files: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """The name of the file store that it sees; empty: not known."""


class Event(Base):
    """An event of an experiment or one of its cohorts, written in the transaction that it is about."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_experiment", "experiment_id", "id"),)

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"))
    cohort_id: Mapped[int | None] = mapped_column(Identity)
    attempt: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[float] = mapped_column(Double)
    kind: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class SavedReport(Base):
    """A report of an experiment that has ended, as it was made."""

    __tablename__ = "reports"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    asked: Mapped[str] = mapped_column(String(80), primary_key=True)
    """The media type, and the outcome that is judged."""
    version: Mapped[str] = mapped_column(String(80))
    """Of the experiment, and of the code."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
