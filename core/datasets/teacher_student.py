"""Teacher and student: a random network computes the targets, so that a student of its form can learn them all."""

import math
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field

from core.datasets import Dataset, DatasetInfo, DatasetPaths, datasets
from core.datasets._splits import Fraction, HeldOut, TestFraction, Whole, of_whole
from core.registry import CountFromZero, NonNegative
from core.streams import generator

MOST_NUMBERS = 2**28
"""Most numbers in the inputs and the teacher's outputs together: 1 GiB as float32."""
MOST_WEIGHTS = 2**20
"""Most weights of the teacher."""
MOST_WORK = 2**38
"""Most weights times examples: about 10 s on one core."""
SAMPLE = 4096
"""Number of examples from which the share of the most frequent class is estimated, to one part in a hundred."""
CHUNK = 2**22
"""Numbers in the teacher's hidden layer that are computed at a time."""


@datasets.register(
    formula="x ~ N(0, I); f(x) = A (relu(W x) - E relu(W x)), W ~ N(0, 1/inputs), A ~ N(0, 2 pi / ((pi - 1) hidden)); "
    "y = f(x) + noise N(0, I), of several classes the greatest's number",
    source="Gardner & Derrida 1989; Goldt, Advani, Saxe, Krzakala & Zdeborova 2019, arXiv:1906.08632",
)
def teacher_student(
    *,
    inputs: Annotated[int, Field(ge=1, le=2**12)] = 20,
    hidden: Annotated[int, Field(ge=1, le=2**14)] = 32,
    outputs: Annotated[int, Field(ge=1, le=2**10)] = 1,
    examples: Annotated[int, Field(ge=2, le=MOST_NUMBERS)] = 10_000,
    noise: NonNegative = 0.0,
    task: Literal["regression", "multiclass"] = "regression",
    seed: CountFromZero = 0,
    valid_fraction: Fraction = 0.2,
    split_seed: CountFromZero = 0,
    test_fraction: TestFraction = 0.0,
) -> Dataset:
    """A task of any size, generated: a function of its parameters.

    An `mlp` with one layer of `hidden` relu units can name every target but for its noise, which leaves a squared
    error of noise^2. Without noise the targets have mean 0, and variance 1 on the average of all teachers. `seed` is
    that of the teacher, the inputs and the noise.
    """
    _fits(inputs=inputs, hidden=hidden, outputs=outputs, examples=examples, task=task)
    held_out = HeldOut(valid_fraction, split_seed, test_fraction).checked()
    counts = held_out.counts(examples)
    form = _Form(inputs=inputs, hidden=hidden, outputs=outputs, noise=noise, seed=seed)

    def info(_paths: DatasetPaths) -> DatasetInfo:
        chance = _share(form) if task == "multiclass" else None
        return DatasetInfo(inputs=(inputs,), outputs=outputs, task=task, chance=chance, **counts._asdict())

    def whole(_paths: DatasetPaths) -> Whole:
        x, y = _drawn(form, examples, "examples")
        return x, y.argmax(1) if task == "multiclass" else y, held_out

    return of_whole(info, whole, held_out)


class _Form(NamedTuple):
    """A teacher."""

    inputs: int
    hidden: int
    outputs: int
    noise: float
    seed: int


def _fits(*, inputs: int, hidden: int, outputs: int, examples: int, task: str) -> None:
    """Raise `ValueError` where the parameters make no task, or one too large."""
    if task == "multiclass" and outputs < 2:
        raise ValueError("a multiclass task has 2 outputs or more, one a class")
    weights = hidden * (inputs + outputs)
    for what, size, most in (
        ("(inputs + outputs) x examples", (inputs + outputs) * examples, MOST_NUMBERS),
        ("the teacher's weights, (inputs + outputs) x hidden,", weights, MOST_WEIGHTS),
        ("the teacher's weights x examples", weights * examples, MOST_WORK),
    ):
        if size > most:
            raise ValueError(f"{what} should be at most {most:,}, not {size:,}")


def _drawn(form: _Form, examples: int, purpose: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs (examples, inputs) and the teacher's noisy outputs for them (examples, outputs)."""
    random = generator(form.seed, "teacher_student", purpose)
    x = torch.randn(examples, form.inputs, generator=random)
    y = form.noise * torch.randn(examples, form.outputs, generator=random)
    inner, outer = _teacher(form)
    middle = inner.norm(dim=1) / math.sqrt(2 * math.pi)  # the mean of relu(z), z ~ N(0, s^2), is s / sqrt(2 pi)
    rows = CHUNK // form.hidden
    for at in range(0, examples, rows):
        part = slice(at, at + rows)
        y[part] += ((x[part] @ inner.T).relu_() - middle) @ outer.T
    return x, y


def _teacher(form: _Form) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the teacher's weights W (hidden, inputs) and A (outputs, hidden)."""
    random = generator(form.seed, "teacher_student", "teacher")
    inner = torch.randn(form.hidden, form.inputs, generator=random) / math.sqrt(form.inputs)
    # The variance of relu(z), z ~ N(0, 1), is (pi - 1) / (2 pi).
    outer = torch.randn(form.outputs, form.hidden, generator=random)
    outer *= math.sqrt(2 * math.pi / ((math.pi - 1) * form.hidden))
    return inner, outer


@lru_cache(maxsize=64)
def _share(form: _Form) -> float:
    """Return an estimate of the most frequent class's share."""
    _, scores = _drawn(form, SAMPLE, "chance")
    return float(scores.argmax(1).bincount().max() / SAMPLE)
