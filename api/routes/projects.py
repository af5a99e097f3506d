"""Projects: made and changed by admins, their members by their maintainers too."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy.orm import Session

from api.bodies import body_of, json_body, read_body
from api.callers import Caller
from api.deps import CallerDep, Reading, Service, ServiceDep
from api.keys import Scope
from api.project_schemas import ProjectList, ProjectOut
from api.responses import REVALIDATED, revalidated
from core.datasets import Uploads
from core.errors import Forbidden, NotFound
from core.experiments import projects
from core.experiments.projects import Amount, ProjectChange, ProjectSpec, Role
from core.store import Project

router = APIRouter(prefix="/projects", tags=["projects"])

BY_MAINTAINERS = {"description", "members"}
"""Fields that a project's maintainers may change; the others decide what it takes of the service."""


def _seen(name: Annotated[str, Path(max_length=40)], session: Reading, caller: CallerDep) -> Project:
    if name in caller.hidden:
        raise NotFound(f"there is no project {name!r}")
    return projects.project(session, name)


SeenProject = Annotated[Project, Depends(_seen, scope="function")]


@router.post("", status_code=201, openapi_extra=body_of(ProjectSpec))
async def create_project(request: Request, service: ServiceDep, caller: CallerDep, response: Response) -> ProjectOut:
    """Make a project, for admins. Without a `default_role` its members alone see what is in it."""
    _check_admin(caller, "make a project")
    made = await run_sync(_create, service, caller, await json_body(request))
    await service.keys.refresh(at_once=True)
    response.headers["Location"] = f"/projects/{made.name}"
    return made


@router.get("", response_model=ProjectList, responses=REVALIDATED)
def list_projects(session: Reading, caller: CallerDep, request: Request) -> Response:
    """Return the projects that one sees, by name."""
    found = [one for one in projects.projects(session) if one.name not in caller.hidden]
    return revalidated(request, ProjectList(items=_told(session, caller, found)))


@router.get("/{name}", response_model=ProjectOut, responses=REVALIDATED)
def get_project(one: SeenProject, session: Reading, caller: CallerDep, request: Request) -> Response:
    """Return one project, its members, and what it has stored beside its quotas."""
    return revalidated(request, _told(session, caller, [one])[0])


@router.patch("/{name}", openapi_extra=body_of(ProjectChange))
async def change_project(one: SeenProject, request: Request, service: ServiceDep, caller: CallerDep) -> ProjectOut:
    """Change what the body names, as a merge patch has it: `{"members": {"anna": "maintainer", "ben": null}}`.

    Its maintainers change its description and members, admins all of it. It holds in every process within a second.
    """
    changed = await run_sync(_change, service, caller, one.name, await json_body(request))
    await service.keys.refresh(at_once=True)
    return changed


@router.delete("/{name}", status_code=204)
async def delete_project(one: SeenProject, service: ServiceDep, caller: CallerDep) -> None:
    """Remove a project that holds nothing, for admins; 409 while it does, and for the default one."""
    _check_admin(caller, "remove a project")
    await run_sync(_delete, service, one.name)
    await service.keys.refresh(at_once=True)


def _create(service: Service, caller: Caller, body: bytes) -> ProjectOut:
    spec = read_body(body, ProjectSpec)
    with service.database.transaction() as session:
        return _told(session, caller, [projects.create(session, spec)])[0]


def _change(service: Service, caller: Caller, name: str, body: bytes) -> ProjectOut:
    patch = read_body(body, ProjectChange)
    if caller.role(name) != Role.MAINTAINER:
        raise Forbidden(f"only maintainers of the project {name!r} and admins may change it")
    if patch.model_fields_set - BY_MAINTAINERS:
        _check_admin(caller, f"change {', '.join(sorted(patch.model_fields_set - BY_MAINTAINERS))} of a project")
    with service.database.transaction() as session:
        return _told(session, caller, [projects.change(session, name, patch)])[0]


def _delete(service: Service, name: str) -> None:
    datasets = [about.name for about in Uploads(service.paths.uploads) if about.project == name]
    with service.database.transaction() as session:
        projects.delete(session, name, datasets)


def _check_admin(caller: Caller, what: str) -> None:
    if caller.scope < Scope.ADMIN:
        raise Forbidden(f"only admins may {what}")


def _told(session: Session, caller: Caller, found: list[Project]) -> list[ProjectOut]:
    used, members = projects.used(session), projects.members(session)
    return [
        ProjectOut.of(
            one,
            (caller.role(one.name) or Role.VIEWER).word,
            members.get(one.name, {}),
            used.get(("project", one.name), Amount()),
        )
        for one in found
    ]
