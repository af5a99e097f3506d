"""The names of arrays in a NumPy archive, as Keras, MedMNIST and others give them."""

import re
from collections.abc import Iterable

from core.datasets._content import InvalidUpload, Remarks
from core.datasets._parts import Part, held_out, part_of

ROLES = {
    **dict.fromkeys(("x", "data", "images", "image", "features", "inputs", "arr_0"), "x"),
    **dict.fromkeys(("y", "labels", "label", "target", "targets", "outputs", "arr_1"), "y"),
}
Pair = tuple[str, str]


def pairs_of(names: Iterable[str], remarks: Remarks) -> tuple[Pair, Pair | None]:
    """Return the arrays of examples and labels to train on, and those to validate on if there are any.

    `x` and `y`; `x_train`, `y_train`, `x_test`, `y_test`; `train_images`, `train_labels`, `val_images`, ...; other
    arrays are left out with a note.
    """
    parts: dict[Part, dict[str, str]] = {}
    for name in names:
        found = _meaning(name)
        if found is None:
            remarks.note("file", f"the array {name!r} is not used: its name says nothing of examples or labels")
            continue
        part, role = found
        if role in parts.setdefault(part, {}):
            raise InvalidUpload(f"there should be {parts[part][role]} or {name}, not both")
        parts[part][role] = name
    if "train" not in parts:
        raise InvalidUpload(f"there should be the arrays x and y; the arrays are: {', '.join(names) or 'none'}")
    chosen = held_out(set(parts))
    made = [_pair(parts[part]) for part in ("train", chosen) if part is not None]
    if len(parts) > 2:
        remarks.note("file", f"{' and '.join(parts['test'].values())} are not used: validation is on the valid part")
    elif chosen == "test":
        remarks.note("file", f"validation is on {' and '.join(made[1])}")
    return made[0], made[1] if chosen else None


def _meaning(name: str) -> tuple[Part, str] | None:
    """Return the part and the role that a name says; None where it says none."""
    words = [word for word in re.split(r"[_\- ]+", name.lower()) if word]
    if name.lower() in ROLES:
        return "train", ROLES[name.lower()]
    match = re.fullmatch(r"([xy])(train|test|val|valid)", name.lower())
    if match:
        words = [match[1], match[2]]
    for part, role in (words, words[::-1]) if len(words) == 2 else ():
        meant = part_of(part)
        if meant is not None and role in ROLES:
            return meant, ROLES[role]
    return None


def _pair(found: dict[str, str]) -> Pair:
    for role, words in (("x", "examples"), ("y", "labels")):
        if role not in found:
            other = found["y" if role == "x" else "x"]
            missing = (
                re.sub("^[xy]|[xy]$", role, other) if re.match("^[xy](_|$)", other) else f"of {words} beside {other}"
            )
            raise InvalidUpload(f"there is no array {missing}")
    return found["x"], found["y"]
