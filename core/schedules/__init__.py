"""Learning-rate schedules: pure functions of t, the 0-based index of the update (or epoch) they are in force during."""

from typing import Literal

from core.registry import Positive, Registry
from core.schedules._bounds import without_default_bounds
from core.schedules._curves import Curve, Reactive, Schedule, Span, State, bind, rates, reported_rates
from core.schedules._lint import lint_schedule, sampled_updates
from core.schedules._meanings import MEANINGS
from core.schedules._peers import AMBIGUOUS
from core.schedules._ratios import dotted, read_ratios
from core.schedules._work import SECONDS_OF_RATE, work_of

Unit = Literal["step", "epoch"]
Per = Literal["unit", "update"]
"""The time after which the rate moves on: the schedule's unit, or an update, also of a schedule that counts epochs."""

schedules = Registry(
    "schedule",
    __name__,
    common={"unit": (Unit, "step"), "per": (Per, "unit"), "lr": (Positive | None, None)},
    rewrite=read_ratios,
    ambiguous=AMBIGUOUS,
    meanings=MEANINGS,
)
ScheduleEntry = schedules.field()

__all__ = [
    "SECONDS_OF_RATE",
    "Curve",
    "Reactive",
    "Schedule",
    "ScheduleEntry",
    "Span",
    "State",
    "Unit",
    "bind",
    "dotted",
    "lint_schedule",
    "rates",
    "reported_rates",
    "sampled_updates",
    "schedules",
    "without_default_bounds",
    "work_of",
]
