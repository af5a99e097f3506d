"""Dependencies of the routes: a transaction, a snapshot, an experiment, the application's parts."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from celery import Celery
from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.answer_cache import AnswerCache
from api.keys import KeyRing, Scope
from api.listeners import Listeners
from api.pool import JobPool
from core.datasets import DatasetPaths
from core.errors import Forbidden, InvalidSpec, Problem
from core.experiments.maintenance import Sweeper
from core.experiments.queries import read
from core.experiments.requests import Limits
from core.metrics import diagnostics, is_metric, metric_names
from core.queue import Dispatcher
from core.registry import unknown
from core.settings import Settings
from core.store import Database, Experiment
from core.training import Profile


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts of one application, made from its settings; they live as long as it does."""

    settings: Settings
    database: Database
    broker: Celery
    """The Celery application on the broker of the settings."""
    dispatcher: Dispatcher
    sweeper: Sweeper
    profile: Profile
    """This machine's numbers, for plans while no worker lives."""
    keys: KeyRing
    pool: JobPool
    """The processes that compute what is asked for."""
    readers: JobPool
    """The processes that read uploads."""
    answers: AnswerCache
    listeners: Listeners
    """Those who are sent events as they happen."""

    @property
    def paths(self) -> DatasetPaths:
        """Return the folders of the data sets."""
        return DatasetPaths(self.settings.datasets, self.settings.uploads)

    def version(self, experiment_id: int) -> str:
        """Return the version of an experiment; raises `NotFound`."""
        with self.database.reading() as session:
            return read.version(session, read.experiment(session, experiment_id).id)

    def limits(self, owner: str | None) -> Limits:
        """Return the share of the service that the owner of an API key may take."""
        key = self.keys.get(owner)
        own = None if key is None else key.unfinished_runs
        return Limits(self.settings.max_unfinished_runs if own is None else own, key and key.priority)


class Caller(NamedTuple):
    """The one who asks: an API key's id, and what it may do. Where no keys are needed everybody is an admin."""

    id: str | None = None
    scope: Scope = Scope.ADMIN

    def check_may_change(self, what: str, owner: str | None) -> None:
        """Raise `Forbidden` where something is another's: its owner's and the admins' to change."""
        if self.scope < Scope.ADMIN and self.id != owner:
            whose = f"belongs to {owner}" if owner else "belongs to nobody"
            raise Forbidden(f"{what} {whose}: only its owner and admins may change it")


async def _caller(request: Request) -> Caller:
    caller: Caller = getattr(request.state, "caller", Caller())
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]


async def _owner(caller: CallerDep) -> str | None:
    return caller.id


Owner = Annotated[str | None, Depends(_owner)]
"""The id of the API key of the request; None where no keys are needed."""


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_service)]


async def _leaving(request: Request) -> threading.Event:
    leaving: threading.Event = request.app.state.leaving
    return leaving


# Set when the process is about to end.
Leaving = Annotated[threading.Event, Depends(_leaving)]


def _writing(service: ServiceDep) -> Iterator[Session]:
    with service.database.transaction() as session:
        yield session


def _reading(service: ServiceDep) -> Iterator[Session]:
    with service.database.reading() as session:
        yield session


# The scope makes the commit come before the answer: FastAPI's default tells the client 202 and then commits.
Writing = Annotated[Session, Depends(_writing, scope="function")]
Reading = Annotated[Session, Depends(_reading, scope="function")]


async def storable(request: Request) -> None:
    """Raise `InvalidSpec` for a NUL in the path or the query: PostgreSQL has no such text, so no name has one."""
    given = [*request.path_params.items(), *request.query_params.multi_items()]
    found = {name: None for name, value in given if "\0" in f"{name}{value}"}
    if found:
        message = "holds the character NUL, which no text here does"
        raise InvalidSpec([Problem(name.replace("\0", "?"), message) for name in found])


Id = Annotated[int, Path(ge=1, lt=2**63)]


def _to_read(experiment_id: Id, session: Reading) -> Experiment:
    return read.experiment(session, experiment_id)


def experiment_to_write(experiment_id: Id, session: Writing, caller: CallerDep) -> Experiment:
    """Return an experiment that the caller may change; raises `NotFound` and `Forbidden`."""
    found = read.experiment(session, experiment_id)
    caller.check_may_change(f"experiment {experiment_id}", found.owner)
    return found


ExperimentToRead = Annotated[Experiment, Depends(_to_read, scope="function")]
ExperimentToWrite = Annotated[Experiment, Depends(experiment_to_write, scope="function")]

StatusName = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ArmFilter = Annotated[str | None, Query(description="an arm's label")]
SeedFilter = Annotated[int | None, Query(ge=0, lt=2**31, description="a seed")]


class Chosen(BaseModel):
    """The query parameters that choose series of an experiment."""

    model_config = ConfigDict(extra="forbid")

    metric: list[str] = Field(
        [],
        description="metrics, repeated; a diagnostic of one layer, `activation_std/fc1`, or of all, `activation_std`; "
        "none: all but diagnostics",
    )
    diagnostics: bool = Field(False, description="with no `metric`: the diagnostics of every layer too")
    arm: ArmFilter = None
    seed: SeedFilter = None

    def check(self) -> None:
        """Raise `InvalidSpec` for a metric that no experiment has."""
        known = (*metric_names(), *diagnostics())
        problems = [unknown("metric", metric, known, "metric") for metric in self.metric if not is_metric(metric)]
        if problems:
            raise InvalidSpec(problems)
