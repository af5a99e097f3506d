"""Examples of a plug-in's entries: what their author gave, or values that fit their parameters' schemas."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.derived_examples import derived_example
from api.routes import catalog
from core.schedules import schedules
from tests.core.plugins.planting import planted

HEAD = """
from typing import Annotated, Any, Literal
from pydantic import BaseModel, Field
from core.registry import Count, Positive
from core.schedules import Curve, Schedule, Span, schedules

class Knots(BaseModel):
    at: Annotated[int, Field(ge=5)]
    to: "Knots | None" = None

def constant(base: float, _span: Span) -> Curve:
    return lambda _t: base
"""
ENTRY = '''
@schedules.register(formula="B", source="a test of 2026"{more})
def {name}(*, {parameters}) -> Schedule:
    """Constant."""
    {check}
    return constant
'''


def entry(name: str, parameters: str, check: str = "", more: str = "") -> str:
    return ENTRY.format(name=name, parameters=parameters, check=check, more=more)


PARAMETERS: dict[str, tuple[str, Any]] = {
    "count": ("Count", 1),
    "positive": ("Positive", 1.0),
    "share": ("Annotated[float, Field(gt=0, lt=1)]", 0.5),
    "far": ("Annotated[float, Field(ge=1000, lt=1001)]", 1000.5),
    "least": ("Annotated[int, Field(gt=100)]", 101),
    "most": ("Annotated[int, Field(lt=-7)]", -8),
    "even": ("Annotated[int, Field(ge=7, multiple_of=4)]", 8),
    "named": ("Annotated[float, Field(ge=0, examples=[0.03])]", 0.03),
    "word": ('Literal["linear", "cosine"]', "linear"),
    "only": ('Literal["one"]', "one"),
    "flag": ("bool", True),
    "text": ('Annotated[str, Field(pattern="^[A-Z]+$")]', "A"),
    "long": ("Annotated[str, Field(min_length=3)]", "aaa"),
    "several": ("Annotated[list[Count], Field(min_length=2)]", [1, 2]),
    "either": ("None | Annotated[float, Field(ge=3, le=3)]", 3.0),
    "by_layer": ("dict[str, Positive]", {"a": 1.0}),
    "anything": ("Any", 1),
    "knots": ("Knots", {"at": 10}),
    "list_of": ("list[Knots]", [{"at": 10}]),
    "after": ("schedules.field()", "constant"),
}
"""The type of a parameter, and the value that is derived for it."""


@pytest.fixture(autouse=True)
def _made_anew() -> Iterator[None]:
    catalog._entries.cache_clear()
    yield
    catalog._entries.cache_clear()


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_value_is_derived_of_the_parameters_schema(tmp_path: Path, name: str) -> None:
    of_type, value = PARAMETERS[name]
    with planted(tmp_path, {"own.py": HEAD + entry("own", f"{name}: {of_type}, usual: float = 2.0")}):
        found = derived_example(schedules, "own")
        schedules.parse({"name": "own", **found})
    assert found == {name: value}


def test_parameters_that_have_to_fit_together_are_tried_together(tmp_path: Path) -> None:
    check = 'if not low < high: raise ValueError("high should be above low")'
    with planted(tmp_path, {"own.py": HEAD + entry("own", "low: Positive, high: Positive", check)}):
        found = derived_example(schedules, "own")
        schedules.parse({"name": "own", **found})
    assert found["low"] < found["high"]


def test_what_its_author_gave_comes_first_where_it_is_valid(tmp_path: Path) -> None:
    good, bad = (
        entry(name, "knee: Positive", more=f', example={{"knee": {value}}}')
        for name, value in (("good", 5.0), ("bad", -1.0))
    )
    with planted(tmp_path, {"own.py": HEAD + good + bad}):
        assert derived_example(schedules, "good") == {"knee": 5.0}
        assert derived_example(schedules, "bad") == {"knee": 1.0}


@pytest.mark.parametrize("raised", ["ValueError('never')", "ZeroDivisionError"])
def test_where_no_value_fits_there_is_none(tmp_path: Path, client: TestClient, raised: str) -> None:
    with planted(tmp_path, {"own.py": HEAD + entry("own", "knee: Positive, text: str", f"raise {raised}")}):
        assert client.get("/catalog/schedules/own").json()["example"] == {}


def test_the_catalogue_has_it(tmp_path: Path, client: TestClient) -> None:
    with planted(tmp_path, {"own.py": HEAD + entry("own", "knee: Positive, to: Literal['a', 'b']")}):
        found = client.get("/catalog/schedules/own").json()
        assert (found["plugin"], found["example"]) == ("own", {"knee": 1.0, "to": "a"})
        assert found in client.get("/catalog/schedules").json()["items"]


def test_an_entry_without_required_parameters_has_none(client: TestClient) -> None:
    assert client.get("/catalog/schedules/cosine").json()["example"] == {}
    assert client.get("/catalog/schedules/step").json()["example"] == {"step_size": 3}
