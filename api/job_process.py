"""A process of the pool: all that it keeps from one job to the next."""

import gc
import signal
import tempfile

import pyarrow as pa
import torch

from core.datasets import DatasetPaths
from core.files import upload_place
from core.logs import set_up
from core.settings import Settings
from core.store import Database


class Process:
    """The parts that the jobs of this process share."""

    settings: Settings
    database: Database
    paths: DatasetPaths


def begin(settings: Settings) -> None:
    """Set up a process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, which the API hears too and answers to
    set_up("api", settings)
    tempfile.tempdir = str(settings.data_dir.absolute())  # /tmp may be memory
    torch.set_num_threads(1)
    pa.set_memory_pool(pa.system_memory_pool())  # the default one takes a gigabyte at once, which a bound would count
    gc.freeze()
    Process.settings = settings
    Process.database = Database(settings.database, pool_size=1)
    Process.paths = DatasetPaths(settings.datasets, upload_place(settings))


def paths_for(hidden: frozenset[str]) -> DatasetPaths:
    return Process.paths._replace(hidden=hidden)
