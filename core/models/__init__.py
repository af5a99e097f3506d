"""Models: plain nn.Modules; the trainer does the vectorising."""

from collections.abc import Callable

from torch import nn

from core.models._effect import Curve, Effect, EffectSize, curve, effect, effect_size
from core.models._meanings import MEANINGS
from core.models._meta import on_meta
from core.models._residual import StochasticDepth
from core.models._widths import IsWidth, at_width, growth, structure, width_fields
from core.models.layers._spelling import LayerField, NamedLayer
from core.registry import Registry

models = Registry("model", __name__, meanings=MEANINGS)
ModelEntry = models.field()

Model = Callable[[tuple[int, ...], int], nn.Module]
"""(shape of one input, number of outputs) -> module that maps (batch, *input) to (batch, outputs).

Raises ValueError for inputs that it cannot take.
"""

__all__ = [
    "Curve",
    "Effect",
    "EffectSize",
    "IsWidth",
    "LayerField",
    "Model",
    "ModelEntry",
    "NamedLayer",
    "StochasticDepth",
    "at_width",
    "curve",
    "effect",
    "effect_size",
    "growth",
    "models",
    "on_meta",
    "structure",
    "width_fields",
]
