"""Names of arms as pictures show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.design import Design

SEVERAL = " = "
"""Between the names of arms that are drawn as one: names have commas themselves."""
MOST_TOLD = 24
"""The most names of one group that a caption has."""


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


def together(design: Design, labels: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Return the names of arms that are drawn as one; of all cells of a grid that share settings, these settings."""
    if design.grid is None or len(labels) < 2:
        return [names[label] for label in labels]
    settings = {label: design.arm(label).settings for label in design.labels}
    varying = [field for field in design.grid if len({one.get(field) for one in settings.values()}) > 1]
    first = settings[labels[0]]
    shared = [field for field in varying if all(settings[label].get(field) == first.get(field) for label in labels)]
    alike = [label for label, one in settings.items() if all(one.get(field) == first.get(field) for field in shared)]
    if shared and set(alike) == set(labels):
        return [" · ".join(_part(field, first[field]) for field in shared)]
    return [names[label] for label in labels]


def in_full(groups: Sequence[list[str]]) -> str:
    """Return the caption's sentence with the groups of which `joined` names only the first two."""
    told = [
        SEVERAL.join(names[:MOST_TOLD]) + (f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else "")
        for names in groups
        if len(names) > 3
    ]
    return f"In full: {'; '.join(told)}." if told else ""


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
