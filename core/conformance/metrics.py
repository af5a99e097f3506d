"""The promises of every metric that is measured on a split."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from core.conformance._check import check, expect
from core.metrics import Evaluation, Task, metrics

LANES, EXAMPLES, OUTPUTS = 3, 53, 7


class Made(NamedTuple):
    """Outputs (lanes, examples, outputs) and the labels (examples,) or targets (examples, outputs) of a split."""

    task: Task
    outputs: torch.Tensor
    y: torch.Tensor


def made(task: Task, *, examples: int = EXAMPLES, outputs: int = OUTPUTS) -> Made:
    """Return a random split, on which models are a little right."""
    stream = torch.Generator().manual_seed(5)
    if task == "multiclass":
        y = torch.randint(outputs, (examples,), generator=stream)
        right = torch.nn.functional.one_hot(y, outputs).double()
    elif task == "binary":
        y = torch.randint(2, (examples, 1), generator=stream).double()
        right = 2 * y - 1
    else:
        y = right = torch.randn(examples, outputs, generator=stream, dtype=torch.float64)
    return Made(task, right + torch.randn(LANES, *right.shape, generator=stream, dtype=torch.float64), y)


def perfect(split: Made) -> Made:
    """Return the split with outputs that are as right as they can be, in every lane."""
    if split.task == "multiclass":
        right = 30 * torch.nn.functional.one_hot(split.y, split.outputs.shape[-1]).double()
    else:
        right = 60 * split.y - 30 if split.task == "binary" else split.y
    return split._replace(outputs=right.expand_as(split.outputs).clone())


def measured(name: str, split: Made, parts: Sequence[int] | None = None) -> list[float]:
    """Return a metric of every lane, the split given in parts of so many examples; None: all at once.

    Raises ValueError for a metric that is not measured on a split.
    """
    if (accumulator := metrics[name].accumulator) is None:
        raise ValueError(f"{name} is not measured on a split")
    lanes, outputs = len(split.outputs), split.outputs.shape[-1]
    found = accumulator(Evaluation(task=split.task, lanes=lanes, y=split.y, outputs=outputs))
    sizes = [len(split.y)] if parts is None else list(parts)
    for outs, y in zip(split.outputs.split(sizes, 1), split.y.split(sizes), strict=True):
        found.add(outs, y.expand(lanes, *y.shape))
    result = found.result()
    shaped = result.shape == (lanes,) and result.dtype == torch.float64
    expect(shaped, f"gives {tuple(result.shape)} {result.dtype}: ({lanes},) in float64")
    return [float(value) for value in result]


def _splits(name: str) -> Iterator[Made]:
    """Yield a random split of each task that the metric is measured in."""
    if metrics[name].accumulator is None or metrics[name].split == "test":  # which is measured as on validation
        return
    for task in metrics[name].tasks:
        yield made(task)


def _same(found: Sequence[float], expected: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-12) for a, b in zip(found, expected, strict=True))


@check("metric")
def says_what_it_is(name: str) -> None:
    """Its name and label begin with its split."""
    metric = metrics[name]
    if metric.accumulator is not None and metric.split is not None:
        words = {"train": "training ", "valid": "validation ", "test": "test "}[metric.split]
        expect(name.startswith(f"{metric.split}_"), f"is of the split {metric.split}: call it {metric.split}_...")
        expect(metric.label.startswith(words), f"its label should begin with {words!r}")


@check("metric")
def is_the_same_in_any_parts(name: str) -> None:
    """It is the same in whatever parts the split comes, and of a lane as if that were alone."""
    for split in _splits(name):
        whole = measured(name, split)
        for parts in ((1,) * EXAMPLES, (50, 3), (7, 23, 23)):
            expect(_same(measured(name, split, parts), whole), f"differs in parts of {parts[:3]} ... examples")
        for lane, value in enumerate(whole):
            alone = Made(split.task, split.outputs[lane : lane + 1], split.y)
            expect(_same(measured(name, alone), [value]), "a lane is measured otherwise when it is alone")


@check("metric")
def tells_better_from_worse(name: str) -> None:
    """Outputs that are right are better by its direction, and a lane that is no number looks no better."""
    metric = metrics[name]
    for split in _splits(name):
        if metric.direction == "none":
            return
        found = measured(name, split)
        for best, one in zip(measured(name, perfect(split)), found, strict=True):
            expect((best - one) * metric.sign > 0, f"is {metric.direction!r} its direction? all right: {best}")
        broken = split.outputs.clone()
        broken[1] = torch.nan
        others = measured(name, split._replace(outputs=broken))
        expect((others[0], others[2]) == (found[0], found[2]), "a lane that is no number changes the others")
        sound = math.isnan(others[1]) or (others[1] - found[1]) * metric.sign < 0
        expect(sound, f"a lane whose outputs are no numbers has {others[1]}, better than {found[1]}")


@check("metric")
def keeps_within_its_bounds(name: str) -> None:
    """Its values lie within its bounds."""
    low, high = metrics[name].bounds
    for split in _splits(name):
        for scale in (0.0, 1e-3, 30.0):
            for value in measured(name, split._replace(outputs=split.outputs * scale)):
                fits = (low is None or value >= low) and (high is None or value <= high)
                expect(fits, f"has the value {value}, beyond its bounds {(low, high)}")
