"""The promises of every schedule."""

import math
from typing import get_args

from core.conformance._check import check, expect
from core.conformance._entries import parsed
from core.schedules import Unit, bind, rates, schedules


@check("schedule")
def is_a_pure_function(name: str) -> None:
    """Its rates are finite, not negative, and the same in whatever order they are asked for."""
    units = get_args(schedules[name].model_fields["unit"].annotation)
    for unit in get_args(Unit):
        if unit not in units:
            continue
        entry = parsed("schedule", name, unit=unit)
        curve = bind(entry, 0.1, steps=60, steps_per_epoch=7)
        found = rates(curve, range(80))
        for t, rate in enumerate(found):
            sound = type(rate) is float and math.isfinite(rate) and rate >= 0
            expect(sound, f"has the rate {rate} at update {t}")
        expect(rates(curve, range(79, -1, -1)) == found[::-1], "has other rates when asked from the end")
        expect(rates(bind(entry, 0.1, 60, 7), range(80)) == found, "has other rates when bound again")
        if unit == "epoch":
            expect(all(found[t] == found[t - t % 7] for t in range(80)), "moves within an epoch, and counts epochs")


@check("schedule")
def takes_the_smallest_runs(name: str) -> None:
    """It has rates in runs of one update and with a rate of zero."""
    for base, steps, steps_per_epoch in ((0.0, 10, 5), (1e-30, 1, 1), (10.0, 1, 3)):
        found = rates(bind(parsed("schedule", name), base, steps, steps_per_epoch), range(20))
        sound = all(math.isfinite(rate) and rate >= 0 for rate in found)
        expect(sound, f"has the rates {found[:3]} ... for base {base}, {steps} updates, {steps_per_epoch} an epoch")
