"""The catalogues of what a spec can name."""

from functools import cache

from fastapi import APIRouter, Request, Response

from api.answers import CatalogEntryList, CatalogEntryOut
from api.responses import REVALIDATED, compact, revalidated
from core.datasets import datasets
from core.errors import NotFound
from core.initializers import initializers
from core.models import models
from core.models.layers import layers
from core.optimizers import optimizers
from core.plots import plots
from core.registry import Registry, unknown
from core.schedules import schedules

router = APIRouter(prefix="/catalog", tags=["catalog"])

CATALOG: dict[str, Registry] = {
    "initializers": initializers,
    "schedules": schedules,
    "optimizers": optimizers,
    "models": models,
    "layers": layers,
    "datasets": datasets,
    "plots": plots,
}


@router.get("", response_model=dict[str, list[CatalogEntryOut]], responses=REVALIDATED)
def get_catalog(request: Request) -> Response:
    """Return all entries, by kind."""
    return revalidated(request, _entries())


@cache
def _entries(only: str | None = None) -> bytes:
    """Return the entries of all kinds, or of one: made once, as they are those of the code."""
    entries = {
        kind: [registry.describe(name) for name in registry]
        for kind, registry in CATALOG.items()
        if only in (None, kind)
    }
    return compact(entries if only is None else {"items": entries[only]})


@router.get("/{kind}", response_model=CatalogEntryList, responses=REVALIDATED)
def list_catalog_entries(kind: str, request: Request) -> Response:
    """Return the entries of one kind."""
    _registry(kind)
    return revalidated(request, _entries(kind))


@router.get("/{kind}/{name}", response_model=CatalogEntryOut, responses=REVALIDATED)
def get_catalog_entry(kind: str, name: str, request: Request) -> Response:
    """Return one entry: its parameters as JSON schema, its formula and its source. Aliases are understood."""
    return revalidated(request, compact(_registry(kind).describe(name)))


def _registry(kind: str) -> Registry:
    if kind not in CATALOG:
        problem = unknown("kind", kind, CATALOG)
        raise NotFound(problem.message, [problem])
    return CATALOG[kind]
