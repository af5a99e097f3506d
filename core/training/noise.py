"""The gradient noise scale, the batch size up to which, about, a larger batch pays.

Appendix A of McCandlish et al. 2018, arXiv:1812.06162, estimates two numbers without bias from the gradients of a small
and of a large batch: |G|², the squared length of the gradient over all of the training split, and tr(S), the variance
of an example's gradient, summed over the parameters. The simple noise scale is tr(S) / |G|², taken of their means.

Here the large batch is an update's own, of b examples, and the small one its first m = b // 2. With g and h their
gradients, g is the mean of both parts' gradients, so that one more pass over half a batch is all it takes:

    V = |h - g|² · b·m / (b - m)        tr(S) ~ V·(n - 1) / n        |G|² ~ |g|² - V·(1/b - 1/n)

The paper draws examples from an endless supply. A training split of n is drawn from without putting back, which the
terms in n account for: both are exact in the mean over orders, and the paper's own where n is large.

Dropout and augmentation are noise too, and part of tr(S). Batch norm is not: it makes an example's gradient depend on
its company, so that a half's differs in more than its noise; an experiment that asks for it is refused.
"""

from collections.abc import Mapping, Sequence

import torch


def estimates(half: torch.Tensor, whole: torch.Tensor, m: int, b: int, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return |G|² and tr(S), from |h - g|² (`half`) and |g|² (`whole`) as above."""
    variance = half * (b * m / (b - m))
    return whole - variance * (1 / b - 1 / n), variance * ((n - 1) / n)


class Noise:
    """The two estimates of every lane, summed over the measured updates of an epoch."""

    def __init__(self, lanes: int, examples: int, every: int, device: str, state: Mapping[str, torch.Tensor]) -> None:
        """Measure an epoch's updates 0, `every`, ...; `examples` is the size of the training split."""
        self._examples = examples
        self._every = every
        nothing = torch.zeros(lanes, 3, dtype=torch.float64)
        self._sums = state.get("noise/sums", nothing).to(device, copy=True)
        """(lanes, 3): the sums of both estimates, and their count."""

    def due(self, i: int, batch: int) -> bool:
        """Return whether update i of an epoch is measured; a batch of one has no half."""
        return i % self._every == 0 and batch > 1

    def add(self, whole: Sequence[torch.Tensor], half: Sequence[torch.Tensor], m: int, b: int) -> None:
        """Add the gradients of all parameters' stacks, (lanes, *shape) each, of a batch of b and of its first m.

        Those of a lane that are not finite, as in float16 under too large a loss scale, are left out.
        """
        difference = sum(_squared(h - g) for h, g in zip(half, whole, strict=True))
        length = sum(_squared(g) for g in whole)
        found = estimates(torch.as_tensor(difference), torch.as_tensor(length), m, b, self._examples)
        values = torch.stack([*found, torch.ones_like(found[0])], dim=1)
        self._sums += torch.where(values.isfinite().all(1, keepdim=True), values, 0.0)

    def take(self) -> torch.Tensor:
        """Return the epoch's means, (2, lanes), NaN where no update was measured, and start the next epoch at 0."""
        sums = self._sums.T.clone()
        self._sums.zero_()
        return sums[:2] / sums[2]

    def state(self) -> dict[str, torch.Tensor]:
        """Return the epoch's sums so far, by lane."""
        return {"noise/sums": self._sums}


def _squared(stack: torch.Tensor) -> torch.Tensor:
    """Return every lane's squared norm, (lanes,) in float64."""
    lengths: torch.Tensor = torch.linalg.vector_norm(stack.flatten(1), dim=1, dtype=torch.float64)
    return lengths.square()
