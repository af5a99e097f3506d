"""The record of a plug-in, and what tells one content of it from another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z0-9][a-z0-9_.-]{0,39}$"
SHOWN = 12
"""Characters of a hash that people are shown."""


class Pin(BaseModel):
    """A plug-in as a spec names it: another content under the same name is another one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[str, Field(max_length=80)] = ""
    """As its author says it; empty: not said."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of its files."""

    def __str__(self) -> str:
        content = f"content {self.sha256[:SHOWN]}"
        return f"{self.version} ({content})" if self.version else content


@dataclass(kw_only=True)
class Plugin:
    """A plug-in that was found, and what became of it."""

    name: str
    module: str
    """The module that is imported for it."""
    source: str
    """The place that it comes from, in words."""
    version: str = ""
    sha256: str = ""
    """Of its files as they were when it was imported; empty where they could not be read."""
    entries: dict[str, list[str]] = field(default_factory=dict)
    """The names that it has entered, by kind."""
    error: str | None = None
    """The reason for which it was left out; None: it is there."""

    @property
    def pin(self) -> Pin:
        """The version and the hash, as a spec that uses it has them."""
        return Pin(version=self.version, sha256=self.sha256)


def told(pinned: Mapping[str, Pin]) -> str:
    """Return plug-ins in words, by name."""
    return ", ".join(f"{name} {pin}" for name, pin in sorted(pinned.items()))
