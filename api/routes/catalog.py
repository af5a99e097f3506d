"""The catalogues of what a spec can name."""

from typing import Any

from fastapi import APIRouter

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


@router.get("")
def index() -> dict[str, list[dict[str, Any]]]:
    """Return all entries, by kind."""
    return {kind: [registry.describe(name) for name in registry] for kind, registry in CATALOG.items()}


@router.get("/{kind}")
def of_kind(kind: str) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of one kind."""
    registry = _registry(kind)
    return {"items": [registry.describe(name) for name in registry]}


@router.get("/{kind}/{name}")
def show(kind: str, name: str) -> dict[str, Any]:
    """Return one entry: its parameters as JSON schema, its formula and its source. Aliases are understood."""
    return _registry(kind).describe(name)


def _registry(kind: str) -> Registry:
    if kind not in CATALOG:
        problem = unknown("kind", kind, CATALOG)
        raise NotFound(problem.message, [problem])
    return CATALOG[kind]
