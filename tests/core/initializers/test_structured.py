"""Weights that hang together: orthogonal, sparse, and maps that are identities or Hadamard's."""

import math
from typing import Any

import pytest
import torch
from scipy.linalg import hadamard
from torch import Tensor, nn

from core.initializers import Initializer, Layer, Shape, initializers
from core.streams import generator


def sample(raw: Any, shape: Shape, seed: int = 0, groups: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    initializer: Initializer = initializers.parse(raw).build()
    return initializer.weight(Layer(shape, groups=groups)).draw(shape, generator(seed), dtype)


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (50, 50), (64, 3, 3, 3), (16, 8, 3, 3), (5, 1), (1, 5)], ids=str)
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_an_orthogonal_weight_keeps_lengths(shape: Shape, gain: float) -> None:
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        w = sample({"name": "orthogonal", "gain": gain}, shape, dtype=dtype).flatten(1)
        gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        torch.testing.assert_close(gram, gain**2 * torch.eye(len(gram), dtype=dtype), rtol=0, atol=tolerance * gain**2)
        assert float(w.square().sum()) == pytest.approx(gain**2 * min(w.shape), rel=tolerance)


@pytest.mark.parametrize("name", ["orthogonal", "lsuv"])
def test_orthogonal_weights_are_uniform_among_all_of_them(name: str) -> None:
    draws = torch.stack([sample(name, (3, 3), seed) for seed in range(3000)])
    # under the uniform measure of O(n) a rotation of the draw is as likely: every entry has mean 0 and variance 1 / n,
    # half of the determinants are 1, and the trace's variance is 1; LAPACK's own signs fail all three
    assert draws.mean(0).abs().max() < 6 * math.sqrt(1 / 3 / 3000)
    assert (draws.square().mean(0) - 1 / 3).abs().max() < 0.04
    assert abs(int((torch.linalg.det(draws) > 0).sum()) - 1500) < 6 * math.sqrt(3000 / 4)
    traces = draws.diagonal(dim1=1, dim2=2).sum(1)
    assert abs(traces.mean()) < 6 / math.sqrt(3000)
    assert abs(traces.var() - 1) < 0.2


@pytest.mark.parametrize("shape", [(12, 12, 3, 3), (16, 4, 3, 3), (8, 8, 5), (6, 5, 2, 2), (4, 4, 3, 3, 3)], ids=str)
def test_a_delta_orthogonal_convolution_keeps_lengths(shape: Shape) -> None:
    w = sample({"name": "delta_orthogonal", "gain": 2.0}, shape)
    tap = w
    for k in shape[2:]:
        tap = tap[:, :, (k - 1) // 2]
    torch.testing.assert_close(tap.T @ tap, 4 * torch.eye(shape[1], dtype=torch.float64), rtol=0, atol=1e-12)
    assert int((w != 0).sum()) == int((tap != 0).sum())
    conv = getattr(nn, f"Conv{len(shape) - 2}d")
    layer = conv(shape[1], shape[0], shape[2], padding="same", padding_mode="circular", bias=False).double()
    layer.weight = nn.Parameter(w)
    x = torch.randn(3, shape[1], *(7 for _ in shape[2:]), generator=generator(1), dtype=torch.float64)
    lengths = layer(x).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, 2 * x.flatten(1).norm(dim=1), rtol=1e-12, atol=0)


def test_every_group_of_a_delta_orthogonal_convolution_keeps_lengths() -> None:
    w = sample("delta_orthogonal", (8, 2, 3, 3), groups=4)
    for group in w[:, :, 1, 1].split(2):
        torch.testing.assert_close(group.T @ group, torch.eye(2, dtype=torch.float64), rtol=0, atol=1e-12)


def test_delta_orthogonal_needs_room_for_its_columns() -> None:
    with pytest.raises(ValueError, match=r"at least as many outputs.*3 and 4; try orthogonal"):
        sample("delta_orthogonal", (3, 4, 3, 3))


@pytest.mark.parametrize("raw", ["dirac", "zero_init"])
@pytest.mark.parametrize(("channels", "groups"), [(6, 1), (6, 2), (6, 6)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_a_convolution_passes_its_inputs_on(raw: str, channels: int, groups: int, kernel: int) -> None:
    w = sample(raw, (channels, channels // groups, kernel, kernel), groups=groups)
    x = torch.randn(2, channels, 8, 8, generator=generator(1), dtype=torch.float64)
    assert torch.equal(nn.functional.conv2d(x, w, padding="same", groups=groups), x)


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (4, 8, 2, 2), (6, 6, 4), (4, 4, 3, 3, 3)], ids=str)
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_is_torchs(shape: Shape, groups: int) -> None:
    theirs = nn.init.dirac_(torch.empty(shape, dtype=torch.float64), groups)
    assert torch.equal(sample({"name": "dirac", "groups": groups}, shape), theirs)


def test_dirac_needs_groups_that_divide() -> None:
    with pytest.raises(ValueError, match="multiple of 3 output channels, not 8"):
        sample({"name": "dirac", "groups": 3}, (8, 8, 3))


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3)], ids=str)
def test_identity_is_torchs(shape: Shape) -> None:
    assert torch.equal(sample("identity", shape), nn.init.eye_(torch.empty(shape, dtype=torch.float64)))
    assert torch.equal(sample({"name": "identity", "gain": 3.0}, shape), 3 * sample("identity", shape))


@pytest.mark.parametrize(
    ("sparsity", "out", "zeros"), [(0.1, 40, 4), (0.1, 41, 5), (0.07, 100, 7), (0.3, 10, 3), (0.0, 9, 0), (1.0, 9, 9)]
)
def test_every_column_of_a_sparse_weight_has_its_zeros(sparsity: float, out: int, zeros: int) -> None:
    w = sample({"name": "sparse", "sparsity": sparsity, "std": 0.3}, (out, 500))
    assert set((w == 0).sum(0).tolist()) == {zeros}
    kept = w[w != 0]
    assert kept.numel() == 0 or abs(kept.std() - 0.3) < 6 * 0.3 / math.sqrt(2 * kept.numel())
    if 0 < zeros < out:  # each row is as likely to be zero
        share = (w == 0).double().mean(1)
        p = zeros / out
        assert (share - p).abs().max() < 6 * math.sqrt(p * (1 - p) / 500)


def test_sparse_zeros_are_the_generators() -> None:
    raw = {"name": "sparse", "sparsity": 0.5}
    zeros = [sample(raw, (20, 30), seed) == 0 for seed in (0, 0, 1)]
    assert torch.equal(zeros[0], zeros[1])
    assert not torch.equal(zeros[0], zeros[2])


def authors(out: int, ins: int) -> Tensor:
    """The matrix of ZerO's authors: identities around scipy's Hadamard matrix."""
    if out <= ins:
        return nn.init.eye_(torch.empty(out, ins))
    m = math.ceil(math.log2(out))
    wide, narrow = nn.init.eye_(torch.empty(out, 2**m)), nn.init.eye_(torch.empty(2**m, ins))
    return wide @ (torch.tensor(hadamard(2**m)).float() / 2 ** (m / 2)) @ narrow


@pytest.mark.parametrize("shape", [(4, 9), (9, 9), (8, 3), (9, 3), (16, 15), (100, 60), (2, 1), (1, 1)], ids=str)
def test_zero_init_is_its_authors(shape: Shape) -> None:
    w = sample("zero_init", shape, dtype=torch.float32)
    torch.testing.assert_close(w, authors(*shape), rtol=1e-6, atol=0)
    conv = sample("zero_init", (*shape, 4, 3), dtype=torch.float32)
    assert torch.equal(conv[:, :, 2, 1], w)
    assert int((conv != 0).sum()) == int((w != 0).sum())


@pytest.mark.parametrize(("out", "ins"), [(8, 8), (8, 5), (64, 3), (3, 8)])
def test_zero_init_keeps_lengths_where_the_width_is_a_power_of_two(out: int, ins: int) -> None:
    w = sample("zero_init", (out, ins))
    gram = w.T @ w if out > ins else w @ w.T
    torch.testing.assert_close(gram, torch.eye(min(out, ins), dtype=torch.float64), rtol=0, atol=1e-12)


def test_zero_init_of_a_wide_layer_takes_the_memory_of_its_weight() -> None:
    assert sample("zero_init", (65_536, 2)).abs().unique().tolist() == [2**-8]  # a whole H would have 4e9 values
