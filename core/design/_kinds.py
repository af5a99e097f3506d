"""Kinds of experiment that answer another question than which arm is best."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LrRangeTest:
    """A learning-rate range test (Smith 2017, arXiv:1506.01186): the rate rises from `low` to `high` in `steps`."""

    low: float
    high: float
    steps: int
    smoothing: float
    """The part of its weight that a loss keeps with every update of distance, in the mean that smooths the curve."""


@dataclass(frozen=True, kw_only=True)
class CoordinateCheck:
    """A coordinate check: every arm that was asked for, with every width of its model, for a few updates."""

    widths: tuple[int, ...]
    updates: int
    """The updates after which sizes were measured, each and before the first."""


@dataclass(frozen=True, kw_only=True)
class BatchSizeScan:
    """A batch-size scan: every arm that was asked for, with every batch size."""

    rule: str
    """The rule by which the learning rate follows the batch size: linear, sqrt or none."""
    base: int
    """The batch size that the arms' learning rates are for."""
