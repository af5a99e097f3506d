"""Dynamic loss scales, one of each lane, which bring the gradients of losses into the range of float16."""

import math
from collections.abc import Sequence

import torch

from core.training.lanes.clipping import column
from core.training.lanes.forward import Tensors

INITIAL, GROWTH, BACKOFF, INTERVAL = 2.0**16, 2.0, 0.5, 2000
"""The defaults of `torch.amp.GradScaler`."""
LEAST = 1e-4
"""The least scale of a run that has not diverged: that of fairseq's `--min-loss-scale`."""


class LossScales:
    """The scale of every lane's loss, as a `torch.amp.GradScaler` of its own has it (Micikevicius et al. 2018,
    arXiv:1710.03740).

    An update of a lane with a gradient that is not finite is skipped, and its scale halved; `INTERVAL` others in a row
    double it. All is decided on the device, so that nothing waits for it.
    """

    def __init__(self, lanes: int, device: str, state: Tensors) -> None:
        """Restore `state`, as `state()` returns it; what is missing is as at the start."""

        def restored(name: str, start: torch.Tensor) -> torch.Tensor:
            return state.get(f"loss_scale/{name}", start).to(device, copy=True)

        self._scale = restored("scale", torch.full((lanes,), INITIAL))
        self._streak = restored("streak", torch.zeros(lanes, dtype=torch.int32))
        """Updates since the scale was changed."""
        self.skipped = restored("skipped", torch.zeros(lanes, dtype=torch.int64))
        """Updates that each lane has skipped, (lanes,)."""

    def scaled(self, losses: torch.Tensor) -> torch.Tensor:
        """Return the losses, (lanes,), by which to differentiate."""
        return losses * self._scale

    def of(self, lane: int) -> torch.Tensor:
        """Return the scale of a lane, ()."""
        return self._scale[lane]

    def unscale(self, gradients: Sequence[torch.Tensor]) -> None:
        """Divide the gradients' stacks of scaled losses, (lanes, *shape) each, by the scales, in place."""
        inverse = self._scale.double().reciprocal().float()
        for gradient in gradients:
            gradient.mul_(column(inverse, gradient))

    def numbers(self, number: int | torch.Tensor) -> torch.Tensor:
        """Return the number of each lane's update without those skipped, (lanes,) in float64."""
        return (number - self.skipped).double()

    def update(self, gradients: Sequence[torch.Tensor]) -> torch.Tensor:
        """Update the scales after a backward pass; return the lanes whose gradients are all finite, (lanes,) bool."""
        finite = torch.stack([gradient.isfinite().reshape(len(gradient), -1).all(1) for gradient in gradients]).all(0)
        streak = torch.where(finite, self._streak + 1, 0)
        grown = self._scale * GROWTH
        grows = streak == INTERVAL
        risen = torch.where(grows & grown.isfinite(), grown, self._scale)
        self._scale.copy_(torch.where(finite, risen, self._scale * BACKOFF))
        self._streak.copy_(torch.where(grows, 0, streak))
        self.skipped.add_(~finite)
        return finite

    def judged(self, losses: torch.Tensor) -> torch.Tensor:
        """Return the losses, (lanes,), NaN where a scale is so small that the lane has diverged."""
        return torch.where(self._scale < LEAST, math.nan, losses)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the state that the next update depends on, (lanes,) each."""
        return {
            "loss_scale/scale": self._scale,
            "loss_scale/streak": self._streak,
            "loss_scale/skipped": self.skipped,
        }
