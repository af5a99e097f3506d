"""This machine's GPUs, as NVIDIA's driver reports them through its library NVML.

No CUDA context is made, so a process may ask before it forks. The library is opened for each look and closed after it:
nothing of it is inherited.
"""

import os
import runpy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pynvml

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable that names the GPUs which CUDA shows to a process."""


class Gpu(NamedTuple):
    """A device of CUDA: a GPU, or a MIG slice of one."""

    number: int
    """The GPU's number in the order of the PCI bus, as `nvidia-smi` has it; a slice has that of its GPU."""
    uuid: str
    """The name that CUDA_VISIBLE_DEVICES takes: `GPU-...`, or `MIG-...` of a slice."""
    name: str
    capability: tuple[int, int]
    """CUDA's compute capability: 9.0 is a H100."""
    total: int | None
    """Bytes of memory; None where the driver does not say, as of a GPU that has the processor's."""
    free: int | None
    used: int | None
    """Bytes in use by any process, what the driver reserves left out."""


class Inventory(NamedTuple):
    """The GPUs of this machine."""

    driver: str
    """The driver's version."""
    cuda: str
    """The newest CUDA that the driver can run."""
    gpus: Sequence[Gpu]
    """Each GPU that is not sliced, and each slice of the others."""
    faulty: Sequence[str]
    """The GPUs that nothing can be trained on, each with the reason in words."""


class Choice(NamedTuple):
    """The GPUs that an operator chose, in that order, and the names among the chosen that no GPU has."""

    gpus: Sequence[Gpu]
    unknown: Sequence[str]


@contextmanager
def opened() -> Iterator[None]:
    """Open the library and close it again. Raises `pynvml.NVMLError` without it, or without a driver."""
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def inventory() -> Inventory | None:
    """Return this machine's GPUs; None where there is no driver, or its library is not here."""
    try:
        with opened():
            gpus, faulty = list[Gpu](), list[str]()
            for number in range(pynvml.nvmlDeviceGetCount()):
                try:
                    found = _devices(number)
                except pynvml.NVMLError as error:
                    faulty.append(f"GPU {number}: {error}")
                    continue
                gpus += found
                if not found:
                    faulty.append(f"GPU {number}: MIG is on, and it has no slices")
            cuda = pynvml.nvmlSystemGetCudaDriverVersion()
            return Inventory(
                driver=pynvml.nvmlSystemGetDriverVersion(),
                cuda=f"{cuda // 1000}.{cuda % 1000 // 10}",
                gpus=gpus,
                faulty=faulty,
            )
    except pynvml.NVMLError:
        return None


def choose(gpus: Sequence[Gpu], names: str | None) -> Choice:
    """Return the GPUs that a value of CUDA_VISIBLE_DEVICES names; all where it is None.

    A name is a number, a UUID, or the beginning of a UUID that no other has. As CUDA does, it reads no further than an
    empty name or -1. Other than CUDA it goes on behind a name that no GPU has: one that has fallen out leaves the
    others in use. The number of a sliced GPU stands for all of its slices, where CUDA takes the first.
    """
    if names is None:
        return Choice(gpus, ())
    chosen, unknown = dict[Gpu, None](), list[str]()
    for name in _names(names):
        if name.isdecimal():
            found = [gpu for gpu in gpus if gpu.number == int(name)]
        else:
            found = [gpu for gpu in gpus if gpu.uuid.startswith(name)]
            found = found if len(found) == 1 else []
        chosen |= dict.fromkeys(found)
        unknown += [] if found else [name]
    return Choice(list(chosen), unknown)


def visible() -> list[str]:
    """Return the GPUs that are ours, by the names that CUDA_VISIBLE_DEVICES takes; none with a torch without CUDA.

    Where that variable is set it says which they are. By UUID, so that a GPU which falls out does not renumber the
    others. Without NVML the variable is taken at its word, or the driver's device files are counted: CUDA numbers what
    it finds from 0, whatever the files' own numbers, as in a container that was given one.
    """
    if not torch_has_cuda():
        return []
    found, ours = inventory(), os.environ.get(VISIBLE)
    if found is not None:
        return [gpu.uuid for gpu in choose(found.gpus, ours).gpus]
    return [str(i) for i, _ in enumerate(glob("/dev/nvidia[0-9]*"))] if ours is None else _names(ours)


def free_bytes(names: Sequence[str]) -> int | None:
    """Return the bytes that are free on the fullest of these GPUs; None where the driver does not say."""
    found = inventory()
    known = {gpu.uuid: gpu.free for gpu in found.gpus} if found else {}
    each = [free for name in names if (free := known.get(name)) is not None]
    return min(each, default=None)


def fault(uuid: str) -> str | None:
    """Return why the driver cannot use a GPU, in words; None where it can, or where there is no NVML to ask."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return None if isinstance(error, pynvml.NVMLError_LibraryNotFound) else str(error)
    try:
        if uuid.startswith(("GPU-", "MIG-")):
            _memory(pynvml.nvmlDeviceGetHandleByUUID(uuid))  # a lost one still has a handle
    except pynvml.NVMLError as error:
        return str(error)
    finally:
        pynvml.nvmlShutdown()
    return None


class PowerMeter:
    """A GPU's energy, by the counter of its board, and the watts that it may take.

    A slice has no counter: its power is a part of its GPU's limit, that of the memory which it has. The library stays
    open for as long as the process lives. Raises `pynvml.NVMLError` where the GPU cannot be asked.
    """

    def __init__(self, uuid: str) -> None:
        """`uuid` is with or without the letters before it, as CUDA has it."""
        pynvml.nvmlInit()
        self._device, self.sliced = _handle(uuid)
        whole, share = self._device, 1.0
        if self.sliced:
            whole = pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self._device)
            part, total = _memory(self._device)[0], _memory(whole)[0]
            share = part / total if part and total else 1.0
        self.watts = pynvml.nvmlDeviceGetEnforcedPowerLimit(whole) / 1e3 * share

    def joules(self) -> float | None:
        """Return the joules since the driver was loaded; None where they are not counted, as before Volta."""
        if self.sliced:
            return None
        try:
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(self._device)) / 1e3
        except pynvml.NVMLError:
            return None

    def processes(self) -> int:
        """Return the number of processes that compute on the GPU now, 1 at least."""
        try:
            return max(1, len(pynvml.nvmlDeviceGetComputeRunningProcesses_v3(self._device)))
        except pynvml.NVMLError:
            return 1


def torch_has_cuda() -> bool:
    """Return whether the installed torch is built with CUDA, without importing it."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    return runpy.run_path(str(Path(spec.origin).with_name("version.py")))["cuda"] is not None


def _handle(uuid: str) -> tuple[Any, bool]:
    """Return the handle of a GPU or a slice, and whether it is a slice."""
    if uuid.startswith("MIG-"):
        return pynvml.nvmlDeviceGetHandleByUUID(uuid), True
    try:
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid.removeprefix('GPU-')}"), False
    except pynvml.NVMLError_NotFound:
        return pynvml.nvmlDeviceGetHandleByUUID(f"MIG-{uuid}"), True


def _names(value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    ends = [i for i, name in enumerate(names) if name in ("", "-1")]
    return names[: ends[0]] if ends else names


def _devices(number: int) -> list[Gpu]:
    """Return a GPU, or all slices of a sliced one. Raises `pynvml.NVMLError` for one that does not answer."""
    whole = pynvml.nvmlDeviceGetHandleByIndex(number)
    capability = pynvml.nvmlDeviceGetCudaComputeCapability(whole)
    return [
        Gpu(
            number,
            pynvml.nvmlDeviceGetUUID(device),
            pynvml.nvmlDeviceGetName(device),
            capability,
            *_memory(device),
        )
        for device in _slices(whole)
    ]


def _slices(whole: Any) -> list[Any]:
    """Return the handles of a GPU's slices; that of the GPU itself where MIG is off, or not known to it."""
    try:
        sliced = pynvml.nvmlDeviceGetMigMode(whole)[0] == pynvml.NVML_DEVICE_MIG_ENABLE
    except pynvml.NVMLError_NotSupported:
        sliced = False
    if not sliced:
        return [whole]
    found = []
    for i in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(whole)):
        with suppress(pynvml.NVMLError_NotFound):  # places of slices that are not made, or not ours
            found.append(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(whole, i))
    return found


def _memory(device: Any) -> tuple[int | None, int | None, int | None]:
    """Return the total, free and used bytes; all None where the driver does not say."""
    for version in (pynvml.nvmlMemory_v2, None):  # the older one counts what the driver reserves as used
        with suppress(pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound):
            found = pynvml.nvmlDeviceGetMemoryInfo(device, version)
            return found.total, found.free, found.used
    return None, None, None
