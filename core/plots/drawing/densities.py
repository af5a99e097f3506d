"""The densities of the laws that initial weights are drawn from."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.initializers import CUT, KEPT

Floats = NDArray[np.float64]
_POINTS = 121

Theory = dict[str, Any]
"""`distribution`, `mean`, `std`, `bound` of a law, None where nothing is known of it."""


def density(x: Floats, theory: Theory) -> Floats | None:
    """Return the law's density at `x` (n,), per unit of the weight; None where it has none that is known."""
    std, half = theory["std"], half_width(theory)
    if not std or theory["distribution"] not in ("uniform", "normal", "truncated_normal"):
        return None
    away = np.abs(x - theory["mean"])
    if half is None:
        return np.asarray(_normal_density(away, std))
    if theory["distribution"] == "uniform":
        return np.where(away <= half, 1 / (2 * half), 0.0)
    return np.where(away <= half, _normal_density(away, half / CUT) / KEPT, 0.0)


def outline(theory: Theory, low: float, high: float) -> tuple[Floats, Floats] | None:
    """Return a line of the density: from `low` to `high`, or between the law's ends with its edges upright."""
    half = half_width(theory)
    if half is None:
        x = np.linspace(low, high, _POINTS)
        y = density(x, theory)
        return None if y is None else (x, y)
    x = theory["mean"] + half * np.linspace(-1.0, 1.0, _POINTS if theory["distribution"] != "uniform" else 2)
    y = density(theory["mean"] + (x - theory["mean"]) * (1 - 1e-9), theory)  # the ends themselves are inside
    return None if y is None else (np.concatenate([x[:1], x, x[-1:]]), np.concatenate([[0.0], y, [0.0]]))


def half_width(theory: Theory) -> float | None:
    """Return half the width of a law that ends on both sides of its mean at the same distance."""
    if not theory["std"]:
        return None
    if theory["distribution"] == "uniform":
        return math.sqrt(3) * float(theory["std"])
    return float(theory["bound"] - abs(theory["mean"])) if theory["distribution"] == "truncated_normal" else None


def _normal_density(away: Floats, std: float) -> Floats:
    return np.asarray(np.exp(-((away / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)))
