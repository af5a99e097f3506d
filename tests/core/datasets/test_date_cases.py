"""Dates and times, typed or written: far ones, those of other zones, and those with missing ones among them."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.core.datasets.uploading import add, parquet_of, problems, refused, told, values, zipped

pytestmark = pytest.mark.slow  # many files, a second in all

DAY = dt.date(2020, 3, 14)
DAYS = (DAY - dt.date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        (pa.array([dt.date(9999, 12, 31), DAY]), (dt.date(9999, 12, 31) - dt.date(1970, 1, 1)).days),
        (pa.array([dt.date(1, 1, 1), DAY]), (dt.date(1, 1, 1) - dt.date(1970, 1, 1)).days),
        (pa.array([dt.date(9999, 12, 31), DAY], pa.date64()), (dt.date(9999, 12, 31) - dt.date(1970, 1, 1)).days),
        (pa.array([dt.datetime(9999, 12, 31), dt.datetime(2020, 3, 14)], pa.timestamp("us")), 2932896),
        (pa.array([2932896 * 86_400, DAYS * 86_400], pa.timestamp("s")), 2932896),
        (pa.array([1, DAYS * 86_400 * 10**9], pa.timestamp("ns")), 1 / 86_400e9),
        (pa.array([43_200_000, DAYS * 86_400_000], pa.timestamp("ms", "Mars/Base")), 0.5),
    ],
    ids=lambda of: str(of.type) if isinstance(of, pa.Array) else "",
)
def test_typed_dates_of_any_year_and_unit_are_days(tmp_path: Path, typed: pa.Array, days: float) -> None:
    """Years that nanoseconds have no numbers for, and nanoseconds themselves, ended as a fault of the server."""
    data = parquet_of(x=typed, y=[0, 1])
    got, _ = values(tmp_path, data, "t.parquet", numeric=["x"])
    assert [one for (one,) in got] == pytest.approx([days, DAYS], rel=1e-15)
    assert "column 'x' holds dates" in refused(tmp_path / "in", data, "t.parquet", target=["y"])
    assert values(tmp_path, data, "t.parquet", categorical=["x"])[0] in ([[0], [1]], [[1], [0]])


def test_timestamps_of_a_zone_are_categories_in_utc(tmp_path: Path) -> None:
    """Of a zone that the machine does not know too."""
    for zone in ("Mars/Base", "Europe/Berlin"):
        typed = pa.array([0, 86_400_000], pa.timestamp("ms", zone))
        about = add(tmp_path, parquet_of(x=typed, y=[0, 1]), "t.parquet", zone[:4].lower(), target=["y"], text=["x"])
        assert about.columns[0].categories == ["1970-01-01 00:00:00.000Z", "1970-01-02 00:00:00.000Z"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2], [1.5, 2.5], [[1], [2]]),
        (["1", "2"], [3, 4], [[1], [2]]),
        ([1, 2], pa.array([None, None], pa.null()), [[1], [2]]),
        ([1, 2], pa.array([dt.time(1), dt.time(2)]), None),
        ([True, False], [dt.date(2020, 1, 1)] * 2, None),
    ],
    ids=str,
)
def test_columns_of_two_types_in_two_files(tmp_path: Path, one: Any, other: Any, expected: Any) -> None:
    """Whole numbers in one file and fractions in the other ended as a fault of the server."""
    files = zipped({"train.parquet": parquet_of(x=one, y=[0, 1]), "test.parquet": parquet_of(x=other, y=[0, 1])})
    if expected is None:
        (told_of,) = problems(tmp_path, files, "t.zip", target=["y"], numeric=["x"])
        assert "column 'x' holds" in told_of
        assert "in train.parquet" in told_of
        return
    assert values(tmp_path, files, "t.zip", missing="impute")[0] == expected


@pytest.mark.parametrize(
    ("texts", "marker", "hours"),
    [
        (["2020-03-14", "unknown", "2020-03-15", "2020-03-16"], "'unknown'", False),
        (["3/14/2020", "?", "3/15/2020", "-"], "'?', '-'", False),
        (["2020-03-14", "0000-00-00", "2020-03-15", "2020-03-16"], "'0000-00-00'", False),
        (["14:30", "n/a", "15:30", "16:30"], "'n/a'", True),
    ],
    ids=str,
)
def test_a_marker_among_dates_is_a_missing_value(tmp_path: Path, texts: list[str], marker: str, hours: bool) -> None:
    """Every good date was blamed."""
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    got, said = values(tmp_path, data.encode(), numeric=["x"], missing="impute")
    first = 14.5 if hours else DAYS
    absent = [not text[-1:].isdigit() or text.startswith("0000") for text in texts]
    assert [math.isnan(one) for (one,) in got] == absent
    assert got[0] == [first]
    assert told(said, f"columns.x: {marker} in {sum(absent)} rows stand among {'times' if hours else 'dates'}")


def test_what_is_no_date_among_dates_is_told_and_the_dates_are_not(tmp_path: Path) -> None:
    data = b"x,y\n2020-03-14,0\nsoon,1\n2020-03-15,0\n2020-03-16,1\n"
    (told_of,) = problems(tmp_path, data, "t.csv", target=["y"], numeric=["x"])
    assert told_of.startswith("file: column 'x', row 3: 'soon' stands among dates (if it means a missing value")


@pytest.mark.parametrize("texts", [["5 Mary", "6 Marco"], ["1 Sun", "2 Sunlight"], ["3 decks", "4 decks"]], ids=str)
def test_words_that_begin_like_months_are_none(tmp_path: Path, texts: list[str]) -> None:
    assert values(tmp_path, f"x,y\n{texts[0]},0\n{texts[1]},1\n".encode())[0] in ([[0], [1]], [[1], [0]])
