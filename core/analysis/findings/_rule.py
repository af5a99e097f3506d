"""A rule, what it finds in one run, and the catalogue of all rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from core.analysis.findings._runs import Curves, LayerDiagnostics
from core.catalogue import Catalogue
from core.metrics import Measure
from core.numerals import plain

Run = TypeVar("Run", LayerDiagnostics, Curves)
Bounds = Mapping[str, float]
Numbers = Mapping[str, float | None]
"""Numbers by name; None where one is not finite."""


class Bound(NamedTuple):
    """A number that a rule compares with, and the quantity that it bounds."""

    value: float
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule's finding in one run: the numbers that show it, and the name of the bound that they pass."""

    step: int
    numbers: Mapping[str, float]
    bound: str
    layer: str | None = None
    """The layer that has it the most; None where curves show it."""
    layers: Sequence[str] = ()
    """All layers that have it."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measurement of an arm's runs, as far as explanations depend on it."""

    regression: bool
    train_score: Measure | None
    valid_score: Measure | None
    diagnosed: bool
    """True where the layers were measured."""


Explanation = Callable[[Numbers, Measured], str]


@dataclass(frozen=True, kw_only=True)
class Rule(Generic[Run]):
    """One thing that can be wrong with a run, and how to see it in the layers' diagnostics or in the curves.

    `explanation` is a template: `{layer}`, `{step}` and the finding's numbers are filled in, a share as `{name:%}`.
    Where there are several texts it is a function of the numbers, medians over the runs, that returns the template.
    Raises `ValueError` where the name, the label, the explanation, the bounds or a bound's meaning are empty.
    """

    name: str
    """The finding's `kind` in the report."""
    label: str
    """The finding in words, for people."""
    rank: int
    """Its place in the report, the lowest first; no two rules have the same."""
    looks_at: type[Run]
    bounds: Mapping[str, Bound]
    check: Callable[[Run, Bounds], Finding | None]
    explanation: str | Explanation
    explains: frozenset[str] = frozenset()
    """The names of the rules whose findings follow from it, where it is there no later than they are."""
    unless_explained: bool = False
    """True where it names a cause, which another finding that explains it proves wrong: then nothing is said."""

    def __post_init__(self) -> None:
        said = {"name": self.name, "label": self.label, "bounds": self.bounds}
        said |= {f"meaning of {key!r}": bound.meaning for key, bound in self.bounds.items()}
        said |= {"explanation": self.explanation} if isinstance(self.explanation, str) else {}
        for part, text in said.items():
            if not text:
                raise ValueError(f"finding {self.name!r}: the {part} is missing")

    def __str__(self) -> str:
        return self.name

    def find(self, run: Run) -> Finding | None:
        """Return what is found in one run, None where nothing is."""
        return self.check(run, {name: bound.value for name, bound in self.bounds.items()})

    def explain(self, numbers: Numbers, layer: str | None, step: int, measured: Measured) -> str:
        """Return the explanation with the numbers filled in. Raises `KeyError` for a placeholder without a number."""
        text = self.explanation if isinstance(self.explanation, str) else self.explanation(numbers, measured)
        words: dict[str, Any] = {name: _Number(value) for name, value in numbers.items()}
        return text.format_map(words | {"layer": layer, "step": step})


class _Number(NamedTuple):
    """A number in a template: `{name}` with three digits, `{name:%}` in percent."""

    value: float | None

    def __format__(self, spec: str) -> str:
        if self.value is None:
            return "no finite number"
        return f"{100 * self.value:.3g} %" if spec == "%" else plain(self.value, digits=3)


rules = Catalogue[Rule[Any]]("finding", "core.analysis.findings", unique=["rank", "label"])
