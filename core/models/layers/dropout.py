"""Dropout."""

from torch import nn

from core.models._sizes import Rate
from core.models.layers import Built, LayerBuilder, Shape, layers
from core.models.layers._sizes import picture_of
from core.registry import Alias


@layers.register(
    formula="x * mask / (1 - rate), mask ~ Bernoulli(1 - rate) for each number",
    source="Srivastava et al. 2014, JMLR 15:1929-1958; torch.nn.Dropout; keras.layers.Dropout",
    aliases=[Alias("Dropout")],
)
def dropout(*, rate: Rate = 0.5) -> LayerBuilder:
    """Dropout of single numbers, by masks that all runs of a seed share."""
    return lambda inputs, _outputs: Built({"": nn.Dropout(rate)}, inputs)


@layers.register(
    formula="x * mask / (1 - rate), mask ~ Bernoulli(1 - rate) for each channel",
    source="Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout2d; keras.layers.SpatialDropout2D",
    aliases=[Alias("Dropout2d"), Alias("SpatialDropout2D")],
)
def dropout2d(*, rate: Rate = 0.5) -> LayerBuilder:
    """Dropout of whole channels of pictures."""

    def build(inputs: Shape, _outputs: int) -> Built:
        picture_of(inputs)
        return Built({"": nn.Dropout2d(rate)}, inputs)

    return build
