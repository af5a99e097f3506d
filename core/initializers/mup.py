"""Weights and learning rates that keep their meaning when a network is made wider."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import Problem
from core.initializers import (
    Constant,
    Initializer,
    InitializerEntry,
    Law,
    Layer,
    Normal,
    Scaling,
    Steps,
    TruncatedNormal,
    Uniform,
    initializers,
)
from core.registry import Count, Entry, join_path


@initializers.register(
    formula="with r = width / base_width: input and output weights as `of` draws them at base_width, hidden ones "
    "1 / sqrt(r) of that; outputs times 1 / r; Adam: hidden lr / r; SGD: input weight, output weight and vectors lr·r",
    source="Yang et al. 2022, arXiv:2203.03466; the mup package 1.0",
)
def mup(*, base_width: Count, of: InitializerEntry = "he_normal") -> Initializer:
    """Maximal-update parametrization of a dense network: one learning rate suits every width.

    The base network is the same one with `base_width` units in every hidden layer; at that width this is `of` itself.
    Layers of different widths have their own r. Weight decay is divided by the factor of the learning rate.
    """
    entry: Entry = of
    base: Initializer = entry.build()
    if not base.only_draws:
        raise ValueError(f"of should be an initializer that only draws weights; {entry.name} does more")

    def at_base(layer: Layer) -> Layer:
        if len(layer.shape) != 2:
            raise ValueError("mup here is for dense networks")
        out = layer.shape[0] if layer.role in ("output", "only") else base_width
        ins = layer.shape[1] if layer.role in ("input", "only") else base_width
        return replace(layer, shape=(out, ins))

    def weight(layer: Layer) -> Law:
        r, _ = _ratios(layer, base_width)
        return _scaled(base.weight(at_base(layer)), 1 / math.sqrt(r) if layer.role == "hidden" else 1.0)

    def scaling(layer: Layer, steps: Steps) -> Scaling:
        r_in, r_out = _ratios(layer, base_width)
        if layer.role == "output":
            return Scaling(forward=1 / r_in, weight_lr=1.0 if steps == "adam" else r_in)
        if steps == "adam":
            return Scaling(weight_lr=1 / r_in)
        return Scaling(weight_lr=r_out / r_in, bias_lr=r_out)

    def check(layers: Mapping[str, Layer]) -> Iterable[Problem]:
        if any(len(layer.shape) > 2 or layer.branches for layer in layers.values()):  # norms have one dimension
            yield Problem("", "mup here is for dense networks: no convolutions, no residual branches; use model mlp")
        yield from (p._replace(path=join_path("of", p.path)) for p in base.check(layers))

    _scaled(base.weight(Layer((base_width, base_width))), 1.0)
    return Initializer(weight, lambda layer: base.bias(at_base(layer)), scaling, check=check)


def _ratios(layer: Layer, base_width: int) -> tuple[float, float]:
    """Return the layer's inputs and outputs, each over the base network's; data and network outputs do not grow."""
    if len(layer.shape) == 1:  # a norm's gain, one a unit, or a single number for all
        return 1.0, layer.shape[0] / base_width if layer.shape[0] > 1 else 1.0
    fan_in, fan_out = layer.fans
    reads_data, gives_outputs = layer.role in ("input", "only"), layer.role in ("output", "only")
    return 1.0 if reads_data else fan_in / base_width, 1.0 if gives_outputs else fan_out / base_width


def _scaled(law: Law, factor: float) -> Law:
    """Return the law of `factor` times the values; raises ValueError unless they are independent with mean 0."""
    match law:
        case Uniform(low, high) if low == -high:
            return Uniform.symmetric(high * factor)
        case Normal(0.0, std):
            return Normal(0.0, std * factor)
        case TruncatedNormal(0.0, parent):
            return TruncatedNormal(0.0, parent * factor)
        case Constant(0.0):
            return law
    raise ValueError(f"mup scales independent weights around 0, not {law.distribution} ones: give `of` another one")
