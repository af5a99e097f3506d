"""The report as a Markdown page."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis._kinds import range_sections
from core.analysis._numbers import difference, metric_name, number, p_value, span
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
    if report.get("lr_range") is None:
        parts += [f"## {metric_name(report['metric']).capitalize()}", _arms(report)]
    if report["comparisons"]:
        parts += [f"## Differences from {escape(report['comparisons'][0]['a'])}", _comparisons(report)]
    if report["verdict"]["groups"]:
        parts += ["## Groups, best first", _groups(report)]
    if report["warnings"]:
        parts += ["## To beware of", "\n".join(f"- {escape(sentence)}" for sentence in report["warnings"])]
    if spec.lr_range is None:
        parts += ["## How this was computed", _method(report)]
    else:
        parts += range_sections(report, spec.lr_range, escape, _table)
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
        half = None if arm["ci_high"] is None else arm["ci_high"] - arm["mean"]
        mean = number(metric, arm["mean"])
        rows.append(
            [
                escape(arm["label"]),
                f"{arm['n']} of {arm['runs']}",
                mean if half is None else f"{mean.removesuffix(' %')} ± {number(metric, half)}",
                span(metric, arm["ci_low"], arm["ci_high"]) or "-",
                number(metric, arm["sd"]),
                str(arm["diverged"]),
                str(arm["failed"] + arm["unfinished"] + arm["not_finite"]),
            ]
        )
    return _table(["arm", "N", "mean ± half-width", "95 % interval", "sd", "diverged", "no result"], rows)


def _comparisons(report: Mapping[str, Any]) -> str:
    metric = report["metric"]
    rows = [
        [
            escape(c["b"]),
            str(c["n"]),
            difference(metric, c["difference"], signed=True),
            span(metric, c["ci_low"], c["ci_high"], signed=True) or "-",
            p_value(c["p"]).removeprefix("= "),
            p_value(c["p_adjusted"]).removeprefix("= "),
            "-" if c["effect_size"] is None else f"{c['effect_size']:+.3g}",
        ]
        for c in report["comparisons"]
    ]
    head = ["compared with", "N pairs", "difference", "95 % interval", "p", "p adjusted", "effect size"]
    return _table(head, rows)


def _groups(report: Mapping[str, Any]) -> str:
    groups: Sequence[Sequence[str]] = report["verdict"]["groups"]
    return "\n".join(f"{i}. {'; '.join(map(escape, group))}" for i, group in enumerate(groups, start=1))


def _method(report: Mapping[str, Any]) -> str:
    family = "all pairs of arms, because the data chose the best arm"
    if report["baseline"] is not None:
        family = "the comparisons with the baseline"
    return (
        f"The outcome is each finished run's last {metric_name(report['metric'])}. Intervals are Student's t at 95 %; "
        "N counts finished runs that did not diverge.\n"
        "Differences are paired by seed: paired t test, its p adjusted by Holm over "
        f"{family}; effect size is Cohen's d_z with Hedges' correction."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *(["---:"] * (len(head) - 1))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])
