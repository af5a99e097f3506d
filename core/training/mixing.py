"""Mixup and cutmix, a function of (seed, update) alone, so that runs of one seed see the same mixtures."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import betaincinv
from torch.nn.functional import one_hot

from core.datasets import DatasetInfo
from core.spec import Treatment
from core.streams import keys, words

Numbers = NDArray[np.float64]
DRAWS = 4
"""Numbers that an update draws: a share, which of the two it is, and a box's row and column."""


class Mixing:
    """Mixes every example of a batch with the one before it; the first, with the last.

    A batch is a random part of a random order, so that its neighbours are as random a pairing as any: torchvision has
    the same. One share is drawn for a batch, as in the papers.
    """

    def __init__(
        self, treatment: Treatment, info: DatasetInfo, seeds: Sequence[int], updates: int, device: str = "cpu"
    ) -> None:
        """`updates` are those of an epoch."""
        self._treatment, self._info, self._seeds = treatment, info, seeds
        self._drawn = torch.zeros(updates, len(seeds), 6, dtype=torch.float64, device=device)

    def start(self, epoch: int) -> None:
        """Draw an epoch's mixtures."""
        self._drawn.copy_(mixtures(self._treatment, self._info.inputs, self._seeds, epoch, len(self._drawn)))

    def __call__(
        self, x: torch.Tensor, y: torch.Tensor, place: int | torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mix the batch at a place of the epoch: numbers (seeds, batch, *shape) and labels, or targets.

        Labels of classes, (seeds, batch), become shares of the classes, (seeds, batch, classes).
        """
        drawn = self._drawn[place] if isinstance(place, int) else self._drawn.index_select(0, place.view(1)).squeeze(0)
        if self._info.task == "multiclass":
            y = (y.unsqueeze(-1) == torch.arange(self._info.outputs, device=y.device)).to(x.dtype)
        neighbours, mixed = x.roll(1, 1), _blended(x, drawn[:, 0])
        if self._treatment.cutmix:
            mixed = torch.where(_inside(x.shape, drawn[:, 2:]), neighbours, mixed)
        return mixed, _blended(y, drawn[:, 1])


def mixtures(
    treatment: Treatment, inputs: tuple[int, ...], seeds: Sequence[int], epoch: int, updates: int
) -> torch.Tensor:
    """Return an epoch's mixtures, (updates, seeds, 6) in float64: two shares, and a box.

    They are the share of its own that an example keeps outside of the box, that of its own label, and the box, which is
    its neighbour's: first row, row behind the last, first column, column behind the last. Mixup (Zhang et al. 2018,
    arXiv:1710.09412) has an empty box and both shares from Beta(alpha, alpha); cutmix (Yun et al. 2019,
    arXiv:1905.04899) keeps all outside of a box whose area is 1 - share before it is cut at the edges. Where both are
    asked for, an update has either with probability 1/2, as in timm. The shares of two alphas are the same quantiles of
    the two distributions.
    """
    bits = words(keys(seeds, "mixing"), epoch, DRAWS * updates).view(len(seeds), updates, DRAWS).transpose(0, 1)
    drawn = ((bits >> 11) & (2**53 - 1)).numpy() * 2.0**-53
    mixup, cutmix = treatment.mixup, treatment.cutmix
    boxed = drawn[..., 1] < (0.5 if mixup and cutmix else 1.0 if cutmix else 0.0)
    alpha = np.where(boxed, cutmix or 1.0, mixup or 1.0)
    share: Numbers = betaincinv(alpha, alpha, drawn[..., 0]).astype(np.float64)
    found = np.stack([share, share, *np.zeros((4, *share.shape))], axis=-1)
    if cutmix:
        height, width = inputs[-2:]
        top, bottom = box_ends(share, drawn[..., 2], height)
        left, right = box_ends(share, drawn[..., 3], width)
        area = (bottom - top) * (right - left) / (height * width)
        box = np.stack([np.ones_like(share), 1 - area, top, bottom, left, right], axis=-1)
        found = np.where(boxed[..., None], box, found)
    return torch.from_numpy(found)


class PlainMixing:
    """The mixing of one seed's batches as the papers write it, for the plain loop."""

    def __init__(self, treatment: Treatment, info: DatasetInfo, seed: int, updates: int) -> None:
        self._treatment, self._info, self._seed, self._updates = treatment, info, seed, updates

    def __call__(self, x: torch.Tensor, y: torch.Tensor, epoch: int, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mix the batch (batch, *shape) at a place of an epoch, if the treatment asks for it."""
        if not (self._treatment.mixup or self._treatment.cutmix):
            return x, y
        drawn = mixtures(self._treatment, self._info.inputs, [self._seed], epoch, self._updates)[place, 0]
        pixels, share = drawn[:2].tolist()
        mixed = pixels * x + (1 - pixels) * x.roll(1, 0)
        top, bottom, left, right = (int(end) for end in drawn[2:])
        if bottom > top and right > left:
            mixed[..., top:bottom, left:right] = x.roll(1, 0)[..., top:bottom, left:right]
        targets = one_hot(y, self._info.outputs).to(x.dtype) if self._info.task == "multiclass" else y
        return mixed, share * targets + (1 - share) * targets.roll(1, 0)


def box_ends(share: Numbers, at: Numbers, side: int) -> tuple[Numbers, Numbers]:
    """Return the ends of a box along one side of a picture, around the place `at`, a part of the side below 1."""
    half, centre = np.floor(0.5 * np.sqrt(1 - share) * side), np.floor(at * side)
    return np.maximum(centre - half, 0), np.minimum(centre + half, side)


def _blended(values: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Return share · own + (1 - share) · the neighbour's, of (seeds, batch, ...)."""
    own = share.to(values.dtype).view(-1, *[1] * (values.ndim - 1))
    return values * own + values.roll(1, 1) * (1 - own)


def _inside(shape: Sequence[int], box: torch.Tensor) -> torch.Tensor:
    """Return which pixels lie in the seeds' boxes, (seeds, 1, 1, height, width)."""
    rows, columns = (torch.arange(side, device=box.device) for side in shape[-2:])
    top, bottom, left, right = box.unsqueeze(-1).unbind(1)
    down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return (down.unsqueeze(2) & across.unsqueeze(1))[:, None, None]
