"""The time that checking one spec takes, estimated before anything is done, and refused above a number of seconds.

The constants are seconds of one core of an Intel Xeon of 2.6 GHz with torch 2.13 for the CPU, measured on 2026-11-29.
"""

from collections.abc import Callable, Mapping

from torch import nn

from core.datasets import DataError, DatasetInfo, DatasetPaths
from core.errors import InvalidSpec, Problem
from core.models import on_meta, structure
from core.optimizers import Optimizer
from core.registry import Entry
from core.schedules import SECONDS_OF_RATE, work_of
from core.spec._arms import Arm
from core.spec._limits import LIMITS
from core.spec._shortcuts import is_short
from core.spec._treatment import Treatment

LAYER, DENSE, OTHER = 5e-4, 7e-4, 1.5e-3
"""To build a layer as wide as it is and twice as wide, pass an example's shape through it, and plan with it: one whose
pass is short (`is_short`), a dense one, any other."""
SETTLED = 1e-5
"""To look up the laws that a layer of one arm starts by."""
NAMED = 5e-7
"""To hold a layer against a name, or a pattern of names, that a setting has by layers."""
LOOKS = 3_500
"""Rates that the checks and warnings look at, at most."""


class Budget:
    """The time of a spec's arms so far. What arms share is looked at once, and counted once."""

    def __init__(self, seconds: float) -> None:
        self._most = seconds
        self._spent = 0.0
        self._schedules: set[tuple[Entry, float, int, int]] = set()
        self._models: set[tuple[Entry, tuple[int, ...], int]] = set()
        self._layers: dict[object, tuple[int, float]] = {}

    def foresee(self, arm: Arm, paths: DatasetPaths, updates: int | None, where: Callable[[str], str]) -> None:
        """Count an arm; raises `InvalidSpec` where it takes too long, with those before.

        One model is built of all those that differ in their width alone. What does not fit together is left to the
        checks, which say what is wrong.
        """
        treatment: Treatment = arm.treatment
        try:
            data: DatasetInfo = treatment.dataset.build().info(paths)
        except DataError:
            return
        layers, seconds = self._layers_of(treatment.model, data)
        key = (treatment.model, data.inputs, data.outputs)
        if key not in self._models:
            self._models.add(key)
            self._spend(seconds, where("model"), "compare fewer arms, or less deep ones")
        for field in ("initializer", "lr_per_layer"):
            names = _names(getattr(treatment, field))
            self._spend((SETTLED + NAMED * names) * layers, where(field), "compare fewer arms, or give it fewer names")
        self._foresee_schedule(treatment, data, updates, where("schedule"))

    def _foresee_schedule(self, treatment: Treatment, data: DatasetInfo, updates: int | None, path: str) -> None:
        optimizer: Optimizer = treatment.optimizer.build()
        steps_per_epoch = treatment.updates_per_epoch(data.train)
        steps = updates or steps_per_epoch * treatment.epochs
        key = (treatment.schedule, optimizer.hyper["lr"], steps, steps_per_epoch)
        if key not in self._schedules and 0 < steps <= LIMITS.steps:
            self._schedules.add(key)
            seconds = SECONDS_OF_RATE * work_of(treatment.schedule, steps, LOOKS)
            self._spend(seconds, path, "give it fewer parts, or compare fewer arms")

    def _layers_of(self, model: Entry, data: DatasetInfo) -> tuple[int, float]:
        """Return the number of a model's layers, and the seconds that it takes."""
        key = (structure(model), data.inputs, data.outputs)
        if key not in self._layers:
            try:
                parts = on_meta(model, data.inputs, data.outputs).modules()
            except (RuntimeError, ValueError, OverflowError):
                return 0, 0.0
            layers = [part for part in parts if next(part.children(), None) is None]
            self._layers[key] = len(layers), sum(map(_seconds, layers))
        return self._layers[key]

    def _spend(self, seconds: float, path: str, advice: str) -> None:
        self._spent += seconds
        if self._spent > self._most:
            message = (
                f"takes {self._spent:,.0f} s to check, with the arms before; {self._most:g} s is the most here "
                f"(INITLAB_CHECK_SECONDS): {advice}"
            )
            raise InvalidSpec([Problem(path, message)])


def _seconds(layer: nn.Module) -> float:
    return (
        LAYER if is_short(layer) or isinstance(layer, nn.Identity) else DENSE if isinstance(layer, nn.Linear) else OTHER
    )


def _names(setting: Entry | Mapping[str, object] | None) -> int:
    """Return how many layers, or patterns of their names, a setting tells apart."""
    values = [setting] if isinstance(setting, Mapping) else [] if setting is None else setting.parameters().values()
    return sum(len(value) for value in values if isinstance(value, Mapping))
