"""The promises of every entry of a catalogue: tried on the built-in ones by the tests, on plug-ins by their authors.

`initlab plugins check` runs it, and an installed service has it: the tests are not in the wheel.
"""

from core.conformance._check import Broken, Result, checks_of, tried

__all__ = ["Broken", "Result", "checks_of", "tried"]
