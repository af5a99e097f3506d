"""A registry finds what exists, reads what it takes, and refuses the rest with the path to it."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from core.errors import NotFound, Problem
from core.registry import NESTING, Entry, Registry, invalid, join_path, problems_of, unknown

CATALOGUE = {
    "__init__.py": """
from typing import Literal
from core.registry import Registry
shapes = Registry("shape", __name__, common={"colour": (Literal["red", "blue"], "red")})
Shape = shapes.field()
""",
    "square.py": """
from core.registry import Positive
from toys import shapes

@shapes.register(formula="a²", source="Euclid", aliases=["quadrat"], colour="blue")
def square(*, side: Positive = 1.0):
    '''Four equal sides.'''
    return ("square", side)
""",
    "frame.py": """
from core.registry import Positive
from toys import Shape, shapes

@shapes.register(formula="outer - inner", source="Euclid")
def frame(*, outer: Positive, inner: Positive = 1.0, around: Shape = "square"):
    '''A hole in the middle.'''
    if inner >= outer:
        raise ValueError("inner should be less than outer")
    return ("frame", outer, inner, around)
""",
    "_private.py": "",
}


@pytest.fixture
def shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    package = tmp_path / "toys"
    package.mkdir()
    for name, text in CATALOGUE.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("toys").shapes
    for name in [name for name in sys.modules if name.split(".")[0] == "toys"]:
        del sys.modules[name]


def refusal(registry: Registry, raw: object) -> list[Problem]:
    with pytest.raises(PydanticCustomError) as caught:
        registry.parse(raw)
    problems: list[Problem] = (caught.value.context or {})["problems"]
    return problems


def test_an_entry_exists_by_its_file(shapes: Registry, tmp_path: Path) -> None:
    (tmp_path / "toys" / "dot.py").write_text(
        "from toys import shapes\n@shapes.register(formula='0', source='Euclid')\ndef dot():\n    '''No size.'''\n"
    )
    assert list(shapes) == ["dot", "frame", "square"]
    assert len(shapes) == 3


@pytest.mark.parametrize(
    "text", ["", "def dot():\n    'Its decorator is forgotten.'\n", "from toys.square import square\n"]
)
def test_a_file_that_registers_nothing_fails_by_its_name(shapes: Registry, tmp_path: Path, text: str) -> None:
    (tmp_path / "toys" / "dot.py").write_text(text)
    for look_up in (list, len, lambda catalogue: catalogue.parse("square"), lambda catalogue: catalogue["square"]):
        with pytest.raises(ImportError, match=r"toys/dot\.py registers no shape: decorate"):
            look_up(shapes)


def test_a_file_may_be_imported_before_its_catalogue_is_asked(shapes: Registry) -> None:
    assert importlib.import_module("toys.square").square(side=2.0) == ("square", 2.0)
    assert list(shapes) == ["frame", "square"]


def test_a_folder_may_hold_what_entries_share(shapes: Registry, tmp_path: Path) -> None:
    (tmp_path / "toys" / "drawing").mkdir()
    (tmp_path / "toys" / "drawing" / "__init__.py").write_text("")
    assert list(shapes) == ["frame", "square"]


def test_parsing_is_canonical(shapes: Registry) -> None:
    canonical = {
        "name": "frame",
        "outer": 2.0,
        "inner": 1.0,
        "around": {"name": "square", "side": 1.0, "colour": "blue"},
        "colour": "red",
    }
    entry = shapes.parse({"name": "frame", "outer": 2, "around": "quadrat"})
    assert entry.model_dump() == canonical
    assert shapes.parse(canonical) == shapes.parse(entry) == entry


def test_common_parameters_do_not_reach_the_factory(shapes: Registry) -> None:
    entry = shapes.parse({"name": "square", "side": 3.0, "colour": "red"})
    assert entry.parameters() == {"side": 3.0, "colour": "red"}
    assert entry.build() == ("square", 3.0)


def test_a_nested_entry_is_built_by_who_holds_it(shapes: Registry) -> None:
    _, _, _, around = shapes.parse({"name": "frame", "outer": 2.0}).build()
    assert isinstance(around, Entry)
    assert around.build() == ("square", 1.0)


@pytest.mark.parametrize(
    ("raw", "path", "words", "known"),
    [
        ("sqare", "name", "did you mean 'square'?", ("square",)),
        ("\ud800", "name", "known: frame, square", ("frame", "square")),  # without aliases
        ({"side": 1.0}, "name", "should be the name of a shape", ("frame", "square")),
        ({"name": 3}, "name", "should be the name of a shape", ("frame", "square")),
        (7, "", "should be the name of a shape or", ()),
        (None, "", "should be the name of a shape or", ()),
        ({"name": "square", "sid": 1.0}, "sid", "unknown field 'sid'; did you mean 'side'?", ("side",)),
        ({"name": "square", "\ud800": 1.0}, "", "unicode", ()),
        ({"name": "square", 5: 1.0}, "[5]", "Keys should be strings", ()),
        ({"name": "square", "side": "1"}, "side", "valid number", ()),
        ({"name": "square", "side": True}, "side", "valid number", ()),
        ({"name": "square", "side": float("nan")}, "side", "finite", ()),
        ({"name": "square", "side": 0.0}, "side", "greater than 0", ()),
        ({"name": "square", "side": 1e13}, "side", "less than or equal to 1000000000000", ()),
        ({"name": "square", "side": 10**400}, "side", "valid number", ()),
        ({"name": "frame"}, "outer", "Field required", ()),
        ({"name": "frame", "outer": 2.0, "around": "sqare"}, "around.name", "did you mean", ("square",)),
        ({"name": "frame", "outer": 2.0, "around": {"name": "square", "side": -1}}, "around.side", "greater", ()),
    ],
)
def test_what_does_not_fit_is_refused(
    shapes: Registry, raw: object, path: str, words: str, known: tuple[str, ...]
) -> None:
    (problem,) = refusal(shapes, raw)
    assert problem.path == path
    assert words in problem.message
    assert problem.known == known


def test_parameters_that_do_not_fit_together_are_refused_where_they_stand(shapes: Registry) -> None:
    assert refusal(shapes, {"name": "frame", "outer": 1.0}) == [Problem("", "inner should be less than outer")]
    nested = {"name": "frame", "outer": 3.0, "around": {"name": "frame", "outer": 0.5}}
    assert refusal(shapes, nested) == [Problem("around", "inner should be less than outer")]


def test_nesting_has_an_end(shapes: Registry) -> None:
    def nested(levels: int) -> Any:
        raw: Any = "square"
        for _ in range(levels):
            raw = {"name": "frame", "outer": 2.0, "around": raw}
        return raw

    assert shapes.parse(nested(NESTING)).name == "frame"
    for levels in (NESTING + 1, 100_000):
        assert refusal(shapes, nested(levels)) == [Problem("", f"is nested more than {NESTING} levels deep")]


def test_a_name_is_taken_once(shapes: Registry) -> None:
    list(shapes)
    for options in ({"name": "square"}, {"name": "quadrat"}, {"name": "new", "aliases": ["frame"]}):
        with pytest.raises(ValueError, match="already registered"):
            shapes.register(formula="", source="", **options)(lambda: None)


def test_a_parameter_is_keyword_only(shapes: Registry) -> None:
    with pytest.raises(TypeError, match="'side' is not keyword-only"):
        shapes.register(formula="", source="", name="line")(lambda side: side)


def test_the_catalogue_describes_itself(shapes: Registry) -> None:
    described = shapes.describe("quadrat")
    assert {key: described[key] for key in ("kind", "name", "aliases", "formula", "source", "summary")} == {
        "kind": "shape",
        "name": "square",
        "aliases": ("quadrat",),
        "formula": "a²",
        "source": "Euclid",
        "summary": "Four equal sides.",
    }
    assert described["parameters"]["properties"]["side"] == {
        "default": 1.0,
        "exclusiveMinimum": 0,
        "maximum": 1e12,
        "title": "Side",
        "type": "number",
    }
    around = shapes.describe("frame")["parameters"]["properties"]["around"]
    assert around["anyOf"][0] == {"type": "string", "enum": ["frame", "square"]}
    with pytest.raises(NotFound, match="unknown shape 'sqare'; did you mean 'square'"):
        shapes.describe("sqare")


def test_a_model_that_holds_an_entry_says_where_it_fails(shapes: Registry) -> None:
    class Drawing(BaseModel):
        model_config = {"extra": "forbid"}
        shape: shapes.field()  # type: ignore[valid-type]

    assert Drawing.model_validate({"shape": "quadrat"}).model_dump()["shape"]["name"] == "square"
    with pytest.raises(ValueError) as caught:
        Drawing.model_validate({"shape": {"name": "square", "sid": 2}, "shap": 1})
    refused = invalid(caught.value, Drawing)  # type: ignore[arg-type]
    assert [(p.path, p.known) for p in refused.problems] == [("shape.sid", ("side",)), ("shap", ("shape",))]
    assert refused.status == 422


def test_unknown_without_a_near_name_lists_all() -> None:
    assert unknown("plot", "zzz", ["b", "a", "a"], "x") == Problem("x", "unknown plot 'zzz'; known: a, b", ("a", "b"))


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("arms", 1, "initializer.low"), "arms[1].initializer.low"),
        (("", "a"), "a"),
        (("a", ""), "a"),
        (("a", "[3].b"), "a[3].b"),
        ((), ""),
    ],
)
def test_paths_read_as_people_write_them(parts: tuple[str | int, ...], path: str) -> None:
    assert join_path(*parts) == path


def test_no_error_no_problem() -> None:
    assert problems_of([]) == []
