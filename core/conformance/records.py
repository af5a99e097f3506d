"""The promises of findings and outcomes, beside what their records refuse when they are made."""

from core.analysis.findings import rules
from core.analysis.outcomes import outcomes
from core.conformance._check import check, expect
from core.metrics import metrics


@check(outcomes.kind)
def answers_a_question(name: str) -> None:
    """It says which question it answers, and hides no metric."""
    expect(bool(outcomes[name].label.strip()), "has no label")
    expect(outcomes[name].explanation.strip().endswith("."), "its explanation should be a sentence")
    expect(name not in metrics, "has the name of a metric, which it would hide")


@check(rules.kind)
def says_what_it_finds(name: str) -> None:
    """It has a label and bounds that say what they are of."""
    rule = rules[name]
    expect(bool(rule.label.strip()), "has no label")
    expect(all(bound.meaning.strip() for bound in rule.bounds.values()), "has a bound without a meaning")
