"""Reads a spec: one that is asked for, or one that was stored."""

from typing import Any

from pydantic import ValidationError

from core.errors import Conflict
from core.registry import Absent, invalid, reading_stored
from core.spec._body import Spec


def parse(raw: Any) -> Spec:
    """Validate a spec; raises `InvalidSpec` with every problem found and the path to its field."""
    try:
        return Spec.model_validate(raw)
    except ValidationError as error:
        raise invalid(error, Spec) from None


def parse_stored(raw: Any) -> Spec:
    """Read a canonical spec that was valid when it was stored: an entry that is not here any more is an `Absent` one.

    It uses the plug-ins that it names, whatever has come since. Raises `InvalidSpec`; `Conflict` for a grid with such
    an entry, whose arms cannot be called as they were.
    """
    with reading_stored():
        spec = parse(raw)
    if spec.grid is not None:
        gone = {value.name for arm in spec.expanded for _, value in arm.treatment if isinstance(value, Absent)}
        if gone:
            text = "of a plug-in that is not here any more, or has changed; the metrics can still be read"
            raise Conflict(f"the grid varies {', '.join(sorted(gone))}, {text}")
    return spec
