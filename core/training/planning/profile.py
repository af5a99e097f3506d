"""Profiles: what a machine can do, in numbers that plans are made from, measured by `machine` or guessed."""

from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from core.hardware import FORMAT
from core.spec import Size

Device = Literal["cpu", "cuda"]

MEMORY = 2**32
"""Profiles: what a machine can do, in numbers that plans are made from, measured by `machine` or guessed."""


class Work(NamedTuple):
    """One update of one lane."""

    size: Size
    batch: float
    """Examples."""


class _Numbers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Costs(_Numbers):
    """Seconds that an update takes for each of what it is made of, the backward pass and the optimizer included."""

    update: float
    """For itself."""
    call: float
    """A layer that is called, however many lanes and examples it is called for."""
    dense: float
    """A multiplication or addition of a matrix product in the forward pass."""
    conv: float
    """The same of a convolution."""
    activation: float
    """A number that a layer makes."""
    parameter: float
    """A number that is trained."""


class Way(_Numbers):
    """One way to use a machine: so many training processes at the same time, of so many threads each."""

    device: Device
    processes: int
    threads: int
    start: float
    """Seconds that a cohort takes before its first update,"""
    draw: float
    """and more for each number that it starts from."""
    one: Costs
    """Of a lane that trains alone."""
    lanes: Costs
    """Of several as one program."""


class Profile(_Numbers):
    """A machine as a worker knows it."""

    format: int = FORMAT
    measured: bool
    machine: str
    """Processor or GPU, cores, and the version of torch: what the numbers depend on."""
    machines: int = 1
    """How many of them there are."""
    processes: int
    """How many training processes a worker of this machine runs."""
    memory: dict[Device, int]
    """Free bytes of each device, of one device where there are several."""
    ways: list[Way]
    """The order is that of preference where two are as fast."""

    @classmethod
    def guess(cls, cores: int = 1, memory: int = MEMORY, device: Device = "cpu") -> Self:
        """What is planned with where nothing was measured: one machine's numbers (2 cores, x86, 2026)."""
        processes = 1 if device == "cuda" else cores
        shares = {1: 1} if device == "cuda" else {cores: 1, 1: cores}
        return cls(
            measured=False,
            machine="unknown",
            processes=processes,
            memory={device: memory},
            ways=[_guessed(device, count, threads) for count, threads in shares.items()],
        )

    def on(self, device: Literal["auto", "cpu", "cuda"]) -> list[Way]:
        """The ways to train on a device (`auto`: a GPU where there is one); guessed where the machine has none."""
        wanted: Device = "cpu" if device == "cpu" or (device == "auto" and "cuda" not in self.memory) else "cuda"
        return [way for way in self.ways if way.device == wanted] or [_guessed(wanted, self.processes, 1)]


def estimate(way: Way, work: Work, lanes: int) -> float:
    """Seconds of one update of so many lanes."""
    costs = way.one if lanes == 1 else way.lanes
    return sum(cost * amount for cost, amount in zip(_column(costs), amounts(work, lanes), strict=True))


def estimate_start(way: Way, work: Work, lanes: int) -> float:
    """Seconds of a cohort of so many lanes before its first update."""
    return way.start + way.draw * lanes * work.size.parameters


def amounts(work: Work, lanes: int) -> tuple[float, ...]:
    """How much of each of `Costs` an update of so many lanes has, in their order."""
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
