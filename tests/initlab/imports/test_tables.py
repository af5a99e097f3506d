"""Tables of points and of runs."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from initlab.imports.runs import FoundRun, ImportFailed
from initlab.imports.tables import Columns, read_csv, read_parquet

BY = Columns(keys=("optimizer", "seed"))
WIDE = "optimizer,seed,lr,epoch,loss,acc,note\nadam,0,0.1,0,1.5,,x\nadam,0,0.1,1,0.5,0.75,y\nsgd,0,0.2,0,2,0.25,z\n"


def shown(runs: list[FoundRun]) -> dict[str, Any]:
    return {run.name: {m: (list(s.steps), list(s.values)) for m, s in run.series.items()} for run in runs}


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_row_has_a_point_of_several_metrics(tmp_path: Path, sign: str) -> None:
    (tmp_path / "a.csv").write_text("\ufeff" + WIDE.replace(",", sign), encoding="utf-8")
    runs = read_csv(tmp_path / "a.csv", BY)
    assert shown(runs) == {
        "adam / 0": {"loss": ([0, 1], [1.5, 0.5]), "acc": ([1], [0.75])},
        "sgd / 0": {"loss": ([0], [2.0]), "acc": ([0], [0.25])},
    }
    assert runs[0].config == {"optimizer": "adam", "seed": 0, "lr": 0.1}


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(WIDE)
    columns = list(zip(*(line.split(",") for line in WIDE.splitlines()[1:]), strict=True))
    typed: list[Any] = [columns[0], *([float(v) if v else None for v in c] for c in columns[1:6]), columns[6]]
    parquet.write_table(pa.table(typed, names=WIDE.splitlines()[0].split(",")), tmp_path / "a.parquet")
    read = read_parquet(tmp_path / "a.parquet", BY)
    assert [one.series for one in read] == [one.series for one in read_csv(tmp_path / "a.csv", BY)]
    (tmp_path / "b.parquet").write_text("no")
    with pytest.raises(ImportFailed, match="is no Parquet file"):
        read_parquet(tmp_path / "b.parquet", BY)


def test_a_row_may_be_a_whole_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("optimizer,seed,acc\nadam,0,0.5\nadam,1,0.75\n")
    assert shown(read_csv(tmp_path / "a.csv", BY)) == {
        "adam / 0": {"acc": ([0], [0.5])},
        "adam / 1": {"acc": ([0], [0.75])},
    }


def test_what_initlab_metrics_prints_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "run_id,arm,seed,metric,unit,step,value\n4,he,0,loss,step,0,2.5\n4,he,0,loss,step,1,\n4,he,0,acc,epoch,0,0.5\n"
    )
    (run,) = read_csv(tmp_path / "a.csv", Columns(keys=("arm", "seed"), run="run_id"))
    assert (run.name, list(run.series["loss"].steps), list(run.series["acc"].values)) == ("4", [0, 1], [0.5])
    assert str(run.series["loss"].values[1]) == "nan"
    assert run.by_epochs == {"acc"}


@pytest.mark.parametrize(
    ("column", "counted"), [("epoch", {"acc"}), ("Epoch_nr", {"acc"}), ("step", set()), ("depoch", set())]
)
def test_a_column_may_say_that_it_counts_epochs(tmp_path: Path, column: str, counted: set[str]) -> None:
    (tmp_path / "a.csv").write_text(f"optimizer,seed,{column},acc\nadam,0,0,0.5\nadam,0,1,0.75\n")
    (run,) = read_csv(tmp_path / "a.csv", Columns(keys=("optimizer", "seed"), step=column, metrics=("acc",)))
    assert run.by_epochs == counted


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("optimizer,seed,acc\nadam,0\n", BY, "row 2: 2 cells, where the header has 3"),
        (
            "optimizer,seed,acc\nadam,0,high\n",
            Columns(keys=("seed",), metrics=("acc",)),
            "'high' in column 'acc' is no number",
        ),
        ("optimizer,seed,step,acc\nadam,0,0.5,1\n", BY, "'0.5' in column 'step' is no whole number"),
        ("optimizer,seed,step,acc\nadam,0,1,1\nadam,0,1,2\n", BY, "several values of acc at one step.*--run"),
        ("opt,seed\n", BY, "has no column 'optimizer'; it has: opt, seed"),
        ("a,a\n", Columns(keys=()), "two columns that are called 'a'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path: Path, text: str, columns: Columns, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ImportFailed, match=said):
        read_csv(tmp_path / "a.csv", columns)
