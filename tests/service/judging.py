"""What an experiment's history and numbers say of how it was treated."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from tests.service.running import Asking


@dataclass
class Outcome:
    """What harm came to. `wrong` says of what is not as it should be; `recoveries` are seconds from a cohort's loss,
    when it was noticed, to its next claim."""

    accepted: int = 0
    attempts: int = 0
    retried: int = 0
    halved: int = 0
    points: int = 0
    lost: int = 0
    """Points that are not there."""
    doubled: int = 0
    """Points that are there twice, or that nobody measured."""
    differing: int = 0
    """Points with another value."""
    wrong: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    def judge(self, service: Asking, experiment: int, whole: dict[str, Any], seconds: float) -> None:
        """Wait for an experiment's end, and compare it with `whole`, the results of one that nobody harmed."""
        found = service.ended(experiment, seconds)
        while found["status"] == "failed":  # killed three times before its first checkpoint: that is as promised
            self.retried += 1
            if not all("attempts without progress" in error for error in found["errors"]):
                self.wrong.append(f"experiment {experiment}: {found['errors']}")
            service.http.post(f"/experiments/{experiment}/retry")
            found = service.ended(experiment, seconds)
        history = service.history(experiment)
        self.attempts += sum(event["kind"] == "claimed" for event in history)
        halved = any(event["kind"] == "halved" for event in history)
        self.halved += halved
        self.recoveries += recoveries(history)
        if held_twice(history):
            self.wrong.append(f"experiment {experiment}: a cohort was claimed while it was held: {history}")
        if sum(event["kind"] == "accepted" for event in history) != 1 or found["status"] != "succeeded":
            self.wrong.append(f"experiment {experiment} is {found['status']}")
        got = service.results(experiment)
        self.points += sum(len(one["values"]) for one in got["series"])
        lost, doubled, differing = compared(got, whole)
        self.lost += lost
        self.doubled += doubled
        self.differing += 0 if halved else differing
        # Halves train in other company than the whole, which may round sums another way.
        same = close(got, whole) if halved else got == whole
        if not same:
            self.wrong.append(f"experiment {experiment} has other numbers than one that nobody harmed: {history}")

    def judge_all(self, service: Asking, accepted: Collection[int], before: int) -> None:
        """Compare what is stored with what was accepted; `before` experiments had been made until then."""
        self.accepted = len(accepted)
        if len(set(accepted)) < len(accepted):
            self.wrong.append("two keys have one experiment")
        extra = set(all_experiments(service)) - set(accepted) - set(range(1, before + 1))
        if extra:
            self.wrong.append(f"{len(extra)} experiments that no key has")


def all_experiments(service: Asking) -> list[int]:
    """The ids of all experiments."""
    found, cursor = list[int](), None
    while True:
        page = service.get("/experiments", limit=200, **({} if cursor is None else {"cursor": cursor}))
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


def recoveries(history: list[Any]) -> list[float]:
    """Seconds from each loss of a cohort that was noticed to the claim that went on."""
    found, lost = [], {}
    for event in history:
        at = datetime.fromisoformat(event["at"]).timestamp()
        if event["kind"] == "lost":
            lost[event["cohort"]] = at
        elif event["kind"] == "claimed" and event["cohort"] in lost:
            found.append(at - lost.pop(event["cohort"]))
    return found


def held_twice(history: list[Any]) -> bool:
    """Whether a cohort was claimed again before its attempt had ended: each has its reason, or it ran twice."""
    held = set()
    for event in history:
        if event["kind"] == "claimed":
            if event["cohort"] in held:
                return True
            held.add(event["cohort"])
        elif event["kind"] in ("lost", "released", "ended"):
            held.discard(event["cohort"])
    return False


def compared(got: dict[str, Any], whole: dict[str, Any]) -> tuple[int, int, int]:
    """The numbers of points that are missing, that are too many, and that have another value."""
    ours, theirs = (
        {(one["arm"], one["seed"], one["metric"]): one for one in results["series"]} for results in (got, whole)
    )
    lost = doubled = differing = 0
    for name in ours.keys() | theirs.keys():
        steps, expected = (one[name]["steps"] if name in one else [] for one in (ours, theirs))
        lost += len(set(expected) - set(steps))
        doubled += len(steps) - len(set(steps)) + len(set(steps) - set(expected))
        if steps == expected:
            pairs = zip(ours[name]["values"], theirs[name]["values"], strict=True)
            differing += sum(one != other for one, other in pairs)
    return lost, doubled, differing


def close(got: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Whether the same points are there, with values that differ by no more than the order of sums can make them."""
    for one, other in zip(got["series"], whole["series"], strict=True):
        if [one[key] for key in ("arm", "seed", "metric", "steps")] != [
            other[key] for key in ("arm", "seed", "metric", "steps")
        ]:
            return False
        values, expected = (np.array(series["values"], dtype=float) for series in (one, other))
        if not np.allclose(values, expected, rtol=0.05, atol=0.05, equal_nan=True):
            return False
    return len(got["series"]) == len(whole["series"])
