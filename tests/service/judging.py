"""What an experiment's history and numbers say of how it was treated."""

from datetime import datetime
from typing import Any

import numpy as np


def recoveries(history: list[Any]) -> list[float]:
    """Seconds from each loss of a cohort that was noticed to the claim that went on."""
    found, lost = [], {}
    for event in history:
        at = datetime.fromisoformat(event["at"]).timestamp()
        if event["kind"] == "lost":
            lost[event["cohort"]] = at
        elif event["kind"] == "claimed" and event["cohort"] in lost:
            found.append(at - lost.pop(event["cohort"]))
    return found


def held_twice(history: list[Any]) -> bool:
    """Whether a cohort was claimed again before its attempt had ended: each has its reason, or it ran twice."""
    held = set()
    for event in history:
        if event["kind"] == "claimed":
            if event["cohort"] in held:
                return True
            held.add(event["cohort"])
        elif event["kind"] in ("lost", "released", "ended"):
            held.discard(event["cohort"])
    return False


def close(got: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Whether the same points are there, with values that differ by no more than the order of sums can make them."""
    for one, other in zip(got["series"], whole["series"], strict=True):
        if [one[key] for key in ("arm", "seed", "metric", "steps")] != [
            other[key] for key in ("arm", "seed", "metric", "steps")
        ]:
            return False
        values, expected = (np.array(series["values"], dtype=float) for series in (one, other))
        if not np.allclose(values, expected, rtol=0.05, atol=0.05, equal_nan=True):
            return False
    return len(got["series"]) == len(whole["series"])
