"""Rates by a formula of the user's own."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._expression import Array, ExpressionText, compiled
from core.schedules._peers import peers, torchs
from core.schedules._work import CHUNK

MOST_FACTORS = 5_000_000
"""Longest product: the last rate needs all the factors before it."""


@schedules.register(
    name="lambda",
    formula="B·fn(t)",
    source="torch.optim.lr_scheduler.LambdaLR; paddle.optimizer.lr.LambdaDecay",
    aliases=[
        *torchs("LambdaLR", "lambda_lr", renames={"lr_lambda": "fn"}),
        *peers("LambdaDecay", "lambda_decay", renames={"lr_lambda": "fn"}),
    ],
)
def lambda_(*, fn: ExpressionText) -> Schedule:
    """B times an expression, such as `0.95 ** epoch`.

    It may use t, `epoch` (epochs that are over), `step` (updates that are over), all counted from the schedule's own
    beginning, and `total_steps`, the updates that it has.
    """

    def bind(base: float, span: Span) -> Curve:
        values = _values(fn, span)

        def chunk(k: int) -> Array:
            return base * values(k)

        return _by_chunks(chunk, span.tick)

    return bind


@schedules.register(
    formula="B·fn(1)·fn(2)·...·fn(t)",
    source="torch.optim.lr_scheduler.MultiplicativeLR; paddle.optimizer.lr.MultiplicativeDecay",
    aliases=[
        *torchs("MultiplicativeLR", "multiplicative_lr", renames={"lr_lambda": "fn"}),
        *peers("MultiplicativeDecay", "multiplicative_decay", renames={"lr_lambda": "fn"}),
    ],
)
def multiplicative(*, fn: ExpressionText) -> Schedule:
    """The rate times an expression at every t from 1 on, B at t = 0; the expression's names are those of `lambda`."""

    def bind(base: float, span: Span) -> Curve:
        if span.per_update:
            raise ValueError('multiplies once a unit: where it should after every update, give "unit": "step"')
        if span.length > MOST_FACTORS:
            raise ValueError(f"multiplies {MOST_FACTORS:,} times at most; `lambda` takes a product in closed form")
        values = _values(fn, span)
        before = [base]
        """before[k]: the rate in force before chunk k."""

        def products(k: int) -> Array:
            factors = values(k)
            if k == 0:
                factors[0] = 1.0
            factors[0] *= before[k]
            return np.asarray(np.cumprod(factors), dtype=np.float64)

        def chunk(k: int) -> Array:
            while len(before) <= k:
                before.append(float(products(len(before) - 1)[-1]))
            return products(k)

        return _by_chunks(chunk, span.tick)

    return bind


def _values(fn: str, span: Span) -> Callable[[int], Array]:
    """Return a function from k to the expression's values at ticks k·CHUNK ... (k + 1)·CHUNK - 1, a new array."""
    expression = compiled(fn)

    def values(k: int) -> Array:
        ticks = np.arange(k * CHUNK, (k + 1) * CHUNK, dtype=np.float64)
        step = ticks if span.per_update else ticks * span.steps_per_unit
        t = ticks / span.steps_per_unit if span.per_update else ticks
        total = np.array(span.steps, dtype=np.float64)
        names = {"t": t, "step": step, "epoch": step // span.steps_per_epoch, "total_steps": total}
        return np.array(np.broadcast_to(expression(names), t.shape))

    return values


def _by_chunks(chunk: Callable[[int], Array], tick: float) -> Curve:
    """Return the curve whose values at ticks k·CHUNK, ... are `chunk(k)`; the latest chunks are cached."""

    @lru_cache(maxsize=8)
    def numbers(k: int) -> list[float]:
        with np.errstate(all="ignore"):  # what is not finite is refused where it is used
            return list(chunk(k).tolist())

    def rate(t: float) -> float:
        k, inside = divmod(round(t / tick), CHUNK)
        return numbers(k)[inside]

    return rate
