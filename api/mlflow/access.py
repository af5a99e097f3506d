"""The right to change what MLflow's clients have logged."""

from api.callers import Caller
from core.errors import Forbidden
from core.store import MlflowExperiment


def check(caller: Caller, of: MlflowExperiment) -> None:
    """Raise `Forbidden` for who may neither change an experiment nor post beside it."""
    try:
        caller.check_may_change(f"the experiment {of.name!r}", of.owner, of.project)
    except Forbidden:
        caller.check_may_post(of.project)
