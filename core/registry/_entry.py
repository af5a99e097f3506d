"""An entry as a spec names it, and what is said of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from core.errors import Conflict
from core.registry._aliases import Presets

_of_stored: ContextVar[bool] = ContextVar("of_stored", default=False)


class Entry(BaseModel):
    """A catalogue entry as a spec names it: its canonical name and every parameter, defaults written out."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True)
    factory: ClassVar[Callable[..., Any]]
    plugin: ClassVar[str | None] = None
    """The plug-in that it is of; None: it is built in."""

    name: str

    def __hash__(self) -> int:
        return hash(self.model_dump_json())  # the fields' own hashes would not do: a list has none

    def parameters(self) -> dict[str, Any]:
        """Return the parameters by name; a nested entry stays an `Entry`."""
        return {key: getattr(self, key) for key in type(self).model_fields if key != "name"}

    def build(self) -> Any:
        """Build the object that the parameters describe, with the catalogue's factory."""
        return type(self).factory(**self.parameters())


class Absent(Entry):
    """An entry of a stored spec that is not here, as it was stored: its plug-in is gone, or has changed."""

    model_config = ConfigDict(extra="allow")

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as they were stored."""
        return dict(self.model_extra or {})

    def build(self) -> Any:
        """Raise `Conflict`."""
        raise Conflict(f"{self.name!r} is of a plug-in that is not here any more, or has changed")


def entries_in(value: Any) -> Iterator[Entry]:
    """Yield all entries that a setting, or a model of settings, holds, however deep."""
    if isinstance(value, Entry):
        yield value
        value = value.parameters()
    elif isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for one in value:
            yield from entries_in(one)
    elif (layer := getattr(value, "layer", None)) is not None:  # of a list of layers, with the name it goes by
        yield from entries_in(layer)


@contextmanager
def reading_stored() -> Iterator[None]:
    """Read what was valid when it was stored: a name that is not known any more becomes an `Absent` entry."""
    token = _of_stored.set(True)
    try:
        yield
    finally:
        _of_stored.reset(token)


def is_reading_stored() -> bool:
    """Return whether what is read was valid when it was stored."""
    return _of_stored.get()


class About(NamedTuple):
    """An entry's documentation beside its parameters."""

    aliases: tuple[str, ...]
    alias_defaults: Mapping[str, Mapping[str, Any]]
    """The defaults that a name has and the entry has not, by alias."""
    formula: str
    source: str
    summary: str


@dataclass(frozen=True)
class Registered:
    """An entry's model, and what goes with it."""

    schema: type[Entry]
    about: About
    presets: Presets
    example: Mapping[str, Any]
    """A value for each parameter without a default, for those who try it."""
