"""Users' own data sets: send, list, show, delete."""

from functools import partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, File, Path, Response

from api.auth import MAX_UPLOAD
from api.deps import ServiceDep, Writing
from api.schemas import DatasetForm, DatasetList, DatasetOut
from core.datasets import Uploads
from core.experiments import requests

router = APIRouter(prefix="/datasets", tags=["datasets"])

AT_ONCE = 2
"""Files that one process reads at a time; others wait, and hold neither a thread nor memory."""
_slots: RunVar[CapacityLimiter] = RunVar("slots of uploads")
Name = Annotated[str, Path(max_length=64)]


def _uploads(service: ServiceDep) -> Uploads:
    return Uploads(service.paths.uploads)


UploadsDep = Annotated[Uploads, Depends(_uploads)]


@router.post(
    "",
    status_code=201,
    max_body_size=MAX_UPLOAD,
    form_limits={"max_files": 1, "max_fields": 10_000},
    responses={200: {"model": DatasetOut, "description": "It is there already"}},
)
async def create(form: Annotated[DatasetForm, File()], uploads: UploadsDep, response: Response) -> DatasetOut:
    """Keep a table (CSV, TSV, XLSX, JSON lines, Parquet), arrays (NPZ) or images (ZIP) under a name for specs.

    `notes` tell what was taken for what. The same content under the same name is 200; other content is 409. A file that
    cannot be learned from is 422, with every row, column or file inside that is at fault, and nothing of it is kept.
    """
    read = partial(uploads.add, form.file.file, form.file.filename or "", form.name, form)
    kept, new = await to_thread.run_sync(read, limiter=_limiter())
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/datasets/{kept.name}"
    return DatasetOut.of(kept)


def _limiter() -> CapacityLimiter:
    """Return the limiter of this event loop's uploads."""
    found = _slots.get(None)
    if found is None:
        _slots.set(found := CapacityLimiter(AT_ONCE))
    return found


@router.get("")
def index(uploads: UploadsDep) -> DatasetList:
    """Return all data sets, by name."""
    return DatasetList(items=[DatasetOut.of(one) for one in uploads])


@router.get("/{name}")
def show(name: Name, uploads: UploadsDep) -> DatasetOut:
    """Return one data set."""
    return DatasetOut.of(uploads.find(name))


@router.delete("/{name}", status_code=204)
def delete(name: Name, session: Writing, service: ServiceDep) -> None:
    """Delete a data set; 409 while an experiment that has not ended uses it."""
    requests.delete_dataset(session, name, service.paths)
