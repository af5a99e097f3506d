"""Running means of the weights of a cohort's lanes, and of their norms' statistics."""

from collections.abc import Sequence

import torch

from core.training.lanes.forward import Tensors


class Averages:
    """The exponential moving average of every tensor of every lane: a = decay·a + (1 - decay)·w after each update.

    It begins at the initial values, as timm's `ModelEmaV3` without warm-up and torch's `get_ema_multi_avg_fn` have it.
    Statistics of batch norms are averaged too; counts are copied.
    """

    def __init__(self, decays: Sequence[float], weights: Tensors, buffers: Tensors, state: Tensors) -> None:
        """Restore `state`, as `state()` returns it; `weights` and `buffers` are the stacks that are averaged."""
        device = next(iter(weights.values())).device
        self._rest = torch.tensor([1 - decay for decay in decays], dtype=torch.float64, device=device)
        self._values = [*(value.detach() for value in weights.values()), *buffers.values()]
        self.weights = {name: value.detach().clone() for name, value in weights.items()}
        self.buffers = {name: value.clone() for name, value in buffers.items()}
        for name, mean in self.state().items():
            if name in state:
                mean.copy_(state[name])

    def update(self) -> None:
        """Take the weights after an update into the means."""
        means = [*self.weights.values(), *self.buffers.values()]
        for mean, value in zip(means, self._values, strict=True):
            if value.is_floating_point():
                mean.lerp_(value, self._rest.to(value.dtype).view(-1, *[1] * (value.ndim - 1)))
            else:
                mean.copy_(value)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the means, stacked over lanes, as views."""
        weights = {f"averages/parameters/{name}": mean for name, mean in self.weights.items()}
        return weights | {f"averages/buffers/{name}": mean for name, mean in self.buffers.items()}
