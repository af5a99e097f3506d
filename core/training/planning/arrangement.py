"""The arrangement of a program's runs: their layout, and which may train together, where that decides their last bits.

It follows from the spec and the kind of device alone, never from a machine's measurements, its cores or its memory, so
that the same spec gives the same bits wherever it is trained (docs/decisions/0024).
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import nn

from core.registry import Entry
from core.spec import HALVES, ArmInfo, Spec, Treatment
from core.training.options import Layout
from core.training.planning.profile import Costs, Device, Profile, Way, Work, amounts, estimate

LANES = 1024
"""The most runs of one cohort."""
LOOPED = 128
"""The most of a cohort that trains them one after the other: more gain nothing, and a GPU's graph has them all."""
FEW = 8
"""The runs for which layouts are compared: few enough for a small experiment, whose numbers a larger one shares."""
WORTH = 0.95
"""Share of a loop's time below which `vmap` is chosen where its runs depend on their company."""
AS_QUICK = 1.2
"""Share below which it is chosen where they do not: the costs say 1.12 of what was measured as 0.78 to 0.98."""
OVERHEAD = 0.15
"""Share of its lanes' time that an update's calls may take, before a cohort is made wider."""
WIDEST: dict[Device, int] = {"cpu": 64, "cuda": 256}
"""The most runs of a cohort whose bits depend on its runs; other processes have nothing to do while it trains."""
WHOLE = 16
"""Units of a layer are a multiple of this where products and elementwise kernels treat all lanes alike."""
FEWEST_INPUTS = 3
"""Numbers of an example below which a product over them is of another kind where a lane is alone."""
_EXACT = (nn.Flatten, nn.Linear, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.Identity, nn.Dropout)
"""Layers that `vmap` computes alike in any company, where their units are `WHOLE`; other activations round by place."""
_ROUNDING = ("label_smoothing", "class_weights", "focal_loss", "mixup", "cutmix", "micro_batch_size")
"""Settings with whose losses, or smaller products, too little was measured to say so."""


class Arrangement(NamedTuple):
    """A program's layout, and the runs that may train together."""

    layout: Layout
    independent: bool
    """True: a run has the same bits in any company, and a plan may cut anywhere."""
    lanes: int
    """The most runs of a cohort. Where they are not independent, cohorts have as few parts as this allows."""


def arrange(spec: Spec, treatment: Treatment, info: ArmInfo, device: Device) -> Arrangement:
    """Return how the runs of a program are trained on a kind of device; `info` is that of any of its arms."""
    batch = min(treatment.batch_size, info.data.train / info.steps_per_epoch)
    passes = 1 if treatment.micro_batch_size is None else math.ceil(batch / treatment.micro_batch_size)
    work = Work(info.size, batch, treatment.precision, passes)
    costs = _costs(device)
    independent = device == "cpu" and spec.threads == 1 and _is_exact(treatment, info)
    layout: Layout = "loop"
    if spec.layout != "auto":
        layout = spec.layout
    elif device == "cuda" or spec.threads == 1:
        layout = _quicker(costs, work, AS_QUICK if independent else WORTH)
    if layout == "loop":
        return Arrangement(layout, independent=True, lanes=min(LOOPED, spec.lanes or LOOPED))
    if independent:
        return Arrangement(layout, independent=True, lanes=spec.lanes or LANES)
    width = _width(costs.costs_of(work.precision, "vmap"), work)
    return Arrangement(layout, independent=False, lanes=spec.lanes or max(FEW, min(width, WIDEST[device])))


@lru_cache
def _costs(device: Device) -> Way:
    """Return the costs that layouts are compared by: the same for every machine with such a device."""
    return Profile.guess(device=device).ways[0]


def _quicker(way: Way, work: Work, worth: float) -> Layout:
    loop, vmap = estimate(way, work, FEW, "loop"), estimate(way, work, FEW, "vmap")
    return "vmap" if vmap < worth * loop else "loop"


def _width(costs: Costs, work: Work) -> int:
    """Return the runs at which the calls of an update take `OVERHEAD` of what its lanes take."""
    none, one = (sum(a * b for a, b in zip(costs.column, amounts(work, n, "vmap"), strict=True)) for n in (0, 1))
    return math.ceil(none / (OVERHEAD * (one - none)))


def _is_exact(treatment: Treatment, info: ArmInfo) -> bool:
    """Return whether a CPU computes each run alike in any company by `vmap`, as far as that is known."""
    smallest = min(treatment.batch_size, info.data.train - (info.steps_per_epoch - 1) * treatment.batch_size)
    return (
        smallest > 1  # of one example: a product of another kind too
        and math.prod(info.data.inputs) >= FEWEST_INPUTS
        and info.data.outputs > 1  # a product of one column is of another kind where a lane is alone, on some CPUs
        and info.data.task != "binary"
        and treatment.precision not in HALVES
        and not any(getattr(treatment, field) for field in _ROUNDING)
        and _has_exact_layers(treatment.model, info.data.inputs, info.data.outputs)
    )


@lru_cache(maxsize=256)  # the arms of an experiment mostly share their model
def _has_exact_layers(model: Entry, inputs: tuple[int, ...], outputs: int) -> bool:
    with torch.device("meta"):
        module: nn.Module = model.build()(inputs, outputs)
    parts = list(module.children())
    rows = len(inputs) == 1 or (bool(parts) and isinstance(parts[0], nn.Flatten))
    if not rows or not isinstance(module, nn.Sequential) or any(type(part) not in _EXACT for part in parts):
        return False
    hidden = [part.out_features for part in parts if isinstance(part, nn.Linear)][:-1]
    return bool(hidden) and all(units % WHOLE == 0 for units in hidden)  # none: the outputs meet the data, and are few
