"""Imports the plug-ins, once in a process, and knows whose an entry is."""

import hashlib
import importlib
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from core.plugins._content import sha256_of
from core.plugins._finding import PACKAGE, found
from core.plugins._plugin import NAME, Pin, Plugin
from core.settings import settings

log = logging.getLogger(__name__)

Undo = Callable[[], object]


@dataclass
class _State:
    places: dict[str, list[Path]] = field(default_factory=dict)
    """The files and folders of each plug-in; empty until they are looked for."""
    plugins: dict[str, Plugin] = field(default_factory=dict)
    """All that were found, those that are left out too."""
    is_loaded: bool = False
    loading: tuple[Plugin, int] | None = None
    """The plug-in that is being imported, and the thread that does so."""
    undo: list[Undo] = field(default_factory=list)
    """Takes back what plug-ins have entered, in that order."""


_state = _State()
_lock = threading.RLock()


def load() -> None:
    """Import all plug-ins, unless that was done: the catalogues ask for it when they are first used.

    A plug-in may use the catalogues while it is imported, and sees what is in them until then.
    """
    if _state.is_loaded:
        return
    with _lock:
        if _state.is_loaded or _state.loading is not None:
            return
        for name, plugin in _known().items():
            if plugin.error is None:
                _import(plugin, _state.places[name])
            else:
                log.error("the plug-in %s is left out: %s", plugin.name, plugin.error)
        _state.is_loaded = True


def loaded() -> list[Plugin]:
    """Return the plug-ins that were found, by name, with those that are left out."""
    load()
    return [_state.plugins[name] for name in sorted(_state.plugins)]


def pins(names: Iterable[str]) -> dict[str, Pin]:
    """Return what a spec says of these plug-ins, by name. Those that are not there are left out."""
    there = available()
    return {name: there[name] for name in sorted(set(names)) if name in there}


def available() -> dict[str, Pin]:
    """Return the plug-ins that are there, by name."""
    return {plugin.name: plugin.pin for plugin in loaded() if plugin.error is None}


def fingerprint() -> str:
    """Return a hash of the contents of all plug-ins that are there; empty: there is none."""
    there = [f"{name}@{pin.sha256}" for name, pin in available().items()]
    return hashlib.sha256("\n".join(there).encode()).hexdigest()[:16] if there else ""


def owner(modules: Iterable[str]) -> str | None:
    """Return the name of the plug-in that registers something from one of these modules; None: it is of no plug-in.

    An installed plug-in may be imported by somebody else before all are: then its modules tell.
    """
    if _state.loading is not None and _state.loading[1] == threading.get_ident():
        return _state.loading[0].name
    modules = list(modules)
    return next((plugin.name for plugin in _known().values() if _is_of(plugin, modules)), None)


def enter(plugin: str, kind: str, name: str, undo: Undo) -> None:
    """Note that a plug-in has entered something; `undo` takes it out again should its import fail."""
    _state.plugins[plugin].entries.setdefault(kind, []).append(name)
    _state.undo.append(undo)


def reset() -> None:
    """Forget all plug-ins, for tests: what they have entered is taken out of the catalogues again."""
    with _lock:
        for undo in reversed(_state.undo):
            undo()
        for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
        vars(_state).update(vars(_State()))


def _known() -> dict[str, Plugin]:
    """Return the plug-ins that there are, by name, imported or not."""
    with _lock:
        if not _state.places:
            for plugin, places in found(settings().plugins):
                name = plugin.name
                if name in _state.plugins:
                    plugin.error = f"its name is that of {_state.plugins[name].source}"
                    name = f"{name} ({plugin.source})"
                _state.plugins[name], _state.places[name] = plugin, places
            _state.places.setdefault("", [])
    return _state.plugins


def _import(plugin: Plugin, places: list[Path]) -> None:
    """Import a plug-in; what it entered before an error is taken back, and the error is kept in words."""
    before = len(_state.undo)
    _state.loading = plugin, threading.get_ident()
    try:
        if not re.fullmatch(NAME, plugin.name):
            raise ValueError("its name should be a-z, 0-9, '_', '.' and '-', at most 40 of them")
        if not places:
            raise ModuleNotFoundError(f"there is no module {plugin.module}")
        plugin.sha256 = sha256_of(places)
        module = importlib.import_module(plugin.module)
        plugin.version = plugin.version or _version(module)
        if not plugin.entries:
            raise ValueError("it registers nothing: decorate a factory with register(...), or add(...) a record")
    except (Exception, SystemExit) as error:  # the edge to somebody else's code
        log.exception("the plug-in %s is left out", plugin.name)
        for undo in reversed(_state.undo[before:]):
            undo()
        del _state.undo[before:]
        plugin.entries, plugin.error = {}, _told(error)
    finally:
        _state.loading = None


def _version(module: ModuleType) -> str:
    version = getattr(module, "__version__", "")
    return version[:80] if isinstance(version, str) else ""


def _told(error: BaseException) -> str:
    """Return an error with the place where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:500]} ({Path(last.filename).name}, line {last.lineno})"


def _is_of(plugin: Plugin, modules: Iterable[str]) -> bool:
    top = plugin.module if plugin.module.startswith(f"{PACKAGE}.") else plugin.module.partition(".")[0]
    return any(module == top or module.startswith(f"{top}.") for module in modules)
