"""Shapes of the answers on workers and their queue."""

from pydantic import BaseModel, Field

from api.schemas import Instant


class WorkerOut(BaseModel):
    """A training process as it was last seen. `machine` is null until the machine has been measured."""

    host: str
    process: int
    devices: list[str]
    queues: list[str]
    machine: str | None
    alive: bool
    last_seen: Instant
    experiments: list[int] = Field(description="those of which it trains a part")


class QueueOut(BaseModel):
    """Counts of what waits: experiments by status, and cohorts, the units that a process takes."""

    experiments: dict[str, int]
    cohorts: dict[str, int]
    waited_seconds: float = Field(description="of the cohort that has been queued longest and may be taken")


class WorkerList(BaseModel):
    """The workers, and what waits for them."""

    items: list[WorkerOut]
    queue: QueueOut
