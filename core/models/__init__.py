"""Models: plain nn.Modules; the trainer does the vectorising."""

from collections.abc import Callable

from torch import nn

from core.registry import Registry

models = Registry("model", __name__)
ModelEntry = models.field()

Model = Callable[[tuple[int, ...], int], nn.Module]
"""(shape of one input, number of outputs) -> module that maps (batch, *input) to (batch, outputs)."""

__all__ = ["Model", "ModelEntry", "models"]
