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
    Shape,
    Steps,
    TruncatedNormal,
    Uniform,
    initializers,
)
from core.registry import Count, Entry, join_path


@initializers.register(
    formula="with r = width / base_width: input and output weights as `of` draws them at base_width, hidden ones "
    "1 / sqrt(r) of that; outputs times 1 / r, an attention's logits times 1 / sqrt(r); Adam: hidden lr / r; SGD: "
    "input weight, output weight and vectors lr·r",
    source="Yang et al. 2022, arXiv:2203.03466, table 8; the mup package 1.0",
)
def mup(*, base_width: Count, of: InitializerEntry = "he_normal") -> Initializer:
    """Maximal-update parametrization: one learning rate suits every width of a network.

    The base network is the same one with `base_width` for its width, in a list for each: `hidden` of an mlp, `channels`
    and `dense` of a cnn, `width` of lenet5 and resnet, `d_model` of a transformer, whose heads stay as many. At that
    width this is `of` itself. Layers of different widths have their own r. Weight decay is divided by the factor of the
    learning rate. The logits' factor makes their 1 / sqrt(d) the paper's 1 / d, times a constant.
    """
    entry: Entry = of
    base: Initializer = entry.build()
    if not base.only_draws:
        raise ValueError(f"of should be an initializer that only draws weights; {entry.name} does more")

    def weight(layer: Layer) -> Law:
        r_in, _ = _ratios(layer, base_width)
        hidden = all(_growth(layer)[:2])
        return _scaled(base.weight(_at_base(layer, base_width)), 1 / math.sqrt(r_in) if hidden else 1.0)

    def scaling(layer: Layer, steps: Steps) -> Scaling:
        r_in, r_out = _ratios(layer, base_width)
        if _growth(layer)[0] == 0:
            return Scaling(forward=1 / r_in, weight_lr=1.0 if steps == "adam" else r_in)
        logits = 1 / math.sqrt(r_out) if layer.heads else 1.0  # of as many heads, so each is r_out times as wide
        if steps == "adam":
            return Scaling(weight_lr=1 / r_in, output=logits)
        return Scaling(weight_lr=r_out / r_in, bias_lr=r_out, output=logits)

    def check(layers: Mapping[str, Layer]) -> Iterable[Problem]:
        yield from _problems(layers, base_width)
        yield from (p._replace(path=join_path("of", p.path)) for p in base.check(layers))

    _scaled(base.weight(Layer((base_width, base_width))), 1.0)
    return Initializer(weight, lambda layer: base.bias(_at_base(layer, base_width)), scaling, check=check)


def _problems(layers: Mapping[str, Layer], base_width: int) -> Iterable[Problem]:
    """Yield the reasons for which a model has no base network of this width."""
    if any(layer.growth is None for layer in layers.values()):
        yield Problem("", "mup is for models that have a width: mlp, cnn, lenet5, resnet or transformer")
    if uneven := {layer.heads for layer in layers.values() if layer.heads and base_width % layer.heads}:
        message = f"{base_width} features cannot be shared evenly by {max(uneven)} heads: take a multiple of them"
        yield Problem("base_width", message)


def _at_base(layer: Layer, base_width: int) -> Layer:
    """Return the layer as it is in the base network."""
    if layer.transposed:
        raise ValueError("mup here knows no transposed convolutions")
    sides = zip(layer.shape, _growth(layer), strict=True)
    return replace(layer, shape=tuple(grown * base_width if grown else side for side, grown in sides))


def _growth(layer: Layer) -> Shape:
    """Return the layer's `growth`; of one without a model that of a dense network's layer in the same place."""
    if layer.growth is not None:
        return layer.growth
    if len(layer.shape) == 1:
        return (1,)
    grows_out, grows_in = not layer.is_last, layer.role not in ("input", "only")
    return (int(grows_out), int(grows_in), *[0] * (len(layer.shape) - 2))


def _ratios(layer: Layer, base_width: int) -> tuple[float, float]:
    """Return the layer's inputs and outputs, each over the base network's; what does not grow has the ratio 1.

    A norm's gain has outputs alone.
    """
    sides = zip(layer.shape, _growth(layer), strict=True)
    r_out, *others = (side / (grown * base_width) if grown else 1.0 for side, grown in sides)
    return others[0] if others else 1.0, r_out


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
