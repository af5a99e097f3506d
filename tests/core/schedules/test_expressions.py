"""Formulas of the user's own: what they may say, what they come to, and that nothing of them is run."""

import math
import sys
import threading
from collections import Counter
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from core.schedules import bind, rates, schedules
from tests.core.schedules.curves import by_plan, ours
from tests.core.schedules.hostile import HOSTILE

MOST_CALLS = 10_000
"""To read a text of the most characters that an expression may have."""


def refusals(fn: object, name: str = "lambda") -> list[tuple[str, str]]:
    with pytest.raises(PydanticCustomError) as caught:
        schedules.parse({"name": name, "fn": fn})
    return [(p.path, p.message) for p in (caught.value.context or {})["problems"]]


PYTHONS: list[str] = [
    "0.95 ** t",
    "1 / (1 + t)",
    "2 + -t % 3 + +t // 4 - -1",
    "2 ** 3 ** 2 / 512",
    "min(t, 5) + max(1, t - 3, 2) + abs(t - 5)",
    "floor(t / 3) + ceil(t / 3) + sqrt(t) + exp(-t) + log(t + 1)",
    "2 + cos(pi * t) + sin(pi * t / 2)",
    "1 if t < 5 else 0.5",
    "1 if t <= 3 else 0.5 if t != 7 else 0.25",
    "(t >= 5) - (t == 7) * 0.5",
    "1 if 2 <= t < 6 else 0",
    "1 if t > 4 > 3 == 3 else 0",
    "1 if t % 3 else 2",
    "1e-1 + .5 + 2.",
    "  ( t )+ 1 ",
    "1 / t if t > 0 else 1",
]


@pytest.mark.parametrize("fn", PYTHONS)
def test_an_expression_means_what_it_means_in_python(fn: str) -> None:
    names = {name: getattr(math, name) for name in ("floor", "ceil", "sqrt", "exp", "log", "cos", "sin", "pi")}
    expected = [float(eval(fn.strip(), {**names, "t": t})) for t in range(20)]  # noqa: S307 the tests' own text
    assert ours({"name": "lambda", "fn": fn}, steps=20, base=1.0) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_the_names_count_from_the_schedules_own_beginning() -> None:
    def found(fn: str, unit: str = "step") -> list[float]:
        inner = {"name": "lambda", "fn": fn, "unit": unit}
        return ours({"name": "linear_warmup", "warmup_steps": 2, "after": inner}, 8, 3, base=1.0)[2:]

    assert found("step") == found("t") == [0, 1, 2, 3, 4, 5]
    assert found("epoch") == [0, 0, 0, 1, 1, 1]
    assert found("t", "epoch") == found("epoch", "epoch") == [0, 0, 0, 1, 1, 1]
    assert found("step", "epoch") == [0, 0, 0, 3, 3, 3]
    assert found("total_steps") == [6] * 6


def test_a_product_leaves_out_the_factor_at_zero() -> None:
    assert ours({"name": "multiplicative", "fn": "t"}, steps=6, base=1.0) == [1, 1, 2, 6, 24, 120]
    assert ours({"name": "multiplicative", "fn": "1 / t"}, steps=4, base=1.0) == pytest.approx([1, 1, 1 / 2, 1 / 6])


@pytest.mark.parametrize("t", [511, 512, 513, 1024, 4095, 1_000_000])
def test_far_values_are_those_of_the_closed_form(t: int) -> None:
    """Asked for at once, and after the ones before it."""
    curve = bind(schedules.parse({"name": "multiplicative", "fn": "(t + 1) / t"}), 0.5, 2_000_000, 1)
    assert rates(curve, [t]) == pytest.approx([0.5 * (t + 1)], rel=1e-9)
    curve = bind(schedules.parse({"name": "lambda", "fn": "t / 4"}), 0.5, 2_000_000, 1)
    assert rates(curve, [t, t - 1, 0, t]) == [t / 8, (t - 1) / 8, 0, t / 8]


def test_a_product_too_long_to_be_multiplied_is_refused() -> None:
    with pytest.raises(ValueError, match="5,000,000 times at most"):
        bind(schedules.parse({"name": "multiplicative", "fn": "0.9"}), 0.1, 5_000_001, 1)


@pytest.mark.parametrize(
    ("fn", "update"),
    [("1 - t", 2), ("1 / (3 - t)", 3), ("sqrt(5 - t)", 6), ("log(t)", 0), ("9 ** 9 ** (t + 2)", 1), ("-1", 0)],
)
def test_what_is_not_a_rate_is_refused_with_the_update(fn: str, update: int) -> None:
    curve = bind(schedules.parse({"name": "lambda", "fn": fn}), 0.1, 10, 1)
    assert all(math.isfinite(rate) for rate in rates(curve, range(update)))
    with pytest.raises(ValueError, match=f"at update {update};"):
        rates(curve, [update])


NOT_ARITHMETIC = [
    "9**9**9", "1e999", "-9**9**9", "1/0", "0*log(0)", "True", "None", "...", "t.real", "(1).real", "t[0]", "[t]",
    "[t for t in t]", "{t}", "(t, t)", "t,", "lambda: 1", "(t := 1)", "f'{t}'", "'a'", '"a"', "b'a'", "1j", "0x1f",
    "1_0", "t and t", "t or 1", "not t", "t is t", "t in t", "t | 1", "t & 1", "t ^ 1", "~t", "t << 1", "t @ t",
    "__import__('os')", "__import__", "eval(t)", "abs", "abs()", "min(t)", "sqrt(t, t)", "sqrt(*t)", "log(x=t)",
    "t(1)", "pi(1)", "abs(abs)", "x", "t2", "e", "", " ", "t t", "t +", "== t", "t\n+ 1", "t; t", "t # t", "\\",
    "1if t else 2", "await t", "yield t", "\u00e9", "\ufb01", "\u0661", "\x00", "(" * 100 + "t" + ")" * 101,
    "-" * 200 + "t", "abs(" * 55 + "t" + ")" * 55, "+".join("t" * 100), "(" * 10_000 + "t" + ")" * 10_000,
    "t" * 1_000_000, "9" * 5_000, 1, 0.5, None, ["t"],
]  # fmt: skip


@pytest.mark.parametrize("name", ["lambda", "multiplicative"])
@pytest.mark.parametrize("fn", NOT_ARITHMETIC, ids=lambda fn: ascii(fn)[:20])
def test_anything_but_arithmetic_is_refused(fn: object, name: str) -> None:
    ((path, message),) = refusals(fn, name)
    assert path == "fn"
    assert message.isascii()
    assert len(message) < 200


@pytest.mark.parametrize("what", HOSTILE)
def test_a_refusal_is_little_work(what: str) -> None:
    """Every call is counted, those of functions in C among them: no text makes more than one of full length can."""
    refusals("t.real")  # what is loaded once
    calls: Counter[str] = Counter()

    def count(_frame: FrameType, kind: str, _function: object) -> None:
        calls[kind] += kind in ("call", "c_call")

    sys.setprofile(count)
    try:
        ((_, message),) = refusals(HOSTILE[what])
    finally:
        sys.setprofile(None)
    assert len(message) < 200
    assert calls.total() < MOST_CALLS, calls


@by_plan
@given(st.text(alphabet="t09.e*/%()+-<=> ifelsmnax,", max_size=40))
def test_any_text_is_an_expression_or_refused(fn: str) -> None:
    try:
        entry = schedules.parse({"name": "lambda", "fn": fn})
    except PydanticCustomError:
        return
    try:
        found = rates(bind(entry, 0.1, 10, 1), range(10))
    except ValueError:
        return
    assert all(math.isfinite(rate) and rate >= 0 for rate in found)


def test_depth_is_refused_where_little_stack_is_left() -> None:
    """As in a thread of the server, deep in its own calls."""
    outcomes: list[object] = []

    def down(levels: int) -> None:
        if levels:
            down(levels - 1)
        else:
            outcomes.extend(refusals("abs(" * 58 + "t" + ")" * 58))
            outcomes.append(ours({"name": "lambda", "fn": "abs(" * 45 + "t" + ")" * 45}, steps=3, base=1.0))

    thread = threading.Thread(target=down, args=(400,))
    thread.start()
    thread.join()
    assert outcomes == [("fn", "is nested more than 50 levels deep"), [0, 1, 2]]


def test_a_wrong_name_gets_the_nearest() -> None:
    assert refusals("0.9 ** epochs") == [("fn", "unknown name 'epochs'; did you mean 'epoch'?")]
    assert refusals("sqr(t)") == [("fn", "unknown function 'sqr'; did you mean 'sqrt'?")]


@pytest.mark.parametrize("fn", ["1if t else 2", "2if t else 1", "1.5.2", "0x1f", "1j"])
def test_numbers_end_where_they_end(fn: str) -> None:
    """Python's parser would warn of the first ones, and read them."""
    assert [message[:17] for _, message in refusals(fn)] == ["is not arithmetic"]


@pytest.mark.parametrize(
    ("fn", "words"),
    [
        ("lambda epoch: 0.95 ** epoch", "leave `lambda epoch:` out"),
        ("lambda e: 0.95 ** e", "leave `lambda e:` out"),
        ("lambda: 1", "leave `lambda :` out"),
        ("1 if epoch < 3 and t > 2 or t == 0 else 0", "use `a if c else b`"),
        ("t > 2 and 0.5", "`y if x else 0`"),
        ("t > 2 or 0.5", "`1 if x else y`"),
        ("not t", "`0 if x else 1`"),
        ("t > 2 & t < 5", "`y if x else 0`"),
        ("t > 2 ? 1 : 0.5", "`a if c else b` for `c ? a : b`"),
        ("0.95 ^ epoch", "a power is written **"),
        ("math.exp(-t)", "leave `math.` out"),
        ("np.cos(t)", "leave `np.` out"),
        ("return 0.9 ** t", "leave `return` out"),
        ("lr = 0.9 ** t", "leave `lr =` out"),
        ("'0.9 ** t'", "quotation marks"),
        ("[1, 0.5][t]", "piecewise"),
        ("True", "write 1 for True"),
        ("10_000 / t", "without _"),
    ],
)
def test_what_is_python_is_refused_with_the_way_out(fn: str, words: str) -> None:
    ((path, message),) = refusals(fn)
    assert (path, words in message) == ("fn", True), message
    assert "BoolOp" not in message
