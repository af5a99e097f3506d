"""The type of a model's field that holds an entry of a catalogue."""

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

CATALOG_OF = "x-catalog"
"""The key in a field's JSON schema under which its catalogue's kind stands."""


class InCatalog:
    """Makes pydantic read, write and document a field through its registry."""

    def __init__(self, kind: str, parse: Callable[[Any], Any], names: Callable[[], list[str]]) -> None:
        self._kind = kind
        self._parse = parse
        self._names = names

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._parse,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda entry: entry.model_dump()),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        names, kind = self._names(), self._kind
        return {
            "anyOf": [
                {"type": "string", "enum": names},
                {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "enum": names}}},
            ],
            "description": f"A {kind} by name, or with its parameters: GET /catalog/{kind}s/{{name}} lists them.",
            CATALOG_OF: kind,
        }
