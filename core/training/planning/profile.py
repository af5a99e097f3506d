"""Profiles of machines: the costs that plans are made from, measured by `machine` or guessed."""

from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from core.hardware import FORMAT
from core.spec import HALVES, Precision, Size
from core.training.options import Layout

Device = Literal["cpu", "cuda"]

MEMORY: dict[Device, int] = {"cpu": 2**32, "cuda": 2**34}
"""Bytes that are taken to be free where nobody can be asked; a GPU for servers has this at least. Where there is less,
cohorts go on in halves."""

PRODUCTS: dict[Precision, float] = {"fp32": 1e-13, "tf32": 2e-14, "bf16": 1e-14, "fp16": 1e-14}
"""Guessed seconds of one operation of a forward pass and its backward pass, on a GPU for servers."""


class Work(NamedTuple):
    """One update of one lane."""

    size: Size
    batch: float
    """Examples in the batch."""
    precision: Precision = "fp32"
    passes: int = 1
    """Parts in which the batch is passed through the network."""


class _Numbers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Costs(_Numbers):
    """Seconds of each part of an update in one layout, the backward pass and the optimizer included."""

    update: float
    """Seconds of the update itself, for any number of lanes."""
    lane: float
    """Seconds of each lane, whatever its network."""
    call: float
    """Seconds of one layer's call, for any number of examples: of one lane by `loop`, of all lanes by `vmap`."""
    dense: float
    """Seconds of one multiplication or addition of a matrix product in the forward pass."""
    conv: float
    """Seconds of one multiplication or addition of a convolution."""
    patch: float
    """Seconds of one number of the patches that a convolution meets: `vmap` writes them, `loop` reads them."""
    activation: float
    """Seconds of one number that a layer outputs."""
    parameter: float
    """Seconds of one trained number."""

    @property
    def column(self) -> tuple[float, ...]:
        """The costs in the order of their fields, that of `amounts`."""
        return tuple(getattr(self, name) for name in Costs.model_fields)


class CostsByLayout(_Numbers):
    """Costs of an update in each layout."""

    loop: Costs
    vmap: Costs

    def of(self, layout: Layout) -> Costs:
        return self.loop if layout == "loop" else self.vmap


class Way(_Numbers):
    """One way to use a machine: so many training processes at the same time, of so many threads each."""

    device: Device
    processes: int
    threads: int
    start: float
    """Seconds of a cohort before its first update, without drawing its initial values."""
    draw: float
    """Seconds of each initial value of a cohort."""
    costs: dict[Precision, CostsByLayout]
    """Costs in float32, and in whatever other precision was measured."""

    def costs_of(self, precision: Precision, layout: Layout) -> Costs:
        """Return the costs in a precision, those of float32 where it was not measured."""
        return self.costs.get(precision, self.costs["fp32"]).of(layout)


class Profile(_Numbers):
    """A machine as a worker knows it."""

    format: int = FORMAT
    measured: bool
    machine: str
    """Processor or GPU, cores, and the version of torch: what the numbers depend on."""
    machines: int = 1
    """Number of such machines."""
    processes: int
    """Number of training processes that a worker of this machine runs."""
    memory: dict[Device, int]
    """Free bytes of the machine, and of one GPU: where there are several, of the fullest."""
    ways: list[Way]
    """Ways to use the machine; of two as fast the first is preferred."""

    @classmethod
    def guess(cls, cores: int = 1, memory: int | None = None, device: Device = "cpu", gpus: int = 1) -> Self:
        """Return the profile to plan with before any measurement: one machine's numbers (2 cores, x86, 2026).

        `memory` is what is free, for "cuda" on one GPU; None: `MEMORY`.
        """
        processes = gpus if device == "cuda" else cores
        shares = {gpus: 1} if device == "cuda" else {cores: 1, 1: cores}
        return cls(
            measured=False,
            machine="unknown",
            processes=processes,
            memory={device: MEMORY[device] if memory is None else memory},
            ways=[_guessed(device, count, threads) for count, threads in shares.items()],
        )

    def memory_of(self, way: Way) -> float:
        """Return the free bytes of each training process: it has a GPU to itself, and a part of a machine's memory."""
        free = self.memory.get(way.device, MEMORY[way.device])
        return free if way.device == "cuda" else free / way.processes

    def on(self, device: Literal["auto", "cpu", "cuda"]) -> list[Way]:
        """Return the ways to use a device (`auto`: a GPU if there is one); guessed where the machine has none."""
        wanted: Device = "cpu" if device == "cpu" or (device == "auto" and "cuda" not in self.memory) else "cuda"
        return [way for way in self.ways if way.device == wanted] or [_guessed(wanted, self.processes, 1)]

    def with_threads(self, device: Literal["auto", "cpu", "cuda"], threads: int) -> Way:
        """Return the way to use a device by processes of so many threads; a GPU's threads decide nothing."""
        ways = self.on(device)
        if ways[0].device == "cuda":
            return ways[0]
        cores = max(way.processes * way.threads for way in ways)
        nearest = min(ways, key=lambda way: abs(way.threads - threads))
        processes = max(1, min(self.processes, cores // threads))
        return nearest.model_copy(update={"threads": threads, "processes": processes})


def estimate(way: Way, work: Work, lanes: int, layout: Layout) -> float:
    """Return the estimated seconds of one update of so many lanes."""
    costs = way.costs_of(work.precision, layout)
    return sum(cost * amount for cost, amount in zip(costs.column, amounts(work, lanes, layout), strict=True))


def estimate_start(way: Way, work: Work, lanes: int) -> float:
    """Return the estimated seconds of a cohort of so many lanes before its first update."""
    return way.start + way.draw * lanes * work.size.parameters


def amounts(work: Work, lanes: int, layout: Layout) -> tuple[float, ...]:
    """Return an update's amounts, for so many lanes, in the order of the fields of `Costs`."""
    examples = lanes * work.batch
    size = work.size
    return (
        1.0,
        lanes,
        size.calls * work.passes * (lanes if layout == "loop" else 1),
        size.dense_flops * examples,
        size.conv_flops * examples,
        size.patches * examples,
        size.activations * examples,
        size.parameters * lanes,
    )


def _guessed(device: Device, processes: int, threads: int) -> Way:
    if device == "cuda":
        start, costs = 0.01, {precision: _guessed_on_gpu(precision) for precision in PRODUCTS}
    else:
        start, costs = 0.005, {"fp32": _guessed_on_cpu(threads)}
    return Way(device=device, processes=processes, threads=threads, start=start, draw=1.5e-8, costs=costs)


def _guessed_on_cpu(threads: int) -> CostsByLayout:
    share = 1 if threads == 1 else 1 / (0.7 * threads)  # threads wait for one another
    flat = {"dense": 1.5e-11 * share, "parameter": 2e-9 * share}
    looped = {"conv": 1e-11 * share, "patch": 2e-9 * share, "activation": 1.2e-9 * share}
    stacked = {"conv": 3e-11 * share, "patch": 8e-9 * share, "activation": 2.5e-9 * share}
    return CostsByLayout(
        loop=Costs(update=2e-4, lane=6e-5, call=2e-5, **flat, **looped),
        vmap=Costs(update=3e-4, lane=3e-6, call=5e-5, **flat, **stacked),
    )


def _guessed_on_gpu(precision: Precision) -> CostsByLayout:
    """Return the costs of graphs of small kernels, whose values are moved at 3 TB/s: docs/decisions/0021."""
    product, looped = PRODUCTS[precision], 4e-12 if precision in HALVES else 6e-12
    flat = {"dense": product, "conv": product, "parameter": 2e-11}
    return CostsByLayout(
        loop=Costs(update=1e-4, lane=1e-5, call=1e-5, patch=0.0, activation=looped, **flat),
        vmap=Costs(update=1e-4, lane=1e-7, call=1.5e-5, patch=7e-12, activation=1.4e-11, **flat),
    )
