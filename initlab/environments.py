"""The environments that an experiment was trained in, as a table for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

NESTED = ("packages", "settings")


def table(items: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of one column an environment; what none of them has a value for is left out."""
    flat = [_flat(one) for one in items]
    names = dict.fromkeys(name for one in flat for name, value in one.items() if value is not None)
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("", overflow="fold")
    for number in range(1, len(items) + 1):
        shown.add_column(f"environment {number}" if len(items) > 1 else "environment", overflow="fold")
    for name in names:
        shown.add_row(name, *("-" if one.get(name) is None else str(one[name]) for one in flat))
    return shown


def _flat(of: Mapping[str, Any]) -> dict[str, Any]:
    here = of["environment"]
    plain = {name: value for name, value in here.items() if name not in NESTED}
    inner = [here.get(name) or {} for name in NESTED]
    return {"attempts": len(of["attempts"]), **plain, **inner[0], **inner[1]}
