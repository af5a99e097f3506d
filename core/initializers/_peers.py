"""Parameters of initializers under the names that torch, Keras and Paddle have for them."""

from collections.abc import Mapping
from typing import Any

from core.errors import Problem
from core.registry import Entry, Reading

_NAMES: Mapping[str, str] = {
    "stddev": "std",
    "minval": "low",
    "maxval": "high",
    "val": "value",
    "negative_slope": "a",
}
"""A name -> the parameter that it is, where an initializer has that."""
_SEEDED = "is what the spec's seeds say: leave it out"
_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("seed", "generator"), _SEEDED),
    **dict.fromkeys(("fan_in", "fan_out"), "follows from the layer: leave it out"),
    "dtype": "is the precision's: leave it out",
}
_SLOPES: Mapping[str, float] = {
    **dict.fromkeys(("linear", "sigmoid", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), 1.0),
    "relu": 0.0,
}
"""torch's nonlinearity -> the slope of a leaky rectifier that has its gain, sqrt(2 / (1 + a²))."""
_STEEPER: Mapping[str, float] = {"tanh": 25 / 9, "selu": 9 / 16}
"""Nonlinearities whose gain is of no rectifier, and its square (torch.nn.init.calculate_gain)."""


def read_peers(schema: type[Entry], raw: Mapping[str, Any]) -> Reading:
    """Read parameters under a peer's names as the initializer's own; a `nonlinearity` as the slope of its gain."""
    own: dict[str, Any] = {}
    names: dict[str, str] = {}
    problems = []
    fields = schema.model_fields
    for given, value in raw.items():
        if given not in fields and given in _REFUSED:
            problems.append(Problem(given, _REFUSED[given]))
            continue
        if given == "nonlinearity" and "a" in fields and "mode" in fields:
            continue
        name = _NAMES.get(given, given)
        key = name if name in fields and given not in fields else given
        if key in own:
            problems.append(Problem(given, f"is the same as {names[key]}: give one of them"))
        own[key], names[key] = value, given
    nonlinearity = raw.get("nonlinearity")
    if nonlinearity is None or "mode" not in fields or "a" not in fields or nonlinearity == "leaky_relu":
        return Reading(own, names, problems)
    if not isinstance(nonlinearity, str) or nonlinearity not in _SLOPES:
        problems.append(Problem("nonlinearity", _other(nonlinearity)))
    else:
        own["a"], names["a"] = _SLOPES[nonlinearity], "nonlinearity"
    return Reading(own, names, problems)


def _other(nonlinearity: object) -> str:
    if isinstance(nonlinearity, str) and nonlinearity in _STEEPER:
        scale = f"{_STEEPER[nonlinearity]:.4g}"
        return f'has a gain of no rectifier: give variance_scaling with "scale": {scale}, the square of it'
    return f"should be one of {', '.join([*_SLOPES, 'leaky_relu', *_STEEPER])}, of which torch knows the gain"
