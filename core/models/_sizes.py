"""Sizes of layers and inputs."""

from typing import Annotated

from pydantic import Field

Width = Annotated[int, Field(ge=1, le=65_536)]
"""Units, channels or features of a layer."""
Rate = Annotated[float, Field(ge=0, lt=1)]
"""The share that dropout drops."""


def picture(inputs: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (channels, height, width) of the inputs; raises ValueError unless they are pictures."""
    if len(inputs) != 3:
        raise ValueError(f"it takes pictures, (channels, height, width), and an example here has the shape {inputs}")
    channels, height, width = inputs
    return channels, height, width
