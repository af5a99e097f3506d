"""Files that are cut off, broken, of another encoding or out of order: refused by name, or what is lost is noted."""

from pathlib import Path
from struct import pack

import pyarrow as pa
import pytest
from pyarrow import parquet

from initlab.exports.tensorboard import write_record
from initlab.imports import mlflow, sources, tensorboard, wandb
from initlab.imports.mapping import plan
from initlab.imports.rules import Rules
from initlab.imports.runs import ImportFailed
from initlab.imports.sources import Place
from initlab.imports.tables import Columns, read_csv, read_parquet
from tests.initlab.imports.written import TENSORBOARD, WANDB, unpacked

BY = Columns(keys=("arm", "seed"))


def varint(number: int) -> bytes:
    found = b""
    while number >= 0x80:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def event(step: int, tag: str, value: float, *, seconds: float = 1.7e9, raw: bytes | None = None) -> bytes:
    """Return an `Event` of one scalar, as torch.utils.tensorboard writes it."""
    simple = pack("<Bf", 0x15, value) if raw is None else raw
    summary = field(1, field(1, tag.encode()) + simple)
    return b"\x09" + pack("<d", seconds) + b"\x10" + varint(step % 2**64) + field(5, summary)


def events(path: Path, *records: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        for record in records:
            write_record(out, record)
    return path


def series(folder: Path, metric: str = "loss") -> tuple[list[int], list[float]]:
    (run,) = sources.read(Place(source="tensorboard", at=str(folder)), Rules())
    return list(run.series[metric].steps), list(run.series[metric].values)


def test_a_resumed_training_has_several_files_and_the_last_values_of_a_step(tmp_path: Path) -> None:
    """A training that went on at its checkpoint has logged the updates after it twice, in the order of its files."""
    first = [event(step, "loss", 8 - step) for step in range(6)]
    again = [event(step, "loss", 80 - step, seconds=1.8e9) for step in range(4, 8)]
    events(tmp_path / "run" / "events.out.tfevents.1700000000.a.1.0", *first)
    events(tmp_path / "run" / "events.out.tfevents.1800000000.a.2.0", *again)
    assert series(tmp_path) == ([*range(8)], [8, 7, 6, 5, 76, 75, 74, 73])


def test_steps_that_are_out_of_order_or_come_twice_rise(tmp_path: Path) -> None:
    said = [(3, 1.0), (1, 2.0), (3, 4.0), (-1, 9.0), (2, 8.0)]
    events(tmp_path / "run" / "a.tfevents.1", *(event(step, "loss", value) for step, value in said))
    assert series(tmp_path) == ([1, 2, 3], [2.0, 8.0, 4.0])


def test_values_that_are_not_finite_come_as_they_are(tmp_path: Path) -> None:
    said = (1.0, float("inf"), float("-inf"), float("nan"))
    events(tmp_path / "run" / "a.tfevents.1", *(event(step, "loss", value) for step, value in enumerate(said)))
    assert repr(series(tmp_path)[1]) == "[1.0, inf, -inf, nan]"


@pytest.mark.parametrize(
    "broken",
    [
        event(1, "loss", 0, raw=field(2, b"\x00\x01")),  # a float of two bytes
        event(1, "loss", 0, raw=field(8, b"\x08\x01\x2a\x02\x00\x00")),  # a tensor of half a float
        b"\x09" + pack("<d", 1.0) + b"\x10" + b"\xff" * 9 + b"\x7f" + field(5, field(1, field(1, b"loss"))),
        b"\x09" + pack("<d", 1.0) + b"\x10" + b"\xff" * 12,  # a step without an end
        field(5, b"\xff" * 20),
        b"",
    ],
    ids=["float", "tensor", "step", "endless step", "summary", "empty"],
)
def test_an_event_that_is_broken_costs_that_event(tmp_path: Path, broken: bytes) -> None:
    events(tmp_path / "run" / "a.tfevents.1", event(0, "loss", 2.0), broken, event(2, "loss", 1.0))
    assert series(tmp_path) == ([0, 2], [2.0, 1.0])


@pytest.mark.parametrize("tail", [b"\x10\x00\x00", pack("<Q", 2**63) + bytes(40)], ids=["short", "size"])
def test_what_is_left_out_of_a_file_that_ends_amid_a_record_is_noted(tmp_path: Path, tail: bytes) -> None:
    path = events(tmp_path / "adam" / "seed_0" / "a.tfevents.1", event(0, "loss", 2.0))
    with path.open("ab") as out:
        out.write(tail)
    made = plan(tensorboard.read(tmp_path), Rules())
    assert f"{path}: the last {len(tail)} bytes are no whole record, and are left out" in made.shown()["notes"]


def test_a_folder_that_is_linked_into_itself_is_read_once(tmp_path: Path) -> None:
    events(tmp_path / "run" / "a.tfevents.1", event(0, "loss", 2.0))
    (tmp_path / "run" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert [run.name for run in tensorboard.read(tmp_path)] == ["run"]


def test_a_link_to_nothing_is_passed_over(tmp_path: Path) -> None:
    events(tmp_path / "run" / "a.tfevents.1", event(0, "loss", 2.0))
    (tmp_path / "run" / "b.tfevents.2").symlink_to(tmp_path / "nothing")
    assert series(tmp_path) == ([0], [2.0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("arm,seed,acc\nadám,0,1\n".encode("latin-1"), "is not UTF-8 .byte"),
        ("arm,seed,acc\nadam,0,1\n".encode("utf-16"), "is not UTF-8 .byte 0"),
        (b"arm,seed,acc\nadam,0," + b"1" * 200_000 + b"\n", "is no CSV file: field larger than"),
        (b"arm,seed,step,acc\nadam,0,1e300,1\n", "'1e300' in column 'step' is no whole number"),
        (b"arm,seed,step,acc\nadam,0,99999999999999999999,1\n", "in column 'step' is no whole number"),
        (b"arm,seed,step,acc\nadam,0,nan,1\n", "'nan' in column 'step' is no whole number"),
        (b"", "has no column 'arm'"),
    ],
    ids=["latin-1", "utf-16", "long cell", "far step", "long step", "no step", "empty"],
)
def test_a_table_that_is_none_is_refused_with_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ImportFailed, match=said) as refused:
        read_csv(path, BY)
    assert "a.csv" in str(refused.value)


def test_a_parquet_file_that_was_cut_off_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"arm": ["a"] * 999, "seed": [0] * 999, "acc": [float(i) for i in range(999)]}), path)
    whole = path.read_bytes()
    broken = whole[:4] + bytes(200) + whole[204:]  # in its data, which the footer knows nothing of
    for content in (whole[:-100], whole[:4], broken):
        path.write_bytes(content)
        with pytest.raises(ImportFailed, match=r"a\.parquet is no Parquet file"):
            read_parquet(path, BY)


def test_wandb_files_lose_what_is_broken_and_say_so(tmp_path: Path) -> None:
    path, whole = tmp_path / "run-1.wandb", unpacked(WANDB)
    path.write_bytes(whole[:-30])  # amid its last record
    (run,) = wandb.read(path)
    assert list(run.series["train/loss"].values)[:2] == [1.0, 0.5]
    for place in range(20, len(whole), 7):  # no bytes anywhere end in anything but runs or a refusal
        path.write_bytes(whole[:place] + b"\xff" * 5 + whole[place + 5 :])
        assert len(wandb.read(path)) <= 2
    record = b"\x12\xff"
    path.write_bytes(whole[:7] + pack("<IHB", 0, len(record), 1) + record + whole[7:])
    assert any(f"{path}: 1 records are broken" in note for run in wandb.read(path) for note in run.notes)


def test_bytes_that_are_changed_anywhere_end_event_files_in_no_error(tmp_path: Path) -> None:
    path, whole = tmp_path / "run" / "a.tfevents.1", unpacked(TENSORBOARD)
    path.parent.mkdir()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + b"\xff" * 3 + whole[place + 3 :])
        tensorboard.read(tmp_path)


def test_a_chart_whose_rows_are_short_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    path.write_text('"Step","a - loss","b - loss"\n0,1\n1,0.5,2\n\n1e300,3,3\n')
    found = {run.name: (list(run.series["loss"].steps), list(run.series["loss"].values)) for run in wandb.read(path)}
    assert found == {"a": ([0, 1], [1.0, 0.5]), "b": ([1], [2.0])}


def mlruns(root: Path, metric: str, meta: str = "experiment_id: '1'\nname: nets\nlifecycle_stage: active\n") -> Path:
    """Write a folder as MLflow's FileStore does (mlflow/store/tracking/file_store.py), with one metric."""
    run = root / "mlruns" / "1" / ("a" * 32)
    (run / "metrics" / "val").mkdir(parents=True)
    (run / "params").mkdir()
    (run / "tags").mkdir()
    (root / "mlruns" / "1" / "meta.yaml").write_text(meta)
    (run / "meta.yaml").write_text(f"run_id: {'a' * 32}\nrun_name: r\nstatus: 3\nstart_time: 1700000000000\n")
    (run / "params" / "lr").write_text("0.1")
    (run / "metrics" / "val" / "acc").write_text(metric)
    return run


def test_a_line_that_mlflow_had_not_written_whole_is_noted(tmp_path: Path) -> None:
    path = mlruns(tmp_path, "1 0.5 0\n2 nan 1\nx\n3 1.7976931348623157e+308 2\n\n4 0.") / "metrics" / "val" / "acc"
    (run,) = mlflow.read(str(tmp_path))
    assert (list(run.series["val/acc"].steps), repr(list(run.series["val/acc"].values))) == (
        [0, 1, 2],
        "[0.5, nan, inf]",
    )
    assert run.notes == [f"{path}: 2 lines are no points (time, value, step), and are left out"]


@pytest.mark.parametrize(("meta", "said"), [("", "says nothing"), ("a: [", "is no YAML"), ("- 1\n", "says nothing")])
def test_an_experiment_that_says_nothing_is_refused_with_its_name(tmp_path: Path, meta: str, said: str) -> None:
    mlruns(tmp_path, "1 0.5 0\n", meta)
    with pytest.raises(ImportFailed, match=f"meta.yaml {said}"):
        mlflow.read(str(tmp_path))


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    for content in (b"no database at all, but long enough to be looked at" * 99, b""):
        path.write_bytes(content)
        with pytest.raises(ImportFailed, match=r"mlflow\.db"):
            mlflow.read(str(path))
