"""The models of answers about adaptive seeds, which clients rely on."""

from typing import Self

from pydantic import BaseModel

from core.analysis import foresee, look_levels, outline
from core.design import Design
from core.store import Experiment

EFFECTS = (0.0, 0.5, 1.0, 2.0)
"""True differences, in standard deviations of the paired differences, for which a preview says what is to be expected:
none, and a medium, a large and a plain one."""


class DecidedOut(BaseModel):
    """A comparison that a look has decided: `decision` of `a` against `b`, on the `n` seeds that both have.

    The interval of the `difference` a - b is at the look's level.
    """

    a: str
    b: str
    n: int
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    p_equivalence: float | None
    test: str
    decision: str


class LookOut(BaseModel):
    """A look after so many `seeds`: what it `decided`, how many comparisons it left `open`, and which `arms` go on.

    Each of the experiment's `comparisons` is decided at the two-sided `level`.
    """

    seeds: int
    metric: str
    level: float
    comparisons: int
    decided: list[DecidedOut]
    open: int
    arms: list[str]

    @classmethod
    def all_of(cls, one: Experiment) -> list[Self]:
        return [cls.model_validate(outline(look)) for look in one.looks or ()]


class PlannedLookOut(BaseModel):
    """A look that may be taken, and the two-sided level of a comparison there."""

    seeds: int
    level: float


class ExpectedOut(BaseModel):
    """The outlook if all arms differ by `effect` standard deviations of their paired differences.

    `seeds` are those that an arm is trained with on average, `runs` and `steps` of all arms; `power` is the chance that
    a comparison is decided rightly, at effect 0 wrongly.
    """

    effect: float
    seeds: float
    runs: int
    steps: int
    power: float


class AdaptiveOut(BaseModel):
    """The outlook of adaptive seeds: at least `runs_least`, at most the preview's `runs_total`."""

    looks: list[PlannedLookOut]
    comparisons: int
    runs_least: int
    expected: list[ExpectedOut]

    @classmethod
    def of(cls, design: Design, trainings: int, steps: int) -> Self:
        """`steps` are the updates of one run of every arm, together."""
        arms, looks, m = len(design.arms), tuple(design.looks), len(design.pairs)
        expected = []
        for effect in EFFECTS:
            each, seeds = foresee(design, effect)
            runs, updates = round(arms * trainings * seeds), round(steps * trainings * seeds)
            expected.append(ExpectedOut(effect=effect, seeds=seeds, runs=runs, steps=updates, power=each.power))
        levels = look_levels(looks, design.alpha / m)
        return cls(
            looks=[PlannedLookOut(seeds=n, level=level) for n, level in zip(looks, levels, strict=True)],
            comparisons=m,
            runs_least=arms * trainings * looks[0],
            expected=expected,
        )
