"""The client library and the command line of initlab: they speak HTTP only."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from initlab import build
from initlab.answers import Picture, Report, Series
from initlab.asynchronous import AsyncClient, AsyncExperiment
from initlab.client import Client
from initlab.errors import ApiError, ClientError, Problem, SpecError, Unreachable
from initlab.events import Event
from initlab.experiment import Experiment
from initlab.installation import server_path

if TYPE_CHECKING:
    from initlab.tracking.comparing import compare
    from initlab.tracking.declare import external, offline
    from initlab.tracking.offline import OfflineClient
    from initlab.tracking.run import Run
    from initlab.tracking.sync import sync

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncExperiment",
    "Client",
    "ClientError",
    "Event",
    "Experiment",
    "OfflineClient",
    "Picture",
    "Problem",
    "Report",
    "Run",
    "Series",
    "SpecError",
    "Unreachable",
    "build",
    "compare",
    "external",
    "offline",
    "server_path",
    "sync",
]

_LATER = {
    "OfflineClient": "offline",
    "Run": "run",
    "compare": "comparing",
    "external": "declare",
    "offline": "declare",
    "sync": "sync",
}
"""Names of `initlab.tracking`, which is loaded when one is asked for: `import initlab` does not wait for it."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'initlab' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"initlab.tracking.{_LATER[name]}"), name)
    return found
