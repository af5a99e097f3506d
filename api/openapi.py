"""The OpenAPI document, made so that generated clients are right: typed entries, named types, problems as they come."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.answers import ProblemOut
from api.bodies import BODIES
from api.examples import add_examples
from api.field_docs import add_field_docs
from core.datasets import datasets
from core.initializers import initializers
from core.models import models
from core.models.layers import layers
from core.optimizers import optimizers
from core.registry import CATALOG_OF, Registry
from core.schedules import schedules

PROBLEM = "application/problem+json"
SCHEMAS = "#/components/schemas/"
NAMED: Sequence[Registry] = (initializers, schedules, optimizers, models, datasets)
"""The catalogues whose entries a request names by `name`."""
KEPT = ("title", "description", "default")
"""Keys that stay beside a reference."""
METHODS = ("get", "post", "put", "patch", "delete")

_RETRY = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
STATUSES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "400": ("BadRequest", "The request cannot be read", {}),
    "401": (
        "Unauthorized",
        "No API key, or none that is known",
        {"WWW-Authenticate": {"description": "the scheme", "schema": {"type": "string"}}},
    ),
    "403": ("Forbidden", "Not for this key, or not from this place", {}),
    "404": ("NotFound", "There is no such thing", {}),
    "405": (
        "MethodNotAllowed",
        "The path has no such method",
        {"Allow": {"description": "the methods that it has", "schema": {"type": "string"}}},
    ),
    "409": ("Conflict", "Not in the state that it is in", {}),
    "412": ("PreconditionFailed", "It has changed since the answer whose `ETag` `If-Match` has", {}),
    "413": ("ContentTooLarge", "The body is larger than this call takes", {}),
    "415": ("UnsupportedMediaType", "The body is of another media type than the call takes", {}),
    "422": ("Invalid", "What is asked for cannot be; `errors` has the path of each problem", {}),
    "429": ("TooManyRequests", "More than this key may ask for now", _RETRY),
    "503": ("Unavailable", "Not now: the database is away, or the service has too much to do", _RETRY),
    "507": ("StorageFull", "There is no room for the file", {}),
    "default": ("Problem", "Any other problem", {}),
}
"""The name of a problem's response, what it says, and its headers, by status."""

EVERYWHERE = ("401", "403", "405", "422", "429", "503", "default")
WITH_A_BODY = ("400", "413", "415")


def documented(app: FastAPI) -> dict[str, Any]:
    """Return the application's OpenAPI document."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        template = SCHEMAS + "{model}"
        read: list[type[BaseModel]] = [*BODIES.values(), ProblemOut]
        schemas |= models_json_schema([(one, "validation") for one in read], ref_template=template)[1]["$defs"]
        add_field_docs(schemas, read)
        _drop_defaults_of_patches(document["paths"], schemas)
        for registry in NAMED:
            schemas |= _catalogue(registry)
        schemas |= _layers()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for name in list(schemas):
            linked = _linked(schemas[name])
            schemas[name] = linked
            for part, named in _name_parts(name, linked):
                if part in schemas:
                    raise ValueError(f"two types would be called {part}: rename a field")
                schemas[part] = named
        document["components"]["schemas"] = dict(sorted(schemas.items()))
        document["components"]["responses"] = {
            name: _response(description, headers) for name, description, headers in STATUSES.values()
        }
        for path, operations in document["paths"].items():
            for method in METHODS & operations.keys():
                _add_problems(path, method, operations[method])
        add_examples(document)
    return app.openapi_schema or document


def _drop_defaults_of_patches(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Remove the defaults of what a PATCH may change: generated clients send those of fields that are left out."""
    for operation in (operations["patch"] for operations in paths.values() if "patch" in operations):
        (content,) = operation["requestBody"]["content"].values()
        for field in schemas[content["schema"]["$ref"].removeprefix(SCHEMAS)]["properties"].values():
            field.pop("default", None)


def type_name(name: str, kind: str) -> str:
    """Return the name of the type of an entry: `he_normal` of the initializers is `HeNormalInitializer`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", f"{name}_{kind}"))


def _catalogue(registry: Registry) -> dict[str, Any]:
    """Return the schemas of a catalogue: by name, with parameters, either; and one of every entry."""
    kind, found = registry.kind, registry.schemas()
    union, either, bare = type_name("", f"{kind}_entry"), type_name("", kind), type_name("", f"{kind}_name")
    types = {name: type_name(name, kind if name in set(registry) else f"alias_{kind}") for name in found}
    places = {name: SCHEMAS + own for name, own in types.items()}
    names = [name for schema in found.values() for name in schema["properties"]["name"]["enum"]]
    mapping = {name: places[own] for own, schema in found.items() for name in schema["properties"]["name"]["enum"]}
    return {types[name]: _keyed(schema) for name, schema in found.items()} | {
        bare: _keyed({"properties": {"name": {"enum": names}}})["properties"]["name"]
        | {"type": "string", "title": bare, "description": f"The name of a {kind}, with the defaults that it has."},
        union: {
            "oneOf": [{"$ref": place} for place in places.values()],
            "discriminator": {"propertyName": "name", "mapping": mapping},
            "description": f"A {kind} with its parameters.",
        },
        either: {
            "anyOf": [{"$ref": SCHEMAS + bare}, {"$ref": SCHEMAS + union}],
            "description": f"A {kind} by name, or with parameters: GET /catalog/{kind}s/{{name}} describes them.",
        },
    }


def _layers() -> dict[str, Any]:
    """Return the schemas of a layer in a list, which a request writes as a name or as `{name: parameters}`."""
    bare, *spelled = models["sequential"].model_json_schema()["properties"]["layers"]["items"]["anyOf"]
    kind = layers.kind
    objects = {type_name(next(iter(one["properties"])), kind): one for one in spelled}
    return objects | {
        "LayerName": bare
        | {"title": "LayerName", "description": "The name of a layer, with the defaults that it has."},
        "Layer": {
            "anyOf": [{"$ref": SCHEMAS + name} for name in ("LayerName", *objects)],
            "description": "A layer by name, or with parameters: GET /catalog/layers/{name} describes them and has "
            "the names of torch and Keras that are understood too.",
        },
    }


def _keyed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an entry's schema with a key for every name: those of generated enumerations tell no case apart."""
    name = schema["properties"]["name"]
    if len(name["enum"]) == 1:
        (only,) = name["enum"]
        return schema | {"properties": schema["properties"] | {"name": {"const": only, "type": "string"}}}
    keys = [re.sub(r"[\W_]", "", one).upper() for one in name["enum"]]
    keys = [f"{key}_{keys[:i].count(key)}" if key in keys[:i] else key for i, key in enumerate(keys)]
    return schema | {"properties": schema["properties"] | {"name": name | {"x-enum-varnames": keys}}}


def _linked(part: Any) -> Any:
    """Return a schema in which every field that holds an entry refers to the schema of its catalogue."""
    if isinstance(part, list):
        return [_linked(one) for one in part]
    if not isinstance(part, dict):
        return part
    if CATALOG_OF in part:
        kept = {key: part[key] for key in ("default", "title") if key in part}
        return {"$ref": SCHEMAS + type_name("", part[CATALOG_OF])} | kept
    return {key: _linked(value) for key, value in part.items()}


def _name_parts(owner: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the enumerations and objects inside of a schema, by names made of where they are; references replace them.

    Without names generators number them: `Mode`, `Mode1`, and other numbers with the next version. A constant among
    alternatives becomes an enumeration too: openapi-python-client takes the last constant for the only alternative.
    """
    for field, property_ in schema.get("properties", {}).items():
        for place, name in _places(property_, type_name(owner, field)):
            if place is not property_ and isinstance(place.get("const"), str):
                place |= {"type": "string", "enum": [place.pop("const")]}
            if "properties" in place or len(place.get("enum", ())) > (place is property_):
                name += "Choice" if place is not property_ and "enum" in place else ""
                part = {"title": name} | {key: place.pop(key) for key in list(place) if key not in KEPT}
                place["$ref"] = SCHEMAS + name
                yield name, part
                yield from _name_parts(name, part)


def _places(schema: dict[str, Any], name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield a schema, the alternatives of a union, and what lists and mappings hold, each with a name for it."""
    yield schema, name
    for one in schema.get("anyOf", ()):
        yield from _places(one, name)
    for key, suffix in (("items", "Item"), ("additionalProperties", "Value")):
        if isinstance(schema.get(key), dict):
            yield from _places(schema[key], name + suffix)


def _response(description: str, headers: dict[str, Any]) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": SCHEMAS + ProblemOut.__name__}}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _add_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    """Document the problems that an operation answers with, beside those that its route names."""
    responses = operation["responses"]
    for status in _statuses(path, method, operation):
        responses[status] = {"$ref": f"#/components/responses/{STATUSES[status][0]}"}


def _statuses(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from EVERYWHERE
    if "{" in path:
        yield "404"
        if method != "get":
            yield "409"
    if any(parameter["name"] == "if-match" for parameter in operation.get("parameters", ())):
        yield "412"
    if "requestBody" in operation:
        yield from WITH_A_BODY
        yield "409"
