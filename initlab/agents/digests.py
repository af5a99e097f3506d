"""The short forms of answers that agents read: what decides, without what only programs need."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from initlab.experiment import Experiment

OF_AN_ARM = ("label", "n", "mean", "sd", "ci_low", "ci_high", "rank_low", "rank_high", "diverged", "failed", "lost")
OF_A_REPORT = ("metric", "split", "margin", "alpha", "baseline", "reference")
OF_A_PAIR = ("a", "b", "n", "difference", "ci_low", "ci_high", "p_adjusted", "effect_size", "decision")
MOST_RUNS = 200
MOST_PAIRS = 60
"""Of the pairs in a digest; the rest is in the whole report."""


def experiment(one: Experiment) -> dict[str, Any]:
    """Return an experiment without its canonical spec and links."""
    data = one.data
    keys = ("id", "name", "status", "paused", "project", "tags", "notes", "errors", "created_at", "finished_at")
    counts = ("label", "runs_done", "runs_total", "diverged", "failed", "cancelled")
    arms = [{key: arm[key] for key in counts if key in arm} for arm in one.arms]
    found = {key: data[key] for key in keys if key in data}
    said = _messages(data.get("warnings", ()))
    study = data["spec"].get("study") if "spec" in data else None
    return found | {"study": study, "progress": one.progress, "arms": arms, "warnings": said, "page": one.url}


def runs(found: Iterable[Mapping[str, Any]], arm: str | None, status: str | None) -> dict[str, Any]:
    """Return the runs of an arm, or of all, in a status, or in any, at most `MOST_RUNS`."""
    kept = [one for one in found if arm in (None, one["arm"]) and status in (None, one["status"])]
    keys = ("id", "arm", "seed", "varied", "status", "outcome", "steps_done", "final", "error")
    return {"runs": [_picked(one, keys) for one in kept[:MOST_RUNS]], "runs_left_out": max(0, len(kept) - MOST_RUNS)}


def preview(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a post would start, without the canonical spec and the cohorts."""
    plan = found["plan"]
    told = {
        key: found[key] for key in ("name", "seeds", "runs_total", "steps_total", "arms", "adaptive") if key in found
    }
    told |= {key: plan[key] for key in ("device", "estimated_seconds", "estimated_bytes")}
    return told | {"warnings": _messages(found["warnings"]), "notes": _messages(found["notes"])}


def report(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict, the arms and the decisions of a report; all outcomes and runs are in the whole one."""
    verdict = found["verdict"]
    told = {"headline": verdict["headline"], "verdict": verdict["text"]}
    told |= {key: found.get(key) for key in OF_A_REPORT}
    pairs = [_picked(pair, OF_A_PAIR) for pair in found["comparisons"]]
    told |= {
        "arms": [_picked(arm, OF_AN_ARM) for arm in found["arms"]],
        "pairs": pairs[:MOST_PAIRS],
        "pairs_left_out": max(0, len(pairs) - MOST_PAIRS),
        "seeds_wanted": verdict.get("seeds_wanted"),
        "findings": [_picked(one, ("arm", "kind", "explanation")) for one in found.get("findings", ())],
        "warnings": _messages(found["warnings"]),
    }
    return told | {key: found[key] for key in ("paired", "reason") if key in found}


def catalog(found: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    """Return the names of the catalogue with a line about each; of one kind with the names of parameters."""
    if kind is None:
        return {each: {one["name"]: one["summary"] for one in entries} for each, entries in found.items()}
    return {kind: [_entry(one) for one in found["items"]]}


def _entry(one: Mapping[str, Any]) -> dict[str, Any]:
    if "parameters" not in one:  # what is measured and judged, of which a spec has names alone
        return {key: value for key, value in one.items() if key not in ("kind", "label", "plugin")}
    properties = one["parameters"].get("properties", {})
    defaults = {name: schema.get("default") for name, schema in properties.items() if name != "name"}
    return {"name": one["name"], "summary": one["summary"], "parameters": defaults}


def _picked(one: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: one[key] for key in keys if key in one}


def _messages(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{one['path']}: {one['message']}" if one["path"] else one["message"] for one in problems]
