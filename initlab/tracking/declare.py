"""Where an external experiment is declared: on a server, or in a folder."""

from pathlib import Path
from typing import Unpack

from initlab.client import Client
from initlab.experiment import Experiment
from initlab.external_parts import Arms, Metrics
from initlab.external_spec import ExternalOptions, Seeds
from initlab.settings import Settings
from initlab.tracking.offline import OfflineClient


def offline(folder: str | Path) -> OfflineClient:
    """Return a folder in place of a server: what is logged into it is sent later, by `initlab sync FOLDER`."""
    return OfflineClient(folder)


def external(
    arms: Arms,
    seeds: Seeds,
    metrics: Metrics,
    *,
    client: Client | OfflineClient | None = None,
    key: str | None = None,
    **options: Unpack[ExternalOptions],
) -> Experiment:
    """Declare an experiment of any training loop: `external(["he", "xavier"], 5, {"valid_accuracy": "max"})`.

    `client` is a server's or a folder's; None: the folder INITLAB_OFFLINE where that is set, else the server
    INITLAB_URL. All else is as `Client.external` takes it, and raises what that raises.
    """
    return (client or default_client()).external(arms, seeds, metrics, key=key, **options)


def default_client() -> Client | OfflineClient:
    """Return the client that the settings ask for."""
    folder = Settings().offline
    return OfflineClient(Path(folder).expanduser()) if folder else Client()
