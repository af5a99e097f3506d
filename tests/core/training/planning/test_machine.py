"""A machine's profile: measured by training, and remembered for that machine alone."""

import itertools
import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from core import hardware
from core.datasets import DatasetInfo
from core.hardware import this_machine
from core.spec import ArmInfo, Precision, parse, size
from core.training import Layout, Profile, make_plan, train_lanes
from core.training.lanes import graphs
from core.training.planning import calibration, machine
from core.training.planning.calibration import CASES, Case, Share, cases_for
from core.training.planning.machine import remember, remembered
from core.training.planning.profile import Device, estimate
from tests.backends import GUESSED_PROFILE
from tests.nvml import GIB, Nvml, gpu, mig

TINY = ({"name": "mlp", "hidden": [2]}, (3,), 4)
LAYOUTS: list[Layout] = ["loop", "vmap"]
MINIATURE = [Case(*TINY, lanes=1, layout="loop"), Case(*TINY, lanes=2, layout="vmap")]


def test_what_is_remembered_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    assert remembered(folder) is None
    remember(Profile.guess(3), folder)
    assert remembered(folder) == Profile.guess(3).model_copy(update={"machine": this_machine()})
    remember(Profile.guess(4), folder)
    found = remembered(folder)
    assert found is not None
    assert found.processes == 4
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    "changes", ["cut", b"", b"[]", b"\xff", {"machine": "another"}, {"format": 0}, {"news": 1}], ids=str
)
def test_a_file_that_is_cut_off_or_not_ours_is_as_none(tmp_path: Path, changes: str | bytes | dict[str, Any]) -> None:
    remember(Profile.guess(), tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    if isinstance(changes, dict):
        file.write_text(json.dumps(json.loads(whole) | changes))
    else:
        file.write_bytes(whole[: len(whole) // 2] if isinstance(changes, str) else changes)
    assert remembered(tmp_path) is None
    remember(Profile.guess(), tmp_path)
    assert remembered(tmp_path) is not None


def test_what_cannot_be_written_is_said_and_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        remember(Profile.guess(), tmp_path / "file")
    assert "measured again" in caplog.text
    assert remembered(tmp_path / "file") is None


def test_another_machine_has_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(Profile.guess(), tmp_path)
    monkeypatch.setattr(hardware, "_torch", lambda: "0.0")
    assert remembered(tmp_path) is None
    remember(Profile.guess(), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_container_is_as_large_as_it_is_allowed_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, free = hardware.cores(), machine.free_memory()["cpu"]
    for name, path in (("CPU_QUOTA", tmp_path / "cpu.max"), ("MEMORY_LIMIT", tmp_path / "memory.max")):
        monkeypatch.setattr(hardware, name, path)
    assert hardware.cores() >= whole
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert hardware.cores() >= whole
    assert machine.free_memory()["cpu"] > free / 2
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text("1000000\n")
    assert hardware.cores() == 1
    assert machine.free_memory()["cpu"] == 1_000_000
    (tmp_path / "cpu.max").write_text("20000 100000\n")
    assert hardware.cores() == 1


@pytest.fixture
def with_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nvml:
    """A machine whose torch has CUDA, and whose GPUs the test plays."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return Nvml(tmp_path / "gpus.json").install(monkeypatch)


def test_a_guess_knows_the_gpus_and_what_is_free_on_the_fullest(with_cuda: Nvml) -> None:
    with_cuda.has(gpu(0), gpu(1, free=30 * GIB))
    found = machine.guess()
    assert (found.processes, found.memory) == (2, {"cuda": 30 * GIB})
    with_cuda.has(gpu(1, slices=[mig(5), mig(6), mig(7)]))
    found = machine.guess()
    assert (found.processes, found.memory) == (3, {"cuda": 9 * GIB})
    with_cuda.has(gpu(0, total=None))
    assert machine.guess().memory == {"cuda": 16 * GIB}, "a driver that does not say"


def test_the_study_is_planned_as_one_cohort_on_an_idle_gpu(with_cuda: Nvml) -> None:
    """30 lanes of a CNN 32-32-64 at batch 512 on CIFAR-10: about 14 GB, were 15 cohorts of 2 by 4 GiB."""
    with_cuda.has(gpu(0))
    arms = [{"label": name, "initializer": name} for name in ("he_normal", "he_uniform", "glorot_normal")]
    model = {"name": "cnn", "channels": [32, 32, 64]}
    spec = parse({"model": model, "batch_size": 512, "device": "cuda", "arms": arms, "seeds": 10})
    info = DatasetInfo((3, 32, 32), 10, 45_000, 5_000)
    facts = [ArmInfo(data=info, size=size(spec.model, info.inputs, 10), steps=880, steps_per_epoch=88)] * 3
    assert len(make_plan(spec, facts, machine.guess()).cohorts) == 1


def test_a_known_machine_has_the_memory_that_is_free_now(with_cuda: Nvml, tmp_path: Path) -> None:
    with_cuda.has(gpu(0))
    remember(machine.guess().model_copy(update={"measured": True}), tmp_path)
    with_cuda.has(gpu(0, free=GIB))
    found = machine.known(tmp_path)
    assert (found.measured, found.memory) == (True, {"cuda": GIB})
    with_cuda.has(gpu(0, total=None))
    assert machine.known(tmp_path).memory == {"cuda": 79 * GIB}
    remember(Profile.guess(3), tmp_path)
    assert machine.known(tmp_path) == remembered(tmp_path), "without a GPU as it was measured"


def test_the_profile_that_the_tests_know_is_the_guess() -> None:
    assert Profile.model_validate_json(GUESSED_PROFILE.read_bytes()) == Profile.guess()


def test_a_machine_is_measured_by_training() -> None:
    profile = machine.calibrate(MINIATURE, seconds=0.0, most_cores=2)
    assert profile.measured
    assert profile.machine == this_machine()
    assert profile == Profile.model_validate_json(profile.model_dump_json())
    cores = min(2, hardware.cores())
    ways = [(way.processes, way.threads) for way in profile.ways if way.device == "cpu"]
    assert ways == list(dict.fromkeys([(profile.processes, cores // profile.processes), (1, cores)]))
    for way, case in itertools.product(profile.ways, MINIATURE):
        assert estimate(way, case.work, case.lanes, case.layout) > 0


def test_a_calibrating_process_that_dies_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RuntimeError, match="ended with code 1"):
        machine.calibrate(MINIATURE)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_costs_are_found_again_in_what_they_make(device: Device) -> None:
    """Seconds made from known costs, for the networks that calibration trains on a device."""
    (way,) = Profile.guess(device=device).ways
    cases = cases_for(device, CASES)
    made = [
        [
            way.start + way.draw * case.lanes * case.work.size.parameters,
            estimate(way, case.work, case.lanes, case.layout),
        ]
        for case in cases
    ]
    found = calibration._way(Share(device, 1, 1), cases, np.array(made))
    assert found.costs.keys() == way.costs.keys()
    for precision, by_layout in way.costs.items():
        for layout in LAYOUTS:
            for name, cost in by_layout.of(layout).model_dump().items():
                again = getattr(found.costs_of(precision, layout), name)
                assert again == pytest.approx(cost, rel=1e-3, abs=1e-18), (precision, layout, name)
    assert (found.start, found.draw) == pytest.approx((way.start, way.draw), rel=1e-3)


@pytest.mark.parametrize(("layout", "precision"), [("loop", "fp32"), ("vmap", "bf16")])
def test_a_case_is_trained_in_its_layout_and_precision(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, precision: Precision
) -> None:
    noted: list[tuple[int, str, str]] = []

    def train_and_note(lanes: Any, data: Any, info: Any, recorder: Any, options: Any, **more: Any) -> Any:
        noted.append((len(lanes), options.layout, lanes[0].treatment.precision))
        return train_lanes(lanes, data, info, recorder, options, **more)

    monkeypatch.setattr(calibration, "train_lanes", train_and_note)
    calibration._train(Case(*TINY, lanes=3, layout=layout, precision=precision), "cpu", 0.0)
    assert noted == [(3, layout, precision)]


@pytest.mark.gpu
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_case_is_measured_on_a_gpu(layout: Layout) -> None:
    assert min(calibration._train(Case(*TINY, lanes=2, layout=layout, precision="bf16"), "cuda", 0.0)) > 0


def test_a_gpu_is_measured_in_every_precision_and_with_larger_batches() -> None:
    assert cases_for("cpu", CASES) == CASES
    on_gpu = cases_for("cuda", CASES)
    for precision in get_args(Precision):
        mine = [case._replace(precision="fp32") for case in on_gpu if case.precision == precision]
        assert all(case in mine for case in CASES)
        assert max(case.batch for case in mine) > 8 * max(case.batch for case in CASES)


def test_updates_of_a_gpu_are_measured_when_they_are_replayed() -> None:
    """The call after the warm-up of a graph captures it."""
    assert calibration.WARM_UP["cuda"] > graphs.WARM_UP + 1


def test_the_command_prints_what_is_remembered() -> None:
    """As the worker asks for it before it forks; the tests' folder holds a guess."""
    command = [sys.executable, "-m", "core.training.planning.machine", "--remembered-or-measure"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Profile.model_validate_json(ended.stdout).processes == 1
    assert json.loads(ended.stdout)["measured"] is False
