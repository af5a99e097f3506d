"""Warnings: what a spec that can run asks for, and probably does not mean."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.errors import Problem
from core.optimizers import Optimizer
from core.registry import Entry, join_path
from core.schedules import Reactive, bind, lint_schedule, rates, sampled_updates
from core.spec._arms import Arm
from core.spec._body import Spec
from core.spec._check import ArmInfo, where_of
from core.spec._slow_starts import pruning_warnings
from core.spec._treatment import Treatment

MOST = 100
"""The most warnings of one experiment."""
LOWEST, HIGHEST = 1e-4, 1e3
"""Multiples of an optimizer's default rate: below the first it hardly trains, above the second it diverges."""


@dataclass(frozen=True)
class _Length:
    steps: int
    steps_per_epoch: int


def warnings_of(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Return what is probably a mistake in a spec, with the path of its field; `infos` are those of `check`.

    The schedules' rates are judged, as numbers: see `core.schedules.lint_schedule`. Beyond that: rates far from those
    that the optimizer is for, an optimizer for hidden layers without any, arms that differ in nothing but their
    schedules and yet have the same rates, and pruning of arms that may only start slowly. In a range test the rates are
    the test's own, and its range is judged.
    """
    if spec.lr_range is not None:
        return [*_range(spec)]
    lengths = [_Length(info.steps, info.steps_per_epoch) for info in infos]
    found: dict[Problem, list[str]] = {}
    for i, (arm, length, info) in enumerate(zip(spec.expanded, lengths, infos, strict=True)):
        where = where_of(spec, i, arm)
        for problem in [*_of_arm(arm.treatment, length, where), *_of_others(arm.treatment, info, where)]:
            found.setdefault(problem, []).append(arm.label)
    own = [p if _says_whose(spec, p, labels) else _named(p, labels) for p, labels in found.items()]
    return [*own, *_twins(spec, lengths), *pruning_warnings(spec)][:MOST]


def _says_whose(spec: Spec, problem: Problem, labels: Sequence[str]) -> bool:
    alone = problem.path.startswith("arms[") and spec.kind is None
    return alone or len(labels) == len(spec.expanded)


def _named(problem: Problem, labels: Sequence[str]) -> Problem:
    shown = ", ".join(f'"{label}"' for label in labels[:3]) + (f" and {len(labels) - 3} more" if labels[3:] else "")
    return problem._replace(message=f"of {shown} {problem.message}")


def _of_arm(treatment: Treatment, length: _Length, where: Callable[[str], str]) -> Iterator[Problem]:
    lr = _lr(treatment)
    for problem in _of_schedule(treatment.schedule, lr, length):
        yield problem._replace(path=join_path(where("schedule"), problem.path))
    optimizer = treatment.optimizer
    highest = max(_rates(treatment.schedule, lr, length))
    outside = _outside(optimizer, highest)
    if outside is not None:
        same = abs(highest - lr) <= 1e-9 * lr
        path = join_path(where("optimizer"), "lr") if same else where("schedule")
        yield Problem(path, f"{'is' if same else 'has a highest rate of'} {highest:.4g}, {outside}")
        return
    for name, factor in (treatment.lr_per_layer or {}).items():
        outside = _outside(optimizer, factor * highest) if factor else None  # 0 freezes, and is meant
        if outside is not None:
            path = join_path(where("lr_per_layer"), name)
            yield Problem(path, f"makes a highest rate of {factor * highest:.4g}, {outside}")


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
    far = f"{times:.3g} times {'below' if rate < usual else 'above'} {optimizer.name}'s default of {usual:g}"
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
                message = f"is {rate:g}: the whole range is far from {optimizer.name}'s default rate of {usual:g}"
                yield Problem(f"lr_range.{name}", message)


def _twins(spec: Spec, lengths: Sequence[_Length]) -> Iterator[Problem]:
    """Name the arms whose every rate is that of an arm before them, and which differ from it in nothing else.

    A mean of the weights is nothing else: no update reads it.
    """
    first: dict[object, Arm] = {}
    others = [_all_but_rates(arm.treatment) for arm in spec.expanded]
    alike = Counter(others)
    for i, (arm, length) in enumerate(zip(spec.expanded, lengths, strict=True)):
        if alike[others[i]] == 1:
            continue
        treatment: Treatment = arm.treatment
        key = (others[i], _fingerprint(treatment.schedule, _lr(treatment), length))
        if key not in first:
            first[key] = arm
            continue
        other = first[key]
        averaged = other.treatment.ema_decay != treatment.ema_decay
        path = where_of(spec, i, arm)("ema_decay" if averaged else _varied(arm))
        whose = "" if path.startswith("arms[") else f'of "{arm.label}" '
        if averaged:
            message = f'leaves the training as it is in "{other.label}": compare the two by a metric that ends in _ema'
        else:
            how = "is that" if other.treatment.schedule == treatment.schedule else "has every rate"
            message = f'{how} of "{other.label}", and nothing else differs: the two train alike'
        yield Problem(path, f"{whose}{message}")


def _all_but_rates(treatment: Treatment) -> str:
    optimizer = {k: v for k, v in treatment.optimizer.model_dump().items() if k != "lr"}
    rates = ("schedule", "optimizer", "ema_decay")
    return repr((optimizer, [getattr(treatment, f) for f in Treatment.model_fields if f not in rates]))


def _varied(arm: Arm) -> str:
    return next((f for f in ("schedule", "optimizer", *arm.replaced) if f in arm.replaced), "schedule")


@lru_cache(maxsize=2048)  # the arms of an experiment mostly share their schedule
def _of_schedule(schedule: Entry, lr: float, length: _Length) -> tuple[Problem, ...]:
    return tuple(lint_schedule(schedule, lr, length.steps, length.steps_per_epoch))


@lru_cache(maxsize=256)
def _rates(schedule: Entry, lr: float, length: _Length) -> tuple[float, ...]:
    bound = bind(schedule, lr, length.steps, length.steps_per_epoch)
    return tuple(rates(bound, sampled_updates(length.steps)))


@lru_cache(maxsize=2048)
def _fingerprint(schedule: Entry, lr: float, length: _Length) -> object:
    """Return what is equal for schedules whose rates are: those, rounded; of one that answers to a metric itself."""
    answers = isinstance(bind(schedule, lr, length.steps, length.steps_per_epoch), Reactive)
    if answers:
        return schedule, lr, length
    return tuple(float(f"{rate:.9e}") for rate in _rates(schedule, lr, length)), length


def _lr(treatment: Treatment) -> float:
    return float(treatment.optimizer.parameters()["lr"])
