from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.analysis import build_report, html, markdown
from core.analysis.report.page_text import escape
from core.analysis.shapes import FindingReport
from core.results import Results
from tests.core.analysis.reading import verdict_text

MakeResults = Callable[..., Results]
GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]


def test_the_page_has_all_of_the_report(experiment: MakeResults) -> None:
    finals = {"good": GOOD, "lost": [0.9, 0.91, "diverged", "failed", 0.92]}
    arms = [{"label": label, "initializer": name} for label, name in zip(finals, ("he_normal", "zeros"), strict=True)]
    results = experiment(finals, name="weights on digits", arms=arms)
    found = build_report(results)

    page = markdown(found, results)

    assert page.startswith("# weights on digits\n\n")
    assert page == markdown(build_report(results), results)
    assert "- Model: mlp (hidden 256, 128; activation relu; dropout 0;" in page
    assert "- Initial weights: differs by arm" in page
    assert "- Batch size: 100" in page
    assert "2 arms x 5 seeds = 10 runs (seeds 0, 1, 2, 3, 4)" in page
    assert "| good | 5 of 5 | 97.06 ± 0.73 % | 96.33 to 97.79 % | 0.59 % | 0 | 0 |" in page
    assert "| lost | 3 of 5 | 91.00 ± 2.48 % | 88.52 to 93.48 % | 1.00 % | 1 | 1 |" in page
    assert verdict_text(found).replace("<", "&lt;").replace("~", "\\~") in page
    assert page.count("\n- ") >= len(found["warnings"])


def test_only_runs_that_there_are_are_counted(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD, "lost": GOOD})
    some = replace(results, runs=[run for run in results.runs if run.arm == "good" or run.seed == 0])
    page = markdown(build_report(some), some)
    assert "- Arms and seeds: 6 runs of 2 arms and 5 seeds (seeds 0, 1, 2, 3, 4)" in page


def test_of_one_arm_every_setting_is_said(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD})
    page = markdown(build_report(results), results)
    assert "differs by arm" not in page
    assert "- Initial weights: zeros" in page


def test_what_has_no_answer_is_a_dash(experiment: MakeResults) -> None:
    results = experiment({"a": [0.5], "b": ["diverged"]})

    page = markdown(build_report(results), results)

    assert "| a | 1 of 1 | 50.00 % | - | - | 0 | 0 |" in page
    assert "| b | 0 of 1 | - | - | - | 1 | 0 |" in page
    assert "nan" not in page
    assert "None" not in page


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("he_normal", "he_normal"),
        ("[x](http://y)", r"\[x\](http://y)"),
        ("# no title", r"\# no title"),
        ("- no item", r"\- no item"),
        ("1. no item", r"1\. no item"),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", "two lines"),
    ],
)
def test_labels_show_as_they_were_given(label: str, shown: str) -> None:
    assert escape(label) == shown


def test_a_label_cannot_break_the_table(experiment: MakeResults) -> None:
    results = experiment({"a | b | <b>c</b>": GOOD, "d": GOOD})

    page = markdown(build_report(results), results)

    rows = [line for line in page.splitlines() if line.startswith("| ") and "| a " in f"|{line[1:]}"[:10]]
    assert [row.replace("\\|", "").count("|") for row in rows] == [9, 7]
    assert "<b>" not in page


def said(arm: str, kind: str, explanation: str) -> FindingReport:
    """A finding of all five runs of an arm."""
    of: dict[str, Any] = {"seeds": 5, "of": 5}
    return {
        "arm": arm,
        "kind": kind,
        "layer": None,
        "step": 0,
        "evidence": of,
        "explanation": explanation,
        "explained_by": None,
    }


def test_a_finding_that_arms_share_is_said_once_with_its_code_as_code(experiment: MakeResults) -> None:
    results = experiment({"`a`": GOOD, "b": GOOD, "c": GOOD})
    found = build_report(results)
    flat = "The loss is *flat*: `diagnostics` in the spec would tell."
    found["findings"] = [
        said("`a`", "flat_loss", flat),
        said("b", "dead_relu", "It is an odd `."),
        said("c", "flat_loss", flat),
    ]
    lines = [line for line in markdown(found, results).splitlines() if "flat loss" in line or "dead relu" in line]
    assert lines == [
        r"- \`a\`; c, flat loss, each in 5 of 5 runs: The loss is \*flat\*: `diagnostics` in the spec would tell.",
        r"- b, dead relu, in 5 of 5 runs: It is an odd \`.",
    ]
    page = html(found, results, {})
    assert "The loss is *flat*: <code>diagnostics</code> in the spec" in page
