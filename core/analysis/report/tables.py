"""The tables of the report's page."""

from collections.abc import Mapping, Sequence

from core.analysis.report.page_text import escape, table
from core.analysis.shapes import ArmReport, Comparison, Rate, Report
from core.analysis.shapes.variance import VarianceShare
from core.analysis.wording import difference, number, p_value, span, spread
from core.design import SOURCE_NAMES
from core.metrics import Measure

MOST_ROWS = 60
MOST_COLUMNS = 8


def ranked(report: Report, metric: Measure) -> str:
    """Return the arms in the verdict's order, each with the places that the decisions leave to it."""
    order = {label: i for i, label in enumerate(report["verdict"]["order"])}
    rows = []
    for arm in sorted(report["arms"], key=lambda arm: order.get(arm["label"], len(order))):
        even = arm["interval"] == "t"
        mean, middle, high = number(metric, arm["mean"]), arm["mean"], arm["ci_high"]
        half = f" ± {number(metric, high - middle)}" if even and high is not None and middle is not None else ""
        rows.append(
            [
                places(arm),
                escape(arm["label"]),
                f"{arm['n']} of {arm['runs']}",
                f"{mean.removesuffix(' %') if half else mean}{half}",
                span(metric, arm["ci_low"], arm["ci_high"]) or "-",
                number(metric, arm["sd"]),
                str(arm["diverged"]),
                str(arm["failed"] + arm["unfinished"] + arm["not_finite"]),
            ]
        )
    return table(["place", "arm", "N", "mean ± half-width", "95 % interval", "sd", "diverged", "no result"], rows, 2)


def places(arm: ArmReport) -> str:
    """Return the places that the decisions leave to an arm: "2", "1-3", "-" where it has none."""
    low, high = arm["rank_low"], arm["rank_high"]
    if low is None or high is None:
        return "-"
    return str(low) if low == high else f"{low}-{high}"


def more(report: Report, metric: Measure) -> str:
    """Return what else is known of each arm's values, and how many of its runs came to one."""
    with_target = any("reached_target" in arm["rates"] for arm in report["arms"])
    rows = [
        [
            escape(arm["label"]),
            number(metric, arm["median"]),
            number(metric, arm["iqm"]),
            "-" if arm["p_best"] is None else f"{100 * arm['p_best']:.0f} %",
            _rate(arm["rates"]["completed"]),
            f"{100 * arm['unseen_at_most']:.0f} %",
            *([_rate(arm["rates"]["reached_target"])] if with_target else []),
        ]
        for arm in report["arms"]
    ]
    head = [
        "arm",
        "median",
        "inter-quartile mean",
        f"chance of being {metric.labels.best}",
        "did not diverge",
        "unseen in N: up to",
    ]
    return table([*head, *(["reached the target"] if with_target else [])], rows)


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "-"
    return f"{rate['hits']} of {rate['n']} ({100 * rate['ci_low']:.0f} to {100 * rate['ci_high']:.0f} %)"


def differences(report: Report, metric: Measure) -> dict[str, list[str]]:
    """Return the tables of the reference's comparisons and of the other pairs, by their titles."""
    mine = [c for c in report["comparisons"] if c["a"] == report["reference"]]
    rest = [c for c in report["comparisons"] if c["a"] != report["reference"]]
    found: dict[str, list[str]] = {}
    if mine:
        found[f"Differences from {escape(report['reference'] or '')}"] = [_comparisons(report, metric, mine)]
    if mine and rest:
        more_pairs = (
            [f"And {len(rest) - MOST_ROWS} more pairs, in the report as JSON."] if len(rest) > MOST_ROWS else []
        )
        shown = _comparisons(report, metric, rest[:MOST_ROWS], pairs=True)
        found["Differences between the others"] = [shown, *more_pairs]
    return found


def _comparisons(report: Report, metric: Measure, comparisons: Sequence[Comparison], pairs: bool = False) -> str:
    with_margin = report["margin"] is not None
    rows = [
        [
            *([escape(c["a"])] if pairs else []),
            escape(c["b"]),
            c["decision"] if c["better"] is None else f"{escape(c['better'])} is {metric.labels.better}",
            str(c["n"]),
            _bare(metric, c["difference"]),
            span(metric, c["ci_low"], c["ci_high"], signed=True) or "-",
            span(metric, c["individual"]["ci_low"], c["individual"]["ci_high"], signed=True) or "-",
            p_value(c["p"]).removeprefix("= "),
            p_value(c["p_adjusted"]).removeprefix("= ") + (" (ranks)" if c["test"] == "ranks" else ""),
            *([p_value(c["p_equivalence"]).removeprefix("= ")] if with_margin else []),
            "-" if c["effect_size"] is None else f"{round(c['effect_size'], 6):+z.3g}",
            p_value(c["p_sign_flip"]).removeprefix("= "),
            _robust(metric, c),
        ]
        for c in comparisons
    ]
    level = f"{100 * (1 - report['alpha']):.4g} %"
    head = [
        "decision",
        "N pairs" if all(c["paired"] for c in comparisons) else "N",
        _with_unit("difference", metric),
        f"{level} interval, all together",
        "each alone",
        "p",
        "p adjusted",
        *(["p of equivalence"] if with_margin else []),
        "effect size",
        "p by sign flips",
        "robust difference",
    ]
    return table([*(["arm"] if pairs else []), "compared with", *head], rows, 3 if pairs else 2)


def _robust(metric: Measure, c: Comparison) -> str:
    found = c["robust"]
    if found is None:
        return "-"
    return f"{_bare(metric, found['estimate'])} ({span(metric, found['ci_low'], found['ci_high'], signed=True)})"


def _with_unit(what: str, metric: Measure) -> str:
    """Return the head of a column of differences, whose unit would be long in every row."""
    return f"{what} (percentage points)" if metric.share else what


def _bare(metric: Measure, value: float | None) -> str:
    return difference(metric, value, signed=True).removesuffix(" percentage points")


def grid(report: Report, metric: Measure) -> list[str]:
    """Return what each field of a grid does; empty where there is no grid."""
    found = report["factorial"]
    if found is None or not found["effects"]:
        return []
    terms = [
        [" x ".join(map(escape, term["factors"])), *(_share(term[key]) for key in ("share_corrected", "share"))]
        for term in found["terms"]
    ]
    rows = [
        [
            " x ".join(map(escape, effect["factors"])),
            escape("; ".join(effect["levels"])),
            _bare(metric, effect["estimate"]),
            span(metric, effect["ci_low"], effect["ci_high"], signed=True),
            p_value(effect["p"]).removeprefix("= "),
            p_value(effect["p_adjusted"]).removeprefix("= "),
        ]
        for effect in found["effects"][:MOST_ROWS]
    ]
    parts = [
        f"N = {found['n']} seeds, {found['complete']} of them with a value in every cell.",
        "Shares of the variation between the cells' means, less what chance alone gives each; the rest is chance.",
        table(["field", "share", "with chance"], terms),
        table(["field", "level", _with_unit("effect", metric), "95 % interval", "p", "p adjusted"], rows, 2),
    ]
    if len(found["effects"]) > MOST_ROWS:
        parts.append(f"And {len(found['effects']) - MOST_ROWS} more effects, in the report as JSON.")
    return parts


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * max(0.0, share):.1f} %"


def rounded(report: Report, metric: Measure) -> list[str]:
    """Return what rounding does; empty where no run was trained twice."""
    found = report["rounding"]
    if found is None:
        return []
    rows = [
        [
            escape(arm["label"]),
            str(arm["n"]),
            *(difference(metric, arm[key]) for key in ("mean", "largest", "sd_rounding", "sd")),
            str(arm["unlike"]),
        ]
        for arm in found["arms"]
    ]
    head = ["arm", "N pairs", "mean difference", "largest", "sd by rounding", "sd over seeds", "one alone has a value"]
    return [escape(found["text"]), table(head, rows)]


def sources(report: Report, metric: Measure) -> list[str]:
    """Return what each source of randomness makes of the spread; empty where none is named."""
    found = report["variance"]
    if found is None:
        return []
    rows = [
        [
            escape(arm["label"]),
            SOURCE_NAMES[one["source"]].removeprefix("the "),
            str(one["n"]),
            difference(metric, one["sd"]),
            spread(metric, one["sd_interval"]["ci_low"], one["sd_interval"]["ci_high"]),
            *(("-", "-") if one["share"] is None else _share_of(one["share"])),
            str(one["unlike"]),
        ]
        for arm in found["arms"]
        for one in arm["sources"]
    ]
    head = ["arm", "source", "N", "sd by it alone", "95 % interval", "share of the variance", "95 % interval"]
    return [escape(found["text"]), table([*head, "one alone has a value"], rows, 2)]


def _share_of(share: VarianceShare) -> tuple[str, str]:
    estimate, low, high = (f"{100 * share[end]:.0f}" for end in ("estimate", "ci_low", "ci_high"))
    return f"{estimate} %", f"{low} to {high} %"


def outcomes(report: Report, known: Mapping[str, Measure]) -> list[str]:
    """Return the means of every outcome."""
    arms = report["arms"][:MOST_COLUMNS]
    rows = [[known[name].label, *(_short(known[name], arm) for arm in arms)] for name in arms[0]["outcomes"]]
    parts = [
        "Mean, its 95 % interval and N.",
        table(["outcome", *(escape(arm["label"]) for arm in arms)], rows),
    ]
    if len(report["arms"]) > MOST_COLUMNS:
        parts.append(f"And {len(report['arms']) - MOST_COLUMNS} more arms, in the report as JSON.")
    told = [escape(known[name].label) for name in arms[0]["outcomes"] if any(_is_one(known[name], arm) for arm in arms)]
    if told:
        parts.append(
            f"Runs that train together share {', '.join(told)}: it is one measurement of them all, and has no interval."
        )
    return parts


def _is_one(metric: Measure, arm: ArmReport) -> bool:
    """Return whether all runs of an arm have one measurement: an interval of it would have no width."""
    one = arm["outcomes"][metric.name]
    return metric.shared and one["n"] > 1 and one["ci_low"] == one["ci_high"]


def _short(metric: Measure, arm: ArmReport) -> str:
    one = arm["outcomes"][metric.name]
    if not one["n"]:
        return "-"
    if _is_one(metric, arm):
        return f"{number(metric, one['mean'])} (N = {one['n']})"
    sure = span(metric, one["ci_low"], one["ci_high"])
    return f"{number(metric, one['mean'])} ({f'{sure}, ' if sure else ''}N = {one['n']})"
