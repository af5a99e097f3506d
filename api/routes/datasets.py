"""Users' own data sets: send, list, show, delete."""

from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath

from api import jobs
from api.auth import MAX_UPLOAD
from api.bodies import body_of
from api.dataset_schemas import DatasetPreviewOut
from api.deps import ME, CallerDep, Owner, PostedTo, ServiceDep, Writing
from api.responses import REVALIDATED, etag, revalidated
from api.schemas import DatasetForm, DatasetList, DatasetOut
from api.uploads import FORM, lay_aside
from core.datasets import NotStored, Uploads
from core.experiments import requests

router = APIRouter(prefix="/datasets", tags=["datasets"])

SECONDS, SECONDS_OF_MEGABYTE, MOST_SECONDS = 60.0, 3.0, 600.0
"""For reading a file: these, and more for each megabyte of it, but no more than the last."""
LIST_SECONDS, PREVIEW_SECONDS = 60.0, 30.0
Name = Annotated[str, InPath(max_length=64)]


def _uploads(service: ServiceDep, caller: CallerDep) -> Uploads:
    return Uploads(service.paths.uploads, caller.hidden)


UploadsDep = Annotated[Uploads, Depends(_uploads)]


@router.post(
    "",
    status_code=201,
    max_body_size=MAX_UPLOAD,
    responses={200: {"model": DatasetOut, "description": "It is there already"}},
    openapi_extra=body_of(DatasetForm, media=FORM),
)
async def create_dataset(
    request: Request, service: ServiceDep, owner: Owner, project: PostedTo, response: Response
) -> DatasetOut:
    """Keep a table (CSV, TSV, XLSX, JSON lines, Parquet), arrays (NPZ) or images (ZIP) under a name for specs.

    `notes` tell what was taken for what. The same content under the same name is 200; other content is 409. A file that
    cannot be learned from is 422, with every row, column or file inside that is at fault, and nothing of it is kept.
    413 where the quota of bytes of this API key or of the project is used up.
    """
    try:
        with NamedTemporaryFile() as aside:  # where a file of another process can be opened by its name
            await lay_aside(request, aside)
            path = Path(aside.name)
            seconds = min(MOST_SECONDS, SECONDS + SECONDS_OF_MEGABYTE * path.stat().st_size / 1e6)
            media = request.headers.get("content-type", "")
            sender = owner, project, service.quotas(owner)
            found, new = await service.readers.run(seconds, jobs.keep_upload, path, media, sender)
    except OSError as error:
        raise NotStored(f"the data set cannot be stored: {error.strerror or error}") from error
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/datasets/{found.name}"
    return DatasetOut.of(found)


@router.get("", response_model=DatasetList, responses=REVALIDATED)
async def list_datasets(
    service: ServiceDep,
    request: Request,
    caller: CallerDep,
    owner: Annotated[str | None, Query(description="the id of who sent it; `me`: oneself")] = None,
    project: str | None = None,
) -> Response:
    """Return the data sets, one's own before the others, by name."""
    asked = caller.hidden, caller.id if owner == ME else owner, project, caller.id
    state = await run_sync(Uploads(service.paths.uploads).state)
    make = partial(service.pool.run, LIST_SECONDS, jobs.datasets, *asked)
    found = await service.answers.get(etag("datasets", state, sorted(caller.hidden), *asked[1:]), make)
    return revalidated(request, found.body)


@router.get("/{name}", response_model=DatasetOut, responses=REVALIDATED)
def get_dataset(name: Name, uploads: UploadsDep, request: Request) -> Response:
    """Return one data set."""
    return revalidated(request, DatasetOut.of(uploads.find(name)))


@router.get("/{name}/preview", response_model=DatasetPreviewOut, responses=REVALIDATED)
async def preview_dataset(name: Name, service: ServiceDep, caller: CallerDep, request: Request) -> Response:
    """Return its first rows or pictures, the examples of each class, and the newest experiments that train on it."""
    found = await service.pool.run(PREVIEW_SECONDS, jobs.dataset_preview, name, caller.hidden)
    return revalidated(request, found)


@router.delete("/{name}", status_code=204)
def delete_dataset(name: Name, uploads: UploadsDep, session: Writing, service: ServiceDep, caller: CallerDep) -> None:
    """Delete a data set; 403 for another's, and 409 while an experiment that has not ended uses it."""
    found = uploads.find(name)
    caller.check_may_change(f"the data set {name!r}", found.owner, found.project)
    requests.delete_dataset(session, name, service.paths)
