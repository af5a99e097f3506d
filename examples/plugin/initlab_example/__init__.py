"""A plug-in: what its modules register while they are imported stands in the catalogues beside what is built in."""

from . import brier, inverse_power, triangular

__version__ = "1.0"
__all__ = ["brier", "inverse_power", "triangular"]
