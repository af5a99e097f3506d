"""NVIDIA's library NVML, played: C functions over a file that says which GPUs there are.

nvidia-ml-py itself runs on it, with its structures and its errors. The file is read at every call, so that a GPU may
fall out while a process runs, and every process of a test sees the same. What it cannot show is what a driver answers
that this one does not know: the codes of each function are those of NVIDIA's manual.

The file has what `gpu` and `mig` give; what is null there is not supported.
"""

import ctypes
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvml
import pytest

from core import gpus

GIB = 2**30
OK, NOT_SUPPORTED, NOT_FOUND, TOO_SMALL, NO_DRIVER, LOST = 0, 3, 6, 7, 9, 15
"""Codes of NVML that are played."""
_SLICES = 100
"""Handles below are of GPUs; the slices of GPU n have those from n times this."""


def gpu(number: int, **changes: Any) -> dict[str, Any]:
    """Return an idle H100, with some of it changed."""
    h100 = {
        "uuid": f"GPU-{number:08x}-0000-4000-8000-000000000000",
        "name": "NVIDIA H100 80GB HBM3",
        "total": 80 * GIB,
        "free": 79 * GIB,
        "reserved": GIB // 2,
        "capability": [9, 0],
        "watts": 700,
        "millijoules": 0,
        "pids": [],
        "lost": False,
        "slices": None,
    }
    return h100 | changes


def mig(number: int, **changes: Any) -> dict[str, Any]:
    """Return an idle slice of an eighth of an H100's memory, with some of it changed."""
    name = "NVIDIA H100 80GB HBM3 MIG 1g.10gb"
    slice_ = {"uuid": f"MIG-{number:08x}-0000-5000-8000-000000000000", "name": name, "total": 10 * GIB}
    return slice_ | {"free": 9 * GIB, "reserved": 0, "lost": False} | changes


class Nvml:
    """The library, as ctypes loads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._functions: list[Any] = []  # C has their addresses alone
        for name, arguments in _SIGNATURES.items():
            function = ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(getattr(self, f"_{name}"))
            setattr(self, name, function)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "Nvml":
        """Make nvidia-ml-py find this library, and a torch with CUDA."""
        monkeypatch.setattr(pynvml, "nvmlLib", self)
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
        monkeypatch.setattr(gpus, "torch_has_cuda", lambda: True)
        monkeypatch.delenv(gpus.VISIBLE, raising=False)
        return self

    def has(self, *found: dict[str, Any], driver: bool = True) -> None:
        """Let the machine have these GPUs from now on."""
        self._path.write_text(json.dumps({"driver": driver, "gpus": found}), encoding="utf-8")

    def _read(self) -> Any:
        return json.loads(self._path.read_bytes())

    def _device(self, handle: int) -> dict[str, Any]:
        whole, place = (handle - 1, None) if handle < _SLICES else (handle // _SLICES - 1, handle % _SLICES)
        found: dict[str, Any] = self._read()["gpus"][whole]
        return found if place is None else found["slices"][place] | {"lost": found["lost"]}

    def _asked(self, handle: int, field: str, answer: Callable[[Any], object]) -> int:
        device = self._device(handle)
        if device["lost"]:
            return LOST
        if device.get(field) is None:
            return NOT_SUPPORTED
        answer(device[field])
        return OK

    def _text(self, handle: int, field: str, buffer: int) -> int:
        return self._asked(handle, field, lambda text: ctypes.memmove(buffer, text.encode() + b"\0", len(text) + 1))

    def _nvmlInitWithFlags(self, _flags: int) -> int:
        return OK if self._read()["driver"] else NO_DRIVER

    def _nvmlShutdown(self) -> int:
        return OK

    def _nvmlSystemGetDriverVersion(self, buffer: int, _length: int) -> int:
        ctypes.memmove(buffer, b"580.65.06\0", 10)
        return OK

    def _nvmlSystemGetCudaDriverVersion(self, number: int) -> int:
        ctypes.c_int.from_address(number).value = 13000
        return OK

    def _nvmlDeviceGetCount_v2(self, count: int) -> int:
        ctypes.c_uint.from_address(count).value = len(self._read()["gpus"])
        return OK

    def _nvmlDeviceGetHandleByIndex_v2(self, index: int, handle: int) -> int:
        ctypes.c_void_p.from_address(handle).value = index + 1
        return LOST if self._device(index + 1)["lost"] else OK

    def _nvmlDeviceGetHandleByUUID(self, uuid: bytes, handle: int) -> int:
        for i, one in enumerate(self._read()["gpus"]):
            handles = {one["uuid"]: i + 1}
            handles |= {part["uuid"]: (i + 1) * _SLICES + j for j, part in enumerate(one["slices"] or [])}
            if uuid.decode() in handles:
                ctypes.c_void_p.from_address(handle).value = handles[uuid.decode()]
                return OK
        return NOT_FOUND

    def _nvmlDeviceGetUUID(self, handle: int, buffer: int, _length: int) -> int:
        return self._text(handle, "uuid", buffer)

    def _nvmlDeviceGetName(self, handle: int, buffer: int, _length: int) -> int:
        return self._text(handle, "name", buffer)

    def _nvmlDeviceGetCudaComputeCapability(self, handle: int, major: int, minor: int) -> int:
        def answer(capability: list[int]) -> None:
            ctypes.c_int.from_address(major).value, ctypes.c_int.from_address(minor).value = capability

        return self._asked(handle, "capability", answer)

    def _nvmlDeviceGetMemoryInfo_v2(self, handle: int, memory: int) -> int:
        def answer(total: int) -> None:
            device = self._device(handle)
            found = pynvml.c_nvmlMemory_v2_t.from_address(memory)
            found.total, found.free, found.reserved = total, device["free"], device["reserved"]
            found.used = total - device["free"] - device["reserved"]

        return self._asked(handle, "total", answer)

    def _nvmlDeviceGetMemoryInfo(self, _handle: int, _memory: int) -> int:
        return NOT_SUPPORTED

    def _nvmlDeviceGetMigMode(self, handle: int, current: int, _pending: int) -> int:
        def answer(_slices: Any) -> None:
            ctypes.c_uint.from_address(current).value = pynvml.NVML_DEVICE_MIG_ENABLE

        return self._asked(handle, "slices", answer)

    def _nvmlDeviceGetMaxMigDeviceCount(self, _handle: int, count: int) -> int:
        ctypes.c_uint.from_address(count).value = 7
        return OK

    def _nvmlDeviceGetMigDeviceHandleByIndex(self, handle: int, index: int, found: int) -> int:
        if index >= len(self._device(handle)["slices"]):
            return NOT_FOUND
        ctypes.c_void_p.from_address(found).value = handle * _SLICES + index
        return OK

    def _nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: int, found: int) -> int:
        ctypes.c_void_p.from_address(found).value = handle // _SLICES
        return OK

    def _nvmlDeviceGetEnforcedPowerLimit(self, handle: int, milliwatts: int) -> int:
        def answer(watts: float) -> None:
            ctypes.c_uint.from_address(milliwatts).value = int(watts * 1000)

        return self._asked(handle, "watts", answer)

    def _nvmlDeviceGetTotalEnergyConsumption(self, handle: int, millijoules: int) -> int:
        def answer(found: int) -> None:
            ctypes.c_uint64.from_address(millijoules).value = found

        return self._asked(handle, "millijoules", answer)

    def _nvmlDeviceGetComputeRunningProcesses_v3(self, handle: int, count: int, found: int | None) -> int:
        def answer(pids: list[int]) -> None:
            for i, pid in enumerate(pids if found else []):
                place = (found or 0) + i * ctypes.sizeof(pynvml.c_nvmlProcessInfo_v3_t)
                pynvml.c_nvmlProcessInfo_v3_t.from_address(place).pid = pid
            ctypes.c_uint.from_address(count).value = len(pids)

        code = self._asked(handle, "pids", answer)
        return TOO_SMALL if code == OK and found is None and self._device(handle)["pids"] else code


_P, _U = ctypes.c_void_p, ctypes.c_uint
_SIGNATURES: dict[str, list[Any]] = {
    "nvmlInitWithFlags": [_U],
    "nvmlShutdown": [],
    "nvmlSystemGetDriverVersion": [_P, _U],
    "nvmlSystemGetCudaDriverVersion": [_P],
    "nvmlDeviceGetCount_v2": [_P],
    "nvmlDeviceGetHandleByIndex_v2": [_U, _P],
    "nvmlDeviceGetHandleByUUID": [ctypes.c_char_p, _P],
    "nvmlDeviceGetUUID": [_P, _P, _U],
    "nvmlDeviceGetName": [_P, _P, _U],
    "nvmlDeviceGetCudaComputeCapability": [_P, _P, _P],
    "nvmlDeviceGetMemoryInfo_v2": [_P, _P],
    "nvmlDeviceGetMemoryInfo": [_P, _P],
    "nvmlDeviceGetMigMode": [_P, _P, _P],
    "nvmlDeviceGetMaxMigDeviceCount": [_P, _P],
    "nvmlDeviceGetMigDeviceHandleByIndex": [_P, _U, _P],
    "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": [_P, _P],
    "nvmlDeviceGetEnforcedPowerLimit": [_P, _P],
    "nvmlDeviceGetTotalEnergyConsumption": [_P, _P],
    "nvmlDeviceGetComputeRunningProcesses_v3": [_P, _P, _P],
}
