"""A start without any randomness."""

import numpy as np
import torch

from core.initializers import Initializer, Layer, Shape, Structured, initializers
from core.initializers._taps import centred, per_group
from core.initializers.identity import eye


@initializers.register(
    formula="out <= in: the first out rows of I; else 2^(-m/2)·H[:out, :in], H a Hadamard matrix of size 2^m, "
    "m = ceil(log2 out); in a convolution at tap k // 2, all else 0",
    source="Zhao, Schäfer & Anandkumar 2022, arXiv:2110.12661, with the constant of the authors' code",
    aliases=["ZerO"],
)
def zero_init() -> Initializer:
    """Identity maps, and Hadamard maps where a layer widens: each unit differs, yet nothing is drawn.

    The paper prints the factor 2^(-(m-1)/2); the authors' code has 2^(-m/2), which makes H orthonormal. The groups of
    a convolution are maps of their own.
    """

    def weight(layer: Layer) -> Structured:
        make = centred(per_group(layer.groups, _matrix), lambda k: k // 2)
        return Structured("zero_init", make, bound=1.0)

    return Initializer(weight)


def _matrix(shape: Shape, _generator: torch.Generator) -> torch.Tensor:
    out, ins = shape
    if out <= ins:
        return eye(shape)
    m = (out - 1).bit_length()
    signs = np.bitwise_count(np.arange(out)[:, None] & np.arange(ins)) % 2  # Sylvester's H[i, j] = (-1)^|i & j|
    return torch.from_numpy(2 ** (-m / 2) * (1.0 - 2.0 * signs))
