"""API keys: 256 random bits, of which the service keeps only a SHA-256, in a file or in the database.

A random secret needs no slow hash: there is nothing to guess.
"""

from api.keys._file import create, read_keys
from api.keys._key import PREFIX, SCOPES, InvalidKeys, Key, Scope, owner
from api.keys._ring import KeyRing
from api.keys._roles import Roles

__all__ = ["PREFIX", "SCOPES", "InvalidKeys", "Key", "KeyRing", "Roles", "Scope", "create", "owner", "read_keys"]
