"""Columns of numbers, standardised by the training split alone."""

import numpy as np
import torch

from core.datasets._encoding import standardised


def columns(train: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two splits (n, columns) as float32, less the training split's mean over its standard deviation; see there."""
    pairs = [standardised(*pair) for pair in zip(train.T.double().numpy(), valid.T.double().numpy(), strict=True)]
    first, second = (torch.from_numpy(np.stack(part, axis=1)).float() for part in zip(*pairs, strict=True))
    return first, second
