"""Names of arms as pictures show them."""

from collections.abc import Mapping
from typing import Any

from core.design import Design

SEVERAL = " = "
"""Between the names of arms that are drawn as one: names have commas themselves."""


def short_names(design: Design) -> dict[str, str]:
    """Return what to call each arm, by its label: of a grid's cell what others of the grid have otherwise.

    "initializer=he_normal, batch_size=32, optimizer.lr=0.1" is "he_normal · batch_size=32" where all have that rate.
    """
    labels = design.labels
    if design.grid is None:
        return dict(zip(labels, labels, strict=True))
    settings = [design.arm(label).settings for label in labels]
    varying = [field for field in design.grid if len({one.get(field) for one in settings}) > 1]
    names = [" · ".join(_part(field, one[field]) for field in varying if field in one) for one in settings]
    if not all(names) or len(set(names)) < len(names):
        names = labels
    return dict(zip(labels, names, strict=True))


def joined(names: list[str], arms: int) -> str:
    """Return the name of several arms that are drawn as one; `arms` are all that there are."""
    if len(names) == arms > 1:
        return f"all {arms} arms"
    if len(names) > 3:
        return f"{names[0]}{SEVERAL}{names[1]} and {len(names) - 2} more"
    return SEVERAL.join(names)


def name_of(arm: Mapping[str, Any]) -> str:
    """Return the name that a picture's data have for an arm or a row."""
    return str(arm.get("shown") or arm["label"])


def _part(field: str, words: str) -> str:
    if words.isidentifier() and words not in ("True", "False", "None"):
        return words
    return words if words.partition("(")[0].isidentifier() else f"{field.rpartition('.')[2]}={words}"
