"""Two bundles are compared point by point: what is the same, what is near, and what differs first."""

import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from initlab.bundles import Bundle, Comparison, DamagedBundle, compare, distance
from initlab.errors import ClientError
from initlab.experiment import Experiment
from initlab.reproducing import Reproduction, sentences, spec_of
from initlab.transport import Transport
from tests.initlab.bundled import ENVIRONMENT, ROWS, Row, write

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def both(tmp_path: Path) -> Callable[..., Comparison]:
    """Compares the usual bundle with one that has other rows, or other files."""

    def compared(rows: list[Row], tolerance: float = 1e-3, **files: Any) -> Comparison:
        write(tmp_path / "was.zip", ROWS)
        write(tmp_path / "became.zip", rows, **files)
        with Bundle(tmp_path / "was.zip") as was, Bundle(tmp_path / "became.zip") as became:
            return compare(was, became, tolerance)

    return compared


def changed(at: int, value: str) -> list[Row]:
    return [*ROWS[:at], (*ROWS[at][:-1], value), *ROWS[at + 1 :]]


def test_the_same_points_are_identical_whatever_they_are(both: Callable[..., Comparison]) -> None:
    found = both(ROWS)
    assert (found.result, found.points, found.identical, found.first) == ("identical", len(ROWS), len(ROWS), None)
    assert (found.runs, found.decisions, found.data, found.environment) == ([], [], [], [])


def test_one_bit_is_seen_and_told(both: Callable[..., Comparison]) -> None:
    value = math.nextafter(float(ROWS[2][-1]), 3)
    found = both(changed(2, repr(value)))
    assert (found.result, found.identical, found.beyond) == ("within tolerance", len(ROWS) - 1, 0)
    assert found.largest == {"train_loss": abs(value - float(ROWS[2][-1]))}
    told = {"arm": "he", "seed": 0, "varied": "", "metric": "train_loss", "unit": "step", "step": 2}
    assert found.first == told | {"was": ROWS[2][-1], "became": repr(value)}
    assert found.first_beyond is None


@pytest.mark.parametrize(
    ("value", "result"), [("1.502", "different"), ("1.501", "within tolerance"), ("nan", "different")]
)
def test_a_tolerance_is_relative(both: Callable[..., Comparison], value: str, result: str) -> None:
    found = both(changed(4, value))
    assert found.result == result
    if result == "different":
        assert found.first_beyond is not None
        assert (found.first_beyond["metric"], found.first_beyond["step"]) == ("valid_loss", 0)


def test_the_first_is_the_earliest_update_and_not_the_first_that_is_stored(both: Callable[..., Comparison]) -> None:
    rows = changed(3, "9.0")
    rows[7] = (*rows[7][:-1], "9.0")  # of the arm behind it, two updates earlier
    rows[4] = (*rows[4][:-1], "9.0")  # an epoch
    found = both(rows)
    assert found.beyond == 3
    assert found.first_beyond is not None
    assert (found.first_beyond["arm"], found.first_beyond["step"], found.first_beyond["was"]) == ("zeros", 1, "inf")


@pytest.mark.parametrize(
    ("rows", "lacking"),
    [(ROWS[:-1], 1), (ROWS[1:], 1), (ROWS[:3] + ROWS[4:], 1), (ROWS[6:], 6), (ROWS[:6], 3)],
    ids=["last", "first", "middle", "an arm's", "another's"],
)
def test_a_point_that_is_missing_is_a_difference(
    both: Callable[..., Comparison], rows: list[Row], lacking: int
) -> None:
    found = both(rows)
    assert (found.result, found.points, found.beyond) == ("different", len(ROWS), lacking)
    assert found.identical == len(ROWS) - lacking
    assert found.first is not None
    assert found.first["became"] is None
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_what_ended_or_was_decided_otherwise_is_told(both: Callable[..., Comparison]) -> None:
    run = {"arm": "he", "seed": 0, "varied": None, "status": "succeeded", "outcome": "diverged"}
    other = ENVIRONMENT | {"packages": {"torch": "2.14.0"}, "settings": {"OMP_NUM_THREADS": "4"}}
    found = both(
        ROWS,
        runs=[run],
        report={"comparisons": [{"a": "he", "b": "zeros", "decision": "open"}]},
        data=[{"dataset": {"name": "digits"}, "sha256": "bb"}],
        environment=[{"environment": ENVIRONMENT, "attempts": []}, {"environment": other, "attempts": []}],
    )
    assert found.result == "different", "a run that diverged is no reproduction, whatever its points"
    assert found.runs == [{"arm": "he", "seed": 0, "varied": "", "was": "completed", "became": "diverged"}]
    assert found.decisions == [{"a": "he", "b": "zeros", "was": "better", "became": "open"}]
    assert found.data == [{"dataset": {"name": "digits"}, "was": "aa", "became": "bb"}]
    assert found.environment == [
        {"name": "torch", "was": ["2.13.0"], "became": ["2.13.0", "2.14.0"]},
        {"name": "OMP_NUM_THREADS", "was": [None], "became": [None, "4"]},
    ]


def test_data_that_nobody_could_hash_are_not_called_different(both: Callable[..., Comparison]) -> None:
    assert both(ROWS, data=[{"dataset": {"name": "digits"}, "sha256": None}]).data == []


def test_distances() -> None:
    inf, nan = math.inf, math.nan
    assert [distance(nan, nan), distance(inf, inf), distance(1.0, 1.5)] == [0.0, 0.0, 0.5]
    assert [distance(nan, 1.0), distance(inf, 1.0), distance(inf, -inf)] == [inf, inf, inf]


def test_a_damaged_bundle_is_refused_by_the_name_of_the_file(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.zip", ROWS)
    with Bundle(whole) as bundle:
        bundle.check()
    with zipfile.ZipFile(whole) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for name, damaged in (("metrics.csv", content["metrics.csv"].replace(b"2.0", b"2.1")), ("data.json", None)):
        path = tmp_path / "damaged.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for each, found in (content | {name: damaged}).items():
                if found is not None:
                    archive.writestr(each, found)
        with Bundle(path) as bundle, pytest.raises(DamagedBundle, match=name):
            bundle.check()
    (tmp_path / "no.zip").write_bytes(b"no")
    with pytest.raises(DamagedBundle, match="no ZIP file"):
        Bundle(tmp_path / "no.zip")
    newer = {"format": "initlab-bundle", "format_version": 2, "id": 1, "kind": None}
    with pytest.raises(DamagedBundle, match="no bundle of format 1"):
        Bundle(write(tmp_path / "newer.zip", ROWS, experiment=newer))


def test_it_is_trained_in_no_study_and_on_the_same_kind_of_device(tmp_path: Path) -> None:
    with Bundle(write(tmp_path / "a.eln", ROWS, folder="experiment-3/data/")) as bundle:
        bundle.check()
        assert spec_of(bundle) == {"name": "x", "tags": ["a", "reproduction"], "device": "cpu"}
    elsewhere = {"format": "initlab-bundle", "format_version": 1, "id": 3, "kind": "external"}
    path = write(tmp_path / "b.zip", ROWS, experiment=elsewhere)
    with Bundle(path) as bundle, pytest.raises(ClientError, match="outside of initlab"):
        spec_of(bundle)
    path = write(tmp_path / "c.zip", ROWS, experiment=elsewhere | {"kind": None, "status": "cancelled"})
    with Bundle(path) as bundle, pytest.raises(ClientError, match="was cancelled"):
        spec_of(bundle)


def test_the_command_compares_and_says_so(
    server: Any, experiment: dict[str, Any], run_cli: RunCli, tmp_path: Path
) -> None:
    was = write(tmp_path / "was.zip", ROWS)
    became = write(tmp_path / "became.zip", changed(4, "1.6"))

    def run(other: Path, *options: str) -> tuple[int, str, str]:
        server.answers[:] = []
        server.answer(200, experiment)
        server.answer(200, other.read_bytes())
        return run_cli("reproduce", str(was), "--against", "7", *options)

    code, out, err = run(became)
    assert (code, err) == (5, "")
    assert out.splitlines() == [
        "different: 8 of 9 points are the same to the last bit, and 1 are beyond 0.001 of their size",
        'first other bit: valid_loss of "he", seed 0, epoch 0, 1.5 became 1.6',
        'first beyond tolerance: valid_loss of "he", seed 0, epoch 0, 1.5 became 1.6',
        "largest difference of valid_loss: 0.1",
    ]
    assert server.asked[-1].path == "/experiments/7/bundle.zip"
    code, out, _ = run(became, "--tolerance", "0.1", "--json")
    assert (code, json.loads(out)["result"], json.loads(out)["experiment"]) == (0, "within tolerance", 7)
    assert run(became, "--tolerance", "0.1", "--exact", "--quiet")[:2] == (5, "")
    code, out, _ = run(was)
    assert (code, out) == (0, "identical: all 9 points of experiment 7 are the same, bit by bit\n")


def test_sentences_leave_out_what_is_too_much(experiment: dict[str, Any]) -> None:
    runs = [{"arm": "a", "seed": i, "was": "completed", "became": None} for i in range(7)]
    one = Experiment(Transport("http://127.0.0.1", "", 0.0), experiment)
    told = sentences(Reproduction(one, Comparison(points=1, beyond=1, runs=runs)))
    assert told[-1] == "and 2 more"
