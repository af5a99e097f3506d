"""The catalogues that entries with parameters are in, and their entries with a value for each parameter."""

from collections.abc import Mapping
from typing import Any

from core.conformance._check import Broken
from core.datasets import datasets
from core.initializers import initializers
from core.models import models
from core.models.layers import layers
from core.optimizers import optimizers
from core.plots import plots
from core.registry import Entry, Registry
from core.schedules import schedules

REGISTRIES: Mapping[str, Registry] = {
    one.kind: one for one in (initializers, schedules, optimizers, models, layers, datasets, plots)
}


def raw(kind: str, name: str) -> dict[str, Any]:
    """Return an entry as a spec may have it. Raises `Broken` where its author gave no value for a parameter."""
    given = REGISTRIES[kind].example(name)
    needed = {key for key, field in REGISTRIES[kind][name].model_fields.items() if field.is_required()}
    missing = sorted(needed - given.keys())
    if missing:
        values = ", ".join(f'"{key}": ...' for key in missing)
        raise Broken(f"has parameters without a default: give register(example={{{values}}})")
    return given


def parsed(kind: str, name: str, **more: Any) -> Entry:
    """Return that entry."""
    return REGISTRIES[kind].parse(raw(kind, name) | more)
