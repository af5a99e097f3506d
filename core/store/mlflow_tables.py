"""The tables of what MLflow's clients have logged, as it came. Times are MLflow's: milliseconds since 1970."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base, Identity


class MlflowExperiment(Base):
    """An experiment of MLflow's: a name under which runs come, whose arms and seeds nobody has declared."""

    __tablename__ = "mlflow_experiments"
    __table_args__ = (UniqueConstraint("project", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    name: Mapped[str] = mapped_column(String(500))
    project: Mapped[str] = mapped_column(String(40))
    owner: Mapped[str | None] = mapped_column(String(40))
    tags: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[int] = mapped_column(BigInteger)
    updated: Mapped[int] = mapped_column(BigInteger)
    deleted: Mapped[bool] = mapped_column(default=False, server_default=false())
    experiment_id: Mapped[int | None] = mapped_column(ForeignKey("experiments.id", ondelete="SET NULL"), index=True)
    """The external experiment that its runs are judged in; None: none of them has come so far."""


class MlflowRun(Base):
    """A run of MLflow's, with what was logged of it but its points."""

    __tablename__ = "mlflow_runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    of: Mapped[int] = mapped_column(ForeignKey("mlflow_experiments.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(250))
    said: Mapped[str] = mapped_column("status", String(10))
    """The run's status as MLflow has it: RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."""
    user: Mapped[str] = mapped_column(String(250), default="")
    started: Mapped[int] = mapped_column(BigInteger)
    ended: Mapped[int | None] = mapped_column(BigInteger)
    deleted: Mapped[bool] = mapped_column(default=False, server_default=false())
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    tags: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    latest: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Of each metric: value (None: NaN), timestamp and step of the last point by step, the number of points, and
    whether all are at step 0."""
    inputs: Mapped[list[Any]] = mapped_column(JSON, default=list)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    """The run that its points are sent to; None: it has no arm and seed so far, or others had them before."""
    stale: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Points came in another order than that of their steps, or after its end: they are sent anew with its next end."""


class MlflowPoint(Base):
    """One logged point."""

    __tablename__ = "mlflow_points"
    __table_args__ = (Index("uq_mlflow_points", "run_id", "key", "step", "timestamp", "value", "nan", unique=True),)

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    """In the order in which they came."""
    run_id: Mapped[str] = mapped_column(ForeignKey("mlflow_runs.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(250))
    step: Mapped[int] = mapped_column(BigInteger)
    timestamp: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float] = mapped_column(Double)
    nan: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The value is NaN, which SQLite would keep as NULL: 0 is written in its place."""
