"""The client library and the command line of initlab: they speak HTTP only."""

from initlab import build
from initlab.answers import Picture, Report, Series
from initlab.asynchronous import AsyncClient, AsyncExperiment
from initlab.client import Client
from initlab.errors import ApiError, ClientError, Problem, SpecError, Unreachable
from initlab.events import Event
from initlab.experiment import Experiment
from initlab.installation import server_path

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncExperiment",
    "Client",
    "ClientError",
    "Event",
    "Experiment",
    "Picture",
    "Problem",
    "Report",
    "Series",
    "SpecError",
    "Unreachable",
    "build",
    "server_path",
]
