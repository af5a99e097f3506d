"""What the device allows: the matrix products and convolutions of a training alone, and the optimizer's bytes."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import torch
from backend import Backend
from cases import Case, find
from pools import Pool
from torch import nn
from torch.nn.functional import conv2d

LANES = 16
"""Matrices in a batched product: more than fit the caches."""
SECONDS = 0.15
"""To measure one product for."""
EVALUATION_BATCH = 1_000
ADAM_NUMBERS = 7
"""Numbers moved for each parameter: it, its gradient and two means are read, all but the gradient are written."""


class Product(NamedTuple):
    """One layer's share in an update of one run."""

    layer: str
    seconds: float
    """Its product forward, and the one or two backward."""
    evaluation: float
    """Forward, for the share of both splits that an update has to bear."""


def products(name: str, backend: Backend) -> list[Product]:
    """Every layer's products as fast as this process can compute them by any of torch's ways."""
    case = find(name, backend.device)
    backend.set_precision()
    model = case.network()
    seen: list[tuple[str, nn.Module, torch.Size]] = []

    def poll(label: str) -> Callable[..., None]:
        return lambda layer, inputs, _output: seen.append((label, layer, inputs[0].shape[1:]))

    for label, layer in model.named_modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layer.register_forward_hook(poll(label))
    sides = (*case.shape[2:], *case.shape[:2]) if case.kind == "images" else case.shape
    model(torch.zeros(2, *(sides if len(sides) != 2 else (1, *sides))))
    share = case.examples / case.steps / EVALUATION_BATCH
    found = []
    for i, (label, layer, shape) in enumerate(seen):
        made: Callable[..., float] = _linear if isinstance(layer, nn.Linear) else _convolution
        update = made(layer, case.batch, shape, backend, i > 0)
        found.append(Product(label, update, share * made(layer, EVALUATION_BATCH, shape, backend, None)))
    return found


def bandwidth(backend: Backend) -> float:
    """Bytes a second that copies move, reading and writing counted."""
    source = torch.ones(2**26 if backend.device == "cpu" else 2**28, device=backend.device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / backend.fastest(lambda: target.copy_(source), 5 * SECONDS)


def together(case: Case, backend: Backend, whole: Pool, alone: Pool | None) -> dict[str, float]:
    """Milliseconds an update and run that the device needs for its products, and for the optimizer's bytes.

    `whole` computes with all cores; where `alone` is given, which has one, a product may instead be computed on each
    core by itself, were it not disturbed by the others: whichever is the faster.
    """
    rows, (rate,) = whole(products, case.name, backend)[0], whole(bandwidth, backend)
    if alone:
        rate = max(rate, *alone(bandwidth, backend))
        pairs = zip(rows, alone(products, case.name, backend)[0], strict=True)
        rows = [
            Product(all_.layer, *(min(a, o / whole.threads) for a, o in zip(all_[1:], one[1:], strict=True)))
            for all_, one in pairs
        ]
    return {
        "products_ms": round(sum(row.seconds for row in rows) * 1e3, 5),
        "evaluation_ms": round(sum(row.evaluation for row in rows) * 1e3, 5),
        "optimizer_ms": round(optimizer_bytes(case) / rate * 1e3, 5),
        "copies_gb_s": round(rate / 1e9, 2),
    }


def optimizer_bytes(case: Case) -> int:
    """What one update of one run moves at least."""
    return ADAM_NUMBERS * 4 * sum(parameter.numel() for parameter in case.network().parameters())


def _linear(layer: nn.Linear, batch: int, _shape: torch.Size, backend: Backend, inner: bool | None) -> float:
    """Seconds of one run's products: forward, the weight's gradient, and in an inner layer the input's.

    `inner` is None for the product forward alone.
    """
    outputs, inputs = layer.weight.shape
    x, weight, gradient = (
        torch.randn(LANES, *size, device=backend.device, dtype=backend.dtype)
        for size in ((batch, inputs), (inputs, outputs), (batch, outputs))
    )
    pairs = [(x, weight)]
    if inner is not None:
        pairs.append((x.transpose(1, 2), gradient))
    if inner:
        pairs.append((gradient, weight.transpose(1, 2)))
    return sum(_product(a, b, backend) for a, b in pairs)


def _product(a: torch.Tensor, b: torch.Tensor, backend: Backend) -> float:
    """Seconds of one of the batched products, all at once or one by one."""
    together = torch.empty(LANES, a.shape[1], b.shape[2], device=a.device, dtype=a.dtype)
    each = itertools.cycle(zip(a, b, together, strict=True))

    def one_by_one() -> None:
        for _ in range(LANES):
            left, right, out = next(each)
            torch.mm(left, right, out=out)

    return min(
        backend.fastest(lambda: torch.bmm(a, b, out=together), SECONDS) / LANES,
        backend.fastest(one_by_one, SECONDS) / LANES,
    )


def _convolution(layer: nn.Conv2d, batch: int, shape: torch.Size, backend: Backend, inner: bool | None) -> float:
    """Seconds of a convolution and its gradients, in the better of both memory orders; `inner` as above."""

    def measure(order: torch.memory_format) -> float:
        x = torch.randn(batch, *shape, device=backend.device, dtype=backend.dtype).contiguous(memory_format=order)
        weight = layer.weight.detach().to(x).contiguous(memory_format=order)
        if inner is None:
            return backend.fastest(lambda: conv2d(x, weight, padding=layer.padding), SECONDS)
        inputs = [weight.requires_grad_(), x.requires_grad_()] if inner else [weight.requires_grad_()]
        given = torch.randn_like(conv2d(x, weight, padding=layer.padding))
        return backend.fastest(
            lambda: torch.autograd.grad(conv2d(x, weight, padding=layer.padding), inputs, given), SECONDS
        )

    return min(measure(order) for order in (torch.contiguous_format, torch.channels_last))
