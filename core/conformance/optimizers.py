"""The promises of every optimizer."""

from collections.abc import Sequence

import torch

from core.conformance._check import check, expect
from core.conformance._entries import parsed
from core.optimizers import Hyper, Optimizer
from core.streams import generator


@check("optimizer")
def equals_its_reference(name: str) -> None:
    """Its lanes take the steps of its reference, each with its own rate, and leave gradients as they are."""
    for shape in ((4, 3), (5,)):
        lanes: list[Optimizer] = [parsed("optimizer", name, lr=lr).build() for lr in (0.001, 0.01, 0.1)]
        if len(shape) == 1:
            lanes = [lane.others or lane for lane in lanes]
        random = generator(0, name)
        start = torch.randn(3, *shape, generator=random, dtype=torch.float64)
        gradients = torch.randn(200, 3, *shape, generator=random, dtype=torch.float64)
        gradients[20:25] = 0
        found, expected = stepped(lanes, start, gradients), _by_reference(lanes, start, gradients)
        apart = float((found - expected).abs().max())
        expect(apart <= 1e-10, f"is up to {apart:.3g} from its reference after 200 updates of {shape} in float64")
        expect(not torch.equal(found, start), "moves nothing")


@check("optimizer")
def says_how_its_steps_grow(name: str) -> None:
    """Its steps grow with the gradient as `steps` says: "sgd" in proportion, "adam" not at all."""
    optimizer: Optimizer = parsed("optimizer", name).build()
    gradient = torch.tensor([[[1.0, -2.0, 0.5]]], dtype=torch.float64)
    sizes = []
    for scale in (1.0, 1000.0):
        gradients = (scale * gradient).expand(20, *gradient.shape)
        start = torch.ones_like(gradient)
        before, after = stepped([optimizer], start, gradients[:-1]), stepped([optimizer], start, gradients)
        sizes.append(after - before)
    growth = {"adam": 1.0, "sgd": 1000.0}[optimizer.steps]
    fits = torch.allclose(sizes[1], growth * sizes[0], rtol=1e-3, atol=0)
    expect(
        fits, f"says steps={optimizer.steps!r}: a gradient 1,000 times as large should make {growth:g} times the step"
    )


def stepped(lanes: Sequence[Optimizer], start: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """Return where lanes come to from `start`, (lanes, *shape), by gradients (updates, lanes, *shape)."""
    column = (len(lanes), *(1 for _ in start.shape[1:]))
    first, w = lanes[0], start.clone()
    state = {slot: torch.zeros_like(w) for slot in first.slots}
    state |= {scalar: torch.zeros(column, dtype=torch.float64) for scalar in first.scalars}
    numbers = {key: [lane.hyper[key] for lane in lanes] for key in first.hyper}
    hyper = Hyper({key: torch.tensor(own, dtype=torch.float64).view(column) for key, own in numbers.items()})
    for t, g in enumerate(gradients, start=1):
        given = g.clone()
        first.update(w, given, state, t, hyper)
        expect(torch.equal(given, g), "changes the gradient that it is given")
    return w


def _by_reference(lanes: Sequence[Optimizer], start: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    ends = []
    for i, lane in enumerate(lanes):
        parameter = torch.nn.Parameter(start[i].clone())
        optimizer = lane.reference([parameter])
        for g in gradients:
            parameter.grad = g[i].clone()
            optimizer.step()
        ends.append(parameter.detach())
    return torch.stack(ends)
