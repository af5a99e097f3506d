"""Warnings: what a spec that can run asks for, and probably does not mean."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from core.errors import Problem
from core.numerals import plain
from core.optimizers import Optimizer
from core.registry import Entry, join_path
from core.schedules import lint_schedule
from core.spec._body import Spec
from core.spec._check import ArmInfo, where_of
from core.spec._run_rates import Length, lr_of, rates_of
from core.spec._shares import unequal_shares
from core.spec._slow_starts import pruning_warnings
from core.spec._treatment import Treatment
from core.spec._twins import twins

MOST = 100
"""The most warnings of one experiment."""
LOWEST, HIGHEST = 1e-4, 1e3
"""Multiples of an optimizer's default rate: below the first it hardly trains, above the second it diverges."""


def warnings_of(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Return what is probably a mistake in a spec, with the path of its field; `infos` are those of `check`.

    The schedules' rates are judged, as numbers: see `core.schedules.lint_schedule`. Beyond that: rates far from those
    that the optimizer is for, an optimizer for hidden layers without any, a schedule that counts updates over runs of
    very different numbers of them, arms that train alike though they look as if they differed, and pruning of arms that
    may only start slowly. In a range test the rates are the test's own, and its range is judged.
    """
    if spec.lr_range is not None:
        return [*_range(spec)]
    lengths = [Length(info.steps, info.steps_per_epoch) for info in infos]
    found: dict[Problem, list[str]] = {}
    told = []
    for i, (arm, length, info) in enumerate(zip(spec.expanded, lengths, infos, strict=True)):
        where = where_of(spec, i, arm)
        for problem in [*_of_arm(arm.treatment, length, where), *_of_others(arm.treatment, info, where)]:
            found.setdefault(problem, []).append(arm.label)
        if _of_schedule(arm.treatment.schedule, lr_of(arm.treatment), length):
            told.append(i)
    own = [p if _says_whose(spec, p, labels) else _named(p, labels) for p, labels in found.items()]
    return [*own, *unequal_shares(spec, infos, told), *twins(spec, infos), *pruning_warnings(spec)][:MOST]


def _says_whose(spec: Spec, problem: Problem, labels: Sequence[str]) -> bool:
    alone = problem.path.startswith("arms[") and spec.kind is None
    return alone or len(labels) == len(spec.expanded)


def _named(problem: Problem, labels: Sequence[str]) -> Problem:
    shown = ", ".join(f'"{label}"' for label in labels[:3]) + (f" and {len(labels) - 3} more" if labels[3:] else "")
    return problem._replace(message=f"of {shown} {problem.message}")


def _of_arm(treatment: Treatment, length: Length, where: Callable[[str], str]) -> Iterator[Problem]:
    lr = lr_of(treatment)
    for problem in _of_schedule(treatment.schedule, lr, length):
        yield problem._replace(path=join_path(where("schedule"), problem.path))
    optimizer = treatment.optimizer
    highest = max(rates_of(treatment.schedule, lr, length))
    outside = _outside(optimizer, highest)
    if outside is not None:
        same = abs(highest - lr) <= 1e-9 * lr
        path = join_path(where("optimizer"), "lr") if same else where("schedule")
        yield Problem(path, f"{'is' if same else 'has a highest rate of'} {plain(highest)}, {outside}")
        return
    for name, factor in (treatment.lr_per_layer or {}).items():
        outside = _outside(optimizer, factor * highest) if factor else None  # 0 freezes, and is meant
        if outside is not None:
            path = join_path(where("lr_per_layer"), name)
            yield Problem(path, f"makes a highest rate of {plain(factor * highest)}, {outside}")


def _of_others(treatment: Treatment, info: ArmInfo, where: Callable[[str], str]) -> Iterator[Problem]:
    """Name an optimizer for the weights of hidden layers where there is no such layer."""
    optimizer: Optimizer = treatment.optimizer.build()
    if optimizer.others is None or any(layer.role == "hidden" for layer in info.size.layers.values()):
        return
    message = "is for the weights of hidden layers, and this model has none: all is trained by adamw"
    yield Problem(where("optimizer"), f"{treatment.optimizer.name} {message}")


def _outside(optimizer: Entry, rate: float) -> str | None:
    usual = float(type(optimizer).model_fields["lr"].default)
    if LOWEST * usual <= rate <= HIGHEST * usual:
        return None
    end, times = ("trains hardly at all", usual / rate) if rate < usual and rate else ("diverges", rate / usual)
    far = (
        f"{plain(times, digits=3)} times {'below' if rate < usual else 'above'} {optimizer.name}'s default of {usual:g}"
    )
    return f"{far}: at such a rate it mostly {end}" if rate else f"and nothing is trained ({optimizer.name})"


def _range(spec: Spec) -> Iterator[Problem]:
    if spec.lr_range is None:
        return
    for optimizer in dict.fromkeys(arm.treatment.optimizer for arm in spec.expanded):
        usual = float(type(optimizer).model_fields["lr"].default)
        for name, rate, misses in (
            ("high", spec.lr_range.high, spec.lr_range.high < LOWEST * usual),
            ("low", spec.lr_range.low, spec.lr_range.low > HIGHEST * usual),
        ):
            if misses:
                message = f"is {plain(rate)}: the whole range is far from {optimizer.name}'s default rate of {usual:g}"
                yield Problem(f"lr_range.{name}", message)


@lru_cache(maxsize=2048)  # the arms of an experiment mostly share their schedule
def _of_schedule(schedule: Entry, lr: float, length: Length) -> tuple[Problem, ...]:
    return tuple(lint_schedule(schedule, lr, length.steps, length.steps_per_epoch))
