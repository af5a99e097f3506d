"""The output for people in a terminal: tables of experiments, arms and catalogue entries, and the verdict."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from initlab.experiment import Experiment
from initlab.happenings import sentence, why
from initlab.looks import looks, outlook
from initlab.ranking import ranked
from initlab.words import NONE, megabytes, number, runs, shape, some, state, words

PLAIN_WIDTH = 160
"""Columns of a table that is written to a file or a pipe."""
WORDS = frozenset(
    [
        "name",
        "status",
        "arm",
        "created",
        "parameter",
        "type",
        "default",
        "what it is",
        "kind",
        "task",
        "column",
        "features",
        "formula",
        "source",
        "such as",
        "when",
        "what",
        "why",
        "host",
        "trains",
        "devices",
        "queues",
        "last sign",
    ]
)
"""The columns that are no numbers."""


class _Output(Console):
    """A console that says where its reader has ended, as any other output does."""

    def on_broken_pipe(self) -> None:
        raise  # within the handler of rich, which would exit with 1: the experiment failed


def console(*, stderr: bool = False) -> Console:
    """Return a console that takes text as it is: a label may look like rich's markup.

    It is as wide as the terminal, or as the environment's COLUMNS says.
    """
    out = _Output(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not out.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        out.width = PLAIN_WIDTH
    return out


def experiments(items: Iterable[Experiment]) -> Table:
    table = _table("id", "name", "status", "arms", "runs", "created")
    for item in items:
        cells = (
            str(item.id),
            item.name,
            item.status,
            f"{len(item.arms)}",
            runs(item.progress),
            str(item.data.get("created_at", "")),
        )
        table.add_row(*cells)
    return table


def experiment(item: Experiment) -> RenderableType:
    table = _table("arm", "runs", "steps", "diverged", "failed")
    for arm in item.arms:
        steps = f"{arm['steps_done']:,}/{arm['steps_total']:,}"
        table.add_row(arm["label"], runs(arm), steps, str(arm["diverged"]), str(arm["failed"]))
    errors = (Text(f"error: {error}") for error in item.errors)
    return Group(described(item.data), table, *looks(item.data), *errors, *warnings(item.data))


def described(data: Mapping[str, Any]) -> Text:
    """Return what an experiment is called, how it stands, and what people have noted of it."""
    tags = f"\ntags: {', '.join(data['tags'])}" if data.get("tags") else ""
    notes = f"\n{data['notes']}" if data.get("notes") else ""
    return Text(f"{data['name']}\nexperiment {data['id']}: {state(data)}{tags}{notes}")


def history(events: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("when", "what", "why")
    for event in events:
        table.add_row(str(event["at"]), sentence(event), why(event))
    return table


def preview(found: Mapping[str, Any]) -> RenderableType:
    """Return the arms, and the cohorts that they would train in, equal ones in one row."""
    arms = _table("arm", "runs", "steps", "parameters")
    for arm in found["arms"]:
        sizes = ("–" if arm[name] is None else f"{arm[name]:,}" for name in ("runs", "steps", "parameters"))
        arms.add_row(arm["label"], *sizes)
    if (plan := found["plan"]) is None:
        waits = Text(f"{found['name']}: {found['runs_total']:,} runs, trained elsewhere: they wait for points")
        return Group(waits, arms, *outlook(found), *warnings(found))
    cohorts = _table("cohorts", "of runs", "threads", "layout", "steps", "each", "memory", "such as")
    columns = ("lanes", "threads", "layout", "steps", "estimated_seconds", "estimated_bytes")
    for alike in _alike(plan["cohorts"], columns):
        one = alike[0]
        size = (f"{len(alike):,}", f"{one['lanes']:,}", str(one["threads"]), one["layout"], f"{one['steps']:,}")
        takes = (duration(one["estimated_seconds"]), megabytes(one["estimated_bytes"]))
        members = f"{some(one['arms'], 2)} / seed {some([str(seed) for seed in one['seeds']], 3)}"
        cohorts.add_row(*size, *takes, members)
    processes = f"{plan['processes']:,} process{'es' if plan['processes'] > 1 else ''}"
    head = f"{found['name']}: {found['runs_total']:,} runs, {found['steps_total']:,} steps"
    time, memory = duration(plan["estimated_seconds"]), megabytes(plan["estimated_bytes"])
    basis = "as measured there" if plan["numbers"] == "measured" else "a guess: no machine was measured yet"
    foot = [Text(f"about {time} and {memory} on {plan['device']}, {processes} at a time ({basis})"), *outlook(found)]
    depend = sum(not one["independent"] for one in plan["cohorts"])
    bits = f"last bits depend on who trains together in {depend:,} of them, the same on every machine"
    company = [Text(f'{bits}; "layout": "loop" makes runs independent')] if depend else []
    return Group(Text(head), arms, cohorts, *foot, *company, *warnings(found), *_notes(found["notes"]))


def duration(seconds: float) -> str:
    """Return seconds as a person would say them: 0.42 s, 61 s, 12 min, 3.5 h."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def verdict(report: Mapping[str, Any]) -> RenderableType:
    """Return the arms in order, each with the places that are left to it; then what is decided, and the sentences."""
    if report.get("lr_range"):
        return Group(_rates(report["lr_range"]), *_sentences(report))
    if report.get("coordinate_check"):
        return Group(_slopes(report["coordinate_check"]), *_sentences(report))
    percent = str(report["metric"]).endswith("accuracy")
    table = _table("place", "arm", "N", str(report["metric"]), "95 % interval", "sd", "diverged")
    for place, arm in ranked(report):
        low, high = number(arm["ci_low"], percent), number(arm["ci_high"], percent)
        table.add_row(
            place or NONE,
            arm["label"],
            str(arm["n"]),
            number(arm["mean"], percent),
            NONE if NONE in (low, high) else f"{low} to {high}",
            number(arm["sd"], percent),
            str(arm["diverged"]),
        )
    return Group(table, *_sentences(report))


def _sentences(report: Mapping[str, Any]) -> list[Text]:
    rounding = report.get("rounding")
    told = [Text(one["text"]) for one in (rounding, report.get("variance")) if one]
    headline = report["verdict"].get("headline")
    first = [Text(headline, style="bold")] if headline else []
    return [*first, Text(report["verdict"]["text"]), *told, *warnings(report)]


def warnings(found: Mapping[str, Any]) -> list[Text]:
    """Return what to beware of, one sentence a line, behind the path of the field where it is about one."""
    return _notes(found.get("warnings", ()))


def _notes(items: Iterable[Mapping[str, Any]]) -> list[Text]:
    return [Text("Note: " + ": ".join(filter(None, (one["path"], one["message"])))) for one in items]


def _rates(entries: Iterable[Mapping[str, Any]]) -> Table:
    """Return the results of a learning-rate range test for each arm; nothing ranks them."""
    table = _table("arm", "N", "suggested rate", "single seeds", "a tenth of the least loss's", "diverges from")
    for entry in entries:
        suggested, diverged = entry["suggested"] or {}, entry["diverged"] or {}
        low, high = _rate(suggested.get("low")), _rate(suggested.get("high"))
        table.add_row(
            entry["label"],
            str(entry["n"]),
            _rate(suggested.get("lr")),
            NONE if NONE in (low, high) else f"{low} to {high}",
            _rate(entry["tenth"]),
            _rate(diverged.get("lr")),
        )
    return table


def _slopes(entries: Iterable[Mapping[str, Any]]) -> Table:
    """Return the slopes of a coordinate check, of each arm's every layer after the last update."""
    table = _table("arm", "layer", "N", "slope over width", "95 % interval", "so")
    for entry in entries:
        for layer in entry["layers"]:
            fit = layer["updates"][-1]
            low, high = number(fit["ci_low"], False), number(fit["ci_high"], False)
            sure = NONE if NONE in (low, high) else f"{low} to {high}"
            table.add_row(
                entry["label"], layer["name"], str(fit["n"]), number(fit["slope"], False), sure, layer["move"]
            )
    return table


def _rate(value: float | None) -> str:
    return NONE if value is None else f"{value:.2g}"


def pictures(items: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("name", "what it is")
    for item in items:
        table.add_row(str(item["name"]), str(item["summary"]).split("\n")[0])
    return table


def datasets(items: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("name", "kind", "examples", "inputs", "task", "outputs", "MB", "created")
    for item in items:
        table.add_row(
            item["name"],
            item["kind"],
            f"{item['examples']:,}",
            shape(item),
            item["task"],
            f"{item['outputs']:,}",
            f"{item['bytes'] / 1e6:,.1f}",
            item["created_at"],
        )
    return table


def dataset(item: Mapping[str, Any]) -> RenderableType:
    """Return a data set's name in a spec, its content, and a table's columns."""
    held_out = item["valid_examples"]
    lines = [
        item["name"],
        f"in a spec   {json.dumps({'dataset': {'name': 'uploaded', 'id': item['name']}})}",
        f"examples    {item['examples']:,}" + (f", {held_out:,} of them held out for validation" if held_out else ""),
        f"inputs      {shape(item)}",
        f"task        {item['task']}" + (f": {some(item['classes'])}" if item["classes"] else ""),
        f"options     {', '.join(f'{k}={words(v)}' for k, v in item['options'].items() if v) or 'none'}",
        f"SHA-256     {item['sha256']}",
    ]
    lines += [f"note        {note['path']}: {note['message']}" for note in item.get("notes", ())]
    table = _table("column", "kind", "features")
    for column in item["columns"]:
        table.add_row(column["name"], column["kind"], some(column["categories"]) or "1")
    return Group(Text("\n".join(lines)), *([table] if table.row_count else []))


def workers(found: Mapping[str, Any]) -> RenderableType:
    """Return the training processes, and how much waits for them."""
    table = _table("name", "trains", "devices", "queues", "version", "last sign")
    for one in found["items"]:
        trains = ", ".join(map(str, one["experiments"])) or "nothing"
        state = ("" if one["alive"] else ", lost") + (", draining" if one["draining"] else "")
        cells = (", ".join(one["devices"]), ", ".join(one["queues"]), one["version"], one["last_seen"] + state)
        table.add_row(one["name"], trains, *cells)
    queue = found["queue"]
    waiting, running = (queue["cohorts"].get(state, 0) for state in ("queued", "running"))
    longest = f", the longest for {duration(queue['waited_seconds'])}" if waiting else ""
    trained = "1 cohort is" if running == 1 else f"{running:,} cohorts are"
    line = f"{trained} trained, {waiting:,} wait{longest}"
    return Group(table if found["items"] else Text("no workers"), Text(line))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in WORDS else "right", overflow="fold")
    return table


def _alike(items: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[list[Mapping[str, Any]]]:
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for item in items:
        groups.setdefault(tuple(item[column] for column in columns), []).append(item)
    return list(groups.values())
