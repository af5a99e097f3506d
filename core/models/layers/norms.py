"""Norms."""

from typing import Annotated, Any

from pydantic import Field
from torch import nn

from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._sizes import Eps, shown
from core.registry import Alias, Count

Momentum = Annotated[float, Field(gt=0, le=1)]


def _share_of_the_new(momentum: Any) -> Any:
    """Return torch's momentum for Keras': the share of the new statistics for that of the old."""
    return round(1 - momentum, 12) if type(momentum) in (int, float) else momentum


_KERAS: dict[str, Any] = {
    "defaults": {"momentum": 0.01, "eps": 1e-3},
    "renames": {"epsilon": "eps"},
    "converts": {"momentum": _share_of_the_new},
}


@layers.register(
    formula="(x - mean) / sqrt(var + eps) * gain + bias, of the batch and each channel; then "
    "running = (1 - momentum)·running + momentum·batch",
    source="Ioffe & Szegedy 2015, arXiv:1502.03167; torch.nn.BatchNorm2d; keras.layers.BatchNormalization",
    aliases=[
        Alias("BatchNorm2d"),
        Alias("BatchNorm1d"),
        Alias("BatchNormalization", **_KERAS),
        Alias("batch_normalization", **_KERAS),
    ],
)
def batch_norm(*, affine: bool = True, momentum: Momentum = 0.1, eps: Eps = 1e-5) -> LayerBuilder:
    """Batch norm of rows or pictures, with torch's `momentum`: the share of the new in the running statistics.

    Under Keras' name, `BatchNormalization`, momentum is the share of the old, 0.99 by default, and eps 0.001. The
    running variance is torch's, of n - 1 where Keras has n.
    """

    def build(inputs: Shape, _outputs: int) -> Built:
        channels = _channels(inputs)
        norm = nn.BatchNorm2d if len(inputs) == 3 else nn.BatchNorm1d
        return Built({"": norm(channels, eps=eps, momentum=momentum, affine=affine)}, inputs)

    return build


@layers.register(
    formula="(x - mean) / sqrt(var + eps) * gain + bias, of each example",
    source="Ba, Kiros & Hinton 2016, arXiv:1607.06450; torch.nn.LayerNorm; keras.layers.LayerNormalization",
    aliases=[Alias("LayerNorm"), Alias("LayerNormalization", defaults={"eps": 1e-3}, renames={"epsilon": "eps"})],
)
def layer_norm(*, affine: bool = True, eps: Eps = 1e-5) -> LayerBuilder:
    """Layer norm of rows; under Keras' name eps is 0.001."""

    def build(inputs: Shape, _outputs: int) -> Built:
        if len(inputs) != 1:
            raise ValueError(
                f"takes rows of numbers, and gets {shown(inputs)}, of which torch and Keras norm other parts: "
                '{"group_norm": 1} norms all of a picture'
            )
        return Built({"": nn.LayerNorm(inputs[0], eps=eps, elementwise_affine=affine)}, inputs)

    return build


@layers.register(
    formula="(x - mean) / sqrt(var + eps) * gain + bias, of each example and group of channels",
    source="Wu & He 2018, arXiv:1803.08494; torch.nn.GroupNorm; keras.layers.GroupNormalization",
    aliases=[
        Alias("GroupNorm"),
        Alias("GroupNormalization", defaults={"groups": 32, "eps": 1e-3}, renames={"epsilon": "eps"}),
    ],
)
def group_norm(*, groups: Count, affine: bool = True, eps: Eps = 1e-5) -> LayerBuilder:
    """Norm of groups of neighbouring channels; under Keras' name there are 32, and eps is 0.001."""

    def build(inputs: Shape, _outputs: int) -> Built:
        channels = _channels(inputs)
        if channels % groups:
            raise ValueError(f"cannot share {channels} channels evenly among {groups} groups")
        return Built({"": nn.GroupNorm(groups, channels, eps=eps, affine=affine)}, inputs)

    return build


def _channels(inputs: Shape) -> int:
    if len(inputs) not in (1, 3):
        raise ValueError(f"takes rows or pictures, and gets {shown(inputs)}")
    return inputs[0]
