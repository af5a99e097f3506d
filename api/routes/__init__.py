"""The routes, one noun a file; a file with a `router` is served by existing."""

import importlib
import pkgutil
from types import ModuleType

from fastapi import APIRouter


def discover(package: ModuleType) -> list[APIRouter]:
    """Return the `router` of every module of a package, in the order of their names.

    Raises `TypeError` for a module that has none: its endpoints would be missing, and nothing would say so.
    """
    found = []
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        router = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "router", None)
        if not isinstance(router, APIRouter):
            raise TypeError(f"{package.__name__}.{module.name} has no `router`: a fastapi.APIRouter")
        found.append(router)
    return found
