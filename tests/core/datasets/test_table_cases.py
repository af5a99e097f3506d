"""Tables as people send them: each is read right, read with a note, or refused with the option that says what it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.datasets.tables import rows
from tests.core.datasets.uploading import add, loaded, notes, npz, parquet_of, problems, refused, told, values

pytestmark = pytest.mark.slow  # many files, a second in all

OPEN = b'x,y,note\n1,0,a\n2,1,"5 inch\n3,0,b\n4,1,c\n'


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (OPEN, "the quote opened in row 3 never closes"),
        (OPEN + b'5,0,"6 inch\n', "the quote opened in row 3 closes in the middle of a value"),
        (OPEN + b'5,0,6 inch"\n6,1,d\n', "the quote opened in row 3 closes 3 lines later"),
        (b'x,note,y\n1,a,0\n2,"wide,1\n3,tall",0\n4,b,1\n5,c,0\n', "the quote opened in row 3 closes 1 lines later"),
        (b'x;note;y\r\n1;"a;0\r\n2;b";1\r\n4;b;1\r\n', "the quote opened in row 2 closes 1 lines later"),
        (b'note,x,y\n"wide,3,1\ntall",3,0\n4,b,1\n', "the quote opened in row 2 closes 1 lines later"),
        (b'x,y,note\n1,0,"a\nb"\n2,1,"' + b"z" * 200_000, "row 3 has a value longer than 131,072 characters"),
    ],
    ids=["to the end", "to the next", "to an end", "over two lines", "with semicolons", "first", "without end"],
)
def test_a_quote_that_does_not_close_where_it_should_is_named(tmp_path: Path, data: bytes, text: str) -> None:
    """D1: it swallowed the rows after it."""
    assert text in refused(tmp_path, data, "t.csv", target=["y"], drop=["note"])


def test_a_text_of_several_lines_stays_one_value(tmp_path: Path) -> None:
    _, found = values(tmp_path, b'x,y,note\n1,0,"a, b\nc\nd"\n2,1,e\n', drop=["note"])
    assert told(found, "values of several lines")


def test_lines_of_a_value_that_may_be_rows_are_told(tmp_path: Path) -> None:
    """Where numbers tell that they are none, nothing is said; where there are no numbers, it may be either."""
    data = b'a,note,y\nk,x,no\nl,"dear, Bob\nyours, Al",yes\nm,z,no\n'
    assert told(values(tmp_path, data)[1], "file: the lines of a value in row 3 would be rows of the table without")
    data = b'x,note,y\n1,x,0\n2,"dear, Bob\nyours, Al",1\n3,z,0\n'
    assert not told(values(tmp_path, data)[1], "would be rows")


def test_the_rule_for_the_task_is_told(tmp_path: Path) -> None:
    """D5: 21 whole numbers are amounts, 20 are classes, and the note says so and what to say instead."""
    for count, task in ((20, "multiclass"), (21, "regression")):
        data = b"x,y\n" + b"".join(b"%d,%d\n" % (i * i, i % count) for i in range(42))
        about = add(tmp_path, data, "t.csv", name=f"t{count}", target=["y"])
        other = "regression" if task == "multiclass" else "multiclass"
        assert about.task == task
        assert told(notes(about), f"task: target 'y' has {count} different whole numbers", f"say task={other}")


def test_rows_of_numbers_in_npz_are_the_numbers_of_the_csv(tmp_path: Path) -> None:
    """D6: they were not standardised: .39 of the wines were told apart where the table gave .94."""
    rng = np.random.default_rng(0)
    x, y = np.round(rng.normal(size=(60, 4)) * [1, 10, 100, 0] + 5, 3), rng.integers(0, 3, 60)
    csv = "a,b,c,d,y\n" + "".join(
        ",".join(map(repr, [*map(float, row), int(k)])) + "\n" for row, k in zip(x, y, strict=True)
    )
    add(tmp_path, csv.encode(), "t.csv", name="table", target=["y"])
    add(tmp_path, npz(x=x, y=y), "t.npz", name="arrays")
    one, two = loaded(tmp_path, id="table"), loaded(tmp_path, id="arrays")
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_an_index_that_pandas_wrote_is_no_feature(tmp_path: Path) -> None:
    """D8: with sorted labels it gave the answer away."""
    frame = pd.DataFrame({"x": [5.0, 1, 2, 7], "y": [0, 1, 0, 1]})
    for name, table in (("rest", frame[frame.x > 1]), ("named", frame.assign(id=[3, 5, 9, 4]).set_index("id"))):
        frame_file = tmp_path / f"{name}.parquet"
        table.to_parquet(frame_file)
        about = add(tmp_path / "in", frame_file.read_bytes(), "t.parquet", name=name, target=["y"])
        assert [column.name for column in about.columns] == ["x"]
        assert told(notes(about), "is the index that pandas wrote")
    for data in (frame.to_csv().encode(), b"Unnamed: 0,x,y\n7,5,0\n1,1,1\n2,2,0\n"):
        assert told(values(tmp_path, data)[1], "numbers the rows and has no name of its own: left out")


@pytest.mark.parametrize(
    ("data", "sign"),
    [
        (b"x;y\n1;0\n2;1\n", "semicolon"),
        (b"x\ty\n1\t0\n2\t1\n", "tab"),
        (b"x|y\n1|0\n2|1\n", "pipe"),
        (b"x y\n1 0\n2 1\n", "space"),
        (b'"x";"a, b";y\n1;"p, q";0\n2;"r, s, t";1\n', "semicolon"),
    ],
)
def test_the_separator_is_that_of_the_first_rows(tmp_path: Path, data: bytes, sign: str) -> None:
    """D13."""
    got, found = values(tmp_path, data)
    assert [row[0] for row in got] == [1, 2]
    assert f"separator: the values are separated by {sign}, by the first rows" in found


def test_other_words_for_the_separator(tmp_path: Path) -> None:
    assert values(tmp_path, b"sep=;\nx;y\n1,5;0\n2;1\n")[0] == [[1.5], [2]]
    assert values(tmp_path, b"x!y\n1!0\n2!1\n", separator="!")[0] == [[1], [2]]
    assert values(tmp_path, b"x;y\n1;0\n2;1\n", separator="semicolon")[1][0].startswith("task")
    both = b"a,b;c\n1,2;0\n3,4;1\n"
    assert refused(tmp_path / "in", both, "t.csv", target=["y"]).startswith(
        "separator: the values may be separated by comma or"
    )
    assert values(tmp_path, both, target=["c"], separator=";", categorical=["a,b"])[0] == [[0], [1]]


@pytest.mark.parametrize(
    ("data", "filename", "options", "sign"),
    [
        (b"x:y\n1:0\n2:1\n", "t.csv", {}, "separator=:"),
        (b"x^y\n1^0\n2^1\n", "t.csv", {}, "separator=^"),
        (b"sep=;\nx,y\n1,0\n2,1\n", "t.csv", {}, "separator=comma"),
        (b"p;q;y\n1;2;0\n2;3;1\n", "t.csv", {"separator": ","}, "separator=semicolon"),
        (b"p:q:y\n1:2:0\n2:3:1\n", "t.csv", {"target": []}, "separator=:"),
        (b"x:y\n1:0\n2:1\n", "t.csv", {"target": ["x:y"]}, "separator=:"),
        (b"x\1y\n1\0010\n2\0011\n", "t.csv", {}, "separates the values, say separator"),
    ],
    ids=str,
)
def test_a_separator_that_is_not_tried_is_named(
    tmp_path: Path, data: bytes, filename: str, options: dict[str, Any], sign: str
) -> None:
    """One was told of a header row that was wrong."""
    told_of = refused(tmp_path, data, filename, **({"target": ["y"]} | options))
    assert sign in told_of
    assert "header=false" not in told_of


def test_a_tsv_without_tabs_is_read_by_its_first_rows(tmp_path: Path) -> None:
    got, found = values(tmp_path, b"x;y\n1;0\n2;1\n", "t.tsv")
    assert (got, told(found, "separator: the values are separated by semicolon")) == ([[1], [2]], True)
    assert values(tmp_path, b"x,y\n1,0\n2,1\n", "t.tsv")[0] == [[1], [2]]


def test_a_file_without_a_header_is_named_and_read(tmp_path: Path) -> None:
    """D14."""
    data = b"5.1,3.5,0\n4.9,3.0,1\n4.7,3.2,0\n"
    assert refused(tmp_path, data, "t.csv", target=["y"]).startswith(
        "header: the first row, '5.1', '3.5', '0', has no column 'y' and looks like data: say header=false"
    )
    assert values(tmp_path, data, header=False, target=["column_3"])[0] == [[5.1, 3.5], [4.9, 3.0], [4.7, 3.2]]
    assert told(values(tmp_path, data, target=["0"])[1], "header: the first row, '5.1', '3.5', '0', was taken as names")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_wide_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    """D15."""
    assert values(tmp_path, "x,t,y\n1,é,0\n2,ü,1\n".encode(encoding))[0] == [[1, 0], [2, 1]]


def test_other_encodings_are_named(tmp_path: Path) -> None:
    data = "x,t,y\n1,é,0\n2,ü,1\n".encode("cp1252")
    assert refused(tmp_path, data, "t.csv", target=["y"]).startswith("encoding: column 't', near row 2, is not UTF-8")
    about = add(tmp_path, data, "t.csv", target=["y"], encoding="cp1252")
    assert about.columns[1].categories == ["é", "ü"]
    assert refused(tmp_path / "in", data, "t.csv", target=["y"], encoding="klingon").startswith(
        "encoding: is no encoding"
    )


@pytest.mark.parametrize("mark", ["?", "-", "n/a", "None", "#N/A", "."])
@pytest.mark.parametrize("most", [False, True])
def test_a_marker_among_numbers_is_a_missing_value(tmp_path: Path, mark: str, most: bool) -> None:
    """D16: even where most rows have it, the column is not text."""
    texts = ["1", mark, mark, mark, "4"] if most else ["1", "2", mark, "4", "5"]
    data = "x,y\n" + "".join(f"{text},{i % 2}\n" for i, text in enumerate(texts))
    got, found = values(tmp_path, data.encode(), missing="impute")
    assert [np.isnan(row[0]) for row in got] == [text == mark for text in texts]
    assert told(found, f"columns.x: {mark!r} in {texts.count(mark)} rows stand among numbers")
    first = "the first" if most else "a missing value"
    assert f"{first} ({mark!r}) in row {texts.index(mark) + 2}" in refused(
        tmp_path / "in", data.encode(), "t.csv", target=["y"]
    )


def test_what_is_missing_may_be_said(tmp_path: Path) -> None:
    """D17: NA is Namibia."""
    data = b"c,y\nNA,0\nDE,1\nZZ,1\nNA,0\n"
    assert "2 missing values, the first ('NA') in row 2" in refused(tmp_path, data, "t.csv", target=["y"])
    assert "missing_values says what is one" in refused(tmp_path, data, "t.csv", target=["y"])
    assert values(tmp_path, data, missing_values=[""])[0] == [[1], [0], [2], [1]]
    got, _ = values(tmp_path, data, missing_values=["ZZ,-"], missing="impute")
    assert [np.isnan(row[0]) for row in got] == [False, False, True, False]
    _, found = values(tmp_path, b"c,y\n?,0\nDE,1\nFR,1\n")
    assert told(found, "columns.c: '?' in 1 rows is a category of its own", "missing_values=?")


def test_a_column_of_too_many_texts_is_refused_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D19: 12,000,000 ids took 12 GB and no answer came. Here the rest of the file is never asked for."""
    asked = 0
    original = rows._Gathered._sound

    def counted(self: Any, batch: Any) -> Any:
        nonlocal asked
        asked += len(batch)
        return original(self, batch)

    monkeypatch.setattr(rows._Gathered, "_sound", counted)
    data = b"id,y\n" + b"".join(b"user-%d,%d\n" % (i, i % 2) for i in range(200_000))
    assert refused(tmp_path, data, "t.csv", target=["y"]).startswith(
        "file: text column 'id' has more than 100 different"
    )
    assert asked <= 2 * rows.BATCH
    classes = data.replace(b"id,y", b"y,x")
    assert refused(tmp_path, classes, "t.csv", target=["y"]).startswith(
        "file: text column 'y' has more than 1,000 classes"
    )


def test_classes_with_one_example_are_told(tmp_path: Path) -> None:
    """D20."""
    _, found = values(tmp_path, b"x,y\n1,a\n2,b\n3,c\n4,d\n5,d\n")
    assert told(found, "target: there are 3 classes, 'a', 'b', 'c' with one example")


def test_rows_are_the_spreadsheets(tmp_path: Path) -> None:
    """D21: blank rows count, and so does a text of two lines as one."""
    assert "row 5: 'foo' stands among" in refused(tmp_path, b"x,y\n1,0\n\n\nfoo,1\n3,1\n", "t.csv", target=["y"])
    data = b'x,t,y\n1,"a\nb",0\n\n,,\n2,a,1\nfoo,b,1\n3,b,0\n'
    assert "row 6: 'foo' stands among" in refused(tmp_path, data, "t.csv", target=["y"])
    assert refused(tmp_path, b"x,y\n1,0\n\n\n2,1,9\n3,1\n4,0\n", "t.csv", target=["y"]).startswith(
        "file: row 5 has 3 values"
    )


def test_all_problems_come_in_one_answer(tmp_path: Path) -> None:
    data = b"x,z,t,y\n1,a,1,0\nfoo,b,2020-01-01,1\n3,c,2020-01-02,\n4,d,2,1,9\n5,e,2020-01-03,0\nbar,f,2020-01-03,1\n"
    found = problems(tmp_path, data, "t.csv", target=["y"])
    for part in ("row 5 has 5 values", "column 'y' has a missing value in row 4", "row 3: 'foo' stands",
                 "row 7: 'bar' stands", "column 't' holds dates"):  # fmt: skip
        assert any(part in problem for problem in found), (part, found)


def test_without_a_target_the_columns_are_listed(tmp_path: Path) -> None:
    """D23."""
    data = b"RowNumber,a,b\n1,2,3\n2,3,4\n"
    assert refused(tmp_path, data, "t.csv").endswith(
        "should name the column that is to be learned; columns: RowNumber, a, b"
    )
    wide = ",".join(f"c{i}" for i in range(400)).encode() + b"\n" + b",".join([b"1"] * 400) + b"\n"
    wide += b",".join([b"2"] * 400)
    for target in ([], ["yyy"]):
        told_of = refused(tmp_path, wide, "t.csv", target=target).removesuffix(
            "; if the first row is data and no header, say header=false"
        )
        assert told_of.endswith(", c28, c29, and 370 more")


def test_columns_without_a_name(tmp_path: Path) -> None:
    """Those of a header with gaps are an index, empty, or called by their place; without a header all are kept."""
    assert values(tmp_path, b"1,5,0\n2,7,1\n3,2,0\n", header=False, target=["column_3"])[0] == [[1, 5], [2, 7], [3, 2]]
    got, found = values(tmp_path, b"x,,y,\n1,5,0,\n2,3,1,\n")
    assert (got, told(found, "'column_4' has neither a name nor values: left out")) == ([[1, 5], [2, 3]], True)
    assert values(tmp_path, b"x,y\n1,0,\n2,1,\n")[0] == [[1], [2]]


def test_a_title_above_the_header_is_named(tmp_path: Path) -> None:
    told_of = refused(tmp_path, b"# of 2020\nx,y\n1,0\n2,1\n", "t.csv", target=["y"])
    assert told_of.startswith("separator: the first row has one value, '# of 2020', and row 2 has 2: remove a title")


@pytest.mark.parametrize("texts", [["10 kg", "12 kg"], ["1_000", "2_000"], ["5-7", "8-9"], ["£5m", "£6m"]])
def test_texts_that_begin_like_numbers_are_told(tmp_path: Path, texts: list[str]) -> None:
    _, found = values(tmp_path, f"x,y\n{texts[0]},0\n{texts[1]},1\n".encode())
    assert told(found, f"columns.x: values such as {texts[0]!r} begin like numbers")


@pytest.mark.parametrize("name", ["base64", "punycode", "unicode_escape"])
def test_codecs_that_are_no_encodings_of_files(tmp_path: Path, name: str) -> None:
    told_of = refused(tmp_path, b"x,y\n1,0\n2,1\n", "t.csv", target=["y"], encoding=name)
    assert told_of == f"encoding: {name!r} is no encoding of texts"


def test_a_header_of_texts_that_may_be_data(tmp_path: Path) -> None:
    data = b"a,b,no\nc,d,yes\ne,f,no\n"
    assert refused(tmp_path, data, "t.csv", target=["y"]).endswith(
        "if the first row is data and no header, say header=false"
    )
    assert values(tmp_path, data, header=False, target=["column_3"])[0] == [[0, 0], [1, 1], [2, 2]]


def test_millions_of_texts_in_parquet_are_refused_by_the_first(tmp_path: Path) -> None:
    data = parquet_of(id=[f"user-{i}" for i in range(300_000)], y=[0, 1] * 150_000)
    assert refused(tmp_path, data, "t.parquet", target=["y"]).startswith(
        "file: text column 'id' has more than 100 different values"
    )
