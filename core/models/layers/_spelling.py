"""The ways in which a spec writes a layer: "relu", {"maxpool": 2}, {"conv2d": {"filters": 32, "kernel": 3}}."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from torch import nn

from core.errors import Problem
from core.models._activations import ACTIVATIONS, PEERS
from core.models.layers import layers
from core.models.layers._activation import SOFTMAX
from core.registry import CATALOG_OF, Entry, custom, join_path, unknown

NAME = "^[A-Za-z][A-Za-z0-9_]{0,39}$"
"""Unlike the names of parts and of layers without one: no number, no point, no dash."""
_EXAMPLE = 'should be a layer, such as "relu", {"maxpool": 2} or {"conv2d": {"filters": 32, "kernel_size": 3}}'


@dataclass(frozen=True)
class NamedLayer:
    """A layer of a list, and the name that its weights go by; without one they go by its index."""

    layer: Entry
    name: str | None = None

    def spelled(self) -> str | dict[str, Any]:
        """Return it as a spec has it, defaults written out."""
        given = self.layer.parameters() | ({} if self.name is None else {"name": self.name})
        return {self.layer.name: given} if given else self.layer.name

    def __str__(self) -> str:
        fields = type(self.layer).model_fields
        parameters = self.layer.parameters()
        first = next(iter(parameters), None)
        told = [
            _side(value) if key == first else f"{key}={_side(value)}"
            for key, value in parameters.items()
            if value != fields[key].default
        ]
        words = f"{self.layer.name}({', '.join(told)})" if told else self.layer.name
        return words if self.name is None else f"{self.name}: {words}"


def _side(value: Any) -> str:
    """Return a parameter in few characters: [3, 3] as 3, [3, 5] as 3x5, [[1, 2], [3, 3]] as [1x2, 3]."""
    if not isinstance(value, list):
        return str(value)
    sides = list(dict.fromkeys(map(_side, value)))
    return f"[{', '.join(sides)}]" if len(sides) > 1 and isinstance(value[0], list) else "x".join(sides)


def parse_layer(raw: object) -> NamedLayer:
    """Read a layer: its name, or an object of its name and its parameters, or of its name and its first parameter.

    Raises `PydanticCustomError` that carries every `Problem`.
    """
    if isinstance(raw, NamedLayer):
        return raw
    if isinstance(raw, str):
        raw = {raw: None}
    if not isinstance(raw, dict) or len(raw) != 1 or not isinstance(next(iter(raw)), str):
        raise custom([Problem("", _EXAMPLE)])
    ((given, value),) = raw.items()
    name = None
    if isinstance(value, dict):
        value = dict(value)
        name = _named(value.pop("name", None), given)
    known, value = _found(given, value)
    parameters = _parameters(known, given, value)
    alone = None if isinstance(value, dict) else next(iter(parameters), None)
    try:
        return NamedLayer(layers.parse({**parameters, "name": known}), name)
    except PydanticCustomError as error:
        problems: list[Problem] = (error.context or {})["problems"]
        paths = [given if p.path == alone else join_path(given, p.path) for p in problems]
        raise custom([p._replace(path=path) for p, path in zip(problems, paths, strict=True)]) from None


def _found(given: str, value: Any) -> tuple[str, Any]:
    """Return the layer's name in the catalogue, whatever its case and underscores, and its parameters as given."""
    key = _folded(given)
    if key == "activation":
        asked = value.get("activation") if isinstance(value, dict) and len(value) == 1 else value
        if asked in ("softmax", "log_softmax"):
            raise custom([Problem(given, SOFTMAX)])
        if not isinstance(asked, str) or asked not in {*ACTIVATIONS, *PEERS}:
            raise custom([unknown("activation", str(asked), [*ACTIVATIONS, *PEERS], given)])
        return ("identity" if asked == "linear" else PEERS.get(asked, asked)), None
    if key in ("softmax", "logsoftmax"):
        raise custom([Problem("", SOFTMAX)])
    known = _known().get(key)
    if known is None:
        raise custom([unknown("layer", given, layers.names())])
    return known, value


def _parameters(known: str, given: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    first = next((field for field in layers[known].model_fields if field != "name"), None)
    if first is None:
        raise custom([Problem(given, 'has no parameters but "name"')])
    if first == "affine" and type(value) is not bool:  # the number of features, which torch is told
        raise custom([Problem(given, f'takes as many features as the layers before give: write "{given}" alone')])
    return {first: value}


def _named(name: Any, given: str) -> str | None:
    path = join_path(given, "name")
    if name is None:
        return None
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        message = "should be a letter and up to 39 more letters, digits or underscores"
        raise custom([Problem(path, message)])
    if hasattr(nn.Sequential(), name):
        raise custom([Problem(path, f"{name!r} is a word of torch's own for modules: take another")])
    return name


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


@cache
def _known() -> Mapping[str, str]:
    return {_folded(name): name for name in layers.names()}


class _Spelled:
    """Makes pydantic read, write and document a layer in a list."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            parse_layer,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda layer: layer.spelled()),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        alone = {"type": "string", "enum": list(layers)}
        return {"anyOf": [alone, *(_object(name) for name in layers)], CATALOG_OF: layers.kind}


def _object(name: str) -> dict[str, Any]:
    """Return the JSON schema of a layer with its parameters, or with its first alone."""
    about = layers.describe(name)
    schema = about["parameters"]
    own = {key: value for key, value in schema["properties"].items() if key != "name"}
    inside = {
        "type": "object",
        "properties": own | {"name": {"type": "string", "pattern": NAME}},
        "required": [key for key in schema.get("required", []) if key != "name"],
        "additionalProperties": False,
    }
    values = [inside, *list(own.values())[:1], {"type": "null"}]
    return {
        "type": "object",
        "properties": {name: {"anyOf": values, "description": about["summary"]}},
        "required": [name],
        "additionalProperties": False,
    }


LayerField = Annotated[NamedLayer, _Spelled()]
