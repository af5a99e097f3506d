"""What a worker says at its start, on machines that are played."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from core import gpus
from core.gpus import visible
from core.hardware import cores
from tests.nvml import GIB, Nvml, gpu, mig
from worker.start_report import start_report


@pytest.fixture
def nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nvml:
    return Nvml(tmp_path / "gpus.json").install(monkeypatch)


def test_a_machine_without_gpus_is_its_cores_and_its_memory(nvml: Nvml) -> None:
    nvml.has(driver=False)
    found, warnings = start_report([], 4, ["cpu"])
    processor, last = found
    assert re.search(rf", {cores()} cores, \d+\.\d of \d+\.\d GiB free$", processor)
    assert (last, warnings) == ("training processes: 4, on the CPU; queues: cpu", [])


def test_gpus_are_said_with_what_others_use_and_which_are_ours(nvml: Nvml, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.has(gpu(0, free=40 * GIB, reserved=0), gpu(1, reserved=GIB), gpu(2, slices=[mig(5, free=10 * GIB)]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,9")
    found, warnings = start_report(visible(), 2, ["cpu", "gpu"])
    h100 = "NVIDIA H100 80GB HBM3"
    assert found[1:] == [
        "NVIDIA driver 580.65.06, for CUDA 13.0 and older",
        f"GPU 0: {h100} ({gpu(0)['uuid']}), compute capability 9.0, 40.0 of 80.0 GiB free, 40.0 GiB in use by others",
        f"GPU 1: {h100} ({gpu(1)['uuid']}), compute capability 9.0, 79.0 of 80.0 GiB free, not used",
        f"GPU 2: {h100} MIG 1g.10gb ({mig(5)['uuid']}), compute capability 9.0, 10.0 of 10.0 GiB free",
        "training processes: 2, one for each GPU; queues: cpu, gpu",
    ]
    assert warnings == ["CUDA_VISIBLE_DEVICES names '9', which no GPU here has, or several"]


def test_what_cannot_be_used_is_a_warning(nvml: Nvml, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.has(gpu(0, total=None), gpu(1, lost=True))
    found, warnings = start_report(visible(), 3, ["gpu"])
    assert found[2] == f"GPU 0: NVIDIA H100 80GB HBM3 ({gpu(0)['uuid']}), compute capability 9.0"
    assert found[-1] == "training processes: 3, on 1 GPUs; queues: gpu"
    assert warnings == ["GPU 1: GPU is lost; it is not used"]
    monkeypatch.setattr(gpus, "torch_has_cuda", lambda: False)
    found, warnings = start_report(visible(), 3, ["cpu"])
    assert found[2].endswith(", not used")
    assert warnings[1:] == [f"no GPU is used: torch {version('torch')} is built without CUDA"]
