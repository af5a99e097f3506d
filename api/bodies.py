"""Bodies that are JSON: told in OpenAPI as the models they are, and read by another process than the API's."""

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from core.errors import MOST_PROBLEMS, InvalidSpec, Problem
from core.experiments.cohorts.designs import AnySpec
from core.external import KIND, ExternalSpec
from core.registry import invalid, unknown
from core.spec import Spec

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"

BODIES: dict[str, type[BaseModel]] = {}
"""The models of bodies by name, for the OpenAPI document."""


def body_of(*models: type[BaseModel], media: str = JSON) -> dict[str, Any]:
    """Return what a route's `openapi_extra` says of its body, which the route takes as `await json_body(request)`.

    Or another way, where it is of another media type. Of several models it is any.
    """
    BODIES.update({model.__name__: model for model in models})
    references: list[dict[str, Any]] = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


async def json_body(request: Request) -> bytes:
    """Return the body as it came; raises 415 where it is not said to be JSON, as a form of a web page is not."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if media != JSON and not (media.startswith("application/") and media.endswith("+json")):
        raise HTTPException(415, "send JSON, with the header Content-Type: application/json")
    return body


def read_body(body: bytes, model: type[M]) -> M:
    """Return a body as its model; raises `InvalidSpec` with every problem found."""
    return _as(_loaded(body), model)


def read_spec(body: bytes) -> AnySpec:
    """Return a body as the spec of an experiment, of either kind; raises `InvalidSpec` with every problem found."""
    raw = _loaded(body)
    return _as(raw, ExternalSpec) if isinstance(raw, dict) and raw.get("kind") == KIND else _as(raw, Spec)


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise InvalidSpec([Problem("", "the body is not JSON that can be read: nested too deeply")]) from None
    except UnicodeDecodeError:
        raise InvalidSpec([Problem("", "the body is not JSON that can be read: not UTF-8")]) from None
    except json.JSONDecodeError as error:
        raise InvalidSpec([Problem("", f"the body is not JSON: {error}")]) from None
    except ValueError:
        raise InvalidSpec([Problem("", "the body is not JSON that can be read: a number too long")]) from None


def _as(raw: Any, model: type[M]) -> M:
    if model.model_config.get("extra") == "forbid":
        _few_unknown(raw, model)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise invalid(error, model) from None
    except RecursionError:
        raise InvalidSpec([Problem("", "the body is nested too deeply")]) from None


def _few_unknown(raw: Any, model: type[BaseModel]) -> None:
    """Raise `InvalidSpec` for an object of so many fields that more are unknown than an answer names.

    pydantic makes an error of each before any can be looked at: ten times the work of reading them.
    """
    fields = model.model_fields
    if isinstance(raw, dict) and len(raw) > len(fields) + MOST_PROBLEMS:
        names = [name for name in raw if name not in fields]
        problems = [unknown("field", name, fields, name) for name in names[:MOST_PROBLEMS]]
        raise InvalidSpec([*problems, Problem("", f"and {len(names) - MOST_PROBLEMS:,} more")])
