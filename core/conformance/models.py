"""The promises of every model."""

import torch

from core.conformance._check import check, expect
from core.conformance._entries import parsed
from core.models import Model
from core.streams import generator

INPUTS = ((1, 28, 28), (3, 32, 32), (30,))


@check("model")
def maps_a_batch_to_its_outputs(name: str) -> None:
    """It maps a batch to so many outputs, trains every parameter, and judges an example without its neighbours."""
    build: Model = parsed("model", name).build()
    taken = 0
    for inputs in INPUTS:
        with torch.random.fork_rng(devices=[]):
            try:
                module = build(inputs, 10)
            except ValueError:  # it does not take such inputs
                continue
            taken += 1
            x = torch.rand(3, *inputs, generator=generator(0))
            given = module(x)
            expect(given.shape == (3, 10), f"gives {tuple(given.shape)} for (3, {inputs}) and 10 outputs")
            own = list(module.named_parameters())
            gradients = torch.autograd.grad(given.square().sum(), [p for _, p in own], allow_unused=True)
            unused = [key for (key, _), g in zip(own, gradients, strict=True) if g is None]
            expect(not unused, f"has parameters that nothing depends on: {', '.join(unused)}")
            module.eval()
            alone, among = module(x[:1]), module(x)[:1]
            expect(torch.allclose(alone, among, rtol=1e-4, atol=1e-5), "judges an example by its neighbours too")
    expect(taken > 0, f"it refuses all inputs of {INPUTS}")


@check("model")
def is_built_without_memory(name: str) -> None:
    """It can be built on torch's meta device, as checks of a spec do, or refuses inputs with a ValueError."""
    for inputs in ((1,), (30,), (5, 4), (1, 1, 1), (1, 8, 8), (4, 9, 31)):
        with torch.device("meta"):
            try:
                module = parsed("model", name).build()(inputs, 1)
            except ValueError:
                continue
            held = [key for key, value in module.state_dict().items() if not value.is_meta]
            expect(not held, f"makes {', '.join(held)} elsewhere: create tensors without a device of their own")
            shape = tuple(module.eval()(torch.empty(2, *inputs)).shape)
            expect(shape == (2, 1), f"gives {shape} for (2, {inputs}) and one output")
