"""Arithmetic in a few names, as text: read by an allow-list and computed on arrays, never run as code."""

import ast
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from core.registry import unknown
from core.schedules._hints import way_out

Array = NDArray[np.float64]
Names = Mapping[str, Array]
Expression = Callable[[Names], Array]
"""The names' values -> the expression's, broadcast; what is not defined is NaN or infinite, by numpy's rules."""

VARIABLES = ("t", "epoch", "step", "total_steps")
LONGEST, DEEPEST = 300, 50

_OPERATORS: dict[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Array, Array], NDArray[np.bool_]]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_OF_ONE: dict[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "cos": np.cos,
    "sin": np.sin,
}
_OF_MANY: dict[str, Callable[[Array, Array], Array]] = {"min": np.minimum, "max": np.maximum}
_FUNCTIONS = (*_OF_ONE, *_OF_MANY)
_TOKEN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])|[A-Za-z_]+(?!\w)|\*\*|//|[<>=!]=|[-+*/%()<>,]| +")


_NAMES: dict[type[ast.expr], str] = {
    ast.BoolOp: "`and` or `or`",
    ast.UnaryOp: "`not` or ~",
    ast.Compare: "a comparison such as `in` or `is`",
    ast.BinOp: "an operator on bits or matrices",
    ast.Call: "a call with more than plain arguments",
    ast.Tuple: "several values",
}
"""Parts of Python that are not read, in words."""


@lru_cache(maxsize=256)
def compiled(source: str) -> Expression:
    """Parse an expression; raises `ValueError` that names what is not allowed in it."""
    at = 0
    while at < len(source):
        token = _TOKEN.match(source, at)
        if token is None:
            raise ValueError(f"is not arithmetic from {source[at : at + 10]!a} on{_or_so(source)}")
        at = token.end()
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"is not a complete expression{_or_so(source)}") from None
    evaluate, _ = _read(tree.body, DEEPEST)
    return evaluate


def _or_so(source: str) -> str:
    hint = way_out(source)
    return f": {hint}" if hint else ""


def _valid(source: str) -> str:
    compiled(source)
    return source


ExpressionText = Annotated[
    str,
    Field(
        max_length=LONGEST,
        description=f"An expression in {', '.join(VARIABLES)}, pi, numbers, + - * / // % **, comparisons, "
        f"`a if c else b` and {', '.join(_FUNCTIONS)}.",
    ),
    AfterValidator(_valid),
]
"""The type of a parameter that holds an expression."""

_Read = tuple[Expression, bool]
"""An expression, and whether it is a number whatever the names' values."""


def _read(node: ast.expr, levels: int) -> _Read:
    if levels == 0:
        raise ValueError(f"is nested more than {DEEPEST} levels deep")
    if isinstance(node, ast.Constant):
        return _number(node, node.value)
    if isinstance(node, ast.Name):
        return _name(node)
    apply, operands = _operation(node)
    read = [_read(operand, levels - 1) for operand in operands]
    parts = [evaluate for evaluate, _ in read]

    def evaluate(names: Names) -> Array:
        return apply(*(part(names) for part in parts))

    if not all(fixed for _, fixed in read):
        return evaluate, False
    with np.errstate(all="ignore"):
        return _number(node, float(evaluate({})))  # at once, so that 9**9**9 is refused whatever t is


def _number(node: ast.expr, value: object) -> _Read:
    if type(value) not in (int, float):
        raise ValueError(f"should hold numbers only, and has {value!r}{_or_so(repr(value))}")
    number = np.array(value, dtype=np.float64)  # LONGEST leaves no whole number too large for that
    if not np.isfinite(number):
        raise ValueError(f"holds {ast.unparse(node)[:40]}, which is not a finite number")
    return lambda _names: number, True


def _name(node: ast.Name) -> _Read:
    name = node.id
    if name == "pi":
        return _number(node, math.pi)
    if name in _FUNCTIONS:
        raise ValueError(f"should give {name} its argument: {name}(...)")
    if name not in VARIABLES:
        raise ValueError(unknown("name", name, [*VARIABLES, "pi", *_FUNCTIONS]).message)
    return lambda names: names[name], False


def _operation(node: ast.expr) -> tuple[Callable[..., Array], list[ast.expr]]:
    """Return the function that an inner node computes, and its operands."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)], [left, right]
        case ast.UnaryOp(ast.USub(), operand):
            return np.negative, [operand]
        case ast.UnaryOp(ast.UAdd(), operand):
            return np.positive, [operand]
        case ast.IfExp(test, body, orelse):
            return _choose, [test, body, orelse]
        case ast.Compare(left, ops, rights) if all(type(op) in _COMPARISONS for op in ops):
            return _chain([_COMPARISONS[type(op)] for op in ops]), [left, *rights]
        case ast.Call(ast.Name(name), arguments, []):
            return _function(name, len(arguments)), arguments
    words: dict[type, str] = {ast.And: "and", ast.Or: "or", ast.Not: "not"}
    word = words.get(type(getattr(node, "op", None)), "")
    raise ValueError(f"should hold arithmetic only, and has {_NAMES.get(type(node), 'something else')}{_or_so(word)}")


def _choose(condition: Array, a: Array, b: Array) -> Array:
    return np.asarray(np.where(condition != 0, a, b))


def _chain(comparisons: list[Callable[[Array, Array], NDArray[np.bool_]]]) -> Callable[..., Array]:
    """Return a function that computes `a < b <= c` as 1 or 0."""

    def apply(*operands: Array) -> Array:
        pairs = zip(comparisons, operands, operands[1:], strict=False)
        return np.asarray(reduce(np.logical_and, [compare(a, b) for compare, a, b in pairs]), dtype=np.float64)

    return apply


def _function(name: str, arguments: int) -> Callable[..., Array]:
    if name in _OF_ONE and arguments == 1:
        return _OF_ONE[name]
    if name in _OF_MANY and arguments >= 2:
        pair = _OF_MANY[name]
        return lambda *values: reduce(pair, values)
    if name in _FUNCTIONS:
        raise ValueError(f"should give {name} {'one argument' if name in _OF_ONE else 'two arguments or more'}")
    raise ValueError(unknown("function", name, _FUNCTIONS).message)
