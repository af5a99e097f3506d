"""Diagnostics of an update by layer: activations, weights and gradients, and the change of the weights."""

import math
from collections.abc import Callable

import torch
from torch import nn

from core.training.lanes.forward import Tensors, spread
from core.training.options import Layout
from core.training.probe import Probe, places

ROWS = 256
"""The most neurons of a layer that are compared: the cost grows with their square."""
PIECE = 2**17
"""Numbers that a CPU takes at once: they fit its cache, and memory that the process already has."""


class Diagnosis:
    """Measures a cohort's updates without changing them: `before`, `standing` and `moved`, in this order.

    - `activation_*`: see `Probe`; over the batch and all units, with the dropout masks and the batch statistics that
      the update has. `activation_dead` is the share of a ReLU's units (of a convolution: channels) that give 0 for the
      whole batch; `activation_saturated` that of values of a sigmoid or tanh near its bounds (`probe.EDGE`).
    - `weight_norm`, `gradient_norm`: Frobenius norms of the weight before the update and of its gradient, without bias.
    - `update_ratio`: the norm of the weight's change, over `weight_norm`; NaN for a weight of zeros.
    - `effective_rank`: (sum s^2)^2 / sum s^4 of the weight's singular values s, as an (outputs, inputs) matrix: the
      R_0 of Bartlett, Long, Lugosi & Tsigler 2020 (arXiv:1906.11300). 1 for equal rows, the number of rows for
      orthonormal ones, fan_out / (1 + fan_out / fan_in) on average for large independent weights of mean 0.
    - `neuron_cosine`: the mean absolute cosine of two neurons' incoming weights: 1 where all point the same way, two of
      zeros among them; sqrt(2 / (pi fan_in)) for independent normal weights. Not of layers with one neuron or input.

    The last two are of at most `ROWS` rows of the weight, evenly spaced.
    """

    def __init__(self, module: nn.Module) -> None:
        self._probe = Probe(module)
        self._places = places(module)
        self._names: list[str] = []
        self._norms: dict[str, torch.Tensor] = {}

    @property
    def names(self) -> list[str]:
        """Names of the values measured last, in their order, such as `weight_norm/fc1`."""
        return [*self._probe.names, *self._names]

    def before(
        self, own: Tensors, buffers: Tensors, shared: Tensors, x: torch.Tensor, arms: int, layout: Layout
    ) -> torch.Tensor:
        """Measure the activations, (metrics, lanes); the arguments are `forward`'s. Norms' buffers stay unchanged."""
        buffers = {name: value.clone() for name, value in buffers.items()}
        return spread(self._probe, {**own, **buffers}, shared, x, arms, layout).T

    def standing(self, weights: Tensors, gradients: Tensors) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Measure weights and gradients, (metrics, lanes); return also copies of the weights for `moved`."""
        self._names, self._norms = [], {}
        found = []
        for layer, (name, rows) in self._places.items():
            weight, gradient = weights[name].detach()[:, rows], gradients[name][:, rows]
            comparable = min(weight.shape[1], weight[0, 0].numel()) > 1
            kinds = ["weight_norm", "gradient_norm", "effective_rank", *(["neuron_cosine"] if comparable else [])]
            self._names += [f"{kind}/{layer}" for kind in kinds]
            found.append(_by_piece(_standing, weight, gradient)[: len(kinds)])
            self._norms[layer] = found[-1][0]
        kept = {name for name, _ in self._places.values()}  # an attention's projections share one
        return torch.cat(found), {name: weights[name].detach().clone() for name in kept}

    def moved(self, before: Tensors, after: Tensors) -> torch.Tensor:
        """Measure the weights' relative change, (layers, lanes)."""
        found = []
        for layer, (name, rows) in self._places.items():
            self._names.append(f"update_ratio/{layer}")
            change = _by_piece(
                lambda a, b: _norm(b - a).unsqueeze(0), before[name][:, rows], after[name].detach()[:, rows]
            )
            found.append(change / self._norms[layer])
        return torch.cat(found)


def _by_piece(measure: Callable[..., torch.Tensor], *stacks: torch.Tensor) -> torch.Tensor:
    """Measure (metrics, lanes); a CPU takes only as many lanes at once as fit its cache."""
    whole = stacks[0]
    numbers = max(whole[0].numel(), min(ROWS, whole.shape[1]) ** 2)
    lanes = len(whole) if whole.is_cuda else max(1, PIECE // numbers)
    return torch.cat([measure(*part) for part in zip(*(torch.split(s, lanes) for s in stacks), strict=True)], 1)


def _standing(weight: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    rows = weight.flatten(2)
    if rows.shape[1] > ROWS:
        rows = rows[:, torch.linspace(0, rows.shape[1] - 1, ROWS, device=rows.device).long()]
    return torch.stack([_norm(weight), _norm(gradient), *_rank_and_cosine(rows)])


def _rank_and_cosine(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return effective rank and mean absolute cosine of each lane's rows, (lanes, rows, inputs), by their products."""
    rows = rows / _scale(rows)
    power = rows.square().sum(2, keepdim=True)
    zero = power == 0
    rows = rows / torch.where(zero, 1.0, power).sqrt()
    cosines = rows @ rows.mT
    squares = (power.mT @ cosines.square() @ power).flatten()  # of all products of two rows
    rank = power.sum((1, 2)).square() / squares.clamp(min=torch.finfo(rows.dtype).tiny)  # of a matrix of zeros: 0
    count = rows.shape[1]
    if count == 1:
        return rank, torch.full_like(rank, math.nan)
    zeros = zero.sum((1, 2))
    # the diagonal does not count, whose rows of zeros have a cosine of 0; of two such the one with the other has 1
    others = cosines.abs_().sum((1, 2)) - (count - zeros) + zeros * (zeros - 1)
    return rank, (others / (count * (count - 1))).clamp(0, 1)


def _norm(values: torch.Tensor) -> torch.Tensor:
    """Return each lane's norm, (lanes,), without underflow of squares, so that tiny gradients differ from none."""
    scale = _scale(values)
    norm: torch.Tensor = torch.linalg.vector_norm(values / scale, dim=tuple(range(1, values.ndim)))
    return norm * scale.flatten()


def _scale(values: torch.Tensor) -> torch.Tensor:
    """Return each lane's largest absolute value, 1 where all are 0, with a 1 for each further dimension."""
    # on a CPU many times as fast as torch's infinity norm
    largest = values.abs().amax(tuple(range(1, values.ndim)), keepdim=True)
    return torch.where(largest == 0, 1.0, largest)
