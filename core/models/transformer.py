"""A small transformer encoder over the patches of a picture or the columns of a table."""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from core.models import Model, models
from core.models._encoder import EncoderLayer
from core.models._sizes import Rate, picture
from core.models._widths import IsWidth

TOKENS = 4096
"""The most of one example: attention compares each with each."""
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU}


@models.register(
    formula="tokens -> linear (with sinusoidal positions) -> layers × (attention, mlp, each with residual and "
    "layer norm) -> mean over tokens -> linear",
    source="Vaswani et al. 2017, arXiv:1706.03762; patches: Dosovitskiy et al. 2021, arXiv:2010.11929",
)
def transformer(
    *,
    patch: Annotated[int, Field(ge=1, le=256)] = 4,
    d_model: Annotated[int, Field(ge=2, le=8192, multiple_of=2), IsWidth()] = 64,
    heads: Annotated[int, Field(ge=1, le=256)] = 4,
    layers: Annotated[int, Field(ge=1, le=128)] = 2,
    mlp_ratio: Annotated[int, Field(ge=1, le=16)] = 4,
    activation: Literal["relu", "gelu"] = "relu",
    dropout: Rate = 0.1,
    norm_first: bool = True,
) -> Model:
    """An encoder of `layers` layers of `d_model` features, with `mlp_ratio` times as many in the dense layers between.

    A picture's tokens are its patches of `patch` x `patch` pixels, at fixed sinusoidal positions; a table's are its
    columns, each a value beside the one-hot code of its column. `norm_first` norms what enters a branch, and the last
    layer's output; without it the sums are normed, as in 2017, which needs a warm-up. `dropout` is on the embedded
    tokens and on the outputs of the branches.
    """
    if d_model % heads:
        raise ValueError(f"d_model {d_model} cannot be shared evenly by {heads} heads")

    def build(inputs: tuple[int, ...], outputs: int) -> nn.Module:
        tokens = Columns(inputs[0]) if len(inputs) == 1 else Patches(*picture(inputs), patch=patch)
        if tokens.count > TOKENS:
            raise ValueError(f"an example makes {tokens.count:,} tokens; {TOKENS:,} is the most")
        encoder = nn.Sequential(
            *(
                EncoderLayer(
                    width=d_model,
                    heads=heads,
                    hidden=mlp_ratio * d_model,
                    activation=ACTIVATIONS[activation](),
                    dropout=dropout,
                    norm_first=norm_first,
                )
                for _ in range(layers)
            )
        )
        if norm_first:
            encoder.add_module("norm", nn.LayerNorm(d_model))
        return Transformer(tokens, encoder, width=d_model, dropout=dropout, outputs=outputs)

    return build


class Patches(nn.Module):
    """(batch, channels, height, width) to (batch, tokens, channels * patch ** 2), row by row."""

    ordered = True

    def __init__(self, channels: int, height: int, width: int, patch: int) -> None:
        super().__init__()
        if height % patch or width % patch:
            sides = math.gcd(height, width)
            fit = ", ".join(str(side) for side in range(1, sides + 1) if sides % side == 0)
            raise ValueError(f"patch {patch} does not divide pictures of {height} x {width}; these do: {fit}")
        self.patch = patch
        self.count = (height // patch) * (width // patch)
        self.size = channels * patch**2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        x = x.reshape(batch, channels, height // self.patch, self.patch, width // self.patch, self.patch)
        return x.permute(0, 2, 4, 1, 3, 5).reshape(batch, self.count, self.size)


class Columns(nn.Module):
    """(batch, columns) to (batch, columns, 1 + columns): the value, and which column it is."""

    ordered = False

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.count = columns
        self.size = 1 + columns

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        which = torch.eye(self.count, dtype=x.dtype, device=x.device).expand(len(x), -1, -1)
        return torch.cat([x.unsqueeze(2), which], 2)


class Transformer(nn.Module):
    """Tokens, their embedding, the encoder, and one linear layer on the mean of its outputs."""

    def __init__(self, tokens: Patches | Columns, encoder: nn.Module, width: int, dropout: float, outputs: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.embed = nn.Linear(tokens.size, width)
        self.dropout = nn.Dropout(dropout)
        self.encoder = encoder
        self.head = nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embed(self.tokens(x))
        if self.tokens.ordered:
            x = x + sinusoids(x)
        outputs: torch.Tensor = self.head(self.encoder(self.dropout(x)).mean(1))
        return outputs


def sinusoids(like: torch.Tensor) -> torch.Tensor:
    """Return the paper's positions, sin and cos in turn, (tokens, width), for tokens of (batch, tokens, width)."""
    # Not a buffer: a buffer would be state to initialize, to stack over the lanes and to store.
    _, count, width = like.shape
    position = torch.arange(count, dtype=like.dtype, device=like.device).unsqueeze(1)
    rate = torch.arange(0, width, 2, dtype=like.dtype, device=like.device) * (-math.log(10_000) / width)
    angle = position * rate.exp()
    return torch.stack((angle.sin(), angle.cos()), 2).flatten(1)
