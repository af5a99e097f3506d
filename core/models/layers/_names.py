"""Names that Keras and torch have for a layer's parameters."""

from collections.abc import Mapping
from typing import Any

from core.errors import Problem
from core.registry import Entry, Reading

SYNONYMS: Mapping[str, str] = {
    "out_channels": "filters",
    "out_features": "units",
    "kernel": "kernel_size",
    "pool_size": "kernel_size",
    "strides": "stride",
    "dilation_rate": "dilation",
    "use_bias": "bias",
    "p": "rate",
    "alpha": "negative_slope",
    "epsilon": "eps",
    "num_groups": "groups",
}
"""A peer's name -> ours, for the layers that have that parameter."""

_FOLLOWS = "follows from the layers before: leave it out"
_STARTED = "is what the spec's initializer says (per_layer names layers): leave it out"
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        ("in_channels", "in_features", "num_features", "num_channels", "normalized_shape", "input_shape"), _FOLLOWS
    ),
    **dict.fromkeys(("kernel_initializer", "bias_initializer", "gamma_initializer", "beta_initializer"), _STARTED),
    **dict.fromkeys(("shape", "batch_shape"), "is the data set's: leave it out"),
    "data_format": "is channels first here, whatever the peer's: leave it out",
    "kernel_regularizer": "is the optimizer's weight_decay: leave it out",
    "center": "goes with the gain here: affine says whether there are both",
    "scale": "goes with the bias here: affine says whether there are both",
    "inplace": "changes no number: leave it out",
}
"""A peer's parameter -> the way to say it here."""


def read_names(schema: type[Entry], raw: Mapping[str, Any]) -> Reading:
    """Read parameters under a peer's names as the layer's own."""
    own: dict[str, Any] = {}
    names: dict[str, str] = {}
    problems = []
    for given, value in raw.items():
        meant = SYNONYMS.get(given, given)
        key = meant if given not in schema.model_fields and meant in schema.model_fields else given
        if key not in schema.model_fields and given in REFUSED:
            problems.append(Problem(given, REFUSED[given]))
            continue
        if key in own:
            problems.append(Problem(given, f"is the same as {names[key]}: give one of them"))
        own[key], names[key] = value, given
    return Reading(own, names, problems)
