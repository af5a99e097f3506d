"""Checks of a spec that need the catalogue: the parts of each arm fit together, and their work is within limits."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from core.datasets import DataError, Dataset, DatasetInfo, DatasetPaths
from core.errors import MOST_PROBLEMS, InvalidSpec, Problem, path_of
from core.initializers import Initializer
from core.metrics import diagnostics, epoch_metrics, metrics
from core.models import on_meta
from core.optimizers import Optimizer
from core.registry import Entry, join_path
from core.schedules import Reactive, bind, rates
from core.spec._arms import Arm
from core.spec._batches import batches_refused
from core.spec._body import Spec
from core.spec._budget import Budget
from core.spec._diagnostics import MOST_POINTS
from core.spec._limits import LIMITS
from core.spec._loss import loss_refused
from core.spec._rates import unfit_rates
from core.spec._scan import check_scanned, mixes_examples
from core.spec._size import Size, size
from core.spec._treatment import Treatment

LENGTHS: Mapping[str | None, str] = {
    "lr_range_test": "lr_range.steps",
    "coordinate_check": "coordinate_check.updates",
}
"""The field that sets how long runs are, by the kinds that have one of their own."""


class ArmInfo(NamedTuple):
    """Sizes of an arm: its data set, its model and its updates."""

    data: DatasetInfo
    size: Size
    steps_per_epoch: int
    steps: int
    """Updates of one run."""


def check(spec: Spec, paths: DatasetPaths, seconds: float = math.inf) -> list[ArmInfo]:
    """Check every arm: build its model without memory, read its data set's sizes, try its schedule. One `ArmInfo` each.

    Raises `InvalidSpec` with the path of what does not fit or is too large, and before all that where the checks would
    take more than so many `seconds`, as estimated.
    """
    _must_be_quick(spec, paths, seconds)
    infos, problems = _arm_infos(spec, paths)
    if not problems:
        for refused in (_several_tasks, _some_tested, _nothing_to_split, _nothing_dropped, _several_heads):
            problems += refused(spec, infos)
    if not problems and spec.target is not None:
        averaged = any(arm.treatment.ema_decay is not None for arm in spec.expanded)
        problems += spec.target.problems(infos[0].data.task, infos[0].data.outputs, averaged)
    runs_of_arm = spec.trainings * len(spec.seed_list)
    total = sum(info.steps for info in infos) * runs_of_arm
    if not problems and total > LIMITS.steps:
        message = f"{total:,} updates in all; {LIMITS.steps:,} is the most"
        problems.append(Problem(LENGTHS.get(spec.kind, "epochs"), message))
    if not problems and spec.diagnostics is not None:
        problems += _too_many_looks(spec.diagnostics.every, infos, runs_of_arm)
    if not problems and spec.pruning is not None:
        _must_measure(spec.pruning.judged(infos[0].data.task), infos[0].data, "pruning.metric")
    if problems:
        raise InvalidSpec(problems)
    return infos


def _must_be_quick(spec: Spec, paths: DatasetPaths, seconds: float) -> None:
    if seconds < math.inf:
        budget = Budget(seconds)
        for i, arm in enumerate(spec.expanded):
            budget.foresee(arm, paths, spec.updates, where_of(spec, i, arm))


def _arm_infos(spec: Spec, paths: DatasetPaths) -> tuple[list[ArmInfo], list[Problem]]:
    """Return the sizes of the arms that are sound, and the problems of the others, until there are enough of them."""
    infos: list[ArmInfo] = []
    problems: list[Problem] = []
    for i, arm in enumerate(spec.expanded):
        where = where_of(spec, i, arm)
        try:
            info = _arm_info(arm.treatment, paths, where, spec.updates)
            infos.append(info)
            if spec.batch_size_scan is not None:
                scanned = check_scanned(arm, spec.batch_size_scan, info.data, info.steps, info.steps_per_epoch, where)
                problems += [p for p in scanned if p not in problems]
        except InvalidSpec as error:
            problems += [p for p in error.problems if p not in problems]
        if len(problems) > MOST_PROBLEMS:
            break
    return infos, problems


def _several_tasks(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Refuse arms of several kinds of task: they have other losses and metrics, so there is no outcome to judge by."""
    tasks = [info.data.task for info in infos]
    other = next((i for i, task in enumerate(tasks) if task != tasks[0]), None)
    if other is None:
        return []
    kinds = ", ".join(f"{task} as of {spec.expanded[tasks.index(task)].label!r}" for task in dict.fromkeys(tasks))
    message = f"has several kinds of task, which share no loss and not all metrics: {kinds}; post one experiment a kind"
    if spec.grid is not None:
        message += ", each of which is judged over its data sets"
    return [Problem(where_of(spec, other, spec.expanded[other])("dataset"), message)]


def _some_tested(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Refuse arms of which some are judged on a test split, and others by what they were chosen by."""
    tested = [info.data.test > 0 for info in infos]
    if all(tested) or not any(tested):
        return []
    i = tested.index(not tested[0])
    message = f"arms {'without' if tested[0] else 'with'} a test split are compared with others: give all of them one"
    return [Problem(where_of(spec, i, spec.expanded[i])("dataset"), message)]


def _nothing_to_split(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Refuse splits that vary of data whose files hold out what is validated on, and of which nothing else is."""
    if spec.split == "per_seed" and spec.adaptive is not None:
        why = "splits of one data set overlap, so a later seed tells less than an earlier one, which looks count alike"
        message = f"is for a fixed number of seeds: {why}; give a number of seeds, or keep the split fixed"
        return [Problem("split" if spec.vary is None else "vary", message)]
    if spec.split == "fixed" or not any("valid" in info.data.own and not info.data.test for info in infos):
        return []
    message = "there is nothing to split: the data's own files hold out what is validated on; give own_test or fixed"
    return [Problem("split", message)]


def _nothing_dropped(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Refuse to tell apart what dropout does where no arm has any: runs that differ by it alone would be the same."""
    if spec.vary is None or "dropout" not in spec.vary or any(info.size.dropped for info in infos):
        return []
    return [
        Problem("vary", "names dropout, and no arm's model drops anything: leave it out, or give the model dropout")
    ]


def _several_heads(spec: Spec, infos: Sequence[ArmInfo]) -> list[Problem]:
    """Refuse arms under mup whose attention has heads of different number: their base networks would be different ones.

    Its logits are scaled by the size of a head, which is to grow with the width.
    """
    seen = 0
    for i, (arm, info) in enumerate(zip(spec.expanded, infos, strict=True)):
        heads = max((layer.heads for layer in info.size.layers.values()), default=0)
        if arm.treatment.initializer.name != "mup" or not heads:
            continue
        if seen and heads != seen:
            message = f"has {heads} heads where an arm before it has {seen}: under mup give all arms the same heads"
            return [Problem(where_of(spec, i, arm)("model"), message)]
        seen = heads
    return []


def _too_many_looks(every: int, infos: Sequence[ArmInfo], runs: int) -> list[Problem]:
    def points(every: int) -> int:
        looks = (math.ceil(info.steps / every) * len(info.size.layers) for info in infos)
        return sum(looks) * len(diagnostics()) * runs

    if points(every) <= MOST_POINTS:
        return []
    message = f"makes up to {points(every):,} points, of all layers and runs; {MOST_POINTS:,} is the most"
    return [Problem("diagnostics.every", f"{message}: look more seldom")]


def where_of(spec: Spec, i: int, arm: Arm) -> Callable[[str], str]:
    """Return a function from a field to its path in the request: in arm i where that sets it, else in the base."""
    own: dict[str, str] = {}
    if spec.batch_size_scan is not None:  # of each arm that was asked for, one of every size
        i, size = divmod(i, len(spec.batch_size_scan.sizes))
        own = {"batch_size": f"batch_size_scan.sizes[{size}]"}
    if spec.coordinate_check is not None:  # likewise of every width
        i, width = divmod(i, len(spec.coordinate_check.widths))
        own = {"model": f"coordinate_check.widths[{width}]"}
    place = f"arms[{i}]" if spec.arms is not None else "grid"
    return lambda field: own.get(field, f"{place}.{field}" if field in arm.replaced else field)


def _arm_info(treatment: Treatment, paths: DatasetPaths, where: Callable[[str], str], updates: int | None) -> ArmInfo:
    dataset: Dataset = treatment.dataset.build()
    try:
        data = dataset.info(paths)
    except DataError as error:
        raise InvalidSpec([Problem(where("dataset"), error.detail)]) from None
    try:
        whole = size(treatment.model, data.inputs, data.outputs)
    except (RuntimeError, ValueError, OverflowError) as error:
        path = join_path(where("model"), path_of(error))
        raise InvalidSpec([Problem(path, f"does not fit the data set: {error}")]) from None
    if whole.parameters > LIMITS.parameters:
        message = f"has {whole.parameters:,} parameters; {LIMITS.parameters:,} is the most"
        raise InvalidSpec([Problem(where("model"), message)])
    for refused in (batches_refused, loss_refused):
        problem = refused(treatment, data)
        if problem is not None:
            raise InvalidSpec([problem._replace(path=where(problem.path))])
    if treatment.micro_batch_size is not None and mixes_examples(treatment.model, data.inputs, data.outputs):
        message = (
            "of a model with batch norm is another training, for each part has statistics of its own: take a model "
            'without (mlp has layer_norm, cnn "batch_norm": false), or a smaller batch_size'
        )
        raise InvalidSpec([Problem(where("micro_batch_size"), message)])
    steps_per_epoch = treatment.updates_per_epoch(data.train)
    steps = updates or steps_per_epoch * treatment.epochs
    _try_augment(treatment, data, where)
    _try_schedule(treatment, data, where("schedule"), (steps, steps_per_epoch))
    _try_stopping(treatment, data, where("early_stopping"))
    _try_initializer(treatment, whole, where("initializer"))
    _try_rates(treatment, data, where("lr_per_layer"))
    return ArmInfo(data=data, size=whole, steps_per_epoch=steps_per_epoch, steps=steps)


def _try_augment(treatment: Treatment, data: DatasetInfo, where: Callable[[str], str]) -> None:
    if treatment.cutmix and len(data.inputs) != 3:
        message = f"is for pictures; this data set's examples are {data.inputs}: take mixup, which mixes any"
        raise InvalidSpec([Problem(where("cutmix"), message)])
    if not treatment.augment:
        return
    path = where("augment")
    if len(data.inputs) != 3:
        raise InvalidSpec([Problem(path, f"is for pictures; this data set's examples are {data.inputs}")])
    side = min(data.inputs[1:])
    if treatment.augment.crop >= side:
        raise InvalidSpec([Problem(f"{path}.crop", f"should be below {side}, the pictures' shorter side")])


def _try_schedule(treatment: Treatment, data: DatasetInfo, path: str, length: tuple[int, int]) -> None:
    steps, steps_per_epoch = length
    optimizer: Optimizer = treatment.optimizer.build()
    if steps > LIMITS.steps:
        return  # refused for its length, and long to look at
    try:
        answers_to = _metric_answered_to(treatment.schedule, optimizer.hyper["lr"], steps, steps_per_epoch)
    except ValueError as error:
        raise InvalidSpec([Problem(path, str(error))]) from None
    if answers_to is not None:
        _must_measure(answers_to, data, path, treatment)


def _try_stopping(treatment: Treatment, data: DatasetInfo, path: str) -> None:
    if treatment.early_stopping is not None:
        _must_measure(treatment.early_stopping.metric, data, path, treatment)


def _must_measure(metric: str, data: DatasetInfo, path: str, treatment: Treatment | None = None) -> None:
    averaged = treatment is not None and treatment.ema_decay is not None
    measured = epoch_metrics(data.task, data.outputs, averaged)
    if metrics[metric].averaged and not averaged:
        message = f"answers to {metric}, which a run has that averages its weights: give ema_decay, such as 0.999"
        raise InvalidSpec([Problem(path, message)])
    if metric not in measured:
        message = f"answers to {metric}, but this data set's task has {', '.join(measured)}"
        raise InvalidSpec([Problem(path, message, measured)])


@lru_cache(maxsize=1024)  # the arms of an experiment mostly share their schedule
def _metric_answered_to(schedule: Entry, lr: float, steps: int, steps_per_epoch: int) -> str | None:
    """Return the metric that a schedule answers to, if any; raises ValueError where one of some 200 rates is none."""
    bound = bind(schedule, lr, steps, steps_per_epoch)
    rates(bound, sorted({*range(0, steps, max(1, steps // 200)), steps - 1}))
    return bound.metric if isinstance(bound, Reactive) else None


def _try_rates(treatment: Treatment, data: DatasetInfo, path: str) -> None:
    if treatment.lr_per_layer is None:
        return
    module = on_meta(treatment.model, data.inputs, data.outputs)
    unfit = itertools.islice(unfit_rates(module, treatment.lr_per_layer), MOST_PROBLEMS)
    problems = [p._replace(path=join_path(path, p.path)) for p in unfit]
    if problems:
        raise InvalidSpec(problems)


def _try_initializer(treatment: Treatment, whole: Size, path: str) -> None:
    initializer: Initializer = treatment.initializer.build()
    optimizer: Optimizer = treatment.optimizer.build()
    if optimizer.as_a_whole and initializer.scaling is not Initializer.scaling:
        message = (
            f"has factors for steps of single weights, such as those of adam and sgd; {treatment.optimizer.name} makes "
            "steps of whole parameters: give another optimizer or initializer"
        )
        raise InvalidSpec([Problem(path, message)])
    problems = [
        problem._replace(path=join_path(path, problem.path))
        for problem in itertools.islice(initializer.check({**whole.layers, **whole.norms}), MOST_PROBLEMS)
    ]
    if problems:
        raise InvalidSpec(problems)
    for name, layer in whole.layers.items():
        try:
            initializer.weight(layer), initializer.bias(layer)
        except ValueError as error:
            message = f"cannot start layer {name!r}: {error}; per_layer can give a layer another initializer"
            raise InvalidSpec([Problem(path, message)]) from None
