"""The catalogues of what a spec can name, and of what a training is measured and judged by."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Request, Response

from api.catalog_examples import example_of, preview_of
from api.catalog_schemas import RECORDS, AnyEntryOut, CatalogEntryList, CatalogOut, Records
from api.derived_examples import derived_example
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


DESCRIBED: dict[str, Registry | Records] = CATALOG | RECORDS


@router.get("", response_model=CatalogOut, responses=REVALIDATED)
def get_catalog(request: Request) -> Response:
    """Return all entries, by kind."""
    return revalidated(request, _entries())


@cache
def _entries(only: str | None = None) -> bytes:
    """Return the entries of all kinds, or of one: made once, as they are those of the code."""
    entries = {
        kind: [_entry(kind, name) for name in (found.names() if isinstance(found, Records) else found)]
        for kind, found in DESCRIBED.items()
        if only in (None, kind)
    }
    return compact(entries if only is None else {"items": entries[only]})


def _entry(kind: str, name: str) -> dict[str, Any]:
    """Return an entry, and of what a spec names an example too; raises `NotFound`."""
    found = _described(kind).describe(name)
    if kind in CATALOG:
        shown = example_of(kind, found["name"]) or derived_example(CATALOG[kind], found["name"])
        found |= {"example": shown, "preview": preview_of(kind, found["name"])}
    return found


@router.get("/{kind}", response_model=CatalogEntryList, responses=REVALIDATED)
def list_catalog_entries(kind: str, request: Request) -> Response:
    """Return the entries of one kind."""
    _described(kind)
    return revalidated(request, _entries(kind))


@router.get("/{kind}/{name}", response_model=AnyEntryOut, responses=REVALIDATED)
def get_catalog_entry(kind: str, name: str, request: Request) -> Response:
    """Return one entry.

    Of what a spec names its parameters as JSON schema, its formula and its source, and an example; aliases are
    understood. Of metrics and outcomes which values are better, of findings their bounds.
    """
    return revalidated(request, compact(_entry(kind, name)))


def _described(kind: str) -> Registry | Records:
    if kind not in DESCRIBED:
        problem = unknown("kind", kind, DESCRIBED)
        raise NotFound(problem.message, [problem])
    return DESCRIBED[kind]
