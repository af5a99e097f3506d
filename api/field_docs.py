"""Docstrings of fields, as their descriptions in the OpenAPI document.

Pydantic's `use_attribute_docstrings` does the same when a class is made, which costs every process that imports a spec
a seventh of a second; here the document pays for it, when it is first asked for.
"""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel


def add_field_docs(schemas: dict[str, Any], models: Iterable[type[BaseModel]]) -> None:
    """Describe the fields of models, and of models inside of them, in their `schemas` by the names of the classes."""
    for model in dict.fromkeys(part for one in models for part in _parts(one)):
        properties = schemas.get(model.__name__, {}).get("properties", {})
        for name, doc in _field_docs(model).items():
            place = model.model_fields[name].alias or name
            if place in properties:
                properties[place].setdefault("description", doc)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of a type: itself, those of its fields, and those of its arguments."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _parts(field.annotation)
    for argument in get_args(annotation):
        yield from _parts(argument)


def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring of each field that has one: a text alone on the lines below it."""
    found: dict[str, str] = {}
    for owner in reversed([one for one in model.__mro__ if issubclass(one, BaseModel) and one is not BaseModel]):
        module = ast.parse(textwrap.dedent(inspect.getsource(owner)))
        for field, below in itertools.pairwise(one for part in module.body for one in getattr(part, "body", ())):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                    if name in model.model_fields:
                        found[name] = inspect.cleandoc(doc)
    return found
