"""Names and parameters that other libraries have for an entry."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from core.errors import Problem

Presets = Mapping[str, Mapping[Any, Mapping[str, Any]]]
"""parameter -> value -> the defaults of other parameters that go with it."""


@dataclass(frozen=True)
class Reading:
    """Parameters as given, in an entry's own words; `names` maps these to those given, `problems` refuse them."""

    raw: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[Problem] = ()

    @classmethod
    def of(cls, given: Iterable[tuple[str, str, Any]], problems: Sequence[Problem] = ()) -> Self:
        """Return what was given, each as its name, the entry's own and its value; one twice is a problem too."""
        own: dict[str, Any] = {}
        names: dict[str, str] = {}
        found = list(problems)
        for name, key, value in given:
            if key in own:
                found.append(Problem(name, f"is the same as {names[key]}: give one of them"))
            own[key], names[key] = value, name
        return cls(own, names, found)

    def as_given(self, problem: Problem) -> Problem:
        """Return the problem with the path that the request has."""
        for own, given in self.names.items():
            if not isinstance(own, str):
                continue
            rest = problem.path.removeprefix(own)
            if rest != problem.path and rest[:1] in ("", ".", "["):
                return problem._replace(path=given + rest)
        return problem

    def then(self, read: "Callable[[Mapping[str, Any]], Reading]") -> "Reading":
        """Return what `read` makes of this one."""
        if self.problems:
            return self
        further = read(self.raw)
        names = {own: self.names.get(given, given) for own, given in further.names.items()}
        return Reading(further.raw, {**self.names, **names}, [self.as_given(p) for p in further.problems])

    def preset(self, presets: Presets) -> "Reading":
        """Return it with the defaults that go with what was given."""
        raw = self.raw
        for parameter, by_value in presets.items():
            value = raw.get(parameter)
            raw = {**(by_value.get(value, {}) if isinstance(value, str) else {}), **raw}
        return replace(self, raw=raw)


@dataclass(frozen=True)
class Alias:
    """Another name of an entry, with the defaults and parameters that its library has under it."""

    name: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    """Its parameter -> the entry's."""
    converts: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Its parameter -> a function from its value to the entry's; a value of another type comes back as it is."""
    refuses: Mapping[str, str] = field(default_factory=dict)
    """Its parameter -> the way to say it here."""

    def read(self, raw: Mapping[str, Any], name: str) -> Reading:
        """Read parameters given under this name as those of the entry `name`."""
        refused = [Problem(one, f"of {self.name}: {self.refuses[one]}") for one in raw if one in self.refuses]
        read = Reading.of(self._renamed(raw), refused)
        return replace(read, raw={**self.defaults, **read.raw, "name": name})

    def _renamed(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
        for given, value in raw.items():
            if given not in self.refuses:
                convert = self.converts.get(given)
                yield given, self.renames.get(given, given), value if convert is None else convert(value)
