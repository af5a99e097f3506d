"""Options that cannot be followed: each is told in words, and all of them in one answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from core.datasets import Options
from tests.core.datasets.uploading import add, npz, picture, problems, refused, sheet, values, zipped

pytestmark = pytest.mark.slow  # many files, a second in all

TABLE = b"x,y\n1,0\n2,1\n"


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        ("separator", "||", "comma, semicolon, tab, pipe, space or a single sign"),
        ("separator", "\n", "comma, semicolon, tab"),
        ("resize", "big", "a side in pixels, such as 32"),
        ("resize", "32\n", "a side in pixels"),
        ("background", "purple", "white, black, grey or a colour such as #ff8000"),
        ("encoding", "ü", "the name of an encoding, such as cp1252"),
    ],
)
def test_what_an_option_may_be_is_said_in_words(option: str, given: str, words: str) -> None:
    """It was said as a pattern."""
    with pytest.raises(ValidationError) as refusal:
        Options.model_validate({option: given})
    assert words in refusal.value.errors()[0]["msg"]
    assert "pattern" in Options.model_json_schema()["properties"][option]["anyOf"][0]


def test_a_tab_may_be_written_out(tmp_path: Path) -> None:
    assert values(tmp_path, b"x\ty\n1\t0\n2\t1\n", separator="\\t")[0] == [[1], [2]]


def test_all_options_that_do_not_apply_are_told(tmp_path: Path) -> None:
    found = problems(tmp_path, TABLE, "t.csv", target=["y"], resize="8", channels="last", background="black")
    assert [one.split(":")[0] for one in found] == ["resize", "background", "channels"]
    takes = found[0].split("which takes: ")[1].split(", ")
    assert len(takes) == len(set(takes))
    dots = zipped({f"{label}/0.png": picture(np.zeros((2, 2), np.uint8)) for label in "ab"})
    assert len(problems(tmp_path, dots, "p.zip", target=["y"], decimal=",")) == 2


def test_a_regression_of_pictures_is_refused_by_its_reason(tmp_path: Path) -> None:
    dots = zipped({f"{label}/0.png": picture(np.zeros((2, 2), np.uint8)) for label in "ab"})
    assert refused(tmp_path, dots, "p.zip", task="regression") == (
        "task: regression needs numbers: pictures are of the classes that their folders name"
    )


def test_an_index_that_is_named_is_a_feature(tmp_path: Path) -> None:
    """It was left out without a word of the option."""
    frame = pd.DataFrame({"x": [5.0, 1, 2, 7], "y": [0, 1, 0, 1], "id": [3, 5, 9, 4]}).set_index("id")
    file = tmp_path / "t.parquet"
    frame.to_parquet(file)
    for i, (option, kind) in enumerate((("numeric", "number"), ("categorical", "text"))):
        said: dict[str, Any] = {option: ["id"]}
        about = add(tmp_path / "in", file.read_bytes(), "t.parquet", f"n{i}", target=["y"], **said)
        assert [(column.name, column.kind) for column in about.columns] == [("x", "number"), ("id", kind)]


def test_too_many_categories_are_not_sent_to_an_option_that_is_refused_beside(tmp_path: Path) -> None:
    data = b"zip,y\n" + b"".join(b"%05d,%d\n" % (i, i % 2) for i in range(20_000))
    told_of = refused(tmp_path, data, "t.csv", target=["y"], categorical=["zip"])
    assert told_of.endswith("has more than 100 different values: drop it, or leave it out of `categorical`")


def test_a_title_above_the_header_of_a_sheet_is_named(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Houses", "", ""], ["x", "z", "y"], [1, 2, "a"], [2, 3, "b"]]
    told_of = refused(tmp_path, sheet(*rows), "t.xlsx", target=["y"])
    assert told_of.endswith("2 of 3 columns have no name: remove a title above the header")


def test_all_that_is_wrong_with_arrays_is_told(tmp_path: Path) -> None:
    x, y = np.array([[1.0, np.nan], [2, 3], [3, 4]]), np.array([0, np.inf, 1])
    found = problems(tmp_path, npz(x_train=x, y_train=y, x_test=x * np.inf, y_test=y), "a.npz")
    assert [one.split(" is")[0] for one in found] == ["file: x_train[0, 1]", "file: x_test[0, 0]", "file: y_train[1]"]
