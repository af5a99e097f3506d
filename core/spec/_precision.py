"""The precision in which the products of a network are computed."""

from collections.abc import Mapping
from typing import Literal

import torch

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
"""Precision of products and convolutions: `fp32`; `tf32`, TensorFloat-32, if the GPU has it; or by autocast `bf16` and
`fp16`, with weights, optimizer, norms and losses in float32.

In `fp16` the loss of each run is multiplied by a scale before it is differentiated, and the gradients are divided by it
before all that follows, clipping first, as by `torch.amp.GradScaler` with its defaults: the scale begins at 65,536, is
halved by an update with a gradient that is not finite, and doubled after 2,000 others in a row (Micikevicius et al.
2018, arXiv:1710.03740). Such an update is skipped: weights and optimizer stay as they were, its count of updates too,
while schedules, running means of weights and norms' statistics go on. A run whose scale falls below 0.0001 has
diverged, as in fairseq; the `train_loss` of that update is NaN.
"""

HALVES: Mapping[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""The types of 16 bits, in which autocast computes products."""
