"""Pure functions that find arm and seed of every run, as a user says and by rule where nobody does."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from initlab.imports.directions import direction_of, outcome_of
from initlab.imports.rules import Assigned, Known, LeftOut, Measure, Per, Plan, Rules
from initlab.imports.runs import FoundRun, ImportFailed, named_parts, number, says_epochs

ARM, SEED = "arm", "seed"
NUMBERED = re.compile(r"(?P<arm>.*?[^\d\W_].*?)[-_/ .]*(?:seed|run|rep|s)?[-_= ]?(?P<seed>\d+)", re.I)
"""A name that ends with a number: `adam/seed_3`, `adam-3`."""
NOT_IN_NAMES = re.compile(r"[^\w./:@ %()+-]")
LONGEST = 120
"""Characters of a label, and of a metric's name."""


def plan(runs: Sequence[FoundRun], rules: Rules, known: Known | None = None) -> Plan:
    """Return what an import of these runs would be: a new experiment, or what comes to a known one.

    Raises `ImportFailed` where nothing comparable is left, and where runs do not fit what is known.
    """
    notes: list[str] = []
    fields = _fields(runs, rules, notes)
    notes += [note for run in runs for note in run.notes]
    left: list[LeftOut] = []
    wanted = _kept(runs, fields, rules, left)
    metrics, outcome = _metrics(wanted, rules, notes)
    if known is not None:
        metrics, outcome = _as_known(metrics, rules, known)
    seed = rules.seed or SEED
    arm_of = _arm(wanted, fields, rules, seed, notes)
    placed: list[Assigned] = []
    counts: dict[str, int] = {}
    for run in sorted(wanted, key=lambda run: run.started) if rules.number_runs else wanted:
        arm = arm_of(fields[run.key])
        found = counts.get(arm or "", 0) if rules.number_runs else _seed(fields[run.key].get(seed))
        reason = _reason(run, arm, found, seed, metrics[outcome].name)
        if reason or arm is None or found is None:
            left.append(LeftOut(run.name, reason))
        else:
            counts[arm] = counts.get(arm, 0) + 1
            placed.append(Assigned(run, arm, found))
    if rules.number_runs:
        notes.append("no seed was logged: the runs of an arm are numbered as they started, and pairs mean nothing")
    placed = _distinct(placed, left)
    if known is not None:
        _must_be_told_apart_alike(placed, fields, rules, known)
    placed = _common(placed, left, known)
    if not placed:
        raise ImportFailed("\n  ".join(["no run is left to import:", *_reasons(left)]))
    arms = {one.arm: _shared([other.run for other in placed if other.arm == one.arm]) for one in placed}
    for label in arms:
        if len(label) > LONGEST:
            raise ImportFailed(f"the arm {label[:60]}... has too long a name: say with --arm which fields make it")
    seeds = sorted({one.seed for one in placed})
    return Plan(
        arms=arms, seeds=seeds, metrics=metrics, outcome=outcome, runs=placed, left_out=left, notes=notes, known=known
    )


def _fields(runs: Sequence[FoundRun], rules: Rules, notes: list[str]) -> dict[str, dict[str, Any]]:
    """Return what each run can be told by: its tags, its settings, parts of its name, and `name` itself."""
    if not runs:
        raise ImportFailed("the source has no runs")
    fields = {run.key: {"name": run.name} | run.config | run.tags for run in runs}
    parts = named_parts(rules.path, runs) if rules.path else {}
    if rules.path and not parts:
        raise ImportFailed(f"--path {rules.path} fits no run's name; they are: {_some(run.name for run in runs)}")
    known = {name for one in fields.values() for name in one} | {name for one in parts.values() for name in one}
    if not (rules.path or rules.arm or rules.seed or rules.number_runs or known & {ARM, SEED}):
        matches = {run.key: NUMBERED.fullmatch(run.name) for run in runs}
        parts = {key: match.groupdict() for key, match in matches.items() if match}
        if parts:
            known |= {ARM, SEED}
            notes.append("arm and seed are by the ends of the runs' names; say others with --arm, --seed or --path")
    for name in [*rules.arm, *([rules.seed] if rules.seed else []), *rules.where]:
        if name not in known and not any(one.startswith(f"{name}.") for one in known):
            near = get_close_matches(name, known, 3) or sorted(known)[:20]
            raise ImportFailed(f"no run has a field {name!r}; there are: {', '.join(near)}")
    return {key: found | parts.get(key, {}) for key, found in fields.items()}


def _kept(
    runs: Sequence[FoundRun], fields: Mapping[str, Mapping[str, Any]], rules: Rules, left: list[LeftOut]
) -> list[FoundRun]:
    found = []
    for run in runs:
        other = [
            f"{k} is {_word(fields[run.key].get(k))}"
            for k, v in rules.where.items()
            if not _is(fields[run.key].get(k), v)
        ]
        if other:
            left.append(LeftOut(run.name, ", ".join(other)))
        else:
            found.append(run)
    return found


def _is(value: Any, wanted: str) -> bool:
    return _word(value) == wanted or (number(value) is not None and number(value) == number(wanted))


def _metrics(runs: Sequence[FoundRun], rules: Rules, notes: list[str]) -> tuple[dict[str, Measure], str]:
    """Return the metrics by their names here, and the one that is judged."""
    there = list(dict.fromkeys(name for run in runs for name in run.series))
    for one in rules.measures:
        if one.name not in there:
            near = get_close_matches(one.name, there, 3) or there[:20]
            raise ImportFailed(f"no run has a metric {one.name!r}; there are: {', '.join(near) or 'none'}")
    wanted = list(rules.measures) or [Measure(name) for name in there]
    judged = rules.measures[0].name if rules.measures else outcome_of(there)
    if judged is None:
        raise ImportFailed("the runs have no metrics")
    made: dict[str, Measure] = {}
    guessed = []
    for one in wanted:
        name = NOT_IN_NAMES.sub("_", one.name)[:LONGEST].lstrip("./:@ %()+-") or "metric"
        if name in made:
            raise ImportFailed(f"two metrics would be called {name!r}: {made[name].name!r} and {one.name!r}; name one")
        if one.direction is None:
            guessed.append(one.name)
        made[name] = Measure(one.name, one.direction or direction_of(one.name), one.per or _per(one.name, runs))
    outcome = next(name for name, one in made.items() if one.name == judged)
    if not rules.measures:
        notes.append(f"judged by {judged}, as the names say; choose another with --metric NAME:max or NAME:min first")
    elif judged in guessed:
        notes.append(f"{judged}: {'more' if made[outcome].direction == 'max' else 'less'} is better, as its name says")
    return made, outcome


def _as_known(metrics: Mapping[str, Measure], rules: Rules, known: Known) -> tuple[dict[str, Measure], str]:
    """Return the metrics as an experiment has them that is there, and the outcome that it is judged by."""
    if known.outcome not in metrics:
        raise ImportFailed(
            f"experiment {known.id}, which an earlier import made, is judged by {known.outcome}, which is not among "
            f"the metrics {_some(metrics)}: name it with --metric too, or import with --again, which makes a new one"
        )
    said = {one.name: one for one in rules.measures}
    made: dict[str, Measure] = {}
    for name, one in metrics.items():
        there = known.metrics.get(name)
        asked = said.get(one.name, one)
        if there is not None and (asked.direction or there.direction) != there.direction and one.name in said:
            raise ImportFailed(
                f"experiment {known.id}, which an earlier import made, has {name}:{there.direction}, and "
                f"{name}:{asked.direction} is said now: import with --again, which makes a new one"
            )
        made[name] = one if there is None else one._replace(direction=there.direction, per=there.per)
    return made, known.outcome


def _must_be_told_apart_alike(
    placed: Sequence[Assigned], fields: Mapping[str, Mapping[str, Any]], rules: Rules, known: Known
) -> None:
    """Raise `ImportFailed` where arms, which nobody has named, are no more what they were: runs would come twice."""
    by_rule = not rules.arm and not any(ARM in fields[one.run.key] for one in placed)
    gone = sorted(set(known.arms) - {one.arm for one in placed})
    if by_rule and gone:
        raise ImportFailed(
            f"the arms are others than those of experiment {known.id}, which an earlier import made: no run is "
            f"{_some(gone)}; there are {_some(dict.fromkeys(one.arm for one in placed))}. Other settings differ now: "
            "say with --arm which make an arm, or import with --again, which makes a new one"
        )


def _per(metric: str, runs: Sequence[FoundRun]) -> Per:
    counted = all(metric in run.by_epochs for run in runs if metric in run.series)
    return "epoch" if counted or says_epochs(metric) else "step"


def _arm(
    runs: Sequence[FoundRun], fields: Mapping[str, Mapping[str, Any]], rules: Rules, seed: str, notes: list[str]
) -> Callable[[Mapping[str, Any]], str | None]:
    """Return what makes the label of a run from its fields."""
    if rules.arm:
        return lambda found: _label(found, rules.arm)
    if any(ARM in fields[run.key] for run in runs):
        return lambda found: _label(found, [ARM])
    settings = list(dict.fromkeys(name for run in runs for name in run.config if name not in (seed, *rules.where)))
    differing = [name for name in settings if len({_word(run.config.get(name)) for run in runs}) > 1]
    if not differing:
        raise ImportFailed(
            "nothing says which arm a run is: no field is called arm, and no setting differs; say --arm FIELD, or "
            f"--path with a pattern of the runs' names, such as {_some(run.name for run in runs)}"
        )
    notes.append(f"an arm is what has the same {', '.join(differing)}; say others with --arm")
    return lambda found: _label(found, differing, named=len(differing) > 1)


def _label(found: Mapping[str, Any], names: Sequence[str], *, named: bool = False) -> str | None:
    """Return the label that fields make; None where a run has none of them."""
    parts = []
    for name in names:
        if found.get(name) is not None:
            parts.append((name, found[name]))
        else:
            parts += [(inner, value) for inner, value in found.items() if inner.startswith(f"{name}.")]
    if not parts:
        return None
    if len(parts) == 1 and not named:
        return _word(parts[0][1])
    return ", ".join(f"{name}={_word(value)}" for name, value in parts)


def _word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _seed(value: Any) -> int | None:
    """Return a seed, which may be written as `3`, `3.0` or `seed_3`; None where it is none."""
    if isinstance(value, str):
        match = re.fullmatch(r"(?:seed|run|s)?[-_= ]?(\d+)(?:\.0*)?", value.strip(), re.I)
        value = int(match[1]) if match else None
    found = None if isinstance(value, bool) else number(value)
    return int(found) if found is not None and found.is_integer() and 0 <= found < 2**31 else None


def _reason(run: FoundRun, arm: str | None, seed: int | None, field_: str, outcome: str) -> str:
    if not arm:
        return "nothing says which arm it is"
    if seed is None:
        return f"its {field_} is none: a whole number from 0"
    if outcome not in run.series and run.state != "failed":
        return f"it has no {outcome}"
    return ""


def _distinct(placed: Sequence[Assigned], left: list[LeftOut]) -> list[Assigned]:
    """Return one run of each arm and seed: what has finished before what has not, then the one that began last."""
    best: dict[tuple[str, int], Assigned] = {}
    for one in placed:
        before = best.get((one.arm, one.seed))
        if before is None:
            best[one.arm, one.seed] = one
            continue
        taken = max(before, one, key=lambda a: (a.run.state == "finished", a.run.started, a is one))
        other = one if taken is before else before
        best[one.arm, one.seed] = taken
        left.append(LeftOut(other.run.name, f"{taken.run.name} is arm {taken.arm}, seed {taken.seed} too, and newer"))
    return [one for one in placed if best[one.arm, one.seed] is one]


def _common(placed: Sequence[Assigned], left: list[LeftOut], known: Known | None) -> list[Assigned]:
    """Return the runs of the seeds that all arms have: pairs are what is compared.

    Of an experiment that is there the seeds stay, whoever has them; a new arm comes once it has all of them.
    """
    by_arm: dict[str, set[int]] = {} if known is None else {arm: set() for arm in known.arms}
    for one in placed:
        by_arm.setdefault(one.arm, set()).add(one.seed)
    if known is not None:
        for arm in [arm for arm in by_arm if arm not in known.arms]:
            absent = sorted(set(known.seeds) - by_arm[arm])
            if absent:
                reason = f"{arm} is new, and has no seed {_some(map(str, absent))} of experiment {known.id} so far"
                left.extend(LeftOut(one.run.name, reason) for one in placed if one.arm == arm)
                del by_arm[arm]
        placed = [one for one in placed if one.arm in by_arm]
    common = set.intersection(*by_arm.values()) if by_arm else set()
    common |= set() if known is None else set(known.seeds)
    if by_arm and not common:
        told = "; ".join(f"{arm}: {_some(map(str, sorted(seeds)))}" for arm, seeds in by_arm.items())
        raise ImportFailed(
            f"no seed is common to all arms, and pairs are what is compared: {told}. Leave arms out with --where"
        )
    for one in placed:
        if one.seed not in common:
            lacking = [arm for arm, seeds in by_arm.items() if one.seed not in seeds]
            left.append(LeftOut(one.run.name, f"seed {one.seed} is not there of {_some(lacking)}"))
    return [one for one in placed if one.seed in common]


def _shared(runs: Sequence[FoundRun]) -> dict[str, Any]:
    """Return the settings that are the same in all runs, as JSON has them."""
    first, *others = runs
    same = {k: v for k, v in first.config.items() if all(k in o.config and o.config[k] == v for o in others)}
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in same.items()
    }


def _reasons(left: Iterable[LeftOut]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for one in left:
        by_reason.setdefault(one.reason, []).append(one.run)
    return [f"{reason}: {_some(runs)}" for reason, runs in by_reason.items()]


def _some(words: Iterable[str], most: int = 5) -> str:
    found = list(words)
    return ", ".join(found[:most]) + (f", ... ({len(found)})" if len(found) > most else "")
