"""Profiles of machines: the costs that plans are made from, measured by `machine` or guessed."""

from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from core.hardware import FORMAT
from core.spec import Size

Device = Literal["cpu", "cuda"]

MEMORY: dict[Device, int] = {"cpu": 2**32, "cuda": 2**34}
"""Bytes that are taken to be free where nobody can be asked; a GPU for servers has this at least. Where there is less,
cohorts go on in halves."""


class Work(NamedTuple):
    """One update of one lane."""

    size: Size
    batch: float
    """Examples in the batch."""


class _Numbers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Costs(_Numbers):
    """Seconds of each part of an update, the backward pass and the optimizer included."""

    update: float
    """Seconds of the update itself."""
    call: float
    """Seconds of one layer's call, for any number of lanes and examples."""
    dense: float
    """Seconds of one multiplication or addition of a matrix product in the forward pass."""
    conv: float
    """Seconds of one multiplication or addition of a convolution."""
    activation: float
    """Seconds of one number that a layer outputs."""
    parameter: float
    """Seconds of one trained number."""


class Way(_Numbers):
    """One way to use a machine: so many training processes at the same time, of so many threads each."""

    device: Device
    processes: int
    threads: int
    start: float
    """Seconds of a cohort before its first update, without drawing its initial values."""
    draw: float
    """Seconds of each initial value of a cohort."""
    one: Costs
    """Costs of a lane that trains alone."""
    lanes: Costs
    """Costs of several lanes as one program."""


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


def estimate(way: Way, work: Work, lanes: int) -> float:
    """Return the estimated seconds of one update of so many lanes."""
    costs = way.one if lanes == 1 else way.lanes
    return sum(cost * amount for cost, amount in zip(_column(costs), amounts(work, lanes), strict=True))


def estimate_start(way: Way, work: Work, lanes: int) -> float:
    """Return the estimated seconds of a cohort of so many lanes before its first update."""
    return way.start + way.draw * lanes * work.size.parameters


def amounts(work: Work, lanes: int) -> tuple[float, ...]:
    """Return an update's amounts, for so many lanes, in the order of the fields of `Costs`."""
    examples = lanes * work.batch
    size = work.size
    return (
        1.0,
        size.calls,
        size.dense_flops * examples,
        size.conv_flops * examples,
        size.activations * examples,
        size.parameters * lanes,
    )


def _guessed(device: Device, processes: int, threads: int) -> Way:
    if device == "cuda":
        costs = Costs(update=5e-4, call=1e-4, dense=3e-13, conv=5e-13, activation=5e-11, parameter=1e-10)
        return Way(device=device, processes=processes, threads=threads, start=0.01, draw=1.5e-8, one=costs, lanes=costs)
    share = 1 if threads == 1 else 1 / (0.7 * threads)  # threads wait for one another
    flat = {"activation": 3e-9 * share, "parameter": 2e-9 * share, "dense": 1.5e-11 * share}
    one = Costs(update=2e-4, call=6e-5, conv=4e-11 * share, **flat)
    lanes = Costs(update=4e-4, call=1.2e-4, conv=7e-11 * share, **flat)
    return Way(device=device, processes=processes, threads=threads, start=0.005, draw=1.5e-8, one=one, lanes=lanes)


def _column(costs: Costs) -> tuple[float, ...]:
    return (costs.update, costs.call, costs.dense, costs.conv, costs.activation, costs.parameter)
