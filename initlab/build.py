"""Builders of specs, with completion of names and parameters: `build.initializers.uniform(low=-1, high=1)`.

They return what a spec has there, plain dicts: `spec(...)` a whole one, `arm("label", ...)` one of its arms, and the
catalogues `initializers`, `schedules`, `optimizers`, `models`, `layers` and `datasets` an entry with its parameters.
What is not given is left out, and is the default in force where the spec is read. The names, types and defaults are
those of the server that this version belongs to; values are checked by the server that a spec is sent to.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from inspect import Parameter, Signature
from keyword import iskeyword
from typing import Any

Builder = Callable[..., dict[str, Any]]


class _Type(str):
    """A type in words, which `help` shows as it is."""

    __repr__ = str.__str__


class Catalogue:
    """The builders of one kind of entry, each under its name; `lambda_` is `lambda`."""

    def __init__(self, kind: str, entries: Mapping[str, Any]) -> None:
        self._kind = kind
        for name, entry in entries.items():
            word = f"{name}_" if iskeyword(name) else name
            setattr(self, word, _builder(f"{kind}.{word}", entry, {"name": name}, is_layer=kind == "layers"))

    def __getattr__(self, name: str) -> Builder:
        if name.startswith("_"):
            raise AttributeError(name)
        known = [one for one in vars(self) if one != "_kind"]
        raise AttributeError(f"no {self._kind} entry is {name!r}{_hint(name, known)}")

    def __repr__(self) -> str:
        return f"<{self._kind}: {', '.join(name for name in vars(self) if name != '_kind')}>"


def _hint(name: str, known: Sequence[str]) -> str:
    """Return the known names that are near, or all of them."""
    near = get_close_matches(name, known, n=3) or [one for one in known if one.startswith(name)]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; known: {', '.join(known) or 'none'}"


def _builder(
    qualified: str,
    entry: Mapping[str, Any],
    start: Mapping[str, Any],
    first: Sequence[str] = (),
    is_layer: bool = False,
) -> Builder:
    """Return a function of the parameters in `first`, which are given by place, and of an entry's.

    A layer goes by its name, `{"dense": {"units": 10}}`, since a `name` in a list of layers is a layer's own.
    """
    places = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=_Type("str")) for name in first[:1]]
    places += [
        Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=_Type("Mapping[str, Any]"), default={})
        for name in first[1:]
    ]
    rest = [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=one.get("default", Parameter.empty), annotation=_Type(one["type"])
        )
        for name, one in entry["parameters"].items()
    ]
    signature = Signature([*places, *rest], return_annotation=_Type("dict[str, Any]"))

    def build(*args: Any, **given: Any) -> dict[str, Any]:
        unknown = next((name for name in given if name not in signature.parameters), None)
        if unknown is not None:
            raise TypeError(f"{qualified}() has no parameter {unknown!r}{_hint(unknown, list(signature.parameters))}")
        try:
            bound = dict(signature.bind(*args, **given).arguments)
        except TypeError as error:
            raise TypeError(f"{qualified}(): {error}") from None
        paths = bound.pop("paths", {})
        return {start["name"]: bound} if is_layer else {**start, **bound, **paths}

    build.__name__, build.__qualname__ = qualified.rpartition(".")[2], qualified
    build.__doc__ = entry["doc"]
    vars(build)["__signature__"] = signature
    return build


_known: dict[str, Any] = json.loads(files("initlab").joinpath("build.json").read_text(encoding="utf-8"))
spec = _builder("spec", _known["spec"], {})
arm = _builder("arm", _known["arm"], {}, first=("label", "paths"))
initializers = Catalogue("initializers", _known["initializers"])
schedules = Catalogue("schedules", _known["schedules"])
optimizers = Catalogue("optimizers", _known["optimizers"])
models = Catalogue("models", _known["models"])
layers = Catalogue("layers", _known["layers"])
datasets = Catalogue("datasets", _known["datasets"])


def __dir__() -> list[str]:
    """Return the builders alone, for completion."""
    return ["arm", "spec", *sorted(name for name, value in globals().items() if isinstance(value, Catalogue))]
