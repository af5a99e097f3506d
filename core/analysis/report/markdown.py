"""The report as a Markdown page."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis.report.energy import energy_sentence
from core.analysis.report.kinds import range_sections, scan_section
from core.analysis.report.saved import saved_sentence
from core.analysis.statistics.intervals import BOOTSTRAP_FROM
from core.analysis.wording import difference, metric_name, number, p_value, span
from core.analysis.wording import words as called
from core.registry import Entry
from core.spec import Spec, Treatment

FIELDS = {
    "dataset": "Data set",
    "model": "Model",
    "initializer": "Initial weights",
    "optimizer": "Optimizer",
    "schedule": "Learning-rate schedule",
    "batch_size": "Batch size",
    "epochs": "Epochs",
}
REPLACED = ("schedule", "epochs")
"""What a range test has of its own."""

MOST_ROWS = 60
MOST_COLUMNS = 8
LAST = ("valid_accuracy", "valid_loss", "valid_r2", "train_accuracy", "train_loss", "train_r2")


def markdown(report: Mapping[str, Any], spec: Spec) -> str:
    """`report.md`: what was compared, the arms, the comparisons, the verdict, what to beware of, how it was computed.

    The same report and spec always give the same text. Labels and names are escaped: they show as they were given,
    whatever Markdown or HTML they contain.
    """
    parts = [
        f"# {escape(spec.name)}",
        escape(report["verdict"]["text"]),
        "## What was compared",
        _compared(spec),
    ]
    parts += scan_section(report, spec, escape, _table)
    if spec.lr_range is None:
        parts += [f"## {_capital(metric_name(report['metric']))}", _arms(report), _more(report), *_differences(report)]
    else:
        parts += range_sections(report, spec.lr_range, escape, _table)
    if report["verdict"]["groups"]:
        parts += ["## Groups, best first", _groups(report)]
    if report["warnings"]:
        parts += ["## To beware of", "\n".join(f"- {escape(sentence)}" for sentence in report["warnings"])]
    if report["findings"]:
        parts += ["## What was found in the runs", _findings(report)]
    if spec.lr_range is None:
        parts += [*_grid(report), *_outcomes(report), "## How this was computed", _method(report)]
    parts += [*saved_sentence(report["saved"]), *map(escape, energy_sentence(report["energy"]))]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """`text` so that Markdown, tables and HTML show it literally, on one line."""
    text = " ".join(text.split())
    text = re.sub(r"([\\`*\[\]|~#!$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # inside a word an underscore is only that
    text = re.sub(r"^([-+=]|\d+(?=[.)]))", r"\\\1", text) if not text[:1].isdigit() else _numbered(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _numbered(text: str) -> str:
    """A leading "1." or "1)" would begin a list."""
    return re.sub(r"^(\d+)([.)]\s)", r"\1\\\2", text)


def _compared(spec: Spec) -> str:
    arms, seeds = spec.expanded, spec.seed_list
    varied = {field for arm in arms for field in arm.replaced}
    lines = [
        f"- {title}: {'differs by arm' if field in varied else escape(words(getattr(spec, field)))}"
        for field, title in FIELDS.items()
        if field in Treatment.model_fields and not (spec.lr_range is not None and field in REPLACED)
    ]
    listed = ", ".join(map(str, seeds[:20])) + (", ..." if len(seeds) > 20 else "")
    runs = f"{_count(len(arms), 'arm')} x {_count(len(seeds), 'seed')} = {_count(len(arms) * len(seeds), 'run')}"
    lines.append(f"- Arms and seeds: {runs} (seeds {listed}); runs of one seed share data order and dropout draws")
    return "\n".join(lines)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def words(value: object) -> str:
    """A setting in words: "mlp (hidden 256, 128; activation relu)"."""
    if isinstance(value, Entry):
        inside = "; ".join(f"{key} {words(given)}" for key, given in value.parameters().items() if given is not None)
        return f"{value.name} ({inside})" if inside else value.name
    if isinstance(value, list | tuple):
        return ", ".join(words(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _arms(report: Mapping[str, Any]) -> str:
    metric = report["metric"]
    rows = []
    for arm in report["arms"]:
        even = arm["interval"] == "t"
        mean = number(metric, arm["mean"])
        half = f" ± {number(metric, arm['ci_high'] - arm['mean'])}" if even else ""
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


def _more(report: Mapping[str, Any]) -> str:
    metric = report["metric"]
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
    head = ["arm", "median", "inter-quartile mean", f"chance of being {called(metric).best}", "did not diverge"]
    return _table([*head, *(["reached the target"] if with_target else [])], rows)


def _rate(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return "-"
    return f"{rate['hits']} of {rate['n']} ({100 * rate['ci_low']:.0f} to {100 * rate['ci_high']:.0f} %)"


def _differences(report: Mapping[str, Any]) -> list[str]:
    """The comparisons of the reference, and the other pairs."""
    mine = [c for c in report["comparisons"] if c["a"] == report["reference"]]
    rest = [c for c in report["comparisons"] if c["a"] != report["reference"]]
    if not mine:
        return []
    parts = [f"## Differences from {escape(report['reference'])}", _comparisons(report["metric"], mine)]
    if rest:
        parts += ["## Differences between the others", _comparisons(report["metric"], rest[:MOST_ROWS], pairs=True)]
    if len(rest) > MOST_ROWS:
        parts.append(f"And {len(rest) - MOST_ROWS} more pairs, in the report as JSON.")
    return parts


def _comparisons(metric: str, comparisons: Sequence[Mapping[str, Any]], pairs: bool = False) -> str:
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


def _grid(report: Mapping[str, Any]) -> list[str]:
    found, metric = report["factorial"], report["metric"]
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


def _outcomes(report: Mapping[str, Any]) -> list[str]:
    arms = report["arms"][:MOST_COLUMNS]
    rows = [[metric_name(name), *(_short(name, arm["outcomes"][name]) for arm in arms)] for name in arms[0]["outcomes"]]
    parts = [
        "## All outcomes",
        "Mean, its 95 % interval and N.",
        _table(["outcome", *(escape(arm["label"]) for arm in arms)], rows),
    ]
    if len(report["arms"]) > MOST_COLUMNS:
        parts.append(f"And {len(report['arms']) - MOST_COLUMNS} more arms, in the report as JSON.")
    return parts


def _short(metric: str, one: Mapping[str, Any]) -> str:
    if not one["n"]:
        return "-"
    sure = span(metric, one["ci_low"], one["ci_high"])
    return f"{number(metric, one['mean'])} ({f'{sure}, ' if sure else ''}N = {one['n']})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _groups(report: Mapping[str, Any]) -> str:
    groups: Sequence[Sequence[str]] = report["verdict"]["groups"]
    return "\n".join(f"{i}. {'; '.join(map(escape, group))}" for i, group in enumerate(groups, start=1))


def _findings(report: Mapping[str, Any]) -> str:
    return "\n".join(
        f"- {escape(one['arm'])}, {one['kind'].replace('_', ' ')}, in {one['evidence']['seeds']} of "
        f"{_count(one['evidence']['of'], 'run')}: {escape(one['explanation'])}"
        for one in report["findings"]
    )


def _method(report: Mapping[str, Any]) -> str:
    family = "all pairs of arms, because the data chose the best arm"
    if report["baseline"] is not None:
        family = "the comparisons with the baseline"
    name = metric_name(report["metric"])
    last = f"last {name}" if report["metric"] in LAST else name
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
    """The first `text` columns are words, the others numbers."""
    rule = [*["---"] * text, *["---:"] * (len(head) - text)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])
