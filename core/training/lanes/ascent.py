"""The ascent of sharpness-aware minimization, of every lane by its own length."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from core.spec import Sam
from core.training.lanes.clipping import column, total_lengths

TINY = 1e-12
"""Added to the length of a gradient, as in David Samuel's SAM for PyTorch."""


class Ascent:
    """The weights of lanes moved to where their losses are about highest nearby, for as long as a gradient takes."""

    def __init__(self, settings: Sequence[Sam], device: str) -> None:
        """Take the lanes' settings, which agree on `adaptive`."""
        self._adaptive = settings[0].adaptive
        self._rho = torch.tensor([one.rho for one in settings], dtype=torch.float64, device=device)

    @contextmanager
    def __call__(self, parameters: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> Iterator[None]:
        """Move the parameters' stacks, (lanes, *shape) each, along their gradients' stacks, and back at the end."""
        weights = [parameter.detach() for parameter in parameters]
        before = [stack.clone() for stack in weights]
        along = [w.abs() * g for w, g in zip(weights, gradients, strict=True)] if self._adaptive else gradients
        scale = self._rho / (total_lengths(along) + TINY)
        for stack, steps in zip(weights, along, strict=True):
            steps = stack.abs() * steps if self._adaptive else steps
            stack.addcmul_(steps, column(scale, stack))
        yield
        torch._foreach_copy_(weights, before)
