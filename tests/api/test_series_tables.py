"""Series as tables: CSV and Parquet have the points that JSON has, one a row."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pyarrow import ipc, parquet

from api import series as answers
from api.routes import runs

Rows = list[tuple[Any, ...]]


def of_json(client: TestClient, path: str, **query: Any) -> Rows:
    found: Rows = []
    for one in client.get(path, params=query).json()["series"]:
        key = tuple(one[name] for name in ("run_id", "arm", "seed", "metric", "unit"))
        found += [(*key, step, value) for step, value in zip(one["steps"], one["values"], strict=True)]
    return found


@pytest.mark.parametrize("few", [runs.FEW_POINTS, -1], ids=["here", "in another process"])
@pytest.mark.parametrize("query", [{}, {"metric": "train_loss", "max_points": 10}, {"first": 3, "last": 7, "seed": 1}])
def test_tables_have_the_points_of_the_json(
    client: TestClient, trained: str, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any], few: int
) -> None:
    expected = of_json(client, trained, **query)
    monkeypatch.setattr(runs, "FEW_POINTS", few)

    answer = client.get(trained, params=query, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    head, *lines = csv.reader(io.StringIO(answer.text))
    assert head == ["run_id", "arm", "seed", "metric", "unit", "step", "value"]
    found = [(int(r), a, int(s), m, u, int(step), float(v) if v else None) for r, a, s, m, u, step, v in lines]
    assert found == expected

    whole = client.get(trained, params=query | {"format": "parquet"})
    assert whole.headers["content-type"] == "application/vnd.apache.parquet"
    assert whole.headers["etag"] != answer.headers["etag"]
    table = parquet.read_table(io.BytesIO(whole.content))
    assert table.column_names == head
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    assert [row if np.isfinite(row[-1]) else (*row[:-1], None) for row in rows] == expected
    assert any(value is None for *_, value in expected) == any(np.isnan(value) for *_, value in rows)

    stream = client.get(trained, params=query, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert stream.headers["content-type"] == "application/vnd.apache.arrow.stream"
    of_stream = ipc.open_stream(stream.content).read_all()
    assert of_stream.column_names == head
    assert str(of_stream.to_pylist()) == str(table.to_pylist()), "by their words, in which nan is nan"


def test_a_table_of_many_parts_is_one_table(client: TestClient, trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ROWS", 7)
    monkeypatch.setattr(answers, "GROUP", 20)
    expected = of_json(client, trained)
    table = parquet.ParquetFile(io.BytesIO(client.get(trained, params={"format": "parquet"}).content))
    assert table.metadata.num_row_groups > 3
    assert table.read().num_rows == len(expected)
    assert len(client.get(trained, params={"format": "csv"}).text.splitlines()) == len(expected) + 1
    batches = ipc.open_stream(client.get(trained, params={"format": "arrow"}).content)
    assert [batch.num_rows for batch in batches][:2] == [7, 7]


def test_a_run_has_tables_too_and_nothing_is_a_table_without_rows(client: TestClient, trained: str) -> None:
    of_run = client.get("/runs/1/metrics?format=csv&metric=valid_loss").text.splitlines()
    assert of_run[1].startswith('1,"arm 0",0,"valid_loss","epoch",0,')
    assert (
        client.get(f"{trained}?format=csv&repeat=true").text == '"run_id","arm","seed","metric","unit","step","value"\n'
    )
    empty = parquet.read_table(io.BytesIO(client.get(f"{trained}?format=parquet&repeat=true").content))
    assert empty.num_rows == 0
    assert ipc.open_stream(client.get(f"{trained}?format=arrow&repeat=true").content).read_all().num_rows == 0
