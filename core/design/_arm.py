"""One arm of a design, and the optional part that only a training of ours can tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from core.datasets import DatasetInfo
from core.initializers import Initializer, Layer

Layers = Callable[[], Mapping[str, Layer]]
"""The layers of a model in their order, by name. Raises `DataError` where the data set that shapes them is gone."""
Weights = Callable[[int], Mapping[str, torch.Tensor]]
"""seed -> the initial weights by layer. Raises `DataError` as `Layers` does."""


@dataclass(frozen=True, kw_only=True)
class ArmTraining:
    """The training of an arm by initlab, as far as findings, warnings and pictures of weights need it."""

    epochs: int
    batch_size: int
    lr: float
    """The learning rate that the optimizer itself asks for."""
    usual_lr: float
    """The optimizer's default learning rate."""
    initializer: Initializer
    start: str
    """Arms with the same text start from the same weights."""
    info: Callable[[], DatasetInfo]
    """The sizes of the arm's data set; raises `DataError` where its files are gone."""
    layers: Layers
    weights: Weights
    notes: Callable[[], Sequence[tuple[str, str]]] = lambda: ()
    """The notes, (path, message), on how the arm's data set was read; raises as `info` does."""


@dataclass(frozen=True, kw_only=True)
class DesignArm:
    """One treatment, whatever it is: its label, and its settings in words where it has any."""

    label: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings that it makes, by dotted path: `{"initializer": "he_normal", "batch_size": "32"}`."""
    steps_per_epoch: int | None = None
    """Updates in an epoch; None: not known, and an epoch counts as one."""
    asked: str | None = None
    """The label of the arm in the request, where the experiment's kind made several of it."""
    asked_lr: float | None = None
    """The learning rate of that arm."""
    width: int | None = None
    """The width of its model, where a coordinate check has set it."""
    training: ArmTraining | None = None
    """The training of the arm; None: initlab does not train it."""

    @property
    def group(self) -> str:
        """The label under which the request has it."""
        return self.asked or self.label
