"""Downloads of public data sets, by torchvision's own addresses and checksums."""

import os
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

from core.datasets import DataError, DatasetPaths, datasets
from core.datasets._downloads import DOWNLOADS
from core.errors import Unavailable
from core.torchvision import load as torchvision


def fetch(name: str, files: Path) -> bool:
    """Download a data set of `DOWNLOADS` into the folder `files`; returns False if it was already there and complete.

    It appears there at once or not at all; what was damaged is replaced. Raises `Unavailable` where it cannot be
    downloaded, and `OSError` where it cannot be written.
    """
    download = DOWNLOADS[name]
    if _is_complete(name, files):
        return False
    files.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".fetch-", dir=files) as temporary:
        new, old = Path(temporary, "new"), Path(temporary, "old")
        try:
            getattr(torchvision().datasets, download.kind)(str(new), download=True)
        except (URLError, ConnectionError, TimeoutError, HTTPException, RuntimeError) as error:
            raise Unavailable(f"{download.kind} cannot be downloaded: {' '.join(str(error).split())}") from error
        place = files / download.folder
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            os.rename(place, old)
        os.rename(new / download.folder, place)
    return True


def _is_complete(name: str, files: Path) -> bool:
    """Return whether the data set is on disk and complete."""
    try:
        datasets.parse(name).build().load(DatasetPaths(files))
    except DataError:
        return False
    return True
