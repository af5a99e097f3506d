"""GPT-2's start: what is added to a residual stream shrinks with the number of additions."""

import math
from collections.abc import Iterable, Mapping

from core.errors import Problem
from core.initializers import Initializer, Layer, Normal, initializers
from core.registry import Count, NonNegative


@initializers.register(
    formula="N(0, std); where a residual branch ends N(0, std / sqrt(2·n_layer))",
    source="Radford et al. 2019, Language Models are Unsupervised Multitask Learners, section 2.3; "
    "transformers, GPT2PreTrainedModel",
)
def depth_scaled(*, std: NonNegative = 0.02, n_layer: Count | None = None) -> Initializer:
    """Normal of one standard deviation, smaller for the last layer of each residual branch.

    `n_layer` counts blocks of two branches; left out, 2·n_layer is the number of branches that the model has.
    """

    def weight(layer: Layer) -> Normal:
        branches = 2 * n_layer if n_layer else max(1, layer.branches)
        return Normal(0.0, std / math.sqrt(branches) if layer.ends_branch else std)

    def check(layers: Mapping[str, Layer]) -> Iterable[Problem]:
        if not any(layer.ends_branch for layer in layers.values()):
            message = "is for models whose residual branches are known, and of this one none is: normal is the rest"
            yield Problem("n_layer" if n_layer else "", message)

    return Initializer(weight, check=check)
