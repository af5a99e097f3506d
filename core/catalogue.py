"""Catalogues of records: an entry is registered by existing, in a file of the catalogue's package."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Protocol, TypeVar

from core import plugins
from core.errors import NotFound
from core.registry import unknown


class Record(Protocol):
    """An entry of a catalogue: a public name, and where it stands among the others."""

    @property
    def name(self) -> str:
        """The public name, which no other entry has."""

    @property
    def rank(self) -> int:
        """Its place among the entries, the lowest first."""


_HOW_TO_REGISTER = "add(...) its record, or begin the name of a file without one with an underscore"

T = TypeVar("T", bound=Record)


class Catalogue(Mapping[str, T]):
    """Maps a public name to its record, in the order of the records' ranks, then of their names.

    `kind` is the singular noun users read; `package` is the package whose files register their records with
    `catalogue.add(...)`. Files that begin with an underscore are what the others share. `unique` names the fields,
    beside the name, that no two records may have the same.

    The first use imports the package's files, of which one that registers nothing raises `ImportError`, and then the
    plug-ins. An unknown name raises `NotFound` with the nearest names, from `get` too: ask with `in` first where that
    is no mistake.
    """

    def __init__(self, kind: str, package: str, unique: Sequence[str] = ()) -> None:
        self.kind = kind
        self._package = package
        self._unique = ("name", *unique)
        self._records: dict[str, T] = {}
        self._sources: set[str] = set()
        self._discovered = False
        self._plugins: dict[str, str] = {}
        """The plug-in of each record that is not built in, by name."""

    def add(self, record: T) -> T:
        """Register a record and return it; raises `ValueError` where another has its name, or a `unique` field's."""
        file = self._file_that_adds()
        plugin = None if file else plugins.owner(_modules_on_the_stack())
        if plugin is not None:
            self._import_files()  # a name that is built in is taken
        for key in self._unique:
            value = getattr(record, key)
            taken = [other.name for other in self._records.values() if getattr(other, key) == value]
            if taken:
                other = f", as {taken[0]!r}" if key != "name" else ""
                raise ValueError(f"{self.kind} {record.name!r}: the {key} {value!r} is already registered{other}")
        self._records[record.name] = record
        self._sources.add(file)
        if plugin is not None:
            self._plugins[record.name] = plugin
            plugins.enter(plugin, self.kind, record.name, lambda: self._remove(record.name))
        return record

    def plugin_of(self, name: str) -> str | None:
        """Return the plug-in that a record is of; None: it is built in, or not there."""
        self._discover()
        return self._plugins.get(name)

    def __getitem__(self, name: str) -> T:
        self._discover()
        if name not in self._records:
            problem = unknown(self.kind, name, self._records)
            raise NotFound(problem.message, [problem])
        return self._records[name]

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._records

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._records, key=lambda name: (self._records[name].rank, name)))

    def __len__(self) -> int:
        self._discover()
        return len(self._records)

    def _discover(self) -> None:
        self._import_files()
        plugins.load()

    def _remove(self, name: str) -> None:
        del self._records[name], self._plugins[name]

    def _import_files(self) -> None:
        if self._discovered:
            return
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__, f"{self._package}."):
            if self._is_file(module.name):
                importlib.import_module(module.name)
                if module.name not in self._sources:
                    raise ImportError(f"{module.name} registers no {self.kind}: {_HOW_TO_REGISTER}")
        self._discovered = True

    def _is_file(self, module: str) -> bool:
        """Return true for a module of the package whose name begins with no underscore."""
        package, _, name = module.rpartition(".")
        return package == self._package and not name.startswith("_")

    def _file_that_adds(self) -> str:
        """Return the innermost such module on the stack: a file may add through a function that it shares."""
        return next(filter(self._is_file, _modules_on_the_stack()), "")


def _modules_on_the_stack() -> Iterator[str]:
    """Yield the names of the modules whose code runs, the innermost first."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back
