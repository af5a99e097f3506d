"""Finds plug-ins: entry points of installed packages, and what lies in the folder of plug-ins. Nothing is imported."""

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from core.plugins._plugin import Plugin

GROUP = "initlab.plugins"
"""The group of entry points."""
PACKAGE = "initlab_plugins"
"""The package that the folder's files are modules of, so that none hides a module of another name."""


def found(folder: Path | None) -> Iterator[tuple[Plugin, list[Path]]]:
    """Yield the plug-ins in the order of their names, installed ones first, each with its files and folders."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        top = point.module.partition(".")[0]
        version = point.dist.version if point.dist is not None else ""
        source = f"the installed package {point.dist.name}" if point.dist is not None else "an installed package"
        yield Plugin(name=point.name, module=point.module, source=source, version=version), _places(top)
    if folder is not None:
        yield from _in_folder(folder)


def _places(top: str) -> list[Path]:
    """Return the folders or the file of a top-level module; none where there is no such module."""
    spec = find_spec(top)
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return sorted(Path(place) for place in spec.submodule_search_locations)
    return [Path(spec.origin)] if spec.origin else []


def _in_folder(folder: Path) -> Iterator[tuple[Plugin, list[Path]]]:
    if not folder.is_dir():
        error = f"INITLAB_PLUGINS names {folder}, which is no folder"
        yield Plugin(name="INITLAB_PLUGINS", module="", source="the folder of plug-ins", error=error), []
        return
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder.absolute())]
    sys.modules[PACKAGE] = package
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")) or not (path.suffix == ".py" or (path / "__init__.py").is_file()):
            continue
        source = f"{path.name} in the folder of plug-ins"
        yield Plugin(name=path.stem, module=f"{PACKAGE}.{path.stem}", source=source), [path]
