"""Growth of an external experiment: more arms, seeds and metrics, declared after its post."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.errors import Conflict, InvalidSpec, Problem
from core.external._spec import MOST_METRICS, DeclaredMetric, ExternalArm, ExternalSpec, parse
from core.spec import LIMITS, Seed

STAYS = "what was declared stays: leave it out, or say it as it is"
_PLACE = re.compile(r"(arms|metrics)\[(\d+)\](.*)")


class Growth(BaseModel):
    """Arms, seeds and metrics that an external experiment is to have. Those that it has already change nothing.

    Every new arm has a run of each seed, and every new seed one of each arm.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    arms: Annotated[list[ExternalArm], Field(max_length=LIMITS.arms)] = []
    seeds: Annotated[list[Seed], Field(max_length=LIMITS.seeds)] = []
    metrics: Annotated[list[DeclaredMetric], Field(max_length=MOST_METRICS)] = []


def grown(spec: ExternalSpec, growth: Growth) -> ExternalSpec:
    """Return the spec with what it lacks of a growth behind its arms, seeds and metrics; itself where it has all.

    Of a known arm, or metric, that which is said has to be as it was declared. Raises `Conflict` where it is not, and
    for new arms and seeds where the seeds are adaptive; `InvalidSpec` above the limits of an experiment.
    """
    raw = spec.canonical()
    new_arms = _new("arm", "label", spec.arms, growth.arms)
    new_metrics = _new("metric", "name", spec.metrics, growth.metrics)
    new_seeds = [seed for seed in dict.fromkeys(growth.seeds) if seed not in set(spec.seed_list)]
    if spec.adaptive is not None and (new_arms or new_seeds):
        what = f"arm {next(iter(new_arms.values()))['label']!r}" if new_arms else f"seed {new_seeds[0]}"
        text = "has adaptive seeds: its looks compare the arms that it began with, up to the most seeds that it named"
        raise Conflict(f"the experiment {text}; {what} is none of them. Post another experiment")
    if not (new_arms or new_seeds or new_metrics):
        return spec
    raw["arms"] += new_arms.values()
    raw["metrics"] += new_metrics.values()
    if new_seeds:
        raw["seeds"] = [*spec.seed_list, *new_seeds]
    try:
        return parse(raw)
    except InvalidSpec as error:
        said = {"arms": [len(spec.arms), *new_arms], "metrics": [len(spec.metrics), *new_metrics]}
        raise InvalidSpec([_as_said(problem, said) for problem in error.problems]) from None


def _new(what: str, key: str, known: Any, given: Any) -> dict[int, dict[str, Any]]:
    """Return those that are not known, by their place in what was given. Raises `Conflict`."""
    there: dict[str, Any] = {getattr(one, key): one for one in known}
    new: dict[int, dict[str, Any]] = {}
    for i, one in enumerate(given):
        name = getattr(one, key)
        before = there.setdefault(name, one)
        if before is one:
            new[i] = one.model_dump(exclude_none=True)
        for field in one.model_fields_set:
            if getattr(before, field) != getattr(one, field):
                raise Conflict(f"the {what} {name!r} was declared with another {field}; {STAYS}")
    return new


def _as_said(problem: Problem, said: Mapping[str, list[int]]) -> Problem:
    """Return a problem with the path in the request rather than that in the whole experiment."""
    match = _PLACE.fullmatch(problem.path)
    if match is None:
        return problem
    before, *places = said[match[1]]
    i = int(match[2]) - before
    return problem if i < 0 else problem._replace(path=f"{match[1]}[{places[i]}]{match[3]}")
