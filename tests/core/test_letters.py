"""Names in every script, and what no name may have."""

import pytest

from core.datasets._content import Remarks
from core.datasets.tables.raw import check_names
from core.errors import InvalidSpec
from core.experiments.requests.mlflow.identity import label_of
from core.spec import parse


def _problems(text: str) -> list[tuple[str, str]]:
    found = []
    for name, label in ((text, "a"), ("a", text)):
        try:
            parse({"epochs": 1, "seeds": 1, "name": name, "arms": [{"label": label, "initializer": "zeros"}]})
        except InvalidSpec as error:
            found += [(problem.path, problem.message) for problem in error.problems]
    return found


@pytest.mark.parametrize(
    "label",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: a non-joiner inside a word
        "\u5b66\u7fd2\u3000\u7387",  # Japanese: an ideographic space
        "\U0001f469\u200d\U0001f4bb",  # an emoji of two
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
        "\u0915\u094d\u200d\u0937",  # Hindi: a joiner after a virama
        "\u0600\u0661\u0662",  # Arabic: a sign before a number
        "0,5\u202f%, a\xa0b",
    ],
)
def test_names_are_written_in_any_script(label: str) -> None:
    assert _problems(label) == []


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("a\x00b", "control characters; it has U+0000"),
        ("a\nb", "control characters; it has U+000A"),
        ("a\u2028b", "line breaks; it has U+2028"),
        ("a\u202eb", "invisible characters that set how others are written; it has U+202E"),
        ("a\u2066b", "invisible characters that set how others are written; it has U+2066"),
        ("\u3000", "should not be blank"),
        ("\u200d", "should not be blank"),
    ],
)
def test_what_hides_breaks_or_turns_the_text_is_refused_by_its_code_point(label: str, said: str) -> None:
    found = _problems(label)
    assert {path for path, _ in found} == {"name", "arms[0].label"}
    assert all(said in message for _, message in found)


def test_a_lone_surrogate_is_refused() -> None:
    assert [path for path, _ in _problems("a\ud800b")] == ["name", "arms[0].label"]


def test_columns_and_folders_are_named_in_any_script_too() -> None:
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    check_names([persian, "y"], remarks := Remarks())
    assert remarks.problems == []
    assert label_of(f"{persian}\x00b") == f"{persian} b"
