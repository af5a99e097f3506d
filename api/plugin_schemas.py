"""Shapes of the answers on plug-ins."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, Field

from core.plugins import Plugin


class PluginOut(BaseModel):
    """A plug-in that the API has found, or could not load."""

    name: str
    version: str = Field(description="as its author says it; empty: not said")
    sha256: str = Field(description="of its files, as specs that use it have it; empty where they cannot be read")
    source: str = Field(description="the place that it comes from, in words")
    entries: dict[str, list[str]] = Field(description="the names that it has entered, by kind")
    error: str | None = Field(description="the reason for which it was left out; null: it is there")
    workers: int = Field(description="training processes that have this very content: only these train what uses it")

    @classmethod
    def of(cls, plugin: Plugin, workers: Mapping[tuple[str, str], int]) -> Self:
        """Return the shape of a plug-in; `workers` counts processes by name and hash."""
        own = {name: getattr(plugin, name) for name in ("name", "version", "sha256", "source", "entries", "error")}
        return cls.model_validate(own | {"workers": workers.get((plugin.name, plugin.sha256), 0)})


class PluginList(BaseModel):
    """The plug-ins of the API, and the training processes that are alive."""

    items: list[PluginOut]
    workers: int
