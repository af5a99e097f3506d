"""What is counted, what is estimated, and how it is shared, in numbers worked out by hand."""

import logging
from pathlib import Path

import pytest

from core.energy import (
    CORE_WATTS,
    GPU_WATTS,
    WORLD,
    Cost,
    EnergyAccount,
    Meter,
    UnknownCountry,
    _nvml,
    _rapl,
    intensity,
)
from tests.nvml import GIB, Nvml, gpu, mig


class Clock:
    """Seconds that have passed, that this process and that all have kept cores busy; and joules by a counter."""

    def __init__(self) -> None:
        self.now = self.mine = self.all = 0.0
        self.joules: float | None = 0.0

    def meter(self, *, cpu: bool = False, gpu: bool = False, gpu_watts: float = 0.0, sharing: int = 1) -> Meter:
        counter = lambda: self.joules  # noqa: E731 a counter
        busy = lambda: (self.mine, self.all)  # noqa: E731
        return Meter(
            counter if cpu else None, counter if gpu else None, gpu_watts, busy, lambda: sharing, lambda: self.now
        )

    def on(self, seconds: float, mine: float, everyone: float, joules: float | None = None) -> None:
        self.now, self.mine, self.all, self.joules = self.now + seconds, self.mine + mine, self.all + everyone, joules


def test_an_estimate_is_the_time_of_busy_cores_and_the_limit_of_a_gpu() -> None:
    clock = Clock()
    plain, beside = clock.meter(), clock.meter(gpu_watts=300)
    clock.on(3600, mine=1800, everyone=9999)
    assert plain.take() == (pytest.approx(CORE_WATTS / 2 / 1000), "estimated")
    assert beside.take() == (pytest.approx((CORE_WATTS / 2 + 300) / 1000), "estimated")
    assert plain.take() == (0.0, "estimated"), "since the last look"


def test_of_what_the_cpus_counted_a_process_has_its_share_of_their_time() -> None:
    clock = Clock()
    meter = clock.meter(cpu=True)
    clock.on(10, mine=10, everyone=40, joules=3600)
    assert meter.take() == (pytest.approx(3600 / 4 / 3.6e6), "measured")
    clock.on(10, mine=41, everyone=40, joules=3600)  # two clocks, read one after the other
    assert meter.take() == (pytest.approx(3600 / 3.6e6), "measured")
    clock.on(10, mine=10, everyone=40, joules=None)
    assert meter.take() == (pytest.approx(10 * CORE_WATTS / 3.6e6), "estimated"), "a counter that could not be read"


def test_it_is_measured_only_where_all_of_it_is() -> None:
    clock = Clock()
    both, cpu, gpu = (clock.meter(cpu=c, gpu=g, gpu_watts=300) for c, g in ((True, True), (True, False), (False, True)))
    clock.on(10, mine=10, everyone=10, joules=3600)
    assert both.take() == (pytest.approx(7200 / 3.6e6), "measured")
    assert cpu.take() == (pytest.approx((3600 + 3000) / 3.6e6), "estimated")
    assert gpu.take() == (pytest.approx((10 * CORE_WATTS + 3600) / 3.6e6), "estimated")


def test_of_a_gpu_that_several_compute_on_each_has_as_much_and_that_is_an_estimate() -> None:
    clock = Clock()
    counted, limit = (clock.meter(cpu=True, gpu=gpu, gpu_watts=300, sharing=3) for gpu in (True, False))
    clock.on(10, mine=10, everyone=10, joules=3600)
    assert counted.take() == (pytest.approx((3600 + 1200) / 3.6e6), "estimated")
    assert limit.take() == (pytest.approx((3600 + 1000) / 3.6e6), "estimated")


@pytest.fixture
def nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nvml:
    return Nvml(tmp_path / "gpus.json").install(monkeypatch)


@pytest.mark.parametrize("letters", ["", "GPU-"])
def test_a_gpu_counts_its_energy_itself(nvml: Nvml, letters: str) -> None:
    uuid = letters + gpu(7)["uuid"].removeprefix("GPU-")
    nvml.has(gpu(6, millijoules=1), gpu(7, millijoules=5_000_000, watts=350, pids=[1]))
    counter, watts, sharing = _nvml(uuid)
    assert (watts, sharing()) == (350, 1)
    assert counter is not None
    nvml.has(gpu(6, millijoules=2), gpu(7, millijoules=5_000_000 + 36_000, pids=[1, 2, 3]))
    assert (counter(), sharing()) == (pytest.approx(36), 3)
    nvml.has(gpu(6), gpu(7, lost=True))
    assert (counter(), sharing()) == (None, 1), "it could not be read"
    nvml.has(gpu(6), gpu(7, millijoules=9_000_000))
    assert counter() is None, "since a time that is not known"
    nvml.has(gpu(6), gpu(7, millijoules=1000))
    assert counter() is None, "the driver was loaded again"
    nvml.has(gpu(6), gpu(7, millijoules=3000))
    assert counter() == pytest.approx(2)


def test_without_a_counter_there_is_the_limit_and_of_a_slice_its_part_of_it(nvml: Nvml) -> None:
    nvml.has(gpu(0, millijoules=None, watts=250), gpu(1, watts=700, slices=[mig(5), mig(6, total=40 * GIB)]))
    for uuid, watts in {gpu(0)["uuid"]: 250, mig(5)["uuid"]: 700 / 8, mig(6)["uuid"].removeprefix("MIG-"): 350}.items():
        counter, found, _ = _nvml(uuid)
        assert (counter, found) == (None, pytest.approx(watts))


def test_a_cohorts_energy_is_shared_by_those_that_train_and_attempts_add_up() -> None:
    clock = Clock()
    bill = EnergyAccount(before=Cost(), runs=4, meter=clock.meter(), intensity=500.0)
    clock.on(1, mine=3.6e6 / CORE_WATTS, everyone=0)  # one kWh
    assert bill.cost() == (pytest.approx(0.25), pytest.approx(125), "estimated")
    bill.leave(2)
    clock.on(1, mine=3.6e6 / CORE_WATTS, everyone=0)
    second = bill.cost()
    assert second == (pytest.approx(0.75), pytest.approx(375), "estimated")
    assert bill.cost() == second, "what is stored twice is the same"
    again = EnergyAccount(
        before=second, runs=2, meter=clock.meter(cpu=True), intensity=100.0
    )  # another attempt, elsewhere
    clock.on(1, mine=1, everyone=1, joules=3.6e6)
    assert again.cost() == (pytest.approx(1.25), pytest.approx(425), "estimated"), "some of it is"


def test_nothing_is_counted_until_there_is_a_meter() -> None:
    clock = Clock()
    before = Cost(kwh=1.0, co2e_g=100.0, source="measured")
    account = EnergyAccount(before=before, runs=1, intensity=100.0)
    clock.on(1, mine=3.6e6 / CORE_WATTS, everyone=0)
    assert account.cost() == before
    account.measure(clock.meter())
    assert account.cost() == (1.0, 100.0, "estimated")
    clock.on(1, mine=3.6e6 / CORE_WATTS, everyone=0)
    assert account.cost() == (pytest.approx(2.0), pytest.approx(200.0), "estimated")


def domain(folder: Path, name: str, joules: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(name)
    (folder / "energy_uj").write_text(f"{joules * 1e6:.0f}")
    (folder / "max_energy_range_uj").write_text(f"{1000 * 1e6:.0f}")


def test_the_counters_of_all_packages_are_read_through_their_wraps(tmp_path: Path) -> None:
    """A tree such as the kernel gives; a core's domain is in its package's, and a counter begins anew at 1,000 J."""
    domain(tmp_path / "intel-rapl:0", "package-0", 900)
    domain(tmp_path / "intel-rapl:1", "package-1", 20)
    domain(tmp_path / "intel-rapl:0:0", "core", 5)
    counter = _rapl(str(tmp_path))
    assert counter is not None
    domain(tmp_path / "intel-rapl:0", "package-0", 50)
    domain(tmp_path / "intel-rapl:1", "package-1", 21)
    domain(tmp_path / "intel-rapl:0:0", "core", 99)
    assert counter() == pytest.approx(150 + 1, rel=1e-4)
    domain(tmp_path / "intel-rapl:0", "package-0", 53)
    assert counter() == pytest.approx(3, rel=1e-4)


def test_where_there_are_no_counters_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert _rapl(str(tmp_path / "none")) is None
        counter, watts, sharing = _nvml("no such GPU")
        assert (counter, watts, sharing()) == (None, GPU_WATTS, 1)
    assert caplog.text == ""


def test_the_intensity_is_the_settings_or_the_worlds() -> None:
    assert intensity(None) == WORLD == 475
    assert intensity(12.5) == 12.5
    assert 40 < intensity("FRA") < 80 < 300 < intensity("DEU") < 450  # g/kWh of 2023, by Ember
    with pytest.raises(UnknownCountry, match="ZZZ"):
        intensity("ZZZ")
