"""A catalogue finds the records that exist, in the order of their ranks, and refuses what is half added."""

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.catalogue import Catalogue
from core.errors import NotFound

PACKAGE = """
from core.catalogue import Catalogue
from tests.core.test_catalogue import Planet
planets = Catalogue[Planet]("planet", __name__, unique=["symbol"])
"""
FILES = {
    "_shared.py": """
from planets import planets
from tests.core.test_catalogue import Planet
def add_giant(name, rank):
    planets.add(Planet(name, rank, symbol=name[0]))
""",
    "venus.py": """
from planets import planets
from tests.core.test_catalogue import Planet
venus = planets.add(Planet("venus", 2, symbol="♀"))
""",
    "giants.py": """
from planets._shared import add_giant
add_giant("saturn", 6)
add_giant("jupiter", 5)
""",
}
MERCURY = """
from planets import planets
from tests.core.test_catalogue import Planet
planets.add(Planet({name!r}, {rank}, symbol={symbol!r}))
"""


@dataclass(frozen=True)
class Planet:
    name: str
    rank: int
    symbol: str


Make = Callable[..., Catalogue[Planet]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Write the package with more files beside its own, and return its catalogue."""

    def write(**more: str) -> Catalogue[Planet]:
        folder = tmp_path / "planets"
        folder.mkdir()
        for name, text in ({"__init__.py": PACKAGE} | FILES | {f"{key}.py": more[key] for key in more}).items():
            (folder / name).write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        catalogue: Catalogue[Planet] = importlib.import_module("planets").planets
        return catalogue

    yield write
    for name in [name for name in sys.modules if name.split(".")[0] == "planets"]:
        del sys.modules[name]


def test_a_record_exists_by_its_file_and_stands_where_its_rank_says(make: Make) -> None:
    planets = make(mercury=MERCURY.format(name="mercury", rank=1, symbol="☿"))
    assert list(planets) == ["mercury", "venus", "jupiter", "saturn"]
    assert [planet.rank for planet in planets.values()] == [1, 2, 5, 6]
    assert len(planets) == 4
    assert planets["venus"] == Planet("venus", 2, "♀")


@pytest.mark.parametrize("look", [len, list, lambda planets: planets["venus"], lambda planets: "venus" in planets])
def test_any_first_look_imports_the_files(make: Make, look: Callable[[Catalogue[Planet]], object]) -> None:
    assert look(make())
    assert "planets.giants" in sys.modules


def test_a_file_that_was_imported_before_counts(make: Make) -> None:
    planets = make()
    importlib.import_module("planets.venus")
    importlib.import_module("planets.giants")
    assert len(planets) == 3


def test_equal_ranks_are_ordered_by_name(make: Make) -> None:
    files = {"a": "neptune", "b": "ceres"}
    planets = make(**{file: MERCURY.format(name=name, rank=5, symbol=name) for file, name in files.items()})
    assert list(planets) == ["venus", "ceres", "jupiter", "neptune", "saturn"]


def test_a_file_that_registers_nothing_is_refused(make: Make) -> None:
    planets = make(pluto="from planets.venus import venus\n")
    for _ in range(2):
        with pytest.raises(ImportError, match=r"^planets\.pluto registers no planet: add"):
            list(planets)


@pytest.mark.parametrize(
    ("name", "symbol", "words"),
    [
        ("venus", "☿", "planet 'venus': the name 'venus' is already registered"),
        ("mercury", "♀", "planet 'mercury': the symbol '♀' is already registered, as 'venus'"),
    ],
)
def test_what_is_unique_is_taken_once(make: Make, name: str, symbol: str, words: str) -> None:
    planets = make(zz=MERCURY.format(name=name, rank=2, symbol=symbol))
    with pytest.raises(ValueError, match=f"^{words}$"):
        list(planets)


def test_an_unknown_name_is_refused_with_the_nearest(make: Make) -> None:
    planets = make()
    assert "vennus" not in planets
    for look in (planets.__getitem__, planets.get):
        with pytest.raises(NotFound, match="unknown planet 'vennus'; did you mean 'venus'") as caught:
            look("vennus")
        assert caught.value.problems[0].known == ("venus",)
