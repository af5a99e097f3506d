"""Tells how the data sets of users were read, as far as that may be wrong."""

from collections.abc import Iterator

from core.analysis.shapes import DataNote
from core.datasets import DataError
from core.results import Results


def data_notes(results: Results) -> list[DataNote]:
    """Return the notes on the arms' data sets, each once; those of a data set that is gone are not known."""
    return [{"path": f"dataset.{path}", "message": message} for path, message in dict.fromkeys(_notes(results))]


def _notes(results: Results) -> Iterator[tuple[str, str]]:
    for arm in results.design.arms:
        if arm.training is None:
            continue
        try:
            yield from arm.training.notes()
        except DataError:
            continue
