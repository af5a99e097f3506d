"""The weights of runs that are kept: as drawn, after the best epoch, at the end."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

Which = Literal["initial", "best", "final"]
WHICH: tuple[Which, ...] = get_args(Which)


def _listed(value: object) -> object:
    """Return the canonical form: a list without repetitions, in the order of a training; others stay as they are."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return sorted(dict.fromkeys(value), key=lambda one: WHICH.index(one) if one in WHICH else len(WHICH))
    return value


Keep = Annotated[list[Which], Field(min_length=1), BeforeValidator(_listed, json_schema_input_type=Which | list[Which])]
