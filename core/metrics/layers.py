"""Diagnostics: measures of every layer, now and then; the series `activation_std/fc1` is that of the layer `fc1`."""

from functools import partial

from core.metrics import Metric, metrics

DIAGNOSTICS = (
    "activation_mean",
    "activation_std",
    "activation_zeros",
    "activation_dead",
    "activation_saturated",
    "weight_norm",
    "gradient_norm",
    "update_ratio",
    "effective_rank",
    "neuron_cosine",
)
"""The names of the measures: see `core.training.lanes.diagnosis`."""

_by_layer = partial(Metric, direction="none", per="step", split="train", compared=False, by_layer=True)
for _i, _name in enumerate(DIAGNOSTICS):
    _words = _name.replace("_", " ")
    metrics.add(_by_layer(name=_name, label=_words, quantity=_words, rank=300 + _i))
