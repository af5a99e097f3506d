"""Sources of randomness, by which the runs of an arm differ from one another."""

from typing import Literal, get_args

Source = Literal["init", "split", "order", "dropout"]
Varied = Literal["rounding", Source]
"""The one thing in which a second training differs from the first."""
SOURCES: tuple[Source, ...] = get_args(Source)
SOURCE_NAMES: dict[Source, str] = {
    "init": "the initial weights",
    "split": "the split",
    "order": "the data order",
    "dropout": "the dropout draws",
}
"""The words for each."""
