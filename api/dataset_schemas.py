"""Shapes of the first look at a data set."""

from pydantic import BaseModel

from core.datasets import DatasetPreview
from core.store import Status


class UseOut(BaseModel):
    """An experiment that trains on a data set."""

    id: int
    name: str
    status: Status
    paused: bool
    cancelling: bool


class DatasetPreviewOut(DatasetPreview):
    """Some of a data set's examples, what is learned over all of them, and the newest experiments that train on it."""

    experiments: list[UseOut]
