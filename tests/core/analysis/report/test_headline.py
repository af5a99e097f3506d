from collections.abc import Callable

from core.analysis import build_report, markdown
from core.analysis.wording import difference, number, span
from core.metrics import Measure
from core.results import Results

MakeResults = Callable[..., Results]
GOOD = [0.971, 0.962, 0.978, 0.969, 0.973]
LIKE_IT = [0.9702, 0.9622, 0.9771, 0.9690, 0.9732]
WORSE = [0.90, 0.89, 0.91, 0.905, 0.896]


def said(results: Results) -> str:
    first = markdown(build_report(results), results).split("\n\n")[1]
    return first.strip("*")


def test_it_says_what_is_decided_and_what_is_open(experiment: MakeResults) -> None:
    assert said(experiment({"good": GOOD, "like it": LIKE_IT, "worse": WORSE})) == (
        'Decided: "good" has a better validation accuracy than "worse"; open: "like it" cannot be told apart from '
        '"good".'
    )
    assert said(experiment({"good": GOOD, "worse": WORSE})).endswith('than "worse"; open: nothing.')


def test_many_that_are_not_told_apart_are_counted(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD, "worse": WORSE} | {f"like it {i}": LIKE_IT for i in range(5)})

    assert said(results).endswith('; open: 5 others cannot be told apart from "good".')
    assert "5 others cannot be told apart from it: " in (build_report(results)["verdict"]["text"] or "")


def test_nothing_may_be_decided(experiment: MakeResults) -> None:
    assert said(experiment({"good": GOOD, "like it": LIKE_IT})) == (
        'Decided: nothing; open: which arm has the best validation accuracy, as "good" and one other cannot be told '
        "apart."
    )


def test_arms_are_told_from_a_baseline(experiment: MakeResults) -> None:
    results = experiment({"base": WORSE, "good": GOOD, "worse": [0.7, 0.71, 0.69, 0.72, 0.7]}, baseline="base")

    assert said(results) == (
        'Decided: "good" has a better validation accuracy than the baseline "base", and "worse" has a worse one; '
        "open: nothing."
    )


def test_wins_among_the_others_are_named_where_the_first_is_open(experiment: MakeResults) -> None:
    noisy = [0.95, 0.86, 0.97, 0.80, 0.99]
    found = build_report(
        experiment({"a": [0.90, 0.92, 0.91, 0.93, 0.89], "noisy": noisy, "b": [0.88, 0.9005, 0.8905, 0.911, 0.8702]})
    )

    assert found["reference"] == "noisy"
    assert found["verdict"]["headline"] == (
        'Decided: "a" has a better validation accuracy than "b"; open: which arm has the best validation accuracy, as '
        '"noisy" and 2 others cannot be told apart.'
    )
    assert found["verdict"]["decided"] == [{"a": "a", "b": "b", "decision": "better"}]
    assert found["verdict"]["open"] == [{"a": "noisy", "b": "a"}, {"a": "noisy", "b": "b"}]


def test_equivalent_arms_are_decided(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD, "like it": LIKE_IT, "worse": WORSE}, margin=0.005)

    assert said(results) == (
        'Decided: "good" has a better validation accuracy than "worse", and "good" and "like it" are equivalent within '
        "0.50 percentage points; open: nothing."
    )
    text = build_report(results)["verdict"]["text"] or ""
    assert 'Equivalent to it within 0.50 percentage points: "like it" (difference +0.03 percentage points' in text


def test_where_nothing_is_compared_the_verdict_stands_alone(experiment: MakeResults) -> None:
    results = experiment({"good": GOOD})

    assert said(results) == build_report(results)["verdict"]["text"]


def test_numbers_are_written_as_people_write_them() -> None:
    energy = Measure(name="energy_kwh", label="energy", direction="min", unit=" kWh")
    loss = Measure(name="loss", label="loss", direction="min")
    accuracy = Measure(name="accuracy", label="accuracy", direction="max", share=True)

    assert [number(energy, kwh) for kwh in (4.603e-7, 0.25, 3.0)] == ["0.4603 mWh", "250 Wh", "3 kWh"]
    assert span(energy, 0.0012, 0.0034) == "1.2 to 3.4 Wh"
    assert difference(energy, -0.002, signed=True) == "-2 Wh"
    nothing = -1.07e-16  # as a sum of differences that cancel leaves it
    assert difference(accuracy, nothing, signed=True) == "+0.00 percentage points"
    assert span(accuracy, nothing, 0.01, signed=True) == "+0.00 to +1.00"
    assert (number(loss, 0.04345), span(loss, 0.1, 0.2)) == ("0.04345", "0.1 to 0.2")
