"""What the benchmarks train: runs of one program."""

from core.spec import Spec
from core.training import Lane


def lanes_of(spec: Spec) -> list[Lane]:
    """Every run of an experiment whose arms share a program, the runs of a seed side by side."""
    pairs = [(arm, seed) for seed in spec.seed_list for arm in spec.expanded]
    return [Lane(run, arm.treatment, seed) for run, (arm, seed) in enumerate(pairs)]
