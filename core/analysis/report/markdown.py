"""Writes the report as a Markdown page."""

import re
from collections.abc import Mapping, Sequence

from core.analysis.outcomes import measures
from core.analysis.report.coordinates import coordinate_sections
from core.analysis.report.energy import energy_sentence
from core.analysis.report.kinds import range_sections, scan_section
from core.analysis.report.saved import saved_sentence
from core.analysis.shapes import Comparison, FindingReport, Rate, Report, Statistics
from core.analysis.statistics.intervals import BOOTSTRAP_FROM
from core.analysis.wording import difference, number, p_value, span
from core.design import Design
from core.errors import Warned
from core.metrics import Measure, Metric
from core.results import Results

MOST_ROWS = 60
MOST_COLUMNS = 8


def markdown(report: Report, results: Results) -> str:
    """Return `report.md`: what was compared, the arms, their differences, what to beware of, how it was computed.

    The same report and design always give the same text. Labels and names are escaped: they show as they were given,
    whatever Markdown or HTML they contain.
    """
    design, known = results.design, measures(results)
    parts = [
        f"# {escape(design.name)}",
        escape(report["verdict"]["text"] or ""),
        "## What was compared",
        _compared(design),
    ]
    parts += scan_section(report, design, escape, _table)
    if design.ranks:
        measure = known[report["metric"]]
        parts += [f"## {_capital(measure.label)}", _arms(report, measure), _more(report, measure)]
        parts += _differences(report, measure)
    elif design.lr_range is not None:
        parts += range_sections(report, design.lr_range, escape, _table)
    elif design.coordinate_check is not None:
        slopes = report["coordinate_check"] or ()
        parts += coordinate_sections(slopes, design.coordinate_check, escape, _table)
    if report["verdict"]["groups"]:
        parts += ["## Groups, best first", _groups(report)]
    if report["warnings"]:
        parts += ["## To beware of", "\n".join(f"- {_warning(one)}" for one in report["warnings"])]
    if report["notes"]:
        told = "\n".join(f"- {escape(note['path'])}: {escape(note['message'])}" for note in report["notes"])
        parts += ["## How the data was read", told]
    if report["findings"]:
        parts += ["## What was found in the runs", _findings(report)]
    if design.ranks:
        parts += [*_grid(report, measure), *_rounding(report, measure), *_outcomes(report, known)]
        parts += ["## How this was computed", _method(report, measure)]
    parts += [*saved_sentence(report["saved"]), *map(escape, energy_sentence(report["energy"]))]
    return "\n\n".join(parts) + "\n"


def _warning(one: Warned) -> str:
    return escape(f"{one['path']}: {one['message']}" if one["path"] else one["message"])


def escape(text: str) -> str:
    """Return `text` so that Markdown, tables and HTML show it literally, on one line."""
    text = " ".join(text.split())
    text = re.sub(r"([\\`*\[\]|~#!$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # inside a word an underscore is only that
    text = re.sub(r"^([-+=]|\d+(?=[.)]))", r"\\\1", text) if not text[:1].isdigit() else _numbered(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _numbered(text: str) -> str:
    """Return the line with a leading "1." or "1)" escaped, which would begin a list."""
    return re.sub(r"^(\d+)([.)]\s)", r"\1\\\2", text)


def _compared(design: Design) -> str:
    arms, seeds = len(design.arms), design.seeds
    lines = [f"- {title}: {'differs by arm' if words is None else escape(words)}" for title, words in design.described]
    listed = ", ".join(map(str, seeds[:20])) + (", ..." if len(seeds) > 20 else "")
    runs = f"{_count(arms, 'arm')} x {_count(len(seeds), 'seed')} = {_count(arms * len(seeds), 'run')}"
    lines.append(f"- Arms and seeds: {runs} (seeds {listed}); runs of one seed {design.paired}")
    return "\n".join(lines)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _arms(report: Report, metric: Measure) -> str:
    rows = []
    for arm in report["arms"]:
        even = arm["interval"] == "t"
        mean, middle, high = number(metric, arm["mean"]), arm["mean"], arm["ci_high"]
        half = f" ± {number(metric, high - middle)}" if even and high is not None and middle is not None else ""
        rows.append(
            [
                escape(arm["label"]),
                f"{arm['n']} of {arm['runs']}",
                f"{mean.removesuffix(' %') if half else mean}{half}",
                span(metric, arm["ci_low"], arm["ci_high"]) or "-",
                number(metric, arm["sd"]),
                str(arm["diverged"]),
                str(arm["failed"] + arm["unfinished"] + arm["not_finite"]),
            ]
        )
    return _table(["arm", "N", "mean ± half-width", "95 % interval", "sd", "diverged", "no result"], rows)


def _more(report: Report, metric: Measure) -> str:
    with_target = any("reached_target" in arm["rates"] for arm in report["arms"])
    rows = [
        [
            escape(arm["label"]),
            number(metric, arm["median"]),
            number(metric, arm["iqm"]),
            "-" if arm["p_best"] is None else f"{100 * arm['p_best']:.0f} %",
            _rate(arm["rates"]["completed"]),
            *([_rate(arm["rates"]["reached_target"])] if with_target else []),
        ]
        for arm in report["arms"]
    ]
    head = ["arm", "median", "inter-quartile mean", f"chance of being {metric.labels.best}", "did not diverge"]
    return _table([*head, *(["reached the target"] if with_target else [])], rows)


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "-"
    return f"{rate['hits']} of {rate['n']} ({100 * rate['ci_low']:.0f} to {100 * rate['ci_high']:.0f} %)"


def _differences(report: Report, metric: Measure) -> list[str]:
    """Return the tables of the reference's comparisons and of the other pairs."""
    mine = [c for c in report["comparisons"] if c["a"] == report["reference"]]
    rest = [c for c in report["comparisons"] if c["a"] != report["reference"]]
    if not mine:
        return []
    parts = [f"## Differences from {escape(report['reference'] or '')}", _comparisons(metric, mine)]
    if rest:
        parts += ["## Differences between the others", _comparisons(metric, rest[:MOST_ROWS], pairs=True)]
    if len(rest) > MOST_ROWS:
        parts.append(f"And {len(rest) - MOST_ROWS} more pairs, in the report as JSON.")
    return parts


def _comparisons(metric: Measure, comparisons: Sequence[Comparison], pairs: bool = False) -> str:
    rows = [
        [
            *([escape(c["a"])] if pairs else []),
            escape(c["b"]),
            str(c["n"]),
            difference(metric, c["difference"], signed=True),
            span(metric, c["ci_low"], c["ci_high"], signed=True) or "-",
            p_value(c["p"]).removeprefix("= "),
            p_value(c["p_adjusted"]).removeprefix("= "),
            "-" if c["effect_size"] is None else f"{c['effect_size']:+.3g}",
            p_value(c["p_sign_flip"]).removeprefix("= "),
        ]
        for c in comparisons
    ]
    head = ["N pairs", "difference", "95 % interval", "p", "p adjusted", "effect size", "p by sign flips"]
    return _table([*(["arm"] if pairs else []), "compared with", *head], rows, 2 if pairs else 1)


def _grid(report: Report, metric: Measure) -> list[str]:
    found = report["factorial"]
    if found is None or not found["effects"]:
        return []
    terms = [
        [" x ".join(map(escape, term["factors"])), "-" if term["share"] is None else f"{100 * term['share']:.1f} %"]
        for term in found["terms"]
    ]
    rows = [
        [
            " x ".join(map(escape, effect["factors"])),
            escape("; ".join(effect["levels"])),
            difference(metric, effect["estimate"], signed=True),
            span(metric, effect["ci_low"], effect["ci_high"], signed=True),
            p_value(effect["p"]).removeprefix("= "),
            p_value(effect["p_adjusted"]).removeprefix("= "),
        ]
        for effect in found["effects"][:MOST_ROWS]
    ]
    parts = [
        "## What each field does",
        f"N = {found['n']} seeds that have a value in every cell.",
        _table(["field", "share of the variation between cells"], terms),
        _table(["field", "level", "effect", "95 % interval", "p", "p adjusted"], rows, 2),
    ]
    if len(found["effects"]) > MOST_ROWS:
        parts.append(f"And {len(found['effects']) - MOST_ROWS} more effects, in the report as JSON.")
    return parts


def _rounding(report: Report, metric: Measure) -> list[str]:
    found = report["rounding"]
    if found is None:
        return []
    rows = [
        [
            escape(arm["label"]),
            str(arm["n"]),
            *(difference(metric, arm[key]) for key in ("mean", "largest", "sd")),
            str(arm["unlike"]),
        ]
        for arm in found["arms"]
    ]
    head = ["arm", "N pairs", "mean difference", "largest", "sd over seeds", "one alone has a value"]
    return ["## What rounding does", escape(found["text"]), _table(head, rows)]


def _outcomes(report: Report, known: Mapping[str, Measure]) -> list[str]:
    arms = report["arms"][:MOST_COLUMNS]
    rows = [
        [known[name].label, *(_short(known[name], arm["outcomes"][name]) for arm in arms)]
        for name in arms[0]["outcomes"]
    ]
    parts = [
        "## All outcomes",
        "Mean, its 95 % interval and N.",
        _table(["outcome", *(escape(arm["label"]) for arm in arms)], rows),
    ]
    if len(report["arms"]) > MOST_COLUMNS:
        parts.append(f"And {len(report['arms']) - MOST_COLUMNS} more arms, in the report as JSON.")
    return parts


def _short(metric: Measure, one: Statistics) -> str:
    if not one["n"]:
        return "-"
    sure = span(metric, one["ci_low"], one["ci_high"])
    return f"{number(metric, one['mean'])} ({f'{sure}, ' if sure else ''}N = {one['n']})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _groups(report: Report) -> str:
    numbered = enumerate(report["verdict"]["groups"], start=1)
    return "\n".join(f"{i}. {'; '.join(map(escape, group))}" for i, group in numbered)


def _findings(report: Report) -> str:
    return "\n".join(
        f"- {escape(one['arm'])}, {one['kind'].replace('_', ' ')}, in {one['evidence']['seeds']} of "
        f"{_count(one['evidence']['of'], 'run')}{_follows(one)}: {escape(one['explanation'])}"
        for one in report["findings"]
    )


def _follows(finding: FindingReport) -> str:
    cause = finding["explained_by"]
    return "" if cause is None else f" (follows from {cause.replace('_', ' ')})"


def _method(report: Report, metric: Measure) -> str:
    family = "all pairs of arms, because the data chose the best arm"
    if report["baseline"] is not None:
        family = "the comparisons with the baseline"
    last = f"last {metric.label}" if isinstance(metric, Metric) else metric.label
    return (
        f"The outcome is each finished run's {last}. Intervals are at 95 %: Student's t below {BOOTSTRAP_FROM} runs, "
        f"from {BOOTSTRAP_FROM} on the BCa bootstrap with its level expanded for few runs; of shares Wilson's. "
        "N counts finished runs that have a value.\n"
        "Differences are paired by seed: paired t test, its p adjusted by Holm over "
        f"{family}; effect size is Cohen's d_z with Hedges' correction. The p by sign flips needs no distribution, and "
        "with n pairs is never below 2^(1-n): five pairs or fewer cannot bring it below 0.05.\n"
        "A run that diverged, or never came to what is asked for, has no value and is in no mean; none is invented for "
        "it. It counts all the same: an arm is called better than another only if no larger share of its finished runs "
        "was lost so, or if its smaller share is itself no chance (Fisher's exact test, p adjusted by Holm); and an "
        "arm that lost half of them comes after those that did not. The chance of being best draws seeds again "
        "(bootstrap); with few seeds it is surer than it should be."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> str:
    """Return a table whose first `text` columns are words, the others numbers."""
    rule = [*["---"] * text, *["---:"] * (len(head) - text)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])
