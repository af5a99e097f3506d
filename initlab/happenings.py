"""An experiment's history in sentences."""

from collections.abc import Mapping
from typing import Any

SENTENCES = {
    "accepted": "accepted: {runs} in {cohorts}",
    "claimed": "taken by {worker}: {runs}, {start}",
    "unreadable": "left to others by {worker}, whose code lacks something: {why}",
    "fell_back": "a checkpoint could not be used: on {start}",
    "released": "given back, to go on {start}",
    "lost": "its worker was lost; to go on {start}",
    "halved": "its runs were parted, and each part starts over",
    "waiting": "given back after {epochs}, until the other cohorts have come as far",
    "rung": "the arms were compared after {epochs}: {pruned}",
    "look": "the arms were compared after {seeds}: {looked}",
    "ended": "ended: {status}",
    "cancelling": "cancelled by the user: {stopped}",
    "paused": "paused by the user",
    "resumed": "resumed by the user",
    "retried": "tried again by the user: {runs} in {cohorts}",
    "edited": "edited by the user: {edited}",
    "started": "run {run} was heard of for the first time: {of}",
    "silent": "run {run} was silent for too long, and counts as lost until more comes: {of}",
    "revived": "run {run} was heard of again: {of}",
    "declared": "declared: {declared} in all",
    "late": "run {run} took points of a metric that was declared after its end: {of}",
    "restarted": "run {run} waits for its first point again: {of}",
}
"""Sentences by kind of event. A newer server may have others."""


def sentence(event: Mapping[str, Any]) -> str:
    """Return what happened, and to which cohort; a kind that is not known here is returned as it is."""
    kind, detail = event["kind"], event["detail"]
    step = detail.get("step")
    if kind not in SENTENCES:
        return str(kind)
    text = SENTENCES[kind].format(
        runs=_count(detail.get("runs"), "run"),
        cohorts=_count(detail.get("cohorts"), "cohort"),
        worker=detail.get("worker") or "a worker",
        start=f"from update {step:,}" if step else "from the beginning",
        status=detail.get("status") or "nobody noted how",
        run=detail.get("run", "?"),
        why=detail.get("why"),
        of=f'"{detail.get("arm")}", seed {detail.get("seed")}',
        stopped=_stopped(detail),
        edited=", ".join(key for key in ("name", "tags", "notes") if key in detail) or "nothing that is known here",
        epochs=_count(detail.get("epoch"), "epoch"),
        pruned=", ".join(f'"{one["arm"]}"' for one in detail.get("pruned", ())) + " pruned"
        if detail.get("pruned")
        else "none is worse beyond doubt",
        seeds=_count(detail.get("seeds"), "seed"),
        looked=looked(detail),
        declared=_declared(detail) if kind == "declared" else "",  # a look's arms are those that go on
    )
    if event["cohort"] is None:
        return text
    attempt = "" if event["attempt"] is None else f", attempt {event['attempt']}"
    return f"cohort {event['cohort']}{attempt}: {text}"


def why(event: Mapping[str, Any]) -> str:
    """Return the reason, and the last lines of the log of a process that was lost."""
    lines = [event["detail"].get("why"), *event["detail"].get("log", ())]
    return "\n".join(str(line) for line in lines if line)


def looked(detail: Mapping[str, Any]) -> str:
    """Return what a look has decided, what it leaves open, and who is trained further."""
    decided = [f'"{one["a"]}" is {_than(one["decision"])} "{one["b"]}"' for one in detail.get("decided", ())]
    arms = ", ".join(f'"{label}"' for label in detail.get("arms", ()))
    left = f"{_count(detail.get('open'), 'comparison')} open"
    return "; ".join([*decided, left, *([f"more seeds for {arms}"] if arms else [])])


def _declared(detail: Mapping[str, Any]) -> str:
    return ", ".join(_count(detail[key], key[:-1]) for key in ("arms", "seeds", "metrics") if key in detail)


def _count(number: int | None, noun: str) -> str:
    return f"{noun}s" if number is None else f"{number:,} {noun}{'' if number == 1 else 's'}"


def _than(decision: str) -> str:
    return "equivalent to" if decision == "equivalent" else f"{decision} than"


def _stopped(detail: Mapping[str, Any]) -> str:
    ways = (("queued", "ended at once"), ("running", "told to stop"))
    said = [f"{_count(detail[key], 'cohort')} {how}" for key, how in ways if detail.get(key)]
    return ", ".join(said) or "nothing was left to stop"
