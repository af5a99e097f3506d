"""What the benchmarks train: runs of one program."""

from typing import Any

from core.datasets import DatasetPaths
from core.results import Outcome
from core.spec import Spec, check
from core.training import Lane, Profile, make_plan
from core.training.options import Layout


def lanes_of(spec: Spec) -> list[Lane]:
    """Every run of an experiment whose arms share a program, the runs of a seed side by side."""
    pairs = [(arm, seed) for seed in spec.seed_list for arm in spec.expanded]
    return [Lane(run, arm.treatment, seed) for run, (arm, seed) in enumerate(pairs)]


def layout_of(spec: Spec) -> Layout:
    """The layout that the experiment is planned in, by a machine's guessed profile."""
    return make_plan(spec, check(spec, DatasetPaths()), Profile.guess()).cohorts[0].layout


class Discard:
    """A recorder that keeps nothing."""

    def record(self, run: int, metric: str, first: int, values: Any) -> None: ...
    def judge(self, run: int, correct: Any) -> None: ...
    def classify(self, run: int, summary: Any) -> None: ...

    def finish(self, run: int, outcome: Outcome) -> None: ...
    def advance(self, step: int) -> None: ...
