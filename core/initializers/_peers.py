"""Parameters of initializers under the names that torch, Keras and Paddle have for them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
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
    fields = schema.model_fields
    problems = [Problem(given, _REFUSED[given]) for given in raw if given not in fields and given in _REFUSED]
    kept = {given: value for given, value in raw.items() if given in fields or given not in _REFUSED}
    slope = None
    if "a" in fields and "mode" in fields and (nonlinearity := kept.pop("nonlinearity", None)) is not None:
        slope = _SLOPES.get(nonlinearity) if isinstance(nonlinearity, str) else None
        if slope is None and nonlinearity != "leaky_relu":
            problems.append(Problem("nonlinearity", _other(nonlinearity)))
    read = Reading.of(((given, _own(given, fields), value) for given, value in kept.items()), problems)
    if slope is None:
        return read
    return replace(read, raw={**read.raw, "a": slope}, names={**read.names, "a": "nonlinearity"})


def _own(given: str, fields: Collection[str]) -> str:
    """Return the initializer's name of a parameter; that which was given, where it has none."""
    name = _NAMES.get(given, given)
    return name if given not in fields and name in fields else given


def _other(nonlinearity: object) -> str:
    if isinstance(nonlinearity, str) and nonlinearity in _STEEPER:
        scale = f"{_STEEPER[nonlinearity]:.4g}"
        return f'has a gain of no rectifier: give variance_scaling with "scale": {scale}, the square of it'
    return f"should be one of {', '.join([*_SLOPES, 'leaky_relu', *_STEEPER])}, of which torch knows the gain"
