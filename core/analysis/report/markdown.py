"""Writes the report as a Markdown page."""

from typing import NamedTuple

from core.analysis.outcomes import measures
from core.analysis.report.coordinates import coordinate_sections
from core.analysis.report.datasets_text import datasets_section
from core.analysis.report.energy import energy_sentence
from core.analysis.report.environments import environment_sentences
from core.analysis.report.kinds import range_sections, scan_section
from core.analysis.report.page_text import count, escape, prose, table
from core.analysis.report.saved import saved_sentence
from core.analysis.report.tables import differences, grid, more, outcomes, ranked, rounded, sources
from core.analysis.shapes import FindingReport, Report
from core.analysis.statistics.intervals import BOOTSTRAP_FROM
from core.analysis.wording import difference, product
from core.errors import Warned
from core.metrics import Measure, Metric
from core.results import Results

FOREMOST = ("comparison", "loss")
"""The pictures that stand below the first table."""

COMPUTED = "How this was computed"
TOGETHER = (
    "Intervals of all pairs together are Bonferroni's: one without 0 is always a win, and a win that only Holm finds "
    "may have one with 0."
)
SECOND = (
    "Effect size is Cohen's d_z with Hedges' correction. The p by sign flips needs no distribution, and with n pairs "
    "is never below 2^(1-n); the robust difference is Hodges' and Lehmann's with signed-rank limits, from six pairs on."
)


class Section(NamedTuple):
    """A part of the page: its title and its paragraphs and tables, all in Markdown."""

    title: str
    texts: list[str]
    folded: bool = False
    """True of what few readers need: a web page shows its title alone until it is asked for."""
    pictures: tuple[str, ...] = ()
    """Plots that belong below it."""


def markdown(report: Report, results: Results) -> str:
    """Return `report.md`: what is decided, the arms, why, what to beware of, their differences, how it was computed.

    The same report and design always give the same text. Labels and names are escaped: they show as they were given,
    whatever Markdown or HTML they contain.
    """
    parts = [f"# {escape(results.design.name)}"]
    for section in sections(report, results):
        parts += [f"## {section.title}", *section.texts] if section.title else section.texts
    return "\n\n".join(parts) + "\n"


def sections(report: Report, results: Results) -> list[Section]:
    """Return the parts of the page: first what is decided and the arms, then why, then what few readers need."""
    design, known = results.design, measures(results)
    measure = known[report["metric"]] if design.ranks else None
    text = escape(report["verdict"]["text"] or "")
    first = "" if measure is None or design.batch_size_scan is not None else report["verdict"]["headline"] or ""
    found = [Section("", [f"**{escape(first)}**" if first else text])]
    found += _titled(scan_section(report, design, escape, table))
    if measure is not None:
        found.append(Section(_capital(measure.label), [ranked(report, measure)], pictures=FOREMOST))
    elif design.lr_range is not None:
        found += _titled(range_sections(report, design.lr_range, escape, table))
    elif design.coordinate_check is not None:
        slopes = report["coordinate_check"] or ()
        found += _titled(coordinate_sections(slopes, design.coordinate_check, escape, table))
    found += [Section("In words", [text])] if first else []
    if report["datasets"] is not None and measure is not None:
        found += [Section("Over the data sets", datasets_section(report["datasets"], measure, escape, table))]
    found += [Section("To beware of", ["\n".join(f"- {_warning(one)}" for one in report["warnings"])])]
    found += [Section("Found in the runs", [_findings(report)])]
    found += [] if measure is None else [Section("What each field does", grid(report, measure))]
    found += [Section("What was compared", [_compared(results)])]
    told = "\n".join(f"- {escape(note['path'])}: {escape(note['message'])}" for note in report["notes"])
    found += [Section("How the data was read", [told])]
    if measure is not None:
        found += [Section(title, texts, folded=True) for title, texts in differences(report, measure).items()]
        found += [
            Section("More about each arm", [more(report, measure)], folded=True),
            Section("Where the spread comes from", sources(report, measure), folded=True),
            Section("What rounding does", rounded(report, measure), folded=True),
            Section("All outcomes", outcomes(report, known), folded=True),
            Section(COMPUTED, [_method(report, measure)], folded=True),
        ]
    taken = [*saved_sentence(report["saved"]), *map(escape, energy_sentence(report["energy"]))]
    found += [Section("Updates and energy", taken, folded=True)]
    found += [
        Section("Where it was trained", [*map(escape, environment_sentences(report["environments"]))], folded=True)
    ]
    return sorted((section for section in found if any(section.texts)), key=lambda section: section.folded)


def _titled(parts: list[str]) -> list[Section]:
    """Return the sections of a list of paragraphs and tables, in which titles begin with "## "."""
    found: list[Section] = []
    for part in parts:
        if part.startswith("## "):
            title = part.removeprefix("## ")
            found.append(Section(title, [], folded=title == COMPUTED))
        else:
            found[-1].texts.append(part)
    return found


def _compared(results: Results) -> str:
    design, seeds = results.design, results.design.seeds
    lines = [f"- {title}: {'differs by arm' if words is None else escape(words)}" for title, words in design.described]
    listed = ", ".join(map(str, seeds[:20])) + (", ..." if len(seeds) > 20 else "")
    runs = product(len(design.arms), len(seeds), len(results.runs))
    lines.append(f"- Arms and seeds: {runs} (seeds {listed}); runs of one seed {design.paired}")
    return "\n".join(lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _findings(report: Report) -> str:
    """Return the findings, one that is the same of several arms once."""
    alike: dict[tuple[object, ...], list[FindingReport]] = {}
    for one in report["findings"]:
        of = one["evidence"]["seeds"], one["evidence"]["of"]
        alike.setdefault((one["kind"], one["explained_by"], one["explanation"], *of), []).append(one)
    return "\n".join(
        f"- {'; '.join(escape(one['arm']) for one in those)}, {those[0]['kind'].replace('_', ' ')}, "
        f"{'each ' if len(those) > 1 else ''}in {those[0]['evidence']['seeds']} of "
        f"{count(those[0]['evidence']['of'], 'run')}{_follows(those[0])}: {prose(those[0]['explanation'])}"
        for those in alike.values()
    )


def _follows(finding: FindingReport) -> str:
    cause = finding["explained_by"]
    return "" if cause is None else f" (follows from {cause.replace('_', ' ')})"


def _warning(one: Warned) -> str:
    return escape(f"{one['path']}: {one['message']}" if one["path"] else one["message"])


def _method(report: Report, metric: Measure) -> str:
    family = "all pairs of arms, because the data chose the best arm"
    if report["baseline"] is not None:
        family = "the comparisons with the baseline"
    last = f"last {metric.label}" if isinstance(metric, Metric) else metric.label
    alpha = f"{report['alpha']:g}"
    within = "No margin was named, so no arms can be called equivalent."
    if report["margin"] is not None:
        within = (
            f"Arms are equivalent where two one-sided tests find their difference within "
            f"{difference(metric, report['margin'])} at {alpha}, Holm over the same family; then a difference, however "
            "sure, is one that does not matter."
        )
    return (
        f"The outcome is each finished run's {last}. Intervals of single arms are at 95 %: Student's t below "
        f"{BOOTSTRAP_FROM} runs, from {BOOTSTRAP_FROM} on the BCa bootstrap with its level expanded for few runs; of "
        "shares Wilson's. That of the best arm in the words above is at the level of the verdict over the number of "
        "arms, as the data chose it. N counts finished runs that have a value.\n"
        f"{_tests(report, family)} {within}\n"
        "Places are those that the decisions leave to an arm: from 1 more than the arms that beat it to the number of "
        "arms less those that it beats.\n"
        "No interval knows what no run shows: where five runs all went well, one in two may yet fail (at most 52 %, "
        "Clopper-Pearson). How much may be unseen is beside each arm.\n"
        "A run that diverged, or never came to what is asked for, has no value and is in no mean; none is invented for "
        "it. But it is the worst: where one of a pair of arms was lost, the ranks of all its runs decide, lost ones "
        "last, by flips of signs within seeds, below six seeds or without pairs by the rank sum. An arm that lost more "
        "runs comes after one that lost fewer, unless it beats it. The chance of being best is the "
        "share of draws in which the arm is: of two equal arms one has more than 95 % in one experiment of ten. Where "
        "runs were lost it is of ranks, the lost ones last."
    )


def _tests(report: Report, family: str) -> str:
    alpha = f"{report['alpha']:g}"
    if not all(c["paired"] for c in report["comparisons"]):
        return (
            "Runs are not paired: Welch's t test of the means from three runs of both arms on, its p adjusted by Holm "
            f"over {family}, and decided below {alpha}. Effect size is Cohen's d over the root mean square of both "
            f"standard deviations, with Hedges' correction. {TOGETHER}"
        )
    if report["looks"]:
        return (
            "Differences are paired by seed: a pair is decided by the paired t test at the first look that decides it, "
            f"at the look's level for {alpha} over {family} (Bonferroni) and over all looks (O'Brien and Fleming 1979, "
            "calibrated on t). Its numbers, the second opinions among them, are of the seeds until that look, or until "
            f"its last; its p adjusted is the smallest alpha at which it would have been decided by then. {SECOND}"
        )
    return (
        f"Differences are paired by seed: paired t test from three pairs on, its p adjusted by Holm over {family}, and "
        f"decided below {alpha}. {SECOND} {TOGETHER}"
    )
