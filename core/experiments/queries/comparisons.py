"""Joins arms of several experiments, as they were trained, into results that are judged like those of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from core.analysis import pruned_arms
from core.datasets import DatasetPaths
from core.design import SOURCES, Design, Source
from core.errors import InvalidSpec, NotFound, Problem
from core.experiments.cohorts.designs import AnySpec, spec_of
from core.experiments.cohorts.software import trained_by
from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries import read
from core.experiments.queries.pairing import Pairing, Side, pair
from core.external import KIND, PAIRED, ExternalSpec
from core.metrics import Metric
from core.registry import unknown
from core.results import Results, Series
from core.spec import Alpha, Margin, Spec, described
from core.store import Experiment

MOST_ARMS = 24


class ArmOf(BaseModel):
    """An arm of an experiment."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    experiment: Annotated[int, Field(ge=1, lt=2**63)]
    arm: Annotated[str, Field(min_length=1, max_length=200)]

    @property
    def label(self) -> str:
        """The label that it has in the comparison."""
        return f"{self.experiment}/{self.arm}"


class ComparisonSpec(BaseModel):
    """Arms of experiments that are to be compared."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    arms: Annotated[list[ArmOf], Field(min_length=2, max_length=MOST_ARMS)]
    metric: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="the outcome judged: any that all of them have; default that of the first experiment"
    )
    margin: Margin | None = Field(
        None, description="the largest difference that does not matter, in the outcome's unit; null: none is named"
    )
    alpha: Alpha = Field(0.05, description="the chance of any false win that is allowed")


class Joined(NamedTuple):
    """Arms of several experiments as one design's results, and how their runs are paired."""

    results: Results
    pairing: Pairing


class _Part(NamedTuple):
    """One arm as it was asked for, and what its experiment has of it."""

    of: ArmOf
    experiment: Experiment
    spec: AnySpec
    results: Results


def joined(session: Session, asked: ComparisonSpec, paths: DatasetPaths) -> Joined:
    """Return the results of the arms that were asked for; series are read while the session is open.

    Raises `NotFound` for an experiment that is not there, or in a project that is hidden, and `InvalidSpec` for an arm
    that it does not have, one that is named twice or was pruned, and for arms that cannot be compared (see `pair`).
    """
    problems = [
        Problem(f"arms[{i}]", f"is arms[{asked.arms.index(one)}] again")
        for i, one in enumerate(asked.arms)
        if one in asked.arms[:i]
    ]
    if problems:
        raise InvalidSpec(problems)
    parts = [_part(session, one, f"arms[{i}]", paths) for i, one in enumerate(asked.arms)]
    pairing = pair([_side(part) for part in parts])
    if isinstance(pairing, list):
        raise InvalidSpec(pairing)
    seeds = set(pairing.seeds)
    design = _design(parts, pairing, asked, [*_unfinished(parts), *_adaptive(parts), *_software(session, parts)])
    runs = [
        replace(run, arm=part.of.label)
        for part in parts
        for run in part.results.runs
        if run.arm == part.of.arm and run.seed in seeds
    ]

    def series(metric: str) -> Iterator[Series]:
        for part in parts:
            for one in part.results.series(metric):
                if one.seed in seeds:
                    yield one._replace(arm=part.of.label)

    def correct() -> Mapping[int, NDArray[np.bool_]]:
        return {run: right for part in parts for run, right in part.results.correct().items()}

    # Independent runs are judged as such: the examples that they share would not be.
    shared = correct if pairing.paired else dict
    return Joined(Results(design=design, runs=runs, series=series, correct=shared), pairing)


def _part(session: Session, of: ArmOf, path: str, paths: DatasetPaths) -> _Part:
    one = read.experiment(session, of.experiment)
    if one.project in paths.hidden:
        raise NotFound(f"there is no experiment {of.experiment}")
    spec = spec_of(one)
    labels = spec.labels if isinstance(spec, ExternalSpec) else [arm.label for arm in spec.expanded]
    if of.arm not in labels:
        raise InvalidSpec([unknown(f"arm of experiment {one.id}", of.arm, labels, f"{path}.arm")])
    if spec.kind in ("lr_range_test", "coordinate_check"):
        raise InvalidSpec([Problem(path, f"is of a {spec.kind}, whose runs are not trained to be compared")])
    results = read.results(session, one, paths, arm=of.arm)
    epoch = pruned_arms(results.rungs).get(of.arm)
    if epoch is not None:
        raise InvalidSpec([Problem(path, f"was pruned after epoch {epoch}: it has no final value to compare")])
    return _Part(of, one, spec, results)


def _side(part: _Part) -> Side:
    label, spec = part.of.label, part.spec
    if isinstance(spec, ExternalSpec):
        data = {"name": KIND, "data": spec.data or "not said"}
        return Side(label=label, dataset=data, split="fixed", seeds=spec.seed_list, declared=True)
    arm = next(arm for arm in spec.expanded if arm.label == part.of.arm)
    dataset = arm.treatment.dataset.model_dump()
    return Side(
        label=label, dataset=dataset, split=getattr(spec, "split", "fixed"), seeds=spec.seed_list, held=_held(spec)
    )


def _held(spec: Spec) -> dict[Source, int]:
    """Return the seeds of what is the same in all runs of an experiment, but for the split."""
    if spec.vary is None:
        return {}
    return {source: spec.seed_list[0] for source in SOURCES if source not in spec.vary and source != "split"}


def _settings(part: _Part) -> dict[str, str | None]:
    """Return the settings of one arm in words, by title, whatever the others of its experiment have."""
    if isinstance(part.spec, ExternalSpec):
        return dict(part.results.design.described)
    return dict(described(part.spec, part.of.arm))


def _design(parts: Sequence[_Part], pairing: Pairing, asked: ComparisonSpec, warnings: Sequence[Problem]) -> Design:
    designs = [part.results.design for part in parts]
    targets = {design.target for design in designs}
    shared = reduce(
        lambda one, other: {title: words for title, words in one.items() if other.get(title) == words},
        map(_settings, parts),
    )
    return Design(
        name=", ".join(part.of.label for part in parts),
        arms=[replace(part.results.design.arm(part.of.arm), label=part.of.label, asked=None) for part in parts],
        seeds=list(pairing.seeds),
        metrics=_metrics(designs),
        split=designs[0].split,  # as all of them: see `pair`
        splits_vary=designs[0].splits_vary,
        margin=asked.margin,
        alpha=asked.alpha,
        target=targets.pop() if len(targets) == 1 else None,
        diagnostics=False,
        warnings=warnings,
        described=[("pairing", pairing.reason), *shared.items()],
        paired=_in_common(parts, pairing),
        independent=not pairing.paired,
    )


def _in_common(parts: Sequence[_Part], pairing: Pairing) -> str:
    if not pairing.paired:
        return "have nothing in common"
    if isinstance(parts[0].spec, ExternalSpec):
        return PAIRED
    return "were trained in the same order of examples, with the same draws, by their own experiments"


def _metrics(designs: Sequence[Design]) -> Mapping[str, Metric]:
    """Return the metrics that all designs have, in the order of the first."""
    found = {
        name: metric
        for name, metric in designs[0].metrics.items()
        if all(design.metrics.get(name) == metric for design in designs)
    }
    if not any(metric.compared for metric in found.values()):
        raise InvalidSpec([Problem("arms", "have no outcome in common: they learn different tasks")])
    return found


def _unfinished(parts: Sequence[_Part]) -> list[Problem]:
    """Name the experiments that have not ended: what is compared may change."""
    ids = list(dict.fromkeys(part.experiment.id for part in parts if part.experiment.status not in TERMINAL))
    if not ids:
        return []
    listed = ", ".join(map(str, ids))
    return [Problem("arms", f"experiment {listed} has not ended: more runs may change what is said here")]


def _adaptive(parts: Sequence[_Part]) -> list[Problem]:
    """Name the experiments whose seeds were added until they were decided: their number depends on what came out."""
    ids = list(dict.fromkeys(part.experiment.id for part in parts if part.results.design.looks))
    if not ids:
        return []
    text = (
        f"experiment {', '.join(map(str, ids))} added seeds until its own arms were decided, which a comparison with "
        "others does not allow for: it errs somewhat more often than alpha"
    )
    return [Problem("arms", text)]


def _software(session: Session, parts: Sequence[_Part]) -> list[Problem]:
    """Say what changed of the software between the trainings, or that nobody knows."""
    if isinstance(parts[0].spec, ExternalSpec):  # and so all of them: by what they are trained is not known here
        return []
    used = {part.experiment.id: trained_by(session, part.experiment.id) for part in parts}
    if len(used) == 1:
        return []
    silent = [str(one) for one, found in used.items() if not found]
    found = (
        []
        if not silent
        else [Problem("arms", f"by which code experiment {', '.join(silent)} was trained is not recorded")]
    )
    names = {"initlab": "initlab", "torch": "PyTorch", "code": "training code", "plugins": "plug-ins"}
    for name, words in names.items():
        by = {
            one: ", ".join(dict.fromkeys(each.get(name, "none") for each in software))
            for one, software in used.items()
            if software
        }
        if len(set(by.values())) > 1:
            listed = ", ".join(f"{one}: {value}" for one, value in by.items())
            found.append(
                Problem("arms", f"the {words} changed between the experiments ({listed}): a difference may be its")
            )
    return found
