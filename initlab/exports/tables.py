"""The runs of an experiment with their series, as tools that know runs alone take them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from initlab.experiment import Experiment

SAFE = re.compile(r"[^\w .,=+()%-]+")
LONGEST = 100


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: who it is, how it ended, when (seconds since 1970), what it was trained with, and its series."""

    id: int
    arm: str
    seed: int
    varied: str | None
    """The difference of a second training from the first of its arm and seed; None: it is the first."""
    outcome: str
    started: float
    ended: float
    settings: Mapping[str, Any]
    series: Sequence[Mapping[str, Any]]

    @property
    def name(self) -> str:
        return f"{self.arm}, {self.short_name}"

    @property
    def short_name(self) -> str:
        """The name beside others of its arm."""
        return f"seed {self.seed}{f' again, {self.varied}' if self.varied else ''}"

    def steps(self) -> dict[str, list[int]]:
        """Return the update at which each point of each series was measured; epochs by the end of their updates."""
        made = max((one["steps"][-1] + 1 for one in self.series if one["unit"] == "step" and one["steps"]), default=0)
        epochs = max(
            (one["steps"][-1] + 1 for one in self.series if one["unit"] == "epoch" and one["steps"]), default=0
        )
        each = max(1, round(made / epochs)) if epochs else 1
        return {
            one["metric"]: one["steps"] if one["unit"] == "step" else [(at + 1) * each - 1 for at in one["steps"]]
            for one in self.series
        }

    def time(self, step: int, steps: int) -> float:
        """Return about when an update was made, of so many: as if all took the same time."""
        return self.started + (self.ended - self.started) * (step + 1) / max(1, steps)


def runs_of(experiment: Experiment) -> Iterator[Run]:
    """Yield the runs that have begun, first trainings before second ones; one arm's series are in memory at a time."""
    every = [run for run in experiment.runs() if run["started_at"]]
    settings = settings_of(experiment)
    for repeat in (False, True):
        mine = [run for run in every if run["repeat"] is repeat]
        for arm in dict.fromkeys(run["arm"] for run in mine):
            found: dict[int, list[Mapping[str, Any]]] = {}
            for one in experiment.metrics(arm=arm, diagnostics=True, repeat=repeat):
                found.setdefault(one["run_id"], []).append(one)
            for run in (one for one in mine if one["arm"] == arm):
                yield Run(
                    id=run["id"],
                    arm=arm,
                    seed=run["seed"],
                    varied=run.get("varied"),
                    outcome=run["outcome"] or run["status"],
                    started=_seconds(run["started_at"]),
                    ended=_seconds(run["finished_at"] or run["started_at"]),
                    settings=settings.get(arm, {}),
                    series=found.get(run["id"], []),
                )


def settings_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Return by arm its settings that differ from the base, and the base's, by dotted names."""
    spec = experiment.data["spec"]
    base = {name: value for name, value in spec.items() if name not in ("arms", "grid", "name", "tags", "seeds")}
    own = {arm["label"]: {key: value for key, value in arm.items() if key != "label"} for arm in spec.get("arms") or ()}
    labels = [arm["label"] for arm in experiment.arms]
    return {label: flat({**base, **own.get(label, {})}) for label in labels}


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names: `optimizer.lr`. Lists are left as they are; what is None is left out."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        elif value is not None:
            found[f"{before}{name}"] = value
    return found


def number(value: float | None) -> float:
    """Return a value of the API, in which null stands for what is not finite."""
    return math.nan if value is None else value


def file_names(labels: Sequence[str]) -> dict[str, str]:
    """Return a folder's name for each label, without what file systems refuse, and no two alike."""
    found: dict[str, str] = {}
    for label in labels:
        name = SAFE.sub("_", label).strip(" .")[:LONGEST] or "arm"
        taken = {one.lower() for one in found.values()}
        tries = (name if i == 1 else f"{name} ({i})" for i in range(1, len(labels) + 2))
        found[label] = next(one for one in tries if one.lower() not in taken)
    return found


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
