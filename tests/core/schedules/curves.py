"""Curves of ours and of peers, update by update."""

from typing import Any

from hypothesis import settings

from core.schedules import bind, rates, schedules

STEPS = 500
B = 0.1
by_plan = settings(deadline=None, derandomize=True)
"""For properties: the same examples every time, however busy the machine."""


def ours(raw: Any, steps: int = STEPS, steps_per_epoch: int = 1, base: float = B) -> list[float]:
    """The rates of a run of so many updates."""
    return rates(bind(schedules.parse(raw), base, steps, steps_per_epoch), range(steps))


def by_step(name: str, **parameters: Any) -> dict[str, Any]:
    """A schedule that counts updates, whatever it counts by default."""
    return {"name": name, "unit": "step", **parameters}


def agree(a: list[float], b: list[float], within: float = 1e-9) -> None:
    """Assert that two curves differ by at most `within` of the second's maximum."""
    assert len(a) == len(b)
    worst = max(range(len(a)), key=lambda t: abs(a[t] - b[t]))
    assert abs(a[worst] - b[worst]) <= within * max(b), f"update {worst}: {a[worst]} and {b[worst]}"
