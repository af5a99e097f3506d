"""Numbers and dates in tables as people write them: read with a note, or refused with the option that tells."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.datasets import Uploads
from tests.core.datasets.uploading import add, notes, parquet_of, refused, sheet, told, values

pytestmark = pytest.mark.slow  # many files, a second in all


@pytest.mark.parametrize(
    ("texts", "numbers", "way"),
    [
        (['"1,200"', '"3,400"', "950"], [1200, 3400, 950], "separators of thousands"),
        (['"1,234,567.5"', "2", "-3.25"], [1234567.5, 2, -3.25], "separators of thousands"),
        (['"12,34,567"', "2", "3"], [1234567, 2, 3], "separators of thousands"),
        (["1 200", "3\u00a0400", "5\u202f600"], [1200, 3400, 5600], "separators of thousands"),
        (["1'200", "3’400.5", "7"], [1200, 3400.5, 7], "separators of thousands"),
        (['"1,5"', '"2,25"', "3"], [1.5, 2.25, 3], "decimal comma"),
        (['"0,125"', '"0,250"', '"1,500"'], [0.125, 0.25, 1.5], "decimal comma"),
        (['"1.200,5"', '"3.400"', "7"], [1200.5, 3400, 7], "decimal comma"),
        (["5%", "7 %", "-2.5%"], [5, 7, -2.5], "without their %"),
        (["$5", "-$7.50", '"$1,000"'], [5, -7.5, 1000], "without their currency"),
        (["5 €", '"7,50 €"', "2 €"], [5, 7.5, 2], "without their currency"),
        (["USD 5", "USD 6.5", "7 USD"], [5, 6.5, 7], "without their currency"),
        (["(5)", "7", '"(1,200.50)"'], [-5, 7, -1200.5], "brackets"),
    ],
    ids=lambda v: str(v[0]) if isinstance(v, list) else "",
)
def test_numbers_are_read_however_they_are_written(
    tmp_path: Path, texts: list[str], numbers: list[float], way: str
) -> None:
    """D2, D3: they were categories, a feature each; as a target, classes."""
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    got, found = values(tmp_path, data.encode())
    assert got == [[number] for number in numbers]
    assert told(found, "columns.x: ", way, "categorical=x")
    turned = "y,x\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    about = add(tmp_path, turned.encode(), "t.csv", target=["y"])
    assert (about.task, np.load(Uploads(tmp_path).path(about, "y")).ravel().tolist()) == ("regression", numbers)
    assert told(notes(about), "task: target 'y' is written as amounts are")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            b"x;y\n1,200;0\n3,400;1\n",
            "decimal: column 'x': '1,200' may have a decimal comma or a separator of thousands",
        ),
        (b"x\ty\n1,200\t0\n3,400\t1\n", "decimal: column 'x': '1,200' may have"),
        (b"x,y\n5%,0\n0.07,1\n", "file: column 'x' holds numbers, but some have a % and others do not"),
        ("x,y\n5 €,0\n$7,1\n".encode(), "file: column 'x' holds numbers, but they are in several currencies"),
    ],
)
def test_numbers_that_may_mean_two_things_are_refused(tmp_path: Path, data: bytes, text: str) -> None:
    assert refused(tmp_path, data, "t.csv", target=["y"]).startswith(text)


def test_the_decimal_sign_is_that_which_is_said_or_which_another_column_shows(tmp_path: Path) -> None:
    data = b"x;z;y\n1,200;0,5;0\n3,400;1,25;1\n"
    assert values(tmp_path, data)[0] == [[1.2, 0.5], [3.4, 1.25]]
    alone = b"x;y\n1,200;0\n3,400;1\n"
    assert values(tmp_path, alone, decimal=",")[0] == [[1.2], [3.4]]
    assert values(tmp_path, alone, decimal=".")[0] == [[1200], [3400]]
    points = b"x;y\n1.200;0\n3.400;1\n"
    got, found = values(tmp_path, points)
    assert (got, told(found, "columns.x: every fraction has three digits")) == ([[1.2], [3.4]], True)
    assert values(tmp_path, points, decimal=",")[0] == [[1200], [3400]]


@pytest.mark.parametrize(
    ("texts", "said", "other"),
    [(["1,5", "2,5"], ".", ","), (["1.5", "2.5", "4.125"], ",", "."), (["0,5 €", "foo", "?", "7,25 €"], ".", ",")],
    ids=str,
)
def test_a_decimal_sign_that_does_not_fit_is_refused(tmp_path: Path, texts: list[str], said: str, other: str) -> None:
    """The numbers were categories, a feature each."""
    data = "x;y\n" + "".join(f"{text};{i % 2}\n" for i, text in enumerate(texts))
    told_of = refused(tmp_path, data.encode(), "t.csv", target=["y"], decimal=said)
    assert told_of.startswith(f"decimal: column 'x': {texts[0]!r} is no number with the decimal sign {said!r}")
    assert f"say decimal={other}" in told_of
    assert len(values(tmp_path, data.encode(), decimal=said, categorical=["x"])[0]) == len(texts)


def test_numbers_of_files_with_types_are_no_thousands(tmp_path: Path) -> None:
    """With a decimal comma 1.234 became 1234, though it was a number in its file."""
    lines = b'{"x": 1.234, "t": "0,5", "y": 0}\n{"x": 2.345, "t": "1,25", "y": 1}\n'
    cells = sheet(["x", "t", "y"], [1.234, "0,5", 0], [2.345, "1,25", 1])
    for data, name in ((lines, "t.jsonl"), (cells, "t.xlsx")):
        for said in ({}, {"decimal": ","}):
            assert values(tmp_path, data, name, **said)[0] == [[1.234, 0.5], [2.345, 1.25]]
    got, _ = values(tmp_path, b'{"x": NaN, "y": 0}\n{"x": 2e-300, "y": 1}\n', "t.jsonl", missing="impute")
    assert (np.isnan(got[0][0]), got[1]) == (True, [2e-300])


def test_points_where_the_sign_is_a_comma_are_told(tmp_path: Path) -> None:
    got, found = values(tmp_path, b"x;z;y\n1.5;1,5;0\n2.5;2;1\n", decimal=",")
    assert (got, told(found, "columns.x: its numbers have a decimal point")) == ([[1.5, 1.5], [2.5, 2]], True)
    assert not told(found, "columns.z: its numbers have a decimal point")


def test_three_hundred_prices_are_amounts(tmp_path: Path) -> None:
    """D2: they were 294 classes, and were trained."""
    prices = [1000 + 37 * i for i in range(300)]
    data = "x,y\n" + "".join(f'{i % 7},"{price:,}"\n' for i, price in enumerate(prices))
    assert add(tmp_path, data.encode(), "t.csv", target=["y"]).task == "regression"


DATES = ["2020-03-14", "3/14/2020", "14.3.2020", "14/03/20", "2020-03-14T10:00:00Z", "14 Mar 2020", "March 14, 2020",
         "2020-03-14 10:30", "12:30:00", "2020/3/14", "Sat, 14 Mar 2020",
         "03/2020", "Mar-20",
         "January 2020", "20200314T101500", "20200314 10:15:00", "Mar 14 2020", "Sat Mar 14 10:00:00 2020",
         "Sat Mar 14 10:00:00 UTC 2020", "Saturday, March 14, 2020", "14MAR2020", "14-Mar", "2020-Mar-14", "2020Q1",
         "2020-Q1", "Q1 2020", "2020-W11", "2020-W11-6", "2020-074", "14.03.", "14. März 2020", "14 de marzo de 2020",
         "2020-03-14 10:30:00 EST", "14th March 2020"]  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_dates_are_refused_however_they_are_written(tmp_path: Path, text: str) -> None:
    """D4: some were refused, others a category each."""
    data = f'x,y\n"{text}",0\n"{text}",1\n"{text}",1\n'.encode()
    assert refused(tmp_path, data, "t.csv", target=["y"]).startswith(f"file: column 'x' holds dates, such as {text!r}")
    assert values(tmp_path, data, categorical=["x"])[0] == [[0], [0], [0]]


@pytest.mark.parametrize(
    "texts",
    [
        ["2020-03-14", "1970-01-01", "2020-02-29"],
        ["3/14/2020", "1/1/1970", "2/29/2020"],
        ["14.3.2020", "1.1.1970", "29.2.2020"],
        ["2020-03-14T12:00:00", "1970-01-01T12:00:00", "2020-02-29T12:00:00"],
    ],
    ids=str,
)
def test_dates_may_be_days(tmp_path: Path, texts: list[str]) -> None:
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    noon = 0.5 * ("T" in texts[0])
    days = [(pd.Timestamp(day) - pd.Timestamp(0)).days for day in ("2020-03-14", "1970-01-01", "2020-02-29")]
    assert values(tmp_path, data.encode(), numeric=["x"])[0] == [[day + noon] for day in days]
    typed = parquet_of(x=pd.to_datetime(pd.Series(["2020-03-14", "1970-01-01", "2020-02-29"])), y=[0, 1, 0])
    assert values(tmp_path, typed, "t.parquet", numeric=["x"])[0] == [[day] for day in days]


@pytest.mark.parametrize(
    "texts",
    [
        ["14:30", "00:15", "9:05", "0:00"],
        ["14:30:00", "00:15:00.000", "09:05:00,0", "0:00:00"],
        ["2:30 PM", "12:15 AM", "9:05 AM", "12:00 AM"],
        ["2:30pm", "12:15am", "9:05 a.m.", "12:00am"],
    ],
    ids=str,
)
def test_times_of_day_may_be_hours(tmp_path: Path, texts: list[str]) -> None:
    rows = "".join(f'"{text}",{i % 2}\n' for i, text in enumerate(texts))
    found, said = values(tmp_path, f"x,y\n{rows}".encode(), numeric=["x"])
    assert [one for (one,) in found] == pytest.approx([14.5, 0.25, 9 + 5 / 60, 0.0])
    assert told(said, "columns.x", "hours since midnight")


def test_typed_times_of_day_are_hours_too(tmp_path: Path) -> None:
    times = [dt.time(14, 30), dt.time(0, 15), dt.time(9, 0, 36)]
    for data, name in (
        (parquet_of(x=times, y=[0, 1, 0]), "t.parquet"),
        (sheet(["x", "y"], *([time, i % 2] for i, time in enumerate(times))), "t.xlsx"),
    ):
        found, said = values(tmp_path, data, name, numeric=["x"])
        assert [one for (one,) in found] == pytest.approx([14.5, 0.25, 9.01])
        assert told(said, "columns.x", "hours since midnight")
        assert "hours of a time of day" in refused(tmp_path / name, data, name, target=["y"])


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["75:30", "12:15", "1:00"], "'75:30' is no time of day"),
        (["12:60", "12:15", "1:00"], "'12:60' is no time of day"),
        (["13:00 PM", "12:15 AM", "1:00 AM"], "'13:00 PM' is no time of day"),
        (["2:30 PM", "12:15", "1:00 AM"], "'2:30 PM' says am or pm, '12:15' does not"),
        (["2020-03-14", "12:15", "1:00"], "'12:15' is no date"),
    ],
)
def test_times_that_may_mean_two_things_are_refused(tmp_path: Path, texts: list[str], words: str) -> None:
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    assert words in refused(tmp_path, data.encode(), "t.csv", target=["y"], numeric=["x"])


@pytest.mark.parametrize(
    ("texts", "hours"),
    [
        (["2020-03-14 1:00 PM", "2020-03-14 12:30 am", "2020-03-14"], [13, 0.5, 0]),
        (["2020-03-14T12:00:00+02:00", "2020-03-14 12:00-05:30", "2020-03-14T01:00:00Z"], [10, 17.5, 1]),
        (["2020-03-14 01:00:00.5 UTC", "2020-03-14 12:00 GMT", "2020-03-14 23:59Z"], [1 + 0.5 / 3600, 12, 24 - 1 / 60]),
    ],
    ids=["am and pm", "zones", "UTC"],
)
def test_times_of_dates_are_those_of_utc(tmp_path: Path, texts: list[str], hours: list[float]) -> None:
    """They were read without their am or pm, and without their zone."""
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    expected = [(pd.Timestamp("2020-03-14") - pd.Timestamp(0)).days + hour / 24 for hour in hours]
    assert [one for (one,) in values(tmp_path, data.encode(), numeric=["x"])[0]] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["2020-02-30", "2020-03-01"], "'2020-02-30' is no day of the calendar"),
        (["0000-01-01", "2020-00-01"], "'2020-00-01' is no day of the calendar"),
        (["31.4.2020", "1.4.2020"], "'31.4.2020' is no day of the calendar"),
        (["2020-03-14 25:00", "2020-03-14 1:00"], "'25:00' is no time of day"),
        (["2020-03-14 12:00Z", "2020-03-14 12:00"], "'2020-03-14 12:00' has no time zone, and others have"),
    ],
)
def test_dates_that_are_none_are_refused(tmp_path: Path, texts: list[str], words: str) -> None:
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    assert words in refused(tmp_path, data.encode(), "t.csv", target=["y"], numeric=["x"])


def test_digits_that_look_like_dates_are_noted(tmp_path: Path) -> None:
    data = b"x,y\n20200314,0\n20191231,1\n20200101,0\n"
    assert told(values(tmp_path, data)[1], "columns.x", "look like dates", "numeric=x")
    assert not told(values(tmp_path / "2", data.replace(b"20191231", b"20191399"))[1], "look like dates")
    got, said = values(tmp_path / "3", data, numeric=["x"])
    assert (got[0], told(said, "columns.x", "look like dates")) == ([20200314], True)


def test_a_target_of_amounts_with_units_is_no_class_each(tmp_path: Path) -> None:
    """Of 300 weights in kg each was a class, and they were trained."""
    rows = "".join(f"{i} kg,{i % 7}\n" for i in range(300))
    data = f"y,x\n{rows}".encode()
    assert "write numbers alone" in refused(tmp_path / "1", data, "t.csv", target=["y"])
    assert len(add(tmp_path / "2", data, "t.csv", target=["y"], categorical=["y"]).classes) == 300
    ages = b"y,x\n" + b"".join(b"%d-%d years,%d\n" % (i % 5, i % 5 + 1, i) for i in range(40))
    assert len(add(tmp_path / "3", ages, "t.csv", target=["y"]).classes) == 5


def test_days_and_months_in_an_unknown_order_are_refused(tmp_path: Path) -> None:
    data = b"x,y\n1/2/2020,0\n3/4/2020,1\n"
    assert "may have its day or its month first" in refused(tmp_path, data, "t.csv", target=["y"], numeric=["x"])
