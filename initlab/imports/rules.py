"""The rules of an import and the plan that they make: values, to be shown before anything is posted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from initlab.imports.directions import Direction
from initlab.imports.runs import FoundRun

Per = Literal["step", "epoch"]


class Measure(NamedTuple):
    """A metric that is wanted, and what was said of it."""

    name: str
    direction: Direction | None = None
    per: Per | None = None

    @classmethod
    def parse(cls, text: str) -> "Measure":
        """Return `val_acc`, `val_acc:max` or `val_acc:max:epoch` as a measure; other colons belong to the name."""
        name, said = text, {}
        while ":" in name:
            rest, _, last = name.rpartition(":")
            kind = {"max": "direction", "min": "direction", "epoch": "per", "step": "per"}.get(last)
            if kind is None or kind in said:
                break
            name, said[kind] = rest, last
        return cls(name, said.get("direction"), said.get("per"))  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The words of a user about which runs are which arm and seed."""

    arm: Sequence[str] = ()
    """Fields that make an arm together; none: `arm`, else every setting but the seed that differs between runs."""
    seed: str | None = None
    """The field of the seed; None: `seed`."""
    measures: Sequence[Measure] = ()
    """The metrics wanted, the first judged; none: all."""
    path: str | None = None
    """A pattern that names parts of the runs' names: `{arm}/seed_{seed}`."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Values that fields have to have."""
    number_runs: bool = False
    """True: no seed was logged, and each arm's runs are numbered in the order of their start."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """The experiment that an earlier import made of the same source, to which comes what is new."""

    id: int
    arms: Sequence[str]
    seeds: Sequence[int]
    metrics: Mapping[str, Measure]
    """By the names that they have there."""
    outcome: str

    @classmethod
    def of(cls, experiment: Mapping[str, Any]) -> "Known":
        """Return it by the experiment's description."""
        spec = experiment["spec"]
        return cls(
            id=experiment["id"],
            arms=[arm["label"] for arm in spec["arms"]],
            seeds=spec["seeds"],
            metrics={one["name"]: Measure(one["name"], one["direction"], one["per"]) for one in spec["metrics"]},
            outcome=spec["outcome"],
        )


class Assigned(NamedTuple):
    """A run with its arm and its seed."""

    run: FoundRun
    arm: str
    seed: int


class LeftOut(NamedTuple):
    """A run that is not imported."""

    run: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An external experiment as it would be posted: what `--preview` shows."""

    arms: Mapping[str, Mapping[str, Any]]
    """The settings that all runs of an arm share, by its label."""
    seeds: Sequence[int]
    metrics: Mapping[str, Measure]
    """By the names that they get here; `name` is the source's."""
    outcome: str
    runs: Sequence[Assigned]
    left_out: Sequence[LeftOut]
    notes: Sequence[str]
    """The rules that were used where nothing was said."""
    known: Known | None = None
    """The experiment that it is brought to; None: a new one."""

    @property
    def added(self) -> dict[str, list[Any]]:
        """The arms, seeds and metrics that what is known lacks; none of a new experiment."""
        known = self.known
        if known is None:
            return {"arms": [], "seeds": [], "metrics": []}
        return {
            "arms": [label for label in self.arms if label not in known.arms],
            "seeds": [seed for seed in self.seeds if seed not in known.seeds],
            "metrics": [name for name in self.metrics if name not in known.metrics],
        }

    def shown(self) -> dict[str, Any]:
        """Return the plan as JSON has it."""
        return {
            "arms": [{"label": label, "config": dict(config)} for label, config in self.arms.items()],
            "seeds": list(self.seeds),
            "metrics": [
                {"name": name, "direction": one.direction, "per": one.per, "source": one.name}
                for name, one in self.metrics.items()
            ],
            "outcome": self.outcome,
            "runs": [
                {
                    "run": one.run.name,
                    "arm": one.arm,
                    "seed": one.seed,
                    "state": one.run.state,
                    "points": self._points(one),
                }
                for one in self.runs
            ],
            "left_out": [one._asdict() for one in self.left_out],
            "notes": list(self.notes),
            "experiment": None if self.known is None else self.known.id,
            "added": self.added,
        }

    def _points(self, one: Assigned) -> int:
        return sum(len(one.run.series[m.name].values) for m in self.metrics.values() if m.name in one.run.series)
