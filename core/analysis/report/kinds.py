"""Writes the reports of experiments that answer another question than which arm is best."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from core.analysis.report.batch_size import rounded, scan_entries, scan_verdict, scan_warnings
from core.analysis.report.coordinates import coordinate_entries, coordinate_verdict, coordinate_warnings
from core.analysis.report.lr_range import FALL, MULTIPLE, range_entries, range_verdict, range_warnings
from core.analysis.report.verdict import more_may_come
from core.analysis.report.warnings import said
from core.analysis.shapes import Interval, NoiseScale, Outcomes, RangeEntry, Report
from core.analysis.wording import number
from core.design import Design, LrRangeTest
from core.errors import Warned
from core.results import Results

SUGGESTED = "suggested_lr"
"""The `metric` of a range test's report, by which no runs are ranked."""
SLOPE = "coordinate_slope"
"""That of a coordinate check's report."""
COUNTED = ("label", "runs", "diverged", "failed", "unfinished", "stopped_early", "pruned", "unseen_at_most")
"""The fields that the arms of such a report keep."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


def of_its_kind(report: Report, results: Results, outcomes: Outcomes) -> Report:
    """Return the report of the experiment's kind, made from that of a comparison.

    A range test has `lr_range` (see `range_entries`), None elsewhere. Its runs have no outcomes but their time (see
    `run_outcomes`), and whichever was asked for, no arm has a mean and none is compared or ranked: `metric` is
    "suggested_lr", `n` counts the runs behind the curves, and a run that diverged is what the test is for, and no
    warning.

    So it is with a coordinate check, which has `coordinate_check` (see `coordinate_entries`): `metric` is
    "coordinate_slope", and `n` counts an arm's finished runs.

    A scan has `batch_size` (see `scan_entries`), None elsewhere. It is a comparison too, of its arms' last values, and
    `metric=steps_to_target` is one of the updates; the verdict's text begins with what the scan asks.
    """
    entries, settings = range_entries(results), results.design.lr_range
    report["lr_range"], report["batch_size"] = entries, scan_entries(results, outcomes)
    slopes, check = coordinate_entries(results), results.design.coordinate_check
    report["coordinate_check"] = slopes
    more = more_may_come(report["runs"])
    if slopes is not None and check is not None:
        finished = Counter(run.arm for run in results.runs if run.status == "succeeded")
        n = {label: finished[label] for label in results.design.labels}
        return _unranked(report, SLOPE, n, coordinate_verdict(slopes, check, more), said(coordinate_warnings(slopes)))
    if entries is None or settings is None:
        return _scanned(report, results)
    n = {entry["label"]: entry["n"] for entry in entries}
    return _unranked(
        report, SUGGESTED, n, range_verdict(entries, settings, more), said(range_warnings(entries, settings))
    )


def _unranked(report: Report, metric: str, n: Mapping[str, int], text: str, warnings: list[Warned]) -> Report:
    """Return the report of runs that are not ranked; `n` are those that count, by arm."""
    changed: dict[str, Any] = {
        "metric": metric,
        "split": None,
        "margin": None,
        "arms": [
            {key: arm[key] if key in COUNTED else None for key in arm}
            | {"n": n[arm["label"]], "not_finite": 0, "lost": 0, "rates": {}, "outcomes": {}}
            for arm in cast(list[dict[str, Any]], report["arms"])
        ],
        "reference": None,
        "comparisons": [],
        "factorial": None,
        "verdict": {key: [] if isinstance(value, list) else None for key, value in report["verdict"].items()}
        | {"text": text},
        "warnings": warnings,
    }
    return cast(Report, report | changed)


def _scanned(report: Report, results: Results) -> Report:
    entries = report["batch_size"]
    if entries is None or results.design.target is None:
        return report
    asked = scan_verdict(entries, target_words(results.design))
    report["verdict"]["text"] = " ".join(filter(None, [asked, f"At the end of training: {report['verdict']['text']}"]))
    report["warnings"] = [*said(scan_warnings(entries)), *report["warnings"]]
    return report


def target_words(design: Design) -> str:
    """Return the target in words: "validation accuracy of 90.00 %"; empty where there is none."""
    if design.target is None:
        return ""
    metric = design.metrics[design.target.metric]
    return f"{metric.label} of {number(metric, design.target.value)}"


def range_sections(report: Report, settings: LrRangeTest, escape: Callable[[str], str], table: Table) -> list[str]:
    """Return the part of a range test's Markdown page between what was tested and what to beware of."""
    head = [
        "arm",
        "N",
        "its own rate",
        "falls fastest at",
        "single seeds",
        "least at",
        "a tenth of that",
        "diverges from",
    ]
    rows = [[escape(entry["label"]), *_cells(entry)] for entry in report["lr_range"] or ()]
    return ["## Rates", table(head, rows), "## How this was computed", _method(settings)]


def _cells(entry: RangeEntry) -> Iterator[str]:
    yield f"{entry['n']} of {entry['runs']}"
    yield f"{entry['lr']:.3g}"
    suggested, least = entry["suggested"], entry["least"]
    yield "-" if suggested is None else f"{suggested['lr']:.3g}"
    several = suggested is not None and suggested["n"] > 1
    yield f"{suggested['low']:.3g} to {suggested['high']:.3g}" if suggested is not None and several else "-"
    yield "-" if least is None else f"{least['lr']:.3g}"
    yield "-" if entry["tenth"] is None else f"{entry['tenth']:.3g}"
    diverged = entry["diverged"]
    yield "-" if diverged is None else f"{diverged['lr']:.3g} ({diverged['n']} of {entry['n']} seeds)"


def _method(settings: LrRangeTest) -> str:
    return (
        f"The rate rises from {settings.low:g} to {settings.high:g} in {settings.steps} updates, each time by the same "
        "factor. Each run is judged by itself, and an arm's rate is the median of its runs'. A run diverges where its "
        f"loss, a median of five updates, is above {MULTIPLE:g} times the least that its running mean has had, or is "
        "not finite. Until then its loss is smoothed by a mean with weights that fall by "
        f"{1 - settings.smoothing:.3g} with every update of distance, to both sides, so that nothing is found too "
        "late. It falls fastest where that has its steepest descent over log(rate); nothing is suggested where it "
        f"never falls by {100 * FALL:g} %. Single seeds: the least and the largest of their rates (Smith 2017, "
        "arXiv:1506.01186; the rules are fastai's, but for the side that the mean looks to)."
    )


def scan_section(report: Report, design: Design, escape: Callable[[str], str], table: Table) -> list[str]:
    """Return the part of a scan's Markdown page before the comparison of its arms."""
    settings = design.batch_size_scan
    if settings is None or design.target is None:
        return []
    head = ["arm", "rate", "reached", "updates", "95 % interval", "examples", "95 % interval", "noise scale"]
    rows = [
        [
            escape(size["label"]),
            f"{size['lr']:.3g}",
            f"{size['n']} of {size['runs']}",
            *_mean_and_span(size["steps"]),
            *_mean_and_span(size["samples"]),
            _scale(size["noise_scale"]),
        ]
        for entry in report["batch_size"] or ()
        for size in entry["sizes"]
    ]
    how = (
        f"Updates and training examples until the end of the first epoch with a {target_words(design)}, of the runs "
        f"that reached it; intervals as below. The base rate is for batch size {settings.base}, and follows the rule "
        f"{settings.rule!r}. Noise scale: tr(S) / |G|² (McCandlish et al. 2018, arXiv:1812.06162), the ratio of the "
        "means over seeds until the target was reached, with Fieller's 95 % interval."
    )
    return ["## Batch sizes", table(head, rows), how]


def _mean_and_span(found: Interval | None) -> tuple[str, str]:
    if found is None:
        return "-", "-"
    sure = "-" if found["ci_low"] is None else f"{found['ci_low']:,.0f} to {found['ci_high']:,.0f}"
    return f"{found['mean']:,.0f}", sure


def _scale(found: NoiseScale | None) -> str:
    if found is None or found["estimate"] is None:
        return "-"
    high = "or more" if found["ci_high"] is None else f"to {rounded(found['ci_high'])}"
    return rounded(found["estimate"]) + ("" if found["ci_low"] is None else f" ({rounded(found['ci_low'])} {high})")
