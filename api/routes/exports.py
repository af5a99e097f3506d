"""An experiment that has ended, in one file: a bundle, and what electronic lab notebooks import."""

from importlib.metadata import version as release
from pathlib import Path

from fastapi import APIRouter, Request, Response

from api import export_jobs
from api.deps import Id, Service, ServiceDep
from api.eln import root_of
from api.file_answers import from_file
from api.responses import REVALIDATED, etag, unchanged

router = APIRouter(tags=["results"])

ZIP, ELN = "application/zip", "application/vnd.eln+zip"
BINARY = {"schema": {"type": "string", "format": "binary"}}
SECONDS = 300.0
"""For all pictures and all points."""
FILES: dict[export_jobs.Package, tuple[str, str]] = {"bundle": ("zip", ZIP), "eln": ("eln", ELN)}


@router.get(
    "/experiments/{experiment_id}/bundle.zip",
    response_class=Response,
    responses={200: {"content": {ZIP: BINARY, "application/octet-stream": BINARY}}, **REVALIDATED},
)
async def get_bundle(experiment_id: Id, service: ServiceDep, request: Request) -> Response:
    """Return all of an experiment that has ended: spec, plan, environments, data hashes, points, report, pictures.

    `SHA256SUMS` in it has the checksums. `initlab reproduce` trains it again and compares every point. 409 before its
    end.
    """
    return await _packed(service, request, experiment_id, "bundle")


@router.get(
    "/experiments/{experiment_id}/experiment.eln",
    response_class=Response,
    responses={200: {"content": {ELN: BINARY, "application/octet-stream": BINARY}}, **REVALIDATED},
)
async def get_eln(experiment_id: Id, service: ServiceDep, request: Request) -> Response:
    """Return an experiment that has ended as an `.eln` file (RO-Crate), for eLabFTW and other lab notebooks.

    It holds the files of the bundle. 409 before its end.
    """
    return await _packed(service, request, experiment_id, "eln")


async def _packed(service: Service, request: Request, experiment_id: int, package: export_jobs.Package) -> Response:
    tag = etag(await service.versions.get(experiment_id), package, release("initlab"))
    known = unchanged(request, tag)
    if known is not None:
        return known
    extension, media = FILES[package]
    named = f'attachment; filename="{root_of(experiment_id)}.{extension}"'

    async def write(path: Path) -> None:
        await service.pool.run(SECONDS, export_jobs.pack, path, experiment_id, package)

    return await from_file(write, media, {"ETag": tag, "Content-Disposition": named})
