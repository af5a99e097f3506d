"""HTML for a notebook: every text of users' is escaped, and nothing is a script."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from initlab.ranking import ranked
from initlab.words import NONE, number, runs

SHOWN = 20
"""Rows of a table of series."""


def experiment(data: Mapping[str, Any], address: str, report: Mapping[str, Any] | None, picture: str) -> str:
    """Return the name, the state and the link; then the verdict and the picture, or the progress where there is none.

    `picture` is base64 of a PNG, or empty.
    """
    tags = "".join(f" <code>{_named(tag)}</code>" for tag in data.get("tags", ()))
    head = (
        f"<b>{_named(data['name'])}</b>{tags}<br>experiment {data['id']}, {escape(data['status'])}, "
        f'<a href="{escape(address)}" target="_blank" rel="noopener">open its page</a>'
    )
    shown = f'src="data:image/png;base64,{picture}" width="900" style="max-width: 100%"'
    image = f'<br><img alt="the picture of its outcome" {shown}>' if picture else ""
    return f"<div>{head}{progress(data) if report is None else verdict(report)}{image}</div>"


def progress(data: Mapping[str, Any]) -> str:
    """Return how far each arm is."""
    rows = [
        [
            _named(str(arm["label"])),
            f'<progress value="{arm["steps_done"]}" max="{max(1, arm["steps_total"])}"></progress>',
            f"{arm['steps_done']:,} / {arm['steps_total']:,}",
            runs(arm, " / "),
            f"{arm['diverged']:,}",
            f"{arm['failed']:,}",
        ]
        for arm in data["arms"]
    ]
    seconds = data["progress"]["eta_seconds"]
    left = f", about {seconds:,.0f} s left" if seconds else ""
    done = data["progress"]
    foot = f"<p>{runs(done, ' of ', ' runs')}{left}</p>"
    return _table(["arm", "", "steps", "runs", "diverged", "failed"], rows) + foot


def verdict(report: Mapping[str, Any]) -> str:
    """Return the verdict, the arms from the best, and what to beware of."""
    percent = str(report["metric"]).endswith("accuracy")
    rows = []
    for place, arm in ranked(report):
        low, mean, high = (number(arm[end], percent) for end in ("ci_low", "mean", "ci_high"))
        interval = NONE if NONE in (low, high) else f"{low} to {high}"
        cells = [escape(cell) for cell in (str(arm["n"]), mean, interval, str(arm["diverged"]))]
        rows.append([escape(place or NONE), _named(arm["label"]), *cells])
    said = report["verdict"]
    table = _table(["place", "arm", "N", escape(str(report["metric"])), "95 % interval", "diverged"], rows)
    notes = "".join(f"<li>{escape(one['message'])}</li>" for one in report.get("warnings", ()))
    headline = f"<p><b>{escape(said['headline'])}</b></p>" if said.get("headline") else ""
    return f"{headline}<p>{escape(said['text'])}</p>{table}" + (f"<ul>{notes}</ul>" if notes else "")


def series(items: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each series, the first of many."""
    names = ("run_id", "arm", "seed", "metric", "unit")
    rows = [
        [
            *((_named if name == "arm" else escape)(str(one[name])) for name in names),
            f"{len(one['steps']):,}",
            escape(_last(one["values"])),
        ]
        for one in items[:SHOWN]
    ]
    more = f"<p>and {len(items) - SHOWN:,} more series</p>" if len(items) > SHOWN else ""
    return _table([*names, "points", "last value"], rows) + more


def _named(text: str) -> str:
    """Return a name that somebody gave, as HTML: letters that run from right to left turn nothing around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _last(values: Sequence[float | None]) -> str:
    return number(values[-1], percent=False) if values else NONE


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
