"""Augmentation of pictures, a function of (seed, step) alone, so that runs of one seed see the same pictures."""

import torch
from torch.nn.functional import pad

from core.spec import Augment
from core.streams import words


def augment(x: torch.Tensor, how: Augment, keys: torch.Tensor, step: int | torch.Tensor) -> torch.Tensor:
    """Crop and flip every picture at random, each by its own draws.

    x is (seeds, batch, channels, height, width), `keys` (seeds,) as `core.streams.keys` gives them. A crop moves the
    picture by up to `how.crop` pixels each way and fills with 0 (He et al. 2016, arXiv:1512.03385, section 4.2); a flip
    mirrors it left to right with probability 1/2.
    """
    seeds, batch, channels, height, width = x.shape
    drawn = words(keys, step, batch).view(-1, 1)
    rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    down, right = (_offset(drawn >> shift, 2 * how.crop + 1) for shift in (0, 16))
    mirrored = (drawn >> 32) & 1 if how.flip else torch.zeros_like(drawn)
    columns = torch.where(mirrored == 1, columns.flip(0), columns)
    pictures = torch.arange(seeds * batch, device=x.device).view(-1, 1, 1)
    padded = pad(x.flatten(0, 1), [how.crop] * 4)
    # the channels come last: pictures, rows and columns are indexed together, in front of them
    taken = padded[pictures, :, (rows + down).unsqueeze(2), (columns + right).unsqueeze(1)]
    return taken.permute(0, 3, 1, 2).view(seeds, batch, channels, height, width)


def _offset(drawn: torch.Tensor, count: int) -> torch.Tensor:
    """Map 16 random bits to one of 0 .. count - 1."""
    return ((drawn & 0xFFFF) * count) >> 16
