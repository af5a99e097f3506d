"""The weights that runs have kept."""

from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from api.deps import Id, Reading, ServiceDep
from api.policies import NEVER_CHANGES
from api.responses import REVALIDATED, unchanged
from core.errors import NotFound
from core.experiments.cohorts.weights import path_of
from core.experiments.queries import read
from core.files import file_store
from core.spec import Which

router = APIRouter(tags=["runs"])

MEDIA = "application/octet-stream"
BINARY = {"type": "string", "format": "binary"}


@router.get(
    "/runs/{run_id}/weights.safetensors",
    response_class=Response,
    responses=REVALIDATED | {200: {"description": "The file", "content": {MEDIA: {"schema": BINARY}}}},
)
def get_run_weights(
    run_id: Id,
    session: Reading,
    service: ServiceDep,
    request: Request,
    which: Annotated[
        Which | None, Query(description="the last that the run has kept of initial, best and final, where left out")
    ] = None,
) -> Response:
    """Return the weights of a run as safetensors, by the names of the plain model's parameters and buffers.

    The header says what they are of; `core.training.weights.load_model` makes the model from the file. 404 where the
    spec keeps none, the run has not ended, or they could not be written.
    """
    run = read.run(session, run_id)
    kept = run.weights or {}
    name = which or next((one for one in ("final", "best", "initial") if one in kept), None)
    if name is None or name not in kept:
        there = f"it has {', '.join(kept)}" if kept else 'it has none: "keep" of its spec says which, once it has ended'
        raise NotFound(f"run {run_id} has kept no {which or ''} weights: {there}".replace("  ", " "))
    ref = kept[name]
    path = path_of(file_store(service.settings).below("weights"), ref)
    if path is None:
        raise NotFound(f"the {name} weights of run {run_id} are not here: {ref['error'] or 'the file is gone'}")
    headers = {
        "ETag": f'"{ref["sha256"]}"',
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(ref['sha256'])).decode()}:",
        **NEVER_CHANGES,
    }
    known = unchanged(request, headers["ETag"])
    if known is not None:
        known.headers.update(headers)
        return known
    return FileResponse(path, media_type=MEDIA, headers=headers, filename=f"run-{run_id}-{name}.safetensors")
