"""Shapes of the answers on workers and their queue."""

from typing import Self

from pydantic import BaseModel, Field

from api.schemas import Instant
from core.experiments.queries.workers import WorkerNow


class TrainingOut(BaseModel):
    """The part of an experiment that a process trains: a cohort of its runs."""

    experiment: int
    cohort: int


class PinOut(BaseModel):
    """A plug-in's version, as its author says it, and the hash of its files."""

    version: str
    sha256: str


class WorkerOut(BaseModel):
    """A training process as it was last seen. `machine` is null until the machine has been measured."""

    @classmethod
    def of(cls, worker: WorkerNow) -> Self:
        """Return the shape of a training process."""
        training = worker.training and dict(zip(("experiment", "cohort"), worker.training, strict=True))
        return cls.model_validate(vars(worker) | {"training": training})

    name: str = Field(description="for `POST /workers/{name}/drain`")
    host: str
    process: int
    devices: list[str]
    queues: list[str]
    machine: str | None
    alive: bool
    last_seen: Instant
    experiments: list[int] = Field(description="those of which it trains a part")
    training: TrainingOut | None = Field(description="null: nothing, or what belongs to a project that is not seen")
    version: str = Field(description="of initlab, as it runs there; empty: it did not say")
    draining: bool = Field(description="it was asked to leave: it takes nothing any more, and ends")
    plugins: dict[str, PinOut] = Field(description="those that it has, by name")


class QueueOut(BaseModel):
    """Counts of what waits: experiments by status, and cohorts, the units that a process takes."""

    experiments: dict[str, int]
    cohorts: dict[str, int]
    waited_seconds: float = Field(description="of the cohort that has been queued longest and may be taken")


class WorkerList(BaseModel):
    """The workers, and what waits for them."""

    items: list[WorkerOut]
    queue: QueueOut
