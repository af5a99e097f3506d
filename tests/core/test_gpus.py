"""GPUs as the driver reports them, through nvidia-ml-py on a played library."""

from pathlib import Path

import pynvml
import pytest

from core import gpus
from core.gpus import choose, fault, free_bytes, inventory, torch_has_cuda, visible
from tests.nvml import GIB, Nvml, gpu, mig


@pytest.fixture
def nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nvml:
    return Nvml(tmp_path / "gpus.json").install(monkeypatch)


def test_a_gpu_is_as_the_driver_says(nvml: Nvml) -> None:
    nvml.has(gpu(10), gpu(11, name="NVIDIA A30", capability=[8, 0], total=24 * GIB, free=4 * GIB))
    found = inventory()
    assert found is not None
    assert (found.driver, found.cuda, found.faulty) == ("580.65.06", "13.0", [])
    first, second = found.gpus
    assert (first.number, first.uuid, first.name) == (0, gpu(10)["uuid"], "NVIDIA H100 80GB HBM3")
    assert (first.total, first.free, first.used) == (80 * GIB, 79 * GIB, GIB // 2), "reserved is used by nobody"
    assert (second.number, second.capability, second.free) == (1, (8, 0), 4 * GIB)


def test_a_sliced_gpu_is_its_slices(nvml: Nvml) -> None:
    nvml.has(gpu(1, slices=[mig(5), mig(6, free=GIB)]), gpu(2), gpu(3, slices=[]))
    found = inventory()
    assert found is not None
    assert [(one.number, one.uuid, one.free) for one in found.gpus] == [
        (0, mig(5)["uuid"], 9 * GIB),
        (0, mig(6)["uuid"], GIB),
        (1, gpu(2)["uuid"], 79 * GIB),
    ]
    assert found.gpus[0].capability == (9, 0), "which only the whole GPU says"
    assert found.faulty == ["GPU 2: MIG is on, and it has no slices"]


def test_a_lost_gpu_leaves_the_others(nvml: Nvml) -> None:
    nvml.has(gpu(1), gpu(2, lost=True), gpu(3))
    found = inventory()
    assert found is not None
    assert [one.number for one in found.gpus] == [0, 2]
    assert found.faulty == ["GPU 1: GPU is lost"]


def test_memory_that_the_driver_does_not_say_is_not_known(nvml: Nvml) -> None:
    nvml.has(gpu(1, total=None), gpu(2))
    found = inventory()
    assert found is not None
    assert (found.gpus[0].total, found.gpus[0].free) == (None, None)
    assert free_bytes([gpu(1)["uuid"]]) is None
    assert free_bytes([gpu(1)["uuid"], gpu(2)["uuid"]]) == 79 * GIB
    assert free_bytes([]) is None


def test_without_a_driver_there_is_no_inventory(nvml: Nvml) -> None:
    nvml.has(driver=False)
    assert inventory() is None
    assert free_bytes(["0"]) is None


ALIKE = "GPU-0000000a-0000-4000-8000-000000000000"  # begins as GPU 2's does


@pytest.mark.parametrize(
    ("names", "chosen", "unknown"),
    [
        (None, [0, 1, 2, 2], []),
        ("", [], []),
        ("-1", [], []),
        ("1,0", [1, 0], []),
        ("2", [2, 2], []),
        ("1, 1", [1], []),
        ("1,-1,0", [1], []),
        ("7,1", [1], ["7"]),
        (gpu(1)["uuid"], [1], []),
        ("GPU-00000001", [1], []),
        ("GPU-0000000", [], ["GPU-0000000"]),
        (mig(6)["uuid"], [2], []),
        ("MIG-00000006", [2], []),
        ("some", [], ["some"]),
    ],
)
def test_gpus_are_chosen_by_number_uuid_or_the_beginning_of_one(
    nvml: Nvml, names: str | None, chosen: list[int], unknown: list[str]
) -> None:
    nvml.has(gpu(0), gpu(1), gpu(2, slices=[mig(5), mig(6)]))
    found = inventory()
    assert found is not None
    choice = choose(found.gpus, names)
    assert ([one.number for one in choice.gpus], list(choice.unknown)) == (chosen, unknown)


def test_ours_are_named_by_uuid_whatever_the_variable_calls_them(nvml: Nvml, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.has(gpu(0), gpu(1), gpu(2))
    assert visible() == [gpu(0)["uuid"], gpu(1)["uuid"], gpu(2)["uuid"]]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-00000000")
    assert visible() == [gpu(2)["uuid"], gpu(0)["uuid"]]
    nvml.has(gpu(0, lost=True), gpu(1), gpu(2))
    assert visible() == [gpu(2)["uuid"]]


def test_without_the_library_the_variable_or_the_device_files_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "torch_has_cuda", lambda: True)
    monkeypatch.setattr(gpus, "inventory", lambda: None)
    monkeypatch.setattr(gpus, "glob", lambda _: ["/dev/nvidia2", "/dev/nvidia5"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible() == ["0", "1"]
    for ours, found in {"0,1": ["0", "1"], "GPU-8932f937, GPU-46ec2a1b": ["GPU-8932f937", "GPU-46ec2a1b"]}.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ours)
        assert visible() == found
    for ours in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ours)
        assert visible() == []


def test_a_torch_without_cuda_has_no_gpus(nvml: Nvml, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml.has(gpu(0))
    monkeypatch.setattr(gpus, "torch_has_cuda", lambda: False)
    assert visible() == []


def test_the_installed_torch_is_asked_without_importing_it() -> None:
    import torch  # noqa: PLC0415 the peer

    assert torch_has_cuda() == (torch.version.cuda is not None)


def test_a_fault_is_told_in_words(nvml: Nvml) -> None:
    whole, part = gpu(0), gpu(1, slices=[mig(5)])
    nvml.has(whole, part)
    assert [fault(name) for name in (whole["uuid"], mig(5)["uuid"], "0")] == [None] * 3
    nvml.has(whole | {"lost": True}, part | {"lost": True})
    assert [fault(name) for name in (whole["uuid"], mig(5)["uuid"])] == ["GPU is lost"] * 2
    nvml.has(part | {"slices": []})
    assert [fault(name) for name in (whole["uuid"], mig(5)["uuid"])] == ["Not Found"] * 2
    nvml.has(driver=False)
    assert fault(whole["uuid"]) == "Driver Not Loaded"


def test_where_there_is_no_library_nothing_is_faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", absent)
    assert inventory() is None
    assert fault("GPU-1") is None
