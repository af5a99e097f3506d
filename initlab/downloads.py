"""The files that an experiment comes as, saved while they arrive."""

from pathlib import Path
from typing import Any, Literal

import httpx2 as httpx

from initlab.transport import Transport

Download = Literal["bundle", "eln", "csv", "parquet", "arrow"]
PLACES: dict[Download, tuple[str, dict[str, Any]]] = {
    "bundle": ("bundle.zip", {}),
    "eln": ("experiment.eln", {}),
    "csv": ("metrics", {"format": "csv"}),
    "parquet": ("metrics", {"format": "parquet"}),
    "arrow": ("metrics", {"format": "arrow"}),
}
"""The last part of the path of each, and its query."""


class Downloads:
    """The calls that save a file of an experiment."""

    transport: Transport

    @property
    def path(self) -> str:
        """The path of the experiment on its server."""
        raise NotImplementedError

    def save(self, /, what: Download, to: str | Path, **asked: Any) -> Path:
        """Save a file of it, and return its path.

        `bundle` is all of an experiment that has ended, which `initlab.reproducing` trains again; `eln` the same for
        electronic lab notebooks; `csv`, `parquet` and `arrow` are all series as one table, which `asked` narrows as
        `metrics` does. Raises `ApiError` 409 for a bundle of what has not ended. What is broken off leaves no file.
        """
        place, query = PLACES[what]
        path = Path(to)
        aside = path.with_name(f"{path.name}.part")
        try:
            with self.transport.stream(f"{self.path}/{place}", query | asked) as answer, aside.open("wb") as out:
                for part in answer.iter_bytes():
                    out.write(part)
            aside.replace(path)
        except httpx.TransportError as error:
            raise self.transport.unreachable(error) from None
        finally:
            aside.unlink(missing_ok=True)
        return path
