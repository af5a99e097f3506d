"""The report of an experiment that asks something else than how its arms compare."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.analysis.report.batch_size import Outcomes, rounded, scan_entries, scan_verdict, scan_warnings
from core.analysis.report.lr_range import FALL, MULTIPLE, range_entries, range_verdict, range_warnings
from core.analysis.wording import metric_name, number
from core.results import Results
from core.spec import LrRange, Spec

SUGGESTED = "suggested_lr"
"""The `metric` of a range test's report: none that runs are ranked by."""
COUNTED = ("label", "runs", "diverged", "failed", "unfinished")
"""What the arms of such a report keep."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


def of_its_kind(answer: dict[str, Any], results: Results, outcomes: Outcomes) -> dict[str, Any]:
    """A comparison's report made that of the experiment's kind.

    A range test has `lr_range` (see `range_entries`), None elsewhere. Its runs have no outcomes but their time (see
    `run_outcomes`), and whichever was asked for, no arm has a mean and none is compared or ranked: `metric` is
    "suggested_lr", `n` counts the runs behind the curves, and a run that diverged is what the test is for, and no
    warning.

    A scan has `batch_size` (see `scan_entries`), None elsewhere. It is a comparison too, of its arms' last values, and
    `metric=steps_to_target` is one of the updates; the verdict's text begins with what the scan asks.
    """
    entries, settings = range_entries(results), results.spec.lr_range
    answer |= {"lr_range": entries, "batch_size": scan_entries(results, outcomes)}
    if entries is None or settings is None:
        return _scanned(answer, results)
    n = {entry["label"]: entry["n"] for entry in entries}
    return answer | {
        "metric": SUGGESTED,
        "arms": [
            {key: arm[key] if key in COUNTED else None for key in arm} | {"n": n[arm["label"]], "not_finite": 0}
            for arm in answer["arms"]
        ],
        "reference": None,
        "comparisons": [],
        "factorial": None,
        "verdict": {key: [] if isinstance(value, list) else None for key, value in answer["verdict"].items()}
        | {"text": range_verdict(entries, settings)},
        "warnings": [*range_warnings(entries, settings)],
    }


def _scanned(answer: dict[str, Any], results: Results) -> dict[str, Any]:
    entries, target = answer["batch_size"], results.spec.target
    if entries is None or target is None:
        return answer
    asked = scan_verdict(entries, target)
    text = " ".join(filter(None, [asked, f"At the end of training: {answer['verdict']['text']}"]))
    return answer | {
        "verdict": answer["verdict"] | {"text": text},
        "warnings": [*scan_warnings(entries), *answer["warnings"]],
    }


def range_sections(
    report: Mapping[str, Any], settings: LrRange, escape: Callable[[str], str], table: Table
) -> list[str]:
    """The part of a range test's Markdown page between what was tested and what to beware of."""
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
    rows = [[escape(entry["label"]), *_cells(entry)] for entry in report["lr_range"]]
    return ["## Rates", table(head, rows), "## How this was computed", _method(settings)]


def _cells(entry: Mapping[str, Any]) -> Iterator[str]:
    yield f"{entry['n']} of {entry['runs']}"
    yield f"{entry['lr']:.3g}"
    for name in ("suggested", "least"):
        said = entry[name]
        yield "-" if said is None else f"{said['lr']:.3g}"
        if name == "suggested":
            yield "-" if said is None or said["n"] < 2 else f"{said['low']:.3g} to {said['high']:.3g}"
    yield "-" if entry["tenth"] is None else f"{entry['tenth']:.3g}"
    diverged = entry["diverged"]
    yield "-" if diverged is None else f"{diverged['lr']:.3g} ({diverged['n']} of {entry['n']} seeds)"


def _method(settings: LrRange) -> str:
    return (
        f"The rate rises from {settings.low:g} to {settings.high:g} in {settings.steps} updates, each time by the same "
        f"factor. Each run's loss is smoothed by a running mean that forgets {1 - settings.smoothing:.3g} of itself an "
        "update, corrected for its start, and then averaged over seeds. The loss falls fastest where that mean has its "
        f"steepest descent over log(rate); the first {settings.memory} updates, in which the running mean still "
        f"forms, are left out, and nothing is suggested where it never falls by {100 * FALL:g} %. It diverges where "
        f"it is above {MULTIPLE:g} times its least so far, or not finite. Single seeds: the least and the largest of "
        "the rates at which the seeds fall fastest, each judged by itself (Smith 2017, arXiv:1506.01186; the rules are "
        "fastai's)."
    )


def scan_section(report: Mapping[str, Any], spec: Spec, escape: Callable[[str], str], table: Table) -> list[str]:
    """The part of a scan's Markdown page before the comparison of its arms."""
    settings, target = spec.batch_size_scan, spec.target
    if settings is None or target is None:
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
        for entry in report["batch_size"]
        for size in entry["sizes"]
    ]
    goal = f"{metric_name(target.metric)} of {number(target.metric, target.value)}"
    how = (
        f"Updates and training examples until the end of the first epoch with a {goal}, of the runs that reached it; "
        f"intervals as below. The base rate is for batch size {spec.batch_size}, and follows the rule "
        f"{settings.rule!r}. Noise scale: tr(S) / |G|² (McCandlish et al. 2018, arXiv:1812.06162), the ratio of the "
        "means over seeds until the target was reached, with Fieller's 95 % interval."
    )
    return ["## Batch sizes", table(head, rows), how]


def _mean_and_span(found: Mapping[str, Any] | None) -> tuple[str, str]:
    if found is None:
        return "-", "-"
    sure = "-" if found["ci_low"] is None else f"{found['ci_low']:,.0f} to {found['ci_high']:,.0f}"
    return f"{found['mean']:,.0f}", sure


def _scale(found: Mapping[str, Any] | None) -> str:
    if found is None or found["estimate"] is None:
        return "-"
    high = "or more" if found["ci_high"] is None else f"to {rounded(found['ci_high'])}"
    return rounded(found["estimate"]) + ("" if found["ci_low"] is None else f" ({rounded(found['ci_low'])} {high})")
