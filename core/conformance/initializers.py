"""The promises of every initializer."""

import math

import torch

from core.conformance._check import check, expect
from core.conformance._entries import parsed
from core.initializers import Initializer, Layer, preview
from core.streams import generator

SHAPES = [(256, 784), (10, 128), (32, 3, 3, 3), (64, 8, 3, 3), (1, 1)]


@check("initializer")
def draws_what_its_law_says(name: str) -> None:
    """It draws what its law says: shape, mean, deviation and bound, from the generator alone."""
    initializer: Initializer = parsed("initializer", name).build()
    before, drawn = torch.get_rng_state(), 0
    for shape in SHAPES:
        try:
            laws = [initializer.weight(Layer(shape)), initializer.bias(Layer(shape))]
        except ValueError:  # one for dense layers alone, or for convolutions alone
            continue
        for law in laws:
            _draws(law, shape)
            drawn += 1
    expect(drawn > 0, f"it refuses every layer, of the shapes {SHAPES}")
    expect(torch.equal(before, torch.get_rng_state()), "it draws from torch's global stream")


def _draws(law: object, shape: tuple[int, ...]) -> None:
    for dtype in (torch.float32, torch.float64):
        draw = law.draw(shape, generator(0, "a"), dtype)  # type: ignore[attr-defined]
        again = law.draw(shape, generator(0, "a"), dtype)  # type: ignore[attr-defined]
        mean, std, bound = law.mean, law.std, law.bound  # type: ignore[attr-defined]
        of = f"of {shape} in {dtype}"
        expect(draw.shape == shape and draw.dtype == dtype, f"draws {tuple(draw.shape)} {draw.dtype}, {of}")
        expect(bool(draw.isfinite().all()), f"draws what is not finite, {of}")
        expect(torch.equal(draw, again), f"draws something else from the same stream, {of}")
        spread = float((draw - draw.mean()).square().mean().sqrt())
        if bound is not None:
            expect(bool(draw.abs().max() <= torch.tensor(bound, dtype=dtype)), f"draws beyond its bound {bound}, {of}")
        if std is not None and draw.numel() > 1:  # 6 standard errors, of the heaviest-tailed law there is: normal
            near = abs(spread - std) <= std * 6 / math.sqrt(2 * draw.numel())
            expect(near, f"has the deviation {spread:.4g}, and says {std:.4g}, {of}")
        if mean is not None:
            near = abs(float(draw.mean()) - mean) <= 6 * max(spread, std or 0.0) / math.sqrt(draw.numel()) + 1e-7
            expect(near, f"has the mean {float(draw.mean()):.4g}, and says {mean:.4g}, {of}")


@check("initializer")
def has_a_preview(name: str) -> None:
    """Its preview counts every value that it draws."""
    entry = parsed("initializer", name)
    for shape in ((64, 32), (8, 8, 3, 3)):
        try:
            answer = preview(entry, Layer(shape), seed=0, bins=7)
        except ValueError:
            continue
        expect(sum(answer["histogram"]["counts"]) == math.prod(shape), f"its histogram of {shape} has not all values")
