"""Query parameters: one that a call has not is refused, where it would have been ignored in silence."""

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute

from core.errors import InvalidSpec
from core.registry import unknown

_known: dict[str, list[str]] = {}
"""The parameters by route: to find them takes as long as a whole small answer."""


async def refuse_unknown(request: Request) -> None:
    """Raise `InvalidSpec` for a query parameter that the route has not, with the nearest that it has."""
    if not request.query_params:
        return
    given, route = dict.fromkeys(request.query_params), request.scope["route"]
    known = _known.get(route.unique_id)
    if known is None:
        known = _known[route.unique_id] = _parameters(route)
    problems = [unknown("query parameter", name, known, name) for name in given if name not in known]
    if problems:
        raise InvalidSpec(problems)


def _parameters(route: APIRoute) -> list[str]:
    elsewhere = (
        ParamTypes.path,
        ParamTypes.header,
        ParamTypes.cookie,
    )  # a model's fields say nothing: they are a query's
    fields = get_flat_params(route.dependant)
    return [field.alias for field in fields if getattr(field.field_info, "in_", None) not in elsewhere]
