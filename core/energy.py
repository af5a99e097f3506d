"""The energy that a training takes from the socket, and its carbon dioxide: measured where there are counters.

The energy of an NVIDIA GPU is read from its own counter (NVML, since Volta), and with `initlab[energy]` installed that
of CPUs from theirs (RAPL, through codecarbon), where the kernel lets this process read them. Of a machine's CPUs this
process has the share that it has of their busy time. Elsewhere it is estimated: power, stated below, times the time of
this process. So is the part of a GPU that several processes compute on: the counter does not know whose the energy is,
and each has as much. A MIG slice has no counter, and of its GPU's limit the part that it has of the memory. Nothing is
sent anywhere and nothing is looked up.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Literal, NamedTuple, Protocol

import psutil
from pynvml import NVMLError

from core.errors import InitlabError
from core.gpus import PowerMeter

CORE_WATTS = 12.0
"""Watts of a busy core, where nothing else is known: the default of Green Algorithms (Lannelongue, Grealey and Inouye
2021, doi:10.1002/advs.202100707)."""
GPU_WATTS = 200.0
"""Watts of a GPU whose limit is not known: the same default."""
WORLD = 475.0
"""g CO2e of a kWh: the world's mean (International Energy Agency, Global Energy & CO2 Status Report 2019)."""
JOULES = 3.6e6
"""Joules of a kWh."""

Source = Literal["measured", "estimated"]


class UnknownCountry(InitlabError):
    """The setting `carbon_intensity` names a country whose electricity is not known here."""


class Taken(NamedTuple):
    """Energy that was taken: some of it is estimated, or none."""

    kwh: float
    source: Source


class Counter(Protocol):
    """Returns the joules since it was last called, from its making on; None where they could not be read."""

    def __call__(self) -> float | None: ...


class Meter:
    """Counts the energy that this process takes. One thread at a time may ask."""

    def __init__(
        self,
        cpu: Counter | None,
        gpu: Counter | None,
        gpu_watts: float = 0.0,
        busy: Callable[[], tuple[float, float]] | None = None,
        sharing: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without a counter of the CPU, or of a GPU of `gpu_watts` (0: none is used), their part is estimated.

        `busy` gives the seconds that this process, and all processes of the machine, have kept cores busy; `sharing`
        the number of processes that compute on the GPU.
        """
        self._cpu, self._gpu, self._gpu_watts, self._sharing = cpu, gpu, gpu_watts, sharing or _alone
        self._busy, self._clock = busy or _busy, clock
        self._then, (self._mine, self._all) = self._clock(), self._busy()

    @classmethod
    def of(cls, gpu: str | None) -> "Meter":
        """Return the best meter of this machine; `gpu` is the UUID of the GPU that is trained on, as torch has it."""
        if gpu is None:
            return cls(_rapl(), None)
        counter, limit, sharing = _nvml(gpu)
        return cls(_rapl(), counter, limit, sharing=sharing)

    def take(self) -> Taken:
        """Return the energy that was taken since the last call."""
        now, (mine, everyone) = self._clock(), self._busy()
        seconds, busy, of_all = now - self._then, mine - self._mine, everyone - self._all
        self._then, self._mine, self._all = now, mine, everyone
        estimated = False
        joules = self._cpu() if self._cpu is not None else None
        if joules is None:
            joules, estimated = CORE_WATTS * busy, True
        else:
            joules *= min(1.0, busy / of_all) if of_all > 0 else 0.0
        if self._gpu_watts:
            counted = self._gpu() if self._gpu is not None else None
            processes = self._sharing()
            estimated |= counted is None or processes > 1
            joules += (self._gpu_watts * seconds if counted is None else counted) / processes
        return Taken(joules / JOULES, "estimated" if estimated else "measured")


class Cost(NamedTuple):
    """The cost of one run, over all of its attempts. All runs of a cohort that have not ended have cost the same."""

    kwh: float = 0.0
    co2e_g: float = 0.0
    source: Source = "measured"
    """Estimated, if any of it is."""


NOTHING = Cost()


class EnergyAccount:
    """The cost of an attempt's runs, from its meter.

    The runs that train make the same updates in the same time. What is taken between two calls is shared by all that
    had not ended at the first of them.
    """

    def __init__(self, *, before: Cost, runs: int, meter: Meter | None = None, intensity: float = WORLD) -> None:
        """`before` is what each of so many `runs` had cost before this attempt; `intensity` is g CO2e of a kWh.

        Without a meter nothing is counted until there is one.
        """
        self._cost, self._runs = before, runs
        self._meter, self._intensity = meter, intensity

    def measure(self, meter: Meter) -> None:
        """Read this meter from now on."""
        self._meter = meter

    def cost(self) -> Cost:
        """Return the cost of each run that trains, until now."""
        if self._meter is None:
            return self._cost
        taken = self._meter.take()
        kwh = taken.kwh / max(1, self._runs)
        source: Source = "measured" if {self._cost.source, taken.source} == {"measured"} else "estimated"
        self._cost = Cost(kwh=self._cost.kwh + kwh, co2e_g=self._cost.co2e_g + kwh * self._intensity, source=source)
        return self._cost

    def leave(self, runs: int) -> None:
        """Leave out runs that have ended: what is taken from now on is the others'."""
        self._runs -= runs


def intensity(setting: float | str | None) -> float:
    """Return g CO2e of a kWh by the setting: the number, a country's by its three-letter ISO code, or the world's mean.

    Countries are in codecarbon's tables (Our World in Data, by Ember); raises `UnknownCountry` without them.
    """
    if not isinstance(setting, str):
        return WORLD if setting is None else setting
    if find_spec("codecarbon") is None:
        raise UnknownCountry(f"carbon_intensity is {setting!r}: a country's needs initlab[energy], or give g/kWh")
    table = json.loads(files("codecarbon").joinpath("data/private_infra/global_energy_mix.json").read_bytes())
    if setting not in table or table[setting].get("carbon_intensity") is None:
        raise UnknownCountry(f"carbon_intensity is {setting!r}, which is no country's ISO code of three letters")
    return float(table[setting]["carbon_intensity"])


def _busy() -> tuple[float, float]:
    unused = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in user and nice too
    return time.process_time(), sum(s for name, s in psutil.cpu_times()._asdict().items() if name not in unused)


def _rapl(folder: str = "/sys/class/powercap/intel-rapl/subsystem") -> Counter | None:
    """Return the counter of all CPU packages; None where it cannot be read."""
    if not sys.platform.startswith("linux") or find_spec("codecarbon") is None:
        return None
    logging.getLogger("codecarbon").disabled = True
    cpu, units = import_module("codecarbon.core.cpu"), import_module("codecarbon.core.units")  # slow, and optional
    if not cpu.is_rapl_available(folder):
        return None
    rapl = cpu.IntelRAPL(folder)
    rapl.start()

    def joules() -> float | None:
        found = rapl.get_cpu_details(units.Time.from_seconds(1.0))  # the duration is for the power alone
        energies = [kwh for name, kwh in found.items() if "Energy" in name]
        return sum(energies) * JOULES if energies else None

    return joules


def _nvml(uuid: str) -> tuple[Counter | None, float, Callable[[], int]]:
    """Return the counter of a GPU, the watts that it may take, and the number of processes that compute on it now."""
    try:
        meter = PowerMeter(uuid)
    except NVMLError:
        return None, GPU_WATTS, _alone
    last = meter.joules()
    if last is None:
        return None, meter.watts, meter.processes

    def joules() -> float | None:
        nonlocal last
        since, last = last, meter.joules()
        # less than before: the driver was loaded again
        return None if since is None or last is None or last < since else last - since

    return joules, meter.watts, meter.processes


def _alone() -> int:
    return 1
