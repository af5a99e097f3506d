"""The report of an experiment that asks something else than how its arms compare."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.analysis._lr_range import FALL, MULTIPLE, range_entries, range_verdict, range_warnings
from core.results import Results
from core.spec import LrRange

SUGGESTED = "suggested_lr"
"""The `metric` of a range test's report: none that runs are ranked by."""
COUNTED = ("label", "runs", "diverged", "failed", "unfinished")
"""What the arms of such a report keep."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


def of_its_kind(answer: dict[str, Any], results: Results) -> dict[str, Any]:
    """A comparison's report made that of the experiment's kind.

    A range test has `lr_range` (see there), None elsewhere. Its arms ended at a rate that nobody would train with, so
    that their last values say nothing: no arm has a mean, none is compared or ranked, and a run that diverged is what
    the test is for, and no warning.
    """
    entries, settings = range_entries(results), results.spec.lr_range
    answer["lr_range"] = entries
    if entries is None or settings is None:
        return answer
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
        "warnings": range_warnings(entries, settings),
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
        f"steepest descent over log(rate); the first {settings.memory} updates, behind which the running mean has too "
        f"little, are left out, and nothing is suggested where it never falls by {100 * FALL:g} %. It diverges where "
        f"it is above {MULTIPLE:g} times its least so far, or not finite. Single seeds: the least and the largest of "
        "the rates at which the seeds fall fastest, each judged by itself (Smith 2017, arXiv:1506.01186; the rules are "
        "fastai's)."
    )
