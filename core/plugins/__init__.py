"""Plug-ins: packages and files of others whose entries stand in the catalogues beside the built-in ones.

A plug-in is an installed package with an entry point of the group `initlab.plugins`, or a file or a package in the
folder of `INITLAB_PLUGINS`. All are imported once, when a catalogue is first asked; whatever they register meanwhile is
theirs. One that cannot be imported is left out as a whole, and says why.
"""

from core.plugins._content import sha256_of
from core.plugins._loading import available, enter, fingerprint, load, loaded, owner, pins, reset
from core.plugins._plugin import NAME, Pin, Plugin, told

__all__ = [
    "NAME",
    "Pin",
    "Plugin",
    "available",
    "enter",
    "fingerprint",
    "load",
    "loaded",
    "owner",
    "pins",
    "reset",
    "sha256_of",
    "told",
]
