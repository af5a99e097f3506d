"""Named catalogues: an entry is registered by its file, and its parameters are read off its signature."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import ValidationError, create_model
from pydantic_core import PydanticCustomError

from core import plugins
from core.errors import NotFound, Problem, path_of
from core.registry._aliases import Alias, Presets, Reading
from core.registry._entry import About, Absent, Entry, Registered, entries_in, is_reading_stored, reading_stored
from core.registry._field import CATALOG_OF, InCatalog
from core.registry._numbers import HUGE, Count, CountFromZero, NonNegative, Positive, Real
from core.registry._problems import (
    MOST_NAMES,
    custom,
    invalid,
    is_deeper,
    join_path,
    problems_of,
    unknown,
    unknown_field,
)
from core.registry._schemas import schemas_of, told

Factory = TypeVar("Factory", bound=Callable[..., Any])

NESTING = 16
"""Most levels of entries, lists and objects inside an entry."""
MOST_PARSED = 4_000_000
"""Characters of all entries that are remembered as they were given."""
_HOW_TO_REGISTER = "decorate its factory with register(...), or begin the name of a file without one with an underscore"


class Registry(Mapping[str, type[Entry]]):
    """Maps a public name to the model of its parameters.

    `kind` is the singular noun users read; `package` is the package whose modules register themselves with
    `@registry.register(...)` on a factory with keyword-only arguments. `common` are parameters that every entry has
    and the factory does not take; an entry may give its own default for them, or (type, default), when it registers.
    `finish` is given what the factory made and the common parameters, and returns what the entry builds. `rewrite`
    reads further ways to give parameters. `ambiguous` names mean different entries in different libraries: each has
    what is said of it, and the names to choose from. `meanings` are those of parameters, by name or by "entry.name".
    """

    def __init__(
        self,
        kind: str,
        package: str,
        common: Mapping[str, tuple[Any, Any]] | None = None,
        finish: Callable[..., Any] = lambda built, **_common: built,
        rewrite: Callable[[type[Entry], Mapping[str, Any]], Reading] = lambda _schema, raw: Reading(raw),
        ambiguous: Mapping[str, tuple[str, tuple[str, ...]]] | None = None,
        meanings: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self._package = package
        self._common = dict(common or {})
        self._finish = finish
        self._rewrite = rewrite
        self._ambiguous = ambiguous or {}
        self._meanings = dict(meanings or {})
        self._entries: dict[str, Registered] = {}
        self._aliases: dict[str, tuple[str, Alias]] = {}
        self._modules: set[str] = set()
        self._discovered = False
        self._characters = 0
        self._parsed: dict[str, Entry] = {}
        """Entries by what they were given as: the arms of an experiment repeat most of them, also inside others."""

    def register(
        self,
        *,
        formula: str,
        source: str,
        aliases: Sequence[str | Alias] = (),
        name: str | None = None,
        presets: Presets | None = None,
        example: Mapping[str, Any] | None = None,
        **common: Any,
    ) -> Callable[[Factory], Factory]:
        """Enter the decorated factory under its own name (or `name`, where that is a Python keyword).

        `example` has a value for each parameter without a default, for `initlab plugins check`. `presets` are the
        defaults that go with the value of a parameter: `{"flavour": {"keras": {"eps": 0.0}}}`.
        """
        others = [alias if isinstance(alias, Alias) else Alias(alias) for alias in aliases]

        def enter(factory: Factory) -> Factory:
            public = name or factory.__name__
            own = factory.__module__.startswith(f"{self._package}.")
            plugin = None if own else plugins.owner([factory.__module__])
            if plugin is not None:
                self._import_files()  # a name that is built in is taken
            for taken in (public, *(alias.name for alias in others)):
                if taken in self._entries or taken in self._aliases:
                    raise ValueError(f"{self.kind} {taken!r} is already registered")
            about = About(
                tuple(alias.name for alias in others),
                {alias.name: dict(alias.defaults) for alias in others if alias.defaults},
                formula,
                source,
                inspect.getdoc(factory) or "",
            )
            schema = self._schema(public, factory, common)
            schema.plugin = plugin
            self._entries[public] = Registered(schema, about, presets or {}, example or {})
            self._aliases.update({alias.name: (public, alias) for alias in others})
            if plugin is not None:
                plugins.enter(plugin, self.kind, public, lambda: self._remove(public))
            self._modules.add(factory.__module__)
            return factory

        return enter

    def __getitem__(self, name: str) -> type[Entry]:
        return self._find(name).schema

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._discover()
        return len(self._entries)

    def names(self) -> list[str]:
        """Return every name that an entry goes by."""
        return [*self, *self._aliases]

    def parse(self, raw: object) -> Entry:
        """Validate a spec's way to name an entry: a bare name, or `{"name": ..., parameters...}`.

        The entry is built once, so that a factory can refuse parameters that do not fit together with a `ValueError`.
        Raises `PydanticCustomError` that carries every `Problem`, so that it can be raised inside a model's validator.
        """
        if isinstance(raw, Entry):
            raw = raw.model_dump()
        if isinstance(raw, str):
            raw = {"name": raw}
        if is_deeper(raw, NESTING):
            raise custom([Problem("", f"is nested more than {NESTING} levels deep")])
        text = repr(raw)
        known = self._parsed.get(text)
        if known is None:
            try:
                known = self._parse(raw)
            except PydanticCustomError:
                if not is_reading_stored() or not isinstance(raw, dict):
                    raise
                return Absent.model_validate(raw)  # what it was of is gone, or has changed
            self._parsed[text] = known
            self._characters += len(text)
            if self._characters > MOST_PARSED:
                self._parsed, self._characters = {}, 0
        return known

    def example(self, name: str) -> dict[str, Any]:
        """Return an entry as a spec may have it, with the values that its author gave for what has no default."""
        return {"name": name, **self._find(name).example}

    def _parse(self, raw: object) -> Entry:
        if not isinstance(raw, dict):
            raise custom([Problem("", f'should be the name of a {self.kind} or {{"name": ..., parameters}}')])
        name = raw.get("name")
        if not isinstance(name, str):
            raise custom([Problem("name", f"should be the name of a {self.kind}", tuple(self))])
        try:
            found = self._find(name)
        except NotFound:
            raise custom([self._not_found(name)._replace(path="name")]) from None
        read = self._read(found, name, raw)
        if read.problems:
            raise custom(read.problems)
        try:
            entry = found.schema.model_validate(read.raw)
        except ValidationError as error:
            raise custom([read.as_given(p) for p in problems_of(error.errors(), found.schema)]) from None
        try:
            entry.build()
        except ValueError as error:
            raise custom([Problem(path_of(error), str(error))]) from None
        return entry

    def describe(self, name: str) -> dict[str, Any]:
        """Return the answer of `GET /catalog` for one entry; raises `NotFound`."""
        found = self._find(name)
        return {
            "kind": self.kind,
            "name": found.schema.model_fields["name"].default,
            **found.about._asdict(),
            "plugin": found.schema.plugin,
            "parameters": told(found.schema.model_json_schema(), {} if found.schema.plugin else self._meanings),
        }

    def schemas(self) -> dict[str, dict[str, Any]]:
        """Return the JSON schemas of all that can be named, by a name; a schema's `name` lists those that it is for."""
        found: dict[str, dict[str, Any]] = {}
        for name in self:
            entry = self._entries[name]
            schema = entry.schema.model_json_schema() | {"description": entry.about.summary.partition("\n\n")[0]}
            aliases = [alias for canonical, alias in self._aliases.values() if canonical == name]
            found |= schemas_of(name, schema, entry.presets, aliases)
        return found

    def field(self) -> Any:
        """Return the type of a model's field that holds an entry of this catalogue."""
        return Annotated[Entry, InCatalog(self.kind, self.parse, lambda: list(self))]

    def _read(self, found: Registered, name: str, raw: Mapping[str, Any]) -> Reading:
        """Read what was given under a name, perhaps another library's, as the entry's own parameters."""
        _, alias = self._aliases.get(name, (name, Alias(name)))
        canonical = found.schema.model_fields["name"].default
        return alias.read(raw, canonical).then(lambda own: self._rewrite(found.schema, own)).preset(found.presets)

    def _find(self, name: str) -> Registered:
        self._discover()
        canonical, _ = self._aliases.get(name, (name, None))
        if canonical not in self._entries:
            problem = self._not_found(name)
            raise NotFound(problem.message, [problem])
        return self._entries[canonical]

    def _not_found(self, name: str) -> Problem:
        if name in self._ambiguous:
            said, known = self._ambiguous[name]
            return Problem("", f"{name!r} {said}", known)
        return unknown(self.kind, name, self.names(), listed=self)

    def _schema(self, public: str, factory: Callable[..., Any], common: Mapping[str, Any]) -> type[Entry]:
        fields: dict[str, Any] = {"name": (Literal[public], public)}
        for p in inspect.signature(factory, eval_str=True).parameters.values():
            if p.kind is not p.KEYWORD_ONLY:
                raise TypeError(f"{self.kind} {public!r}: parameter {p.name!r} is not keyword-only")
            fields[p.name] = (p.annotation, ... if p.default is p.empty else p.default)
        for key, (annotation, default) in self._common.items():
            own = common.get(key, default)
            fields[key] = own if isinstance(own, tuple) else (annotation, own)
        schema = cast(type[Entry], create_model(public, __base__=Entry, **fields))
        schema.factory = self._finished(factory)
        return schema

    def _finished(self, factory: Callable[..., Any]) -> Any:
        def build(**parameters: Any) -> Any:
            own = {key: value for key, value in parameters.items() if key not in self._common}
            return self._finish(factory(**own), **{key: parameters[key] for key in self._common})

        return staticmethod(build)

    def _discover(self) -> None:
        self._import_files()
        plugins.load()

    def _remove(self, name: str) -> None:
        del self._entries[name]
        self._aliases = {alias: of for alias, of in self._aliases.items() if of[0] != name}
        self._parsed, self._characters = {}, 0

    def _import_files(self) -> None:
        if self._discovered:
            return
        package = importlib.import_module(self._package)
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{self._package}.{found.name}")
            if not found.ispkg and not found.name.startswith("_") and module.__name__ not in self._modules:
                path = module.__file__
                raise ImportError(f"{path} registers no {self.kind}: {_HOW_TO_REGISTER}", path=path)
        self._discovered = True


__all__ = [
    "CATALOG_OF",
    "HUGE",
    "MOST_NAMES",
    "About",
    "Absent",
    "Alias",
    "Count",
    "CountFromZero",
    "Entry",
    "NonNegative",
    "Positive",
    "Reading",
    "Real",
    "Registry",
    "custom",
    "entries_in",
    "invalid",
    "is_deeper",
    "is_reading_stored",
    "join_path",
    "problems_of",
    "reading_stored",
    "unknown",
    "unknown_field",
]
