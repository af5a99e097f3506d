"""Users' own data sets: send, list, show, delete."""

import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, File, Query, Response
from fastapi import Path as InPath

from api import jobs
from api.auth import MAX_UPLOAD
from api.deps import ME, CallerDep, Owner, PostedTo, ServiceDep, Writing
from api.schemas import DatasetForm, DatasetList, DatasetOut
from core.datasets import NotStored, Options, Uploads
from core.experiments import requests

router = APIRouter(prefix="/datasets", tags=["datasets"])

SECONDS, SECONDS_OF_MEGABYTE, MOST_SECONDS = 60.0, 3.0, 600.0
"""For reading a file: these, and more for each megabyte of it, but no more than the last."""
Name = Annotated[str, InPath(max_length=64)]


def _uploads(service: ServiceDep, caller: CallerDep) -> Uploads:
    return Uploads(service.paths.uploads, caller.hidden)


UploadsDep = Annotated[Uploads, Depends(_uploads)]


@router.post(
    "",
    status_code=201,
    max_body_size=MAX_UPLOAD,
    form_limits={"max_files": 1, "max_fields": 10_000},
    responses={200: {"model": DatasetOut, "description": "It is there already"}},
)
async def create_dataset(
    form: Annotated[DatasetForm, File()], service: ServiceDep, owner: Owner, project: PostedTo, response: Response
) -> DatasetOut:
    """Keep a table (CSV, TSV, XLSX, JSON lines, Parquet), arrays (NPZ) or images (ZIP) under a name for specs.

    `notes` tell what was taken for what. The same content under the same name is 200; other content is 409. A file that
    cannot be learned from is 422, with every row, column or file inside that is at fault, and nothing of it is kept.
    413 where the quota of bytes of this API key or of the project is used up.
    """
    options = Options.model_validate(form.model_dump(include=set(Options.model_fields)))
    try:
        with NamedTemporaryFile() as aside:  # where a file of another process can be opened by its name
            await run_sync(shutil.copyfileobj, form.file.file, aside, 2**20)
            aside.flush()
            sender = owner, project, service.quotas(owner)
            given = Path(aside.name), form.file.filename or "", form.name, options, sender
            seconds = min(MOST_SECONDS, SECONDS + SECONDS_OF_MEGABYTE * given[0].stat().st_size / 1e6)
            found, new = await service.readers.run(seconds, jobs.keep_upload, *given)
    except OSError as error:
        raise NotStored(f"the data set cannot be stored: {error.strerror or error}") from error
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/datasets/{found.name}"
    return DatasetOut.of(found)


@router.get("")
def list_datasets(
    uploads: UploadsDep,
    caller: CallerDep,
    owner: Annotated[str | None, Query(description="the id of who sent it; `me`: oneself")] = None,
    project: str | None = None,
) -> DatasetList:
    """Return the data sets, one's own before the others, by name."""
    owner = caller.id if owner == ME else owner
    found = [one for one in uploads if owner in (None, one.owner) and project in (None, one.project)]
    return DatasetList(items=[DatasetOut.of(one) for one in sorted(found, key=lambda one: one.owner != caller.id)])


@router.get("/{name}")
def get_dataset(name: Name, uploads: UploadsDep) -> DatasetOut:
    """Return one data set."""
    return DatasetOut.of(uploads.find(name))


@router.delete("/{name}", status_code=204)
def delete_dataset(name: Name, uploads: UploadsDep, session: Writing, service: ServiceDep, caller: CallerDep) -> None:
    """Delete a data set; 403 for another's, and 409 while an experiment that has not ended uses it."""
    found = uploads.find(name)
    caller.check_may_change(f"the data set {name!r}", found.owner, found.project)
    requests.delete_dataset(session, name, service.paths)
