"""The layer of a transformer's encoder."""

import math

import torch
from torch import nn

from core.models._residual import ends_branch


class EncoderLayer(nn.Module):
    """Attention of every token to all, then two dense layers for each; (batch, tokens, width) to the same.

    The same function as torch's `nn.TransformerEncoderLayer`, but for dropout: here it is on the outputs of the two
    branches alone, as in the paper. Query, key and value are layers of their own, each with its own fans.
    """

    def __init__(
        self, *, width: int, heads: int, hidden: int, activation: nn.Module, dropout: float, norm_first: bool
    ) -> None:
        super().__init__()
        self.heads = heads
        self.norm_first = norm_first
        self.norm1 = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.query.heads = heads  # type: ignore[assignment]  # mup scales what they attend by
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.softmax = nn.Softmax(-1)
        self.out = ends_branch(nn.Linear(width, width))
        self.dropout1 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.activation = activation
        self.fc2 = ends_branch(nn.Linear(hidden, width))
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.norm_first:
            x = x + self._attend(self.norm1(x))
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(x + self._attend(x))
        after: torch.Tensor = self.norm2(x + self._feed_forward(x))
        return after

    def _attend(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        weights = self.softmax(query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]))
        branch: torch.Tensor = self.dropout1(self.out((weights @ value).transpose(1, 2).flatten(2)))
        return branch

    def _feed_forward(self, x: torch.Tensor) -> torch.Tensor:
        branch: torch.Tensor = self.dropout2(self.fc2(self.activation(self.fc1(x))))
        return branch
