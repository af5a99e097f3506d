"""Writes what was found over several data sets: in sentences, and as tables of the page."""

from collections.abc import Callable, Mapping, Sequence

from core.analysis.report.verdict import MOST, quoted
from core.analysis.shapes import Comparison, Datasets, DatasetsComparison
from core.analysis.wording import difference, p_value
from core.metrics import Measure
from core.numerals import plain

Table = Callable[..., str]
MOST_ROWS = 60


def set_headline(listed: Sequence[Comparison], names: Mapping[str, str], measure: Measure) -> str:
    """Return what one data set decides by itself, in a few words; `names` are what its arms are called there."""
    wins = [(c["better"], c["b"] if c["better"] == c["a"] else c["a"]) for c in listed if c["better"] is not None]
    equal = [c for c in listed if c["decision"] == "equivalent"]
    said = [f'"{names[a]}" is {measure.labels.better} than "{names[b]}"' for a, b in wins[:MOST]]
    said += [f"{len(wins) - MOST} more differ"] if len(wins) > MOST else []
    said += [f"{len(equal)} {'pair is' if len(equal) == 1 else 'pairs are'} equivalent"] if equal else []
    left = len(listed) - len(wins) - len(equal)
    return f"{', '.join(said) or 'nothing is decided'}; open: {left} of {len(listed)}"


def datasets_headline(found: Datasets, measure: Measure) -> str:
    """Return "Decided over D data sets: ...; open: ..."."""
    decided = [
        f'"{winner}" has a {measure.labels.better} {measure.label} than {quoted(losers)}'
        for winner, losers in _winners(found).items()
    ]
    decided += [
        f'"{c["a"]}" and "{c["b"]}" are equivalent' for c in found["comparisons"] if c["decision"] == "equivalent"
    ]
    left = [f'"{c["a"]}" and "{c["b"]}"' for c in found["comparisons"] if c["decision"] == "open"]
    said = "; ".join(_first(decided)) or "nothing"
    return f"Decided over {len(found['sets'])} data sets: {said}. Open: {', '.join(_first(left)) or 'nothing'}."


def _first(parts: list[str]) -> list[str]:
    return [*parts[:MOST], *([f"{len(parts) - MOST} more"] if len(parts) > MOST else [])]


def _winners(found: Datasets) -> dict[str, list[str]]:
    """Return whom each arm beats over all sets, the best mean rank first."""
    order = [one["label"] for one in sorted(found["treatments"], key=lambda one: one["mean_rank"] or 0.0)]
    wins = [(c["a"], c["b"]) for c in found["comparisons"] if c["decision"] == "better"]
    wins += [(c["b"], c["a"]) for c in found["comparisons"] if c["decision"] == "worse"]
    beaten = {label: [b for a, b in wins if a == label] for label in order}
    return {label: sorted(losers, key=order.index) for label, losers in beaten.items() if losers}


def datasets_verdict(found: Datasets, measure: Measure, *, alpha: float, margin: float | None) -> str:
    """Return sentences on all data sets together, on their ranks, and on each by itself."""
    pairs = found["comparisons"]
    said = [_sentence(c, measure, alpha, margin) for c in pairs[:MOST]]
    if len(pairs) > MOST:
        said.append(f"And {len(pairs) - MOST} more pairs, in the table below.")
    unscaled = [one["dataset"] for one in found["sets"] if one["scale"] is None]
    if unscaled:
        said.append(f"On {quoted(unscaled)} nothing varies from seed to seed, so it is in no difference over the sets.")
    if len(found["sets"]) < 3:
        said.append("Two data sets decide nothing about others: three at least are needed.")
    said += _of_ranks(found, alpha)
    said += [f"On {one['dataset']} alone: {one['headline']}." for one in found["sets"][:MOST]]
    return " ".join(said)


def datasets_section(found: Datasets, measure: Measure, escape: Callable[[str], str], table: Table) -> list[str]:
    """Return the page's tables: treatments over all data sets, their differences, and each set's own verdict."""
    ranks = [
        [_places(one["rank_low"], one["rank_high"]), escape(one["label"]), _number(one["mean_rank"])]
        for one in found["treatments"]
    ]
    rows = [
        [
            escape(c["a"]),
            escape(c["b"]),
            str(c["n"]),
            difference(measure, c["difference"], signed=True),
            _number(c["scaled"], signed=True),
            "-" if c["ci_low"] is None else f"{_number(c['ci_low'], True)} to {_number(c['ci_high'], True)}",
            p_value(c["p_adjusted"]).removeprefix("= ") + (" (ranks)" if c["test"] == "ranks" else ""),
            c["decision"],
        ]
        for c in found["comparisons"][:MOST_ROWS]
    ]
    head = ["arm", "compared with", "sets", "mean difference", "in standard deviations", "interval", "p adjusted", ""]
    sets = [[escape(one["dataset"]), escape(one["headline"])] for one in found["sets"][:MOST_ROWS]]
    return [
        table(["places", "over all data sets", "mean rank"], ranks),
        table(head, rows, 2),
        table(["data set", "by itself"], sets, 2),
        (
            "Each data set is a block: differences are divided by the standard deviation of a paired difference there, "
            "and Student's t is over the sets, so that what is said is of further such data sets, not of further seeds "
            "on these. With fewer than ten sets only large differences show. (Demšar 2006, JMLR 7.)"
        ),
    ]


def _sentence(c: DatasetsComparison, measure: Measure, alpha: float, margin: float | None) -> str:
    if c["scaled"] is None:
        return f'"{c["a"]}" and "{c["b"]}" cannot be compared over the data sets.'
    sure = "" if c["ci_low"] is None else f", interval {_number(c['ci_low'], True)} to {_number(c['ci_high'], True)}"
    p = "" if c["p_adjusted"] is None else f", adjusted p {p_value(c['p_adjusted'])}"
    if c["test"] == "ranks":
        p = f"; by ranks in which a lost run is the worst{p}"
    if c["decision"] == "equivalent" and margin is not None:
        within = difference(measure, margin)
        p = f"; within {within} by two one-sided tests, adjusted p {p_value(c['p_equivalence'])}"
    what = {
        "better": f"is {measure.labels.better} than",
        "worse": f"is {measure.labels.worse} than",
        "equivalent": "is equivalent to",
        "open": "cannot be told apart from",
    }[c["decision"]]
    return (
        f'"{c["a"]}" {what} "{c["b"]}" over {c["n"]} data sets: on average by '
        f"{difference(measure, c['difference'], signed=True)}, {_number(c['scaled'], True)} standard deviations of a "
        f"paired difference{sure}{p} (alpha {alpha:g})."
    )


def _of_ranks(found: Datasets, alpha: float) -> list[str]:
    ranks = found["ranks"]
    if ranks is None:
        return []
    f = "without bound" if ranks["f"] is None else f"{ranks['f']:.3g}"
    sure = "differ" if ranks["p"] < alpha else "cannot be told apart"
    return [
        f"By mean ranks the arms {sure} (Friedman, Iman and Davenport's F {f} on {ranks['df'][0]} and "
        f"{ranks['df'][1]}, p {p_value(ranks['p'])}); ranks that are {ranks['critical_difference']:.3g} apart differ. "
        "That is a second opinion: t over the sets decides."
    ]


def _places(low: int | None, high: int | None) -> str:
    return "-" if low is None else str(low) if low == high else f"{low} to {high}"


def _number(value: float | None, signed: bool = False) -> str:
    return "-" if value is None else plain(value, signed) if abs(value) < 100 else plain(round(value), signed)
