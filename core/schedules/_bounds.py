"""Rates that a schedule sets beside the optimizer's own, B, and the side of B on which they make sense."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from core.registry import Entry, NonNegative, Positive

Side = Literal["floor", "start", "ceiling"]


class Bound:
    """Marks a parameter that is a rate: an end below B, a start below what follows, or a peak above B."""

    def __init__(self, side: Side) -> None:
        self.side = side


class Shrinking:
    """Marks a parameter that multiplies the peak of each cycle to give the next one's: 1 or less makes sense."""


Floor = Annotated[NonNegative, Bound("floor")]
"""A rate that the schedule falls to."""
Start = Annotated[NonNegative, Bound("start")]
"""A rate that a warm-up rises from, to `end_lr` where the schedule has one, else to B."""
Ceiling = Annotated[Positive, Bound("ceiling")]
"""A rate that the schedule rises to from B."""
Shrink = Annotated[Positive, Shrinking()]
"""A factor from one peak to the next."""


def bounds(entry: Entry) -> Iterator[tuple[str, float, Side]]:
    """Yield name, value and side of every parameter of the entry that is such a rate and is given."""
    for name, field in type(entry).model_fields.items():
        value = getattr(entry, name)
        marks = [mark for mark in [*field.metadata, *_marks(field.annotation)] if isinstance(mark, Bound)]
        if marks and value is not None:
            yield name, float(value), marks[0].side


def growing(entry: Entry) -> Iterator[tuple[str, float]]:
    """Yield name and value of every parameter of the entry by which peaks grow instead of shrinking."""
    for name, field in type(entry).model_fields.items():
        if any(isinstance(mark, Shrinking) for mark in field.metadata) and getattr(entry, name) > 1:
            yield name, float(getattr(entry, name))


def without_default_bounds(entry: Entry) -> Entry:
    """Return the entry as if the rates of its own that are its defaults were 0, in schedules inside it too."""
    fields = type(entry).model_fields
    changed: dict[str, object] = {name: 0.0 for name, value, _ in bounds(entry) if value == fields[name].default}
    for name, value in entry.parameters().items():
        if isinstance(value, Entry):
            changed[name] = without_default_bounds(value)
        elif isinstance(value, list):
            changed[name] = [without_default_bounds(one) if isinstance(one, Entry) else one for one in value]
    return entry.model_copy(update=changed)


def _marks(annotation: Any) -> Iterator[Any]:
    for inside in get_args(annotation):
        yield from getattr(inside, "__metadata__", ())
