"""Dependencies of the routes: a transaction, a snapshot, an experiment, the application's parts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from anyio.to_thread import run_sync
from celery import Celery
from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from api.answer_cache import AnswerCache
from api.callers import Caller
from api.keys import KeyRing
from api.listeners import Listeners
from api.pool import JobPool
from api.sessions import Sessions
from api.users import ForwardedUsers
from api.versions import Versions
from core.datasets import DatasetPaths
from core.errors import InvalidSpec, NotFound, Problem
from core.experiments.maintenance import FilesWatch, Sweeper
from core.experiments.projects import DEFAULT, Quotas
from core.experiments.queries import read
from core.experiments.requests import Limits
from core.files import upload_place
from core.queue import Dispatcher
from core.settings import Settings
from core.store import Database, Experiment, Run
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
    files: FilesWatch
    profile: Profile
    """This machine's numbers, for plans while no worker lives."""
    keys: KeyRing
    users: ForwardedUsers
    """Those that a proxy names."""
    sessions: Sessions
    open_paths: frozenset[str]
    """Paths that a browser asks for before it has signed in."""
    pool: JobPool
    """The processes that compute what is asked for."""
    readers: JobPool
    """The processes that read uploads."""
    answers: AnswerCache
    listeners: Listeners
    """Those who are sent events as they happen."""
    versions: Versions
    """Of experiments, by which a client that has an answer is told so."""

    @property
    def paths(self) -> DatasetPaths:
        """Return the folders of the data sets."""
        return DatasetPaths(self.settings.datasets, upload_place(self.settings))

    def limits(self, owner: str | None) -> Limits:
        """Return the share of the service that the owner of an API key may take."""
        key = self.keys.get(owner)
        own = None if key is None else key.unfinished_runs
        most = self.settings.max_unfinished_runs if own is None else own
        return Limits(most, key and key.priority, self.quotas(owner))

    def quotas(self, owner: str | None) -> Quotas:
        """Return as much as the owner may have stored: as its key says, else as the settings have it for everybody."""
        key = self.keys.get(owner)
        given = {name: None if key is None else getattr(key, name) for name in Quotas.model_fields}
        of_all = self.settings
        everybody = {"runs": of_all.max_runs, "points": of_all.max_points, "bytes": of_all.max_bytes}
        return Quotas(**{name: everybody[name] if most is None else most for name, most in given.items()})

    def paths_for(self, caller: Caller) -> DatasetPaths:
        """Return the folders of the data sets, for somebody who does not see those of every project."""
        return self.paths._replace(hidden=caller.hidden)


async def _caller(request: Request) -> Caller:
    caller: Caller = getattr(request.state, "caller", Caller())
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]


async def _owner(caller: CallerDep) -> str | None:
    return caller.id


Owner = Annotated[str | None, Depends(_owner)]
"""The id of the API key or the user of the request; None where no keys are needed."""


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
_ID: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=1, lt=2**63)])


async def seen(request: Request) -> None:
    """Raise `NotFound` where a path names an experiment or a run of a project that the caller sees nothing of."""
    caller, service = await _caller(request), await _service(request)
    if caller.hidden:
        for name, find in (("experiment_id", read.experiment), ("run_id", read.run)):
            with suppress(ValidationError):  # for the route to refuse
                number = _ID.validate_python(request.path_params.get(name))
                await run_sync(_check_seen, service.database, find, number, caller.hidden)


def _check_seen(
    database: Database, find: Callable[[Session, int], Experiment | Run], number: int, hidden: frozenset[str]
) -> None:
    with database.reading() as session:
        found = find(session, number)
        of = found if isinstance(found, Experiment) else read.experiment(session, found.experiment_id)
        if of.project in hidden:
            raise NotFound(f"there is no {find.__name__} {number}")


async def _posted_to(
    service: ServiceDep,
    caller: CallerDep,
    project: Annotated[str, Query(max_length=40, description="the project that it is to belong to")] = DEFAULT,
) -> str:
    if project not in service.keys.roles:
        await service.keys.refresh(at_once=True)  # another process may just have made it
        caller = replace(caller, roles=service.keys.roles)
    caller.check_may_post(project)
    return project


PostedTo = Annotated[str, Depends(_posted_to)]
"""The project that something is posted into, which the caller may."""


def _to_read(experiment_id: Id, session: Reading) -> Experiment:
    return read.experiment(session, experiment_id)


def experiment_to_write(experiment_id: Id, session: Writing, caller: CallerDep) -> Experiment:
    """Return an experiment that the caller may change; raises `NotFound` and `Forbidden`."""
    found = read.experiment(session, experiment_id)
    if found.project in caller.hidden:
        raise NotFound(f"there is no experiment {experiment_id}")
    caller.check_may_change(f"experiment {experiment_id}", found.owner, found.project)
    return found


ExperimentToRead = Annotated[Experiment, Depends(_to_read, scope="function")]
ExperimentToWrite = Annotated[Experiment, Depends(experiment_to_write, scope="function")]

ME = "me"
"""As the owner in a list's query: the one who asks."""
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
