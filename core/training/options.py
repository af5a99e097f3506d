"""The values that say how lanes are trained, and which part of their training is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

import torch

from core.spec import Spec, Which
from core.training.checkpoint import Checkpoint

Layout = Literal["vmap", "loop"]
"""The way in which a program computes its lanes: `vmap`, all of them in every operation; `loop`, one lane after the
other by the module's plain path, each backward pass after its forward pass. The two round differently."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of a training, the same from its first update to its last."""

    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    layout: Layout = "vmap"
    judge_all: bool = False
    """Measure the training metrics of an epoch on the whole training split, not on a sample of it."""
    examples: bool = False
    """Record which examples of the judged split a run gets right when it has ended."""
    classification: bool = False
    """Record the confusions, scores and confidences of each class when a run has ended."""
    updates: int | None = None
    """Updates of every run; None: all those of its epochs."""
    noise_every: int = 0
    """Measure the gradient noise in updates 0, `noise_every`, ... of each epoch; 0: never."""
    diagnose_every: int = 0
    """Measure every layer in updates 0, `diagnose_every`, ... of the run; 0: never."""
    block_seconds: float = 0.5
    """Seconds between two blocks of measurements, for few lanes."""
    keep_seconds: float = 20.0
    """Seconds between two checkpoints."""
    weights: tuple[Which, ...] = ()
    """The weights that are kept of each run."""
    plugins: frozenset[str] | None = None
    """The plug-ins whose metrics are measured; None: all that are here."""

    @classmethod
    def of(cls, spec: Spec, device: str, layout: Layout) -> Self:
        """Return the options that a spec asks for, on a device, in the layout that was planned."""
        return cls(
            device=device,
            layout=layout,
            judge_all=spec.evaluate.train == "all",
            examples=spec.evaluate.examples,
            classification=spec.evaluate.classification,
            updates=spec.updates,
            noise_every=spec.noise_every,
            diagnose_every=spec.diagnose_every,
            keep_seconds=spec.checkpoint_every,
            weights=tuple(spec.keep or ()),
            plugins=frozenset(spec.plugins or ()),
        )


@dataclass(frozen=True, kw_only=True)
class Resume:
    """The part of a training that one call does: where it begins, and where it stops."""

    start: Checkpoint | None = None
    """None: before the first update."""
    until: int | None = None
    """Stop after so many epochs, or at `start`, if that is later; None: at the last."""
    pruned_at: Mapping[int, int] = field(default_factory=dict)
    """By run that is pruned: the epochs after which it ends."""
