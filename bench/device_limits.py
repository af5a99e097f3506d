"""What the device allows: the matrix products and convolutions of a training alone, and the optimizer's bytes."""

import itertools
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
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


def products(name: str, device: str) -> list[Product]:
    """Every layer's products as fast as this process can compute them by any of torch's ways."""
    case = find(name, device)
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
        update = made(layer, case.batch, shape, device, i > 0)
        found.append(Product(label, update, share * made(layer, EVALUATION_BATCH, shape, device, None)))
    return found


def bandwidth(device: str) -> float:
    """Bytes a second that copies move, reading and writing counted."""
    source = torch.ones(2**26 if device == "cpu" else 2**28, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _fastest(lambda: target.copy_(source), device, 5 * SECONDS)


def together(case: Case, device: str, whole: Pool, alone: Pool | None) -> dict[str, float]:
    """Milliseconds an update and run that the device needs for its products, and for the optimizer's bytes.

    `whole` computes with all cores; where `alone` is given, which has one, a product may instead be computed on each
    core by itself, were it not disturbed by the others: whichever is the faster.
    """
    rows, (rate,) = whole(products, case.name, device)[0], whole(bandwidth, device)
    if alone:
        rate = max(rate, *alone(bandwidth, device))
        pairs = zip(rows, alone(products, case.name, device)[0], strict=True)
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


def _linear(layer: nn.Linear, batch: int, _shape: torch.Size, device: str, inner: bool | None) -> float:
    """Seconds of one run's products: forward, the weight's gradient, and in an inner layer the input's.

    `inner` is None for the product forward alone.
    """
    outputs, inputs = layer.weight.shape
    x, weight, gradient = (
        torch.randn(LANES, *size, device=device) for size in ((batch, inputs), (inputs, outputs), (batch, outputs))
    )
    pairs = [(x, weight)]
    if inner is not None:
        pairs.append((x.transpose(1, 2), gradient))
    if inner:
        pairs.append((gradient, weight.transpose(1, 2)))
    return sum(_product(a, b, device) for a, b in pairs)


def _product(a: torch.Tensor, b: torch.Tensor, device: str) -> float:
    """Seconds of one of the batched products, all at once or one by one."""
    together = torch.empty(LANES, a.shape[1], b.shape[2], device=device)
    each = itertools.cycle(zip(a, b, together, strict=True))

    def one_by_one() -> None:
        for _ in range(LANES):
            left, right, out = next(each)
            torch.mm(left, right, out=out)

    return min(
        _fastest(lambda: torch.bmm(a, b, out=together), device) / LANES,
        _fastest(one_by_one, device) / LANES,
    )


def _convolution(layer: nn.Conv2d, batch: int, shape: torch.Size, device: str, inner: bool | None) -> float:
    """Seconds of a convolution and its gradients, in the better of both memory orders; `inner` as above."""

    def measure(order: torch.memory_format) -> float:
        x = torch.randn(batch, *shape, device=device).contiguous(memory_format=order)
        weight = layer.weight.detach().to(device).contiguous(memory_format=order)
        if inner is None:
            return _fastest(lambda: conv2d(x, weight, padding=layer.padding), device)
        inputs = [weight.requires_grad_(), x.requires_grad_()] if inner else [weight.requires_grad_()]
        given = torch.randn_like(conv2d(x, weight, padding=layer.padding))
        return _fastest(lambda: torch.autograd.grad(conv2d(x, weight, padding=layer.padding), inputs, given), device)

    return min(measure(order) for order in (torch.contiguous_format, torch.channels_last))


def _fastest(work: Callable[[], object], device: str, budget: float = SECONDS) -> float:
    """The fastest of many repeats, in seconds."""
    work(), work()
    best, end = float("inf"), time.perf_counter() + budget
    while time.perf_counter() < end:
        if device == "cuda":
            torch.cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(5):
            work()
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - begin) / 5)
    return best
