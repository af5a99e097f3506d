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
        self._values = {f"parameters/{name}": value.detach() for name, value in weights.items()}
        self._values |= {f"buffers/{name}": value for name, value in buffers.items()}
        device = next(iter(weights.values())).device
        self._rest = torch.tensor([1 - decay for decay in decays], dtype=torch.float64, device=device)
        self._means = {name: value.clone() for name, value in self._values.items()}
        for name, mean in self._means.items():
            if (key := f"averages/{name}") in state:
                mean.copy_(state[key])

    def update(self) -> None:
        """Take the weights after an update into the means."""
        for name, value in self._values.items():
            if value.is_floating_point():
                self._means[name].lerp_(value, self._rest.to(value.dtype).view(-1, *[1] * (value.ndim - 1)))
            else:
                self._means[name].copy_(value)

    def of(self, kind: str) -> Tensors:
        """Return the means of the `parameters`, or of the `buffers`, by name."""
        prefix = f"{kind}/"
        return {name.removeprefix(prefix): mean for name, mean in self._means.items() if name.startswith(prefix)}

    def state(self) -> dict[str, torch.Tensor]:
        """Return the means, stacked over lanes, as views."""
        return {f"averages/{name}": mean for name, mean in self._means.items()}
