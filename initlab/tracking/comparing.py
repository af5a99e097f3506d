"""A decorator that trains every arm on every seed, and compares them."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Literal, Unpack

from initlab.client import Client
from initlab.errors import ClientError
from initlab.experiment import Experiment
from initlab.external_parts import Arms, Metrics
from initlab.external_spec import ExternalOptions, Seeds
from initlab.tracking.declare import external
from initlab.tracking.offline import OfflineClient
from initlab.tracking.run import Run

SCORE: Metrics = {"score": "max"}
"""The metric of a function that returns a number and says no more: more is better, as scikit-learn's scores have it."""
OnError = Literal["raise", "continue"]


def compare(
    arms: Arms,
    seeds: Seeds,
    metrics: Metrics = SCORE,
    *,
    client: Client | OfflineClient | None = None,
    key: str | None = None,
    on_error: OnError = "raise",
    **options: Unpack[ExternalOptions],
) -> Callable[[Callable[..., Any]], Callable[[], Experiment]]:
    """Have a function train one run of `arms` on `seeds`; what it becomes trains all, and returns the experiment.

    The function is given what its parameters name: `seed`, which it has to take, `arm` (the label), `run` (to log),
    and the keys of the arm's configuration. It returns a number (the outcome), numbers by metric, or None where it has
    logged them. All arms of a seed come before the next seed; adaptive seeds end where the experiment wants no more. An
    exception fails its run, and ends the loop unless `on_error` is "continue". With a `key` the same program goes on
    where it was interrupted. Raises `TypeError` for a function that cannot be called so.
    """

    def decorate(train: Callable[..., Any]) -> Callable[[], Experiment]:
        _check(train)
        options.setdefault("name", train.__name__)

        @wraps(train)
        def compared() -> Experiment:
            experiment = external(arms, seeds, metrics, client=client, key=key, **options)
            for run in experiment.wanted():
                try:
                    with run:
                        _log(run, train(**_given(train, run)), experiment.data["spec"]["outcome"])
                except ClientError:
                    raise
                except Exception:
                    if on_error == "raise":
                        raise
            return experiment

        compared.__signature__ = inspect.Signature()  # type: ignore[attr-defined]  # its arguments come from the arms
        return compared

    return decorate


def _check(train: Callable[..., Any]) -> None:
    parameters = inspect.signature(train).parameters.values()
    free = any(one.kind is one.VAR_KEYWORD for one in parameters)
    if not free and "seed" not in [one.name for one in parameters]:
        raise TypeError(f"{train.__name__} has to take `seed`: else all runs of an arm are the same")


def _given(train: Callable[..., Any], run: Run) -> dict[str, Any]:
    """Return the arguments of one run; raises `TypeError` where the arm's configuration lacks one."""
    known = {**run.config, "seed": run.seed, "arm": run.arm, "run": run}
    parameters = inspect.signature(train).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return known
    missing = [one.name for one in parameters if one.name not in known and one.default is one.empty]
    if missing:
        raise TypeError(f"{train.__name__} takes {', '.join(missing)}, which arm {run.arm!r} has not in its config")
    return {one.name: known[one.name] for one in parameters if one.name in known}


def _log(run: Run, returned: Any, outcome: str) -> None:
    """Log what the function returned."""
    if returned is None:
        if run.next_step == 0:
            raise ClientError(f"the function logged nothing of {run!r}, and returned nothing")
    elif isinstance(returned, Mapping):
        run.log(None, returned)
    else:
        run.log(None, {outcome: returned})
